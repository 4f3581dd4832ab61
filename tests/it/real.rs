//! The shipped recipes, built from the real archive and judged by those who will use the images.
//!
//! The store is `REMINT_TEST_STORE` (what an earlier build left there is used again), else a directory of the test binary's own.

mod arm64;
mod clients;
mod content;
mod databases;
mod engine;
mod languages;
mod podman;
mod shipped;
mod verify;
mod web;

use crate::support::layout::assert_valid;
use serde_json::Value;
use shipped::Shipped;
use std::path::Path;

#[test]
fn the_store_is_a_valid_layout_with_both_platforms_of_every_recipe() {
    let Some(shipped) = Shipped::get() else { return };
    assert_valid(&shipped.store);
    let index = document(&shipped.store.join("index.json"));
    let names: Vec<&str> = index["manifests"].as_array().unwrap().iter().map(name).collect();
    for image in shipped::IMAGES {
        assert!(names.contains(&image), "`{image}` is not among {names:?}");
        let entry = index["manifests"].as_array().unwrap().iter().find(|entry| name(entry) == image).unwrap();
        let digest = entry["digest"].as_str().unwrap().trim_start_matches("sha256:");
        let platforms = document(&shipped.store.join("blobs/sha256").join(digest));
        let platforms = platforms["manifests"].as_array().unwrap().iter();
        let platforms: Vec<&str> = platforms.map(|entry| entry["platform"]["architecture"].as_str().unwrap()).collect();
        assert_eq!(platforms, ["amd64", "arm64"], "{image}");
    }
}

fn name(entry: &Value) -> &str {
    entry["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap()
}

fn document(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A recipe that is not listed is one that nobody finds, and that no test builds.
#[test]
fn every_recipe_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root.join("recipes")).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut recipes: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    recipes.sort();
    assert_eq!(recipes, shipped::IMAGES);
    for (file, prefix) in [("README.md", "recipes/"), ("recipes/README.md", "")] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for image in shipped::IMAGES {
            let row = format!("| [`{image}`]({prefix}{image}/recipe.toml) |");
            assert!(text.lines().any(|line| line.starts_with(&row)), "{file} has no row for `{image}`");
        }
    }
}
