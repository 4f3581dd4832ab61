//! remint.lock as text: TOML, sorted, one line a package, so that a diff is a review.
//!
//! ```toml
//! version = 1
//! format = 1
//!
//! [release.debian]
//! trixie = { date = "2026-09-12T07:55:41Z", inrelease = "sha256:…", signed-by = "4CB5…" }
//!
//! [packages]
//! debian = [
//!     # name version architecture suite size sha256 path
//!     "adduser 3.152 all trixie 191388 5a1b… pool/main/a/adduser/adduser_3.152_all.deb",
//! ]
//!
//! [[layer]]
//! image = "python"
//! layer = 1
//! platform = "linux/amd64"
//! archive = "debian"
//! wanted = ["python3-minimal"]
//! below = "sha256:…"
//! date = "2026-11-21T02:10:46Z"
//! epoch = 1795227046
//! packages = [
//!     "adduser",
//! ]
//! ```
//!
//! An image that a recipe starts from and that no recipe makes:
//!
//! ```toml
//! [[base]]
//! image = "registry.example/debian:13"
//! platform = "linux/amd64"
//! root = "sha256:…"
//! date = "2026-11-20T00:00:00Z"
//! epoch = 1795132800
//! manifest = "sha256:… 610"
//! config = "sha256:… 1469"
//! layers = [
//!     # blob size diff-id
//!     "sha256:… 49280301 sha256:…",
//! ]
//! packages = [
//!     "adduser 3.152 all",
//! ]
//! ```
//!
//! `root` is what the name led to: an index's digest, or the manifest's. `packages` is what the image's dpkg database names; absent
//! where no recipe installs packages over it.
//!
//! `date` and `epoch` (seconds since 1970) say one moment twice: it goes into the image and nothing else in the lock tells it, so that
//! a slip of either is noticed.
//!
//! A layer names a package by its name alone, or as `name=version` where the lock has several versions of it;
//! `below` is the digest of all packages below it in the image, and is absent where there are none.

