//! The store as a registry: pulled from by our own client, by others, and by who means no good.

mod hostile;
mod judges;

use crate::support::handmade::{self, native, platform};
use crate::support::project::Project;
use crate::support::server::Server as Process;
use remint::digest::Digest;
use remint::event::{Event, Events};
use remint::image::{Encoding, Image};
use remint::oci::{Arch, Blob, media};
use remint::registry::{Client, Repository, Selector, Settings};
use remint::serve::{Limits, Server};
use remint::store::Store;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A server in this process, on a port of its own; its threads end with the tests.
struct Served {
    address: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
}

/// An answer as it came over the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Served {
    fn start(store: &Path, images: &[&str], limits: Limits) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let images: Vec<String> = images.iter().map(|name| (*name).to_owned()).collect();
        let any = "127.0.0.1:0".parse().unwrap();
        let said = Events::new(move |event| sink.lock().unwrap().push(event));
        let server = Server::bind(&[any], store, &images, limits, &said).unwrap();
        let address = server.address();
        std::thread::spawn(move || server.run());
        Self { address, events }
    }

    fn of(store: &Store) -> Self {
        Self::start(store.dir(), &[], Limits::default())
    }

    /// Sends bytes, says that no more come, and reads until the server ends the connection.
    fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // A server that has refused what came so far need not take the rest.
        let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// One request on a connection of its own.
    fn ask(&self, method: &str, path: &str, fields: &str) -> Answer {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
        Answer::of(&self.send(request.as_bytes()))
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    fn warnings(&self) -> Vec<String> {
        let text = |event: &Event| if let Event::Warning { text } = event { Some(text.clone()) } else { None };
        self.events.lock().unwrap().iter().filter_map(text).collect()
    }
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A failure in the specification's form.
    #[track_caller]
    fn fails(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["errors"][0]["code"], code, "{self:?}");
        assert!(!self.json()["errors"][0]["message"].as_str().unwrap().is_empty());
    }
}

fn several(store: &Store, name: &str) -> Image {
    handmade::image(store, name, Encoding::Zstd, &[Arch::Amd64, Arch::Arm64].map(platform))
}

#[test]
fn our_client_pulls_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let images = [several(&store, "several"), handmade::image(&store, "one", Encoding::Gzip, &[native()])];
    let served = Served::of(&store);
    let client = Client::new(Settings::default(), Events::none(), std::thread::sleep);
    for image in &images {
        let repository: Repository = format!("{}/{}", served.address, image.name).parse().unwrap();
        client.ping(repository.host()).unwrap();
        let tags = client.tags(&repository).unwrap().unwrap();
        assert_eq!(tags.iter().map(remint::registry::Tag::as_str).collect::<Vec<_>>(), ["latest"]);
        let latest = client.manifest(&repository, &Selector::Tag(tags[0].clone())).unwrap().unwrap();
        assert_eq!((latest.digest, latest.media_type.as_str()), (image.root.digest.into(), image.media_type()));
        for one in &image.platforms {
            let manifest =
                client.manifest(&repository, &Selector::Digest(one.manifest.digest.into())).unwrap().unwrap();
            assert_eq!(manifest.bytes, store.read(&one.manifest).unwrap());
            assert_eq!(manifest.media_type, media::MANIFEST);
            for blob in one.layers.iter().map(|layer| layer.blob).chain([one.config]) {
                let head = client.blob_exists(&repository, &blob.digest.into()).unwrap();
                assert_eq!(head, Some(blob.size));
                let bytes = client.blob(&repository, &blob.digest.into(), blob.size).unwrap().unwrap();
                assert_eq!(bytes, store.read(&blob).unwrap());
            }
        }
        assert!(client.referrers(&repository, &image.root.digest.into(), None).unwrap().is_empty());
    }
    assert_eq!(served.warnings(), [""; 0]);
}

