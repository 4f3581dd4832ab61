//! Small archives made at random, full of alternatives, virtual packages and conflicts, in which apt and we have to choose alike.
//!
//! Real archives are kind: their closures seldom conflict. These are not.

use super::apt::AptRoot;
use super::{Outcome, compare_answers, ours, report};
use crate::support::judge;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use remint::source::debian::PackagesIndex;
use remint::source::debian::resolve::{Source, Universe};
use std::fmt::Write as _;

/// Alternatives: numbers of names, and bounds on versions.
type Group = Vec<(usize, Option<(&'static str, u8)>)>;

/// One package of a random archive.
#[derive(Debug, Clone)]
struct Made {
    version: u8,
    fields: Vec<(&'static str, Vec<Group>)>,
    provides: Vec<(usize, Option<u8>)>,
    priority: &'static str,
    essential: bool,
    multi_arch: &'static str,
    /// The source package, if it is not of the same name: sources are upgraded together.
    source: &'static str,
}

const PACKAGES: usize = 9;
const VIRTUAL: usize = 3;
const OPS: [&str; 5] = ["<<", "<=", "=", ">=", ">>"];

fn name(number: usize) -> String {
    // Names of several lengths, so that no order is the alphabet's by chance.
    let stem =
        ["kiwi", "ash", "plum-core", "fig", "lib-oak", "yew", "elm", "maple", "rowan", "v-mail", "v-http", "v-awk"];
    stem[number % stem.len()].to_owned()
}

fn bound() -> impl Strategy<Value = Option<(&'static str, u8)>> {
    prop_oneof![9 => Just(None), 1 => (prop::sample::select(&OPS[..]), 1_u8..4).prop_map(Some)]
}

fn made() -> impl Strategy<Value = Made> {
    let target = 0..PACKAGES + VIRTUAL;
    let group = prop::collection::vec((target.clone(), bound()), 1..4).boxed();
    let depends = prop::collection::vec(group.clone(), 0..3);
    let few = prop::collection::vec(group, 0..2).boxed();
    let negative = prop::collection::vec(prop::collection::vec((target, bound()), 1..2), 1..3);
    let negative = prop_oneof![5 => Just(Vec::new()), 1 => negative].boxed();
    let provides = prop::collection::vec((PACKAGES - 2..PACKAGES + VIRTUAL, prop::option::of(1_u8..4)), 0..3);
    let priority = prop::sample::select(&["required", "important", "standard", "optional", "optional", "extra"][..]);
    (
        1_u8..4,
        depends,
        few.clone(),
        negative.clone(),
        negative,
        few,
        provides,
        priority,
        (
            prop::bool::weighted(0.05),
            prop::sample::select(&["no", "same", "foreign", "allowed"][..]),
            prop::sample::select(&["", "one", "two"][..]),
        ),
    )
        .prop_map(
            |(
                version,
                depends,
                pre,
                conflicts,
                breaks,
                wishes,
                provides,
                priority,
                (essential, multi_arch, source),
            )| Made {
                version,
                fields: vec![
                    ("Depends", depends),
                    ("Pre-Depends", pre.into_iter().filter(|g| g.len() == 3).collect()),
                    ("Conflicts", conflicts),
                    ("Breaks", breaks),
                    ("Suggests", wishes.clone().into_iter().filter(|g| g.len() == 2).collect()),
                    ("Recommends", wishes),
                ],
                provides,
                priority,
                essential,
                multi_arch,
                source,
            },
        )
}

/// The text of an index; `after` stands behind each version.
fn index(packages: &[Made], after: &str) -> String {
    let mut text = String::new();
    for (number, made) in packages.iter().enumerate() {
        let name = name(number % PACKAGES);
        write!(
            text,
            "Package: {name}\nVersion: {}{after}\nArchitecture: amd64\nPriority: {}\n",
            made.version, made.priority
        )
        .unwrap();
        if made.essential {
            text += "Essential: yes\n";
        }
        writeln!(text, "Multi-Arch: {}", made.multi_arch).unwrap();
        if !made.source.is_empty() {
            writeln!(text, "Source: {} (1)", made.source).unwrap();
        }
        for (field, groups) in &made.fields {
            let atom = |(target, bound): &(usize, Option<(&str, u8)>)| {
                let bound = bound.map_or(String::new(), |(op, version)| format!(" ({op} {version})"));
                let any =
                    if (target + usize::from(made.version)) % 7 == 0 && *field == "Depends" { ":any" } else { "" };
                format!("{}{any}{bound}", self::name(*target))
            };
            let groups: Vec<String> =
                groups.iter().map(|g| g.iter().map(atom).collect::<Vec<_>>().join(" | ")).collect();
            if !groups.is_empty() {
                writeln!(text, "{field}: {}", groups.join(", ")).unwrap();
            }
        }
        let provided = |(target, version): &(usize, Option<u8>)| {
            format!("{}{}", self::name(*target), version.map_or(String::new(), |v| format!(" (= {v})")))
        };
        let provides: Vec<String> = made.provides.iter().map(provided).collect();
        if !provides.is_empty() {
            writeln!(text, "Provides: {}", provides.join(", ")).unwrap();
        }
        let file = format!("pool/{name}_{}_{number}.deb", made.version);
        writeln!(text, "Filename: {file}\nSize: {}\nSHA256: {number:064x}\n", number + 1).unwrap();
    }
    text
}

/// An archive, what is wanted of it, an older archive, and what the base has of that.
type Question = (Vec<Made>, Vec<usize>, Vec<Made>, Vec<usize>);

fn question() -> impl Strategy<Value = Question> {
    let packages = prop::collection::vec(made(), PACKAGES..PACKAGES + 3);
    let wanted = prop::collection::vec(0..PACKAGES, 1..4);
    let base = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(0..PACKAGES, 1..3)];
    (packages, wanted, prop::collection::vec(made(), PACKAGES), base)
}

fn names(numbers: &[usize]) -> Vec<String> {
    let mut names: Vec<String> = numbers.iter().map(|n| name(*n)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn random_archives_are_resolved_as_apt_does() {
    let root = match AptRoot::local() {
        Ok(root) => root,
        Err(why) => {
            judge::missing(&why);
            return;
        }
    };
    let cases = 300;
    // The same archives at every run: a failure can be looked at.
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let counts = std::cell::Cell::new((0, 0));
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&question(), |(packages, wanted, old, base)| {
        let text = index(&packages, "");
        let parsed = PackagesIndex::parse(text.clone().into_bytes()).unwrap();
        let universe = Universe::new("amd64", vec![Source { suite: "random", component: "main", index: &parsed }]);
        let root = root.with_index(&text).map_err(TestCaseError::fail)?;
        let (wanted, base) = (names(&wanted), names(&base));
        let (installed, status) = {
            // Its versions are never the archive's: some are newer, some older.
            let old = PackagesIndex::parse(index(&old, ".5").into_bytes()).unwrap();
            let universe = Universe::new("amd64", vec![Source { suite: "old", component: "main", index: &old }]);
            super::base(&universe, &base).unwrap_or_default()
        };
        let theirs = root.install(&wanted, &status);
        // apt chose, and then found no order for dpkg; that is no answer to the question.
        if theirs.as_ref().is_err_and(|text| text.contains(" newly installed, ")) {
            return Ok(());
        }
        let outcome = compare_answers(theirs, ours(&universe, &wanted, false, &installed));
        let (same, refused) = counts.get();
        match outcome {
            Outcome::Same(_) => counts.set((same + 1, refused)),
            Outcome::Refused(_) => counts.set((same, refused + 1)),
            Outcome::Differs(how) => {
                return Err(TestCaseError::fail(format!("{wanted:?} on {base:?}: {how}\n{text}\nbase:\n{status}")));
            }
        }
        Ok(())
    });
    let (same, refused) = counts.get();
    report(&format!("random archives: {same} installed alike, {refused} refused by both"));
    // The reason has the archive as apt reads it; the value's own form would only repeat it.
    match result {
        Ok(()) => {}
        Err(TestError::Abort(reason) | TestError::Fail(reason, _)) => panic!("{reason}"),
    }
    assert!(
        same >= cases / 4 && refused >= cases / 10,
        "{same} installed, {refused} refused: the archives are too tame or too wild"
    );
}
