//! Local trees that recipes copy: listed and digested at each run, never locked.
//!
//! A tree is what a checkout of it would be on any machine: names, contents, which files may be executed, and links as text.
//! Owners, other permission bits, times, inode order and hard links are the machine's, and are left behind.

mod clash;
mod hashes;
mod list;

pub use clash::Clash;
pub use hashes::{HashCache, Now};
use list::{Listed, Unread, list};

use crate::digest::{Hasher, Shuffle};
use crate::oci::{Blob, PathError, TreePath};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rayon::prelude::*;
use rustix::fs::OFlags;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What a recipe copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A single file.
    File(LocalFile),
    /// A directory, as the sorted list of what is below it.
    Directory(Vec<Item>),
}

/// Something below a copied directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where, relative to the directory.
    pub path: TreePath,
    /// What.
    pub kind: ItemKind,
}

/// What something below a copied directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// A directory.
    Directory,
    /// A file.
    File(LocalFile),
    /// A symbolic link, as text.
    Symlink(String),
}

/// A local file's content and the one permission that a checkout keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalFile {
    /// Its content.
    pub content: Blob,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// Why a local tree could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What was being done, to be read before the path.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is nothing to copy.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// What the recipe names.
        path: PathBuf,
    },
    /// A name that no image can hold.
    #[error("`{}` cannot go into an image", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: PathError,
    },
    /// A link whose target is no text.
    #[error("the target of the link `{}` is not UTF-8", path.display())]
    Target {
        /// The link.
        path: PathBuf,
    },
    /// A name by which an image's layer removes files of the layers below (image-spec, layer.md, "Whiteouts").
    #[error("`{}` cannot go into an image: a name that begins with `.wh.` removes files there", path.display())]
    Whiteout {
        /// The file.
        path: PathBuf,
    },
    /// A socket, pipe or device.
    #[error("`{}` is {what}, which cannot be copied; leave it out with `exclude`", path.display())]
    Special {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Someone wrote to a file while it was read.
    #[error("`{}` changed while it was read; build again when nothing writes to it", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The recipe's source is a link, whose target could be anywhere.
    #[error("`{}` is a symbolic link; name what it points to", path.display())]
    Link {
        /// What the recipe names.
        path: PathBuf,
    },
    /// A pattern of `exclude` is no glob.
    #[error("`{pattern}` is not a pattern")]
    Pattern {
        /// What the recipe says.
        pattern: String,
        /// Why not.
        source: globset::Error,
    },
}

fn doing(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}

/// Lists and digests what a recipe copies; files that did not change since they were last seen are not read.
pub fn scan(root: &Path, exclude: &[String], hashes: &HashCache) -> Result<Tree, Error> {
    scan_in_order(root, exclude, hashes, None)
}

/// As [`scan`], with the entries of each directory met in an order that a seed decides, and not in the file system's.
pub fn scan_in_order(
    root: &Path,
    exclude: &[String],
    hashes: &HashCache,
    order: Option<Shuffle>,
) -> Result<Tree, Error> {
    let meta = match fs::symlink_metadata(root) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::Missing { path: root.to_owned() }),
        Err(error) => return Err(doing("look at", root)(error)),
    };
    if meta.is_symlink() {
        return Err(Error::Link { path: root.to_owned() });
    }
    if meta.is_file() {
        let content = hashes.get(&meta).map_or_else(|| digest(root, hashes), Ok)?;
        return Ok(Tree::File(LocalFile { content, executable: executable(&meta) }));
    }
    refuse_special(&meta, || root.to_owned())?;
    let Listed { mut items, unread } = list(root, &patterns(exclude)?, hashes, order)?;
    let contents: Result<Vec<Blob>, Error> = unread.par_iter().map(|file| digest(&file.path, hashes)).collect();
    for (Unread { at, executable, .. }, content) in unread.into_iter().zip(contents?) {
        items[at].kind = ItemKind::File(LocalFile { content, executable });
    }
    items.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(Tree::Directory(items))
}

/// Opens a file of a scanned tree and checks at its end that it is still what was scanned.
pub fn open(path: &Path, content: Blob) -> Result<crate::digest::VerifyingReader<File>, Error> {
    let (file, _) = open_file(path)?;
    Ok(crate::digest::VerifyingReader::new(file, content.digest, content.size))
}

/// Builds the matcher of `exclude`: a pattern without a slash matches at any depth, as in `.gitignore`; `*` stops at slashes.
pub fn patterns(exclude: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in exclude {
        let whole = pattern.trim_start_matches('/').trim_end_matches('/');
        let whole = if pattern.contains('/') { whole.to_owned() } else { format!("**/{whole}") };
        let glob = GlobBuilder::new(&whole)
            .literal_separator(true)
            .build()
            .map_err(|source| Error::Pattern { pattern: pattern.clone(), source })?;
        set.add(glob);
    }
    set.build().map_err(|source| Error::Pattern { pattern: exclude.join(" "), source })
}

fn refuse_special(meta: &Metadata, path: impl FnOnce() -> PathBuf) -> Result<(), Error> {
    let kind = meta.file_type();
    let what = match () {
        () if kind.is_dir() || kind.is_file() => return Ok(()),
        () if kind.is_socket() => "a socket",
        () if kind.is_fifo() => "a named pipe",
        () => "a device",
    };
    Err(Error::Special { path: path(), what })
}

fn executable(meta: &Metadata) -> bool {
    meta.permissions().mode() & 0o100 != 0
}

