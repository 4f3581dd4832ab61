//! Publishing to Debian's docker-registry with TLS and with the tokens of another server; skopeo comes in the same way.

use super::built;
use crate::support::certificate::own;
use crate::support::judge;
use crate::support::project::{FILES, Project, Run};
use crate::support::token_server::{Asked, PASSWORD, Policy, TokenServer, login, start, with_password};
use remint::digest::Digest;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Runs the program as somebody whose `config.json` is there.
fn run(project: &Project, home: &Path, arguments: &[&str]) -> Run {
    Run::of(project.command(arguments).env("DOCKER_CONFIG", home))
}

/// The scopes that were asked for, each request's.
fn scopes(tokens: &TokenServer) -> Vec<Vec<String>> {
    tokens.asked().into_iter().map(|asked| asked.scopes).collect()
}

/// What tokens say, and what makes them valid.
fn parts(asked: &[Asked]) -> impl Iterator<Item = String> {
    let tokens = asked.iter().filter_map(|asked| asked.token.as_ref());
    tokens.flat_map(|token| token.split('.').skip(1).map(str::to_owned))
}

/// Panics if something that nobody may see is in an output or in a file of the store.
fn assert_hidden(project: &Project, runs: &[Run], secrets: &[String]) {
    for secret in secrets {
        for run in runs {
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{secret}: {run:?}");
        }
        for entry in walkdir::WalkDir::new(project.root.join("cache")).into_iter().flatten() {
            if entry.file_type().is_file() {
                let bytes = std::fs::read(entry.path()).unwrap();
                assert!(memchr::memmem::find(&bytes, secret.as_bytes()).is_none(), "{}", entry.path().display());
            }
        }
    }
}

