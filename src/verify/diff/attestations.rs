//! Attestations beside two images, statement by statement and field by field.

use super::class::Class;
use super::content::{self, Context, Hints};
use super::model::{Field, Finding};
use crate::image::{OpenError, Opened, OpenedAttestation, Statement};
use std::collections::BTreeMap;
use std::error::Error as _;

/// How many differing attestations are looked into, and in how many of their statements together; the rest are named only.
const MOST: usize = 50;
const STATEMENTS: usize = 200;

/// Compares what stands beside two images.
pub(super) fn compare(a: &Opened, b: &Opened, hints: &Hints) -> Vec<Finding> {
    let (in_a, in_b) = (keyed(a), keyed(b));
    let mut findings = Vec::new();
    let (mut asked, mut left) = (0, STATEMENTS);
    for key @ (kind, about, _) in in_a.keys().chain(in_b.keys().filter(|key| !in_a.contains_key(*key))) {
        let sides = (in_a.get(key).copied(), in_b.get(key).copied());
        if sides.0.map(|one| one.digest) == sides.1.map(|other| other.digest) {
            continue;
        }
        let name = format!("{kind} of {about}");
        let text = |side: Option<&OpenedAttestation>| side.map_or("none".to_owned(), |side| side.digest.short());
        let whole = Finding::new(Field::Value, Class::Attestation).values(text(sides.0), text(sides.1));
        let whole = whole.within(std::slice::from_ref(&name));
        asked += 1;
        match sides {
            (Some(_), Some(_)) if asked > MOST => {
                findings.push(whole.note(format!("only the first {MOST} differing attestations are looked into")));
            }
            (Some(one), Some(other)) => match differences(one, other, hints, &mut left) {
                Ok(found) => {
                    findings.extend(found.into_iter().map(|finding| Finding {
                        within: [&[name.clone()][..], &finding.within[..]].concat(),
                        ..finding
                    }));
                }
                Err(error) => findings.push(whole.note(unread(&error))),
            },
            _ => findings.push(whole),
        }
    }
    findings
}

/// What an attestation is, which image it is about, and which one of that name.
type Key = (String, String, usize);

fn keyed(image: &Opened) -> BTreeMap<Key, &OpenedAttestation> {
    let mut keys = BTreeMap::new();
    for one in &image.attestations {
        let about =
            |digest| image.platforms.iter().find(|platform| platform.manifest.as_ref().map(|it| it.0) == digest);
        let about = one.about.and_then(|digest| about(Some(digest)));
        let about = about.map_or("no image of the index", |platform| &platform.platform);
        let mut key = (one.kind.clone(), about.to_owned(), 0);
        while keys.contains_key(&key) {
            key.2 += 1;
        }
        keys.insert(key, one);
    }
    keys
}

/// What differs between two attestations; never nothing.
fn differences(
    a: &OpenedAttestation,
    b: &OpenedAttestation,
    hints: &Hints,
    left: &mut usize,
) -> Result<Vec<Finding>, OpenError> {
    let ((manifest_a, statements_a), (manifest_b, statements_b)) = (a.read()?, b.read()?);
    let (in_a, in_b) = (by_predicate(&statements_a), by_predicate(&statements_b));
    let mut findings = Vec::new();
    for key in in_a.keys().chain(in_b.keys().filter(|key| !in_a.contains_key(*key))) {
        let within = [content::named(key.0)];
        let (one, other) = match (in_a.get(key), in_b.get(key)) {
            (Some(one), Some(other)) if one.blob == other.blob => continue,
            (Some(one), Some(other)) => (*one, *other),
            (one, other) => {
                let text = |side: Option<&&Statement>| side.map_or("none".to_owned(), |side| side.blob.digest.short());
                let finding = Finding::new(Field::Value, Class::Attestation).values(text(one), text(other));
                findings.push(finding.within(&within));
                continue;
            }
        };
        let blobs = format!("in blob {} and {}", one.blob.digest.short(), other.blob.digest.short());
        if *left == 0 {
            let finding = Finding::new(Field::Content, Class::Attestation).within(&within);
            findings.push(finding.note(format!("{blobs}; only the first {STATEMENTS} statements are looked into")));
            break;
        }
        *left -= 1;
        match a.statement(one).and_then(|one| Ok((one, b.statement(other)?))) {
            Ok((one, other)) => findings.extend(fields(&one, &other, &within, &blobs, hints)),
            Err(error) => {
                let finding = Finding::new(Field::Content, Class::Attestation).within(&within);
                findings.push(finding.note(unread(&error)));
            }
        }
    }
    if findings.is_empty() {
        findings = fields(&manifest_a, &manifest_b, &[], "in the attestation's manifest", hints);
    }
    Ok(findings)
}

/// Statements by their predicate, and by which one of that.
fn by_predicate(all: &[Statement]) -> BTreeMap<(&str, usize), &Statement> {
    let mut keys = BTreeMap::new();
    for statement in all {
        let mut key = (&*statement.predicate, 0);
        while keys.contains_key(&key) {
            key.1 += 1;
        }
        keys.insert(key, statement);
    }
    keys
}

/// What differs between two documents of attestations: whatever it is, it is their builders' word, and no part of an image.
fn fields(a: &[u8], b: &[u8], within: &[String], place: &str, hints: &Hints) -> Vec<Finding> {
    let found = content::explain(a, b, &Context { hints, path: "", from: 0, whole: true });
    let attested = |mut finding: Finding| {
        if finding.class != Class::Content {
            finding.also(&format!("the difference itself: {}", finding.class.label()));
        }
        finding.also(place);
        Finding { class: Class::Attestation, within: [within, &finding.within].concat(), ..finding }
    };
    found.into_iter().map(attested).collect()
}

/// Says why something was not looked into.
fn unread(error: &OpenError) -> String {
    let mut text = format!("not looked into: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
