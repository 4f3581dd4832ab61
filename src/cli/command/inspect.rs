//! `remint inspect`.

use super::Invocation;
use crate::cli::amount::{count, size};
use crate::cli::arguments::{Inspect, TextOrJson};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::screen;
use crate::cli::table::{Column, Table};
use crate::event::Events;
use crate::image::{self, ConfigSummary, Image, ImageRef, Inspection, PlatformSummary};
use crate::oci::canonical_json;
use crate::store::Store;
use std::fmt::Write as _;

/// How many of the biggest files people are shown.
const BIGGEST: usize = 8;

/// How many images that share a layer people are shown by name.
const NAMES: usize = 3;

/// Shows what an image is made of.
pub(crate) fn run(invocation: Invocation<'_>, arguments: &Inspect) -> Result<Exit, Failure> {
    let places = invocation.places()?;
    let wrong = |error: &(dyn std::error::Error + 'static)| Failure::from_error(Exit::No, error);
    let mut reference: ImageRef =
        arguments.image.parse().map_err(|error: image::ImageRefError| Failure::from_error(Exit::Usage, &error))?;
    reference.platform = arguments.platform.or(reference.platform);
    let Some(store) = Store::look(&places.cache, &Events::none()) else { return Err(super::no_store(&places.cache)) };
    let image = Image::resolve(&store, &reference)
        .map_err(|error| wrong(&error).hint(format!("build it first: `remint build {}`", reference.name)))?;
    let inspection = image::inspect(&store, &image).map_err(|error| wrong(&error))?;
    match arguments.format {
        TextOrJson::Text => screen::data(&text(&inspection, invocation.environment.stdout.width))?,
        TextOrJson::Json => {
            let json = String::from_utf8(canonical_json(&inspection)).expect("JSON is UTF-8");
            screen::data(&format!("{json}\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// The text for people: of each platform its head, its configuration, its layers, its biggest files and its packages.
fn text(image: &Inspection, width: Option<usize>) -> String {
    let texts: Vec<String> = image.platforms.iter().map(|one| platform(&image.name, one, width)).collect();
    texts.join("\n")
}

fn platform(name: &str, image: &PlatformSummary, width: Option<usize>) -> String {
    let sizes = format!("{} compressed, {} unpacked", size(image.compressed_size), size(image.uncompressed_size));
    let counts = format!(
        "{}, {}, {}",
        count(image.files.files, "file"),
        count(image.files.directories, "folder"),
        count(image.files.symlinks, "link")
    );
    let mut head = vec![
        ("image", format!("{name} {}", image.platform)),
        ("digest", image.digest.to_string()),
        ("size", sizes),
        ("holds", counts),
    ];
    if image.shared_size > 0 {
        let own = image.compressed_size.saturating_sub(image.shared_size);
        let shared = format!("{} with other images of the store, {} its own", size(image.shared_size), size(own));
        head.insert(3, ("shares", shared));
    }
    head.extend(image.created.clone().map(|created| ("created", created)));
    head.extend(config(&image.config));
    let column = head.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in head {
        let _ = writeln!(text, "{name:column$}  {}", screen::plain(&value));
    }
    let _ = write!(text, "\n{}", layers(image).render(width));
    if !image.biggest.is_empty() {
        let mut files = Table::new([Column::prose("BIGGEST FILES"), Column::number("SIZE")]);
        for file in image.biggest.iter().take(BIGGEST) {
            files.row([format!("/{}", file.path), size(file.size)]);
        }
        let _ = write!(text, "\n{}", files.render(width));
    }
    if !image.packages.is_empty() {
        let mut packages = Table::new([Column::prose("PACKAGE"), Column::prose("VERSION"), Column::number("SIZE")]);
        for package in &image.packages {
            let name = format!("{} ({})", package.name, package.architecture);
            let installed = package.installed_kib.map_or_else(|| "-".to_owned(), |kib| size(kib * 1024));
            packages.row([name, package.version.clone(), installed]);
        }
        let total = count(image.packages.len() as u64, "package");
        let _ = write!(text, "\n{}{total}\n", packages.render(width));
    }
    text
}

fn layers(image: &PlatformSummary) -> Table {
    let mut columns = vec![
        Column::number("LAYER"),
        Column::text("DIGEST"),
        Column::number("SIZE"),
        Column::number("UNPACKED"),
        Column::prose("MADE BY"),
    ];
    if image.shared_size > 0 {
        columns.push(Column::prose("ALSO IN"));
    }
    let mut layers = Table::new(columns);
    for (at, layer) in image.layers.iter().enumerate() {
        let made_by = layer.created_by.as_deref().unwrap_or("-");
        layers.row([
            (at + 1).to_string(),
            layer.digest.short(),
            size(layer.compressed_size),
            size(layer.uncompressed_size),
            made_by.strip_prefix("remint: ").unwrap_or(made_by).to_owned(),
            names(&layer.also_in),
        ]);
    }
    layers
}

/// Some names of images, and how many more there are.
fn names(all: &[String]) -> String {
    let shown = all.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What is set of a configuration, by the names that recipes use.
fn config(config: &ConfigSummary) -> Vec<(&'static str, String)> {
    let list = |all: &[String]| (!all.is_empty()).then(|| all.join(" "));
    let labels: Vec<String> = config.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let words =
        |all: &[String]| (!all.is_empty()).then(|| String::from_utf8(canonical_json(all)).expect("JSON is UTF-8"));
    let all = [
        ("user", config.user.clone()),
        ("entrypoint", words(&config.entrypoint)),
        ("cmd", words(&config.cmd)),
        ("env", list(&config.env)),
        ("working-dir", config.working_dir.clone()),
        ("ports", list(&config.exposed_ports)),
        ("volumes", list(&config.volumes)),
        ("stop-signal", config.stop_signal.clone()),
        ("labels", list(&labels)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{DiffId, Digest};
    use crate::image::{BigFile, Encoding, FileCounts, LayerSummary, Package};

    fn inspection() -> Inspection {
        let layer = |made_by: &str, size, also_in: &[&str]| LayerSummary {
            digest: Digest::of(made_by.as_bytes()),
            diff_id: DiffId(Digest::of(b"")),
            encoding: Encoding::Zstd,
            compressed_size: size,
            uncompressed_size: size * 3,
            created_by: Some(format!("remint: {made_by}")),
            also_in: also_in.iter().map(|&name| name.to_owned()).collect(),
        };
        let one = PlatformSummary {
            platform: "linux/amd64".into(),
            digest: Digest::of(b"hello"),
            config_digest: Digest::of(b""),
            created: Some("2026-01-02T03:04:05Z".into()),
            config: ConfigSummary {
                user: Some("a\nb".into()),
                entrypoint: vec!["busybox".into(), "httpd".into()],
                ..ConfigSummary::default()
            },
            compressed_size: 2_400_900,
            shared_size: 2_400_000,
            uncompressed_size: 7_202_700,
            layers: vec![
                layer("packages base-files busybox", 2_400_000, &["a", "b", "c", "d"]),
                layer("copy site", 900, &[]),
            ],
            packages: vec![Package {
                name: "busybox".into(),
                architecture: "amd64".into(),
                version: "1:1.37.0-6".into(),
                installed_kib: Some(818),
            }],
            files: FileCounts { files: 12, directories: 1, ..FileCounts::default() },
            biggest: vec![BigFile { path: "usr/bin/busybox".into(), size: 800_000 }],
        };
        Inspection { name: "hello".into(), digest: Digest::of(b"hello"), platforms: vec![one] }
    }

    #[test]
    fn people_see_the_whole_image() {
        let text = text(&inspection(), Some(80));
        let expected = "\
image       hello linux/amd64
digest      sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
size        2.40 MB compressed, 7.20 MB unpacked
shares      2.40 MB with other images of the store, 900 B its own
holds       12 files, 1 folder, 0 links
created     2026-01-02T03:04:05Z
user        a\u{fffd}b
entrypoint  [\"busybox\",\"httpd\"]

LAYER  DIGEST           SIZE  UNPACKED  MADE BY               ALSO IN
    1  8a55a4104cc5  2.40 MB   7.20 MB  packages base-files…  a, b, c and 1 more
    2  c05e0b785747    900 B   2.70 kB  copy site

BIGGEST FILES       SIZE
/usr/bin/busybox  800 kB

PACKAGE          VERSION       SIZE
busybox (amd64)  1:1.37.0-6  838 kB
1 package
";
        assert_eq!(text, expected, "\n{text}");
    }
}
