//! Recipes and what they copy as they stand on a disk: not there, no files, not text, behind links, or taken for one another.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RECIPE: &str = "recipes/a/recipe.toml";
const COPY: &str = "\n[[layer]]\ncopy = \"tree\"\nto = \"/srv\"\n";

/// What is done to a good project, and what the run has to say: its exit code and words.
type Case = (&'static str, fn(&Path), i32, &'static [&'static str]);

const CASES: &[Case] = &[
    ("good", |_| (), 0, &[]),
    ("a recipe that is a pipe", |root| pipe(&root.join(RECIPE)), 3, &["`recipes/a/recipe.toml` is not a file"]),
    ("settings that are a pipe", |root| pipe(&root.join("remint.toml")), 3, &["`remint.toml` is not a file"]),
    ("a lock that is a pipe", |root| pipe(&root.join("remint.lock")), 3, &["remint.lock", "no file"]),
    ("a recipe that links to nothing", |root| link(&root.join(RECIPE), "nothing"), 3, &["recipes/a/recipe.toml"]),
    (
        "a recipe that is not text",
        |root| put(root, RECIPE, b"# a\n# b\xff\n"),
        3,
        &["recipe.toml:2:4: this is not UTF-8"],
    ),
    (
        "a recipe that is too large",
        |root| put(root, RECIPE, &vec![b'#'; 3 << 20]),
        3,
        &["recipe.toml", "has 3145728 bytes, more than"],
    ),
    ("a recipe outside the project", outside, 3, &["`recipes/a/recipe.toml`", "leaves the project"]),
    ("a folder of recipes outside the project", folder_outside, 3, &["`recipes/b/recipe.toml`", "leaves the project"]),
    ("a folder inside that is linked twice", |root| link(&root.join("recipes/b"), "a"), 0, &[]),
    ("links in a circle", |root| link(&root.join("recipes/a/round"), ".."), 0, &[]),
    ("a link to nothing", |root| link(&root.join("recipes/a/broken"), "nothing"), 0, &[]),
    (
        "nothing to copy",
        |root| drop(fs::remove_dir_all(root.join("recipes/a/tree"))),
        3,
        &["recipe.toml:2", "does not exist"],
    ),
    ("a tree behind a link", tree_behind_a_link, 3, &["recipe.toml:2", "symbolic link"]),
    (
        "a tree with a pipe",
        |root| pipe(&root.join("recipes/a/tree/p")),
        3,
        &["recipe.toml:2", "tree/p` is a named pipe", "exclude"],
    ),
    ("a tree with a socket", socket, 3, &["recipe.toml:2", "tree/s` is a socket", "exclude"]),
    ("a tree with a file that cannot be read", unreadable, 3, &["recipe.toml:2", "tree/secret"]),
    ("a name that is not text", odd_name, 3, &["recipe.toml:2", "cannot go into an image", "not UTF-8"]),
    (
        "names that differ in case",
        |root| put(root, "recipes/a/tree/X", b""),
        0,
        &["warning: `X` and `x`", "differ only in case"],
    ),
    ("names that differ in composition", composed, 0, &["differ only in how their characters are composed"]),
    ("an unknown key", |root| put(root, RECIPE, b"form = \"a\"\n"), 3, &["recipe.toml:1:1", "did you mean `from`"]),
    ("another type", |root| put(root, RECIPE, b"from = 1\n"), 3, &["recipe.toml:1:8"]),
    ("a circle", |root| put(root, RECIPE, b"from = \"a\"\n"), 3, &["recipe.toml:1:8", "circle"]),
    (
        "a path out of the project",
        |root| put(root, RECIPE, b"[[layer]]\ncopy = \"../../../x\"\nto = \"/x\"\n"),
        3,
        &["recipe.toml:2:8", "leaves the project"],
    ),
];

fn put(root: &Path, name: &str, bytes: &[u8]) {
    fs::write(root.join(name), bytes).unwrap();
}

fn link(at: &Path, target: &str) {
    let _ = fs::remove_file(at);
    symlink(target, at).unwrap();
}

fn pipe(at: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let _ = fs::remove_file(at);
    mknodat(CWD, at, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn outside(root: &Path) {
    let other = root.parent().unwrap().join("other.toml");
    fs::write(&other, COPY).unwrap();
    link(&root.join(RECIPE), other.to_str().unwrap());
}

fn folder_outside(root: &Path) {
    fs::create_dir(root.join("../b")).unwrap();
    fs::write(root.join("../b/recipe.toml"), "").unwrap();
    link(&root.join("recipes/b"), "../../b");
}

fn tree_behind_a_link(root: &Path) {
    fs::rename(root.join("recipes/a/tree"), root.join("recipes/a/real")).unwrap();
    link(&root.join("recipes/a/tree"), "real");
}

fn socket(root: &Path) {
    drop(std::os::unix::net::UnixListener::bind(root.join("recipes/a/tree/s")).unwrap());
}

/// A file that nobody may read, but root.
fn unreadable(root: &Path) {
    put(root, "recipes/a/tree/secret", b"");
    let nobody: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o000);
    fs::set_permissions(root.join("recipes/a/tree/secret"), nobody).unwrap();
}

fn odd_name(root: &Path) {
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd\xff");
    fs::write(root.join("recipes/a/tree").join(name), "").unwrap();
}

fn composed(root: &Path) {
    put(root, "recipes/a/tree/\u{e9}", b"");
    put(root, "recipes/a/tree/e\u{301}", b"");
}

#[test]
fn what_stands_on_the_disk_is_taken_or_named() {
    for (name, change, code, words) in CASES {
        // Root reads everything.
        if name.contains("cannot be read") && rustix::process::geteuid().is_root() {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("project");
        fs::create_dir_all(root.join("recipes/a/tree")).unwrap();
        put(&root, RECIPE, COPY.as_bytes());
        put(&root, "recipes/a/tree/x", b"x");
        change(&root);
        let mut command = Command::new(env!("CARGO_BIN_EXE_remint"));
        let begun = Instant::now();
        let output = command.env_clear().current_dir(&root).stdin(Stdio::null()).arg("build").output().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {:?}", begun.elapsed());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{name}: {said}");
        for word in *words {
            assert!(said.contains(word), "{name}: no `{word}` in {said}");
        }
    }
}
