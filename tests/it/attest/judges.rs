//! Validators and verifiers from `PyPI` and npm, where they are installed: `.ci/run` says how.

use super::{IMAGES, built};
use crate::support::judge;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python that has the validators: the one beside the program that `spdx-tools` installs.
pub(super) fn python() -> Option<PathBuf> {
    Some(judge::find("pyspdxtools")?.with_file_name("python3"))
}

/// Node with sigstore's own packages, which `NODE_PATH` leads to.
pub(super) fn node() -> Option<PathBuf> {
    let node = judge::find("node")?;
    let there = Command::new(&node).args(["-e", "require('@sigstore/bundle'), require('@sigstore/verify')"]).output();
    if there.is_ok_and(|output| output.status.success()) {
        return Some(node);
    }
    judge::missing("npm's `@sigstore/bundle` and `@sigstore/verify` are not where NODE_PATH leads");
    None
}

/// A script beside this file.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/attest").join(name)
}

#[test]
fn validators_find_nothing_wrong_with_bills() {
    let Some(python) = python() else { return };
    let project = built();
    let mut files = Vec::new();
    for (number, image) in IMAGES.into_iter().enumerate() {
        for format in ["spdx", "cyclonedx"] {
            // The parsers go by the name.
            let file = project.root.join(format!("{number}.{format}.json"));
            project.run(&["sbom", image, "--format", format, "-o", file.to_str().unwrap()]).expect(0);
            files.push(file);
        }
    }
    judge::succeed(Command::new(&python).arg(script("bills.py")).args(&files));
    // It can say no.
    let broken = std::fs::read_to_string(&files[0]).unwrap().replace("SPDXRef-Image", "SPDXRef_Image");
    std::fs::write(&files[0], broken).unwrap();
    let output = Command::new(&python).arg(script("bills.py")).arg(&files[0]).output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
