//! The official JSON Schemas, where they are: in `shared/schemas` beside a directory above this crate.

use super::{IMAGES, built, sbom};
use crate::support::judge;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder of schemas that refer to each other by file name.
struct Folder(PathBuf);

impl jsonschema::Retrieve for Folder {
    fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(read(&self.0.join(uri.as_str().rsplit('/').next().unwrap_or_default()))?)
    }
}

fn read(path: &Path) -> std::io::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

#[test]
fn documents_are_of_their_schemas() {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|dir| dir.join("shared/schemas"));
    let Some(schemas) = above.find(|dir| dir.is_dir()) else {
        judge::skipped("no `shared/schemas` above the crate: bills are not held against the schemas");
        return;
    };
    let project = built();
    for (format, file) in [("spdx", "spdx/spdx-2.3.schema.json"), ("cyclonedx", "cyclonedx/bom-1.6.schema.json")] {
        let path = schemas.join(file);
        let folder = Folder(path.parent().unwrap().to_owned());
        let validator = jsonschema::options().with_retriever(folder).build(&read(&path).unwrap()).unwrap();
        for image in IMAGES {
            let document = sbom(&project, image, format);
            let findings: Vec<String> =
                validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert_eq!(findings, [""; 0], "{image} as {format}");
        }
        assert!(!validator.is_valid(&serde_json::json!({})), "{file} refuses nothing");
    }
}
