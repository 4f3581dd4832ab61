//! `remint verify REF`: images in a registry, right and wrong, and who vouches for them.

use super::{built, digests, verdict};
use crate::support::oci_registry::{Access, Fault, Options, Registry};
use crate::support::project::{Project, Run};
use crate::support::registry_server;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use remint::attest::{PrivateKey, Secret};
use remint::digest::Digest;
use remint::event::Events;
use remint::oci::{canonical_json, media};
use remint::registry::{AnyDigest, Client, Repository, Selector, Settings, Upload};
use serde_json::{Value, json};
use std::io::{Cursor, Read};

/// A built project, and a registry that has its images.
fn published(options: Options, more: &[&str]) -> (Project, Registry) {
    let project = built();
    let registry = Registry::start(options);
    let to = format!("{}/team", registry.address);
    let mut arguments = vec!["publish", "--to", &to];
    arguments.extend(more);
    project.run(&arguments).expect(0);
    registry.seen();
    (project, registry)
}

/// The digests of the blobs that were read since the last time, sorted.
fn read(registry: &Registry) -> Vec<String> {
    let seen = registry.seen();
    let gets = seen.iter().filter(|seen| seen.method == "GET");
    let mut blobs: Vec<String> = gets.filter_map(|seen| Some(seen.path.split_once("/blobs/")?.1.to_owned())).collect();
    blobs.sort();
    blobs
}

