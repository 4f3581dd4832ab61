//! A built image taken apart to the bytes of its layers' entries, and put back with one thing changed.

use super::making::pack;
use remint::digest::Digest;
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// An image of a layout, of one platform or several.
#[derive(Clone)]
pub(super) struct Taken {
    /// Its descriptor in `index.json`.
    pub(super) entry: Value,
    /// The index of its platforms, where it has several.
    pub(super) index: Option<Value>,
    /// One for each platform, in the index's order.
    pub(super) images: Vec<Image>,
}

/// The image of one platform; which layers there are is in `layers` alone.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) manifest: Value,
    pub(super) config: Value,
    pub(super) layers: Vec<Layer>,
}

/// A layer, to the bytes of its tar.
#[derive(Clone)]
pub(super) struct Layer {
    pub(super) entries: Vec<Entry>,
    /// The blocks behind the last entry.
    pub(super) end: Vec<u8>,
    /// The descriptor in the manifest, true as long as nothing is changed.
    pub(super) descriptor: Value,
    pub(super) diff_id: Value,
    /// How it is packed where it is put back, being changed.
    pub(super) packing: Option<&'static str>,
}

/// An entry of a layer.
#[derive(Clone)]
pub(super) struct Entry {
    /// The extended header in front of it.
    pub(super) before: Vec<u8>,
    pub(super) header: tar::Header,
    pub(super) content: Vec<u8>,
    /// What fills its last block.
    pub(super) padding: Vec<u8>,
    /// Its path, without a slash at either end.
    pub(super) path: String,
}

/// A document of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    Config,
    Manifest,
    Index,
}

/// Reads the blob of a descriptor.
pub(super) fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    fs::read(blob_path(layout, descriptor)).unwrap()
}

/// Where the blob of a descriptor is.
pub(super) fn blob_path(layout: &Path, descriptor: &Value) -> std::path::PathBuf {
    let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
    layout.join("blobs/sha256").join(digest.hex())
}

