//! The native steps against the real maintainer scripts: mmdebstrap makes the same set of packages by running them, as root, and what it
//! leaves behind is compared path by path.

mod compare;
mod linker;
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

/// Packages that call themselves required, but not the archive's index, which is what mmdebstrap asks.
const OVERRIDDEN: [&str; 3] = ["libtext-charwidth-perl", "libtext-wrapi18n-perl", "sensible-utils"];

fn judge(set: &Set) {
    let Some(judge) = Judge::find(set.name, set.suite, set.include) else { return };
    let (root, packages) = Unpacked::from_debs(&judge.debs());
    // mmdebstrap asks apt for what has priority required and for apt itself, beside the essential set.
    let required =
        packages.iter().filter(|p| field(p, "Priority").as_deref() == Some("required")).map(|p| p.name.clone());
    let required = required.filter(|name| !OVERRIDDEN.contains(&name.as_str()));
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
        note(&format!("uncovered: {} {}: {}", uncovered.package, uncovered.script, uncovered.why));
    }
    let ours = root.with(&output);
    let allowed = Allowed::load();
    let report = compare::trees(&ours, &judge.tree(), &allowed, set.name);
    assert!(report.is_empty(), "{} differences in `{}`:\n{}", report.len(), set.name, report.join("\n"));
}

/// What arm64 needs: every script is the same or was read too, and the linker's cache is that of the real ldconfig.
fn foreign(name: &str, suite: &str, judged: &str, include: &[&str]) {
    let Some(native) = Judge::find(judged, suite, include) else { return };
    let Some(debs) = native.debs_for(name, suite, "arm64") else { return };
    let (root, packages) = Unpacked::from_debs(&debs);
    let (requested, users, groups) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    let input = Input {
        arch: Arch::Arm64,
        root: &root,
        packages: &packages,
        requested: &requested,
        users: &users,
        groups: &groups,
    };
    let output = configure(&input).unwrap();
    assert_eq!(output.uncovered, []);
    linker::judge(&root.with(&output), "qemu-aarch64-static");
}

#[test]
fn arm64_has_the_same_scripts_and_a_real_linker_cache() {
    let include = ["python3", "nginx", "ca-certificates", "openssl", "curl"];
    foreign("trixie-arm64", "trixie", "trixie-web", &include);
    foreign("bookworm-arm64", "bookworm", "bookworm-web", &include);
}

/// Says something beside a test's result.
#[expect(clippy::disallowed_macros, reason = "a test has no other screen")]
fn note(text: &str) {
    eprintln!("{text}");
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
fn postgresql_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie-pg", suite: "trixie", include: &["postgresql"] });
    judge(&Set { name: "bookworm-pg", suite: "bookworm", include: &["postgresql"] });
}

#[test]
fn redis_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie-redis", suite: "trixie", include: &["redis-server"] });
}

#[test]
fn toolchains_and_languages_are_what_the_scripts_leave() {
    let include = &["git", "nodejs", "ruby", "perl", "haproxy", "build-essential", "curl", "gawk"];
    judge(&Set { name: "trixie-x", suite: "trixie", include });
}

#[test]
fn apache_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie-apache", suite: "trixie", include: &["apache2"] });
}

#[test]
fn php_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie-php", suite: "trixie", include: &["php-fpm"] });
}

#[test]
fn mariadb_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie-mariadb", suite: "trixie", include: &["mariadb-server"] });
}

#[test]
fn java_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie-java", suite: "trixie", include: &["default-jre-headless"] });
}

#[test]
fn systemd_and_ssh_are_what_the_scripts_leave() {
    judge(&Set { name: "trixie-systemd", suite: "trixie", include: &["systemd", "dbus", "openssh-server"] });
}

#[test]
fn imagemagick_is_what_the_scripts_leave() {
    judge(&Set { name: "trixie-im", suite: "trixie", include: &["imagemagick"] });
}
