//! The repository's own rules: what may stand in it and what may not.

use crate::support::judge;
use std::path::Path;
use std::process::Command;

/// A tracked file may have at most this many bytes.
const LARGEST: usize = 1 << 20;

/// Hosts below these names are read, not fetched from: a specification may be cited.
const CITED: [&str; 9] = ["www", "wiki", "bugs", "tracker", "manpages", "lists", "reproducible", "salsa", "sources"];

#[test]
fn tracked_files_keep_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(git) = judge::find("git") else { return };
    let output = Command::new(git).args(["ls-files", "-z", "--cached"]).current_dir(root).output().unwrap();
    if !output.status.success() {
        judge::missing("this is no git checkout");
        return;
    }
    let names = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = names.split_terminator('\0').collect();
    assert!(names.contains(&"Cargo.toml"));
    let mut findings: Vec<String> = Vec::new();
    for name in names {
        let path = root.join(name);
        // A file that was deleted and not yet committed is judged when it comes back.
        if path.symlink_metadata().is_ok_and(|found| found.is_file()) {
            let bytes = std::fs::read(&path).unwrap();
            findings.extend(against_the_rules(name, &bytes).into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    assert_eq!(findings, [""; 0], "\n{}", findings.join("\n"));
}

fn against_the_rules(name: &str, bytes: &[u8]) -> Vec<String> {
    let mut findings = Vec::new();
    if bytes.len() > LARGEST {
        findings.push(format!("{} bytes, more than {LARGEST}", bytes.len()));
    }
    if name.starts_with("cache/") && !["cache/README.md", "cache/.gitignore"].contains(&name) {
        findings.push("what a run makes is not committed".to_owned());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        findings.push("a binary: let code make it, or write it as text".to_owned());
        return findings;
    };
    if text.contains('\0') {
        findings.push("a binary: let code make it, or write it as text".to_owned());
    }
    if name != "Cargo.lock" {
        findings.extend(hosts(text).into_iter().map(|host| format!("names the host {host}")));
    }
    let here = env!("CARGO_MANIFEST_DIR");
    if Path::new(here).components().count() > 2 && text.contains(&format!("{here}/")) {
        findings.push("names the folder of somebody's checkout".to_owned());
    }
    findings
}

/// Every host of a mirror or registry that a text names. The names are put together here, so that this file has none.
fn hosts(text: &str) -> Vec<String> {
    let distributions = ["debian", "ubuntu", "alpinelinux", "fedoraproject", "kernel", "freexian"];
    let ends = ["org", "com", "net"];
    let registries = ["docker io", "ghcr io", "quay io", "gcr io", "k8s io", "pkg dev", "azurecr io", "amazonaws com"];
    let registries = registries.map(|name| name.replace(' ', "."));
    let host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let mut found = Vec::new();
    let mut mail = false;
    for word in text.split_inclusive(|c| !host(c)) {
        // What follows an `@` is where somebody's mail goes.
        let address = std::mem::replace(&mut mail, word.ends_with('@'));
        let path_follows = word.ends_with(['/', ':']);
        let name = word.trim_end_matches(|c| !host(c)).trim_matches(['.', '-']).to_ascii_lowercase();
        let labels: Vec<&str> = name.split('.').collect();
        let bad = match labels.as_slice() {
            // A bare name may be a package or a project: Debian's package of Docker is called like its registry.
            [_, _] => path_follows && registries.contains(&name),
            [first, .., domain, end] if !CITED.contains(first) => {
                let registry = registries.iter().any(|registry| name.ends_with(&format!(".{registry}")));
                registry || distributions.contains(domain) && ends.contains(end)
            }
            _ => false,
        };
        if bad && !address {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod samples {
    use super::*;

    #[test]
    fn hosts_are_found_wherever_they_hide() {
        let bad = [
            "http://deb.@.org/debian",
            "see DEB.@.ORG.",
            "(ftp.de.@.org)",
            "security.@.org/",
            "archive.ubuntu%.com",
            "docker%.io/library/python:3",
            "registry-1.docker%.io",
            "eu.gcr%.io/x",
            "123.dkr.ecr.eu-west-1.amazonaws%.com",
        ];
        for text in bad {
            let text = text.replace('@', "debian").replace('%', "");
            assert_eq!(hosts(&text).len(), 1, "{text}");
        }
        let good = [
            "https://www.@.org/doc/debian-policy/",
            "apt-get install docker%.io skopeo",
            "mirror = \"https://…\"",
            "debian.@",
            "a.b.c 1.2.3",
            "the archive.",
            "@.org",
            "kubernetes%.io",
            "Maintainer: A <aAT.packages.@.org>",
        ];
        for text in good {
            let text = text.replace('@', "debian").replace('%', "").replace("AT.", "@");
            assert_eq!(hosts(&text), [""; 0], "{text}");
        }
    }

    #[test]
    fn large_files_binaries_and_caches_are_found() {
        let count = |name: &str, bytes: &[u8]| against_the_rules(name, bytes).len();
        assert_eq!(count("a", &vec![b'a'; LARGEST + 1]), 1);
        assert_eq!(count("a", b"\x7fELF\0"), 1);
        assert_eq!(count("a", &[0xff]), 1);
        assert_eq!(count("cache/blobs/sha256/00", b""), 1);
        assert_eq!(count("cache/README.md", b""), 0);
        assert_eq!(count("a", format!("in {}/src", env!("CARGO_MANIFEST_DIR")).as_bytes()), 1);
        let host = ["deb", "debian", "org"].join(".");
        assert_eq!((count("a", host.as_bytes()), count("Cargo.lock", host.as_bytes())), (1, 0));
    }
}
