//! OpenPGP keys from fixed seeds, with knobs for everything that a verifier has to refuse.

use pgp::armor::{self, BlockType};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::crypto::{ed25519, eddsa_legacy};
use pgp::packet::{
    KeyFlags, PacketTrait, PubKeyInner, PublicKey, PublicSubkey, SecretKey, SecretSubkey, Signature, SignatureConfig,
    SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::ser::Serialize;
use pgp::types::{
    Duration, KeyDetails, KeyVersion, PacketHeaderVersion, Password, PlainSecretParams, PublicParams, SecretParams,
    Tag, Timestamp,
};

/// When the keys of tests are made: 2025-01-01.
pub(crate) const KEY_MADE: u32 = 1_735_689_600;

/// How a key is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeySpec {
    /// Decides the key.
    pub(crate) seed: u8,
    /// How many seconds after its making it expires.
    pub(crate) life: Option<u32>,
    /// Whether a subkey signs, as in Debian's automatic keys.
    pub(crate) subkey: bool,
    /// What is wrong with the certificate.
    pub(crate) fault: Option<KeyFault>,
}

/// What can be wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFault {
    Revoked,
    SubkeyRevoked,
    NoBackSignature,
    NotForSigning,
    NoSelfSignature,
}

/// How a signature is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignatureSpec {
    /// When, in seconds since 1970.
    pub(crate) made: u32,
    /// How many seconds later it expires.
    pub(crate) life: Option<u32>,
    /// With which hash.
    pub(crate) hash: HashAlgorithm,
    /// As what: `Text` in a clearsigned message.
    pub(crate) kind: SignatureType,
    /// Whether it has a critical subpacket that nobody knows.
    pub(crate) critical: bool,
}

/// A key that signs.
pub(crate) struct Signer {
    primary: SecretKey,
    subkey: Option<SecretSubkey>,
    certificate: Vec<u8>,
}

impl KeySpec {
    /// A good key.
    pub(crate) fn good(seed: u8) -> Self {
        Self { seed, life: None, subkey: false, fault: None }
    }

    /// A good key with a subkey that signs.
    pub(crate) fn with_subkey(seed: u8) -> Self {
        Self { subkey: true, ..Self::good(seed) }
    }

    /// A key with something wrong.
    pub(crate) fn faulty(seed: u8, fault: KeyFault) -> Self {
        let subkey = matches!(fault, KeyFault::SubkeyRevoked | KeyFault::NoBackSignature);
        Self { subkey, fault: Some(fault), ..Self::good(seed) }
    }
}

impl SignatureSpec {
    /// A good signature made at some time.
    pub(crate) fn at(made: u32) -> Self {
        Self { made, life: None, hash: HashAlgorithm::Sha256, kind: SignatureType::Text, critical: false }
    }
}

fn material(seed: [u8; 32]) -> (PubKeyInner, SecretParams) {
    let secret = ed25519::SecretKey::try_from_bytes(seed, ed25519::Mode::EdDSALegacy).unwrap();
    let public = PublicParams::EdDSALegacy((&secret).into());
    let made = Timestamp::from_secs(KEY_MADE);
    let inner = PubKeyInner::new(KeyVersion::V4, PublicKeyAlgorithm::EdDSALegacy, made, None, public).unwrap();
    let secret = PlainSecretParams::EdDSALegacy(eddsa_legacy::SecretKey::Ed25519(secret));
    (inner, SecretParams::Plain(secret))
}

fn config(
    kind: SignatureType,
    hash: HashAlgorithm,
    made: u32,
    key: &impl KeyDetails,
    more: Vec<SubpacketData>,
) -> SignatureConfig {
    let mut config = SignatureConfig::v4(kind, PublicKeyAlgorithm::EdDSALegacy, hash);
    let own = [
        SubpacketData::SignatureCreationTime(Timestamp::from_secs(made)),
        SubpacketData::IssuerFingerprint(key.fingerprint()),
    ];
    config.hashed_subpackets = own.into_iter().chain(more).map(|data| Subpacket::regular(data).unwrap()).collect();
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id())).unwrap()];
    config
}

fn flags(certify: bool, sign: bool) -> SubpacketData {
    let mut flags = KeyFlags::default();
    flags.set_certify(certify);
    flags.set_sign(sign);
    SubpacketData::KeyFlags(flags)
}

