//! What configuring a layer will report, told from its packages' control archives alone, before anything is unpacked.

use super::scripts::Table;
use super::{Package, Uncovered, deeds};
use crate::oci::Arch;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The scripts of a layer's packages that no step covers, as [`configure`](super::configure) will report them.
///
/// `below` are the packages of the layers beneath. Of both, `paths` may be what [`listed`] gives, less what a recipe leaves out.
#[must_use]
pub fn forecast(arch: Arch, packages: &[&Package], below: &[&Package]) -> Vec<Uncovered> {
    let table = Table::get();
    let all = || packages.iter().chain(below);
    let names: BTreeSet<&str> = all().map(|package| package.name.as_str()).collect();
    let paths: BTreeSet<String> = all().flat_map(|package| &package.paths).map(|path| merged(path)).collect();
    let holds = |condition: &str, what: &str| match condition {
        "pkg" => names.contains(what),
        _ => is_there(&paths, what) == (condition == "has"),
    };
    let mut found = BTreeSet::new();
    for package in packages {
        for script in ["preinst", "config", "postinst"] {
            let Some(bytes) = package.control.get(script) else { continue };
            let coverage = table.coverage(&package.name, script, &String::from_utf8_lossy(bytes), arch);
            let gap = coverage.gap();
            let reading = coverage.reading().unwrap_or_default();
            let missing = reading.deeds.iter().filter_map(|deed| deeds::missing(deed, arch, holds));
            found.extend(gap.into_iter().chain(missing).map(|why| Uncovered {
                package: package.name.clone(),
                script: script.to_owned(),
                why,
            }));
        }
    }
    found.into_iter().collect()
}

/// The files that a package's control archive lists: with their digests (`md5sums`), or as configuration (`conffiles`).
///
/// Links and empty directories stand in neither.
#[must_use]
pub fn listed(control: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let text = |name: &str| String::from_utf8_lossy(control.get(name).map_or(&[][..], Vec::as_slice)).into_owned();
    // `0123…  usr/bin/x`; and `/etc/x`, before which dpkg 1.20 and later allow a flag.
    let mut paths: Vec<String> =
        text("md5sums").lines().filter_map(|line| Some(format!("/{}", line.split_once("  ")?.1))).collect();
    paths.extend(text("conffiles").lines().filter_map(|line| line.find('/').map(|at| line[at..].to_owned())));
    paths
}

/// Whether a file is there, or anything in a directory of that name.
fn is_there(paths: &BTreeSet<String>, path: &str) -> bool {
    let path = merged(path);
    let inside = format!("{path}/");
    paths.contains(&path)
        || paths
            .range::<str, _>((Bound::Included(inside.as_str()), Bound::Unbounded))
            .next()
            .is_some_and(|next| next.starts_with(&inside))
}

/// A path where a merged `/usr` has it.
fn merged(path: &str) -> String {
    match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some(("bin" | "lib" | "lib32" | "lib64" | "libo32" | "libx32" | "sbin", _)) => format!("/usr{path}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, control: &[(&str, &str)]) -> Package {
        let control = control.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        let paths = listed(&control);
        Package { name: name.to_owned(), version: "1".to_owned(), arch: "all".to_owned(), control, paths }
    }

    #[test]
    fn scripts_that_nobody_read_are_told_and_plain_ones_are_not() {
        let strange = package("strange", &[("postinst", "#!/bin/sh\nmake-coffee\n"), ("prerm", "rm -rf /coffee\n")]);
        let plain = package("plain", &[("postinst", "#!/bin/sh\nset -e\n")]);
        let found = forecast(Arch::Amd64, &[&plain, &strange], &[]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].package.as_str(), found[0].script.as_str()), ("strange", "postinst"));
        assert!(found[0].why.starts_with("it was never read (digest "), "{}", found[0].why);
        assert_eq!(forecast(Arch::Amd64, &[&plain], &[&strange]), [], "what lies below was told with its own layer");
    }

    #[test]
    fn a_changed_script_does_what_it_did_and_says_so() {
        let changed = package("mariadb-server", &[("postinst", "make-coffee\n")]);
        let why: Vec<String> = forecast(Arch::Arm64, &[&changed], &[]).into_iter().map(|one| one.why).collect();
        assert_eq!(why.len(), 2);
        assert!(why[0].starts_with("it changed since it was read in version "), "{why:?}");
        assert!(why[1].starts_with("no tables are made"), "{why:?}");
    }

    #[test]
    fn conditions_look_at_what_the_image_will_have() {
        let changed = package("libglib2.0-0t64", &[("postinst", "changed\n")]);
        let schemas = package("schemas", &[("md5sums", "00  usr/share/glib-2.0/schemas/a.xml\n")]);
        let near = package("near", &[("md5sums", "00  usr/share/glib-2.0/schemas2\n")]);
        let count = |below: &[&Package]| forecast(Arch::Amd64, &[&changed], below).len();
        assert_eq!((count(&[]), count(&[&near]), count(&[&schemas])), (1, 1, 2));
    }

    #[test]
    fn control_archives_list_files() {
        let control = [
            ("md5sums", "0123  bin/a b\nbroken\n4567  lib/x\n"),
            ("conffiles", "/etc/a\nremove-on-upgrade /etc/b\nbroken\n"),
        ];
        let paths = package("a", &control).paths;
        assert_eq!(paths, ["/bin/a b", "/lib/x", "/etc/a", "/etc/b"]);
        for (path, place) in
            [("/bin/x", "/usr/bin/x"), ("/lib64/x", "/usr/lib64/x"), ("/library/x", "/library/x"), ("/lib", "/lib")]
        {
            assert_eq!(merged(path), place);
        }
    }
}
