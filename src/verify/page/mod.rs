//! Comparisons and verdicts as one HTML page each, for a browser and for the archive.
//!
//! ```text
//! verdict, as one sentence ─ the layers of every image as bars ─ causes with their cures
//! images ─▶ documents, layers ─▶ differing files ─▶ text as a unified diff, bytes as two hex dumps
//! circumstances: the seed, what was varied
//! ```
//!
//! Invariants: a page is one file that fetches nothing and runs nothing, and forbids both (Content Security Policy level 3); what is
//! foreign is escaped, and what cannot be seen is shown by its number; its length is bounded, and what is left out is counted; the same
//! result gives the same bytes, apart from what is about the run. The main functions are [`comparison_page`] and [`verdict_page`].

mod amount;
mod bar;
mod diff;
mod excerpt;
mod finding;
mod frame;
mod markup;
mod tree;
mod verdict;

pub use diff::comparison_page;
pub use verdict::{Circumstances, verdict_page};
