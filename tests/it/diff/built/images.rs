//! The images that are changed: built by the program from a small archive, once for all tests.

use crate::diff::making::{build_id, elf, gzip_with, pyc, sqlite, zip};
use crate::support::archive::{File, Package};
use crate::support::project::{FIRST, Project, archive, packages};
use remint::verify::diff::Class;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Bytes of files of `top` that have a meaning: the path, from where, how many, and the class of a cause that changes one of them.
pub(super) const PLANTED: [(&str, usize, usize, Class); 11] = [
    ("srv/top/built", 18, 1, Class::Timestamp), // the minutes of a time
    ("srv/top/built", 30, 5, Class::User),
    ("srv/top/built", 44, 3, Class::HostName),
    ("usr/lib/python3/a.pyc", 8, 4, Class::Bytecode),
    ("usr/lib/python3/a.pyc", 16, 2, Class::Bytecode),
    ("usr/lib/librich.so", 97, 20, Class::ElfBuildId),
    ("usr/share/rich/a.gz", 4, 4, Class::GzipHeader),
    ("usr/share/rich/a.db", 24, 4, Class::DatabaseCounter),
    ("usr/share/rich/a.zip", 10, 2, Class::ZipHeader),
    ("var/log/rich.log", 0, 10, Class::LogOrCache),
    ("etc/hostname", 0, 4, Class::HostName),
];

/// Which classes the cause of any one changed byte of a file may have: for no reason that shows, or what the byte happens to be part of.
pub(super) fn classes(path: &str) -> Vec<Class> {
    let own: &[Class] = match path {
        "srv/top/built" => &[Class::Timestamp, Class::User, Class::HostName],
        "usr/lib/python3/a.pyc" => return vec![Class::Bytecode],
        "usr/lib/librich.so" | "usr/bin/rich" | "usr/bin/rich2" | "usr/bin/rich3" | "usr/bin/copy" => {
            &[Class::ElfBuildId, Class::Missing]
        }
        "usr/share/rich/a.gz" => &[Class::GzipHeader, Class::Encoder],
        "usr/share/rich/a.db" => &[Class::DatabaseCounter, Class::Encoder, Class::Missing, Class::Additional],
        "usr/share/rich/a.zip" => &[Class::ZipHeader, Class::Missing, Class::Encoder],
        "var/log/rich.log" => return vec![Class::LogOrCache],
        "etc/hostname" => return vec![Class::HostName],
        "var/lib/dpkg/status" => &[Class::User, Class::HostName],
        "usr/share/rich/a.json" => &[Class::Missing, Class::Additional],
        // Lists of paths: another directory of the same name looks like that of another build.
        _ if path.rsplit('.').next() == Some("list") => &[Class::BuildPath],
        _ if path.ends_with("md5sums") => &[Class::Checksum, Class::RandomId],
        _ => &[],
    };
    [own, &[Class::Content]].concat()
}

const BUILT: &str = "at 2026-01-02 03:04:05 UTC by alice on host=web\n";

/// A package with files of many forms.
fn rich() -> Package {
    let plain = |content: &[u8], mode| File::Plain { content: content.to_vec(), mode };
    let program =
        elf(&[(".text", b"\x55\x48\x89\xe5\xc3"), (".rodata", b"usage: rich\0"), (".note.gnu.build-id", &build_id(1))]);
    Package::new("rich", "2.1-3")
        .entry("usr/bin/rich", plain(&program, 0o4755))
        .entry("usr/bin/rich2", File::Hard { target: "usr/bin/rich".to_owned() })
        .entry("usr/bin/rich3", File::Hard { target: "usr/bin/rich".to_owned() })
        .entry("usr/bin/copy", plain(&program, 0o4755))
        .entry("usr/bin/poor", File::Link { target: "rich".to_owned() })
        .file("usr/lib/librich.so", program)
        .file("usr/lib/python3/a.pyc", pyc(1_700_000_000, b"\xe3\0\0\0"))
        .file("usr/share/rich/a.gz", gzip_with(1_700_000_000, "a", &b"a line\n".repeat(40)))
        .file("usr/share/rich/a.db", sqlite(1, &[b"a row", b"another row"]))
        .file("usr/share/rich/a.zip", zip(&[("in", b"one", 0x5021), ("other", b"two", 0x5021)], None))
        .file("usr/share/rich/a.json", "{\"one\": [1, 2, 3], \"two\": {\"three\": \"four\"}}\n")
        .file("usr/share/rich/text", "a text\nof some\nlines that an upper layer writes anew\n")
        .entry("var/lib/rich", File::Directory { mode: 0o1777 })
        .file("var/log/rich.log", "2026-01-02 installed\n")
}

