//! The packages of an image: the lock says which, and what their bytes are; the dpkg database says the rest.

use super::purl;
use crate::attest::contents::{Contents, Installed, Licence};
use crate::attest::trace::Trace;
use crate::lock::PackagePin;
use std::collections::BTreeMap;

/// A package of an image.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// Its architecture in Debian's words.
    pub(super) arch: String,
    /// Its package URL.
    pub(super) purl: String,
    /// Where its bytes were pinned, and by which layer, from 0.
    pub(super) locked: Option<Locked>,
    /// The source package's name, and its version where that is known.
    pub(super) source: Option<(String, Option<String>)>,
    /// Who looks after it.
    pub(super) maintainer: Option<String>,
    /// Where its upstream is.
    pub(super) homepage: Option<String>,
    /// What it is, in a line.
    pub(super) summary: Option<String>,
    /// Under what terms it is, as its copyright file says.
    pub(super) licence: Option<Licence>,
    /// The numbers of the packages that it needs, sorted.
    pub(super) needs: Vec<usize>,
}

/// Where a package's bytes were pinned.
#[derive(Debug, Clone)]
pub(super) struct Locked {
    /// The layer, from 0.
    pub(super) layer: usize,
    /// The archive's table in remint.toml.
    pub(super) archive: String,
    /// The pin.
    pub(super) pin: PackagePin,
}

/// Name, architecture and version: what tells packages of an image apart.
type Identity = (String, String, String);

/// Lists the packages, sorted by name, architecture and version.
pub(super) fn components(contents: &Contents, trace: &Trace) -> Vec<Component> {
    let mut found: BTreeMap<Identity, (Option<Locked>, Option<&Installed>)> = BTreeMap::new();
    for (layer, key, pin) in trace.packages() {
        let identity = identity(&key.name, &key.arch, &key.version);
        let locked = Locked { layer, archive: key.archive.clone(), pin: pin.clone() };
        found.entry(identity).or_default().0.get_or_insert(locked);
    }
    for one in &contents.installed {
        found.entry(identity(&one.name, &one.arch, &one.version)).or_default().1 = Some(one);
    }
    let installed: Vec<Option<&Installed>> = found.values().map(|(_, installed)| *installed).collect();
    let needs = needs(&installed);
    let distribution = contents.release.as_ref();
    let component = |((name, arch, version), (locked, installed)): (Identity, (Option<Locked>, Option<&Installed>))| {
        let suite = locked.as_ref().map(|locked| locked.pin.suite.as_str());
        let distro = match distribution {
            Some(release) => {
                let version = release.version.as_ref().map_or_else(String::new, |version| format!("-{version}"));
                Some(format!("{}{version}", release.id))
            }
            None => suite.map(str::to_owned),
        };
        let namespace = distribution.map(|release| release.id.as_str());
        let namespace = namespace.or(locked.as_ref().map(|locked| locked.archive.as_str())).unwrap_or("debian");
        Component {
            purl: purl::deb(namespace, &name, &version, &arch, distro.as_deref()),
            source: match (installed, &locked) {
                (Some(one), _) => Some((one.source.clone(), Some(one.source_version.clone()))),
                (None, Some(locked)) => source_of_path(&locked.pin.path).map(|source| (source, None)),
                (None, None) => None,
            },
            maintainer: installed.and_then(|one| one.maintainer.clone()),
            homepage: installed.and_then(|one| one.homepage.clone()).filter(|address| is_address(address)),
            summary: installed.and_then(|one| one.summary.clone()),
            licence: contents.copyright(&name).and_then(crate::attest::Copyright::licence),
            needs: Vec::new(),
            locked,
            name,
            version,
            arch,
        }
    };
    let mut all: Vec<Component> = found.into_iter().map(component).collect();
    for (component, needs) in all.iter_mut().zip(needs) {
        component.needs = needs;
    }
    all
}

