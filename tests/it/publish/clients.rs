//! What is published, others pull and run; what others push is a base: digests are the same on the way.

use super::{built, openssl_key};
use crate::support::docker_engine::DockerEngine;
use crate::support::judge;
use crate::support::podman::Podman;
use crate::support::project::Project;
use crate::support::registry_server;
use serde_json::Value;
use std::process::Command;

fn skopeo(arguments: &[&str]) -> Option<String> {
    let program = judge::find("skopeo")?;
    Some(judge::succeed(Command::new(program).arg("--insecure-policy").args(arguments)))
}

#[test]
fn dockers_registry_and_skopeo_agree() {
    let dir = tempfile::tempdir().unwrap();
    let Some(registry) = registry_server::start(&dir.path().join("registry")) else { return };
    let project = built();
    let team = format!("{}/team", registry.address);
    let signed = openssl_key(&project, "key.pem").is_some();
    let mut arguments = vec!["publish", "--to", &team];
    if signed {
        arguments.extend(["--sign-key", "key.pem"]);
    }
    let run = project.run(&arguments).expect(0);
    // What it has is not sent again, attachments included.
    let again = project.run(&[&arguments[..], &["--format", "json"]].concat()).expect(0);
    for line in again.stdout.lines().filter(|line| line.contains("image-published")) {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&event["sent"], &event["attached"]), (&0.into(), &0.into()), "{event}");
    }
    let digest = |name: &str| {
        let line = run.stdout.lines().find(|line| line.contains(&format!("/{name}@"))).unwrap();
        line.split_once('@').unwrap().1.to_owned()
    };
    let copy = format!("oci:{}", dir.path().join("copy").display());
    let at = format!("docker://{team}/site:latest");
    let Some(raw) = skopeo(&["inspect", "--tls-verify=false", "--raw", &at]) else { return };
    assert_eq!(remint::digest::Digest::of(raw.as_bytes()).to_string(), digest("site"));
    skopeo(&["copy", "--all", "--src-tls-verify=false", &at, &format!("{copy}:site")]);
    project.run(&["diff", "site", &format!("{copy}:site")]).says(0, &["dentical"]);
    project.run(&["diff", "site", &format!("{team}/site:latest")]).says(0, &["dentical"]);

    // What another tool pushed is a base; it is passed through as it is.
    let pushed = format!("docker://{}/pushed:1", registry.address);
    skopeo(&["copy", "--all", "--dest-tls-verify=false", &format!("{copy}:site"), &pushed]);
    let base = format!("{}/pushed:1", registry.address);
    let recipe = format!("from = \"{base}\"\n\n[[layer]]\n[layer.write]\n\"/etc/more\" = \"x\"\n");
    project.write("recipes/more/recipe.toml", recipe);
    project.run(&["lock"]).says(0, &[&base]);
    let first = project.build(&["more", "--locked"]);
    project.forget();
    assert_eq!(project.build(&["more", "--locked"]), first);
    project.run(&["verify", "more"]).says(0, &["identical"]);
    assert!(project.lock().contains(&format!("root = \"{}\"", digest("site"))));
}

#[test]
fn engines_run_what_was_published_and_what_they_push_is_a_base() {
    let dir = tempfile::tempdir().unwrap();
    let Some(podman) = Podman::find(&dir.path().join("podman")) else { return };
    let Some(docker) = DockerEngine::start(&dir.path().join("docker")) else { return };
    let Some(registry) = registry_server::start(&dir.path().join("registry")) else { return };
    let Some(busybox) = judge::find("busybox") else { return };
    let project = Project::first();
    std::fs::create_dir_all(project.root.join("recipes/run")).unwrap();
    std::fs::copy(busybox, project.root.join("recipes/run/busybox")).unwrap();
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let only = format!("platforms = [\"linux/{arch}\"]\n");
    // This docker knows no zstd.
    let recipe = format!(
        "{only}compression = \"gzip\"\n\n[[layer]]\ncopy = \"busybox\"\nto = \"/bin/busybox\"\nmode = \"0755\"\n\n\
         [config]\nentrypoint = [\"/bin/busybox\", \"echo\", \"published\"]\n"
    );
    project.write("recipes/run/recipe.toml", recipe);
    project.run(&["lock"]).expect(0);
    project.run(&["build", "run"]).expect(0);
    let run = project.run(&["publish", "run", "--to", &registry.address]).expect(0);
    let reference = run.stdout.trim();
    podman.run(&["pull", "--tls-verify=false", reference]);
    assert_eq!(podman.run_image(reference, &[]), "published\n");
    docker.docker(&["pull", "--quiet", reference]);
    assert_eq!(docker.run_image(reference), "published\n");

    // Docker's own manifest and media types, and a configuration with what remint does not know.
    let file = dir.path().join("Dockerfile");
    let text = format!("FROM {reference}\nHEALTHCHECK CMD [\"/bin/busybox\", \"true\"]\nONBUILD ENV A=1\n");
    std::fs::write(&file, text).unwrap();
    let pushed = format!("{}/docker/made:1", registry.address);
    let context = dir.path().join("context");
    std::fs::create_dir(&context).unwrap();
    let file = file.to_str().unwrap();
    docker.docker(&["build", "--quiet", "--file", file, "--tag", &pushed, context.to_str().unwrap()]);
    docker.docker(&["push", "--quiet", &pushed]);
    let recipe = format!(
        "from = \"{pushed}\"\n{only}compression = \"gzip\"\n\n[[layer]]\n[layer.write]\n\"/etc/more\" = \"x\"\n"
    );
    project.write("recipes/more/recipe.toml", recipe);
    project.run(&["lock"]).expect(0);
    project.run(&["build", "more"]).expect(0);
    let run = project.run(&["publish", "more", "--to", &registry.address]).expect(0);
    let reference = run.stdout.trim();
    podman.run(&["pull", "--tls-verify=false", reference]);
    assert_eq!(podman.run_image(reference, &[]), "published\n");
    docker.docker(&["pull", "--quiet", reference]);
    assert_eq!(docker.run_image(reference), "published\n");
    let config: Value = serde_json::from_str(&docker.docker(&["inspect", reference])).unwrap();
    assert_eq!(config[0]["Config"]["OnBuild"], serde_json::json!(["ENV A=1"]), "{config}");
    assert_eq!(config[0]["Config"]["Healthcheck"]["Test"][0], "CMD", "{config}");
}