const RECIPE: &str = "from = \"hello\"\nplatforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"rich\", \"solo\"]\n\n\
     [[layer]]\ncopy = \"tree\"\nto = \"/srv/top\"\nowner = \"app:app\"\n\n\
     [[layer]]\n[layer.write]\n\"/usr/share/rich/text\" = \"the upper text\\n\"\n\"/etc/hostname\" = \"abcd\\n\"\n\
     \"/etc/link\" = { link = \"hostname\" }\n\"/var/lib/app\" = { directory = true, owner = \"app\", mode = \"0700\" }\n\n\
     [users.app]\nuid = 10002\nhome = \"/srv/top\"\n\n[config]\nuser = \"app\"\ncmd = [\"/usr/bin/rich\", \"-v\"]\n\n\
     [config.env]\nA = \"1\"\nB = \"two\"\n\n[config.labels]\n\"x.y\" = \"z\"\n";

/// The files of the layout that a build gave.
fn built() -> &'static BTreeMap<PathBuf, Vec<u8>> {
    static BUILT_ONCE: OnceLock<BTreeMap<PathBuf, Vec<u8>>> = OnceLock::new();
    BUILT_ONCE.get_or_init(|| {
        let mut all = packages("1.0-1");
        all.push(rich());
        let project = Project::new(&archive(all, FIRST));
        project.write("recipes/top/recipe.toml", RECIPE);
        project.write("recipes/top/tree/built", BUILT);
        project.write("recipes/top/tree/a/b/c", "deep\n");
        let long = format!("recipes/top/tree/{}/name", "a-directory-of-a-long-name".repeat(5));
        project.write(&long, "long\n");
        project.write("recipes/top/tree/twin", "deep\n");
        project.write("recipes/top/tree/bytes", (0..=255).cycle().take(3000).collect::<Vec<u8>>());
        std::os::unix::fs::symlink("a/b", project.root.join("recipes/top/tree/link")).unwrap();
        project.run(&["build", "site", "top", "--output", "oci:layout"]).expect(0);
        let layout = project.root.join("layout");
        crate::support::layout::assert_valid(&layout);
        let mut files = BTreeMap::new();
        for place in ["", "blobs/sha256"] {
            for entry in fs::read_dir(layout.join(place)).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    files.insert(Path::new(place).join(entry.file_name()), fs::read(entry.path()).unwrap());
                }
            }
        }
        files
    })
}

/// A layout of a test's own, with the images in it.
pub(super) struct Layout(TempDir);

impl Layout {
    pub(super) fn new() -> Self {
        let layout = Self(tempfile::tempdir().unwrap());
        layout.restore();
        layout
    }

    /// Writes all that the build gave anew.
    pub(super) fn restore(&self) {
        let blobs = self.path().join("blobs");
        if blobs.exists() {
            fs::remove_dir_all(&blobs).unwrap();
        }
        fs::create_dir_all(blobs.join("sha256")).unwrap();
        for (path, bytes) in built() {
            fs::write(self.path().join(path), bytes).unwrap();
        }
    }

    /// The directory that it is in.
    pub(super) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("layout")
    }

    /// Names images.
    pub(super) fn write(&self, images: &[(&str, Value)]) {
        let named = images.iter().map(|(name, entry)| {
            let mut entry = entry.clone();
            entry["annotations"]["org.opencontainers.image.ref.name"] = json!(name);
            entry
        });
        let named: Vec<Value> = named.collect();
        let index = json!({ "schemaVersion": 2, "manifests": named });
        fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }
}
