//! OpenPGP certificates: which of their keys may sign, and when.
//!
//! The policy is remint's own, since rPGP checks signatures one by one and leaves their meaning to its users, and since its whole-certificate
//! check fails on Debian's real certificates, which carry certifications by third parties. A key may sign data if its certificate has
//! a primary key of sound strength, a self-signature that says so, no revocation, and, for a subkey, a binding in both directions.

use super::keyring::Fingerprint;
use super::packet;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    PacketHeader, PublicKey, PublicSubkey, Signature, SignatureConfig, SignatureType, SignatureVersion, SubpacketData,
    UserId,
};
use pgp::ser::Serialize;
use pgp::types::{EcdsaPublicParams, EddsaLegacyPublicParams, KeyDetails, PublicParams, Tag};
use std::fmt;

/// A certificate, as far as it concerns signatures over data.
#[derive(Debug)]
pub(super) struct Certificate {
    /// The primary key's fingerprint.
    pub(super) fingerprint: Fingerprint,
    /// The names that it goes by.
    pub(super) users: Vec<String>,
    /// The primary key and the subkeys.
    pub(super) keys: Vec<Key>,
}

/// A key of a certificate.
#[derive(Debug)]
pub(super) struct Key {
    /// What checks signatures.
    pub(super) material: Material,
    /// When it may sign, or why it may never.
    pub(super) validity: Result<Validity, &'static str>,
}

/// A primary key or a subkey.
#[derive(Debug)]
pub(super) enum Material {
    Primary(PublicKey),
    Sub(PublicSubkey),
}

/// From when until before when a key may sign, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: u64,
    pub(super) until: Option<u64>,
}

/// What stands in a file between one primary key and the next.
struct Parts {
    primary: PublicKey,
    direct: Vec<Signature>,
    users: Vec<(UserId, Vec<Signature>)>,
    subkeys: Vec<(PublicSubkey, Vec<Signature>)>,
}

impl Certificate {
    /// Whether any of its keys may sign at some time.
    pub(super) fn can_sign(&self) -> bool {
        self.keys.iter().any(|key| key.validity.is_ok())
    }

    /// When its primary key expires, in seconds since 1970.
    #[cfg(test)]
    pub(super) fn expires(&self) -> Option<u64> {
        self.keys[0].validity.unwrap().until
    }

    fn judge(parts: Parts) -> Self {
        let Parts { primary, direct, users, subkeys } = parts;
        let fingerprint = Fingerprint::of(primary.fingerprint().as_bytes());
        let whole = judge_primary(&primary, &direct, &users);
        let mut keys = Vec::with_capacity(1 + subkeys.len());
        let names = users.iter().map(|(user, _)| user.as_str().unwrap_or("?").to_owned()).collect();
        for (subkey, signatures) in subkeys {
            let validity = whole.and_then(|(whole, _)| judge_subkey(&primary, whole, &subkey, &signatures));
            keys.push(Key { material: Material::Sub(subkey), validity });
        }
        let validity = match whole {
            Ok((validity, true)) => Ok(validity),
            Ok((_, false)) => Err("its primary key is not for signing"),
            Err(why) => Err(why),
        };
        keys.insert(0, Key { material: Material::Primary(primary), validity });
        Self { fingerprint, users: names, keys }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.keys.iter().find_map(|key| key.validity.err()).unwrap_or("it may sign");
        write!(f, "{}: {why}", self.fingerprint)
    }
}

/// Whom signatures certify.
enum Owner {
    Primary,
    User,
    Subkey,
}