#[test]
fn who_is_logged_in_publishes_and_others_come_in_the_same_way() {
    let (Some(openssl), Some(skopeo)) = (judge::find("openssl"), judge::find("skopeo")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let certs = dir.path().join("certs");
    std::fs::create_dir(&certs).unwrap();
    let tls = own(&openssl, &certs, "IP:127.0.0.1");
    let Some((tokens, registry)) = start(dir.path(), Policy::default(), Some(&tls)) else { return };
    let project = built();
    let entry = with_password(PASSWORD);
    let home = login(dir.path(), &registry, &entry);
    let team = format!("{}/team", registry.address);
    let cacert = tls.certificate.to_str().unwrap();
    let mut runs = Vec::new();

    let mut arguments = vec!["publish", "--to", &team, "--cacert", cacert, "--verbose"];
    let published = run(&project, &home, &arguments).says(0, &["MOUNTED"]);
    let asked = tokens.asked();
    let mount = ["repository:team/both:pull,push", "repository:team/hello:pull"];
    assert!(asked.iter().any(|asked| asked.scopes == mount));
    // A token for each purpose, and none twice.
    let distinct: BTreeSet<&[String]> = asked.iter().map(|asked| &asked.scopes[..]).collect();
    assert_eq!(distinct.len(), asked.len(), "{distinct:?}");
    let mut secrets = vec![PASSWORD.to_owned(), entry["auth"].as_str().unwrap().to_owned()];
    secrets.extend(parts(&asked));
    arguments.extend(["--format", "json"]);
    let again = run(&project, &home, &arguments).expect(0);
    assert_eq!(again.stdout.matches("\"sent\":0").count(), 4, "{}", again.stdout);

    // Another program, with the same file.
    let line = published.stdout.lines().find(|line| line.contains("/site@")).unwrap();
    let (_, digest) = line.split_once('@').unwrap();
    let at = format!("docker://{team}/site:latest");
    let copy = format!("oci:{}:site", dir.path().join("copy").display());
    let (config, certs) = (home.join("config.json"), certs.to_str().unwrap());
    let skopeo = |arguments: &[&str]| {
        let mut command = Command::new(&skopeo);
        command.args(["--insecure-policy", arguments[0], "--authfile"]).arg(&config).args(&arguments[1..]);
        judge::succeed(&mut command)
    };
    std::fs::copy(&tls.certificate, tls.certificate.with_file_name("ca.crt")).unwrap();
    std::fs::remove_file(&tls.key).unwrap();
    let raw = skopeo(&["inspect", "--cert-dir", certs, "--raw", &at]);
    assert_eq!(Digest::of(raw.as_bytes()).to_string(), digest);
    skopeo(&["copy", "--all", "--src-cert-dir", certs, &at, &copy]);
    runs.push(run(&project, &home, &["diff", "site", &copy]).says(0, &["dentical"]));
    let pushed = format!("docker://{}/pushed:1", registry.address);
    skopeo(&["copy", "--all", "--dest-cert-dir", certs, &copy, &pushed]);

    // What it pushed is a base.
    let base = format!("{}/pushed:1", registry.address);
    let recipe = format!("from = \"{base}\"\n\n[[layer]]\n[layer.write]\n\"/etc/more\" = \"x\"\n");
    project.write("recipes/more/recipe.toml", recipe);
    tokens.asked();
    runs.push(run(&project, &home, &["lock", "--cacert", cacert]).says(0, &[&base]));
    runs.push(run(&project, &home, &["build", "more", "--locked", "--cacert", cacert]).expect(0));
    assert!(project.lock().contains(&format!("root = \"{digest}\"")));
    let asked = scopes(&tokens);
    assert!(!asked.is_empty() && asked.iter().all(|scopes| *scopes == ["repository:pushed:pull"]), "{asked:?}");
    runs.extend([published, again]);
    assert_hidden(&project, &runs, &secrets);
}

#[test]
fn who_may_only_read_does_not_write() {
    let dir = tempfile::tempdir().unwrap();
    let policy = Policy { public: true, ..Policy::default() };
    let Some((tokens, registry)) = start(dir.path(), policy, None) else { return };
    let project = built();
    let to = format!("{}/team", registry.address);
    let publish = ["publish", "data", "--to", &to, "--tag", "v1", "--verbose"];
    let login_hint = format!("podman login {}", registry.address);
    let nobody = dir.path().join("nobody");
    let mut runs = Vec::new();
    // The server gives a token, with less than what was asked for.
    runs.push(run(&project, &nobody, &publish).says(6, &["401", "there are no credentials", &login_hint]));
    let asked = tokens.asked();
    assert!(!asked.is_empty() && asked.iter().all(|asked| asked.token.is_some()));
    let mut secrets: Vec<String> = parts(&asked).collect();
    let wrong = with_password("canary-wrong");
    secrets.extend(["canary".to_owned(), wrong["auth"].as_str().unwrap().to_owned()]);
    let home = login(dir.path(), &registry, &wrong);
    let words = ["401", "incorrect user or password", "asked for a token at", "log in again", &login_hint];
    runs.push(run(&project, &home, &publish).says(6, &words));
    assert!(tokens.asked().iter().all(|asked| asked.token.is_none()));

    login(dir.path(), &registry, &with_password(PASSWORD));
    let published = run(&project, &home, &publish).expect(0);
    let digest = published.stdout.trim().split_once('@').unwrap().1.to_owned();
    runs.push(published);
    // There it is, for everybody, and as it was.
    let at = format!("{to}/data:v1");
    runs.push(run(&project, &nobody, &["diff", "data", &at]).says(0, &["dentical"]));
    project.write("recipes/more/recipe.toml", format!("from = \"{at}\"\nplatforms = [\"linux/amd64\"]\n"));
    runs.push(run(&project, &nobody, &["lock"]).says(0, &[&at]));
    runs.push(run(&project, &nobody, &["build", "more", "--locked"]).expect(0));
    assert!(project.lock().contains(&digest));
    project.write("recipes/data/recipe.toml", format!("{}\n[config]\nuser = \"7\"\n", FILES[6].1));
    runs.push(run(&project, &nobody, &["build", "data"]).expect(0));
    runs.push(run(&project, &nobody, &publish).says(6, &["401", &login_hint]));
    runs.push(run(&project, &nobody, &["diff", "data", &at]).expect(1));
    secrets.extend(parts(&tokens.asked()));
    assert_hidden(&project, &runs, &secrets);
}

#[test]
fn tokens_that_end_midway_are_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let Some((tokens, registry)) = start(dir.path(), Policy::default(), None) else { return };
    let project = built();
    let home = login(dir.path(), &registry, &with_password(PASSWORD));
    // To look around; to write, which comes when that one is over; to see what is attached, which comes when that is over too.
    tokens.lives(&[2, 2]);
    let to = format!("{}/team", registry.address);
    let run = run(&project, &home, &["publish", "data", "--to", &to]).expect(0);
    let asked = scopes(&tokens);
    let count = |scope: &str| asked.iter().filter(|scopes| **scopes == [scope]).count();
    assert_eq!((count("repository:team/data:pull"), count("repository:team/data:pull,push")), (2, 2), "{asked:?}");
    let Some(skopeo) = judge::find("skopeo") else { return };
    let config = home.join("config.json");
    let at = format!("docker://{to}/data:latest");
    let arguments = ["inspect", "--tls-verify=false", "--raw", "--authfile", config.to_str().unwrap(), &at];
    let raw = judge::run(skopeo, arguments);
    assert!(run.stdout.trim().ends_with(&Digest::of(raw.as_bytes()).to_string()), "{}", run.stdout);
}
