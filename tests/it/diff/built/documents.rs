//! Documents and blobs of built images: any value, any byte.

use super::images::Layout;
use crate::diff::taken::{Document, Taken, blob_path};
use crate::diff::{compared, try_compared};
use crate::support::random::random;
use remint::verify::diff::{Comparison, Presence, Verdict};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs;

/// The paths of all values of a document that hold no others, or none.
fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => vec![],
    };
    if below.is_empty() {
        found.push(path.clone());
    }
    for (key, value) in below {
        path.push(key);
        leaves(value, path, found);
        path.pop();
    }
}

/// The value at a path.
fn at<'a>(document: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(document, |value, key| match value {
        Value::Array(list) => &mut list[key.parse::<usize>().unwrap()],
        value => &mut value[key.as_str()],
    })
}

/// Changes one document of an image at random, and compares.
fn changed(
    state: &mut u64,
    layout: &Layout,
    whole: &Taken,
    change: impl Fn(&mut u64, &mut Vec<u8>) -> String,
) -> (Document, String, Result<Comparison, String>) {
    let documents = [Document::Config, Document::Config, Document::Manifest, Document::Index];
    let what = documents[random(state, documents.len() - usize::from(whole.index.is_none()))];
    let which = if what == Document::Index { 0 } else { random(state, whole.images.len()) };
    let made = RefCell::new((state, String::new()));
    let entry = whole.put(&layout.path(), |document, image, bytes| {
        if (document, image) == (what, which) {
            let (state, said) = &mut *made.borrow_mut();
            *said = change(state, bytes);
        }
    });
    layout.write(&[("a", whole.entry.clone()), ("b", entry)]);
    let said = made.into_inner().1;
    (what, said, try_compared(layout.dir(), "oci:layout:a", "oci:layout:b"))
}

/// Every place of the documents that is named, as `config.Env.0`.
fn places(comparison: &Comparison) -> Vec<String> {
    let platforms = comparison.platforms.iter().flat_map(|one| one.manifest.iter().chain(&one.config));
    comparison.index.iter().chain(platforms).map(|finding| finding.within.join(".")).collect()
}

/// Whether an image stands alone, because its configuration says that it is for another platform.
fn of_another_platform(comparison: &Comparison) -> bool {
    comparison.platforms.iter().any(|one| one.presence != Presence::Both)
}

/// Changes documents 300 times, and asks of each change whether what was said names it; gives how many images were refused.
fn rounds(
    mut state: u64,
    change: impl Fn(&mut u64, &mut Vec<u8>) -> String,
    named: impl Fn(&str, &Comparison) -> bool,
    may_be_refused: impl Fn(&str) -> bool,
) -> usize {
    let layout = Layout::new();
    let taken = ["site", "top"].map(|name| Taken::apart(&layout.path(), name));
    let mut refused = 0;
    for round in 0..300 {
        let (what, place, outcome) = changed(&mut state, &layout, &taken[round % taken.len()], &change);
        let case = format!("round {round}, {what:?}, `{place}`");
        match outcome {
            Ok(comparison) => {
                assert_eq!(comparison.verdict, Verdict::Different, "{case}: {comparison:#?}");
                assert!(named(&place, &comparison), "{case}: {comparison:#?}");
            }
            Err(error) => {
                assert!(may_be_refused(&place) && error.contains("oci:layout:b"), "{case}: {error}");
                refused += 1;
            }
        }
    }
    refused
}

#[test]
fn every_changed_value_of_a_document_is_named() {
    let change = |state: &mut u64, bytes: &mut Vec<u8>| {
        let mut value: Value = serde_json::from_slice(bytes).unwrap();
        let mut found = Vec::new();
        leaves(&value, &mut vec![], &mut found);
        let path = &found[random(state, found.len())];
        match at(&mut value, path) {
            Value::String(text) => {
                let at = random(state, text.len());
                let other = if text.as_bytes()[at] == b'7' { "8" } else { "7" };
                text.replace_range(at..=at, other);
            }
            Value::Number(number) => *number = (number.as_u64().unwrap() + 1).into(),
            // An empty map: a port.
            other => *other = json!("x"),
        }
        *bytes = value.to_string().into_bytes();
        // Of the index, the images are named by their platforms.
        let platform = |number: &str| ["linux/amd64", "linux/arm64"][number.parse::<usize>().unwrap()];
        match &path[..] {
            [first, number, rest @ ..] if first == "manifests" => {
                format!("manifests.{}.{}", platform(number), rest.join("."))
            }
            path => path.join("."),
        }
    };
    let named = |path: &str, comparison: &Comparison| {
        let platform = matches!(path, "architecture" | "os" | "variant") && of_another_platform(comparison);
        platform || places(comparison) == [path]
    };
    let of_a_blob = |path: &str| path.ends_with("digest") || path.ends_with("size") || path.contains("diff_ids");
    let refused = rounds(0x9e37_79b9_0000_0022, change, named, of_a_blob);
    assert!((30..150).contains(&refused), "{refused} of 300");
}

#[test]
fn every_changed_byte_of_a_document_is_named() {
    let change = |state: &mut u64, bytes: &mut Vec<u8>| {
        let at = random(state, bytes.len());
        bytes[at] ^= 1 << random(state, 8);
        String::from_utf8_lossy(&bytes[at.saturating_sub(20)..bytes.len().min(at + 20)]).into_owned()
    };
    let named = |_: &str, comparison: &Comparison| !places(comparison).is_empty() || of_another_platform(comparison);
    let refused = rounds(0x9e37_79b9_0000_0023, change, named, |_| true);
    assert!((60..240).contains(&refused), "{refused} of 300");
}

/// A byte of a blob that is not what its digest says is refused, and the blob is named.
#[test]
fn every_byte_that_is_not_of_its_digest_is_refused() {
    let mut state = 0x9e37_79b9_0000_0024;
    let layout = Layout::new();
    let taken = ["site", "top"].map(|name| Taken::apart(&layout.path(), name));
    for round in 0..120 {
        let whole = &taken[round % taken.len()];
        // All that is only of the second image: its own layer, its documents.
        let mut other = whole.clone();
        let which = random(&mut state, other.images.len());
        let image = &mut other.images[which];
        let layer = random(&mut state, image.layers.len());
        let number = random(&mut state, image.layers[layer].entries.len());
        image.layers[layer].entries[number].change(|header| header.set_mtime(1 + round as u64));
        image.layers[layer].changed();
        let entry = other.put(&layout.path(), |_, _, _| ());
        layout.write(&[("a", whole.entry.clone()), ("b", entry)]);
        assert_ne!(compared(layout.dir(), "oci:layout:a", "oci:layout:b").verdict, Verdict::Identical);
        let made = Taken::apart(&layout.path(), "b");
        let image = &made.images[which];
        let blobs = [&image.layers[layer].descriptor, &image.manifest["config"], &made.entry];
        let descriptor = blobs[random(&mut state, blobs.len())];
        let path = blob_path(&layout.path(), descriptor);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let at = random(&mut state, bad.len());
        bad[at] ^= 1 << random(&mut state, 8);
        fs::write(&path, bad).unwrap();
        let error = try_compared(layout.dir(), "oci:layout:a", "oci:layout:b").map(|found| found.verdict).unwrap_err();
        let hex = path.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(hex) && error.contains("is damaged"), "round {round}, byte {at}: {error}");
        fs::write(&path, good).unwrap();
    }
}
