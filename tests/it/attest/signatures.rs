//! Signatures before judges: openssl makes the keys and verifies, securesystemslib reads the envelopes, sigstore's packages the bundles.

use super::judges::{node, python, script};
use crate::support::judge;
use remint::attest::{
    Attachment, Claim, Envelope, KeyError, PrivateKey, PublicKey, SIGNED, STATEMENT, Secret, Statement, Subject, pae,
    sign_bundle, simple_signing, verify_attachment,
};
use remint::oci::{Blob, media};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The kinds of keys, and what openssl is told to make one.
const KINDS: [(&str, &[&str]); 2] =
    [("p256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]), ("ed25519", &["-algorithm", "ed25519"])];

/// A pair of keys that openssl made.
struct Pair {
    private: PrivateKey,
    public: PublicKey,
    /// The file of the public one.
    file: PathBuf,
}

fn pair(openssl: &Path, dir: &Path, name: &str, how: &[&str]) -> Pair {
    let (private, file) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.pub")));
    judge::succeed(Command::new(openssl).arg("genpkey").args(how).arg("-out").arg(&private));
    judge::succeed(Command::new(openssl).args(["pkey", "-pubout", "-in"]).arg(&private).arg("-out").arg(&file));
    let private = PrivateKey::from_pem(&Secret::new(std::fs::read(private).unwrap())).unwrap();
    let public = PublicKey::from_pem(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(private.public(), public);
    Pair { private, public, file }
}

/// Whether openssl takes a signature.
fn openssl_takes(openssl: &Path, dir: &Path, name: &str, pair: &Pair, message: &[u8], signature: &[u8]) -> bool {
    let (said, signed) = (dir.join("message"), dir.join("signature"));
    std::fs::write(&said, message).unwrap();
    std::fs::write(&signed, signature).unwrap();
    let mut command = Command::new(openssl);
    if name == "p256" {
        command.args(["dgst", "-sha256", "-verify"]).arg(&pair.file).arg("-signature").arg(&signed).arg(&said);
    } else {
        command.args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"]).arg(&pair.file);
        command.arg("-in").arg(&said).arg("-sigfile").arg(&signed);
    }
    command.output().unwrap().status.success()
}

fn subject() -> Subject {
    Subject { media_type: media::MANIFEST.to_owned(), blob: Blob::of(b"manifest"), created: None }
}

fn statement() -> Statement {
    let predicate = json!({ "a": [1, "ü"] });
    Statement { name: None, subject: subject().blob.digest, predicate_type: "urn:test:said".to_owned(), predicate }
}

#[test]
fn openssl_takes_what_is_signed() {
    let Some(openssl) = judge::find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    for (name, how) in KINDS {
        let pair = pair(&openssl, dir.path(), name, how);
        // openssl takes no empty message for Ed25519.
        let long = vec![0xa5; 100_000];
        for message in [&b"x"[..], &long] {
            let signature = pair.private.sign(message);
            assert_eq!(signature, pair.private.sign(message), "signing is deterministic");
            assert!(openssl_takes(&openssl, dir.path(), name, &pair, message, &signature), "{name}");
            let other = [message, b"."].concat();
            assert!(!openssl_takes(&openssl, dir.path(), name, &pair, &other, &signature), "{name}");
        }
        // What cosign's tag scheme signs is the payload itself, and what it attests the envelope's encoding.
        let tagged = simple_signing(&subject(), "r.example/web", &pair.private, None).unwrap();
        let payload = &tagged.blobs[1];
        let annotation = &payload.annotations["dev.cosignproject.cosign/signature"];
        let verified = verify_attachment(
            &payload.media_type,
            &payload.bytes,
            Some(annotation),
            None,
            std::slice::from_ref(&pair.public),
        );
        let verified = verified.unwrap();
        assert_eq!(verified[0].claim, Claim::Signed(Some("r.example/web".to_owned())));
        assert_eq!((verified[0].key, &*verified[0].subjects), (pair.public.id(), &[subject().blob.digest][..]));
        let attested = Attachment::attestation(&subject(), &statement(), &pair.private, None).unwrap();
        let envelope = Envelope::parse(&attested.blobs[1].bytes).unwrap();
        let signed = pae(STATEMENT, &statement().bytes());
        assert!(openssl_takes(&openssl, dir.path(), name, &pair, &signed, &envelope.signatures[0]), "{name}");
    }
}

#[test]
fn what_openssl_signed_is_taken() {
    let Some(openssl) = judge::find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let pair = pair(&openssl, dir.path(), "p256", KINDS[0].1);
    let (said, signed) = (dir.path().join("said"), dir.path().join("signed"));
    std::fs::write(&said, "message").unwrap();
    let mut command = Command::new(&openssl);
    command.args(["dgst", "-sha256", "-sign"]).arg(dir.path().join("p256.pem")).arg("-out").arg(&signed).arg(&said);
    judge::succeed(&mut command);
    assert!(pair.public.verify(b"message", &std::fs::read(signed).unwrap()));
}

#[test]
fn keys_of_other_forms_are_named_and_the_hint_helps() {
    let Some(openssl) = judge::find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let read = |name: &str| PrivateKey::from_pem(&Secret::new(std::fs::read(path(name)).unwrap()));
    let run = |arguments: &[&str]| judge::succeed(Command::new(&openssl).args(arguments).current_dir(dir.path()));
    run(&["ecparam", "-genkey", "-name", "prime256v1", "-out", "OLD.pem"]);
    let error = read("OLD.pem").unwrap_err();
    assert_eq!(error, KeyError::Sec1);
    let hint = error.hint().unwrap().split('`').nth(1).unwrap().split(' ').skip(1).collect::<Vec<_>>();
    run(&hint);
    read("NEW.pem").unwrap();
    run(&["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret", "-out", "locked.pem"]);
    assert!(matches!(read("locked.pem").unwrap_err(), KeyError::Encrypted { .. }));
    run(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "other.pem"]);
    assert!(matches!(read("other.pem").unwrap_err(), KeyError::Algorithm { .. }));
    run(&["pkey", "-in", "other.pem", "-pubout", "-out", "other.pub"]);
    let public = PublicKey::from_pem(&std::fs::read(path("other.pub")).unwrap());
    assert!(matches!(public.unwrap_err(), KeyError::Algorithm { .. }));
}

#[test]
fn securesystemslib_takes_envelopes() {
    let (Some(openssl), Some(python)) = (judge::find("openssl"), python()) else { return };
    let dir = tempfile::tempdir().unwrap();
    for (name, how) in KINDS {
        let pair = pair(&openssl, dir.path(), name, how);
        let attested = Attachment::attestation(&subject(), &statement(), &pair.private, None).unwrap();
        let mut envelope = Envelope::parse(&attested.blobs[1].bytes).unwrap();
        let file = dir.path().join("envelope.json");
        let takes = |envelope: &Envelope| {
            std::fs::write(&file, envelope.bytes()).unwrap();
            let output = Command::new(&python).arg(script("envelope.py")).arg(&file).arg(&pair.file).output().unwrap();
            assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            output.status.success()
        };
        assert!(takes(&envelope), "{name}");
        envelope.payload.push(b' ');
        assert!(!takes(&envelope), "{name}");
    }
}

#[test]
fn sigstores_packages_take_bundles() {
    let (Some(openssl), Some(node)) = (judge::find("openssl"), node()) else { return };
    let dir = tempfile::tempdir().unwrap();
    for (name, how) in KINDS {
        let pair = pair(&openssl, dir.path(), name, how);
        for statement in [Statement::signed(subject().blob.digest), statement()] {
            let attached = sign_bundle(&subject(), &statement, &pair.private);
            assert_eq!(attached.annotations["dev.sigstore.bundle.predicateType"], statement.predicate_type);
            let bundle = &attached.blobs[1];
            let document: serde_json::Value = serde_json::from_slice(&bundle.bytes).unwrap();
            let hint = document["verificationMaterial"]["publicKey"]["hint"].as_str().unwrap();
            let file = dir.path().join("bundle.json");
            let takes = |bytes: &[u8]| {
                std::fs::write(&file, bytes).unwrap();
                let output = Command::new(&node).arg(script("bundle.js")).arg(&file).arg(&pair.file).arg(hint).output();
                let output = output.unwrap();
                let said = String::from_utf8(output.stdout).unwrap();
                assert!(output.status.success() || said.contains("signature verification failed"), "{said}");
                output.status.success()
            };
            assert!(takes(&bundle.bytes), "{name}");
            let text = String::from_utf8(bundle.bytes.clone()).unwrap();
            assert!(!takes(text.replace("in-toto", "in-total").as_bytes()), "{name}");
            let verified =
                verify_attachment(&bundle.media_type, &bundle.bytes, None, None, std::slice::from_ref(&pair.public))
                    .unwrap();
            assert_eq!(verified[0].subjects, [subject().blob.digest]);
            let signed = statement.predicate_type == SIGNED;
            assert_eq!(verified[0].claim == Claim::Signed(None), signed);
        }
    }
}
