//! `remint publish`: blobs before manifests before what is attached before tags, and only what is missing.

mod clients;
mod faults;
mod requests;
mod runs;
mod together;
mod token_judge;

use crate::support::oci_registry::{Access, Fault, Options, Registry, Repository, Seen};
use crate::support::project::{FILES, Project, Run};
use remint::digest::Digest;
use remint::registry::AnyDigest;
use serde_json::Value;
use std::collections::BTreeSet;

/// The arguments that send everything to a registry.
fn to(registry: &Registry) -> String {
    format!("{}/team", registry.address)
}

fn built() -> Project {
    let project = Project::first();
    project.run(&["build"]).expect(0);
    project
}

/// Panics unless all that manifests of a repository name is there, and tags mean something that is.
fn assert_whole(repository: &Repository) {
    for (digest, (_, bytes)) in &repository.manifests {
        assert!(digest.same_of(bytes) == *digest, "{digest}");
        let manifest: Value = serde_json::from_slice(bytes).unwrap();
        let list = |key: &str| manifest[key].as_array().into_iter().flatten();
        for blob in list("layers").chain(manifest.get("config")) {
            let blob: AnyDigest = blob["digest"].as_str().unwrap().parse().unwrap();
            assert!(repository.blobs.contains_key(&blob), "{digest} names {blob}, which is not there");
        }
        for below in list("manifests") {
            let below: AnyDigest = below["digest"].as_str().unwrap().parse().unwrap();
            assert!(repository.manifests.contains_key(&below), "{digest} names {below}, which is not there");
        }
    }
    assert!(repository.tags.values().all(|digest| repository.manifests.contains_key(digest)));
    for (digest, bytes) in &repository.blobs {
        assert!(digest.same_of(bytes) == *digest, "{digest}");
    }
}

fn writes(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| !matches!(seen.method.as_str(), "GET" | "HEAD")).collect()
}

#[test]
fn what_is_missing_is_sent_and_tags_come_last() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    let run = project.run(&["publish", "--to", &to(&registry), "--tag", "v1", "--tag", "{date}-{recipe}"]).expect(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.stdout);
    let seen = registry.seen();
    for name in ["hello", "site", "data", "both"] {
        let repository = registry.holds(&format!("team/{name}"));
        assert_whole(&repository);
        let root = repository.tags["v1"];
        assert!(lines.contains(&format!("{}/team/{name}@{root}", registry.address).as_str()), "{}", run.stdout);
        assert_eq!(repository.tags[&format!("20260101-{name}")], root);
        // Of each image, the last writes are the tags.
        let own = |seen: &&&Seen| seen.path.starts_with(&format!("/v2/team/{name}/"));
        let all = writes(&seen);
        let last: Vec<&&Seen> = all.iter().filter(own).collect();
        let tags: Vec<&str> = last[last.len() - 2..].iter().map(|seen| seen.path.rsplit('/').next().unwrap()).collect();
        assert_eq!(tags, ["v1", &format!("20260101-{name}")]);
        let tags = last.iter().filter(|seen| seen.path.contains("/manifests/") && !seen.path.contains("sha256"));
        assert_eq!(tags.count(), 2);
        // Bills of materials and provenance of each platform, found by its manifest.
        let index: Value = serde_json::from_slice(&repository.manifests[&root].1).unwrap();
        let platforms: Vec<String> = match index["manifests"].as_array() {
            Some(all) => all.iter().map(|one| one["digest"].as_str().unwrap().to_owned()).collect(),
            None => vec![root.to_string()],
        };
        for platform in platforms {
            let attached: BTreeSet<String> = repository
                .manifests
                .values()
                .map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).unwrap())
                .filter(|manifest| manifest["subject"]["digest"] == *platform)
                .map(|manifest| manifest["artifactType"].as_str().unwrap().to_owned())
                .collect();
            let kinds = ["application/spdx+json", "application/vnd.cyclonedx+json", "application/vnd.in-toto+json"];
            assert_eq!(attached, kinds.map(str::to_owned).into());
        }
    }
    // `site` and `both` stand on `hello`: what they share went over the line once.
    assert!(seen.iter().any(|seen| seen.path.contains("mount=")));
    assert!(run.stderr.contains("MOUNTED"), "{}", run.stderr);

    // A second time, nothing is written, and little is asked.
    let again = project.run(&["publish", "--to", &to(&registry), "--tag", "v1", "--tag", "{date}-{recipe}"]).expect(0);
    assert_eq!(again.stdout, run.stdout);
    let seen = registry.seen();
    assert_eq!(writes(&seen).len(), 0, "{seen:?}");
    project.run(&["publish", "hello", "--to", &to(&registry), "--tag", "v1"]).expect(0);
    let seen = registry.seen();
    assert!(seen.len() <= 5, "{seen:?}");
    project.run(&["publish", "hello", "--to", &to(&registry), "--tag", "v1", "--no-attachments"]).expect(0);
    let seen = registry.seen();
    assert!(seen.len() <= 1, "{seen:?}");

    // What is attached says nothing of when or where, but for the one that says only that, and comes with a new image.
    project.write("recipes/site/tree/index.html", "<p>other</p>\n");
    project.run(&["publish", "site", "--to", &to(&registry)]).says(3, &["`remint build` makes the image"]);
    project.run(&["build", "site"]).expect(0);
    let run = project.run(&["publish", "site", "--to", &to(&registry), "--tag", "v1", "--format", "json"]).expect(0);
    let event: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&event["event"], &event["name"]), (&"image-published".into(), &"site".into()), "{}", run.stdout);
    // The layer that changed, which is the same for both platforms, and the configuration of each.
    assert_eq!(event["sent"], 3, "{event}");
    assert_whole(&registry.holds("team/site"));
}

