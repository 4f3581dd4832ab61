//! The native steps against the real maintainer scripts: mmdebstrap makes the same set of packages by running them, as root, and what it
//! leaves behind is compared path by path.

mod accounts;
mod compare;
mod linker;
mod mmdebstrap;
mod unpack;

use compare::{Allowed, Ids};
use mmdebstrap::Judge;
use remint::native::{Input, Output, Package, Uncovered, configure, forecast, listed, scripts_read};
use remint::oci::Arch;
use remint::recipe::{AccountName, User};
use std::collections::{BTreeMap, BTreeSet};
use unpack::Unpacked;

/// No users or groups of a recipe's own.
static NO_USERS: BTreeMap<AccountName, User> = BTreeMap::new();
static NO_GROUPS: BTreeMap<AccountName, u32> = BTreeMap::new();

/// What web servers and scripts need.
const WEB: [&str; 5] = ["python3", "nginx", "ca-certificates", "openssl", "curl"];

/// Packages that call themselves required, but not the archive's index, which is what mmdebstrap asks.
const OVERRIDDEN: [&str; 3] = ["libtext-charwidth-perl", "libtext-wrapi18n-perl", "sensible-utils"];

/// All packages of all sets in one system.
const UNION: [&str; 24] = [
    "apache2",
    "build-essential",
    "ca-certificates",
    "curl",
    "dbus",
    "default-jre-headless",
    "exim4-daemon-light",
    "gawk",
    "gcc",
    "git",
    "haproxy",
    "imagemagick",
    "mariadb-server",
    "nginx",
    "nodejs",
    "openssh-server",
    "openssl",
    "perl",
    "php-fpm",
    "postgresql",
    "python3",
    "redis-server",
    "ruby",
    "systemd",
];

/// The sets that every run with judges compares: in trixie all packages, in bookworm what the issue of the project asks for. The others
/// hold the same packages in smaller sets, where the numbers of users and groups are compared too, and are for `REMINT_TEST_LONG`.
const SHORT: [&str; 6] = ["trixie", "trixie-web", "trixie-all", "bookworm", "bookworm-web", "bookworm-pg"];

/// Judges a set in both suites.
fn both(name: &str, include: &[&str]) {
    judge("trixie", name, include, Ids::Exact);
    judge("bookworm", name, include, Ids::Exact);
}

/// Judges a set, which has a name, in a suite: what minbase and the packages beyond it leave.
fn judge(suite: &str, name: &str, include: &[&str], ids: Ids) {
    let name = if name.is_empty() { suite.to_owned() } else { format!("{suite}-{name}") };
    if !SHORT.contains(&&*name) && !crate::support::judge::long() {
        return note(&format!("skipped: REMINT_TEST_LONG compares `{name}` too"));
    }
    let Some(judge) = Judge::find(&name, suite, include) else { return };
    let (root, packages) = Unpacked::from_debs(&judge.debs());
    let wanted = include.iter().map(|name| (*name).to_owned()).chain(["apt".to_owned()]);
    let requested: BTreeSet<String> = required(&packages).chain(wanted).collect();
    let output = configured(Arch::Amd64, &root, &packages, &requested);
    // What nobody has read may do anything. What changed is judged by what it does.
    assert!(output.uncovered.iter().all(|one| !one.why.starts_with("it was never read")), "{:?}", output.uncovered);
    for uncovered in &output.uncovered {
        note(&format!("uncovered: {} {}: {}", uncovered.package, uncovered.script, uncovered.why));
    }
    assert_eq!(
        forecast_of(&packages, Arch::Amd64),
        output.uncovered,
        "`remint lock` says what `remint build` will say"
    );
    let ours = root.configured(&output);
    let allowed = Allowed::load();
    let report = compare::trees_with(&ours, &judge.tree(), &allowed, &name, ids);
    assert!(report.is_empty(), "{} differences in `{name}`:\n{}", report.len(), report.join("\n"));
}

/// What the native steps make of packages, without users of a recipe's own.
fn configured(arch: Arch, root: &Unpacked, packages: &[Package], requested: &BTreeSet<String>) -> Output {
    configure(&Input { arch, root, packages, requested, users: &NO_USERS, groups: &NO_GROUPS }).unwrap()
}

