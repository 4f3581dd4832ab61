//! The images of a platform side by side: documents, layers, and in each layer the differing files.

use super::amount::{count, size};
use super::bar::{Fill, Part};
use super::excerpt::Sides;
use super::finding::findings;
use super::markup::Markup;
use crate::verify::diff::{
    Change, Class, Finding, LayerPair, LayerSide, PathDifference, PlatformComparison, Relation, Verdict, step_of,
};

/// How much of a page is left: differences beyond are counted.
#[derive(Debug)]
pub(super) struct Room {
    /// How many more differing paths are shown.
    pub(super) paths: usize,
    /// The page's length in bytes at which no further one is begun.
    pub(super) bytes: usize,
}

impl Room {
    /// A page of some hundred differences, and of a few megabytes whatever these are like.
    pub(super) const fn of_a_page() -> Self {
        Self { paths: 400, bytes: 3 << 20 }
    }
}

/// So many differing paths of a page are open from the beginning.
const OPEN: usize = 12;

/// At most this many findings of one document or layer are shown.
const VALUES: usize = 60;

/// How a layer is drawn.
pub(super) fn part(pair: &LayerPair) -> Part {
    let side = pair.b.as_ref().or(pair.a.as_ref());
    let title = side.map_or_else(String::new, |side| format!("layer {}: {}", side.number, step(side)));
    Part { fill: fill(pair.relation), size: side.and_then(|side| side.size), title }
}

/// The fill of a platform as a whole.
pub(super) const fn verdict_fill(verdict: Verdict) -> Fill {
    match verdict {
        Verdict::Identical => Fill::Same,
        Verdict::SameFiles => Fill::Files,
        Verdict::Different => Fill::Different,
    }
}

const fn fill(relation: Relation) -> Fill {
    match relation {
        Relation::Same => Fill::Same,
        Relation::OtherEncoding | Relation::OtherTar => Fill::Files,
        Relation::Different | Relation::Alone => Fill::Different,
    }
}

/// Shows a platform's comparison: documents, then layers with their files.
pub(super) fn platform(markup: &mut Markup, one: &PlatformComparison, sides: Sides, room: &mut Room) {
    for (title, all) in [("Manifest", &one.manifest), ("Configuration", &one.config)] {
        if !all.is_empty() {
            document(markup, title, all, sides);
        }
    }
    if one.layers.is_empty() {
        return;
    }
    let mut files: Vec<Option<&PathDifference>> = one.files.iter().map(Some).collect();
    markup.raw("<ol class=\"layers\">");
    for pair in &one.layers {
        let of_layer = |file: &PathDifference| match (&pair.b, &pair.a) {
            (Some(b), _) if file.layer_b.is_some() => file.layer_b == Some(b.number),
            (_, Some(a)) if file.layer_b.is_none() => file.layer_a == Some(a.number),
            _ => false,
        };
        let taken: Vec<&PathDifference> =
            files.iter_mut().filter(|file| file.is_some_and(of_layer)).filter_map(Option::take).collect();
        markup.raw("<li>");
        layer(markup, pair, &taken, sides, room);
        markup.raw("</li>");
    }
    markup.raw("</ol>");
    if one.unexplained > 0 {
        let many = count(usize::try_from(one.unexplained).unwrap_or(usize::MAX), "file");
        markup.element("p", "cut", &format!("{many} were too many to be looked into: they are named only."));
    }
}

fn document(markup: &mut Markup, title: &str, all: &[Finding], sides: Sides) {
    markup.raw("<div class=\"document\">").element("h4", "title", title);
    findings(markup, &all[..all.len().min(VALUES)], title, sides);
    cut(markup, all.len().saturating_sub(VALUES), "value");
    markup.raw("</div>");
}

fn layer(markup: &mut Markup, pair: &LayerPair, files: &[&PathDifference], sides: Sides, room: &mut Room) {
    let fill = fill(pair.relation);
    let open = if files.is_empty() && pair.findings.is_empty() { "" } else { " open" };
    markup.raw("<details class=\"layer ").raw(fill.class()).raw("\"").raw(open).raw("><summary>");
    let number = |side: &Option<LayerSide>| side.as_ref().map(|side| side.number);
    let numbers = match (number(&pair.a), number(&pair.b)) {
        (Some(a), Some(b)) if a != b => format!("{a} → {b}"),
        (a, b) => b.or(a).map_or_else(String::new, |number| number.to_string()),
    };
    markup.element("span", "number", &numbers);
    let side = pair.b.as_ref().or(pair.a.as_ref());
    markup.element("span", "step", &side.map_or_else(|| "a layer".to_owned(), step));
    if let Some(bytes) = side.and_then(|side| side.size) {
        markup.element("span", "size", &size(bytes));
    }
    markup.element("span", &format!("tag {}", fill.class()), &relation(pair, sides)).raw("</summary>");
    markup.raw("<dl class=\"digests\">");
    let same = pair.relation == Relation::Same;
    for (name, one) in [(sides.a, &pair.a), (sides.b, &pair.b)] {
        let Some(one) = one.as_ref().filter(|_| !same || name == sides.b) else { continue };
        let name = if same { "" } else { name };
        digests(markup, name, one);
    }
    markup.raw("</dl>");
    if !pair.findings.is_empty() {
        findings(markup, &pair.findings[..pair.findings.len().min(VALUES)], "the layer", sides);
    }
    paths(markup, files, sides, room);
    markup.raw("</details>");
}

