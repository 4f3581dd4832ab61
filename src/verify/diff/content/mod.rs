//! Why two contents differ: what they are, where the first difference is, and what class its cause has.
//!
//! What has a format is taken apart by it (compressed data, archives, sections of programs, JSON), and the parts are compared in
//! turn, to a bounded depth. What has none is text or bytes.

mod accounts;
mod ar;
mod binary;
mod checksum;
mod dates;
mod elf;
mod json;
mod lines;
mod members;
mod packed;
mod place;
mod python;
mod sqlite;
mod tar;
mod text;
mod words;
mod zip;

pub(super) use place::by_path;
pub(super) use words::{named, shortened, words};

use super::class::Class;
use super::model::{Field, Finding};
use super::spool::WHOLE;
use crate::image::Wrapping;
use std::io::{self, Read};

/// How deep containers in containers are looked into.
const DEPTH: usize = 5;

/// What one thing inside another may unpack to, in bytes.
const UNPACKED: u64 = 24 << 20;

/// What all things inside each other that are looked into at a time may unpack to together, in bytes.
const HELD: u64 = 64 << 20;

/// What the excerpts of one file may have together, in bytes.
const EXCERPTS: usize = 64 << 10;

/// The ends of names of files in whose bytes nothing can be read as it stands, being compressed.
const PACKED: [&str; 12] = [".gz", ".tgz", ".xz", ".txz", ".zst", ".bz2", ".lz", ".7z", ".zip", ".jar", ".whl", ".deb"];

/// How many findings one file may have.
const FINDINGS: usize = 30;

/// What is known about where the images were built, which explains more than can be guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Paths at which a build stood.
    pub paths: Vec<String>,
    /// Names of machines.
    pub hosts: Vec<String>,
    /// Names of users.
    pub users: Vec<String>,
}

/// What contents belong to.
pub(super) struct Context<'a> {
    pub(super) hints: &'a Hints,
    /// The file's path, without a slash in front.
    pub(super) path: &'a str,
    /// Which byte of the file the contents begin with, where they are pieces of a large one.
    pub(super) from: u64,
    /// Whether the contents are the whole file; pieces are not taken apart.
    pub(super) whole: bool,
}

/// Says why two contents differ; empty only where they do not.
pub(super) fn explain(a: &[u8], b: &[u8], context: &Context<'_>) -> Vec<Finding> {
    let mut explaining = Explaining { from: context.from, ..Explaining::new(context.hints) };
    if a != b && context.whole {
        explaining.pair(context.path, a, b);
    } else if a != b {
        explaining.piece(context.path, a, b);
    }
    let mut findings = explaining.findings;
    let mut shown = 0;
    for finding in &mut findings {
        shown += finding.excerpt_lines().iter().map(String::len).sum::<usize>();
        if shown > EXCERPTS {
            finding.excerpt = None;
        }
        if finding.within.is_empty() {
            finding.offset = finding.offset.map(|at| at + context.from);
        }
        // What should not be there at all needs no other cure.
        if let Some(class) = by_path(context.path) {
            let seen = finding.class.label();
            if finding.class != class && !matches!(finding.class, Class::Content) && finding.note.is_none() {
                finding.note = Some(format!("the difference itself: {seen}"));
            }
            finding.class = class;
        }
    }
    findings
}

/// Says why two contents of a file differ: `path` without a slash in front, `from` the place in the file at which both begin, in
/// bytes; empty only where they do not differ.
#[must_use]
pub fn explain_contents(path: &str, from: u64, a: &[u8], b: &[u8], hints: &Hints) -> Vec<Finding> {
    explain(a, b, &Context { hints, path, from, whole: from == 0 })
}

/// Compares two contents of one format; `false`: they have another.
type Compare = fn(&mut Explaining<'_>, &str, &[u8], &[u8]) -> bool;

/// Two things being explained, and what was found so far.
struct Explaining<'a> {
    hints: &'a Hints,
    findings: Vec<Finding>,
    within: Vec<String>,
    /// Which byte of the file the contents begin with.
    from: u64,
    /// How many bytes are unpacked at present.
    held: u64,
}

impl<'a> Explaining<'a> {
    fn new(hints: &'a Hints) -> Self {
        Self { hints, findings: vec![], within: vec![], from: 0, held: 0 }
    }

