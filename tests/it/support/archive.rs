//! A small signed Debian archive, built in memory from Rust data; the same data give the same bytes.

use super::signer::{KeySpec, Signer};
use remint::digest::Digest;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// When the archives of tests are signed: 2026-01-01.
pub(crate) const SIGNED: u32 = 1_767_225_600;

/// A time shortly after, to verify them at.
pub(crate) const NOW: u64 = SIGNED as u64 + 3600;

/// A binary package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) arch: String,
    /// Further fields of its stanza, in this order: `Depends`, `Essential`, …
    pub(crate) fields: Vec<(String, String)>,
    /// What it unpacks, in this order; the directories above are added.
    pub(crate) files: Vec<(String, File)>,
    /// Files of its control part beside `control`, with whether they are scripts.
    pub(crate) control: Vec<(String, String, bool)>,
    /// How its members are packed: `xz`, `gz`, `zst`, or nothing.
    pub(crate) packing: &'static str,
}

/// Something that a package unpacks.
#[derive(Debug, Clone)]
pub(crate) enum File {
    Plain {
        content: Vec<u8>,
        mode: u32,
    },
    Link {
        target: String,
    },
    /// Another name of a file before it, whose path has no slash in front.
    Hard {
        target: String,
    },
    Directory {
        mode: u32,
    },
}

/// A suite of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    /// Its name: `trixie`.
    pub(crate) codename: String,
    /// Its role: `stable`.
    pub(crate) role: String,
    pub(crate) architectures: Vec<String>,
    pub(crate) components: Vec<(String, Vec<Package>)>,
    pub(crate) date: String,
    pub(crate) valid_until: Option<String>,
    pub(crate) by_hash: bool,
    /// Whether packages of architecture `all` stand in each architecture's index, as in Debian.
    pub(crate) all_in_each: bool,
    /// The forms of each index that are offered: `.xz`, `.gz`, or nothing.
    pub(crate) forms: Vec<&'static str>,
}

/// An archive: its files, and who signed it.
pub(crate) struct Archive {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) signer: Signer,
}

impl Package {
    /// A package for amd64 without files.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            arch: "amd64".to_owned(),
            fields: Vec::new(),
            files: Vec::new(),
            control: Vec::new(),
            packing: "xz",
        }
    }

    /// Sets the architecture.
    pub(crate) fn arch(mut self, arch: &str) -> Self {
        arch.clone_into(&mut self.arch);
        self
    }

    /// Adds a field to its stanza.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a file of mode 0644, at a path without a slash in front.
    pub(crate) fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.entry(path, File::Plain { content: content.into(), mode: 0o644 })
    }

    /// Adds a file, link or directory.
    pub(crate) fn entry(mut self, path: &str, file: File) -> Self {
        self.files.push((path.to_owned(), file));
        self
    }

    /// Adds a maintainer script.
    pub(crate) fn script(mut self, name: &str, text: &str) -> Self {
        self.control.push((name.to_owned(), text.to_owned(), true));
        self
    }

    /// Adds another control file.
    pub(crate) fn control_file(mut self, name: &str, text: &str) -> Self {
        self.control.push((name.to_owned(), text.to_owned(), false));
        self
    }

    /// Sets how its members are packed.
    pub(crate) fn packed(mut self, packing: &'static str) -> Self {
        self.packing = packing;
        self
    }

    /// Its stanza as it stands in its control file.
    pub(crate) fn stanza(&self) -> String {
        let Self { name, version, arch, .. } = self;
        let mut stanza =
            format!("Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: Test <test@example.org>\n");
        let size: usize =
            self.files.iter().map(|(_, f)| if let File::Plain { content, .. } = f { content.len() } else { 0 }).sum();
        let _ = writeln!(stanza, "Installed-Size: {}", size.div_ceil(1024));
        for (name, value) in &self.fields {
            let _ = writeln!(stanza, "{name}: {value}");
        }
        stanza + "Description: a test package\n"
    }

    /// The whole .deb.
    pub(crate) fn deb(&self) -> Vec<u8> {
        let mut control = vec![
            ("./".to_owned(), File::Directory { mode: 0o755 }),
            ("./control".to_owned(), File::Plain { content: self.stanza().into(), mode: 0o644 }),
        ];
        for (name, text, executable) in &self.control {
            let mode = if *executable { 0o755 } else { 0o644 };
            control.push((format!("./{name}"), File::Plain { content: text.clone().into(), mode }));
        }
        let mut data = vec![("./".to_owned(), File::Directory { mode: 0o755 })];
        for (path, file) in &self.files {
            let parents = path.match_indices('/').map(|(at, _)| format!("./{}/", &path[..at]));
            for parent in parents.collect::<Vec<_>>() {
                if !data.iter().any(|(path, _)| *path == parent) {
                    data.push((parent, File::Directory { mode: 0o755 }));
                }
            }
            let slash = if matches!(file, File::Directory { .. }) { "/" } else { "" };
            data.push((format!("./{path}{slash}"), file.clone()));
        }
        let suffix = if self.packing.is_empty() { String::new() } else { format!(".{}", self.packing) };
        ar(&[
            ("debian-binary", b"2.0\n"),
            (&format!("control.tar{suffix}"), &pack(self.packing, &tar(&control))),
            (&format!("data.tar{suffix}"), &pack(self.packing, &tar(&data))),
        ])
    }

    /// Its path in the archive.
    pub(crate) fn path(&self) -> String {
        let version = self.version.split_once(':').map_or(&self.version[..], |(_, version)| version);
        format!("pool/main/{}/{}_{version}_{}.deb", self.name, self.name, self.arch)
    }
}

