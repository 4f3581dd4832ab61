//! Config, manifest, index, layouts, archives: what makes a row of layer blobs an image that other tools read.
//!
//! ```text
//! index.json of the layout ──name──▶ manifest                      an image for one platform
//!                          ──name──▶ index ──platform──▶ manifest  an image for several
//!                                                        ├─▶ config: DiffIds, history, what runs
//!                                                        └─▶ layer blobs
//! ```
//!
//! An image for one platform is named by its manifest, without an index around it. Every client reads an index too, yet the plain
//! manifest is what most of them write themselves, it works in clients that never look into an index below index.json (umoci
//! copies and tags only what a name points to), and a client on a machine of another architecture can still fetch it, where an
//! index without its own platform is an error. An image for several platforms needs the index.
//!
//! Invariants: JSON that this room writes is canonical (RFC 8785) and holds nothing of the host, the clock or the tool's version;
//! what it reads is verified against its digest and bounded; memory does not grow with the size of a layer; an output appears
//! under its name only once it is whole. The main type is [`Image`].

mod assemble;
pub mod base;
mod config;
mod contents;
mod date;
mod encoding;
mod error;
mod index;
mod inspect;
mod layer_reader;
mod manifest;
mod open;
mod output;
mod read;
mod reference;
mod tree;

pub use assemble::{Assembly, BuiltLayer, assemble, assemble_base, name_images};
pub use config::{DEFAULT_PATH, History, configure};
pub use contents::{Standing, Visit, contents};
pub use date::rfc3339;
pub use encoding::Encoding;
pub use error::Error;
pub use index::index;
pub use inspect::{BigFile, ConfigSummary, FileCounts, Inspection, LayerSummary, Package, PlatformSummary, inspect};
pub use layer_reader::LayerReader;
pub use manifest::manifest;
pub use open::{
    DockerArchive, ImagePlace, OpenError, Opened, OpenedAttestation, OpenedIndex, OpenedLayer, OpenedPlatform,
    PlaceError, Statement, TarFacts, TarReader, Wrapping, archive_file, refused_archive,
};
pub use output::{Output, OutputError, OutputForm};
pub use read::{Image, Layer, PlatformImage};
pub use reference::{ImageRef, ImageRefError};