fn digests(markup: &mut Markup, name: &str, side: &LayerSide) {
    let title = |what: &str| if name.is_empty() { what.to_owned() } else { format!("{what}, {name}") };
    if let Some(digest) = side.digest {
        markup.fact(&title("blob"), &digest.to_string());
    }
    if let Some(diff_id) = side.diff_id {
        markup.fact(&title("content"), &diff_id.0.to_string());
    }
}

fn relation(pair: &LayerPair, sides: Sides) -> String {
    let packed = |side: &Option<LayerSide>| side.as_ref().and_then(|side| side.encoding).map_or("", |one| one.name());
    match pair.relation {
        Relation::Same => "identical".to_owned(),
        Relation::OtherEncoding if packed(&pair.a) == packed(&pair.b) => "same content, packed otherwise".to_owned(),
        Relation::OtherEncoding => format!("same content, {} → {}", packed(&pair.a), packed(&pair.b)),
        Relation::OtherTar => "same entries, written otherwise".to_owned(),
        Relation::Different => "different".to_owned(),
        Relation::Alone => format!("only in {}", if pair.a.is_some() { sides.a } else { sides.b }),
    }
}

/// What made a layer, without what tools put in front of it.
fn step(side: &LayerSide) -> String {
    side.created_by.as_deref().map_or_else(|| "layer".to_owned(), |text| step_of(text).to_owned())
}

/// Shows paths; what is below a directory that came or went with it is counted there.
fn paths(markup: &mut Markup, files: &[&PathDifference], sides: Sides, room: &mut Room) {
    if files.is_empty() {
        return;
    }
    markup.raw("<ul class=\"files\">");
    let (mut at, mut left) = (0, 0);
    while at < files.len() {
        let file = files[at];
        let below = files[at + 1..].iter().take_while(|one| inside(one, file)).count();
        at += 1 + below;
        if room.paths == 0 || markup.len() > room.bytes {
            left += 1 + below;
            continue;
        }
        room.paths -= 1;
        let open = if Room::of_a_page().paths - room.paths <= OPEN { " open" } else { "" };
        markup.raw("<li><details class=\"file\"").raw(open).raw("><summary>");
        path(markup, &file.path);
        let word = match file.change {
            Change::Removed => format!("only in {}", sides.a),
            Change::Added => format!("only in {}", sides.b),
            Change::Changed => String::new(),
        };
        if !word.is_empty() {
            markup.element("span", "change", &word);
        }
        let mut classes: Vec<Class> = Vec::new();
        for one in &file.findings {
            if !classes.contains(&one.class) {
                classes.push(one.class);
            }
        }
        let labels: Vec<&str> = classes
            .iter()
            .map(|class| class.label())
            .filter(|_| word.is_empty() || classes != [Class::Missing] && classes != [Class::Additional])
            .collect();
        markup.element("span", "why", &labels.join(", ")).raw("</summary>");
        findings(markup, &file.findings, &file.path, sides);
        if below > 0 {
            markup.element("p", "note", &format!("and {} below it", count(below, "path")));
        }
        markup.raw("</details></li>");
    }
    markup.raw("</ul>");
    cut(markup, left, "differing path");
}

/// Whether a path came or went with a directory above it.
fn inside(one: &PathDifference, directory: &PathDifference) -> bool {
    let below = one.path.strip_prefix(&directory.path).is_some_and(|rest| rest.starts_with('/'));
    below && one.change == directory.change && one.change != Change::Changed
}

/// A path, its last part set off.
fn path(markup: &mut Markup, path: &str) {
    let at = path.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1);
    markup.raw("<code class=\"path\">").text(&path[..at]).element("b", "name", &path[at..]).raw("</code>");
}

/// Says how much was left out.
fn cut(markup: &mut Markup, left: usize, noun: &str) {
    if left > 0 {
        let many = count(left, &format!("more {noun}"));
        markup.element("p", "cut", &format!("… and {many}, left out here: `--format json` has them all."));
    }
}