    /// Whether no further finding is taken.
    fn full(&self) -> bool {
        self.findings.len() >= FINDINGS
    }

    /// Explains two different contents of one name.
    fn pair(&mut self, name: &str, a: &[u8], b: &[u8]) {
        if self.full() {
            return;
        }
        let deep = self.within.len() >= DEPTH;
        let by_format: [Compare; 8] = [
            python::compare,
            packed::compare,
            zip::compare,
            elf::compare,
            ar::compare,
            sqlite::compare,
            tar::compare,
            json::compare,
        ];
        if !deep && by_format.iter().any(|compare| compare(self, name, a, b)) {
            return;
        }
        if deep && [a, b].iter().all(|bytes| Wrapping::of(bytes) != Wrapping::Plain) {
            let why = format!("it is {DEPTH} deep in others, so it is not looked into");
            return packed::closed(self, a, b, &why);
        }
        match (text::of(a), text::of(b)) {
            (Some(a), Some(b)) => text::compare(self, name, a, b),
            _ => binary::compare(self, a, b, None),
        }
    }

    /// Explains two pieces of files that are too large to be read whole.
    fn piece(&mut self, path: &str, a: &[u8], b: &[u8]) {
        let why = format!(
            "a file of more than {WHOLE} bytes is not taken apart; looked at were {} bytes from byte {} on",
            a.len().max(b.len()),
            self.from
        );
        // Behind the first piece only the name tells.
        let packed = |bytes: &[u8]| self.from == 0 && Wrapping::of(bytes) != Wrapping::Plain;
        if packed(a) && packed(b) || PACKED.iter().any(|end| path.ends_with(end)) {
            return packed::closed(self, a, b, &why);
        }
        let before = self.findings.len();
        match (text::of(a), text::of(b)) {
            (Some(a), Some(b)) => text::compare(self, path, a, b),
            _ => binary::compare(self, a, b, None),
        }
        if let Some(finding) = self.findings.get_mut(before) {
            finding.also(&why);
        }
    }

    /// Explains parts of a thing under a name of theirs.
    fn inside(&mut self, part: impl Into<String>, name: &str, a: &[u8], b: &[u8]) {
        self.part(part, |explaining| explaining.pair(name, a, b));
    }

    /// Does something about a part of the thing that is being looked at.
    fn part(&mut self, part: impl Into<String>, compare: impl FnOnce(&mut Self)) {
        self.within.push(named(&part.into()));
        compare(self);
        self.within.pop();
    }

    /// Unpacks what is inside, and counts it as held; an error where it is damaged or too much.
    fn unpack(&mut self, reader: impl Read) -> io::Result<Vec<u8>> {
        let most = UNPACKED.min(HELD.saturating_sub(self.held));
        let mut bytes = Vec::new();
        reader.take(most + 1).read_to_end(&mut bytes)?;
        let length = bytes.len() as u64;
        if length > UNPACKED {
            return Err(io::Error::other(format!(
                "it unpacks to more than {UNPACKED} bytes, so it is not looked into"
            )));
        }
        if length > most {
            let what = format!("with what it is in, it unpacks to more than {HELD} bytes, so it is not looked into");
            return Err(io::Error::other(what));
        }
        self.held += length;
        Ok(bytes)
    }

    /// Adds a finding about the thing that is being looked at.
    fn add(&mut self, finding: Finding) {
        if !self.full() {
            let within = self.within.iter().cloned().chain(finding.within.iter().map(|part| named(part))).collect();
            let (a, b) = (finding.a.map(|a| shortened(&a)), finding.b.map(|b| shortened(&b)));
            self.findings.push(Finding { within, a, b, ..finding });
        }
    }

    /// Adds a finding about a content.
    fn found(&mut self, class: Class) -> Finding {
        Finding::new(Field::Content, class).within(&self.within)
    }
}

/// The first byte at which two contents differ; the shorter's end where it is the other's beginning.
fn first_difference(a: &[u8], b: &[u8]) -> u64 {
    let blocks = a.chunks(4096).zip(b.chunks(4096)).take_while(|(a, b)| a == b).count() * 4096;
    let start = blocks.min(a.len()).min(b.len());
    (start + a[start..].iter().zip(&b[start..]).take_while(|(a, b)| a == b).count()) as u64
}