#[test]
fn answers_are_as_the_specification_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = several(&store, "web");
    several(&store, "api");
    several(&store, "base");
    let stray = store.put(b"a source that no image leads to").unwrap();
    let served = Served::of(&store);
    let base = served.get("/v2/");
    assert_eq!((base.status, base.field("docker-distribution-api-version")), (200, Some("registry/2.0")));
    let root = image.root.digest;
    for reference in ["latest".to_owned(), root.to_string()] {
        let path = format!("/v2/web/manifests/{reference}");
        let (get, head) = (served.get(&path), served.ask("HEAD", &path, ""));
        assert_eq!((get.status, Digest::of(&get.body)), (200, root));
        assert_eq!((head.head, head.body.len()), (get.head.clone(), 0));
        assert_eq!(get.field("content-type"), Some(media::INDEX));
        assert_eq!(get.field("docker-content-digest"), Some(&*root.to_string()));
        assert_eq!(get.field("etag"), Some(&*format!("\"{root}\"")));
        let known = served.ask("GET", &path, &format!("If-None-Match: \"x\", W/\"{root}\"\r\n"));
        assert_eq!((known.status, known.body.len(), known.field("content-length")), (304, 0, None));
    }
    let names = served.get("/v2/_catalog");
    assert_eq!(names.json(), json!({"repositories": ["api", "base", "web"]}));
    let first = served.get("/v2/_catalog?n=2");
    assert_eq!(first.json(), json!({"repositories": ["api", "base"]}));
    assert_eq!(first.field("link"), Some("</v2/_catalog?n=2&last=base>; rel=\"next\""));
    let second = served.get("/v2/_catalog?n=2&last=base");
    assert_eq!((second.json(), second.field("link")), (json!({"repositories": ["web"]}), None));
    assert_eq!(served.get("/v2/web/tags/list").json(), json!({"name": "web", "tags": ["latest"]}));
    assert_eq!(served.get("/v2/web/tags/list?last=latest").json(), json!({"name": "web", "tags": []}));
    assert_eq!(served.get("/v2/web/tags/list?n=0").json(), json!({"name": "web", "tags": []}));
    let referrers = served.get(&format!("/v2/web/referrers/{root}?artifactType=a/b"));
    assert_eq!(referrers.json()["manifests"], json!([]));
    assert_eq!(referrers.field("content-type"), Some(media::INDEX));
    assert_eq!(referrers.field("oci-filters-applied"), Some("artifactType"));

    let digest = image.platforms[0].layers[0].blob.digest;
    served.get("/v2/web/tags/list?n=x").fails(400, "UNSUPPORTED");
    served.get("/v2/web/manifests/other").fails(404, "MANIFEST_UNKNOWN");
    served.get(&format!("/v2/web/manifests/{digest}")).fails(404, "MANIFEST_UNKNOWN");
    served.get(&format!("/v2/web/blobs/{}", stray.digest)).fails(404, "BLOB_UNKNOWN");
    served.get(&format!("/v2/none/blobs/{digest}")).fails(404, "NAME_UNKNOWN");
    served.get("/v2/web/blobs/sha256:0").fails(404, "DIGEST_INVALID");
    served.get("/v2/web/referrers/sha256:0").fails(400, "DIGEST_INVALID");
    served.get("/v2/../blobs/sha256:0").fails(404, "NAME_INVALID");
    served.get("/v2/web/blobs/uploads/").fails(404, "UNSUPPORTED");
    served.get("/index.json").fails(404, "UNSUPPORTED");
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "BREW"] {
        let refused = served.ask(method, "/v2/web/blobs/uploads/", "Content-Length: 0\r\n");
        refused.fails(405, "UNSUPPORTED");
        assert_eq!(refused.field("allow"), Some("GET, HEAD"));
    }
    let only = Served::start(store.dir(), &["api"], Limits::default());
    assert_eq!(only.get("/v2/_catalog").json(), json!({"repositories": ["api"]}));
    only.get("/v2/web/manifests/latest").fails(404, "NAME_UNKNOWN");
}

