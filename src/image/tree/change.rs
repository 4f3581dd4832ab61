//! What one entry of a layer changes in the tree below it (OCI image-spec, layer.md, "Whiteouts").

use crate::layer::{Entry, Kind};
use crate::oci::{PathError, TreePath};

/// What an entry changes.
pub(super) enum Change {
    /// Nothing: it is what only its writer understands.
    Nothing,
    /// Something stands here now.
    Put(Entry),
    /// This path is another name for that one.
    Link {
        /// The new name.
        path: TreePath,
        /// The old name.
        target: TreePath,
    },
    /// What lower layers have here is gone.
    Hide(TreePath),
    /// What lower layers have below this directory is gone; `None` is the root.
    HideBelow(Option<TreePath>),
}

/// Names that begin so are no files but say that one is gone.
const WHITEOUT: &str = ".wh.";
/// The file that hides all of its directory.
const OPAQUE: &str = ".wh..wh..opq";
/// Names that begin so are aufs's own and no one else's.
const AUFS: &str = ".wh..wh.";

impl Change {
    /// Says what an entry means.
    pub(super) fn of(entry: Entry) -> Result<Self, PathError> {
        let path = &entry.path;
        let name = path.name();
        if name == OPAQUE {
            return Ok(Self::HideBelow(path.parent()));
        }
        if name.starts_with(AUFS) || path.ancestors().any(|above| above.name().starts_with(AUFS)) {
            return Ok(Self::Nothing);
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            // Parsed anew, since `.wh...` would hide what is above.
            return match path.parent() {
                None => TreePath::parse(hidden),
                Some(_) if matches!(hidden, "" | ".") => Err(PathError::Root(path.to_string())),
                Some(parent) => parent.join(hidden),
            }
            .map(Self::Hide);
        }
        Ok(match entry.kind {
            Kind::Hardlink { target } => Self::Link { path: entry.path, target },
            _ => Self::Put(entry),
        })
    }
}
