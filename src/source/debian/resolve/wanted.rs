//! What was asked for, as releases: names, versions, patterns, and names that only one package provides.

use super::Request;
use super::error::Error;
use super::graph::{NameId, ReleaseId, Spelling};
use super::release::Origin;
use super::state::Solver;
use globset::GlobBuilder;
use std::collections::BTreeMap;

impl<'a> Solver<'a> {
    /// The releases that a request names, in the order of their names, each once.
    pub(super) fn wanted(&mut self, request: &'a Request) -> Result<Vec<ReleaseId>, Error> {
        let mut pins: BTreeMap<&'a str, Option<&'a str>> = BTreeMap::new();
        for wanted in &request.wanted {
            let pin = wanted.version.as_deref();
            let slot = pins.entry(&wanted.name).or_insert(pin);
            match (*slot, pin) {
                (None, Some(_)) => *slot = pin,
                (Some(first), Some(second)) if first != second => {
                    let (first, second) = (first.to_owned(), second.to_owned());
                    return Err(Error::TwoVersions { name: wanted.name.clone(), first, second });
                }
                _ => {}
            }
        }
        if request.essential {
            for name in self.graph.universe.essential() {
                pins.entry(name).or_insert(None);
            }
        }
        let mut releases = Vec::new();
        for (name, pin) in pins {
            let release = self.find(name, pin)?;
            if !releases.contains(&release) {
                releases.push(release);
            }
        }
        Ok(releases)
    }

    fn find(&mut self, name: &'a str, pin: Option<&str>) -> Result<ReleaseId, Error> {
        let id = self.graph.name(name, Spelling::Plain);
        self.catch_up();
        if self.graph.node(id).releases.is_empty() {
            return self.find_provider(id);
        }
        let Some(pattern) = pin else {
            return Ok(self.state(id).candidate.expect("a name with releases has a candidate at first"));
        };
        let releases = self.graph.node(id).releases.clone();
        let found = releases.iter().find(|release| matches(pattern, self.release(**release).version.as_str()));
        found.copied().ok_or_else(|| Error::NoVersion {
            name: name.to_owned(),
            pattern: pattern.to_owned(),
            available: releases.iter().map(|release| self.label(*release)).collect(),
        })
    }

    /// A name that is no package stands for the one package that provides it.
    fn find_provider(&mut self, id: NameId) -> Result<ReleaseId, Error> {
        let providers = self.providers(id);
        let mut owners: Vec<(NameId, ReleaseId)> = providers
            .iter()
            .filter(|p| self.state(p.owner).candidate == Some(p.release))
            .map(|p| (p.owner, p.release))
            .collect();
        owners.sort_unstable();
        owners.dedup();
        let name = self.graph.node(id).name.to_owned();
        match owners.as_slice() {
            [] => Err(self.unknown(name)),
            [(_, release)] => Ok(*release),
            several => {
                let mut providers: Vec<String> =
                    several.iter().map(|(o, _)| self.graph.node(*o).name.to_owned()).collect();
                providers.sort_unstable();
                Err(Error::Virtual { name, providers })
            }
        }
    }

    fn unknown(&self, name: String) -> Error {
        let universe = self.graph.universe;
        let places: Vec<String> = universe.sources().iter().map(|s| format!("{}/{}", s.suite, s.component)).collect();
        let places = format!("{} ({})", places.join(", "), universe.arch());
        let meant = universe.closest_name(&name).map(str::to_owned);
        Error::Unknown { name, places, meant }
    }

    /// A release's version and where it comes from: `1.2-3 in trixie`.
    pub(super) fn label(&self, release: ReleaseId) -> String {
        let release = self.release(release);
        match &release.origin {
            Origin::Archive(at) => format!("{} in {}", release.version, self.graph.universe.sources()[at.source].suite),
            Origin::Installed(..) => format!("{} in the base", release.version),
        }
    }
}

/// Whether a version is the one that was asked for, or fits the pattern.
///
/// As apt (apt-pkg/versionmatch.cc), whose patterns are fnmatch(3)'s and do not tell upper from lower case; a star matches anything.
fn matches(pattern: &str, version: &str) -> bool {
    if pattern.eq_ignore_ascii_case(version) {
        return true;
    }
    let glob = GlobBuilder::new(pattern).case_insensitive(true).literal_separator(false).backslash_escape(true).build();
    // Braces are letters to fnmatch, but no version has them.
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(version))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_apts() {
        for pattern in ["1.22-3", "1.22*", "1.*", "*", "1.2?-3", "1.[12]2-*"] {
            assert!(matches(pattern, "1.22-3"), "{pattern}");
        }
        for pattern in ["1.22", "1.22-", "2*", "1.2?", "", "*4"] {
            assert!(!matches(pattern, "1.22-3"), "{pattern}");
        }
        assert!(matches("1:2.*", "1:2.0~rc1+dfsg-1"));
    }
}