#[test]
fn a_trial_changes_nothing_and_a_tag_may_be_kept() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    project.run(&["publish"]).says(2, &["nothing says where to publish", "--to"]);
    project.run(&["publish", "--to", &to(&registry), "--dry-run"]).says(0, &["latest (new)", "TO SEND"]);
    assert_eq!(writes(&registry.seen()).len(), 0);
    let settings =
        format!("{}\n[publish]\nto = \"{}/x/{{recipe}}/y\"\ntags = [\"{{lock}}\"]\n", FILES[0].1, registry.address);
    project.write("remint.toml", settings);
    project.run(&["publish", "data", "--digest-file", "digests"]).expect(0);
    let lock = Digest::of(project.lock().as_bytes()).hex();
    let repository = registry.holds("x/data/y");
    let first = repository.tags[&lock[..12]];
    assert_eq!(project.read("digests"), format!("{}/x/data/y@{first}\n", registry.address));
    project.run(&["publish", "data", "--immutable"]).expect(0);

    project.write("recipes/data/recipe.toml", format!("{}\n[config]\nuser = \"7\"\n", FILES[6].1));
    project.run(&["build", "data"]).expect(0);
    project.run(&["publish", "data", "--dry-run"]).says(0, &["(moves)"]);
    let run = project.run(&["publish", "data", "--immutable"]).says(1, &["means another image", &first.to_string()]);
    assert!(run.stderr.matches("sha256:").count() >= 2, "both are shown: {}", run.stderr);
    assert_eq!(registry.holds("x/data/y").tags[&lock[..12]], first);
    project.run(&["publish", "data"]).expect(0);
    assert_ne!(registry.holds("x/data/y").tags[&lock[..12]], first);
    project.run(&["publish", "data", "--tag", "{git}"]).says(2, &["`{git}`", "no git checkout"]);
    project.run(&["publish", "nothing"]).says(2, &["there is no recipe `nothing`"]);
    project.forget();
    project.run(&["publish", "data"]).says(1, &["remint build"]);
}

#[test]
fn credentials_and_keys_show_nowhere() {
    const PASSWORD: &str = "canary-4d1f-password";
    let project = built();
    let registry = Registry::start(Options { access: Access::Token("me", PASSWORD, 40), ..Options::default() });
    project.run(&["publish", "hello", "--to", &to(&registry)]).says(6, &["podman login", "hello"]);
    let auth = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("me:{PASSWORD}"))
    };
    let config = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{auth}\"}}}}}}", registry.address);
    project.write("auth.json", &config);
    let key = openssl_key(&project, "key.pem");
    let mut command = project.command(&["publish", "--to", &to(&registry), "--authfile", "auth.json", "--verbose"]);
    if key.is_some() {
        command.args(["--sign-key", "env://THE_KEY"]).env("THE_KEY", project.read("key.pem"));
    }
    let run = Run::of(&mut command).expect(0);
    let secret = key.unwrap_or_else(|| "canary-without-openssl".to_owned());
    for canary in [PASSWORD, auth.as_str(), secret.as_str()] {
        assert!(!run.stdout.contains(canary) && !run.stderr.contains(canary));
        for entry in walkdir::WalkDir::new(project.root.join("cache")).into_iter().flatten() {
            if entry.file_type().is_file() {
                let bytes = std::fs::read(entry.path()).unwrap();
                assert!(memchr::memmem::find(&bytes, canary.as_bytes()).is_none(), "{}", entry.path().display());
            }
        }
        for name in ["hello", "site", "data", "both"] {
            let repository = registry.holds(&format!("team/{name}"));
            let all = repository.blobs.values().map(|bytes| &bytes[..]);
            for bytes in all.chain(repository.manifests.values().map(|(_, bytes)| &bytes[..])) {
                assert!(memchr::memmem::find(bytes, canary.as_bytes()).is_none());
            }
        }
    }
    let wrong = config.replace(&auth, &auth[4..]);
    project.write("auth.json", wrong);
    let run = project.run(&["publish", "hello", "--to", &to(&registry), "--tag", "2", "--authfile", "auth.json"]);
    assert_eq!(run.code, Some(6), "{}", run.stderr);
    assert!(!run.stderr.contains(&auth[4..]), "{}", run.stderr);
}

