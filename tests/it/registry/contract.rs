//! What holds with every registry: the old and the new kind, ours and Debian's.

use super::{client, manifest, noise, send};
use crate::support::oci_registry::{Fault, Options, Registry};
use crate::support::registry_server;
use remint::digest::Digest;
use remint::oci::media;
use remint::registry::{Mounted, RegistryError, Repository, Selector, Settings};
use serde_json::json;

/// Runs a check on every kind of registry.
fn everywhere(check: impl Fn(&str)) {
    check(&Registry::start(Options::default()).address);
    check(&Registry::start(Options { old: true, page: Some(2), ..Options::default() }).address);
    let dir = tempfile::tempdir().unwrap();
    if let Some(registry) = registry_server::start(&dir.path().join("registry")) {
        check(&registry.address);
    }
}

#[test]
fn blobs_come_back_as_they_were_sent() {
    everywhere(|address| {
        let dir = tempfile::tempdir().unwrap();
        let client = client(Settings { chunk: 1 << 20, ..Settings::default() });
        let repository: Repository = format!("{address}/one/image").parse().unwrap();
        client.ping(repository.host()).unwrap();
        // In one piece, in chunks of which the last is short, and nothing at all.
        let (small, large) = (noise(1, 5000), noise(2, (5 << 20) + 17));
        let (journal, path) = (dir.path().join("journal"), dir.path().join("blob"));
        for bytes in [&small, &large, &Vec::new()] {
            let digest = Digest::of(bytes).into();
            assert_eq!(client.blob_exists(&repository, &digest).unwrap(), None);
            assert_eq!(client.blob(&repository, &digest, 1 << 30).unwrap(), None);
            assert!(!client.blob_to_file(&repository, &digest, 7, &path).unwrap());
            send(&client, &repository, bytes, Some(&journal)).unwrap();
            assert!(!journal.exists());
            assert_eq!(client.blob_exists(&repository, &digest).unwrap(), Some(bytes.len() as u64));
            assert!(client.blob(&repository, &digest, 1 << 30).unwrap().as_ref() == Some(bytes));
            // A beginning is gone on from, a wrong one is not believed.
            for beginning in [&bytes[..bytes.len() / 3], &noise(3, 99), &large] {
                std::fs::write(&path, beginning).unwrap();
                assert!(client.blob_to_file(&repository, &digest, bytes.len() as u64, &path).unwrap());
                assert!(std::fs::read(&path).unwrap() == *bytes);
            }
        }
        let big = client.blob(&repository, &Digest::of(&large).into(), 1000).unwrap_err();
        assert!(matches!(big, RegistryError::TooLarge { limit: 1000, .. }), "{big}");
        let size = client.blob_to_file(&repository, &Digest::of(&small).into(), 4999, &path).unwrap_err();
        assert!(matches!(size, RegistryError::Wrong { .. }), "{size}");

        let other: Repository = format!("{address}/another").parse().unwrap();
        let digest = Digest::of(&small).into();
        assert!(matches!(client.mount(&other, &digest, &repository).unwrap(), Mounted::Yes));
        assert!(client.blob_exists(&other, &digest).unwrap().is_some());
        let absent = Digest::of(b"absent").into();
        assert!(matches!(client.mount(&other, &absent, &repository).unwrap(), Mounted::Begun(_)));
    });
}

#[test]
fn manifests_tags_and_referrers_are_kept() {
    everywhere(|address| {
        let client = client(Settings::default());
        let repository: Repository = format!("{address}/one").parse().unwrap();
        assert_eq!(client.tags(&repository).unwrap(), None);
        send(&client, &repository, b"{}", None).unwrap();
        let image = manifest(&[b"{}"], &json!({}));
        let by_digest = Selector::Digest(image.digest);
        assert_eq!(client.manifest(&repository, &by_digest).unwrap(), None);
        assert_eq!(client.head_manifest(&repository, &by_digest).unwrap(), None);
        let put = client.put_manifest(&repository, &by_digest, media::MANIFEST, &image.bytes).unwrap();
        assert_eq!(put.digest, image.digest);
        for tag in ["a", "b", "c", "d", "e"] {
            let tag = Selector::Tag(tag.parse().unwrap());
            client.put_manifest(&repository, &tag, media::MANIFEST, &image.bytes).unwrap();
            assert_eq!(client.manifest(&repository, &tag).unwrap().as_ref(), Some(&image));
            let head = client.head_manifest(&repository, &tag).unwrap().unwrap();
            assert_eq!((head.digest, head.size), (Some(image.digest), Some(image.bytes.len() as u64)));
        }
        let names: Vec<String> = client.tags(&repository).unwrap().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);

        assert_eq!(client.referrers(&repository, &image.digest, None).unwrap(), []);
        let size = image.bytes.len();
        let subject = json!({ "mediaType": media::MANIFEST, "digest": image.digest.to_string(), "size": size });
        for kind in ["application/x.one", "application/x.two", "application/x.one"] {
            let more = json!({ "subject": subject, "artifactType": kind, "annotations": { "k": kind } });
            client.add_referrers(&repository, &image.digest, &[manifest(&[b"{}"], &more)]).unwrap();
        }
        assert_eq!(client.referrers(&repository, &image.digest, None).unwrap().len(), 2);
        let one = client.referrers(&repository, &image.digest, Some("application/x.one")).unwrap();
        assert_eq!(one[0].annotations, [("k".to_owned(), "application/x.one".to_owned())]);
        assert_eq!(one.len(), 1);

        // Bytes that are not the digest's are not even sent; what the registry refuses is told in its words.
        let wrong = client.put_manifest(&repository, &by_digest, media::MANIFEST, b"{}").unwrap_err();
        assert!(matches!(wrong, RegistryError::Wrong { .. }), "{wrong}");
        let incomplete = manifest(&[b"{ }"], &json!({}));
        let tag = Selector::Tag("x".parse().unwrap());
        let refused = client.put_manifest(&repository, &tag, media::MANIFEST, &incomplete.bytes).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("put the manifest `x`") && text.contains("MANIFEST_BLOB_UNKNOWN"), "{text}");
    });
}