/// Sorts packets into certificates and judges each.
pub(super) fn certificates(packets: &[(PacketHeader, &[u8])]) -> Result<Vec<Certificate>, &'static str> {
    let mut certificates = Vec::new();
    let mut parts: Option<Parts> = None;
    // Where the signatures that follow belong; those of user attributes and unknown packets, nowhere.
    let mut signatures = None;
    for (header, body) in packets {
        let mut rest = *body;
        match header.tag() {
            Tag::PublicKey => {
                let primary =
                    PublicKey::try_from_reader(*header, &mut rest).map_err(|_| "a primary key is malformed")?;
                certificates.extend(parts.take().map(Certificate::judge));
                parts = Some(Parts { primary, direct: Vec::new(), users: Vec::new(), subkeys: Vec::new() });
                signatures = Some(Owner::Primary);
                continue;
            }
            Tag::SecretKey | Tag::SecretSubkey => return Err("it holds a secret key"),
            _ => {}
        }
        let Some(parts) = parts.as_mut() else { return Err("it does not begin with a primary key") };
        match header.tag() {
            Tag::UserId => {
                let user = UserId::try_from_reader(*header, &mut rest).map_err(|_| "a user name is malformed")?;
                parts.users.push((user, Vec::new()));
                signatures = Some(Owner::User);
            }
            Tag::PublicSubkey => {
                signatures = None;
                // A subkey of an unknown kind cannot sign for us; the others of the certificate can.
                if let Ok(subkey) = PublicSubkey::try_from_reader(*header, &mut rest) {
                    parts.subkeys.push((subkey, Vec::new()));
                    signatures = Some(Owner::Subkey);
                }
            }
            Tag::Signature => {
                let list = match signatures {
                    Some(Owner::Primary) => Some(&mut parts.direct),
                    Some(Owner::User) => parts.users.last_mut().map(|(_, list)| list),
                    Some(Owner::Subkey) => parts.subkeys.last_mut().map(|(_, list)| list),
                    None => None,
                };
                // A signature of an unknown kind proves nothing.
                if let (Some(list), Some(signature)) = (list, packet::signature(*header, body)) {
                    list.push(signature);
                }
            }
            // GnuPG keeps trust packets between the others.
            Tag::Trust => {}
            _ => signatures = None,
        }
    }
    certificates.extend(parts.map(Certificate::judge));
    if certificates.is_empty() { Err("it holds no certificate") } else { Ok(certificates) }
}

/// When the certificate is valid, and whether its primary key may sign data.
fn judge_primary(
    primary: &PublicKey,
    direct: &[Signature],
    users: &[(UserId, Vec<Signature>)],
) -> Result<(Validity, bool), &'static str> {
    if !is_strong_key(primary.public_params()) {
        return Err("its primary key is of a weak or unknown kind");
    }
    // A revocation counts even if its hash is weak, and one by another key, a designated revoker, is taken at its word: to be wrong
    // here refuses a key, no more.
    let id = primary.legacy_key_id();
    let revoked = |s: &&Signature| s.verify_key(primary).is_ok() || !s.issuer_key_id().contains(&&id);
    if direct.iter().filter(|s| s.typ() == Some(SignatureType::KeyRevocation)).any(|s| revoked(&s)) {
        return Err("it is revoked");
    }
    let mut own: Vec<&Signature> = Vec::new();
    own.extend(
        direct.iter().filter(|s| s.typ() == Some(SignatureType::Key) && is_sound(s) && s.verify_key(primary).is_ok()),
    );
    for (user, signatures) in users {
        let verified =
            || signatures.iter().filter(|s| is_sound(s) && s.verify_certification(primary, Tag::UserId, user).is_ok());
        let revoked =
            verified().filter(|s| s.typ() == Some(SignatureType::CertRevocation)).filter_map(Signature::created).max();
        own.extend(verified().filter(|s| s.typ() != Some(SignatureType::CertRevocation) && s.created() > revoked));
    }
    // The newest that says what the key is for decides; Debian's keys have direct signatures that only name their revokers.
    let saying = own.iter().filter(|s| has_key_flags(s)).max_by_key(|s| s.created());
    let newest = saying.or_else(|| own.iter().max_by_key(|s| s.created())).ok_or("it has no sound self-signature")?;
    // Without flags RFC 9580 leaves the use open, and a primary key that can sign may.
    Ok((validity(primary, newest), saying.is_none() || newest.key_flags().sign()))
}