/// The same in two layers: minbase first, then what a set has beyond it, configured over the first.
#[test]
fn a_second_layer_adds_to_the_first() {
    let Some(base) = Judge::find("trixie", "trixie", &[]) else { return };
    let Some(judge) = Judge::find("trixie-web", "trixie", &WEB) else { return };
    let known: BTreeSet<_> = base.debs().iter().map(|deb| deb.file_name().unwrap().to_owned()).collect();
    let (first, second): (Vec<_>, Vec<_>) =
        judge.debs().into_iter().partition(|deb| known.contains(deb.file_name().unwrap()));
    assert!(!first.is_empty() && !second.is_empty());
    let mut below = Unpacked::default();
    for (debs, wanted) in [(first, vec!["apt"]), (second, WEB.to_vec())] {
        let (layer, packages) = Unpacked::from_debs(&debs);
        let requested = required(&packages).chain(wanted.into_iter().map(str::to_owned)).collect();
        below.0.extend(
            layer
                .0
                .into_iter()
                .filter(|(path, (entry, _))| !entry.is_directory() || !below.0.contains_key(path))
                .collect::<Vec<_>>(),
        );
        below = below.clone().with(&configured(Arch::Amd64, &below, &packages, &requested));
    }
    let report = compare::trees(&below, &judge.tree(), &Allowed::load(), "two-layers");
    assert!(report.is_empty(), "{} differences:\n{}", report.len(), report.join("\n"));
}

/// What is told of a layer from its packages' control archives alone.
fn forecast_of(packages: &[Package], arch: Arch) -> Vec<Uncovered> {
    let seen: Vec<Package> =
        packages.iter().map(|one| Package { paths: listed(&one.control), ..one.clone() }).collect();
    forecast(arch, &seen.iter().collect::<Vec<_>>(), &[])
}

/// What mmdebstrap asks apt for in any case, beside the essential set: what has priority required.
fn required(packages: &[Package]) -> impl Iterator<Item = String> + '_ {
    let required = packages.iter().filter(|package| field(package, "Priority").as_deref() == Some("required"));
    required.map(|package| package.name.clone()).filter(|name| !OVERRIDDEN.contains(&name.as_str()))
}

/// An image of data alone: users, trust and time zones, without a dpkg, an openssl or a shell in it. And the same twice.
#[test]
fn an_image_of_data_alone_is_configured_too() {
    let Some(judge) = Judge::find("trixie-web", "trixie", &WEB) else { return };
    let mut debs = judge.debs();
    let names = ["base-files_", "base-passwd_", "ca-certificates_", "netbase_", "tzdata_"];
    debs.retain(|deb| names.iter().any(|name| deb.file_name().unwrap().to_str().unwrap().starts_with(name)));
    assert_eq!(debs.len(), names.len());
    let (root, packages) = Unpacked::from_debs(&debs);
    let user =
        User { uid: 10_001, gid: 10_001, home: "/".into(), shell: "/usr/sbin/nologin".into(), comment: String::new() };
    let users = BTreeMap::from([(AccountName::parse("app").unwrap(), user)]);
    let (arch, requested, groups) = (Arch::Amd64, BTreeSet::new(), &NO_GROUPS);
    let input = Input { arch, root: &root, packages: &packages, requested: &requested, users: &users, groups };
    let output = configure(&input).unwrap();
    assert_eq!(output, configure(&input).unwrap());
    assert_eq!(output.uncovered, []);
    let image = root.with(&output);
    let text = |path: &str| String::from_utf8(image.0[path].1.clone()).unwrap();
    assert!(text("etc/passwd").ends_with("app:!:10001:10001::/:/usr/sbin/nologin\n"));
    assert_eq!(
        image.0["etc/ssl/certs/ca-certificates.crt"].1,
        std::fs::read(judge.tree().join("etc/ssl/certs/ca-certificates.crt")).unwrap()
    );
    assert!(text("var/lib/dpkg/status").contains("Package: tzdata\nStatus: install ok installed\n"));
    assert!(
        ["etc/ld.so.cache", "etc/shadow", "var/lib/apt/extended_states"]
            .iter()
            .all(|path| !image.0.contains_key(*path))
    );
}

