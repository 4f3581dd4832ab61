//! A project in a directory of its own, against a small signed archive, and the program run in it as a person runs it.

use super::archive::{Archive, File, Package, Suite};
use super::layout::assert_valid;
use remint::digest::Digest;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// When the archive is what it is at first.
pub(crate) const FIRST: &str = "Thu, 01 Jan 2026 00:00:00 UTC";

/// A day later.
pub(crate) const LATER: &str = "Fri, 02 Jan 2026 00:00:00 UTC";

/// The files of the project: four images, with everything that a recipe can say in this version.
pub(crate) const FILES: [(&str, &str); 8] = [
    (
        "remint.toml",
        "platforms = [\"linux/amd64\", \"linux/arm64\"]\n\n[archive.debian]\nsuites = [\"trixie\"]\n\
         components = [\"main\"]\nkeyring = \"archive.pgp\"\n",
    ),
    (
        "recipes/hello/recipe.toml",
        "[[layer]]\npackages = [\"hello\"]\nexclude = [\"doc\"]\n\n[config]\nentrypoint = [\"/usr/bin/hello\"]\n\n\
         [config.env]\nPATH = \"/usr/bin\"\nLANG = \"C.UTF-8\"\n\n[config.labels]\n\"a.b\" = \"1\"\n\"a.c\" = \"2\"\n",
    ),
    (
        "recipes/site/recipe.toml",
        "from = \"hello\"\ncompression = \"gzip\"\n\n[[layer]]\ncopy = \"tree\"\nto = \"/srv/site\"\n\
         owner = \"site:web\"\n\n[[layer]]\n[layer.write]\n\"/etc/motd\" = \"welcome\\n\"\n\
         \"/etc/link\" = { link = \"motd\" }\n\"/var/lib/site\" = { directory = true, owner = \"site\", mode = \"0750\" }\n\n\
         [users.site]\nuid = 10001\nhome = \"/srv/site\"\n\n[groups]\nweb = 777\n\n\
         [config]\nuser = \"site\"\nexposed-ports = [\"8080\"]\nworking-dir = \"/srv/site\"\n",
    ),
    ("recipes/site/tree/index.html", "<p>hello</p>\n"),
    ("recipes/site/tree/a/b/deep", "deep\n"),
    ("recipes/site/tree/a.b", "between a/ and a0\n"),
    ("recipes/data/recipe.toml", "platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"data\", \"solo\"]\n"),
    (
        "recipes/both/recipe.toml",
        "from = \"hello\"\nplatforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"solo\"]\n\n[[layer]]\n[layer.write]\n\
         \"/etc/both\" = { text = \"x\", mode = \"0600\" }\n",
    ),
];

/// The packages of the archive; `hello` and what is made from its source have this version.
pub(crate) fn packages(version: &str) -> Vec<Package> {
    let mut all = Vec::new();
    for arch in ["amd64", "arm64"] {
        let program = File::Plain { content: format!("{arch} program {version}").into(), mode: 0o755 };
        all.push(
            Package::new("libhello1", version)
                .arch(arch)
                .field("Source", "hello")
                .file("usr/lib/libhello.so.1", format!("{arch} library {version}")),
        );
        all.push(
            Package::new("hello", version)
                .arch(arch)
                .field("Depends", "libhello1")
                .entry("usr/bin/hello", program)
                .entry("usr/bin/hi", File::Link { target: "hello".to_owned() })
                .file("usr/share/doc/hello/README", "read me\n")
                .packed("zst"),
        );
    }
    let table: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(n).to_le_bytes()).collect();
    all.push(Package::new("data", "3").arch("all").file("usr/share/data/table", table));
    all.push(Package::new("solo", "1:2.0").file("usr/share/solo/one", "one\n").packed("gz"));
    all
}

/// An archive of packages for both platforms, made on a date.
pub(crate) fn archive(packages: Vec<Package>, date: &str) -> Archive {
    Archive::new(&[suite(packages, date)])
}

