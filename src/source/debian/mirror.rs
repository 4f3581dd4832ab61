//! Mirrors: at which base addresses the suites of an archive are.

use super::apt_sources::{AptEntry, parse as parse_sources};
use crate::source::fetch::Url;

/// Where packages come from, by the first of: what the project says, what the environment says, what the host's apt says.
#[derive(Debug, Clone)]
pub struct Mirrors(Origin);

#[derive(Debug, Clone)]
enum Origin {
    /// Bases that someone named for this purpose.
    Named(Vec<Url>),
    /// What the host's apt uses.
    Host {
        entries: Vec<AptEntry>,
        /// What was in the host's files and cannot be used, with the reason.
        skipped: Vec<String>,
    },
}

/// Why there is no mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// An address that was named is none that can be used.
    #[error("{from} names a mirror that cannot be used: {why}")]
    Address {
        /// Who named it: `mirror` or `REMINT_DEBIAN_MIRROR`.
        from: &'static str,
        /// Why it cannot be used.
        why: String,
    },
    /// Nothing names one.
    #[error("nothing says where the packages of `{suite}` are{}", listed(.skipped))]
    None {
        /// The suite.
        suite: String,
        /// What the host's apt sources name that cannot be used, with the reason.
        skipped: Vec<String>,
    },
}

impl MirrorError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "set `mirror = \"https://…/debian\"` in remint.toml under [archive.debian], or REMINT_DEBIAN_MIRROR in the environment"
    }
}

impl Mirrors {
    /// Decides who names the mirrors.
    ///
    /// `configured` is the project's list, `environment` the value of `REMINT_DEBIAN_MIRROR` (addresses divided by spaces), `host` the
    /// names and contents of the files `sources.list` and `sources.list.d/*` of the host's apt.
    pub fn new(
        configured: &[String],
        environment: Option<&str>,
        host: &[(String, String)],
    ) -> Result<Self, MirrorError> {
        if !configured.is_empty() {
            return named("`mirror`", configured.iter().map(String::as_str));
        }
        let environment = environment.unwrap_or_default();
        if !environment.trim().is_empty() {
            return named("`REMINT_DEBIAN_MIRROR`", environment.split_whitespace());
        }
        let (mut entries, mut skipped) = (Vec::new(), Vec::new());
        for (name, content) in host {
            parse_sources(name, content, &mut entries, &mut skipped);
        }
        Ok(Self(Origin::Host { entries, skipped }))
    }

    /// The base addresses that may have a suite, best first: below each stand `dists/` and `pool/`.
    pub fn bases(&self, suite: &str) -> Result<Vec<Url>, MirrorError> {
        let security = is_security(suite);
        let mut bases = match &self.0 {
            Origin::Named(named) => named.iter().flat_map(|base| beside(base, security)).collect(),
            Origin::Host { entries, skipped } => {
                let exact: Vec<Url> = entries.iter().filter(|e| e.suite == suite).map(|e| e.base.clone()).collect();
                let kind =
                    || entries.iter().filter(|e| is_security(&e.suite) == security).map(|e| e.base.clone()).collect();
                let bases: Vec<Url> = if exact.is_empty() { kind() } else { exact };
                if bases.is_empty() {
                    return Err(MirrorError::None { suite: suite.to_owned(), skipped: skipped.clone() });
                }
                bases
            }
        };
        // Of several, those come first that are called what they have to be: a host's apt may also name archives of third parties.
        let expected = if security { "debian-security" } else { "debian" };
        bases.sort_by_key(|base| base.last() != expected);
        let mut seen: Vec<Url> = Vec::new();
        bases.retain(|base| {
            let new = !seen.contains(base);
            seen.push(base.clone());
            new
        });
        Ok(bases)
    }
}

fn named<'a>(from: &'static str, bases: impl Iterator<Item = &'a str>) -> Result<Mirrors, MirrorError> {
    let parse = |base| Url::parse(base).map_err(|why| MirrorError::Address { from, why: why.to_string() });
    bases.map(parse).collect::<Result<_, _>>().map(|bases| Mirrors(Origin::Named(bases)))
}

