//! Compares an image with what it should be: index, manifest, configuration, layers.

use super::reference::Expected;
use super::verdict::{Difference, ImageVerdict};
use crate::digest::Digest;
use crate::image::{Image, PlatformImage};
use crate::oci::Platform;
use serde_json::Value;
use std::fmt::Write as _;

/// Compares each platform of an image that is among `wanted` with what it should be; `wanted` empty: all.
///
/// Where the whole is known and no platform of it was left out, the digest that its name points to counts as well.
#[must_use]
pub fn compare(expected: &Expected, found: Option<&Image>, wanted: &[Platform]) -> Vec<ImageVerdict> {
    let name = expected.name.to_string();
    let is_wanted = |platform: &str| wanted.is_empty() || wanted.iter().any(|one| one.to_string() == platform);
    let mut verdicts = Vec::new();
    if let Some(Err(error)) = &expected.image {
        let mut notes = vec![error.to_string()];
        notes.extend(std::error::Error::source(error).map(ToString::to_string));
        let difference = Difference { what: "the reference".to_owned(), notes, ..Difference::default() };
        verdicts.push(ImageVerdict {
            name: name.clone(),
            platform: None,
            expected: expected.root,
            found: found.map(|image| image.root.digest),
            differences: vec![difference],
            ..ImageVerdict::default()
        });
    }
    for (platform, &manifest) in expected.manifests.iter().filter(|(platform, _)| is_wanted(platform)) {
        let built = found.and_then(|image| image.platforms.iter().find(|one| one.platform.to_string() == *platform));
        let known = expected.image.as_ref().and_then(|image| image.as_ref().ok());
        let known = known.and_then(|image| image.platforms.iter().find(|one| one.platform.to_string() == *platform));
        let differences = match built {
            None => vec![Difference::note("the image", format!("it is not made for {platform} any more"))],
            Some(built) if built.manifest.digest == manifest => Vec::new(),
            Some(built) => match known {
                Some(known) => inside(known, built),
                None => vec![Difference::of("manifest", manifest, built.manifest.digest)],
            },
        };
        let verdict = ImageVerdict {
            name: name.clone(),
            platform: Some(platform.clone()),
            expected: Some(manifest),
            found: built.map(|built| built.manifest.digest),
            differences,
            ..ImageVerdict::default()
        };
        verdicts.push(verdict.made_of(built));
    }
    verdicts.extend(expected.configs.iter().filter(|(platform, _)| is_wanted(platform)).map(|(platform, config)| {
        let built = found.and_then(|image| image.platforms.iter().find(|one| one.platform.to_string() == *platform));
        configuration(&name, platform, *config, built)
    }));
    verdicts.extend(whole(expected, found, wanted, &verdicts));
    verdicts
}

/// Compares by the configuration alone, which names each layer by what it unpacks to.
fn configuration(name: &str, platform: &str, expected: Digest, built: Option<&PlatformImage>) -> ImageVerdict {
    let found = built.map(|built| built.config.digest);
    let differences = match found {
        None => vec![Difference::note("the image", format!("it is not made for {platform} any more"))],
        Some(found) if found == expected => Vec::new(),
        Some(found) => vec![Difference::of("configuration", expected, found)],
    };
    let (name, platform) = (name.to_owned(), Some(platform.to_owned()));
    ImageVerdict { name, platform, expected: Some(expected), found, differences, ..ImageVerdict::default() }
        .made_of(built)
}

/// Compares digests alone: what a store's image is, with what it should be.
#[must_use]
pub fn compare_digests(expected: &Expected, found: &Image) -> Vec<ImageVerdict> {
    compare(expected, Some(found), &[])
}

/// What the name points to, unless its platforms say all there is to say.
fn whole(
    expected: &Expected,
    found: Option<&Image>,
    wanted: &[Platform],
    platforms: &[ImageVerdict],
) -> Option<ImageVerdict> {
    let root = expected.root?;
    let manifests: Vec<Digest> = expected.manifests.values().copied().collect();
    // Where all platforms are known and others were built, there is no index to compare with; the manifest of the only platform was
    // compared above.
    let complete = matches!(expected.image, Some(Ok(_)));
    let others = complete && found.is_some_and(|found| found.platforms.len() != manifests.len());
    let narrowed = !wanted.is_empty() && !manifests.is_empty();
    if manifests == [root] || others || narrowed || !platforms.iter().all(ImageVerdict::identical) {
        return None;
    }
    let found = found.map(|image| image.root.digest);
    let differences = match found {
        None => vec![Difference::note("the image", "it was not built")],
        Some(found) if found == root => Vec::new(),
        Some(found) => {
            let mut difference = Difference::of("index", root, found);
            if !wanted.is_empty() {
                difference.notes.push("with `--platform`, the image is that platform's manifest alone".to_owned());
            }
            vec![difference]
        }
    };
    // An index that is right has nothing to add to platforms that are.
    if differences.is_empty() && !platforms.is_empty() {
        return None;
    }
    let name = expected.name.to_string();
    Some(ImageVerdict { name, expected: Some(root), found, differences, ..ImageVerdict::default() })
}