impl Suite {
    /// A suite for amd64 with packages in `main`, in the form of Debian's.
    pub(crate) fn new(codename: &str, packages: Vec<Package>) -> Self {
        Self {
            codename: codename.to_owned(),
            role: "stable".to_owned(),
            architectures: vec!["all".to_owned(), "amd64".to_owned()],
            components: vec![("main".to_owned(), packages)],
            date: "Thu, 01 Jan 2026 00:00:00 UTC".to_owned(),
            valid_until: None,
            by_hash: true,
            all_in_each: true,
            forms: vec![".xz", ".gz"],
        }
    }

    /// The text of its `Packages` for a component and an architecture.
    pub(crate) fn index(&self, packages: &[Package], arch: &str) -> String {
        let mut index = String::new();
        for package in packages {
            let here = if package.arch == "all" { self.all_in_each || arch == "all" } else { package.arch == arch };
            if !here || (arch == "all" && self.all_in_each) {
                continue;
            }
            let deb = package.deb();
            let (path, digest) = (package.path(), Digest::of(&deb).hex());
            let _ = write!(index, "{}Filename: {path}\nSize: {}\nSHA256: {digest}\n\n", package.stanza(), deb.len());
        }
        index
    }

    /// Its Release, and its indices by their paths below `dists/<suite>/`.
    pub(crate) fn release(&self) -> (String, BTreeMap<String, Vec<u8>>) {
        let (mut files, mut sums) = (BTreeMap::new(), String::new());
        for (component, packages) in &self.components {
            for arch in &self.architectures {
                let plain = self.index(packages, arch).into_bytes();
                let path = format!("{component}/binary-{arch}/Packages");
                // The plain form is listed, even where it is not offered.
                let mut list = |path: &str, bytes: &[u8]| {
                    let _ = writeln!(sums, " {} {:>8} {path}", Digest::of(bytes).hex(), bytes.len());
                };
                list(&path, &plain);
                for form in &self.forms {
                    let packed = pack(form.trim_start_matches('.'), &plain);
                    let path = format!("{path}{form}");
                    if !form.is_empty() {
                        list(&path, &packed);
                    }
                    if self.by_hash {
                        let digest = Digest::of(&packed).hex();
                        files.insert(format!("{component}/binary-{arch}/by-hash/SHA256/{digest}"), packed.clone());
                    }
                    files.insert(path, packed);
                }
            }
        }
        let components: Vec<&str> = self.components.iter().map(|(name, _)| name.as_str()).collect();
        let mut release =
            format!("Origin: Test\nSuite: {}\nCodename: {}\nDate: {}\n", self.role, self.codename, self.date);
        if let Some(date) = &self.valid_until {
            let _ = writeln!(release, "Valid-Until: {date}");
        }
        let _ = writeln!(release, "Acquire-By-Hash: {}", if self.by_hash { "yes" } else { "no" });
        if self.all_in_each {
            release += "No-Support-for-Architecture-all: Packages\n";
        }
        let _ = writeln!(release, "Architectures: {}", self.architectures.join(" "));
        let _ = write!(release, "Components: {}\nSHA256:\n{sums}", components.join(" "));
        (release, files)
    }
}

