//! The page of a verification.

use super::amount::{count, size};
use super::bar::{Fill, Part};
use super::excerpt::Sides;
use super::finding::{causes, findings};
use super::frame::{Glance, Headline, page};
use super::markup::Markup;
use super::tree::{Room, part, platform};
use crate::verify::diff::{Finding, count_causes, step_of};
use crate::verify::rebuild::{Difference, ImageVerdict, MadeLayer, Verdict};
use std::collections::BTreeMap;

const SIDES: Sides = Sides { a: "expected", b: "found" };

/// At most this many actions that differ are shown.
const ACTIONS: usize = 50;

/// How a verdict was come to.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// The seed of the rebuild; `None`: nothing was built.
    pub seed: Option<u64>,
    /// What was varied, and to what.
    pub varied: &'a BTreeMap<String, String>,
    /// What was not, and why not.
    pub not_varied: &'a BTreeMap<String, String>,
    /// About the run: names and values.
    pub run: Vec<(String, String)>,
}

/// Writes a verdict as an HTML page.
#[must_use]
pub fn verdict_page(verdict: &Verdict, circumstances: &Circumstances<'_>) -> String {
    let wrong = verdict.images.iter().filter(|image| !image.identical()).count();
    let total = verdict.images.len();
    let sentence = match (verdict.identical(), wrong) {
        (true, _) if total == 1 => "The image is identical".to_owned(),
        (true, _) => format!("All {total} images are identical"),
        (false, _) if verdict.unverified() == wrong && wrong > 0 => {
            format!("{wrong} of {} could not be verified", count(total, "image"))
        }
        (false, 0) => {
            format!("The images are identical, but {} not", are(&count(verdict.actions.len(), "result of an action")))
        }
        (false, _) if total == 1 => "The image is not identical".to_owned(),
        (false, _) => format!("{wrong} of {total} images {} not identical", if wrong == 1 { "is" } else { "are" }),
    };
    let mut facts: Vec<(String, String)> = Vec::new();
    if let Some(seed) = circumstances.seed {
        facts.push(("seed".to_owned(), seed.to_string()));
        facts.push(("results of actions compared".to_owned(), verdict.compared.to_string()));
        if verdict.unmatched > 0 {
            facts.push(("new results".to_owned(), verdict.unmatched.to_string()));
        }
    }
    let layers: u64 = verdict.images.iter().flat_map(|image| &image.layers).map(|layer| layer.size).sum();
    if layers > 0 {
        facts.push(("layers together".to_owned(), size(layers)));
    }
    let fill = if verdict.identical() { Fill::Same } else { Fill::Different };
    let lead = match circumstances.seed {
        Some(_) => "Built again in an empty store under other circumstances, and compared bit for bit.",
        None => "Every digest was recomputed; nothing was built.",
    };
    let headline = Headline { command: "remint verify", fill, sentence, lead: lead.to_owned(), facts };
    let glances: Vec<Glance> = verdict.images.iter().enumerate().map(|(at, image)| glance(at, image)).collect();
    page(&headline, &glances, &circumstances.run, |markup| {
        actions(markup, verdict);
        causes(markup, &count_causes(all_findings(verdict)));
        markup.raw("<section id=\"images\" aria-labelledby=\"images-title\"><h2 id=\"images-title\">The images</h2>");
        let mut room = Room::of_a_page();
        for (at, one) in verdict.images.iter().enumerate() {
            let open = !one.identical() || verdict.identical() && at == 0;
            image(markup, (at, open), one, &mut room);
        }
        markup.raw("</section>\n");
        varied(markup, circumstances);
    })
}

fn are(text: &str) -> String {
    format!("{text} {}", if text.starts_with("1 ") { "is" } else { "are" })
}

fn all_findings(verdict: &Verdict) -> impl Iterator<Item = &Finding> {
    let compared = verdict.images.iter().filter_map(|image| image.comparison.as_deref());
    let inside = compared
        .flat_map(|one| one.manifest.iter().chain(&one.config).chain(one.files.iter().flat_map(|file| &file.findings)));
    let without = verdict.images.iter().filter(|image| image.comparison.is_none());
    let lone = without.flat_map(|image| &image.differences).chain(&verdict.actions);
    inside.chain(lone.flat_map(|difference| &difference.findings))
}

fn fill(image: &ImageVerdict) -> Fill {
    if image.identical() { Fill::Same } else { Fill::Different }
}

fn glance(at: usize, image: &ImageVerdict) -> Glance {
    let made = |layer: &MadeLayer| Part { fill: fill(image), size: Some(layer.size), title: title(layer) };
    let parts = match &image.comparison {
        Some(comparison) => comparison.layers.iter().map(part).collect(),
        None => image.layers.iter().map(made).collect(),
    };
    Glance {
        anchor: format!("image-{}", at + 1),
        name: image.name.clone(),
        platform: image.platform.clone().unwrap_or_else(|| "index".to_owned()),
        fill: fill(image),
        parts,
    }
}

fn title(layer: &MadeLayer) -> String {
    layer.made_by.as_deref().map_or_else(|| "layer".to_owned(), |text| step_of(text).to_owned())
}

