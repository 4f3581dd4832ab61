//! Whether a directory is a valid image layout, by code that shares nothing with what wrote it but the hash.

use super::judge;
use remint::digest::Digest;
use remint::oci::canonical_json;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Panics unless a directory is a valid image layout whose every blob has the digest of its name, whose every descriptor is true,
/// whose documents are canonical JSON of the official schemas, and whose layers have the DiffIds that their configs say.
///
/// The schemas are looked for in `shared/schemas/oci` beside a directory above this crate; without them that part is left out.
pub(crate) fn assert_valid(dir: &Path) {
    let checker = Checker { dir, schemas: Schemas::find() };
    let layout = std::fs::read(dir.join("oci-layout")).unwrap();
    assert_eq!(checker.document("image-layout-schema.json", &layout)["imageLayoutVersion"], "1.0.0");
    for entry in std::fs::read_dir(dir.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(Digest::of(&bytes).hex(), name, "{}", path.display());
    }
    let index = std::fs::read(dir.join("index.json")).unwrap();
    let index = checker.document("image-index-schema.json", &index);
    let mut names = Vec::new();
    for entry in index["manifests"].as_array().unwrap() {
        names.push(entry["annotations"]["org.opencontainers.image.ref.name"].as_str().map(str::to_owned));
        checker.image(entry);
    }
    let sorted = names.windows(2).all(|pair| pair[0] < pair[1]);
    assert!(sorted, "names in index.json are not sorted, or one is there twice: {names:?}");
}

struct Checker<'a> {
    dir: &'a Path,
    schemas: Option<Schemas>,
}

impl Checker<'_> {
    /// Follows a descriptor of an image.
    fn image(&self, descriptor: &Value) {
        let bytes = self.blob(descriptor);
        match descriptor["mediaType"].as_str().unwrap() {
            "application/vnd.oci.image.index.v1+json" => {
                let index = self.document("image-index-schema.json", &bytes);
                let entries = index["manifests"].as_array().unwrap();
                assert!(entries.iter().all(|entry| entry["platform"].is_object()), "an entry has no platform");
                for entry in entries {
                    self.image(entry);
                }
            }
            "application/vnd.oci.image.manifest.v1+json" => self.manifest(&bytes, &descriptor["platform"]),
            other => panic!("`{other}` is neither an index nor a manifest"),
        }
    }

    fn manifest(&self, bytes: &[u8], platform: &Value) {
        let manifest = self.document("image-manifest-schema.json", bytes);
        assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.image.config.v1+json");
        let config = self.document("config-schema.json", &self.blob(&manifest["config"]));
        for key in ["os", "architecture", "variant"] {
            assert_eq!(platform[key], config[key], "`{key}` of the descriptor and of the config");
        }
        let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        assert_eq!(layers.len(), diff_ids.len(), "layers and DiffIds");
        let history = config["history"].as_array().unwrap().iter();
        assert_eq!(history.filter(|entry| entry["empty_layer"] != true).count(), layers.len(), "history and layers");
        for (layer, diff_id) in layers.iter().zip(diff_ids) {
            let tar = unpack(layer["mediaType"].as_str().unwrap(), &self.blob(layer));
            assert_eq!(Digest::of(&tar).to_string(), diff_id.as_str().unwrap(), "DiffId");
            // Two blocks of zeros, or the tar has no end.
            assert!(tar.len() >= 1024 && tar[tar.len() - 1024..].iter().all(|&byte| byte == 0));
            assert_no_path_twice(&tar);
        }
    }

    /// Reads the blob of a descriptor.
    fn blob(&self, descriptor: &Value) -> Vec<u8> {
        let digest = descriptor["digest"].as_str().unwrap();
        let (algorithm, hex) = digest.split_once(':').unwrap();
        let path = self.dir.join("blobs").join(algorithm).join(hex);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(descriptor["size"].as_u64(), Some(bytes.len() as u64), "size of {digest}");
        assert_eq!(Digest::of(&bytes).to_string(), digest);
        bytes
    }

    /// Parses a document, which must be canonical and of its schema.
    fn document(&self, schema: &str, bytes: &[u8]) -> Value {
        let value: Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(canonical_json(&value), bytes, "not canonical: {}", String::from_utf8_lossy(bytes));
        if let Some(schemas) = &self.schemas {
            schemas.check(schema, &value);
        }
        value
    }
}