impl Archive {
    /// Builds and signs an archive of some suites.
    pub(crate) fn new(suites: &[Suite]) -> Self {
        Self::signed_by(Signer::new(KeySpec::with_subkey(1)), suites)
    }

    /// Builds an archive that a key signs.
    pub(crate) fn signed_by(signer: Signer, suites: &[Suite]) -> Self {
        let mut files = BTreeMap::new();
        for suite in suites {
            let (release, indices) = suite.release();
            let dist = format!("dists/{}", suite.codename);
            files.extend(indices.into_iter().map(|(path, bytes)| (format!("{dist}/{path}"), bytes)));
            files.insert(format!("{dist}/InRelease"), signer.clearsign(&release, SIGNED).into_bytes());
            for package in suite.components.iter().flat_map(|(_, packages)| packages) {
                files.insert(package.path(), package.deb());
            }
        }
        Self { files, signer }
    }

    /// The keyring that verifies it.
    pub(crate) fn keyring(&self) -> &[u8] {
        self.signer.certificate()
    }

    /// Writes it below a directory, which is then the base address of a mirror.
    pub(crate) fn write(&self, directory: &Path) {
        for (path, bytes) in &self.files {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
}

/// Packs bytes as a suffix says: `xz`, `gz`, `zst`, or not at all.
pub(crate) fn pack(packing: &str, bytes: &[u8]) -> Vec<u8> {
    match packing {
        "xz" => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "gz" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "zst" => zstd::encode_all(bytes, 3).unwrap(),
        "" => bytes.to_vec(),
        other => panic!("no packing `{other}`"),
    }
}

/// An ar file of members.
pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let _ = writeln!(file, "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`", SIGNED, 0, 0, "100644", bytes.len());
        file.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            file.push(b'\n');
        }
    }
    file
}

/// A tar in the form of dpkg-deb's.
pub(crate) fn tar(entries: &[(String, File)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, file) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(u64::from(SIGNED));
        header.set_uid(0);
        header.set_gid(0);
        let mut data: &[u8] = &[];
        match file {
            File::Plain { content, mode } => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_mode(*mode);
                header.set_size(content.len() as u64);
                data = content;
            }
            File::Link { target } => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                header.set_link_name(target).unwrap();
            }
            File::Hard { target } => {
                header.set_entry_type(tar::EntryType::Link);
                header.set_mode(0o644);
                header.set_size(0);
                header.set_link_name(format!("./{target}")).unwrap();
            }
            File::Directory { mode } => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(*mode);
                header.set_size(0);
            }
        }
        // dpkg-deb writes `./` in front, which the crate's own setter would drop.
        let name = header.as_gnu_mut().unwrap();
        assert!(path.len() < 100, "{path}");
        name.name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, data).unwrap();
    }
    tar.into_inner().unwrap()
}