/// A named base, and the one beside it where Debian's mirrors keep the other kind of archive.
fn beside(base: &Url, security: bool) -> Vec<Url> {
    match (base.last(), security) {
        ("debian", true) => vec![base.sibling("debian-security"), base.clone()],
        ("debian-security", false) => vec![base.sibling("debian"), base.clone()],
        _ => vec![base.clone()],
    }
}

/// Whether a suite is of the security archive: `trixie-security`, and `buster/updates` as it was called until 2021.
pub(super) fn is_security(suite: &str) -> bool {
    suite.ends_with("-security") || suite.ends_with("/updates")
}

fn listed(skipped: &[String]) -> String {
    if skipped.is_empty() { String::new() } else { format!(" (not used: {})", skipped.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(mirrors: &Mirrors, suite: &str) -> Vec<String> {
        mirrors.bases(suite).unwrap().iter().map(ToString::to_string).collect()
    }

    fn host(files: &[(&str, &str)]) -> Mirrors {
        let files: Vec<_> = files.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect();
        Mirrors::new(&[], None, &files).unwrap()
    }

    #[test]
    fn the_project_goes_before_the_environment_before_the_host() {
        let files = [("sources.list".to_owned(), "deb http://host.test/debian trixie main".to_owned())];
        let of = |configured: &[String], environment| Mirrors::new(configured, environment, &files).unwrap();
        let project = ["http://project.test/debian".to_owned()];
        assert_eq!(bases(&of(&project, Some("http://env.test/debian")), "trixie"), ["http://project.test/debian"]);
        let environment = of(&[], Some(" http://env.test/debian  file:///srv/debian/ "));
        assert_eq!(bases(&environment, "trixie"), ["http://env.test/debian", "/srv/debian"]);
        assert_eq!(bases(&of(&[], Some(" ")), "trixie"), ["http://host.test/debian"]);
        assert!(Mirrors::new(&["nonsense".to_owned()], None, &[]).is_err());
    }

    #[test]
    fn security_stands_beside_main() {
        let one = Mirrors::new(&[], Some("http://a.test/debian"), &[]).unwrap();
        assert_eq!(bases(&one, "trixie-security"), ["http://a.test/debian-security", "http://a.test/debian"]);
        assert_eq!(bases(&one, "trixie-updates"), ["http://a.test/debian"]);
        let all = Mirrors::new(&[], Some("http://a.test/all"), &[]).unwrap();
        assert_eq!(bases(&all, "trixie-security"), ["http://a.test/all"]);
        let both = Mirrors::new(&[], Some("http://a.test/debian-security http://b.test/debian"), &[]).unwrap();
        assert_eq!(bases(&both, "trixie")[..2], ["http://a.test/debian", "http://b.test/debian"]);
        assert_eq!(bases(&both, "x-security")[..2], ["http://a.test/debian-security", "http://b.test/debian-security"]);
    }

    #[test]
    fn the_host_names_the_suite_or_the_archive() {
        let mirrors = host(&[
            ("third.list", "deb http://third.test/x nodistro main"),
            (
                "sources.list",
                "deb http://a.test/debian bookworm main\ndeb http://a.test/debian-security bookworm-security main",
            ),
            ("t.sources", "Types: deb\nURIs: http://b.test/debian\nSuites: trixie\nComponents: main\n"),
        ]);
        assert_eq!(bases(&mirrors, "trixie"), ["http://b.test/debian"]);
        assert_eq!(bases(&mirrors, "trixie-security"), ["http://a.test/debian-security"]);
        assert_eq!(bases(&mirrors, "sid"), ["http://a.test/debian", "http://b.test/debian", "http://third.test/x"]);
    }

    #[test]
    fn nothing_is_an_error_that_says_what_was_not_used() {
        let error = host(&[("sources.list", "deb cdrom:[Debian 13]/ trixie main")]).bases("trixie").unwrap_err();
        assert!(error.to_string().contains("sources.list") && error.to_string().contains("cdrom"), "{error}");
        assert!(error.hint().contains("REMINT_DEBIAN_MIRROR"));
    }
}
