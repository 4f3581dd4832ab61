//! An upload that a registry has begun.

use super::address::Address;
use super::manifest;
use std::fmt;
use ureq::http::{HeaderMap, header};

/// Where a registry takes the bytes of a blob, and how many it has.
#[derive(Clone)]
pub struct Session {
    /// Where the next request goes; each answer may give another place.
    pub(super) at: Address,
    /// How many bytes the registry has.
    pub(super) offset: u64,
    /// The smallest chunk that it takes, but for the last.
    pub(super) least: u64,
    /// Whether the offset is what it last said; after a failure it has to be asked.
    pub(super) certain: bool,
}

impl Session {
    /// Reads the answer to a request that began one.
    pub(super) fn begun(from: &Address, headers: &HeaderMap) -> Option<Self> {
        let least = headers.get("oci-chunk-min-length").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Some(Self { at: location(from, headers)?, offset: 0, least: least.unwrap_or(0), certain: true })
    }
}

/// Where an answer says that things go on.
pub(super) fn location(from: &Address, headers: &HeaderMap) -> Option<Address> {
    from.join(headers.get(header::LOCATION)?.to_str().ok()?)
}

/// How many bytes an upload has, by the header `Range: 0-<last>`. Having none, docker's registry says `0-0`, which is what it
/// says of one byte as well; nobody sends a byte alone, and sending it again would be refused, not stored.
pub(super) fn received(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::RANGE)?.to_str().ok()?.trim();
    let text = text.strip_prefix("bytes=").unwrap_or(text);
    let (first, last) = text.split_once('-')?;
    let last: u64 = last.trim().parse().ok()?;
    let first: u64 = first.trim().parse().ok()?;
    match (first, last) {
        (0, 0) => Some(0),
        (0, last) => last.checked_add(1),
        _ => None,
    }
}

impl fmt::Debug for Session {
    /// Without the address, which may be signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("host", self.at.host()).field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// The promised digest of what was stored, if it is not the one that was sent.
pub(super) fn other_digest(headers: &HeaderMap, sent: &super::AnyDigest) -> Option<super::AnyDigest> {
    manifest::digest(headers).filter(|found| found.algorithm() == sent.algorithm() && found != sent)
}
