//! One build of the shipped recipes, for all tests of this binary.

use crate::support::judge;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The recipes that are shipped.
pub(super) const IMAGES: [&str; 16] = [
    "apache", "base", "debian", "git", "haproxy", "java", "mariadb", "nginx", "node", "perl", "php", "postgres",
    "python", "redis", "ruby", "static",
];

/// The exit code that says that a source or the network failed.
const SOURCE_FAILED: i32 = 4;

/// The shipped recipes as a project of their own, and the store that they were built into.
pub(super) struct Shipped {
    /// The store.
    pub(super) store: PathBuf,
    /// A copy of the recipes with a lock that the mirrors can still serve.
    pub(super) project: PathBuf,
}

impl Shipped {
    /// Builds everything, once; `None` where no mirror serves it.
    pub(super) fn get() -> Option<&'static Self> {
        static ONCE: OnceLock<Option<Shipped>> = OnceLock::new();
        ONCE.get_or_init(Self::make).as_ref()
    }

    #[expect(clippy::disallowed_methods, reason = "a run of all tests names the store that it built already")]
    fn make() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real");
        let project = place.join("project");
        let _ = fs::remove_dir_all(&project);
        copy_tree(&root.join("recipes"), &project.join("recipes"));
        // A checkout that has built has a lock, and the store that goes with it; another makes one now.
        let lock = root.join("remint.lock");
        if lock.exists() {
            fs::copy(lock, project.join("remint.lock")).unwrap();
        }
        let store = std::env::var_os("REMINT_TEST_STORE").map_or_else(|| place.join("store"), PathBuf::from);
        let shipped = Self { store, project };
        let mut output = shipped.remint(&shipped.store, &["build"]);
        if output.status.code() == Some(SOURCE_FAILED) {
            // Mirrors drop packages that a lock names: the documented way forward.
            let moved = shipped.remint(&shipped.store, &["lock", "--vanished"]);
            if !moved.status.success() {
                judge::missing(&format!("no mirror: {}", String::from_utf8_lossy(&moved.stderr)));
                return None;
            }
            output = shipped.remint(&shipped.store, &["build", "--locked"]);
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(shipped)
    }

    /// Builds an image for this machine alone, without the network, in a store of the test's own that shares the sources; gives
    /// where each output stands.
    pub(super) fn write(&self, image: &str, compression: &str, dir: &Path) -> Outputs {
        let store = dir.join("store");
        link_tree(&self.store, &store);
        let outputs = Outputs::new(dir);
        let mut arguments = vec!["build".to_owned(), "--locked".to_owned(), "--offline".to_owned(), image.to_owned()];
        arguments.extend(["--platform".to_owned(), format!("linux/{}", native())]);
        arguments.extend(["--compression".to_owned(), compression.to_owned()]);
        for (form, path) in [
            ("oci", &outputs.layout),
            ("oci-archive", &outputs.oci_archive),
            ("docker-archive", &outputs.docker_archive),
            ("tar", &outputs.flat),
        ] {
            arguments.extend(["--output".to_owned(), format!("{form}:{}", path.display())]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = self.remint(&store, &arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        outputs
    }

    /// The same in a store of the test's own that shares the blobs: what is built for one platform takes the name of what was built for both.
    pub(super) fn linked(&self, store: &Path) -> Self {
        link_tree(&self.store, store);
        Self { store: store.to_owned(), project: self.project.clone() }
    }

    /// Writes an image of one architecture as one tar, without the network; in a store of the test's own.
    pub(super) fn flat(&self, image: &str, arch: &str, tar: &Path) {
        let (platform, output) = (format!("linux/{arch}"), format!("tar:{}", tar.display()));
        let arguments = ["build", "--locked", "--offline", image, "--platform", &platform, "--output", &output];
        let output = self.remint(&self.store, &arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs the program in the project.
    pub(super) fn remint(&self, store: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remint"));
        command.arg("--project").arg(&self.project).arg("--cache-dir").arg(store).args(arguments);
        command.output().unwrap()
    }
}

/// One image in every form.
pub(super) struct Outputs {
    pub(super) layout: PathBuf,
    pub(super) oci_archive: PathBuf,
    pub(super) docker_archive: PathBuf,
    pub(super) flat: PathBuf,
}

impl Outputs {
    fn new(dir: &Path) -> Self {
        Self {
            layout: dir.join("layout"),
            oci_archive: dir.join("oci.tar"),
            docker_archive: dir.join("docker.tar"),
            flat: dir.join("flat.tar"),
        }
    }
}

/// This machine's architecture, by OCI's name.
pub(super) fn native() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

fn copy_tree(from: &Path, to: &Path) {
    each(from, to, |from, to| {
        fs::copy(from, to).unwrap();
    });
}

/// Blobs never change under their names, so links do; everything else of a store is copied.
fn link_tree(from: &Path, to: &Path) {
    each(from, to, |from, to| {
        let blob = from.parent().is_some_and(|dir| dir.ends_with("blobs/sha256"));
        if !blob || fs::hard_link(from, to).is_err() {
            fs::copy(from, to).unwrap();
        }
    });
}

fn each(from: &Path, to: &Path, file: impl Fn(&Path, &Path)) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            file(entry.path(), &target);
        }
    }
}
