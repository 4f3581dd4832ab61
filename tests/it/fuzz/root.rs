//! Targets among the files of packages, which the native steps read: each is put where a step finds it, in a small image.

use remint::layer::{Entry, Kind};
use remint::native::{Input, Package, Root, configure};
use remint::oci::{Arch, TreePath};
use std::collections::{BTreeMap, BTreeSet};

/// Files, directories and links in memory.
#[derive(Default)]
struct Files(BTreeMap<TreePath, (Entry, Vec<u8>)>);

impl Files {
    fn path(&mut self, path: &str) -> TreePath {
        let path = TreePath::parse(path).expect("a path of a target");
        for above in path.ancestors() {
            self.0.entry(above.clone()).or_insert_with(|| (Entry::directory(above, 0o755), Vec::new()));
        }
        path
    }

    fn with(mut self, path: &str, content: &[u8]) -> Self {
        let path = self.path(path);
        self.0.insert(path.clone(), (Entry::file(path, 0o755, content.len() as u64), content.to_vec()));
        self
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        let path = self.path(path);
        self.0.insert(path.clone(), (Entry::symlink(path, target), Vec::new()));
        self
    }
}

impl Root for Files {
    fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path).map(|(entry, _)| entry)
    }

    fn read(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        let file = self.0.get(path).filter(|(entry, _)| matches!(entry.kind, Kind::File { .. }));
        Ok(file.map(|(_, content)| content.clone()))
    }

    fn under<'s>(&'s self, directory: &str) -> Box<dyn Iterator<Item = &'s Entry> + 's> {
        let below = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        Box::new(self.0.values().map(|(entry, _)| entry).filter(move |entry| entry.path.as_str().starts_with(&below)))
    }
}

/// A package without files.
fn package(name: &str, control: &[(&str, &[u8])]) -> Package {
    let stanza = format!("Package: {name}\nVersion: 1\nArchitecture: amd64\nDescription: x\n");
    let own = control.iter().map(|(member, bytes)| ((*member).to_owned(), bytes.to_vec()));
    Package {
        name: name.to_owned(),
        version: "1".to_owned(),
        arch: "amd64".to_owned(),
        control: [("control".to_owned(), stanza.into_bytes())].into_iter().chain(own).collect(),
        paths: vec!["/.".to_owned(), "/usr".to_owned(), format!("/usr/{name}")],
    }
}

/// Configures; twice gives the same, and every path that is made stays in the tree.
fn configured(root: &Files, packages: &[Package]) {
    let input = Input {
        arch: Arch::Amd64,
        root,
        packages,
        requested: &BTreeSet::new(),
        users: &BTreeMap::new(),
        groups: &BTreeMap::new(),
    };
    if let Ok(output) = configure(&input) {
        assert_eq!(configure(&input).ok(), Some(output), "the output is decided by the input");
    }
}

/// A shared library.
pub(super) fn elf(bytes: &[u8]) {
    let root = Files::default()
        .with("usr/sbin/ldconfig", b"\0ldconfig (Debian GLIBC 2.41-12) stable release version 2.41\n\0")
        .with("etc/ld.so.conf", b"include /etc/ld.so.conf.d/*.conf\n/usr/lib/x86_64-linux-gnu\n")
        .with("usr/lib/x86_64-linux-gnu/libfuzz.so.1.2", bytes)
        .link("usr/lib/x86_64-linux-gnu/libfuzz.so", "libfuzz.so.1.2");
    configured(&root, &[]);
}

/// A certificate of an authority, in its text form.
pub(super) fn certificate(bytes: &[u8]) {
    let root = Files::default()
        .with("etc/ca-certificates.conf", b"mozilla/fuzz.crt\n!mozilla/no.crt\n")
        .with("usr/share/ca-certificates/mozilla/fuzz.crt", bytes);
    configured(&root, &[]);
}

/// What the Java store is made from; the configuration of the certificates, too, is the input's.
pub(super) fn java_store(bytes: &[u8]) {
    let (conf, pem) = halves(bytes);
    let root = Files::default()
        .with("etc/ca-certificates.conf", conf)
        .with("usr/bin/java", b"")
        .with("usr/share/ca-certificates/mozilla/fuzz.crt", pem)
        .link("etc/ssl/certs/fuzz.pem", "/usr/share/ca-certificates/mozilla/fuzz.crt");
    configured(&root, &[package("ca-certificates-java", &[])]);
}

/// Declarations of users and groups, over an image's own accounts.
pub(super) fn sysusers(bytes: &[u8]) {
    let (passwd, declared) = halves(bytes);
    let root = Files::default()
        .with("etc/passwd", passwd)
        .with("etc/group", b"root:x:0:\nmail:x:8:\n")
        .with("usr/lib/sysusers.d/fuzz.conf", declared);
    configured(&root, &[package("fuzz", &[("postinst", b"#!/bin/sh\nset -e\nsystemd-sysusers fuzz.conf\n")])]);
}

/// Declarations of files.
pub(super) fn tmpfiles(bytes: &[u8]) {
    let root = Files::default()
        .with("usr/bin/systemd-tmpfiles", b"")
        .with("etc/passwd", b"root:x:0:0::/root:/bin/sh\n")
        .link("var/run", "/run")
        .with("usr/lib/tmpfiles.d/fuzz.conf", bytes);
    configured(&root, &[package("fuzz", &[("postinst", b"#!/bin/sh\nsystemd-tmpfiles --create fuzz.conf || true\n")])]);
}

/// What dpkg keeps of the lower layers, and what a package brings: the input is cut into members.
pub(super) fn dpkg(bytes: &[u8]) {
    let mut rest = bytes;
    let mut next = || {
        let part;
        (part, rest) = halves(rest);
        part
    };
    let root = Files::default()
        .with("var/lib/dpkg/status", next())
        .with("var/lib/dpkg/diversions", next())
        .with("var/lib/dpkg/triggers/File", next())
        .with("var/cache/debconf/config.dat", next())
        .with("var/cache/debconf/templates.dat", b"");
    let members = ["triggers", "conffiles", "templates", "md5sums"].map(|name| (name, next()));
    let mut fuzz = package("fuzz", &members);
    let control = next();
    if !control.is_empty() {
        fuzz.control.insert("control".to_owned(), control.to_vec());
    }
    configured(&root, &[package("debconf", &[]), fuzz]);
}

/// A maintainer script, whose calls of tools are read from its text.
pub(super) fn scripts(bytes: &[u8]) {
    let root = Files::default()
        .with("usr/bin/systemctl", b"")
        .with("usr/bin/fuzz", b"")
        .with("usr/lib/systemd/system/fuzz.service", bytes)
        .with("etc/init.d/fuzz", bytes)
        .with("var/lib/dpkg/alternatives/fuzz", bytes);
    configured(&root, &[package("fuzz", &[("postinst", bytes), ("preinst", bytes), ("config", bytes)])]);
}

/// An input in two: what stands before a line of `%%`, and what behind it.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    const CUT: &[u8] = b"%%\n";
    match bytes.windows(CUT.len()).position(|window| window == CUT) {
        Some(at) => (&bytes[..at], &bytes[at + CUT.len()..]),
        None => (bytes, b""),
    }
}