use super::Error;
use super::model::{BaseLayer, BasePin, FORMAT, LayerPin, Lock, PackageKey, PackagePin, ReleasePin};
use crate::digest::{DiffId, Digest};
use crate::oci::time::{format_rfc3339, parse_rfc3339};
use crate::oci::{Arch, Blob, Platform};
use crate::recipe::ImageName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    version: u64,
    format: u64,
    #[serde(default)]
    release: BTreeMap<String, BTreeMap<String, RawRelease>>,
    #[serde(default)]
    packages: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    base: Vec<RawBase>,
    #[serde(default)]
    layer: Vec<RawLayer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBase {
    image: String,
    platform: String,
    root: Digest,
    date: String,
    epoch: u64,
    manifest: String,
    config: String,
    layers: Vec<String>,
    packages: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRelease {
    date: String,
    inrelease: Digest,
    signed_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLayer {
    image: String,
    layer: usize,
    platform: String,
    archive: String,
    wanted: Vec<String>,
    #[serde(default)]
    essential: bool,
    #[serde(default = "yes")]
    dependencies: bool,
    below: Option<Digest>,
    date: String,
    epoch: u64,
    packages: Vec<String>,
}

fn yes() -> bool {
    true
}

/// The header of the file: what it is, for whoever opens it.
const HEADER: &str = "\
# remint.lock pins every source of every recipe by digest. `remint lock` writes it; commit it, and leave it as it is.
version = 1
";

/// Writes a lock as text; equal locks give equal bytes.
#[must_use]
pub fn print(lock: &Lock) -> String {
    let mut out = String::from(HEADER);
    let _ = writeln!(out, "format = {FORMAT}");
    let mut archive_before = None;
    for ((archive, suite), release) in &lock.releases {
        if archive_before != Some(archive) {
            let _ = writeln!(out, "\n[release.{}]", key(archive));
            archive_before = Some(archive);
        }
        let date = format_rfc3339(release.date);
        let _ = writeln!(
            out,
            "{} = {{ date = \"{date}\", inrelease = \"{}\", signed-by = \"{}\" }}",
            key(suite),
            release.inrelease,
            release.signed_by
        );
    }
    if !lock.packages.is_empty() {
        out.push_str("\n[packages]\n");
    }
    let mut packages = lock.packages.iter().peekable();
    while let Some((first, _)) = packages.peek() {
        let archive = first.archive.clone();
        let _ = writeln!(out, "{} = [\n    # name version architecture suite size sha256 path", key(&archive));
        while let Some((package, pin)) = packages.next_if(|(package, _)| package.archive == archive) {
            let PackageKey { name, version, arch, .. } = package;
            let PackagePin { deb, suite, path } = pin;
            let _ = writeln!(out, "    \"{name} {version} {arch} {suite} {} {} {path}\",", deb.size, deb.digest.hex());
        }
        out.push_str("]\n");
    }
    for ((image, platform), base) in &lock.bases {
        print_base(&mut out, image, *platform, base);
    }
    for ((image, number, platform), layer) in &lock.layers {
        let _ = write!(
            out,
            "\n[[layer]]\nimage = \"{image}\"\nlayer = {number}\nplatform = \"{platform}\"\narchive = {}\nwanted = [{}]\n",
            quoted(&layer.archive),
            layer.wanted.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(", ")
        );
        if layer.essential {
            out.push_str("essential = true\n");
        }
        if !layer.dependencies {
            out.push_str("dependencies = false\n");
        }
        if let Some(below) = &layer.below {
            let _ = writeln!(out, "below = \"{below}\"");
        }
        let _ = writeln!(out, "date = \"{}\"\nepoch = {}\npackages = [", format_rfc3339(layer.date), layer.date);
        for package in &layer.packages {
            let same = namesakes(lock, package, platform.arch).count();
            match same {
                0 | 1 => writeln!(out, "    \"{}\",", package.name),
                _ => writeln!(out, "    \"{}={}\",", package.name, package.version),
            }
            .expect("a string takes everything");
        }
        out.push_str("]\n");
    }
    out
}

fn print_base(out: &mut String, image: &str, platform: Platform, base: &BasePin) {
    let blob = |blob: &Blob| format!("{} {}", blob.digest, blob.size);
    let _ = write!(
        out,
        "\n[[base]]\nimage = {}\nplatform = \"{platform}\"\nroot = \"{}\"\ndate = \"{}\"\nepoch = {}\nmanifest = \"{}\"\nconfig = \"{}\"\n\
         layers = [\n    # blob size diff-id\n",
        quoted(image),
        base.root,
        format_rfc3339(base.date),
        base.date,
        blob(&base.manifest),
        blob(&base.config),
    );
    for layer in &base.layers {
        let _ = writeln!(out, "    \"{} {}\",", blob(&layer.blob), layer.diff_id.0);
    }
    out.push_str("]\n");
    if let Some(packages) = &base.packages {
        out.push_str("packages = [\n");
        for PackageKey { name, version, arch, .. } in packages {
            let _ = writeln!(out, "    {},", quoted(&format!("{name} {version} {arch}")));
        }
        out.push_str("]\n");
    }
}

/// The packages of a lock that a bare name could mean in a layer for an architecture.
fn namesakes<'a>(lock: &'a Lock, like: &'a PackageKey, arch: Arch) -> impl Iterator<Item = &'a PackageKey> {
    let from = PackageKey { arch: String::new(), version: String::new(), ..like.clone() };
    lock.packages
        .range(from..)
        .map(|(key, _)| key)
        .take_while(|key| key.archive == like.archive && key.name == like.name)
        .filter(move |key| key.arch == "all" || key.arch == arch.debian())
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn key(text: &str) -> String {
    toml_edit::Key::new(text).display_repr().into_owned()
}

/// Reads a lock's text; `path` is for messages.
pub fn parse(path: &Path, text: &str) -> Result<Lock, Error> {
    let raw: RawLock =
        toml::from_str(text).map_err(|source| Error::Syntax { path: path.to_owned(), source: Box::new(source) })?;
    if raw.version != 1 || raw.format != FORMAT {
        return Err(Error::Format { path: path.to_owned(), found: raw.format.max(raw.version) });
    }
    let reader = Reader { path };
    let mut lock = Lock::default();
    for (archive, suites) in raw.release {
        for (suite, release) in suites {
            let pin = ReleasePin {
                date: reader.date(&release.date)?,
                inrelease: release.inrelease,
                signed_by: release.signed_by,
            };
            lock.releases.insert((archive.clone(), suite), pin);
        }
    }
    // By archive and name, so that a layer finds its packages without a search through all.
    let mut by_name: BTreeMap<(&str, &str), Vec<PackageKey>> = BTreeMap::new();
    for (archive, lines) in &raw.packages {
        for line in lines {
            let (package, pin) = reader.package(archive, line)?;
            let (name, _) = line.split_once(' ').unwrap_or((line, ""));
            by_name.entry((archive, name)).or_default().push(package.clone());
            lock.packages.insert(package, pin);
        }
    }
    for base in raw.base {
        let (place, pin) = reader.base(base)?;
        lock.bases.insert(place, pin);
    }
    for layer in raw.layer {
        let platform: Platform =
            layer.platform.parse().map_err(|_| reader.wrong(&layer.platform, "a platform such as `linux/amd64`"))?;
        let image = ImageName::parse(&layer.image).ok_or_else(|| reader.wrong(&layer.image, "an image's name"))?;
        let mut packages = Vec::with_capacity(layer.packages.len());
        for text in &layer.packages {
            let (name, version) = text.split_once('=').map_or((text.as_str(), None), |(n, v)| (n, Some(v)));
            let mut meant = by_name
                .get(&(layer.archive.as_str(), name))
                .into_iter()
                .flatten()
                .filter(|key| key.arch == "all" || key.arch == platform.arch.debian())
                .filter(|key| version.is_none_or(|version| key.version == version));
            match (meant.next(), meant.next()) {
                (Some(one), None) => packages.push(one.clone()),
                _ => return Err(reader.wrong(text, "a package of this lock")),
            }
        }
        let pin = LayerPin {
            wanted: layer.wanted,
            archive: layer.archive,
            essential: layer.essential,
            dependencies: layer.dependencies,
            below: layer.below,
            date: reader.moment(&layer.date, layer.epoch)?,
            packages,
        };
        lock.layers.insert((image, layer.layer, platform), pin);
    }
    Ok(lock)
}

impl Reader<'_> {
    fn base(&self, raw: RawBase) -> Result<((String, Platform), BasePin), Error> {
        let platform =
            raw.platform.parse().map_err(|_| self.wrong(&raw.platform, "a platform such as `linux/amd64`"))?;
        let pin = BasePin {
            root: raw.root,
            manifest: self.blob(&raw.manifest)?,
            config: self.blob(&raw.config)?,
            date: self.moment(&raw.date, raw.epoch)?,
            layers: raw.layers.iter().map(|line| self.base_layer(line)).collect::<Result<_, _>>()?,
            packages: raw
                .packages
                .map(|lines| lines.iter().map(|line| self.installed(line)).collect::<Result<_, _>>())
                .transpose()?,
        };
        Ok(((raw.image, platform), pin))
    }

    fn blob(&self, line: &str) -> Result<Blob, Error> {
        let parts = line.split_once(' ').and_then(|(digest, size)| digest.parse().ok().zip(size.parse().ok()));
        parts.map(|(digest, size)| Blob { digest, size }).ok_or_else(|| self.wrong(line, "`digest size`"))
    }

    fn base_layer(&self, line: &str) -> Result<BaseLayer, Error> {
        let wrong = || self.wrong(line, "`digest size diff-id`");
        let (blob, diff_id) = line.rsplit_once(' ').ok_or_else(wrong)?;
        Ok(BaseLayer { blob: self.blob(blob)?, diff_id: DiffId(diff_id.parse().map_err(|_| wrong())?) })
    }

    fn installed(&self, line: &str) -> Result<PackageKey, Error> {
        match line.split(' ').collect::<Vec<_>>()[..] {
            [name, version, arch] => Ok(PackageKey::installed(name, version, arch)),
            _ => Err(self.wrong(line, "`name version architecture`")),
        }
    }
}

struct Reader<'a> {
    path: &'a Path,
}

impl Reader<'_> {
    fn wrong(&self, line: &str, expected: &'static str) -> Error {
        Error::Line { path: self.path.to_owned(), line: line.to_owned(), expected }
    }

    fn date(&self, text: &str) -> Result<u64, Error> {
        parse_rfc3339(text).ok_or_else(|| self.wrong(text, "a date such as `2026-09-12T07:55:41Z`"))
    }

    fn moment(&self, date: &str, epoch: u64) -> Result<u64, Error> {
        match self.date(date)? {
            same if same == epoch => Ok(epoch),
            _ => Err(self.wrong(&format!("date {date}, epoch {epoch}"), "one moment, as `remint lock` writes it")),
        }
    }

    fn package(&self, archive: &str, line: &str) -> Result<(PackageKey, PackagePin), Error> {
        let fields: Vec<&str> = line.split(' ').collect();
        let parsed = match fields[..] {
            [name, version, arch, suite, size, digest, path] if safe(path) => {
                size.parse().ok().zip(Digest::from_hex(digest)).map(|(size, digest)| {
                    let key = PackageKey {
                        archive: archive.to_owned(),
                        name: name.to_owned(),
                        arch: arch.to_owned(),
                        version: version.to_owned(),
                    };
                    let pin = PackagePin { deb: Blob { digest, size }, suite: suite.to_owned(), path: path.to_owned() };
                    (key, pin)
                })
            }
            _ => None,
        };
        parsed.ok_or_else(|| self.wrong(line, "`name version architecture suite size sha256 path`"))
    }
}