#[test]
fn many_referrers_are_listed_at_once() {
    let client = client(Settings::default());
    let registry = Registry::start(Options { old: true, ..Options::default() });
    let repository: Repository = format!("{}/one", registry.address).parse().unwrap();
    send(&client, &repository, b"{}", None).unwrap();
    let image = manifest(&[b"{}"], &json!({}));
    client.put_manifest(&repository, &Selector::Digest(image.digest), media::MANIFEST, &image.bytes).unwrap();
    let about = |kind: &str| {
        let size = image.bytes.len();
        let subject = json!({ "mediaType": media::MANIFEST, "digest": image.digest.to_string(), "size": size });
        manifest(&[b"{}"], &json!({ "subject": subject, "artifactType": kind }))
    };
    let all = ["x/a", "x/b", "x/c"].map(about);
    registry.seen();
    client.add_referrers(&repository, &image.digest, &all).unwrap();
    let methods: Vec<String> = registry.seen().into_iter().map(|seen| seen.method).collect();
    // Each manifest; then the index, read, written with all, and read back.
    assert_eq!(methods, ["PUT", "PUT", "PUT", "GET", "PUT", "GET"]);
    assert_eq!(client.referrers(&repository, &image.digest, None).unwrap().len(), 3);
    assert_eq!(registry.seen().len(), 2, "its own list, and the index");
    assert_eq!(client.referrers(&repository, &image.digest, None).unwrap().len(), 3);
    assert_eq!(registry.seen().len(), 1, "which is known to be all there is");
}

#[test]
fn what_is_not_said_of_lists_is_not_remembered() {
    let client = client(Settings::default());
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/one", registry.address).parse().unwrap();
    send(&client, &repository, b"{}", None).unwrap();
    let image = manifest(&[b"{}"], &json!({}));
    for fault in [Fault::Code(404, "NAME_UNKNOWN"), Fault::Status(400, None), Fault::Page(200)] {
        registry.faults(&[("GET", fault)]);
        assert_eq!(client.referrers(&repository, &image.digest, None).unwrap(), []);
    }
    registry.seen();
    assert_eq!(client.referrers(&repository, &image.digest, None).unwrap(), []);
    let seen = registry.seen();
    assert!(seen.len() == 1 && seen[0].path.contains("/referrers/"), "{seen:?}");
}

#[test]
fn a_manifest_that_is_refused_as_broken_is_sent_twice() {
    let client = client(Settings::default());
    let registry = Registry::start(Options::default());
    let repository: Repository = format!("{}/one", registry.address).parse().unwrap();
    send(&client, &repository, b"{}", None).unwrap();
    let image = manifest(&[b"{}"], &json!({}));
    let put = || client.put_manifest(&repository, &Selector::Digest(image.digest), media::MANIFEST, &image.bytes);
    for code in ["DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"] {
        registry.faults(&[("PUT", Fault::Code(400, code))]);
        put().unwrap();
        registry.faults(&[("PUT", Fault::Code(400, code)), ("PUT", Fault::Code(400, code))]);
        let error = put().unwrap_err();
        assert!(matches!(error, RegistryError::Refused { status: 400, .. }), "{error}");
    }
    registry.faults(&[("PUT", Fault::Code(400, "MANIFEST_INVALID"))]);
    put().unwrap_err();
}

#[test]
fn registries_without_a_list_of_referrers_say_so_in_several_ways() {
    let client = client(Settings::default());
    for fault in
        [400, 404, 405, 406, 501].map(|status| Fault::Status(status, None)).into_iter().chain([Fault::Page(200)])
    {
        let registry = Registry::start(Options { old: true, ..Options::default() });
        let repository: Repository = format!("{}/one", registry.address).parse().unwrap();
        let shown = format!("{fault:?}");
        registry.plan(move |seen| seen.path.contains("/referrers/").then(|| fault.clone()));
        send(&client, &repository, b"{}", None).unwrap();
        let image = manifest(&[b"{}"], &json!({}));
        let subject = json!({ "subject": { "mediaType": media::MANIFEST, "digest": image.digest.to_string(), "size": image.bytes.len() } });
        let about = manifest(&[b"{}"], &subject);
        client.put_manifest(&repository, &Selector::Digest(image.digest), media::MANIFEST, &image.bytes).unwrap();
        assert_eq!(client.referrers(&repository, &image.digest, None).unwrap(), [], "{shown}");
        client.add_referrers(&repository, &image.digest, std::slice::from_ref(&about)).unwrap();
        let listed = client.referrers(&repository, &image.digest, None).unwrap();
        assert_eq!(listed.iter().map(|one| one.digest).collect::<Vec<_>>(), [about.digest], "{shown}");
    }
}