/// Writes a pair of keys, and gives the paths of the private and of the public one.
fn keys(project: &Project, name: &str, ed25519: bool, seed: u8) -> (String, String) {
    let mut der = if ed25519 {
        hex("302e020100300506032b657004220420")
    } else {
        hex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420")
    };
    der.extend([seed; 32]);
    let text = STANDARD.encode(der);
    let (line, rest) = text.split_at(64);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", format!("{line}\n{rest}").trim());
    let public = PrivateKey::from_pem(&Secret::new(pem.clone().into_bytes())).unwrap().public().to_pem();
    let (private_path, public_path) = (format!("{name}.pem"), format!("{name}.pub"));
    project.write(&private_path, pem);
    project.write(&public_path, public);
    (private_path, public_path)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A repository as its own client sees it.
struct There {
    client: Client,
    repository: Repository,
}

impl There {
    fn of(registry: &Registry, name: &str) -> Self {
        let client = Client::new(Settings::default(), Events::none(), |_| ());
        Self { client, repository: format!("{}/team/{name}", registry.address).parse().unwrap() }
    }

    fn tagged(&self, tag: &str) -> (Vec<u8>, String) {
        let manifest = self.client.manifest(&self.repository, &Selector::Tag(tag.parse().unwrap())).unwrap().unwrap();
        (manifest.bytes, manifest.media_type)
    }

    fn json(&self, tag: &str) -> Value {
        serde_json::from_slice(&self.tagged(tag).0).unwrap()
    }

    fn blob(&self, descriptor: &Value) -> Vec<u8> {
        let digest: AnyDigest = descriptor["digest"].as_str().unwrap().parse().unwrap();
        self.client.blob(&self.repository, &digest, 1 << 30).unwrap().unwrap()
    }

    /// Sends a blob, and describes it.
    fn send(&self, bytes: &[u8], media_type: &str) -> Value {
        let digest = Digest::of(bytes);
        let open = |offset: u64| {
            let rest = bytes[usize::try_from(offset).unwrap()..].to_vec();
            Ok(Box::new(Cursor::new(rest)) as Box<dyn Read>)
        };
        let upload =
            Upload { digest: digest.into(), size: bytes.len() as u64, open: &open, journal: None, session: None };
        self.client.upload(&self.repository, &upload).unwrap();
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    fn put(&self, tag: &str, manifest: &Value) {
        let which = Selector::Tag(tag.parse().unwrap());
        self.client.put_manifest(&self.repository, &which, media::MANIFEST, &canonical_json(manifest)).unwrap();
    }
}

/// What a run says against an image.
fn against(project: &Project, reference: &str, more: &[&str]) -> Run {
    let mut arguments = vec!["verify", reference, "--seed", "7"];
    arguments.extend(more);
    project.run(&arguments)
}

#[test]
fn what_was_published_is_identical_and_no_layer_is_read() {
    let (project, registry) = published(Options::default(), &[]);
    let site = format!("{}/team/site:latest", registry.address);
    project.forget();
    let run = against(&project, &site, &["--format", "json"]).expect(0);
    let found = verdict(&run);
    assert_eq!((&found["identical"], found["images"].as_array().unwrap().len()), (&json!(true), 2), "{found}");
    assert_eq!(read(&registry).len(), 2, "the two configurations");

    let cure = format!("a platform stands apart: `{site} --platform linux/arm64`");
    for name in [&*site, site.trim_end_matches(":latest")] {
        project.run(&["verify", &format!("{name}@linux/arm64")]).says(2, &[&cure]);
    }

    // Neither built here nor there: `--quick` has nothing to compare with.
    project.run(&["verify", &site, "--quick"]).says(1, &["`site` was not built yet"]);
    project.run(&["build", "site"]).expect(0);
    registry.seen();
    project.run(&["verify", &site, "--quick"]).says(0, &["identical"]);
    assert_eq!(read(&registry).len(), 2);

    // By digest, and by the recipe's name.
    let digest = Digest::of(&There::of(&registry, "site").tagged("latest").0);
    let pinned = format!("{}/team/site@{digest}", registry.address);
    project.run(&["verify", &pinned, "--quick"]).expect(0);
    project.run(&["verify", &pinned, "--quick", "--as", "hello"]).expect(1);
    project.run(&["verify", &pinned, "--as", "hellp"]).says(2, &["did you mean `hello`?"]);

    let other = format!("{}/team/other:1", registry.address);
    project.run(&["verify", &other]).says(2, &["no recipe is known to make", "--as IMAGE", "`both`, `data`"]);
    project.run(&["verify", &other, "--as", "site"]).says(1, &["team/other:1` is not there"]);
    project.run(&["verify", &site, "hello"]).says(2, &["cannot be verified together"]);
    project.run(&["verify", &format!("{}/team/site", registry.address)]).says(2, &["neither a tag nor a digest"]);
    project.run(&["verify", "127.0.0.1:9/team/site:1"]).says(6, &["cannot get the manifest"]);
    project.run(&["verify", "site", "--key", "x"]).says(2, &["for an image in a registry"]);

    // What `[publish]` sends there comes before the last part.
    let toml = format!("{}[publish]\nto = \"{}/{{recipe}}/image\"\n", project.read("remint.toml"), registry.address);
    project.write("remint.toml", toml);
    project.run(&["publish", "site"]).expect(0);
    project.run(&["verify", "--quick", &format!("{}/site/image:latest", registry.address)]).expect(0);
}

#[test]
fn what_was_tampered_with_is_named_and_only_that_is_read() {
    let (project, registry) = published(Options::default(), &[]);
    let there = There::of(&registry, "both");
    let (manifest, reference) = (there.json("latest"), |tag: &str| format!("{}/team/both:{tag}", registry.address));
    let config: Value = serde_json::from_slice(&there.blob(&manifest["config"])).unwrap();

    // Another field.
    let (mut evil, mut document) = (manifest.clone(), config.clone());
    document["config"]["Env"][0] = "LD_PRELOAD=/evil".into();
    evil["config"] = there.send(&canonical_json(&document), media::CONFIG);
    there.put("field", &evil);
    registry.seen();
    against(&project, &reference("field"), &[]).says(1, &["configuration", "/config/Env/0", "LD_PRELOAD=/evil"]);
    assert_eq!(read(&registry), [evil["config"]["digest"].as_str().unwrap()]);

    // Another layer.
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o600);
    header.set_size(2);
    tar.append_data(&mut header, "etc/both", &b"y\n"[..]).unwrap();
    let tar = tar.into_inner().unwrap();
    let (mut evil, mut document) = (manifest.clone(), config);
    let last = evil["layers"].as_array().unwrap().len() - 1;
    evil["layers"][last] = there.send(&tar, "application/vnd.oci.image.layer.v1.tar");
    document["rootfs"]["diff_ids"][last] = Digest::of(&tar).to_string().into();
    evil["config"] = there.send(&canonical_json(&document), media::CONFIG);
    there.put("layer", &evil);
    registry.seen();
    let (_, public) = keys(&project, "own", true, 9);
    let more = ["--attest", "--sign-key", "own.pem"];
    against(&project, &reference("layer"), &more).says(
        1,
        &[
            "layer 3, ",
            "/etc/both",
            "1 of 1 image not identical",
            &format!("`remint verify {} --attest --sign-key own.pem --seed 7`", reference("layer")),
        ],
    );
    let mut expected = [&evil["config"], &evil["layers"][last]].map(|one| one["digest"].as_str().unwrap().to_owned());
    expected.sort();
    assert_eq!(read(&registry), expected);

    // Nothing was attached.
    let run = project.run(&["verify", &reference("layer"), "--require-rebuilds", "1", "--key", &public]);
    run.says(1, &["1 rebuild by different keys", "there is: none"]);

    // Another image.
    let data = There::of(&registry, "data").json("latest");
    for part in data["layers"].as_array().unwrap().iter().chain([&data["config"]]) {
        there.send(&There::of(&registry, "data").blob(part), "");
    }
    there.put("other", &data);
    against(&project, &reference("other"), &[]).says(1, &["number of layers", "/config/Entrypoint"]);
}

#[test]
fn signatures_are_told_by_key_and_count_for_their_image_alone() {
    for (ed25519, old) in [(false, true), (true, false)] {
        let project = built();
        let registry = Registry::start(Options { old, ..Options::default() });
        let (private, public) = keys(&project, "publisher", ed25519, 1);
        let (_, wrong) = keys(&project, "wrong", ed25519, 2);
        let to = format!("{}/team", registry.address);
        project.run(&["publish", "--to", &to, "--sign-key", &private, "hello", "both"]).expect(0);
        project.run(&["publish", "--to", &to, "--no-attachments", "data"]).expect(0);
        let reference = |name: &str| format!("{to}/{name}:latest");

        // Neither store nor recipes are needed.
        let elsewhere = tempfile::tempdir().unwrap();
        let check = |name: &str, keys: &[&str]| {
            let mut command = project.command(&["verify", &reference(name), "--quick", "--format", "json"]);
            for key in keys {
                command.arg("--key").arg(project.root.join(key));
            }
            Run::of(command.current_dir(elsewhere.path()))
        };
        let found = verdict(&check("hello", &[&wrong, &public]).expect(0));
        assert_eq!((&found["attached"][0]["signed"], &found["identical"]), (&json!(true), &Value::Null), "{found}");
        let said: Vec<(bool, &str)> = found["vouched"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                assert!(one["key"].as_str().unwrap().ends_with("publisher.pub"), "{one}");
                (one["platform"].is_string(), one["says"].as_str().unwrap())
            })
            .collect();
        for wanted in [(false, "signed"), (true, "sbom"), (true, "provenance")] {
            assert!(said.contains(&wanted), "{wanted:?} in {found}");
        }
        let found = verdict(&check("hello", &[&wrong]).expect(1));
        assert!(found["refused"].as_str().unwrap().contains("none of the keys given signed"), "{found}");
        assert_eq!(found["vouched"], Value::Null);
        check("data", &[&public]).expect(1);

        // A signature of one image, put where another's would be.
        let (both, data) = (There::of(&registry, "both"), There::of(&registry, "data"));
        let tag = |there: &There| format!("sha256-{}.sig", Digest::of(&there.tagged("latest").0).hex());
        let signature = both.json(&tag(&both));
        for part in signature["layers"].as_array().unwrap().iter().chain([&signature["config"]]) {
            data.send(&both.blob(part), "");
        }
        data.put(&tag(&data), &signature);
        check("data", &[&public]).expect(1);

        // What is damaged is passed over, and said.
        let mut signature = both.json(&tag(&both));
        let kind = signature["layers"][0]["mediaType"].clone();
        let damaged = both.send(b"{", kind.as_str().unwrap());
        signature["layers"].as_array_mut().unwrap().insert(0, damaged);
        both.put(&tag(&both), &signature);
        let found = verdict(&check("both", &[&public]).expect(0));
        assert!(found["attached"][0]["notes"][0].as_str().unwrap().contains("is not valid"), "{found}");

        let run = project.run(&["verify", &reference("both"), "--key", &public, "--summary", "summary.md"]);
        run.says(0, &["identical", "publisher.pub", "signed", "SBOM, https://spdx.dev/Document"]);
        assert!(project.read("summary.md").contains("| publisher.pub | signed |"), "{}", project.read("summary.md"));
    }
}

