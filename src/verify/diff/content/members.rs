//! Two archives, member by member, whatever kind of archive they are.

use super::{Explaining, binary};
use crate::layer::Seen;
use crate::verify::diff::class::Class;
use crate::verify::diff::model::{Field, Finding};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// An archive of more members is not taken apart.
pub(super) const MEMBERS: usize = 50_000;

/// Nor is one with a longer name, in bytes; Linux takes no longer one.
pub(super) const LONGEST: usize = 4096;

/// A member of an archive.
pub(super) struct Member<'a> {
    pub(super) name: Cow<'a, [u8]>,
    /// What the archive says of it.
    pub(super) header: Header<'a>,
    /// Its bytes as they stand in the archive.
    pub(super) raw: &'a [u8],
    /// Whether they are compressed by deflate (RFC 1951).
    pub(super) deflated: bool,
}

/// What an archive says of a member. It is read only where two differ: there may be a great many.
#[derive(PartialEq)]
pub(super) enum Header<'a> {
    /// As it stands there.
    Bytes(&'a [u8]),
    /// A tar's, in several headers.
    Tar(Box<Seen>),
}

impl Member<'_> {
    /// Its name for people.
    fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }
}

impl<'a> Explaining<'_> {
    /// A member's content; an error where it is damaged or too much.
    fn content_of(&mut self, member: &Member<'a>) -> io::Result<Cow<'a, [u8]>> {
        if !member.deflated {
            return Ok(Cow::Borrowed(member.raw));
        }
        self.unpack(flate2::bufread::DeflateDecoder::new(member.raw)).map(Cow::Owned)
    }
}

/// What archives of a kind are called, and the class of what differs in their headers.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) headers: Class,
    /// What a header says besides name and size, each under a name for people.
    pub(super) facts: fn(&Header<'_>) -> Vec<(&'static str, String)>,
}

/// Compares two archives of one kind.
pub(super) fn compare(
    explaining: &mut Explaining<'_>,
    kind: Kind,
    whole: (&[u8], &[u8]),
    a: &[Member<'_>],
    b: &[Member<'_>],
) {
    let before = explaining.findings.len();
    let (keys_a, keys_b) = (keyed(a), keyed(b));
    for key in keys_a.keys().chain(keys_b.keys()).collect::<BTreeSet<_>>() {
        let within = || vec![format!("{} member {}", kind.name, String::from_utf8_lossy(key.0))];
        match (keys_a.get(key), keys_b.get(key)) {
            (Some(&one), Some(&other)) => content(explaining, kind, &a[one], &b[other]),
            (one, _) => {
                let class = if one.is_some() { Class::Missing } else { Class::Additional };
                explaining.add(Finding::new(Field::Presence, class).within(&within()));
            }
        }
    }
    headers(explaining, kind, a, b, &keys_a, &keys_b);
    if let Some((one, other)) = out_of_step(a, b, &keys_a, &keys_b) {
        let finding = Finding::new(Field::Content, Class::Order).values(one.shown(), other.shown());
        explaining.add(finding.note(format!("members of the {} stand in another order", kind.name)));
    }
    if explaining.findings.len() == before {
        binary::compare(explaining, whole.0, whole.1, Some(kind.headers));
    }
}

/// Members by name, and by which one of that name.
type Keys<'a> = BTreeMap<(&'a [u8], usize), usize>;

fn keyed<'a>(members: &'a [Member<'_>]) -> Keys<'a> {
    let mut keys = Keys::new();
    let mut counts: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        let count = counts.entry(&member.name).or_default();
        keys.insert((&member.name, *count), at);
        *count += 1;
    }
    keys
}

/// Of the members that both have, the first two that do not stand in the same place.
fn out_of_step<'a>(
    a: &'a [Member<'a>],
    b: &'a [Member<'a>],
    keys_a: &Keys<'_>,
    keys_b: &Keys<'_>,
) -> Option<(&'a Member<'a>, &'a Member<'a>)> {
    let common_a = || a.iter().filter(|member| keys_b.contains_key(&(&*member.name, 0)));
    let common_b = || b.iter().filter(|member| keys_a.contains_key(&(&*member.name, 0)));
    if common_a().count() != common_b().count() {
        return None;
    }
    common_a().zip(common_b()).find(|(one, other)| one.name != other.name)
}

fn content(explaining: &mut Explaining<'_>, kind: Kind, a: &Member<'_>, b: &Member<'_>) {
    if explaining.full() || a.raw == b.raw && a.deflated == b.deflated {
        return;
    }
    let within = format!("{} member {}", kind.name, a.shown());
    let held = explaining.held;
    match (explaining.content_of(a), explaining.content_of(b)) {
        (Ok(one), Ok(other)) if one == other => {
            let finding = Finding::new(Field::Content, Class::Encoder).within(&[within]);
            explaining.add(finding.note("compressed in another way"));
        }
        (Ok(one), Ok(other)) => explaining.inside(within, &a.shown(), &one, &other),
        (Err(error), _) | (_, Err(error)) => {
            explaining.add(Finding::new(Field::Content, Class::Content).within(&[within]).note(error.to_string()));
        }
    }
    explaining.held = held;
}

/// Tells what headers differ in, once for each fact.
fn headers(
    explaining: &mut Explaining<'_>,
    kind: Kind,
    a: &[Member<'_>],
    b: &[Member<'_>],
    keys_a: &Keys<'_>,
    keys_b: &Keys<'_>,
) {
    let mut facts: BTreeMap<&str, (u64, String, String, String)> = BTreeMap::new();
    for (key, &one) in keys_a {
        let Some(&other) = keys_b.get(key) else { continue };
        if a[one].header == b[other].header {
            continue;
        }
        for ((what, in_a), (_, in_b)) in (kind.facts)(&a[one].header).into_iter().zip((kind.facts)(&b[other].header)) {
            if in_a != in_b {
                facts.entry(what).or_insert_with(|| (0, a[one].shown().into_owned(), in_a, in_b)).0 += 1;
            }
        }
    }
    for (what, (count, name, in_a, in_b)) in facts {
        let finding = Finding::new(Field::Content, kind.headers).values(in_a, in_b);
        let members = if count == 1 { "1 member" } else { "several members" };
        explaining
            .add(finding.within(&[format!("{} member {name}", kind.name)]).note(format!("the {what} of {members}")));
    }
}