/// What differs between two images for one platform whose manifests differ.
fn inside(expected: &PlatformImage, found: &PlatformImage) -> Vec<Difference> {
    let mut all = Vec::new();
    for (at, (a, b)) in expected.layers.iter().zip(&found.layers).enumerate() {
        let what = layer_title(found, at);
        if a.diff_id != b.diff_id {
            all.push(Difference::of(what, a.blob.digest, b.blob.digest));
        } else if a.blob != b.blob {
            let mut difference = Difference::of(what, a.blob.digest, b.blob.digest);
            let note = if a.encoding == b.encoding {
                "the same files, compressed by another encoder".to_owned()
            } else {
                let name = |encoding| format!("{encoding:?}").to_lowercase();
                let method = name(a.encoding);
                format!(
                    "the same files, compressed by {} instead of {method}: `--compression {method}`",
                    name(b.encoding)
                )
            };
            difference.notes.push(note);
            all.push(difference);
        }
    }
    if expected.layers.len() != found.layers.len() {
        let note = format!("expected {}, found {}", expected.layers.len(), found.layers.len());
        all.push(Difference::note("number of layers", note));
    }
    if expected.config != found.config {
        let mut difference = Difference::of("configuration", expected.config.digest, found.config.digest);
        let (mut without_layers, mut others) = (expected.document.clone(), found.document.clone());
        for document in [&mut without_layers, &mut others] {
            // These repeat what the layers are.
            if let Value::Object(fields) = document {
                fields.remove("rootfs");
            }
        }
        if without_layers == others && !all.is_empty() {
            // It differs only because the layers do.
            return all;
        }
        difference.notes.extend(first_value(&without_layers, &others, &mut String::new()));
        all.push(difference);
    }
    if all.is_empty() {
        all.push(Difference::of("manifest", expected.manifest.digest, found.manifest.digest));
    }
    all
}

/// The number of a layer, from 1, and what made it, by the configuration's history.
fn layer_title(image: &PlatformImage, at: usize) -> String {
    let history = image.document.get("history").and_then(Value::as_array).into_iter().flatten();
    let mut made = history.filter(|line| line.get("empty_layer") != Some(&Value::Bool(true)));
    let made = made.nth(at).and_then(|line| line.get("created_by")).and_then(Value::as_str);
    let made = made.map(|text| text.strip_prefix("remint: ").unwrap_or(text));
    made.map_or_else(|| format!("layer {}", at + 1), |made| format!("layer {}, `{made}`", at + 1))
}

/// How deep a configuration is compared: its own fields are four levels deep.
const DEEPEST: usize = 64;

/// The first value in which two documents differ: where, and what stands there.
fn first_value(a: &Value, b: &Value, place: &mut String) -> Option<String> {
    if a == b {
        return None;
    }
    let length = place.len();
    if place.matches('/').count() < DEEPEST {
        if let (Value::Object(old), Value::Object(new)) = (a, b) {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            for name in names {
                let _ = write!(place, "/{name}");
                let null = Value::Null;
                let found = first_value(old.get(name).unwrap_or(&null), new.get(name).unwrap_or(&null), place);
                place.truncate(length);
                if found.is_some() {
                    return found;
                }
            }
        }
        if let (Value::Array(old), Value::Array(new)) = (a, b) {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                let _ = write!(place, "/{at}");
                let found = first_value(old, new, place);
                place.truncate(length);
                if found.is_some() {
                    return found;
                }
            }
        }
    }
    let short = |value: &Value| value.to_string().chars().take(200).collect::<String>();
    Some(format!("at `{place}`: expected {}, found {}", short(a), short(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_value_that_differs_is_named() {
        let a = json!({ "config": { "Env": ["A=1", "B=2"], "User": "web" }, "os": "linux" });
        let b = json!({ "config": { "Env": ["A=1", "B=3"], "User": "root" }, "os": "linux" });
        assert_eq!(
            first_value(&a, &b, &mut String::new()).unwrap(),
            "at `/config/Env/1`: expected \"B=2\", found \"B=3\""
        );
        assert_eq!(first_value(&a, &a, &mut String::new()), None);
        let less = json!({ "config": { "Env": ["A=1", "B=2"] }, "os": "linux" });
        assert_eq!(
            first_value(&a, &less, &mut String::new()).unwrap(),
            "at `/config/User`: expected \"web\", found null"
        );
        let longer = json!({ "config": { "Env": ["A=1", "B=2", "C=3"], "User": "web" }, "os": "linux" });
        assert!(first_value(&a, &longer, &mut String::new()).unwrap().starts_with("at `/config/Env`: "));
    }
}