#[test]
fn rebuilders_are_counted_by_key() {
    let (project, registry) = published(Options::default(), &[]);
    let site = format!("{}/team/site:latest", registry.address);
    let (first, first_public) = keys(&project, "first", true, 1);
    let (second, second_public) = keys(&project, "second", false, 2);
    let attest = |key: &str, seed: &str| {
        let more = ["verify", &site, "--seed", seed, "--attest", "--sign-key", key, "--rebuilder-id", "urn:test"];
        project.run(&more)
    };
    let count = |wanted: &str| {
        let keys = ["--key", &first_public, "--key", &second_public, "--key", &first_public];
        let mut arguments = vec!["verify", &site, "--require-rebuilds", wanted];
        arguments.extend(keys);
        project.run(&arguments)
    };
    count("1").expect(1);
    attest(&first, "1").says(0, &["attached to ", "rebuilt, identical"]);
    attest(&first, "2").expect(0);
    count("1").says(0, &["rebuilt, identical, by urn:test"]);
    count("2").says(1, &["2 rebuilds by different keys", "there is: `first.pub`"]);
    attest(&second, "3").expect(0);
    count("2").expect(0);
    count("3").expect(1);
    // Of the first key's two, one is as good as both.
    project.run(&["verify", &site, "--require-rebuilds", "1", "--key", &second_public]).expect(0);
    project.run(&["verify", &site, "--attest"]).says(2, &["--sign-key"]);
    let secret = ["verify", &site, "--attest", "--sign-key", &first, "--rebuilder-id", "https://u:canary@ci.example/"];
    let refused = project.run(&secret).says(2, &["`--rebuilder-id`", "user or a password"]);
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);

    // The statement names the lock and the seed.
    let there = There::of(&registry, "site");
    let image = AnyDigest::from(Digest::of(&there.tagged("latest").0));
    let referrers = there.client.referrers(&there.repository, &image, None).unwrap();
    let statements: Vec<Value> = referrers
        .iter()
        .filter_map(|one| {
            let which = Selector::Digest(one.digest);
            let manifest = there.client.manifest(&there.repository, &which).unwrap()?.bytes;
            let manifest: Value = serde_json::from_slice(&manifest).unwrap();
            let bundle: Value = serde_json::from_slice(&there.blob(&manifest["layers"][0])).unwrap();
            let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str()?).unwrap();
            serde_json::from_slice(&payload).unwrap()
        })
        .collect();
    let lock = Digest::of(project.lock().as_bytes()).hex();
    let mut seeds: Vec<&str> = statements.iter().filter_map(|one| one["predicate"]["seed"].as_str()).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, ["1", "2", "3"]);
    assert!(statements.iter().all(|one| one["predicate"]["lock"]["sha256"] == *lock), "{statements:?}");
}