/// Puts a blob into a layout, and its digest and size into the descriptor of it.
pub(super) fn put(layout: &Path, bytes: &[u8], descriptor: &mut Value) {
    let digest = Digest::of(bytes);
    fs::write(layout.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    descriptor["digest"] = json!(digest);
    descriptor["size"] = json!(bytes.len());
}

impl Taken {
    /// Takes an image of a layout apart, by its name.
    pub(super) fn apart(layout: &Path, name: &str) -> Self {
        let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        let named = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == name;
        let entry = index["manifests"].as_array().unwrap().iter().find(named).unwrap().clone();
        let root: Value = serde_json::from_slice(&blob(layout, &entry)).unwrap();
        let image = |manifest: Value| {
            let config: Value = serde_json::from_slice(&blob(layout, &manifest["config"])).unwrap();
            let layers = manifest["layers"].as_array().unwrap().iter();
            let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
            let layers = layers.zip(diff_ids).map(|(one, diff_id)| Layer::apart(layout, one, diff_id)).collect();
            Image { manifest, config, layers }
        };
        let several = root["manifests"].as_array().map(|all| {
            all.iter().map(|one| image(serde_json::from_slice(&blob(layout, one)).unwrap())).collect::<Vec<_>>()
        });
        match several {
            Some(images) => Self { entry, index: Some(root), images },
            None => Self { entry, index: None, images: vec![image(root)] },
        }
    }

    /// Puts it into a layout and gives the descriptor for its `index.json`; `spoil` may change the bytes of a platform's documents.
    pub(super) fn put(&self, layout: &Path, spoil: impl Fn(Document, usize, &mut Vec<u8>)) -> Value {
        let mut entry = self.entry.clone();
        let mut index = self.index.clone();
        for (at, image) in self.images.iter().enumerate() {
            let (mut manifest, mut config): (Value, Value) = (image.manifest.clone(), image.config.clone());
            let layers: Vec<(Value, Value)> = image.layers.iter().map(|layer| layer.put(layout)).collect();
            let (descriptors, diff_ids): (Vec<Value>, Vec<Value>) = layers.into_iter().unzip();
            manifest["layers"] = json!(descriptors);
            config["rootfs"]["diff_ids"] = json!(diff_ids);
            let write = |what: Document, document: &Value, descriptor: &mut Value| {
                let mut bytes = document.to_string().into_bytes();
                spoil(what, at, &mut bytes);
                put(layout, &bytes, descriptor);
            };
            write(Document::Config, &config, &mut manifest["config"]);
            let above = index.as_mut().map_or(&mut entry, |index| &mut index["manifests"][at]);
            write(Document::Manifest, &manifest, above);
        }
        if let Some(index) = index {
            let mut bytes = index.to_string().into_bytes();
            spoil(Document::Index, 0, &mut bytes);
            put(layout, &bytes, &mut entry);
        }
        entry
    }
}

impl Layer {
    fn apart(layout: &Path, descriptor: &Value, diff_id: &Value) -> Self {
        let bytes = blob(layout, descriptor);
        let mut tar = Vec::new();
        if descriptor["mediaType"].as_str().unwrap().ends_with("zstd") {
            zstd::stream::read::Decoder::new(&bytes[..]).unwrap().read_to_end(&mut tar).unwrap();
        } else {
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut tar).unwrap();
        }
        let mut entries = Vec::new();
        let mut archive = tar::Archive::new(&tar[..]);
        let mut end = 0;
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let [header, file, size] = [entry.raw_header_position(), entry.raw_file_position(), entry.size()]
                .map(|n| usize::try_from(n).unwrap());
            let (stop, next) = (file + size, (file + size).next_multiple_of(512));
            entries.push(Entry {
                before: tar[end..header].to_vec(),
                header: entry.header().clone(),
                content: tar[file..stop].to_vec(),
                padding: tar[stop..next].to_vec(),
                path: String::from_utf8(entry.path_bytes().into_owned()).unwrap().trim_end_matches('/').to_owned(),
            });
            end = next;
        }
        let end = tar[end..].to_vec();
        let layer = Self { entries, end, descriptor: descriptor.clone(), diff_id: diff_id.clone(), packing: None };
        assert!(layer.tar() == tar, "a layer is not what it was taken apart to");
        layer
    }

    /// Its tar.
    pub(super) fn tar(&self) -> Vec<u8> {
        let mut tar: Vec<u8> = Vec::new();
        for entry in &self.entries {
            for part in [&entry.before[..], entry.header.as_bytes(), &entry.content, &entry.padding] {
                tar.extend_from_slice(part);
            }
        }
        tar.extend_from_slice(&self.end);
        tar
    }

    /// What packing it has where it is not changed.
    pub(super) fn codec(&self) -> &'static str {
        if self.descriptor["mediaType"].as_str().unwrap().ends_with("zstd") { "zstd" } else { "gzip" }
    }

    /// Its descriptor and its DiffId; of a changed one, the blob is written.
    fn put(&self, layout: &Path) -> (Value, Value) {
        let Some(packing) = self.packing else { return (self.descriptor.clone(), self.diff_id.clone()) };
        let tar = self.tar();
        let mut descriptor = self.descriptor.clone();
        put(layout, &pack(packing, &tar), &mut descriptor);
        let kind = packing.split('-').next().unwrap();
        descriptor["mediaType"] = json!(match kind {
            "plain" => "application/vnd.oci.image.layer.v1.tar".to_owned(),
            kind => format!("application/vnd.oci.image.layer.v1.tar+{kind}"),
        });
        (descriptor, json!(Digest::of(&tar)))
    }

    /// Says that something in it is changed, so that it is packed anew.
    pub(super) fn changed(&mut self) {
        self.packing = Some(self.codec());
    }
}

impl Entry {
    /// An entry made anew.
    pub(super) fn new(path: &str, kind: tar::EntryType, content: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.set_path(path).unwrap();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
        Self { before: vec![], header, content: content.to_vec(), padding, path: path.to_owned() }
    }

    /// Its kind.
    pub(super) fn kind(&self) -> tar::EntryType {
        self.header.entry_type()
    }

    /// Changes its header, and makes the check sum right again.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut tar::Header)) {
        change(&mut self.header);
        self.header.set_cksum();
    }

    /// Puts an extended header of one record in front (pax; POSIX.1-2017, pax, "pax Extended Header").
    pub(super) fn extend(&mut self, key: &str, value: &[u8]) {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_pax_extensions([(key, value)]).unwrap();
        let mut bytes = builder.into_inner().unwrap();
        // Without the two blocks that end an archive.
        bytes.truncate(bytes.len() - 1024);
        self.before.extend(bytes);
    }

    /// Gives it another content.
    pub(super) fn fill(&mut self, content: Vec<u8>) {
        self.change(|header| header.set_size(content.len() as u64));
        self.padding = vec![0; content.len().next_multiple_of(512) - content.len()];
        self.content = content;
    }
}
