//! A comparison for people: the verdict, then platforms, layers and files, then causes and cures.

use crate::cli::amount::count;
use crate::digest::Digest;
use crate::verify::diff::{
    Change, Comparison, Finding, LayerPair, LayerSide, PathDifference, PlatformComparison, Presence, Relation, Verdict,
    plain, step_of,
};
use std::fmt::Write as _;

/// How many paths are shown; JSON has them all.
const PATHS: usize = 60;

/// The whole text.
pub(super) fn text(comparison: &Comparison) -> String {
    let mut text = format!("{}\n", verdict(comparison));
    for (name, side) in [("a", &comparison.a), ("b", &comparison.b)] {
        let digest = side.digest.map_or(String::new(), |digest| format!("  {digest}"));
        let _ = writeln!(text, "  {name}  {}{digest}", plain(&side.name));
    }
    if !comparison.index.is_empty() {
        text.push_str("\nindex\n");
        values(&mut text, &comparison.index);
    }
    for one in &comparison.platforms {
        if one.verdict != Verdict::Identical || comparison.platforms.len() > 1 {
            platform(&mut text, one);
        }
    }
    if !comparison.causes.is_empty() {
        text.push_str("\ncauses\n");
        for cause in &comparison.causes {
            let _ = writeln!(text, "  {} ×  {}\n       cure: {}", cause.count, cause.label, cause.cure);
        }
    }
    text
}

fn verdict(comparison: &Comparison) -> String {
    match comparison.verdict {
        Verdict::Identical => "identical: the same image, by every digest".to_owned(),
        Verdict::SameFiles if comparison.only_index() => {
            "the same images: only the index that names them differs".to_owned()
        }
        Verdict::SameFiles => "the same files: only layers or their encoding differ".to_owned(),
        Verdict::Different => {
            let sum =
                |count: &dyn Fn(&PlatformComparison) -> usize| comparison.platforms.iter().map(count).sum::<usize>();
            let alone = comparison.platforms.iter().filter(|one| one.presence != Presence::Both).count();
            let counts = [
                (comparison.index.len() + sum(&|one| one.manifest.len()), "value of the documents"),
                (sum(&|one| one.config.len()), "value of the configuration"),
                (sum(&|one| one.files.len()), "path"),
                (alone, "platform"),
            ];
            let counts: Vec<String> = counts
                .iter()
                .filter(|(number, _)| *number > 0)
                .map(|(number, noun)| match noun.split_once(" of ") {
                    Some((noun, of)) => format!("{} of {of}", count(*number as u64, noun)),
                    None => count(*number as u64, noun),
                })
                .collect();
            format!("different: {}", counts.join(", "))
        }
    }
}

fn platform(text: &mut String, one: &PlatformComparison) {
    let _ = writeln!(
        text,
        "\n{}: {}",
        plain(&one.platform),
        match (one.presence, one.verdict) {
            (Presence::OnlyA, _) => "only in a",
            (Presence::OnlyB, _) => "only in b",
            (_, Verdict::Identical) => "identical",
            (_, Verdict::SameFiles) => "the same files",
            (_, Verdict::Different) => "different",
        }
    );
    for (name, findings) in [("manifest", &one.manifest), ("configuration", &one.config)] {
        if !findings.is_empty() {
            let _ = writeln!(text, "  {name}");
            values(text, findings);
        }
    }
    if one.verdict == Verdict::SameFiles && one.layers.iter().all(|pair| pair.relation == Relation::Same) {
        text.push_str("  the same configuration and layers; only the manifests are written otherwise\n");
    } else if one.verdict != Verdict::Identical && !one.layers.is_empty() {
        text.push_str("  layers\n");
        for pair in &one.layers {
            layer(text, pair);
        }
    }
    files(text, one);
}

/// Values of documents, one a line.
fn values(text: &mut String, findings: &[Finding]) {
    for finding in findings {
        let place = if finding.within.is_empty() { String::new() } else { format!("{}: ", finding.within.join(".")) };
        let _ =
            writeln!(text, "    {}{}  ({})", plain(&place), finding.sides().unwrap_or_default(), finding.class.label());
    }
}