#[test]
fn debians_registry_holds_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let Some(registry) = registry_server::start(dir.path()) else { return };
    let project = built();
    let (private, public) = keys(&project, "one", false, 1);
    let to = format!("{}/team", registry.address);
    project.run(&["publish", "site", "--to", &to, "--sign-key", &private]).expect(0);
    let site = format!("{to}/site:latest");
    let more = ["--key", &public, "--attest", "--sign-key", &private];
    against(&project, &site, &more).says(0, &["identical", "signed", "attached to "]);
    project.run(&["verify", &site, "--require-rebuilds", "1", "--key", &public]).says(0, &["rebuilt, identical"]);
}

#[test]
fn a_rebuild_finds_credentials_where_the_build_did() {
    let project = built();
    let registry = Registry::start(Options { access: Access::Basic("user", "word"), ..Options::default() });
    let auths = json!({ "auths": { &registry.address: { "auth": STANDARD.encode("user:word") } } });
    for file in ["auth.json", "docker/config.json", "a/.docker/config.json", "b/.config/containers/auth.json"] {
        project.write(file, auths.to_string());
    }
    project.run(&["publish", "hello", "--to", &registry.address, "--authfile", "auth.json"]).expect(0);
    project.write("recipes/more/recipe.toml", format!("from = \"{}/hello:latest\"\n", registry.address));
    project.run(&["lock", "--authfile", "auth.json"]).expect(0);
    project.run(&["build", "more", "--authfile", "auth.json"]).expect(0);
    let more = digests(&project).lines().find(|line| line.starts_with("more ")).unwrap().to_owned();
    project.write("digests.txt", more);
    let verify = |variable: &str, value: &str, more: &[&str]| {
        project.forget();
        let words = [&["verify", "--against", "digests.txt"], more].concat();
        Run::of(project.command(&words).env(variable, value))
    };
    let home = |name: &str| project.root.join(name).to_str().unwrap().to_owned();
    verify("HOME", "/", &["--authfile", "auth.json"]).says(0, &["identical"]);
    verify("DOCKER_CONFIG", "docker", &[]).says(0, &["identical"]);
    verify("REGISTRY_AUTH_FILE", "auth.json", &[]).says(0, &["identical"]);
    verify("HOME", &home("a"), &[]).says(0, &["identical"]);
    verify("HOME", &home("b"), &[]).says(0, &["identical"]);
    verify("HOME", &home("docker"), &[]).says(4, &["the rebuild failed", "more"]);
}