/// When a subkey may sign.
fn judge_subkey(
    primary: &PublicKey,
    whole: Validity,
    subkey: &PublicSubkey,
    signatures: &[Signature],
) -> Result<Validity, &'static str> {
    if !is_strong_key(subkey.public_params()) {
        return Err("the subkey is of a weak or unknown kind");
    }
    let verified = |s: &&Signature| s.verify_subkey_binding(primary, subkey).is_ok();
    if signatures.iter().filter(verified).any(|s| s.typ() == Some(SignatureType::SubkeyRevocation)) {
        return Err("the subkey is revoked");
    }
    let bindings = signatures.iter().filter(|s| s.typ() == Some(SignatureType::SubkeyBinding) && is_sound(s));
    let binding = bindings.filter(verified).max_by_key(|s| s.created()).ok_or("the subkey has no sound binding")?;
    if !binding.key_flags().sign() {
        return Err("the subkey is not for signing");
    }
    // Without the signature in the other direction, anyone could claim another's subkey as their own.
    let back = binding
        .embedded_signature()
        .is_some_and(|s| is_sound(s) && s.verify_primary_key_binding(subkey, primary).is_ok());
    if !back {
        return Err("the subkey does not confirm that it belongs to the primary key");
    }
    let own = validity(subkey, binding);
    let until = [own.until, whole.until].into_iter().flatten().min();
    Ok(Validity { from: own.from.max(whole.from), until })
}

/// From a key's creation until it, or the signature that says so, expires.
fn validity(key: &impl KeyDetails, signature: &Signature) -> Validity {
    let from = u64::from(key.created_at().as_secs());
    let after = |from: u64, time: Option<pgp::types::Duration>| {
        time.map(|time| u64::from(time.as_secs())).filter(|time| *time > 0).map(|time| from + time)
    };
    let made = signature.created().map_or(0, |time| u64::from(time.as_secs()));
    let until = [after(from, signature.key_expiration_time()), after(made, signature.signature_expiration_time())];
    Validity { from, until: until.into_iter().flatten().min() }
}

fn has_key_flags(signature: &Signature) -> bool {
    let mut hashed = signature.config().into_iter().flat_map(SignatureConfig::hashed_subpackets);
    hashed.any(|subpacket| matches!(subpacket.data, SubpacketData::KeyFlags(_)))
}

/// Whether a signature is of a form whose meaning is understood and whose hash is strong.
pub(super) fn is_sound(signature: &Signature) -> bool {
    let Some(config) = signature.config() else { return false };
    let version = matches!(config.version(), SignatureVersion::V4 | SignatureVersion::V6);
    // What is marked critical and not understood makes the signature invalid (RFC 9580, section 5.2.3.7).
    let understood = config.hashed_subpackets().all(|subpacket| {
        !subpacket.is_critical
            || !matches!(
                subpacket.data,
                SubpacketData::Experimental(..) | SubpacketData::Other(..) | SubpacketData::Notation(_)
            )
    });
    version && understood && is_strong_hash(config.hash_alg) && signature.created().is_some()
}

/// Whether nobody can make two texts with the same hash.
pub(super) fn is_strong_hash(hash: HashAlgorithm) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(hash, Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512)
}

/// Whether nobody can sign with a key who does not own it: RSA of 2048 bits or more, or an elliptic curve of 255 or more.
fn is_strong_key(params: &PublicParams) -> bool {
    match params {
        // The parameters begin with the modulus, whose first two bytes count its bits (RFC 9580, section 3.2).
        PublicParams::RSA(rsa) => {
            rsa.to_bytes().is_ok_and(|bytes| bytes.len() > 2 && u16::from_be_bytes([bytes[0], bytes[1]]) >= 2048)
        }
        PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Ed25519 { .. })
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_)
        | PublicParams::ECDSA(
            EcdsaPublicParams::P256 { .. } | EcdsaPublicParams::P384 { .. } | EcdsaPublicParams::P521 { .. },
        ) => true,
        _ => false,
    }
}

impl Material {
    /// Whether a signature by this key covers a text.
    pub(super) fn verifies(&self, signature: &Signature, text: &[u8]) -> bool {
        match self {
            Self::Primary(key) => signature.verify(key, text).is_ok(),
            Self::Sub(key) => signature.verify(key, text).is_ok(),
        }
    }

    /// Whether a signature names this key as its maker: by its fingerprint, or where it gives none by its short id.
    pub(super) fn is_issuer_of(&self, signature: &Signature) -> bool {
        let (fingerprint, id) = match self {
            Self::Primary(key) => (key.fingerprint(), key.legacy_key_id()),
            Self::Sub(key) => (key.fingerprint(), key.legacy_key_id()),
        };
        let fingerprints = signature.issuer_fingerprint();
        if fingerprints.is_empty() {
            signature.issuer_key_id().contains(&&id)
        } else {
            fingerprints.contains(&&fingerprint)
        }
    }
}