#[test]
fn parts_of_blobs() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = handmade::image(&store, "web", Encoding::Plain, &[native()]);
    let Blob { digest, size } = image.platforms[0].layers[0].blob;
    let bytes = store.read(&Blob { digest, size }).unwrap();
    let served = Served::of(&store);
    let path = format!("/v2/web/blobs/{digest}");
    let etag = format!("\"{digest}\"");
    let end = size - 1;
    for (fields, from, to) in [
        ("Range: bytes=0-0\r\n".to_owned(), 0, 1),
        ("Range: bytes=5-\r\n".to_owned(), 5, size),
        ("Range: bytes=-7\r\n".to_owned(), size - 7, size),
        (format!("Range: bytes={end}-{size}9\r\n"), end, size),
        (format!("Range: bytes=1000-1999\r\nIf-Range: {etag}\r\n"), 1000, 2000),
    ] {
        let part = served.ask("GET", &path, &fields);
        assert_eq!(part.status, 206, "{fields}");
        assert_eq!(part.field("content-range"), Some(&*format!("bytes {from}-{}/{size}", to - 1)));
        assert!(part.body == bytes[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()], "{fields}");
    }
    for fields in [
        "Range: bytes=0-1,4-5\r\n",
        "Range: lines=1-2\r\n",
        "Range: bytes=5-4\r\n",
        "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n",
    ] {
        let whole = served.ask("GET", &path, fields);
        assert_eq!((whole.status, whole.body == bytes), (200, true), "{fields}");
    }
    let beyond = served.ask("GET", &path, &format!("Range: bytes={size}-\r\n"));
    assert_eq!((beyond.status, beyond.field("content-range")), (416, Some(&*format!("bytes */{size}"))));
    let head = served.ask("HEAD", &path, "Range: bytes=0-0\r\n");
    assert_eq!((head.status, head.field("content-length"), head.body.len()), (200, Some(&*size.to_string()), 0));
}

#[test]
fn the_store_changes_under_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let served = Served::of(&store);
    served.get("/v2/web/manifests/latest").fails(404, "NAME_UNKNOWN");
    let first = handmade::image(&store, "web", Encoding::Gzip, &[native()]);
    assert_eq!(Digest::of(&served.get("/v2/web/manifests/latest").body), first.root.digest);
    let second = handmade::image(&store, "web", Encoding::Zstd, &[native()]);
    assert_eq!(Digest::of(&served.get("/v2/web/manifests/latest").body), second.root.digest);
    let layer = first.platforms[0].layers[0].blob;
    let path = format!("/v2/web/blobs/{}", layer.digest);
    assert_eq!(served.get(&path).status, 200, "a pull that began before the build goes on");
    // Whoever collects garbage needs the store alone: an idle server is no hindrance.
    let place = store.dir().to_owned();
    drop(store);
    let alone = Store::open_alone(&place, &Events::none()).unwrap().unwrap();
    alone.remove(remint::store::Item::Blob(layer.digest)).unwrap();
    drop(alone);
    served.get(&path).fails(404, "BLOB_UNKNOWN");
    assert_eq!(served.warnings(), [""; 0], "what is gone is no damage");
    std::fs::write(place.join("index.json"), "{").unwrap();
    served.get("/v2/web/manifests/latest").fails(500, "UNKNOWN");
    assert!(served.warnings()[0].contains("is not an OCI image index"), "{:?}", served.warnings());
    std::fs::remove_dir_all(&place).unwrap();
    served.get("/v2/web/manifests/latest").fails(404, "NAME_UNKNOWN");
}