#[test]
fn no_output_holds_a_credential() {
    let project = built();
    let registry = Registry::start(Options { access: Access::Basic("user", "canary"), ..Options::default() });
    let to = format!("{}/team", registry.address);
    let auth = |word: &str| {
        let auths = json!({ "auths": { &registry.address: { "auth": STANDARD.encode(format!("user:{word}")) } } });
        project.write("auth.json", auths.to_string());
    };
    auth("canary");
    let reference = format!("{to}/hello:latest");
    let (_, public) = keys(&project, "one", true, 1);
    project.run(&["publish", "hello", "--to", &to, "--authfile", "auth.json", "--sign-key", "one.pem"]).expect(0);
    let mut said = String::new();
    for (word, code) in [("canary", 0), ("canary-wrong", 6)] {
        auth(word);
        for more in [
            &["-v", "--report", "r.html"][..],
            &["--quick", "--format", "json"],
            &["--attest", "--sign-key", "one.pem"],
        ] {
            let mut arguments = vec!["verify", &reference, "--authfile", "auth.json", "--key", &public];
            arguments.extend(more);
            let run = project.run(&arguments).expect(code);
            said.push_str(&run.stdout);
            said.push_str(&run.stderr);
        }
    }
    said.push_str(&project.read("r.html"));
    let key = project.read("one.pem");
    for secret in ["canary", &STANDARD.encode("user:canary"), key.lines().nth(1).unwrap()] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn what_a_registry_makes_wait_for_is_said() {
    let (project, registry) = published(Options::default(), &[]);
    let data = format!("{}/team/data:latest", registry.address);
    let (_, public) = keys(&project, "one", true, 1);
    let busy = || {
        let mut once = Some(Fault::Status(429, Some(0)));
        registry.plan(move |seen| once.take_if(|_| seen.path.ends_with("/manifests/latest")));
    };
    for more in [&[][..], &["--quick"], &["--quick", "--key", &public]] {
        busy();
        let run = project.run(&[&["verify", &data], more].concat());
        assert!(run.stderr.contains("warning: trying again to get the manifest `latest`"), "{more:?}: {}", run.stderr);
    }
    busy();
    let run = project.run(&["diff", "data", &data]).expect(0);
    assert!(run.stderr.contains("warning: trying again to get the manifest `latest`"), "{}", run.stderr);
    busy();
    let quiet = project.run(&["verify", "-q", &data]).expect(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn other_sources_are_told_before_what_follows_from_them() {
    let (project, registry) = published(Options::default(), &[]);
    let reference = |name: &str| format!("{}/team/{name}:latest", registry.address);
    let cure = "check out the commit that the image was built from";
    // The same recipes and lock, and another file that is copied.
    let page = project.read("recipes/site/tree/index.html");
    project.write("recipes/site/tree/index.html", "<p>other</p>\n");
    let run = against(&project, &reference("site"), &[]);
    let run = run.says(1, &["other files in layer 1 of recipe `site`: sha256:", "this project's are sha256:", cure]);
    assert_eq!(run.stderr.matches("other files in").count(), 1, "once for both platforms: {}", run.stderr);
    assert!(!run.stderr.contains("cure: ") && !run.stderr.contains("another"), "{}", run.stderr);
    assert!(run.stderr.contains("  site@linux/amd64, site@linux/arm64\n"), "{}", run.stderr);
    project.write("recipes/site/tree/index.html", page);

    // Another recipe.
    let recipe = project.read("recipes/both/recipe.toml");
    project.write("recipes/both/recipe.toml", recipe.replace("text = \"x\"", "text = \"y\""));
    let another = "the image was made from another recipe `both`: sha256:";
    let run =
        against(&project, &reference("both"), &[]).says(1, &[another, "this project's is sha256:", cure, "/etc/both"]);
    assert!(!run.stderr.contains("cure: ") && !run.stderr.contains("another remint.lock"), "{}", run.stderr);
    project.run(&["build", "both"]).expect(0);
    project.run(&["verify", &reference("both"), "--quick"]).says(1, &[another, cure]);
    let found = verdict(&project.run(&["verify", &reference("both"), "--quick", "--format", "json"]).expect(1));
    assert_eq!(found["images"][0]["other_sources"], true, "{found}");

    // Another lock that comes to the same is no difference; where something differs, it is told.
    let lock = project.lock();
    project.write("remint.lock", format!("# newer\n{lock}"));
    against(&project, &reference("data"), &[]).expect(0);
    against(&project, &reference("both"), &[]).says(1, &["another remint.lock: sha256:", another]);
    project.write("remint.lock", lock);

    // What has no provenance may be either.
    let to = format!("{}/bare", registry.address);
    project.run(&["publish", "both", "--to", &to, "--no-attachments"]).expect(0);
    project.write("recipes/both/recipe.toml", recipe);
    let run = against(&project, &format!("{to}/both:latest"), &[]);
    run.says(
        1,
        &[
            "nothing attached to it says from which",
            "either these are others",
            "if it was published from another commit",
        ],
    );
}

#[test]
fn who_refuses_behind_a_redirection_is_named() {
    let other = Registry::start(Options::default());
    other.plan(|_| Some(Fault::Status(403, None)));
    let elsewhere = Some(format!("http://{}", other.address));
    let (project, registry) = published(Options { elsewhere, ..Options::default() }, &[]);
    let run = against(&project, &format!("{}/team/data:latest", registry.address), &[]);
    let (from, to) = (&registry.address, &other.address);
    let run = run.says(
        6,
        &[&format!("`{to}`: answered 403 Forbidden"), &format!("`{from}` redirects to `{to}`, which refuses")],
    );
    assert!(!run.stderr.contains("podman login"), "{}", run.stderr);
}