/// A directory and a link at one place are one path twice as well, which podman refuses.
fn assert_no_path_twice(tar: &[u8]) {
    let mut paths = std::collections::BTreeSet::new();
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut path = entry.unwrap().path_bytes().into_owned();
        if path.last() == Some(&b'/') {
            path.pop();
        }
        assert!(paths.insert(path.clone()), "`{}` is in a layer twice", String::from_utf8_lossy(&path));
    }
}

fn unpack(media_type: &str, blob: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    if media_type.ends_with("+zstd") {
        zstd::stream::read::Decoder::new(blob).unwrap().read_to_end(&mut tar).unwrap();
    } else if media_type.ends_with("gzip") {
        flate2::read::MultiGzDecoder::new(blob).read_to_end(&mut tar).unwrap();
    } else {
        tar.extend_from_slice(blob);
    }
    tar
}

/// What spoils a file.
type Spoil<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// The check itself must be able to fail: each damage to a good layout is found.
#[test]
fn a_bad_layout_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = super::handmade::store(dir.path());
    let encoding = remint::image::Encoding::Gzip;
    let image = super::handmade::image(&store, "good", encoding, &[super::handmade::native()]);
    let only = &image.platforms[0];
    assert_valid(store.dir());
    let path = |blob: &remint::oci::Blob| store.blob_path(&blob.digest);
    let index = store.dir().join("index.json");
    let spoilt: [(PathBuf, Spoil<'_>); 5] = [
        (path(&only.layers[0].blob), &|bytes| bytes[1..].to_vec()),
        (path(&only.config), &|bytes| [bytes, b" "].concat()),
        (index.clone(), &|bytes| [bytes, b" "].concat()),
        (index.clone(), &|bytes| {
            String::from_utf8_lossy(bytes).replace("md64\"", "md65\"").replace("rm64\"", "rm65\"").into_bytes()
        }),
        (store.dir().join("oci-layout"), &|_| b"{}".to_vec()),
    ];
    for (path, spoil) in spoilt {
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, spoil(&good)).unwrap();
        let dir = store.dir();
        let outcome = std::panic::catch_unwind(|| assert_valid(dir));
        assert!(outcome.is_err(), "{} was spoilt, and nothing was noticed", path.display());
        std::fs::write(&path, good).unwrap();
    }
    assert_valid(store.dir());
}

/// The official schemas, by file name.
#[derive(Clone)]
struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    fn find() -> Option<Self> {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let dir: Option<PathBuf> = above.map(|dir| dir.join("shared/schemas/oci")).find(|dir| dir.is_dir());
        let Some(dir) = dir else {
            judge::skipped("no `shared/schemas/oci` above the crate: documents are not held against the schemas");
            return None;
        };
        let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let schemas = files.map(|path| {
            let mut schema: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            without_ids(&mut schema);
            (path.file_name().unwrap().to_str().unwrap().to_owned(), schema)
        });
        Some(Self(schemas.collect()))
    }

    fn check(&self, name: &str, value: &Value) {
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft4)
            .with_retriever(self.clone())
            .build(&self.0[name])
            .unwrap();
        let findings: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(findings.is_empty(), "not of {name}: {findings:?}\n{value}");
    }
}

impl jsonschema::Retrieve for Schemas {
    fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.as_str().rsplit('/').next().unwrap_or_default();
        self.0.get(name).cloned().ok_or_else(|| format!("no schema `{name}`").into())
    }
}

/// The schemas refer to each other by file name, but give themselves ids that are no such names: without ids the names hold.
fn without_ids(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|key, value| key != "id" || !value.is_string());
            map.values_mut().for_each(without_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(without_ids),
        _ => {}
    }
}
