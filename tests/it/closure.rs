//! The closure against apt itself: for each line of `closure/sets.txt`, the same packages in the same versions as
//! `apt-get -s --no-install-recommends install` chooses over the very same indices.

mod apt;
mod random;
mod sets;

use crate::support::judge;
use apt::{AptRoot, Inst};
use remint::recipe::PackageRequest;
use remint::source::debian::resolve::{InstalledPackage, Request, Source, Universe, resolve};
use remint::source::debian::{PackagesIndex, Version};
use sets::Set;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The indices that apt verified and unpacked, as this crate reads them.
struct Indices(Vec<(String, PackagesIndex)>);

impl Indices {
    fn read(root: &AptRoot) -> Self {
        let read = |(suite, path): (String, std::path::PathBuf)| {
            let text = std::fs::read(&path).unwrap();
            (suite, PackagesIndex::parse(text).unwrap())
        };
        Self(root.indices().into_iter().map(read).collect())
    }

    fn universe<'a>(&'a self, arch: &'a str) -> Universe<'a> {
        let source = |(suite, index): &'a (String, PackagesIndex)| Source { suite, component: "main", index };
        Universe::new(arch, self.0.iter().map(source).collect())
    }
}

/// Our answer: each package's version by its name, or the error's text.
fn ours(
    universe: &Universe<'_>,
    wanted: &[String],
    essential: bool,
    installed: &[InstalledPackage],
) -> Result<BTreeMap<String, String>, String> {
    let request = Request {
        wanted: wanted.iter().map(|text| request(text)).collect(),
        essential,
        dependencies: true,
        installed: installed.to_vec(),
    };
    let chosen = resolve(universe, &request).map_err(|error| error.to_string())?;
    Ok(chosen.iter().map(|at| (at.package.name().to_owned(), at.package.version_text().to_owned())).collect())
}

fn request(text: &str) -> PackageRequest {
    match text.split_once('=') {
        None => PackageRequest { name: text.to_owned(), version: None },
        Some((name, version)) => PackageRequest { name: name.to_owned(), version: Some(version.to_owned()) },
    }
}

/// What the base of a set has: our closure of it, as a lock would have it, and as dpkg's status.
fn base(universe: &Universe<'_>, names: &[String]) -> Option<(Vec<InstalledPackage>, String)> {
    let wanted = names.iter().map(|text| request(text)).collect();
    let request = Request { wanted, essential: false, dependencies: true, installed: Vec::new() };
    let (mut installed, mut status) = (Vec::new(), String::new());
    for at in resolve(universe, &request).ok()? {
        let package = at.package;
        installed.push(InstalledPackage {
            name: package.name().to_owned(),
            version: Version::parse(package.version_text()).unwrap(),
            arch: package.arch().to_owned(),
            control: package.stanza().to_owned(),
            bare: false,
        });
        writeln!(status, "{}\nStatus: install ok installed\n", package.stanza()).unwrap();
    }
    Some((installed, status))
}

/// What comes of one set.
enum Outcome {
    /// The same packages in the same versions: how many.
    Same(usize),
    /// Neither installs anything; our reason.
    Refused(String),
    /// How the answers differ.
    Differs(String),
}

/// Compares one set.
fn compare(root: &AptRoot, universe: &Universe<'_>, set: &Set) -> Outcome {
    let mut wanted = set.packages.clone();
    wanted.sort_unstable();
    let (installed, status) = base(universe, &set.base).expect("the base of a set can be installed");
    let mut asked = wanted.clone();
    if set.essential {
        asked.extend(universe.essential().into_iter().map(str::to_owned));
        asked.sort_unstable();
        asked.dedup();
    }
    let theirs = root.install(&asked, &status);
    let ours = ours(universe, &wanted, set.essential, &installed);
    compare_answers(theirs, ours)
}