#[test]
fn rot_is_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = several(&store, "web");
    let one = &image.platforms[0];
    let served = Served::of(&store);
    let flip = |blob: &Blob| {
        std::thread::sleep(Duration::from_millis(20));
        let path = store.blob_path(&blob.digest);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    for (path, blob) in [
        (format!("/v2/web/blobs/{}", one.layers[0].blob.digest), one.layers[0].blob),
        (format!("/v2/web/blobs/{}", one.config.digest), one.config),
        (format!("/v2/web/manifests/{}", one.manifest.digest), one.manifest),
    ] {
        assert_eq!(served.get(&path).status, 200);
        flip(&blob);
        let before = served.warnings().len();
        for method in ["HEAD", "GET"] {
            // Once it is set aside, it is not there any more.
            let status = served.ask(method, &path, "Range: bytes=0-0\r\n").status;
            assert_eq!(status, if method == "HEAD" { 500 } else { 404 }, "{path}");
        }
        let warnings = served.warnings();
        assert_eq!(warnings.len(), before + 1, "{warnings:?}");
        assert!(warnings[before].contains(&blob.digest.to_string()), "{warnings:?}");
        several(&store, "web");
        assert_eq!(served.get(&path).status, 200, "made again, it is served again");
    }
    let cut = one.layers[1].blob;
    std::fs::write(store.blob_path(&cut.digest), b"short").unwrap();
    served.get(&format!("/v2/web/blobs/{}", cut.digest)).fails(500, "UNKNOWN");
    // A rotten document from the start, on a server that never saw it whole.
    flip(&image.root);
    let fresh = Served::of(&store);
    fresh.get("/v2/web/manifests/latest").fails(500, "UNKNOWN");
    assert_eq!(fresh.warnings().len(), 1, "{:?}", fresh.warnings());
}

#[test]
fn the_program_serves_and_builds_on_what_it_serves() {
    let project = Project::first();
    project.run(&["serve"]).says(1, &["there is no store yet"]);
    project.run(&["build", "hello", "data"]).expect(0);
    project.run(&["serve", "nothing"]).says(1, &["there is no image `nothing`", "remint build nothing"]);
    project.run(&["serve", "--address", "example.test:1"]).says(2, &["expected an address such as"]);
    let log = project.root.join("../log");
    let mut command = project.command(&["serve", "hello", "--address", "127.0.0.1:0", "-v"]);
    let _server = Process::start(&mut command, &log, || std::fs::read_to_string(&log).unwrap().contains("docker pull"));
    let said = std::fs::read_to_string(&log).unwrap();
    let reference = said.lines().next().unwrap();
    assert!(reference.starts_with("127.0.0.1:") && reference.contains("/hello@sha256:"), "{said}");
    let place = reference.split('@').next().unwrap();
    assert!(said.contains(&format!("podman pull --tls-verify=false {place}\n")), "{said}");
    assert!(!said.contains("/data"), "{said}");
    let address = place.split('/').next().unwrap();
    project.run(&["serve", "--address", address]).says(1, &["could not listen", "in use"]);

    let builder = Project::first();
    for other in ["site", "data", "both"] {
        std::fs::remove_dir_all(builder.root.join("recipes").join(other)).unwrap();
    }
    let recipe = format!("from = \"{place}:latest\"\n\n[[layer]]\n[layer.write]\n\"/etc/on-top\" = \"x\"\n");
    builder.write("recipes/app/recipe.toml", recipe);
    builder.run(&["lock"]).expect(0);
    builder.run(&["build", "app", "--locked"]).expect(0);
    let served = std::fs::read(project.root.join("cache/index.json")).unwrap();
    assert!(String::from_utf8(served).unwrap().contains(reference.split('@').nth(1).unwrap()));
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("GET /v2/hello/manifests/") && said.contains(": 200, "), "{said}");
}

#[test]
fn the_program_says_it_in_json_and_warns_of_open_addresses() {
    let project = Project::first();
    project.run(&["build", "hello"]).expect(0);
    let log = project.root.join("../log");
    let mut command = project.command(&["serve", "--address", "0.0.0.0:0", "--format", "json"]);
    let read = || std::fs::read_to_string(&log).unwrap();
    let _server = Process::start(&mut command, &log, || read().contains("image-served"));
    let begun = Instant::now();
    while !read().ends_with('\n') && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let lines: Vec<Value> = read().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["listening", "warning", "image-served"]);
    assert!(lines[1]["text"].as_str().unwrap().contains("no TLS"));
    assert!(lines[2]["reference"].as_str().unwrap().starts_with("127.0.0.1:"));
}