fn layer(text: &mut String, pair: &LayerPair) {
    let number = |side: &Option<LayerSide>| side.as_ref().map_or("-".to_owned(), |side| side.number.to_string());
    let numbers = match (number(&pair.a), number(&pair.b)) {
        (a, b) if a == b => a,
        (a, b) => format!("{a} → {b}"),
    };
    let packed =
        |side: &Option<LayerSide>| side.as_ref().and_then(|side| side.encoding).map_or("", |packing| packing.name());
    let relation = match pair.relation {
        Relation::Same => "the same".to_owned(),
        Relation::OtherEncoding => match (packed(&pair.a), packed(&pair.b)) {
            (a, b) if a == b => format!("the same tar, {a} in another way"),
            (a, b) => format!("the same tar, {a} → {b}"),
        },
        Relation::OtherTar => "the same entries, written otherwise".to_owned(),
        Relation::Different => "different".to_owned(),
        Relation::Alone if pair.a.is_some() => "only in a".to_owned(),
        Relation::Alone => "only in b".to_owned(),
    };
    let side = pair.b.as_ref().or(pair.a.as_ref());
    let digest = |side: &Option<LayerSide>| -> Option<Digest> {
        let side = side.as_ref()?;
        side.digest.or(side.diff_id.map(|diff_id| diff_id.0))
    };
    let digests = match (digest(&pair.a), digest(&pair.b)) {
        (Some(a), Some(b)) if a != b => format!("{} → {}", a.short(), b.short()),
        (a, b) => a.or(b).map_or(String::new(), |digest| digest.short()),
    };
    let made_by =
        side.and_then(|side| side.created_by.as_deref()).map_or(String::new(), |by| format!("  {}", step(by)));
    let _ = writeln!(text, "    {numbers:>5}  {relation}  {digests}{made_by}");
    for finding in &pair.findings {
        let place = finding.within.join(" ");
        let note = finding.note.as_deref().unwrap_or_default();
        let line = format!("{place} {} {note}", finding.sides().unwrap_or_default());
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "           {}: {}", finding.class.label(), plain(&line));
    }
}

/// What made a layer, shortened.
fn step(created_by: &str) -> String {
    let step = step_of(created_by);
    let short: String = step.chars().take(60).collect();
    plain(&if short.len() < step.len() { format!("{short}…") } else { short })
}

fn files(text: &mut String, one: &PlatformComparison) {
    if one.files.is_empty() {
        return;
    }
    text.push_str("  files\n");
    let (mut shown, mut left) = (0, 0);
    let mut above: Option<(&PathDifference, u64)> = None;
    for file in &one.files {
        if let Some((directory, below)) = &mut above {
            let inside = file.path.strip_prefix(&directory.path).is_some_and(|rest| rest.starts_with('/'));
            if inside && file.change == directory.change && file.change != Change::Changed {
                *below += 1;
                continue;
            }
        }
        fold(text, &mut above);
        if shown == PATHS {
            left += 1;
            continue;
        }
        shown += 1;
        path(text, one, file);
        above = Some((file, 0));
    }
    fold(text, &mut above);
    if left > 0 {
        let _ = writeln!(text, "    … and {}: `--format json` has them all", count(left, "path"));
    }
    if one.unexplained > 0 {
        let _ = writeln!(text, "    {} of these were not looked into, being too many", count(one.unexplained, "file"));
    }
}

fn fold(text: &mut String, above: &mut Option<(&PathDifference, u64)>) {
    if let Some((_, below)) = above.take()
        && below > 0
    {
        let _ = writeln!(text, "      and {} below it", count(below, "path"));
    }
}

fn path(text: &mut String, one: &PlatformComparison, file: &PathDifference) {
    let made = |number: Option<usize>, of_a: bool| -> Option<String> {
        let side = one.layers.iter().filter_map(|pair| if of_a { pair.a.as_ref() } else { pair.b.as_ref() });
        let side = side.into_iter().find(|side| Some(side.number) == number)?;
        let by = side.created_by.as_deref().map_or(String::new(), |by| format!(" ({})", step(by)));
        Some(format!("layer {}{by}", side.number))
    };
    let place = match (file.change, made(file.layer_a, true), made(file.layer_b, false)) {
        (Change::Removed, Some(a), _) => format!("only in a: {a}"),
        (Change::Added, _, Some(b)) => format!("only in b: {b}"),
        (_, Some(a), Some(b)) if a != b => format!("{a} → {b}"),
        (_, a, b) => b.or(a).unwrap_or_default(),
    };
    let _ = writeln!(text, "    {}  {place}", plain(&file.path));
    for finding in &file.findings {
        explained(text, finding);
    }
}

fn explained(text: &mut String, finding: &Finding) {
    let _ = writeln!(text, "      {}", finding.line());
    for line in finding.excerpt_lines() {
        let _ = writeln!(text, "        {line}");
    }
}
