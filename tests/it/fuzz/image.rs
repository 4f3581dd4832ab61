//! Targets in a store: what other tools and other machines wrote there.

use remint::build::{Layered, PackedLayer, Unpacked};
use remint::digest::{ActionKey, DiffId, Digest};
use remint::image::{Encoding, Image, ImageRef, Layer, LayerReader, inspect};
use remint::oci::{Blob, media};
use remint::store::{IndexEntry, Store};
use std::hint::black_box;
use std::io;
use tempfile::TempDir;

thread_local! {
    /// One store a thread: what an input leaves in it is removed before the next.
    static STORE: (TempDir, Store) = {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path()).expect("a store");
        (dir, store)
    };
}

/// The manifest, the config or the index of an image, or the layer's tar: the first byte says which; the others are good.
pub(super) fn oci(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    STORE.with(|(_, store)| {
        let mut put = Vec::new();
        let mut keep = |bytes: &[u8]| {
            let blob = store.put(bytes).expect("room in the store");
            put.push(blob);
            blob
        };
        let tar = if which % 4 == 3 { bytes.to_vec() } else { vec![0; 1024] };
        let layer = keep(&tar);
        let config = match which % 4 {
            1 => keep(bytes),
            _ => keep(config(&layer).as_bytes()),
        };
        let manifest = match which % 4 {
            0 => keep(bytes),
            _ => keep(manifest(&config, &layer).as_bytes()),
        };
        let (root, kind) = match which % 4 {
            2 => (keep(bytes), media::INDEX),
            _ => (manifest, media::MANIFEST),
        };
        store.set_images(&[IndexEntry::new("fuzz", kind, root)]).expect("room in the store");
        let reference: ImageRef = "fuzz".parse().expect("a name");
        if let Ok(image) = Image::resolve(store, &reference) {
            let _ = inspect(store, &image);
        }
        for blob in put {
            store.discard(&blob.digest).unwrap();
        }
        store.take_damage();
    });
}

/// A config as other tools write it.
pub(super) fn config(layer: &Blob) -> String {
    format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Env":["A=b"],"Entrypoint":["/x"]}},"rootfs":{{"type":"layers","diff_ids":["{}"]}},"history":[{{"created":"2026-01-01T00:00:00Z"}}]}}"#,
        layer.digest
    )
}

/// A manifest as other tools write it.
pub(super) fn manifest(config: &Blob, layer: &Blob) -> String {
    let descriptor = |kind: &str, blob: &Blob| {
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}}}"#, blob.digest, blob.size)
    };
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        media::MANIFEST,
        descriptor(media::CONFIG, config),
        descriptor("application/vnd.oci.image.layer.v1.tar", layer)
    )
}

/// A compressed layer: the first byte says how.
pub(super) fn layer(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let encoding = [Encoding::Zstd, Encoding::Gzip, Encoding::Plain][usize::from(which % 3)];
    STORE.with(|(_, store)| {
        let blob = store.put(bytes).expect("room in the store");
        let layer = Layer { blob, encoding, diff_id: DiffId(Digest::of(b"")) };
        if let Ok(reader) = LayerReader::open(store, &layer) {
            let mut reader = io::Read::take(reader, 4 << 20);
            let _ = io::copy(&mut reader, &mut io::sink());
        }
        store.discard(&blob.digest).unwrap();
        store.take_damage();
    });
}

/// The list of images, and an action's result whose digest is right.
pub(super) fn store(bytes: &[u8]) {
    STORE.with(|(dir, store)| {
        std::fs::write(dir.path().join("index.json"), bytes).expect("room in the store");
        if let Ok(entries) = store.index() {
            for entry in &entries {
                black_box((entry.name(), entry.media_type(), entry.blob()));
            }
        }
        let reference: ImageRef = "fuzz".parse().expect("a name");
        let _ = Image::resolve(store, &reference);
        let key = ActionKey(Digest::of(b"fuzz"));
        let path = dir.path().join("actions").join(key.0.hex());
        let sealed = [bytes, format!("\n{}\n", Digest::of(bytes)).as_bytes()].concat();
        let write = || std::fs::write(&path, &sealed).expect("room in the store");
        write();
        let _ = store.action::<Unpacked>(&key);
        write();
        let _ = store.action::<Layered>(&key);
        write();
        let _ = store.action::<PackedLayer>(&key);
        store.take_damage();
    });
}
