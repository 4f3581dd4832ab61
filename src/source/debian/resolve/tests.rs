//! Small archives, one rule each; `tests/it/closure.rs` has apt judge large ones.

mod property;
mod rules;

use super::{InstalledPackage, Request, Source, Universe, resolve};
use crate::recipe::PackageRequest;
use crate::source::debian::{PackagesIndex, Version};
use std::fmt::Write as _;

/// An index from lines `name version; Field: value; …`, priorities optional unless they say otherwise.
pub(super) fn index(lines: &str) -> PackagesIndex {
    let mut text = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut parts = line.split(';').map(str::trim);
        let (name, version) = parts.next().unwrap().split_once(' ').unwrap();
        let fields: Vec<&str> = parts.collect();
        let arch = if fields.iter().any(|f| f.starts_with("Architecture")) { "" } else { "Architecture: amd64\n" };
        let priority = if fields.iter().any(|f| f.starts_with("Priority")) { "" } else { "Priority: optional\n" };
        write!(text, "Package: {name}\nVersion: {version}\n{arch}{priority}").unwrap();
        text.extend(fields.iter().map(|field| format!("{field}\n")));
        write!(
            text,
            "Filename: pool/{name}_{}.deb\nSize: 1\nSHA256: {}\n\n",
            version.replace(':', "%3a"),
            "0".repeat(64)
        )
        .unwrap();
    }
    PackagesIndex::parse(text.into_bytes()).unwrap()
}

/// What a request for `wanted` (names or `name=version`, divided by spaces) chooses, as `name=version …`, or the error's text.
pub(super) fn chosen(
    suites: &[(&str, &PackagesIndex)],
    wanted: &str,
    installed: &[InstalledPackage],
) -> Result<String, String> {
    let sources = suites.iter().map(|(suite, index)| Source { suite, component: "main", index }).collect();
    let request =
        Request { wanted: requests(wanted), essential: false, dependencies: true, installed: installed.to_vec() };
    let universe = Universe::new("amd64", sources);
    let found = resolve(&universe, &request).map_err(|error| error.to_string())?;
    let names = found.iter().map(|at| format!("{}={}", at.package.name(), at.package.version_text()));
    Ok(names.collect::<Vec<_>>().join(" "))
}

/// [`chosen`] from one suite and nothing installed, without the versions.
pub(super) fn names(lines: &str, wanted: &str) -> Result<String, String> {
    let found = chosen(&[("trixie", &index(lines))], wanted, &[])?;
    Ok(found.split(' ').map(|text| text.split('=').next().unwrap()).collect::<Vec<_>>().join(" "))
}

pub(super) fn requests(wanted: &str) -> Vec<PackageRequest> {
    let parse = |text: &str| match text.split_once('=') {
        None => PackageRequest { name: text.to_owned(), version: None },
        Some((name, version)) => PackageRequest { name: name.to_owned(), version: Some(version.to_owned()) },
    };
    wanted.split_whitespace().map(parse).collect()
}

pub(super) fn installed(name: &str, version: &str, control: &str) -> InstalledPackage {
    InstalledPackage {
        name: name.to_owned(),
        version: Version::parse(version).unwrap(),
        arch: "amd64".to_owned(),
        control: control.to_owned(),
        bare: false,
    }
}