/// Opens what was a file when it was listed. Whatever took its place since is refused: a link could lead anywhere, and a pipe could
/// hold the run for ever.
fn open_file(path: &Path) -> Result<(File, Metadata), Error> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(_) if path.is_symlink() => return Err(Error::Changed { path: path.to_owned() }),
        Err(error) => return Err(doing("open", path)(error)),
    };
    let meta = file.metadata().map_err(doing("look at", path))?;
    if meta.is_file() { Ok((file, meta)) } else { Err(Error::Changed { path: path.to_owned() }) }
}

/// Reads a file whole, and remembers its digest.
fn digest(path: &Path, hashes: &HashCache) -> Result<Blob, Error> {
    let (mut file, before) = open_file(path)?;
    let mut hasher = Hasher::new();
    let mut size = 0;
    let mut buffer = vec![0; usize::try_from(before.len()).unwrap_or(usize::MAX).clamp(512, 256 << 10)];
    loop {
        let read = file.read(&mut buffer).map_err(doing("read", path))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
    let after = file.metadata().map_err(doing("look at", path))?;
    if size != before.len() || !hashes::same(&before, &after) {
        return Err(Error::Changed { path: path.to_owned() });
    }
    let content = Blob { digest: hasher.finish(), size };
    hashes.put(&after, content);
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(tree: &Tree) -> Vec<String> {
        match tree {
            Tree::File(_) => panic!("a directory was scanned"),
            Tree::Directory(items) => items.iter().map(|item| item.path.to_string()).collect(),
        }
    }

    #[test]
    fn a_tree_is_what_a_checkout_keeps() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("b/__pycache__")).unwrap();
        fs::write(root.join("b/__pycache__/x.pyc"), "x").unwrap();
        fs::write(root.join("b/x"), "x").unwrap();
        fs::write(root.join("b-c"), "run").unwrap();
        fs::set_permissions(root.join("b-c"), fs::Permissions::from_mode(0o4711)).unwrap();
        symlink("/etc/../anywhere", root.join("a")).unwrap();
        let hashes = HashCache::none();
        let tree = scan(root, &["__pycache__".to_owned()], &hashes).unwrap();
        assert_eq!(names(&tree), ["a", "b", "b-c", "b/x"]);
        let Tree::Directory(found) = &tree else { unreachable!() };
        assert_eq!(found[0].kind, ItemKind::Symlink("/etc/../anywhere".to_owned()));
        assert_eq!(found[2].kind, ItemKind::File(LocalFile { content: Blob::of(b"run"), executable: true }));
        let alone = scan(&root.join("b-c"), &[], &hashes).unwrap();
        assert_eq!(alone, Tree::File(LocalFile { content: Blob::of(b"run"), executable: true }));
        for seed in 0..20 {
            let shuffled = scan_in_order(root, &["__pycache__".to_owned()], &hashes, Some(Shuffle(seed))).unwrap();
            assert_eq!(shuffled, tree);
        }
    }

    #[test]
    fn patterns_match_as_in_gitignore() {
        let set = patterns(&["*.pyc".into(), "/top".into(), "a/*".into(), "**/deep/x".into()]).unwrap();
        for yes in ["x.pyc", "a/b/x.pyc", "top", "a/b", "p/q/deep/x", "deep/x"] {
            assert!(set.is_match(yes), "{yes}");
        }
        for no in ["b/top", "a/b/c", "x.py"] {
            assert!(!set.is_match(no), "{no}");
        }
        assert!(patterns(&["[".into()]).is_err());
    }

    #[test]
    fn a_copied_file_removes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("x")).unwrap();
        fs::write(dir.path().join("x/.wh.y"), "").unwrap();
        let found = scan(dir.path(), &[], &HashCache::none());
        assert!(matches!(found, Err(Error::Whiteout { path }) if path.ends_with("x/.wh.y")));
    }

    #[test]
    fn what_changes_while_it_is_read_is_named() {
        // The kernel says that this file is empty, and it is not: as one that somebody writes to.
        let changed = scan(Path::new("/proc/version"), &[], &HashCache::none());
        assert!(matches!(changed, Err(Error::Changed { .. })), "{changed:?}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let take = |content: Blob| io::copy(&mut open(&path, content).unwrap(), &mut io::sink());
        fs::write(&path, "one").unwrap();
        take(Blob::of(b"one")).unwrap();
        for now in ["two", "three", ""] {
            fs::write(&path, now).unwrap();
            assert!(take(Blob::of(b"one")).is_err(), "{now}");
        }
        // What took its place: a link that leads out, a pipe that nobody writes to, a directory.
        fs::remove_file(&path).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        assert!(matches!(open(&path, Blob::of(b"one")), Err(Error::Changed { .. })));
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert!(matches!(open(&path, Blob::of(b"one")), Err(Error::Changed { .. })));
        let found = scan(dir.path(), &[], &HashCache::none());
        assert!(matches!(found, Err(Error::Special { what: "a named pipe", .. })), "{found:?}");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(open(&path, Blob::of(b"one")), Err(Error::Changed { .. })));
    }

    #[test]
    fn what_cannot_be_copied_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let hashes = HashCache::none();
        assert!(matches!(scan(&root.join("none"), &[], &hashes), Err(Error::Missing { .. })));
        let socket = root.join("s");
        let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(matches!(scan(root, &[], &hashes), Err(Error::Special { path, what: "a socket" }) if path == socket));
        assert_eq!(names(&scan(root, &["s".to_owned()], &hashes).unwrap()), Vec::<String>::new());
        symlink("s", root.join("l")).unwrap();
        assert!(matches!(scan(&root.join("l"), &[], &hashes), Err(Error::Link { .. })));
        let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd\xff");
        fs::write(root.join(odd), "").unwrap();
        assert!(matches!(scan(root, &["s".to_owned()], &hashes), Err(Error::Name { .. })));
    }
}
