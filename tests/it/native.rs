//! The native steps against the real maintainer scripts: mmdebstrap makes the same set of packages by running them, as root, and what it
//! leaves behind is compared path by path.

mod compare;
mod mmdebstrap;
mod unpack;

use compare::Allowed;
use mmdebstrap::Judge;
use remint::native::{Input, Package, configure};
use remint::oci::Arch;
use std::collections::{BTreeMap, BTreeSet};
use unpack::Unpacked;

/// A set of packages: the judge's directory, the suite, and what is included beyond minbase.
struct Set {
    name: &'static str,
    suite: &'static str,
    include: &'static [&'static str],
}

fn judge(set: &Set) {
    let Some(judge) = Judge::find(set.name, set.suite, set.include) else { return };
    let (root, packages) = Unpacked::from_debs(&judge.debs());
    // mmdebstrap asks apt for what has priority required and for apt itself, beside the essential set.
    let required =
        packages.iter().filter(|p| field(p, "Priority").as_deref() == Some("required")).map(|p| p.name.clone());
    let wanted = set.include.iter().map(|name| (*name).to_owned()).chain(["apt".to_owned()]);
    let requested: BTreeSet<String> = required.chain(wanted).collect();
    let (users, groups) = (BTreeMap::new(), BTreeMap::new());
    let input = Input {
        arch: Arch::Amd64,
        root: &root,
        packages: &packages,
        requested: &requested,
        users: &users,
        groups: &groups,
    };
    let output = configure(&input).unwrap();
    for uncovered in &output.uncovered {
        eprintln!("uncovered: {} {}: {}", uncovered.package, uncovered.script, uncovered.why);
    }
    let ours = root.with(&output);
    let allowed = Allowed::load();
    let report = compare::trees(&ours, &judge.tree(), &allowed, set.name);
    assert!(report.is_empty(), "{} differences in `{}`:\n{}", report.len(), set.name, report.join("\n"));
}

fn field(package: &Package, name: &str) -> Option<String> {
    let control = String::from_utf8_lossy(&package.control["control"]).into_owned();
    control.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
}

#[test]
fn trixie_minbase_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie", suite: "trixie", include: &[] });
}

#[test]
fn trixie_web_is_what_the_scripts_leave() {
    judge(&Set {
        name: "trixie-web",
        suite: "trixie",
        include: &["python3", "nginx", "ca-certificates", "openssl", "curl"],
    });
}

#[test]
fn bookworm_minbase_is_what_the_scripts_leave() {
    judge(&Set { name: "bookworm", suite: "bookworm", include: &[] });
}

#[test]
fn bookworm_web_is_what_the_scripts_leave() {
    judge(&Set {
        name: "bookworm-web",
        suite: "bookworm",
        include: &["python3", "nginx", "ca-certificates", "openssl", "curl"],
    });
}

#[test]
fn trixie_databases_are_what_the_scripts_leave() {
    judge(&Set { name: "trixie-pg", suite: "trixie", include: &["postgresql", "redis-server"] });
}