/// The actions whose results differ: the first is the cause.
fn actions(markup: &mut Markup, verdict: &Verdict) {
    let Some((first, others)) = verdict.actions.split_first() else { return };
    markup.raw("<section id=\"actions\" aria-labelledby=\"actions-title\"><h2 id=\"actions-title\">");
    markup.raw("The first action whose result differs</h2>");
    difference(markup, first);
    if !others.is_empty() {
        let many = count(others.len(), "more action");
        markup.raw("<details class=\"others\"><summary>").text(&format!("{many}, which may follow from it"));
        markup.raw("</summary>");
        others.iter().take(ACTIONS).for_each(|one| difference(markup, one));
        if others.len() > ACTIONS {
            let left = others.len() - ACTIONS;
            markup.element("p", "cut", &format!("… and {left} more: `--format json` has them all."));
        }
        markup.raw("</details>");
    }
    markup.raw("</section>\n");
}

fn difference(markup: &mut Markup, one: &Difference) {
    markup.raw("<div class=\"difference\"><p class=\"what\">");
    super::finding::code(markup, one.what.trim_start_matches(", "));
    markup.raw("</p><dl class=\"digests\">");
    if let Some(key) = one.key {
        markup.fact("action", &key.to_string());
    }
    for (name, digest) in [("expected", one.expected), ("found", one.found)] {
        if let Some(digest) = digest {
            markup.fact(name, &digest.to_string());
        }
    }
    if let Some(path) = &one.path {
        markup.fact("first at", &format!("/{path}"));
    }
    markup.raw("</dl>");
    for note in &one.notes {
        markup.raw("<p class=\"note\">");
        super::finding::code(markup, note);
        markup.raw("</p>");
    }
    if !one.findings.is_empty() {
        let path = one.path.as_deref().unwrap_or("the result");
        findings(markup, &one.findings, path, SIDES);
    }
    markup.raw("</div>");
}

fn image(markup: &mut Markup, (at, open): (usize, bool), image: &ImageVerdict, room: &mut Room) {
    let fill = fill(image);
    let open = if open { " open" } else { "" };
    markup.raw(&format!("<details class=\"image {}\" id=\"image-{}\"{open}><summary>", fill.class(), at + 1));
    markup.raw("<h3>").element("span", "name", &image.name).raw(" ");
    markup.element("span", "platform", image.platform.as_deref().unwrap_or("index")).raw("</h3>");
    let layers: u64 = image.layers.iter().map(|layer| layer.size).sum();
    if layers > 0 {
        markup.element("span", "size", &size(layers));
    }
    markup.element("span", &format!("tag {}", fill.class()), fill.label()).raw("</summary>");
    let what = if image.platform.is_some() { "manifest" } else { "index" };
    markup.raw("<dl class=\"digests\">");
    match (image.expected, image.found) {
        (Some(expected), Some(found)) if expected == found => drop(markup.fact(what, &found.to_string())),
        (expected, found) => {
            for (side, digest) in [(SIDES.a, expected), (SIDES.b, found)] {
                let digest = digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
                markup.fact(&format!("{what}, {side}"), &digest);
            }
        }
    }
    if let Some(config) = image.config {
        markup.fact("configuration", &config.to_string());
    }
    markup.raw("</dl>");
    for one in &image.differences {
        difference(markup, one);
    }
    match &image.comparison {
        Some(comparison) => platform(markup, comparison, SIDES, room),
        None => layers_of(markup, image),
    }
    markup.raw("</details>");
}

fn layers_of(markup: &mut Markup, image: &ImageVerdict) {
    if image.layers.is_empty() {
        return;
    }
    markup.raw("<ol class=\"layers\">");
    for (at, layer) in image.layers.iter().enumerate() {
        markup.raw("<li><details class=\"layer ").raw(fill(image).class()).raw("\"><summary>");
        markup.element("span", "number", &(at + 1).to_string()).element("span", "step", &title(layer));
        markup.element("span", "size", &size(layer.size)).raw("</summary><dl class=\"digests\">");
        markup.fact("blob", &layer.digest.to_string()).fact("content", &layer.diff_id.0.to_string());
        markup.fact("packed by", layer.encoding).raw("</dl></details></li>");
    }
    markup.raw("</ol>");
}

/// What was varied around the rebuild, and what was not.
fn varied(markup: &mut Markup, circumstances: &Circumstances<'_>) {
    let lists = [("Varied", circumstances.varied), ("Not varied", circumstances.not_varied)];
    if lists.iter().all(|(_, list)| list.is_empty()) {
        return;
    }
    markup.raw("<section id=\"varied\" aria-labelledby=\"varied-title\"><h2 id=\"varied-title\">Circumstances</h2>");
    for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        markup.element("h3", "title", title).raw("<dl class=\"varied\">");
        for (name, value) in list {
            markup.raw("<div>").element("dt", "name", name).raw("<dd>");
            super::finding::code(markup, value);
            markup.raw("</dd></div>");
        }
        markup.raw("</dl>");
    }
    markup.raw("</section>\n");
}
