//! Documents and blobs of a built image, changed.