fn compare_answers(theirs: Result<Vec<Inst>, String>, ours: Result<BTreeMap<String, String>, String>) -> Outcome {
    match (theirs, ours) {
        (Err(_), Err(error)) => Outcome::Refused(error),
        (Ok(theirs), Ok(ours)) => difference(&theirs, &ours).map_or(Outcome::Same(ours.len()), Outcome::Differs),
        (Ok(theirs), Err(error)) => {
            Outcome::Differs(format!("apt installs {} packages, we say: {error}", theirs.len()))
        }
        (Err(error), Ok(ours)) => Outcome::Differs(format!("we install {} packages, apt says: {error}", ours.len())),
    }
}

fn difference(theirs: &[Inst], ours: &BTreeMap<String, String>) -> Option<String> {
    let theirs: BTreeMap<&str, &str> = theirs.iter().map(|inst| (inst.name.as_str(), inst.version.as_str())).collect();
    let mut text = String::new();
    for (name, version) in &theirs {
        match ours.get(*name) {
            None => write!(text, " -{name}").unwrap(),
            Some(other) if other != version => write!(text, " {name}: apt {version}, we {other}").unwrap(),
            Some(_) => {}
        }
    }
    for name in ours.keys().filter(|name| !theirs.contains_key(name.as_str())) {
        write!(text, " +{name}").unwrap();
    }
    (!text.is_empty()).then(|| format!("of {}:{text}", theirs.len()))
}

/// Plain test runs use no network: this one asks the host's mirror, and apt many times.
fn judge(release: &str, arch: &str) {
    if !judges_required() {
        return judge::skipped(&format!(
            "closures of {release} {arch}: set REMINT_TEST_REQUIRE_JUDGES to ask apt and the mirror"
        ));
    }
    let Some(root) = AptRoot::open(release, arch) else { return };
    let indices = Indices::read(&root);
    let universe = indices.universe(arch);
    let all: Vec<Set> = sets::all().into_iter().filter(|set| set.is_for(release, arch)).collect();
    let sets = if judge::long() { all } else { spread(all, if arch == "amd64" { 72 } else { 24 }) };
    let (mut same, mut bad, mut cured) = (0, String::new(), String::new());
    for set in &sets {
        let name = &set.name;
        match (compare(&root, &universe, set), &set.known) {
            (Outcome::Differs(how), None) => writeln!(bad, "{name}: {how}").unwrap(),
            (Outcome::Differs(how), Some(reason)) => report(&format!("{name}: known ({reason}): {how}")),
            (Outcome::Same(_) | Outcome::Refused(_), Some(_)) => {
                writeln!(cured, "{name}: agrees, but is listed as known").unwrap();
            }
            (Outcome::Refused(why), None) => report(&format!("{name}: both refuse: {why}")),
            (Outcome::Same(count), None) => {
                report(&format!("{name}: {count}"));
                same += 1;
            }
        }
    }
    report(&format!("{release} {arch}: {same} of {} sets installed alike", sets.len()));
    assert!(bad.is_empty() && cured.is_empty(), "{release} {arch}, {} sets:\n{bad}{cured}", sets.len());
    assert!(same >= if arch == "amd64" { 60 } else { 20 }, "{release} {arch}: only {same} sets");
}

/// So many sets of the list, evenly from its beginning to its end: asking apt for all takes a quarter of an hour.
fn spread(all: Vec<Set>, most: usize) -> Vec<Set> {
    let count = all.len();
    let taken = |at: usize| count <= most || (at * most) / count != ((at + 1) * most) / count;
    all.into_iter().enumerate().filter(|(at, _)| taken(*at)).map(|(_, set)| set).collect()
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says whether judges are asked")]
fn judges_required() -> bool {
    std::env::var_os("REMINT_TEST_REQUIRE_JUDGES").is_some()
}

#[expect(clippy::disallowed_macros, reason = "a test's report")]
fn report(line: &str) {
    println!("{line}");
}

#[test]
fn trixie_amd64_is_apts() {
    judge("trixie", "amd64");
}

#[test]
fn trixie_arm64_is_apts() {
    judge("trixie", "arm64");
}

#[test]
fn bookworm_amd64_is_apts() {
    judge("bookworm", "amd64");
}

#[test]
fn bookworm_arm64_is_apts() {
    judge("bookworm", "arm64");
}
