//! The stanzas of dpkg's `status` (deb-control(5); dpkg(1), "Package states").

use crate::source::debian::{Dependency, Stanza, StanzaError};

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Installed {
    /// Its name.
    pub(crate) name: String,
    /// Its architecture.
    pub(crate) arch: String,
    /// Its version.
    pub(crate) version: String,
    /// The source package's name: its own, unless it says otherwise.
    pub(crate) source: String,
    /// The source package's version: its own, unless it says otherwise.
    pub(crate) source_version: String,
    /// Who looks after it.
    pub(crate) maintainer: Option<String>,
    /// Where its upstream is.
    pub(crate) homepage: Option<String>,
    /// The first line of its description.
    pub(crate) summary: Option<String>,
    /// What it needs: of each group, one.
    pub(crate) needs: Vec<Vec<String>>,
    /// The virtual packages that it is.
    pub(crate) provides: Vec<String>,
}

/// Reads a status file and lists what is installed, sorted by name and architecture.
pub(super) fn installed(bytes: &[u8]) -> Result<Vec<Installed>, StanzaError> {
    let text = String::from_utf8_lossy(bytes);
    let mut packages: Vec<Installed> = Stanza::parse_all(&text)?.iter().filter_map(package).collect();
    packages.sort();
    Ok(packages)
}

fn package(stanza: &Stanza<'_>) -> Option<Installed> {
    let field = |name: &str| stanza.get(name).filter(|value| !value.is_empty());
    // Removed packages keep a stanza for the configuration that they left behind.
    let state = field("Status")?.rsplit(' ').next();
    let there = ["installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"];
    let name = field("Package").filter(|_| state.is_some_and(|state| there.contains(&state)))?;
    let version = field("Version").unwrap_or_default();
    // `Source: name (version)`, where either differs (Debian policy 5.6.1).
    let source = field("Source").unwrap_or(name);
    let (source, source_version) = match source.split_once('(') {
        Some((source, version)) => (source.trim(), version.trim_end_matches(')').trim()),
        None => (source, version),
    };
    let names = |field_name: &str| -> Vec<Vec<String>> {
        let groups = field(field_name).map(Dependency::parse_list).and_then(Result::ok).unwrap_or_default();
        groups.iter().map(|group| group.alternatives.iter().map(|atom| atom.name.to_owned()).collect()).collect()
    };
    let line = |name: &str| field(name).and_then(|value| value.lines().next()).map(str::trim).map(str::to_owned);
    Some(Installed {
        name: name.to_owned(),
        arch: field("Architecture").unwrap_or_default().to_owned(),
        version: version.to_owned(),
        source: source.to_owned(),
        source_version: source_version.to_owned(),
        maintainer: line("Maintainer"),
        homepage: line("Homepage"),
        summary: line("Description"),
        needs: [names("Pre-Depends"), names("Depends")].concat(),
        provides: names("Provides").concat(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_read_and_removed_ones_are_not() {
        let status = "Package: libx1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2:1.0-1+b1\n\
            Source: x (2:1.0-1)\nMaintainer: A <a@b.test>\nHomepage: https://x.test\nProvides: libx (= 1), y\n\
            Pre-Depends: libc6\nDepends: a | b (>= 1), c\nDescription: short\n long\n\n\
            Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
            Package: a\nStatus: install ok unpacked\nVersion: 1\n";
        let all = installed(status.as_bytes()).unwrap();
        assert_eq!(all.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["a", "libx1"]);
        let one = &all[1];
        assert_eq!((&*one.source, &*one.source_version, &*one.version), ("x", "2:1.0-1", "2:1.0-1+b1"));
        assert_eq!(one.needs, [vec!["libc6"], vec!["a", "b"], vec!["c"]]);
        assert_eq!(one.provides, ["libx", "y"]);
        assert_eq!((one.summary.as_deref(), one.homepage.as_deref()), (Some("short"), Some("https://x.test")));
        assert_eq!((&*all[0].source, &*all[0].source_version), ("a", "1"));
        assert!(installed(b"what is this").is_err());
        assert_eq!(installed(b""), Ok(vec![]));
    }
}