/// A version has no epoch of 0 that it does not need: dpkg leaves it out.
fn identity(name: &str, arch: &str, version: &str) -> Identity {
    let plain = version.strip_prefix("0:").filter(|rest| !rest.contains(':')).unwrap_or(version);
    (name.to_owned(), arch.to_owned(), plain.to_owned())
}

/// The numbers of those that each package needs: of each group of alternatives the first that is there by its name, else the first that
/// provides one.
fn needs(installed: &[Option<&Installed>]) -> Vec<Vec<usize>> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    let mut provided: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, one) in installed.iter().enumerate() {
        let Some(one) = one else { continue };
        named.entry(&one.name).or_insert(number);
        for name in &one.provides {
            provided.entry(name).or_insert(number);
        }
    }
    let of = |(number, one): (usize, Option<&Installed>)| {
        let groups = one.into_iter().flat_map(|one| &one.needs);
        let find = |all: &BTreeMap<&str, usize>, group: &Vec<String>| {
            group.iter().find_map(|name| all.get(name.as_str()).copied())
        };
        let mut needs: Vec<usize> = groups.filter_map(|group| find(&named, group).or(find(&provided, group))).collect();
        needs.retain(|need| *need != number);
        needs.sort_unstable();
        needs.dedup();
        needs
    };
    installed.iter().copied().enumerate().map(of).collect()
}

/// The source package of a path in an archive's pool: `pool/main/h/hello/…` (Debian's archive layout).
fn source_of_path(path: &str) -> Option<String> {
    let mut parts = path.strip_prefix("pool/")?.rsplit('/').skip(1);
    parts.next().map(str::to_owned)
}

/// Whether a homepage is an address that a document may hold.
fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or(text.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric()) && host.chars().all(plain))
}

impl Component {
    /// What it was built from and where it came from, in a sentence.
    pub(super) fn story(&self) -> Option<String> {
        let source = self.source.as_ref().map(|(name, version)| match version {
            Some(version) => format!("built from source package {name} {version}"),
            None => format!("built from source package {name}"),
        });
        let locked = self.locked.as_ref().map(|Locked { archive, pin, .. }| {
            format!("locked from {} in suite {} of archive {archive}", pin.path, pin.suite)
        });
        let all: Vec<String> = source.into_iter().chain(locked).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(name: &str, needs: &[&[&str]], provides: &[&str]) -> Installed {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Installed {
            name: name.to_owned(),
            arch: "amd64".to_owned(),
            version: "1".to_owned(),
            source: name.to_owned(),
            source_version: "1".to_owned(),
            maintainer: None,
            homepage: None,
            summary: None,
            needs: needs.iter().map(|group| texts(group)).collect(),
            provides: texts(provides),
        }
    }

    #[test]
    fn the_first_alternative_that_is_there_is_needed() {
        let all = [
            installed("a", &[&["none", "c", "b"], &["virtual"], &["a"], &["gone"]], &[]),
            installed("b", &[], &["virtual", "c"]),
            installed("c", &[&["a"], &["a"]], &[]),
        ];
        let all: Vec<Option<&Installed>> = all.iter().map(Some).chain([None]).collect();
        assert_eq!(needs(&all), [vec![1, 2], vec![], vec![0], vec![]]);
    }

    #[test]
    fn addresses_and_paths_are_read_with_care() {
        assert!(is_address("https://www.example.test/a?b#c"));
        for wrong in
            ["", "https://", "ftp://x", "https://a b", "javascript:x", "https://x\n", "https://ü", "https:///x"]
        {
            assert!(!is_address(wrong), "{wrong}");
        }
        assert_eq!(source_of_path("pool/main/h/hello/libhello1_1_amd64.deb").as_deref(), Some("hello"));
        assert_eq!(source_of_path("x.deb"), None);
        assert_eq!(identity("a", "b", "0:1").2, "1");
        assert_eq!(identity("a", "b", "0:1:2").2, "0:1:2");
    }
}
