//! Verifies a clearsigned file with a keyring.

use super::certificate::{is_sound, is_strong_hash};
use super::clearsign::Clearsigned;
use super::keyring::{Fingerprint, Keyring};
use super::packet;
use crate::oci::time::format_rfc3339;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};

/// A text that a trusted key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The signed text and nothing else, its lines ended by `\n`.
    pub text: String,
    /// The primary keys that signed it, sorted; at least one.
    pub signed_by: Vec<Fingerprint>,
    /// When the newest good signature was made, in seconds since 1970.
    pub signed_at: u64,
}

/// Why a file is not verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is not exactly one clearsigned message.
    #[error("it is not one clearsigned message: {why}")]
    Form {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A trusted key's signature is not over this text: the text or the signature was changed.
    #[error("the signature of the trusted key `{key}` does not match: the file was changed after it was signed")]
    Bad {
        /// The primary key.
        key: Fingerprint,
    },
    /// No signature is good.
    #[error("no trusted key signed it: {found}")]
    Untrusted {
        /// Each signature and why it does not count, divided by `; `.
        found: String,
    },
}

/// How far clocks may differ, in seconds, before something is said to come from the future.
pub(super) const CLOCK_SLACK: u64 = 600;

/// The most signatures of one file; Debian's have two or three.
const MOST_SIGNATURES: usize = 64;

enum Verdict {
    Good { key: Fingerprint, made: u64 },
    Bad { key: Fingerprint },
    Worthless { why: String },
}

/// Verifies a clearsigned file: an InRelease.
///
/// The rules are apt's: one good signature of a trusted key is enough, signatures by unknown keys do not matter, and a signature of
/// a trusted key that does not match refuses the file, whatever the others say. A signature counts if its key was valid when it was made and
/// still is at `now` (seconds since 1970).
pub fn verify(file: &[u8], keyring: &Keyring, now: u64) -> Result<Verified, SignatureError> {
    let form = |why| SignatureError::Form { why };
    let message = Clearsigned::parse(file).map_err(form)?;
    let packets = packet::split(&message.packets).map_err(form)?;
    if packets.is_empty() || packets.len() > MOST_SIGNATURES {
        return Err(form("expected between 1 and 64 signatures"));
    }
    // The last line break belongs to the armour, not to the text, and lines are divided as on the wire (RFC 9580, section 7.2).
    let signed = message.text.strip_suffix('\n').unwrap_or(&message.text).replace('\n', "\r\n");
    let (mut signed_by, mut signed_at, mut found) = (Vec::new(), 0, Vec::new());
    for (header, body) in packets {
        let signature =
            packet::signature(header, body).ok_or(form("the armour holds something that is no signature"))?;
        match judge(&signature, &message.hashes, signed.as_bytes(), keyring, now) {
            Verdict::Good { key, made } => {
                signed_by.push(key);
                signed_at = made.max(signed_at);
            }
            Verdict::Bad { key } => return Err(SignatureError::Bad { key }),
            Verdict::Worthless { why } => found.push(why),
        }
    }
    if signed_by.is_empty() {
        return Err(SignatureError::Untrusted { found: found.join("; ") });
    }
    signed_by.sort();
    signed_by.dedup();
    Ok(Verified { text: message.text, signed_by, signed_at })
}

fn judge(signature: &Signature, hashes: &[HashAlgorithm], text: &[u8], keyring: &Keyring, now: u64) -> Verdict {
    let worthless = |why: String| Verdict::Worthless { why };
    let candidates = keyring
        .certificates()
        .iter()
        .flat_map(|certificate| certificate.keys.iter().map(move |key| (&certificate.fingerprint, key)))
        .filter(|(_, key)| key.material.is_issuer_of(signature));
    let candidates: Vec<_> = candidates.collect();
    let Some((key, _)) = candidates.first() else {
        let id = match (signature.issuer_fingerprint().first(), signature.issuer_key_id().first()) {
            (Some(fingerprint), _) => Fingerprint::of(fingerprint.as_bytes()).to_string(),
            (None, Some(id)) => Fingerprint::of(id.as_ref()).to_string(),
            (None, None) => "?".to_owned(),
        };
        return worthless(format!("`{id}` is not in the keyring"));
    };
    let hash = signature.hash_alg();
    if !hash.is_some_and(is_strong_hash) {
        return worthless(format!("the signature of `{key}` has a weak hash"));
    }
    // Signatures over text are meant for this; Go's library, with which private archives sign, makes those over binary data.
    let over_data = matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary));
    if !over_data || !is_sound(signature) {
        return worthless(format!("the signature of `{key}` is of an unknown kind"));
    }
    if !hash.is_some_and(|hash| hashes.contains(&hash)) {
        return worthless(format!("the signature of `{key}` has a hash that the header does not announce"));
    }
    let Some((key, found)) = candidates.iter().find(|(_, key)| key.material.verifies(signature, text)) else {
        return Verdict::Bad { key: (*key).clone() };
    };
    let validity = match found.validity {
        Ok(validity) => validity,
        Err(why) => return worthless(format!("`{key}`: {why}")),
    };
    let made = signature.created().map_or(0, |time| u64::from(time.as_secs()));
    if made > now.saturating_add(CLOCK_SLACK) {
        return worthless(format!("the signature of `{key}` is from the future: {}", format_rfc3339(made)));
    }
    if made < validity.from {
        return worthless(format!("the signature of `{key}` is older than the key"));
    }
    if let Some(until) = validity.until.filter(|until| *until <= now.max(made)) {
        return worthless(format!("`{key}` expired at {}", format_rfc3339(until)));
    }
    let life = signature.signature_expiration_time().map_or(0, |life| u64::from(life.as_secs()));
    if life > 0 && made + life <= now {
        return worthless(format!("the signature of `{key}` expired at {}", format_rfc3339(made + life)));
    }
    Verdict::Good { key: (*key).clone(), made }
}
