//! Indices, field by field: what each says itself, and what it says of each thing that it names.

use super::attestations;
use super::class::Class;
use super::content::Hints;
use super::document;
use super::manifest::{below, descriptors, indices};
use super::model::{Field, Finding};
use super::pairing::{Pair, partners};
use crate::image::{Opened, OpenedIndex, OpenedPlatform};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Compares the indices of two images, and the attestations that these name, with the images paired.
pub(super) fn compare(a: &Opened, b: &Opened, images: &[Pair<'_, OpenedPlatform>], hints: &Hints) -> Vec<Finding> {
    let mut findings = documents(&a.indices, &b.indices);
    for (one, other) in images {
        if let (Some(one), Some(other)) = (one, other)
            && let (Some(in_a), Some(in_b)) = (&one.entry, &other.entry)
        {
            findings.extend(below(&["manifests", &one.platform], descriptors(in_a, in_b)));
        }
        if findings.len() > document::MOST {
            break;
        }
    }
    findings.extend(other_order(images, b));
    let mut findings = document::bounded(findings);
    findings.extend(attestations::compare(a, b, images, hints));
    findings
}

/// Compares what indices say themselves, and the entries that name those which another names.
fn documents(a: &[OpenedIndex], b: &[OpenedIndex]) -> Vec<Finding> {
    let ([first_a, nested_a @ ..], [first_b, nested_b @ ..]) = (a, b) else { return vec![] };
    let mut findings = indices(&first_a.document, &first_b.document);
    let alike = partners(
        nested_a,
        nested_b,
        &[&|one, other| one.digest == other.digest, &|one, other| one.place == other.place, &|_, _| true],
    );
    for (one, other) in alike {
        // One that only one side has is no difference for that: its images are compared, and what it says besides.
        let (Some(shown), Some(there)) = (one.or(other), other.or(one)) else { continue };
        let ([entry_a, document_a], [entry_b, document_b]) =
            (one.map_or_else(|| silent(there), said), other.map_or_else(|| silent(shown), said));
        let place = path(&shown.place);
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let mut found = below(&place, descriptors(&entry_a, &entry_b));
        found.extend(below(&[&place[..], &["(index)"]].concat(), indices(&document_a, &document_b)));
        if shown.place != there.place {
            let note = format!("{} in the second image", path(&there.place).join("."));
            for finding in &mut found {
                finding.also(&note);
            }
        }
        findings.append(&mut found);
        if findings.len() > document::MOST {
            break;
        }
    }
    findings
}

/// What the index above says of an index, and what that says itself.
fn said(index: &OpenedIndex) -> [Cow<'_, Value>; 2] {
    [Cow::Borrowed(index.entry.as_ref().unwrap_or(&Value::Null)), Cow::Borrowed(&index.document)]
}

/// What an index in an index's place would say that says nothing.
fn silent(index: &OpenedIndex) -> [Cow<'_, Value>; 2] {
    let [entry, document] = said(index);
    [json!({ "mediaType": entry["mediaType"] }), json!({ "schemaVersion": document["schemaVersion"] })].map(Cow::Owned)
}

/// The keys that lead to an index's entry: `manifests.1`, and in the index which that names `manifests.1.(index).manifests.0`.
fn path(place: &[usize]) -> Vec<String> {
    let keys = place.iter().map(|at| vec!["manifests".to_owned(), at.to_string()]);
    keys.collect::<Vec<_>>().join(&"(index)".to_owned())
}

/// Images of one platform that stand in another order: clients take the first that fits.
fn other_order(images: &[Pair<'_, OpenedPlatform>], b: &Opened) -> Vec<Finding> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (one, other) in images.iter().filter_map(|(one, other)| one.zip(*other)) {
        let place = b.platforms.iter().position(|platform| std::ptr::eq(platform, other));
        places.entry(&one.platform).or_default().extend(place);
    }
    places.retain(|_, places| !places.is_sorted());
    let finding = |platform: &str| {
        let finding = Finding::new(Field::Value, Class::Order).note("clients take the first image that fits them");
        finding.within(&["manifests".to_owned(), platform.to_owned()])
    };
    places.into_keys().map(finding).collect()
}
