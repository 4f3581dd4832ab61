//! One file, directory or link of an image, as format 1 sees it.

use crate::oci::TreePath;

/// One thing in a tree: where it is and what it is, without a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: TreePath,
    /// What.
    pub kind: Kind,
    /// The permission bits with set-uid, set-gid and sticky: at most `0o7777`.
    pub mode: u32,
    /// The numeric owner.
    pub uid: u32,
    /// The numeric group.
    pub gid: u32,
    /// Seconds since 1970; format 1 has no fractions and nothing before 1970.
    pub mtime: u64,
    /// Extended attributes that the allow-list lets through, sorted by name.
    pub xattrs: Vec<(String, Vec<u8>)>,
}

/// What kind of thing an [`Entry`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file of that many bytes.
    File {
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link; the target is text that nothing here ever follows.
    Symlink {
        /// The target as it was written.
        target: String,
    },
    /// Another name of a file at a path that stands earlier in byte order.
    Hardlink {
        /// The first name.
        target: TreePath,
    },
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
}

/// The time of everything that has none of its own: 1980-01-01T00:00:01Z, one second past the oldest that a zip can hold.
pub const CONSTANT_MTIME: u64 = 315_532_801;

impl Entry {
    /// A directory with the constant mtime, owned by root.
    #[must_use]
    pub fn directory(path: TreePath, mode: u32) -> Self {
        Self::plain(path, Kind::Directory, mode)
    }

    /// A file with the constant mtime, owned by root.
    #[must_use]
    pub fn file(path: TreePath, mode: u32, size: u64) -> Self {
        Self::plain(path, Kind::File { size }, mode)
    }

    /// A symbolic link with the constant mtime, owned by root.
    #[must_use]
    pub fn symlink(path: TreePath, target: impl Into<String>) -> Self {
        Self::plain(path, Kind::Symlink { target: target.into() }, 0o777)
    }

    fn plain(path: TreePath, kind: Kind, mode: u32) -> Self {
        Self { path, kind, mode, uid: 0, gid: 0, mtime: CONSTANT_MTIME, xattrs: Vec::new() }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// The number of bytes of content that stand behind its header.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self.kind {
            Kind::File { size } => size,
            _ => 0,
        }
    }
}
