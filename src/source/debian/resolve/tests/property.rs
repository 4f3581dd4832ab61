//! Whatever the archive, what comes out is consistent: every relation satisfied, nothing that excludes another, only what is new.

use super::super::{InstalledPackage, Request, Source, Universe, resolve};
use super::{index, requests};
use crate::source::debian::{Atom, Package, PackagesIndex, Version};
use proptest::prelude::*;

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "v", "w", "x"];

fn atom() -> impl Strategy<Value = String> {
    let bound = prop_oneof![4 => Just(""), 1 => Just(" (>= 2)"), 1 => Just(" (<< 2)"), 1 => Just(" (= 2)")];
    (prop::sample::select(&NAMES[..]), prop_oneof![9 => Just(""), 1 => Just(":any")], bound)
        .prop_map(|(n, a, b)| format!("{n}{a}{b}"))
}

fn line() -> impl Strategy<Value = String> {
    let group = prop::collection::vec(atom(), 1..3).prop_map(|atoms| atoms.join(" | "));
    let list = |most| prop::collection::vec(atom(), 0..most).prop_map(|list| list.join(", "));
    let depends = prop::collection::vec(group, 0..3).prop_map(|list| list.join(", "));
    let provides = prop::collection::vec(prop::sample::select(&["v", "w (= 1)", "w (= 2)", "e"][..]), 0..2);
    let kind = prop::sample::select(&["no", "same", "foreign", "allowed"][..]);
    (prop::sample::select(&NAMES[..6]), 1..4, depends, list(2), list(2), provides, kind).prop_map(
        |(n, v, d, c, b, p, m)| {
            let fields = [
                ("Depends", d),
                ("Conflicts", c),
                ("Breaks", b),
                ("Provides", p.join(", ")),
                ("Multi-Arch", m.to_owned()),
            ];
            let fields = fields
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(field, value)| format!("; {field}: {value}"));
            format!("{n} {v}{}", fields.collect::<String>())
        },
    )
}

/// Whether a package answers to an atom, by the definition and without the resolver's tables.
fn answers(package: &Package<'_>, atom: &Atom<'_>) -> bool {
    let allowed = package.multi_arch() == crate::source::debian::MultiArch::Allowed;
    let holds = |version: &Version| atom.relation.as_ref().is_none_or(|relation| relation.holds(version));
    let any_is_good = atom.arch.is_none() || allowed;
    if package.name() == atom.name && any_is_good && holds(&package.version()) {
        return true;
    }
    package.provides().unwrap().iter().flat_map(|d| &d.alternatives).any(|provided| {
        let version = provided.relation.as_ref().map(|relation| &relation.version);
        provided.name == atom.name && any_is_good && (atom.relation.is_none() || version.is_some_and(holds))
    })
}

fn check(all: &[Package<'_>]) -> Result<(), TestCaseError> {
    for package in all {
        for need in package.depends().unwrap().iter().chain(&package.pre_depends().unwrap()) {
            let satisfied = need.alternatives.iter().any(|atom| all.iter().any(|other| answers(other, atom)));
            prop_assert!(satisfied, "{} needs {need}", package.name());
        }
        for need in package.conflicts().unwrap().iter().chain(&package.breaks().unwrap()) {
            let others = || all.iter().filter(|other| other.name() != package.name());
            let excluded = need.alternatives.iter().any(|atom| others().any(|other| answers(other, atom)));
            prop_assert!(!excluded, "{} excludes {need}", package.name());
        }
    }
    Ok(())
}

fn ask<'a>(universe: &Universe<'a>, wanted: &str, installed: &[InstalledPackage]) -> Option<Vec<Package<'a>>> {
    let request =
        Request { wanted: requests(wanted), essential: false, dependencies: true, installed: installed.to_vec() };
    Some(resolve(universe, &request).ok()?.iter().map(|at| at.package).collect())
}

fn universe(index: &PackagesIndex) -> Universe<'_> {
    Universe::new("amd64", vec![Source { suite: "s", component: "main", index }])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_closure_is_consistent(lines in prop::collection::vec(line(), 1..9), first in 0..6_usize, second in 0..6_usize) {
        let index = index(&lines.join("\n"));
        let universe = universe(&index);
        let wanted = format!("{} {}", NAMES[first], NAMES[second]);
        let Some(closure) = ask(&universe, &wanted, &[]) else { return Ok(()) };
        check(&closure)?;
        let mut names: Vec<&str> = closure.iter().map(Package::name).collect();
        let sorted = names.clone();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(sorted, names);

        // In two steps: what the first installs is the base of the second, and nothing is installed twice.
        let Some(base) = ask(&universe, NAMES[first], &[]) else { return Ok(()) };
        let installed: Vec<InstalledPackage> = base.iter().map(|p| super::installed(p.name(), p.version_text(), "")).collect();
        let Some(more) = ask(&universe, &wanted, &installed) else { return Ok(()) };
        let replaced = |p: &&Package<'_>| more.iter().any(|new| new.name() == p.name());
        prop_assert!(!base.iter().any(|p| more.iter().any(|new| new.name() == p.name() && new.version() == p.version())));
        let kept = base.iter().filter(|p| !replaced(p));
        check(&kept.chain(&more).copied().collect::<Vec<_>>())?;
    }

    #[test]
    fn the_result_does_not_depend_on_what_is_out_of_reach(lines in prop::collection::vec(line(), 1..9), first in 0..6_usize) {
        let (one, two) = (index(&lines.join("\n")), index(&format!("{}\nzz 1; Depends: zy, gone\nzy 2", lines.join("\n"))));
        let names = |index: &PackagesIndex| {
            ask(&universe(index), NAMES[first], &[]).map(|list| list.iter().map(|p| p.name().to_owned()).collect::<Vec<_>>())
        };
        prop_assert_eq!(names(&one), names(&two));
    }
}