/// Makes an Ed25519 key with openssl; the line that must not be seen anywhere.
fn openssl_key(project: &Project, name: &str) -> Option<String> {
    let openssl = crate::support::judge::find("openssl")?;
    let path = project.root.join(name);
    let mut command = std::process::Command::new(openssl);
    Run::of(command.args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&path)).expect(0);
    project.read(name).lines().nth(1).map(str::to_owned)
}

#[test]
fn signing_is_repeatable_and_adds_to_what_others_signed() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    if openssl_key(&project, "one.pem").is_none() || openssl_key(&project, "two.pem").is_none() {
        return;
    }
    let publish = |key: &str| project.run(&["publish", "data", "--to", &to(&registry), "--sign-key", key]).expect(0);
    publish("one.pem");
    let first = registry.holds("team/data");
    assert_whole(&first);
    let root = first.tags["latest"];
    let signatures = |repository: &Repository, suffix: &str| {
        let tag = format!("{}.{suffix}", root.to_string().replace(':', "-"));
        let manifest: Value = serde_json::from_slice(&repository.manifests[&repository.tags[&tag]].1).unwrap();
        manifest["layers"].as_array().unwrap().len()
    };
    assert_eq!((signatures(&first, "sig"), signatures(&first, "att")), (1, 3));
    registry.seen();
    publish("exec:cat one.pem");
    assert_eq!(writes(&registry.seen()).len(), 0, "the same key signs the same bytes");
    publish("two.pem");
    let second = registry.holds("team/data");
    assert_whole(&second);
    assert_eq!((signatures(&second, "sig"), signatures(&second, "att")), (2, 6));
    assert_eq!(second.tags["latest"], root, "the image's digest does not depend on what is attached");
    project
        .run(&["publish", "data", "--to", &to(&registry), "--sign-key", "none.pem"])
        .says(2, &["cannot read the key"]);
    project.write("bad.pem", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
    project
        .run(&["publish", "data", "--to", &to(&registry), "--sign-key", "bad.pem"])
        .says(2, &["SEC1", "openssl pkcs8"]);
}

#[test]
fn a_server_that_answers_everything_has_nothing() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    registry.plan(|_| Some(Fault::Words));
    let run = project.run(&["publish", "hello", "--to", &to(&registry), "--no-attachments"]);
    run.says(6, &["cannot get the manifest `sha256:", "expected sha256:", "found sha256:"]);
    // As a portal does, and as a host does whose registry has another name.
    for status in [200, 404, 405] {
        registry.plan(move |_| Some(Fault::Page(status)));
        let run = project.run(&["publish", "hello", "--to", &to(&registry), "--no-attachments"]);
        let hint = format!("`[registry.\"{}\"]` with `mirrors = [", registry.address);
        run.says(
            6,
            &[
                "answers with pages for people, not as a registry",
                "does not answer as a registry does below `/v2/`",
                &hint,
            ],
        );
    }
    // A registry may explain in a page that it has not got something.
    registry.plan(|seen| (seen.method == "HEAD").then_some(Fault::Page(404)));
    project.run(&["publish", "hello", "--to", &to(&registry), "--no-attachments", "--dry-run"]).expect(0);
    assert_eq!(writes(&registry.seen()).len(), 0);
}

#[test]
fn what_is_written_over_is_not_read_from_a_mirror() {
    let (project, registry, mirror) =
        (built(), Registry::start(Options::default()), Registry::start(Options::default()));
    if openssl_key(&project, "one.pem").is_none() {
        return;
    }
    let settings = project.read("remint.toml");
    project.write(
        "remint.toml",
        format!("{settings}\n[registry.\"{}\"]\nmirrors = [\"{}\"]\n", registry.address, mirror.address),
    );
    project.run(&["publish", "data", "--to", &to(&registry), "--sign-key", "one.pem"]).expect(0);
    assert_whole(&registry.holds("team/data"));
    assert_eq!(mirror.seen().len(), 0);
}

#[test]
fn this_machine_is_reached_without_a_proxy() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    let mut command = project.command(&["publish", "data", "--to", &to(&registry), "--no-attachments"]);
    // Nobody listens there.
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    Run::of(&mut command).expect(0);
}