/// The suite of that archive.
pub(crate) fn suite(packages: Vec<Package>, date: &str) -> Suite {
    let mut suite = Suite::new("trixie", packages);
    suite.architectures.push("arm64".to_owned());
    date.clone_into(&mut suite.date);
    suite
}

/// A project.
pub(crate) struct Project {
    /// Keeps the directory as long as the project.
    _dir: TempDir,
    /// Where it is.
    pub(crate) root: PathBuf,
    /// The mirror's base: a path or an address.
    pub(crate) mirror: String,
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Copies the program, for users that cannot read it where it is. By another process: what another test starts while this one has
/// the copy open for writing would hold it open too, and so keep it from being run.
pub(crate) fn copy_program(to: &Path) {
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_remint")).arg(to).status().unwrap();
    assert!(copied.success());
}

impl Project {
    /// Makes the whole project, with the archive's files in a directory beside it as its mirror.
    pub(crate) fn new(archive: &Archive) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().canonicalize().unwrap();
        let mirror = place.join("mirror");
        archive.write(&mirror);
        let mirror = mirror.to_str().unwrap().to_owned();
        let project = Self { _dir: dir, root: place.join("project"), mirror };
        for (path, text) in FILES {
            project.write(path, text);
        }
        project.write("archive.pgp", archive.keyring());
        project
    }

    /// Makes the whole project with the first archive.
    pub(crate) fn first() -> Self {
        Self::new(&archive(packages("1.0-1"), FIRST))
    }

    /// Replaces everything in the mirror.
    pub(crate) fn publish(&self, archive: &Archive) {
        std::fs::remove_dir_all(&self.mirror).unwrap();
        archive.write(Path::new(&self.mirror));
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Reads a file of the project.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The lock.
    pub(crate) fn lock(&self) -> String {
        self.read("remint.lock")
    }

    /// The program with nothing of this machine's environment but the mirror.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remint"));
        self.prepare(&mut command);
        command.args(arguments);
        command
    }

    /// Gives any command the environment of the project.
    pub(crate) fn prepare(&self, command: &mut Command) {
        command.env_clear().env("REMINT_DEBIAN_MIRROR", &self.mirror).current_dir(&self.root).stdin(Stdio::null());
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Builds with further arguments, and gives every file of the layout that comes of it, which has to be valid.
    pub(crate) fn build(&self, arguments: &[&str]) -> Files {
        self.build_as(arguments, |_| ())
    }

    /// Builds with a changed command.
    pub(crate) fn build_as(&self, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Files {
        let out = tempfile::tempdir_in(self.root.parent().unwrap()).unwrap();
        let layout = out.path().join("layout");
        let mut command = self.command(&["build", "--output", &format!("oci:{}", layout.display())]);
        command.args(arguments);
        change(&mut command);
        Run::of(&mut command).expect(0);
        files(&layout)
    }

    /// Removes the store.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.root.join("cache")).unwrap();
    }
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } =
            command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Panics unless the run ended with a code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Panics unless the run ended with a code and said all of this, on either stream.
    #[track_caller]
    pub(crate) fn says(self, code: i32, words: &[&str]) -> Self {
        let run = self.expect(code);
        for word in words {
            let said = run.stdout.contains(word) || run.stderr.contains(word);
            assert!(said, "no `{word}` in\n{}\n{}", run.stdout, run.stderr);
        }
        run
    }
}

/// The digest of every file below a directory, by its path in it.
pub(crate) type Files = BTreeMap<String, Digest>;

/// The files of a layout, which has to be valid.
pub(crate) fn files(layout: &Path) -> Files {
    assert_valid(layout);
    let mut all = Files::new();
    let mut left = vec![layout.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let name = path.strip_prefix(layout).unwrap().to_str().unwrap().to_owned();
            all.insert(name, Digest::of(&std::fs::read(path).unwrap()));
        }
    }
    all
}
