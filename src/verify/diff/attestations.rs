//! Attestations beside two images, statement by statement and field by field.

use super::beside::{ABOUT, Beside, pairs};
use super::class::Class;
use super::content::{self, Context, Hints};
use super::manifest::descriptors;
use super::model::{Field, Finding};
use super::pairing::Pair;
use crate::image::{OpenError, Opened, OpenedAttestation, OpenedPlatform, Statement};
use std::collections::BTreeMap;
use std::error::Error as _;

/// How many differing attestations are looked into, and in how many of their statements together; the rest are named only.
pub(super) const MOST: usize = 50;
const STATEMENTS: usize = 200;

/// How many are named only; of the rest it is said that there are more.
const NAMED: usize = 200;

/// Compares what stands beside two images, which are paired.
pub(super) fn compare(a: &Opened, b: &Opened, images: &[Pair<'_, OpenedPlatform>], hints: &Hints) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut asked, mut left, mut named_only) = (0, STATEMENTS, 0);
    pairs(a, b, images, |one, other| {
        let both = one.zip(other);
        let mut found = both.map_or_else(Vec::new, |(one, other)| entries(one, other));
        let same = both.is_some_and(|(one, other)| one.it.digest == other.it.digest);
        if same && found.is_empty() {
            return;
        }
        asked += 1;
        if both.is_none() || asked > MOST {
            named_only += 1;
            if named_only > NAMED {
                return;
            }
        }
        let name = one.or(other).map(|side| side.name(images)).unwrap_or_default();
        let text = |side: Option<&Beside<'_>>| side.map_or("none".to_owned(), |side| side.it.digest.short());
        let whole = Finding::new(Field::Value, Class::Attestation).values(text(one), text(other));
        match both {
            Some(_) if asked > MOST => {
                found = vec![whole.note(format!("only the first {MOST} differing attestations are looked into"))];
            }
            Some((one, other)) if !same => match differences(one.it, other.it, hints, &mut left) {
                Ok(inside) => found.extend(inside),
                Err(error) => found.push(whole.note(unread(&error))),
            },
            Some(_) => {}
            None => found.push(whole),
        }
        let named = |one: Finding| Finding { within: [&[name.clone()][..], &one.within].concat(), ..one };
        findings.extend(found.into_iter().map(named));
    });
    if let Some(last) = findings.last_mut().filter(|_| named_only > NAMED) {
        last.also(&format!("{} more attestations differ, which are left out", named_only - NAMED));
    }
    findings
}

/// What indices say of two attestations, but for the digest of the image where that is what differs already.
fn entries(a: &Beside<'_>, b: &Beside<'_>) -> Vec<Finding> {
    let (mut in_a, mut in_b) = (a.it.entry.clone(), b.it.entry.clone());
    if a.about.is_some() && a.about == b.about {
        for entry in [&mut in_a, &mut in_b] {
            entry["annotations"].as_object_mut().map(|all| all.remove(ABOUT));
        }
    }
    descriptors(&in_a, &in_b).into_iter().map(|finding| attested(finding, "in the index")).collect()
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
    let found = found.into_iter().map(|one| Finding { within: [within, &one.within].concat(), ..one });
    found.map(|finding| attested(finding, place)).collect()
}

/// Says of a finding that it is in an attestation, and where.
fn attested(mut finding: Finding, place: &str) -> Finding {
    if !matches!(finding.class, Class::Content | Class::Configuration) {
        finding.also(&format!("the difference itself: {}", finding.class.label()));
    }
    finding.also(place);
    Finding { class: Class::Attestation, ..finding }
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
