//! The places at which a run can be made to fail or die, and what a run at such a place leaves.

use crate::support::project::{Files, Project, Run, files};
use remint::digest::Digest;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Everything that a run can write, in the four forms that it can leave the store.
const OUTPUTS: [&str; 4] = ["oci:layout", "oci-archive:site.oci", "docker-archive:site.docker", "tar:site.tar"];

/// A project and one image of it, and what a run that nothing disturbs gives.
pub(super) struct Bench {
    pub(super) project: Project,
}

/// A place at which the run does a deed, how often, and of what kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) place: String,
    pub(super) deed: String,
    pub(super) times: u64,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { project: Project::first() }
    }

    /// The command that builds one image with everything that belongs to it, into all outputs.
    pub(super) fn build(&self) -> Command {
        let mut command = self.project.command(&["build", "site", "--platform", "linux/amd64", "-j", "2"]);
        command.args(OUTPUTS.iter().flat_map(|output| ["--output", output]));
        command
    }

    /// The same with a fault.
    pub(super) fn build_with(&self, fault: &str) -> Command {
        let mut command = self.build();
        command.env("REMINT_FAULT", fault);
        command
    }

    /// Removes the store, the lock and the outputs.
    pub(super) fn forget(&self) {
        self.forget_outputs();
        let root = &self.project.root;
        let _ = std::fs::remove_dir_all(root.join("cache"));
        let _ = std::fs::remove_file(root.join("remint.lock"));
    }

    /// Removes the outputs.
    pub(super) fn forget_outputs(&self) {
        let root = &self.project.root;
        let _ = std::fs::remove_dir_all(root.join("layout"));
        for name in ["site.oci", "site.docker", "site.tar"] {
            let _ = std::fs::remove_file(root.join(name));
        }
    }

    /// The places where this run does its deeds.
    pub(super) fn spots(&self) -> Vec<Spot> {
        let log = self.project.root.with_file_name("trace");
        let _ = std::fs::remove_file(&log);
        Run::of(&mut self.build_with(&format!("trace:{}", log.display()))).expect(0);
        let mut spots: BTreeMap<String, Spot> = BTreeMap::new();
        for line in std::fs::read_to_string(&log).unwrap().lines() {
            let (deed, place) = line.split_once(' ').unwrap();
            let new = Spot { place: place.to_owned(), deed: deed.to_owned(), times: 0 };
            spots.entry(place.to_owned()).or_insert(new).times += 1;
        }
        spots.into_values().collect()
    }

    /// What stands at the outputs' paths, whole or not at all.
    pub(super) fn outputs(&self) -> Files {
        let root = &self.project.root;
        let mut all = Files::new();
        if root.join("layout").exists() {
            all = files(&root.join("layout"));
        }
        for name in ["site.oci", "site.docker", "site.tar"] {
            if let Ok(bytes) = std::fs::read(root.join(name)) {
                all.insert(name.to_owned(), Digest::of(&bytes));
            }
        }
        all
    }

    /// Panics unless what stands at each output's path is what belongs there, or nothing.
    #[track_caller]
    pub(super) fn assert_nothing_of_another_image(&self, after: &str) {
        for (name, digest) in self.outputs() {
            assert_eq!(Some(&digest), reference().get(&name), "`{name}` after {after}");
        }
    }

    /// The same, and that the lock is whole, or not there.
    #[track_caller]
    pub(super) fn assert_nothing_half(&self, after: &str) {
        self.assert_nothing_of_another_image(after);
        assert!(!self.project.root.join("remint.lock").exists() || self.project.lock() == *lock(), "{after}");
    }

    /// Panics unless the next run succeeds, gives the bytes that it always gives, and leaves a store without a fault.
    #[track_caller]
    pub(super) fn assert_recovers(&self, after: &str) {
        self.assert_rebuilds(after);
        assert_clean(&self.project, after);
    }

    /// Panics unless the next run succeeds and gives the bytes that it always gives.
    #[track_caller]
    pub(super) fn assert_rebuilds(&self, after: &str) {
        let run = Run::of(&mut self.build());
        assert_eq!(run.code, Some(0), "after {after}:\n{}", run.stderr);
        assert_eq!(&self.outputs(), reference(), "after {after}");
        assert_eq!(&self.project.lock(), lock(), "after {after}");
    }
}

/// Panics unless a store is without a fault, and nothing unfinished lies in it.
#[track_caller]
pub(super) fn assert_clean(project: &Project, after: &str) {
    let run = project.run(&["cache", "check"]);
    assert_eq!(run.code, Some(0), "after {after}:\n{}{}", run.stdout, run.stderr);
    let left: Vec<_> = std::fs::read_dir(project.root.join("cache/tmp")).unwrap().collect();
    assert!(left.is_empty(), "after {after} there is rubbish: {left:?}");
}

/// What a run that nothing disturbs gives.
pub(super) fn reference() -> &'static Files {
    &undisturbed().0
}

/// The lock that a run writes.
fn lock() -> &'static String {
    &undisturbed().1
}

fn undisturbed() -> &'static (Files, String) {
    static ONCE: OnceLock<(Files, String)> = OnceLock::new();
    ONCE.get_or_init(|| {
        let bench = Bench::new();
        Run::of(&mut bench.build()).expect(0);
        let outputs = bench.outputs();
        assert!(outputs.len() > 8 && outputs.contains_key("site.tar"), "{outputs:?}");
        (outputs, bench.project.lock())
    })
}

/// Rooms and files whose every deed on a disk has to be one that a test can make fail.
const WATCHED: [&str; 7] = [
    "src/store",
    "src/image/output",
    "src/lock/mod.rs",
    "src/source/fetch",
    "src/source/path",
    "src/source/debian",
    "src/registry",
];

/// What changes a disk.
const DEEDS: [&str; 20] = [
    "fs::write",
    "fs::rename",
    "fs::remove",
    "fs::create_dir",
    "fs::hard_link",
    "fs::set_permissions",
    "fs::copy",
    "File::create",
    "OpenOptions::new",
    "File::options",
    ".persist(",
    ".sync_all(",
    ".sync_data(",
    ".set_len(",
    "tempfile_in(",
    "tempdir_in(",
    "NamedTempFile::new",
    "fs::symlink(",
    "renameat",
    ".keep_path(",
];

#[test]
fn every_deed_on_a_disk_can_be_made_to_fail() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut findings = Vec::new();
    let mut seen = 0;
    let mut left: Vec<_> = WATCHED.iter().map(|name| root.join(name)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        seen += code.matches("disk::").count();
        for (number, line) in code.lines().enumerate() {
            // A file that is opened for reading alone changes nothing.
            let line = line.replace("rootfs::", "").replace("File::options().read(true).custom_flags(flags).open(", "");
            if DEEDS.iter().any(|deed| line.contains(deed)) && !line.trim_start().starts_with("//") {
                findings.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(seen > 20, "{seen} deeds");
    assert_eq!(findings, [""; 0], "go through `disk`:\n{}", findings.join("\n"));
}