/// Whether a path stays below the mirror's base.
fn safe(path: &str) -> bool {
    !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in super::super) fn sample() -> Lock {
        let mut lock = Lock::default();
        let release = ReleasePin { date: 1_789_199_741, inrelease: Digest::of(b"x"), signed_by: "AB".repeat(20) };
        lock.releases.insert(("debian".into(), "trixie".into()), release);
        let mut keys = Vec::new();
        for (name, version, arch) in
            [("a", "1", "all"), ("b", "1:2-3", "amd64"), ("b", "2", "amd64"), ("b", "2", "arm64")]
        {
            let key =
                PackageKey { archive: "debian".into(), name: name.into(), arch: arch.into(), version: version.into() };
            let pin = PackagePin {
                deb: Blob::of(format!("{name}{version}{arch}").as_bytes()),
                suite: "trixie".into(),
                path: format!("pool/{name}_{version}_{arch}.deb"),
            };
            lock.packages.insert(key.clone(), pin);
            keys.push(key);
        }
        let layer = |packages: &[usize]| LayerPin {
            wanted: vec!["b=2*".into()],
            archive: "debian".into(),
            essential: packages.len() > 1,
            dependencies: packages.len() > 1,
            below: (packages.len() > 1).then(|| Digest::of(b"below")),
            date: 1_789_199_741,
            packages: packages.iter().map(|&i| keys[i].clone()).collect(),
        };
        let blob = |text: &str| Blob::of(text.as_bytes());
        let base = |packages| BasePin {
            root: Digest::of(b"root"),
            manifest: blob("manifest"),
            config: blob("config"),
            date: 1_789_199_741,
            layers: vec![BaseLayer { blob: blob("layer"), diff_id: DiffId(Digest::of(b"tar")) }],
            packages,
        };
        let there = vec![PackageKey::installed("a", "1:2+b1", "all")];
        lock.bases.insert(("oci:base:\"odd\"".into(), "linux/amd64".parse().unwrap()), base(None));
        lock.bases.insert(("r.example/base:1".into(), "linux/arm64".parse().unwrap()), base(Some(there)));
        let image = |name| ImageName::parse(name).unwrap();
        let platform = |text: &str| text.parse().unwrap();
        lock.layers.insert((image("x"), 1, platform("linux/amd64")), layer(&[0, 2]));
        lock.layers.insert((image("x"), 1, platform("linux/arm64")), layer(&[0, 3]));
        lock.layers.insert((image("y"), 2, platform("linux/amd64")), layer(&[1]));
        lock
    }

    #[test]
    fn a_moment_that_is_said_in_two_ways_is_refused() {
        let text = print(&sample());
        for (date, epoch) in [("2026-09-12T07:55:42Z", "1789199741"), ("2026-09-12T07:55:41Z", "1789199740")] {
            let now = format!("date = \"{date}\"\nepoch = {epoch}");
            let wrong = text.replacen("date = \"2026-09-12T07:55:41Z\"\nepoch = 1789199741", &now, 1);
            assert_ne!(wrong, text);
            let said = parse(Path::new("remint.lock"), &wrong).unwrap_err().to_string();
            assert_eq!(
                said,
                format!("`remint.lock`: `date {date}, epoch {epoch}` is not one moment, as `remint lock` writes it")
            );
        }
    }

    #[test]
    fn a_lock_is_read_back_and_printed_the_same() {
        let lock = sample();
        let text = print(&lock);
        let again = parse(Path::new("remint.lock"), &text).unwrap();
        assert_eq!(again, lock);
        assert_eq!(print(&again), text);
        assert!(text.contains("\n    \"b=2\",\n"), "ambiguous names carry the version: {text}");
        assert!(text.contains("\n    \"b\",\n"), "others do not: {text}");
    }

    #[test]
    fn wrong_lines_are_named() {
        let text = print(&sample());
        for (from, to, named) in [
            ("\"a 1 all trixie", "\"a 1 all", "`a 1 all "),
            ("pool/a_1", "../a_1", "../a_1"),
            ("\n    \"a\",", "\n    \"zzz\",", "`zzz`"),
            ("\"linux/arm64\"", "\"linux/vax\"", "`linux/vax`"),
            ("a 1:2+b1 all", "a 1:2+b1", "`a 1:2+b1`"),
            ("\nmanifest = \"sha256:", "\nmanifest = \"sha512:", "`sha512:"),
            ("format = 1", "format = 2", "format 2"),
            ("2026-09-12", "2026-19-12", "2026-19-12"),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            let error = parse(Path::new("remint.lock"), &text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(named), "{error} names {named}");
        }
    }
}
