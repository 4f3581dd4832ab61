//! How commands end that could not open an image.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::image::OpenError;
use crate::layer;
use std::io::ErrorKind;

/// What it means that an image could not be opened, and what helps.
pub(super) fn unopened(error: &OpenError) -> Failure {
    let failure = Failure::from_error(exit_of(error), error);
    failure.hints(error.hint())
}

/// What the command line names and is not there is the command line's fault; what is there and cannot be read, or is not what it must
/// be, is the image's.
fn exit_of(error: &OpenError) -> Exit {
    match error {
        // What does not even begin like an archive is none; what does is damaged.
        OpenError::NoArchive { .. }
        | OpenError::Archive { source: layer::Error::Archive { at: 0, .. }, .. }
        | OpenError::NoImage { .. }
        | OpenError::Several { .. }
        | OpenError::NoPlatform { .. }
        | OpenError::NoTag { .. } => Exit::Usage,
        OpenError::Registry(_) => Exit::Registry,
        OpenError::Missing { part, .. } if !part.starts_with("blobs/") => Exit::Usage,
        OpenError::Io { source, .. } if source.kind() == ErrorKind::NotFound => Exit::Usage,
        _ => Exit::Source,
    }
}