impl Signer {
    /// Makes a key.
    pub(crate) fn new(spec: KeySpec) -> Self {
        let (none, sha256) = (Password::empty(), HashAlgorithm::Sha256);
        let (inner, secret) = material([spec.seed; 32]);
        let public = PublicKey::from_inner(inner).unwrap();
        let primary = SecretKey::new(public.clone(), secret).unwrap();
        let mut certificate = Vec::new();
        let mut push = |packet: &dyn Fn(&mut Vec<u8>)| packet(&mut certificate);
        push(&|out| public.to_writer_with_header(out).unwrap());
        if spec.fault == Some(KeyFault::Revoked) {
            let config = config(SignatureType::KeyRevocation, sha256, KEY_MADE + 1, &public, vec![]);
            let revocation = config.sign_key(&primary, &none, &public).unwrap();
            push(&|out| revocation.to_writer_with_header(out).unwrap());
        }
        let user =
            UserId::from_str(PacketHeaderVersion::New, format!("Test Key {} <test@example.org>", spec.seed)).unwrap();
        push(&|out| user.to_writer_with_header(out).unwrap());
        if spec.fault != Some(KeyFault::NoSelfSignature) {
            let mut more = vec![flags(true, spec.fault != Some(KeyFault::NotForSigning) && !spec.subkey)];
            more.extend(spec.life.map(|life| SubpacketData::KeyExpirationTime(Duration::from_secs(life))));
            let config = config(SignatureType::CertPositive, sha256, KEY_MADE, &public, more);
            let own = config.sign_certification(&primary, &public, &none, Tag::UserId, &user).unwrap();
            push(&|out| own.to_writer_with_header(out).unwrap());
        }
        let subkey = spec.subkey.then(|| {
            let (inner, secret) = material([spec.seed ^ 0x80; 32]);
            let public_sub = PublicSubkey::from_inner(inner).unwrap();
            let subkey = SecretSubkey::new(public_sub.clone(), secret).unwrap();
            push(&|out| public_sub.to_writer_with_header(out).unwrap());
            if spec.fault == Some(KeyFault::SubkeyRevoked) {
                let config = config(SignatureType::SubkeyRevocation, sha256, KEY_MADE + 1, &public, vec![]);
                let revocation = config.sign_subkey_binding(&primary, &public, &none, &public_sub).unwrap();
                push(&|out| revocation.to_writer_with_header(out).unwrap());
            }
            let mut binding = config(SignatureType::SubkeyBinding, sha256, KEY_MADE, &public, vec![flags(false, true)]);
            if spec.fault != Some(KeyFault::NoBackSignature) {
                let back = config(SignatureType::KeyBinding, sha256, KEY_MADE, &public_sub, vec![]);
                let back = back.sign_primary_key_binding(&subkey, &public_sub, &none, &public).unwrap();
                let embedded = SubpacketData::EmbeddedSignature(Box::new(back));
                binding.unhashed_subpackets.push(Subpacket::regular(embedded).unwrap());
            }
            let binding = binding.sign_subkey_binding(&primary, &public, &none, &public_sub).unwrap();
            push(&|out| binding.to_writer_with_header(out).unwrap());
            subkey
        });
        Self { primary, subkey, certificate }
    }

    /// The certificate, binary: a keyring of one key.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate in armour.
    pub(crate) fn armoured_certificate(&self) -> String {
        armoured(&self.certificate, BlockType::PublicKey)
    }

    /// The primary key's fingerprint.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:X}", self.primary.public_key().fingerprint())
    }

    /// A signature packet over a text whose lines end with `\n`, as a clearsigned message holds it.
    pub(crate) fn signature(&self, text: &str, spec: SignatureSpec) -> Vec<u8> {
        let canonical = text.strip_suffix('\n').unwrap_or(text).replace('\n', "\r\n");
        let mut more: Vec<_> = spec
            .life
            .map(|life| SubpacketData::SignatureExpirationTime(Duration::from_secs(life)))
            .into_iter()
            .collect();
        if spec.critical {
            more.push(SubpacketData::Experimental(101, vec![1].into()));
        }
        let finish = |mut config: SignatureConfig| {
            if let Some(last) = config.hashed_subpackets.last_mut() {
                last.is_critical = spec.critical;
            }
            config
        };
        let none = Password::empty();
        let data = canonical.as_bytes();
        let signature: Signature = if let Some(subkey) = &self.subkey {
            let config = finish(config(spec.kind, spec.hash, spec.made, subkey.public_key(), more));
            config.sign(subkey, &none, data).unwrap()
        } else {
            let config = finish(config(spec.kind, spec.hash, spec.made, self.primary.public_key(), more));
            config.sign(&self.primary, &none, data).unwrap()
        };
        let mut packet = Vec::new();
        signature.to_writer_with_header(&mut packet).unwrap();
        packet
    }

    /// A clearsigned message with one good signature.
    pub(crate) fn clearsign(&self, text: &str, made: u32) -> String {
        message(text, "SHA256", &self.signature(text, SignatureSpec::at(made)))
    }
}

/// A clearsigned message of a text and signature packets.
pub(crate) fn message(text: &str, hashes: &str, packets: &[u8]) -> String {
    let lines =
        text.lines().map(|line| if line.starts_with('-') { format!("- {line}\n") } else { format!("{line}\n") });
    let escaped: String = lines.collect();
    let armour = armoured(packets, BlockType::Signature);
    format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: {hashes}\n\n{escaped}{armour}")
}

fn armoured(packets: &[u8], kind: BlockType) -> String {
    struct Raw<'a>(&'a [u8]);
    impl Serialize for Raw<'_> {
        fn to_writer<W: std::io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
            Ok(writer.write_all(self.0)?)
        }
        fn write_len(&self) -> usize {
            self.0.len()
        }
    }
    let mut text = Vec::new();
    armor::write(&Raw(packets), kind, &mut text, None, true).unwrap();
    String::from_utf8(text).unwrap()
}
