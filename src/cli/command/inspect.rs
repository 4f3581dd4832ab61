//! `remint inspect`.

use super::Invocation;
use crate::cli::amount::{count, size};
use crate::cli::arguments::Inspect;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::table::{Column, Table};
use crate::digest::{DiffId, Digest};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Shows what an image is made of.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Inspect) -> Result<Exit, Failure> {
    let _ = (invocation.places()?, arguments);
    Err(Failure::new(Exit::Bug, "`remint inspect` is not joined to the rooms below yet"))
}

/// An image of one platform, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedImage {
    /// Its name in the store.
    pub name: String,
    /// Its platform.
    pub platform: String,
    /// Its manifest.
    pub digest: Digest,
    /// When it says that it was made: RFC 3339.
    pub created: Option<String>,
    /// What of its configuration is set (OCI image-spec, config.md, "Properties"), by the names that recipes use.
    pub config: BTreeMap<String, Value>,
    /// Its layers, the lowest first.
    pub layers: Vec<InspectedLayer>,
    /// The packages of its dpkg database, by name.
    pub packages: Vec<InspectedPackage>,
}

/// A layer, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedLayer {
    /// Its blob.
    pub digest: Digest,
    /// Its tar.
    pub diff_id: DiffId,
    /// The blob's bytes.
    pub size: u64,
    /// The bytes of the files in it.
    pub unpacked: u64,
    /// How many entries it has.
    pub files: u64,
    /// What made it, by the image's history.
    pub made_by: String,
}

/// A package, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InspectedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Its installed size in bytes, as its maintainer states it.
    pub size: Option<u64>,
}

/// The text for people: of each image its head, its configuration, its layers and its packages.
#[must_use]
pub fn inspected_text(images: &[InspectedImage], width: Option<usize>) -> String {
    let texts: Vec<String> = images.iter().map(|image| text(image, width)).collect();
    texts.join("\n")
}

/// The JSON for machines: one object a line, one line an image.
#[must_use]
pub fn inspected_json(images: &[InspectedImage]) -> String {
    let lines = images.iter().map(|image| serde_json::to_string(&Json::of(image)).expect("texts and numbers are JSON"));
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// An image and what is computed of it.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    image: &'a InspectedImage,
    size: u64,
}

impl<'a> Json<'a> {
    fn of(image: &'a InspectedImage) -> Self {
        Self { image, size: blobs(image) }
    }
}

fn blobs(image: &InspectedImage) -> u64 {
    image.layers.iter().map(|layer| layer.size).sum()
}

fn text(image: &InspectedImage, width: Option<usize>) -> String {
    let unpacked: u64 = image.layers.iter().map(|layer| layer.unpacked).sum();
    let mut head = vec![
        ("image".to_owned(), format!("{} {}", image.name, image.platform)),
        ("digest".to_owned(), image.digest.to_string()),
        ("size".to_owned(), format!("{} compressed, {} unpacked", size(blobs(image)), size(unpacked))),
    ];
    head.extend(image.created.clone().map(|created| ("created".to_owned(), created)));
    head.extend(image.config.iter().map(|(name, value)| (name.clone(), words(value))));
    let column = head.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in head {
        let _ = writeln!(text, "{name:column$}  {}", value.replace(char::is_control, "\u{fffd}"));
    }

    let mut layers = Table::new([
        Column::number("LAYER"),
        Column::text("DIGEST"),
        Column::number("SIZE"),
        Column::number("UNPACKED"),
        Column::number("FILES"),
        Column::prose("MADE BY"),
    ]);
    for (index, layer) in image.layers.iter().enumerate() {
        let numbers = [size(layer.size), size(layer.unpacked), layer.files.to_string()];
        let [stored, unpacked, files] = numbers;
        layers.row([(index + 1).to_string(), layer.digest.short(), stored, unpacked, files, layer.made_by.clone()]);
    }
    let _ = write!(text, "\n{}", layers.render(width));
    if !image.packages.is_empty() {
        let mut packages = Table::new([Column::prose("PACKAGE"), Column::prose("VERSION"), Column::number("SIZE")]);
        for package in &image.packages {
            let name = format!("{} ({})", package.name, package.architecture);
            packages.row([name, package.version.clone(), package.size.map_or_else(|| "-".to_owned(), size)]);
        }
        let total = count(image.packages.len() as u64, "package");
        let _ = write!(text, "\n{}{total}\n", packages.render(width));
    }
    text
}

/// A value in one line: text as it is, everything else as JSON.
fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn image() -> InspectedImage {
        let layer = |made_by: &str, size| InspectedLayer {
            digest: Digest::of(made_by.as_bytes()),
            diff_id: DiffId(Digest::of(b"")),
            size,
            unpacked: size * 3,
            files: 12,
            made_by: made_by.to_owned(),
        };
        InspectedImage {
            name: "hello".into(),
            platform: "linux/amd64".into(),
            digest: Digest::of(b"hello"),
            created: Some("2026-01-02T03:04:05Z".into()),
            config: [("user", json!("a\nb")), ("entrypoint", json!(["busybox", "httpd"]))]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            layers: vec![layer("packages base-files busybox", 2_400_000), layer("copy site", 900)],
            packages: vec![InspectedPackage {
                name: "busybox".into(),
                version: "1:1.37.0-6".into(),
                architecture: "amd64".into(),
                size: Some(837_632),
            }],
        }
    }

    #[test]
    fn people_see_the_whole_image() {
        let text = inspected_text(&[image()], Some(80));
        let expected = "\
image       hello linux/amd64
digest      sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
size        2.40 MB compressed, 7.20 MB unpacked
created     2026-01-02T03:04:05Z
entrypoint  [\"busybox\",\"httpd\"]
user        a\u{fffd}b

LAYER  DIGEST           SIZE  UNPACKED  FILES  MADE BY
    1  8a55a4104cc5  2.40 MB   7.20 MB     12  packages base-files busybox
    2  c05e0b785747    900 B   2.70 kB     12  copy site

PACKAGE          VERSION       SIZE
busybox (amd64)  1:1.37.0-6  838 kB
1 package
";
        assert_eq!(text, expected, "\n{text}");
        let mut bare = image();
        bare.packages.clear();
        assert!(!inspected_text(&[bare], None).contains("PACKAGE"));
    }

    #[test]
    fn machines_get_one_line_an_image() {
        let json = inspected_json(&[image(), image()]);
        assert_eq!(json.lines().count(), 2);
        let value: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!(value["size"], 2_400_900);
        assert_eq!(value["packages"][0]["name"], "busybox");
        assert_eq!(value["layers"][1]["digest"], Digest::of(b"copy site").to_string());
    }
}
