//! The trust store of Java (ca-certificates-java 20230103 and 20240118, `postinst`; the JDK's `sun.security.provider.JavaKeyStore`).
//!
//! ```text
//! etc/ssl/certs/java/cacerts
//! 0xFEEDFEED  version 2  count        32-bit numbers, big endian
//! { 2  alias  time:u64  "X.509"  length:u32  DER }…     texts with a 16-bit length in front
//! SHA-1 over the password's UTF-16, "Mighty Aphrodite" and all of the above
//! ```
//!
//! The real one has the time of its making and the order of a hash map; here the time is the constant one, and the order that of names.

use super::super::Error;
use super::super::tree::Tree;
use super::{CERTS, LOCAL, SHARED, x509};
use crate::layer::{CONSTANT_MTIME, Kind};
use sha1::{Digest as _, Sha1};

/// Where the store is.
const STORE: &str = "etc/ssl/certs/java/cacerts";

/// Everybody's password: the store is public, the digest only finds accidents.
const PASSWORD: &str = "changeit";

/// Writes the store from the links in `/etc/ssl/certs` that lead to trusted certificates.
pub(in super::super) fn update(tree: &mut Tree<'_>) -> Result<(), Error> {
    let mut entries = Vec::new();
    for name in tree.names(CERTS) {
        let Some(Kind::Symlink { target }) = tree.get(&format!("{CERTS}/{name}")).map(|entry| entry.kind.clone())
        else {
            continue;
        };
        let trusted = [SHARED, LOCAL].iter().any(|place| target.trim_start_matches('/').starts_with(place));
        if !trusted || name.rsplit_once('.').is_none_or(|(_, end)| end != "pem") {
            continue;
        }
        let pem = tree.read(&format!("{CERTS}/{name}"))?.unwrap_or_default();
        entries.extend(x509::single(&pem).map(|der| (format!("debian:{}", name.to_lowercase()), der)));
    }
    tree.file(STORE, 0o644, store(&entries));
    Ok(())
}

fn store(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = Vec::new();
    out.extend(0xFEED_FEED_u32.to_be_bytes());
    out.extend(word(2));
    out.extend(word(entries.len()));
    for (alias, der) in entries {
        out.extend(word(2));
        text(&mut out, alias);
        // Milliseconds.
        out.extend((CONSTANT_MTIME * 1000).to_be_bytes());
        text(&mut out, "X.509");
        out.extend(word(der.len()));
        out.extend(der);
    }
    let mut hash = Sha1::new();
    for unit in PASSWORD.encode_utf16() {
        hash.update(unit.to_be_bytes());
    }
    hash.update(b"Mighty Aphrodite");
    hash.update(&out);
    out.extend(hash.finalize());
    out
}

/// A text as Java writes it; file names have no characters whose modified UTF-8 differs.
fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_the_jdks_form() {
        let store = store(&[("debian:a.pem".to_owned(), vec![0x30, 0])]);
        assert_eq!(store[..12], [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1]);
        assert_eq!(store.len(), 12 + 4 + 2 + 12 + 8 + 2 + 5 + 4 + 2 + 20);
    }
}
