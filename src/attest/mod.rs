//! Bytes that say what an image is made of and who vouches for it: bills of materials, provenance, signatures.
//!
//! ```text
//! recipes + lock ─plan→ Trace ─┬─ layers' content ─→ Bill ─→ SPDX, CycloneDX
//!                              └─→ Statement (in-toto) ─ Key ─→ Envelope (DSSE) ─→ Bundle
//! any of these + the image's descriptor ─→ Attachment: what a registry holds beside the image
//! ```
//!
//! Invariants: pure, but for reading the store; the same image, recipes and lock give the same bytes on any machine, and so does the
//! same key, since signatures are deterministic. What depends on a run (when, where, by whom) is in a statement of its own and comes in
//! as an argument. A private key shows nowhere: not in errors, not in `Debug`, and its bytes are wiped. What is read back from others is
//! bounded, and nothing is believed of it before a signature holds.

mod attachment;
mod bundle;
mod contents;
mod dsse;
mod error;
mod key;
mod provenance;
mod rebuild;
mod sbom;
mod simple;
mod stated;
mod statement;
mod trace;
mod verify;

pub use attachment::{Attachment, Part, Subject};
pub use bundle::{BUNDLE, SIGNED, sign_bundle};
pub use contents::{Copyright, Licence};
pub use dsse::{ENVELOPE, Envelope, pae};
pub use error::Error;
pub use key::{KeyError, KeyId, PrivateKey, PublicKey, Secret};
pub use provenance::{Invocation, Materials, PROVENANCE, invocation, provenance};
pub use rebuild::{REBUILD, Rebuild, distinct_rebuilders, rebuild};
pub use sbom::{Bill, BillFormat};
pub use simple::{PAYLOAD, SIGNATURE, SimpleSigning, simple_signing};
pub use stated::Stated;
pub use statement::{STATEMENT, Statement};
pub use trace::{Origin, OriginKind, Trace};
pub use verify::{Claim, Verified, verify_attachment};
