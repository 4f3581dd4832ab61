//! Two archives, member by member, whatever kind of archive they are.

use super::{Explaining, UNPACKED, binary};
use crate::verify::diff::class::Class;
use crate::verify::diff::model::{Field, Finding};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

/// An archive of more members is not taken apart.
pub(super) const MEMBERS: usize = 50_000;

/// A member of an archive.
pub(super) struct Member<'a> {
    pub(super) name: String,
    /// What the archive says of it besides name and content, each under a name for people.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Its bytes as they stand in the archive.
    pub(super) raw: &'a [u8],
    /// Whether they are compressed by deflate (RFC 1951).
    pub(super) deflated: bool,
}

impl<'a> Member<'a> {
    /// Its content; an error where it is damaged or too much.
    fn content(&self) -> io::Result<Cow<'a, [u8]>> {
        if !self.deflated {
            return Ok(Cow::Borrowed(self.raw));
        }
        bounded(flate2::bufread::DeflateDecoder::new(self.raw)).map(Cow::Owned)
    }
}

/// Reads all, or fails where that is more than one thing may unpack to.
pub(super) fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(UNPACKED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > UNPACKED {
        return Err(io::Error::other(format!("it unpacks to more than {UNPACKED} bytes, so it is not looked into")));
    }
    Ok(bytes)
}

/// What archives of a kind are called, and the class of what differs in their headers.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) headers: Class,
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
        let within = || vec![format!("{} member {}", kind.name, key.0)];
        match (keys_a.get(key), keys_b.get(key)) {
            (Some(&one), Some(&other)) => content(explaining, kind, &a[one], &b[other]),
            (one, _) => {
                let class = if one.is_some() { Class::Missing } else { Class::Additional };
                explaining.add(Finding::new(Field::Presence, class).within(&within()));
            }
        }
    }
    headers(explaining, kind, a, b, &keys_a, &keys_b);
    let common = |all: &'_ [Member<'_>], other: &Keys<'_>| -> Vec<String> {
        all.iter().filter(|member| other.contains_key(&(&*member.name, 0))).map(|member| member.name.clone()).collect()
    };
    let (order_a, order_b) = (common(a, &keys_b), common(b, &keys_a));
    if order_a.len() == order_b.len()
        && let Some((one, other)) = order_a.iter().zip(&order_b).find(|(one, other)| one != other)
    {
        let finding = Finding::new(Field::Content, Class::Order).values(one, other);
        explaining.add(finding.note(format!("members of the {} stand in another order", kind.name)));
    }
    if explaining.findings.len() == before {
        binary::compare(explaining, whole.0, whole.1, Some(kind.headers));
    }
}

/// Members by name, and by which one of that name.
type Keys<'a> = BTreeMap<(&'a str, usize), usize>;

fn keyed<'a>(members: &'a [Member<'_>]) -> Keys<'a> {
    let mut keys = Keys::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        let count = counts.entry(&member.name).or_default();
        keys.insert((&member.name, *count), at);
        *count += 1;
    }
    keys
}

fn content(explaining: &mut Explaining<'_>, kind: Kind, a: &Member<'_>, b: &Member<'_>) {
    if a.raw == b.raw && a.deflated == b.deflated {
        return;
    }
    let within = format!("{} member {}", kind.name, a.name);
    match (a.content(), b.content()) {
        (Ok(one), Ok(other)) if one == other => {
            let finding = Finding::new(Field::Content, Class::Encoder).within(&[within]);
            explaining.add(finding.note("compressed in another way"));
        }
        (Ok(one), Ok(other)) => explaining.inside(within, &a.name, &one, &other),
        (Err(error), _) | (_, Err(error)) => {
            explaining.add(Finding::new(Field::Content, Class::Content).within(&[within]).note(error.to_string()));
        }
    }
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
    let mut facts: BTreeMap<&str, (u64, &str, &str, &str)> = BTreeMap::new();
    for (key, &one) in keys_a {
        let Some(&other) = keys_b.get(key) else { continue };
        for ((what, value_a), (_, value_b)) in a[one].facts.iter().zip(&b[other].facts) {
            if value_a != value_b {
                facts.entry(what).or_insert((0, &a[one].name, value_a, value_b)).0 += 1;
            }
        }
    }
    for (what, (count, name, value_a, value_b)) in facts {
        let finding = Finding::new(Field::Content, kind.headers).values(value_a, value_b);
        let members = if count == 1 { "1 member" } else { "several members" };
        explaining
            .add(finding.within(&[format!("{} member {name}", kind.name)]).note(format!("the {what} of {members}")));
    }
}
