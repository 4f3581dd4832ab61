//! Debian's docker-registry: what we send it holds, and what it holds we read.

use super::{client, noise, send};
use crate::support::registry_server;
use remint::digest::Digest;
use remint::oci::media;
use remint::registry::{Manifest, Mounted, RegistryError, Repository, Selector, Settings};
use serde_json::json;

#[test]
fn what_is_sent_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let Some(registry) = registry_server::start(&dir.path().join("registry")) else { return };
    let client = client(Settings::default());
    let repository: Repository = format!("{}/one/image", registry.address).parse().unwrap();
    client.ping(repository.host()).unwrap();
    assert_eq!(client.tags(&repository).unwrap(), None);

    // In one piece, and in chunks of which the last is short.
    let small = noise(1, 5000);
    let large = noise(2, (70 << 20) + 17);
    let journal = dir.path().join("journal");
    for bytes in [&small, &large, &Vec::new()] {
        let digest = Digest::of(bytes).into();
        assert_eq!(client.blob_exists(&repository, &digest).unwrap(), None);
        assert_eq!(client.blob(&repository, &digest, 1 << 30).unwrap(), None);
        send(&client, &repository, bytes, Some(&journal)).unwrap();
        assert!(!journal.exists());
        assert_eq!(client.blob_exists(&repository, &digest).unwrap(), Some(bytes.len() as u64));
        assert!(client.blob(&repository, &digest, 1 << 30).unwrap().as_ref() == Some(bytes));
        let path = dir.path().join("blob");
        // A beginning is gone on from, a wrong one is not believed.
        for beginning in [&bytes[..bytes.len() / 3], &small[..bytes.len().min(99)]] {
            std::fs::write(&path, beginning).unwrap();
            assert!(client.blob_to_file(&repository, &digest, bytes.len() as u64, &path).unwrap());
            assert!(std::fs::read(&path).unwrap() == *bytes);
        }
    }
    let other: Repository = format!("{}/another", registry.address).parse().unwrap();
    let digest = Digest::of(&small).into();
    assert!(matches!(client.mount(&other, &digest, &repository).unwrap(), Mounted::Yes));
    assert!(client.blob_exists(&other, &digest).unwrap().is_some());
    let absent = Digest::of(b"absent").into();
    assert!(matches!(client.mount(&other, &absent, &repository).unwrap(), Mounted::Begun(_)));
}

#[test]
fn manifests_tags_and_referrers_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let Some(registry) = registry_server::start(&dir.path().join("registry")) else { return };
    let client = client(Settings::default());
    let repository: Repository = format!("{}/one", registry.address).parse().unwrap();
    let config = send(&client, &repository, b"{}", None).unwrap();
    let image = |extra: serde_json::Value| {
        let mut value = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST, "layers": [],
            "config": { "mediaType": media::CONFIG, "digest": config.to_string(), "size": 2 },
        });
        value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let bytes = serde_json::to_vec(&value).unwrap();
        Manifest { media_type: media::MANIFEST.to_owned(), digest: Digest::of(&bytes).into(), bytes }
    };
    let plain = image(json!({}));
    let by_digest = Selector::Digest(plain.digest);
    assert_eq!(client.manifest(&repository, &by_digest).unwrap(), None);
    let put = client.put_manifest(&repository, &by_digest, media::MANIFEST, &plain.bytes).unwrap();
    assert_eq!(put.digest, plain.digest);
    for tag in ["a", "b", "c"] {
        let tag = Selector::Tag(tag.parse().unwrap());
        client.put_manifest(&repository, &tag, media::MANIFEST, &plain.bytes).unwrap();
        assert_eq!(client.manifest(&repository, &tag).unwrap().as_ref(), Some(&plain));
        assert_eq!(client.head_manifest(&repository, &tag).unwrap().unwrap().digest, Some(plain.digest));
    }
    let names: Vec<String> = client.tags(&repository).unwrap().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a", "b", "c"]);

    assert_eq!(client.referrers(&repository, &plain.digest, None).unwrap(), []);
    let subject =
        json!({ "mediaType": media::MANIFEST, "digest": plain.digest.to_string(), "size": plain.bytes.len() });
    for kind in ["application/x.one", "application/x.two", "application/x.one"] {
        let referrer = image(json!({ "subject": subject, "artifactType": kind, "annotations": {"k": kind} }));
        client.add_referrer(&repository, &plain.digest, &referrer).unwrap();
    }
    assert_eq!(client.referrers(&repository, &plain.digest, None).unwrap().len(), 2);
    let one = client.referrers(&repository, &plain.digest, Some("application/x.one")).unwrap();
    assert_eq!(one[0].annotations, [("k".to_owned(), "application/x.one".to_owned())]);

    // Bytes that are not the digest's are not even sent; what the registry refuses is told in its words.
    let wrong = client.put_manifest(&repository, &by_digest, media::MANIFEST, b"{}").unwrap_err();
    assert!(matches!(wrong, RegistryError::Wrong { .. }), "{wrong}");
    let absent = Digest::of(b"absent").to_string();
    let bytes = String::from_utf8(plain.bytes).unwrap().replace(&config.to_string(), &absent);
    let refused =
        client.put_manifest(&repository, &Selector::Tag("x".parse().unwrap()), media::MANIFEST, bytes.as_bytes());
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("put the manifest `x`") && text.contains("MANIFEST_BLOB_UNKNOWN"), "{text}");
    let text = client.delete_manifest(&repository, &by_digest).unwrap_err().to_string();
    assert!(text.contains("UNSUPPORTED"), "{text}");
}