#[test]
fn a_proxy_that_is_none_is_an_error_that_names_its_variable() {
    let project = built();
    let mut command = project.command(&["publish", "data", "--to", "r.example/team", "--no-attachments"]);
    command.env("HTTPS_PROXY", "http://user:canary@proxy.example:http");
    let run = Run::of(&mut command);
    assert!(!run.stderr.contains("canary"), "{}", run.stderr);
    run.says(6, &["`r.example` is reached through a proxy", "the variable `HTTPS_PROXY` names no proxy", "HOST:PORT"]);
}

#[test]
fn credentials_that_are_not_there_are_not_passed_over() {
    let project = built();
    let run = project.run(&["publish", "data", "--to", "r.example/team", "--authfile", "none.json"]);
    run.says(2, &["there is no file `none.json`"]);
}

#[test]
fn a_trial_says_to_machines_what_it_says_to_people() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    let trial = |json: bool| {
        let mut arguments = vec!["publish", "data", "--dry-run", "--tag", "1", "--tag", "2"];
        let to = to(&registry);
        arguments.extend(["--to", &to]);
        arguments.extend(json.then_some("--format=json"));
        project.run(&arguments).expect(0)
    };
    let planned = |run: &Run| -> Value {
        let events = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.into_iter().find(|event| event["event"] == "publish-planned").unwrap()
    };
    let first = planned(&trial(true));
    let ours = first["digest"].clone();
    assert_eq!((&first["name"], &first["repository"]), (&"data".into(), &format!("{}/data", to(&registry)).into()));
    let tag = |name: &str, from: &Value| serde_json::json!({ "tag": name, "from": from, "to": ours });
    assert_eq!(first["tags"], serde_json::json!([tag("1", &Value::Null), tag("2", &Value::Null)]), "{first}");
    assert!(first["blobs"].as_u64().unwrap() > 0 && first["bytes"].as_u64().unwrap() > 0 && first["there"] == 0);

    project.run(&["publish", "data", "--to", &to(&registry), "--tag", "1"]).expect(0);
    project.write("recipes/data/recipe.toml", format!("{}\n[config]\nuser = \"7\"\n", FILES[6].1));
    project.run(&["build", "data"]).expect(0);
    let (old, second) = (ours.clone(), planned(&trial(true)));
    assert_ne!(second["digest"], old);
    assert_eq!(second["tags"][0], serde_json::json!({ "tag": "1", "from": old, "to": second["digest"] }));
    assert_eq!(second["tags"][1]["from"], Value::Null);
    assert!(trial(false).stdout.contains("1 (moves) 2 (new)"));
}

#[test]
fn what_was_published_is_named_even_where_it_cannot_be_written_down() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    let run = project.run(&["publish", "data", "--to", &to(&registry), "--digest-file", "none/digests"]);
    let run = run.says(5, &["everything was published", "none/digests", "sends nothing again"]);
    let root = registry.holds("team/data").tags["latest"];
    assert_eq!(run.stdout, format!("{}/team/data@{root}\n", registry.address));
}

#[test]
fn a_wrong_template_is_told_what_it_can_have() {
    let project = built();
    let publish = |to: &str, tag: &str| project.run(&["publish", "data", "--to", to, "--tag", tag]);
    publish("r.example/team", "v-{x}").says(2, &["`v-{x}` has `{x}`", "`{date}`, `{git}`, `{lock}`, `{recipe}`"]);
    publish("r.example/{date}", "1").says(2, &["`{date}` in it", "what can stand there: `{recipe}`"]);
    publish("r.example/team/a:1", "1").says(2, &["`:1` behind the name", "--to r.example/team/a --tag 1"]);
    publish("r.example/team/a@sha256:00", "1").says(2, &["`@sha256:00` behind", "`--to r.example/team/a`"]);
}

#[test]
fn what_can_only_be_read_or_is_torn_is_told_with_its_cure() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    registry.plan(|seen| (seen.method == "POST").then_some(Fault::Status(405, None)));
    let publish = |more: &[&str]| {
        let to = to(&registry);
        project.run(&[&["publish", "data", "--to", &to], more].concat())
    };
    publish(&[]).says(6, &["405 Method Not Allowed", "it can only be read"]);
    registry.plan(|_| None);
    project.write("cache/index.json", "{");
    for command in [&["publish", "data", "--to", "r.example/team"][..], &["serve"], &["verify"], &["inspect", "data"]] {
        project.run(command).says(1, &["index.json", "`remint build` writes it anew"]);
    }
    project.run(&["build"]).expect(0);
    publish(&[]).expect(0);
}