/// What arm64 needs: every script is the same or was read too, the linker's cache is that of the real ldconfig, and users and groups are
/// those of the real scripts.
fn foreign(name: &str, suite: &str, judged: &str, include: &[&str]) {
    let Some(native) = Judge::find(judged, suite, include) else { return };
    let Some(debs) = native.debs_for(name, suite, "arm64") else { return };
    let (root, packages) = Unpacked::from_debs(&debs);
    let output = configured(Arch::Arm64, &root, &packages, &BTreeSet::new());
    assert_eq!(output.uncovered, []);
    assert_eq!(forecast_of(&packages, Arch::Arm64), []);
    let image = root.with(&output);
    let diversions = String::from_utf8(image.0["var/lib/dpkg/diversions"].1.clone()).unwrap();
    let linker = diversions.contains("/lib/ld-linux-aarch64.so.1\n/lib/ld-linux-aarch64.so.1.usr-is-merged\nlibc6\n");
    let alias = diversions.contains("/lib64\n/.lib64.usr-is-merged\nbase-files\n");
    assert_eq!((linker, alias), (suite == "trixie", suite == "trixie"), "{diversions}");
    linker::judge(&image, "qemu-aarch64-static");
    accounts::judge(&root, &packages, &image);
}

#[test]
fn arm64_has_the_same_scripts_a_real_linker_cache_and_real_users() {
    foreign("trixie-arm64", "trixie", "trixie-web", &WEB);
    foreign("bookworm-arm64", "bookworm", "bookworm-web", &WEB);
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
fn minbase_is_what_the_scripts_leave() {
    both("", &[]);
}

#[test]
fn web_is_what_the_scripts_leave() {
    both("web", &WEB);
}

#[test]
fn all_packages_together_are_what_the_scripts_leave() {
    judge("trixie", "all", &UNION, Ids::Named);
    judge("bookworm", "all", &UNION, Ids::Named);
}

#[test]
fn postgresql_is_what_the_scripts_leave() {
    both("pg", &["postgresql"]);
}

#[test]
fn redis_is_what_the_scripts_leave() {
    both("redis", &["redis-server"]);
}

#[test]
fn toolchains_and_languages_are_what_the_scripts_leave() {
    both("x", &["git", "nodejs", "ruby", "perl", "haproxy", "build-essential", "curl", "gawk"]);
}

#[test]
fn apache_is_what_the_scripts_leave() {
    both("apache", &["apache2"]);
}

#[test]
fn php_is_what_the_scripts_leave() {
    both("php", &["php-fpm"]);
}

#[test]
fn mariadb_is_what_the_scripts_leave() {
    both("mariadb", &["mariadb-server"]);
}

#[test]
fn java_is_what_the_scripts_leave() {
    both("java", &["default-jre-headless"]);
}

#[test]
fn systemd_and_ssh_are_what_the_scripts_leave() {
    let include = ["systemd", "dbus", "openssh-server"];
    judge("trixie", "systemd", &include, Ids::Exact);
    // Both of them add a group, and apt has an order of its own.
    judge("bookworm", "systemd", &include, Ids::Named);
}

#[test]
fn exim_is_what_the_scripts_leave() {
    both("exim", &["exim4-daemon-light"]);
}

#[test]
fn imagemagick_is_what_the_scripts_leave() {
    both("im", &["imagemagick"]);
}

/// The table in the documentation is made from the readings.
#[test]
#[expect(clippy::disallowed_methods, reason = "the one who changes the readings asks for the table to be written anew")]
fn the_documentation_lists_every_script_that_was_read() {
    const MARK: &str = "REMINT_TEST_BLESS=1 writes it anew -->\n";
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/native.md");
    let old = std::fs::read_to_string(place).unwrap();
    let mut new = old.split_once(MARK).expect("the mark of the table").0.to_owned() + MARK;
    new.push_str("\n| package | script | read in | what is done |\n|---|---|---|---|\n");
    for row in scripts_read() {
        let mut what = Vec::new();
        what.extend(row.steps.iter().map(|step| format!("step `{step}`")));
        what.extend((row.deeds > 0).then(|| format!("{} deed{}", row.deeds, if row.deeds == 1 { "" } else { "s" })));
        what.extend(row.notes.iter().cloned());
        what.extend(row.missing.iter().map(|missing| format!("**missing: {missing}**")));
        let cells = [row.package, row.script, row.versions.join(", "), what.join("; ")];
        new.push_str("| ");
        new.push_str(&cells.join(" | "));
        new.push_str(" |\n");
    }
    if old != new && std::env::var_os("REMINT_TEST_BLESS").is_some() {
        std::fs::write(place, &new).unwrap();
    } else {
        assert!(old == new, "docs/native.md is not up to date");
    }
}
