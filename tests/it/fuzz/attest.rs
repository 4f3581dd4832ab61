//! Targets of what is read to say what an image is made of and who vouches for it.

use remint::attest::{
    BUNDLE, Copyright, ENVELOPE, Envelope, PrivateKey, PublicKey, Secret, SimpleSigning, Subject, simple_signing,
    verify_attachment,
};
use remint::oci::{Blob, media};
use std::hint::black_box;

/// Its private half is for nobody else: RFC 8032, 7.1, test 1.
pub(crate) const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

/// The media types that sign, by the first byte of an input.
pub(crate) const SIGNING: [&str; 3] = [BUNDLE, ENVELOPE, "application/vnd.dev.cosign.simplesigning.v1+json"];

/// A package's copyright file; an expression has words and nothing that ends it early.
pub(crate) fn copyright(bytes: &[u8]) {
    let Some(licence) = Copyright::parse(bytes).licence() else { return };
    let expression = &licence.expression;
    assert!(!expression.is_empty() && !expression.contains("  "), "{expression}");
    assert_eq!(expression.matches('(').count(), expression.matches(')').count(), "{expression}");
    assert!(licence.others.keys().all(|id| expression.contains(id.as_str())), "{expression}");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ' ' | '(' | ')');
    assert!(expression.chars().all(plain), "{expression}");
}

/// Keys of either kind: what is read is written and read back.
pub(crate) fn pem_key(bytes: &[u8]) {
    if let Ok(key) = PublicKey::from_pem(bytes) {
        assert_eq!(PublicKey::from_pem(key.to_pem().as_bytes()).as_ref(), Ok(&key));
        assert!(!key.verify(b"", bytes));
    }
    if let Ok(key) = PrivateKey::from_pem(&Secret::new(bytes.to_vec())) {
        let signature = key.sign(bytes);
        assert!(key.public().verify(bytes, &signature));
    }
}

/// A blob that a signature is in, and the manifest of a tag that is added to.
pub(crate) fn signed(bytes: &[u8]) {
    let Some((form, blob)) = bytes.split_first() else { return };
    let key = PrivateKey::from_pem(&Secret::new(PRIVATE.as_bytes().to_vec())).expect("it is one");
    let form = usize::from(*form) % (SIGNING.len() + 1);
    let Some(media_type) = SIGNING.get(form) else {
        let subject = Subject { media_type: media::MANIFEST.to_owned(), blob: Blob::of(b""), created: None };
        if let Ok(first) = simple_signing(&subject, "r.example/x", &key, Some(blob)) {
            let again = simple_signing(&subject, "r.example/x", &key, Some(&first.manifest)).expect("its own is taken");
            assert_eq!(again.manifest, first.manifest);
        }
        return;
    };
    if let Ok(envelope) = Envelope::parse(blob) {
        assert_eq!(Envelope::parse(&envelope.bytes()).expect("its own is taken"), envelope);
    }
    if let Ok(payload) = SimpleSigning::parse(blob) {
        assert_eq!(SimpleSigning::parse(&payload.bytes()).expect("its own is taken"), payload);
    }
    let _ = black_box(verify_attachment(media_type, blob, Some("AAAA"), Some(blob), &[key.public()]));
}
