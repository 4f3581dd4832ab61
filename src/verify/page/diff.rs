//! The page of a comparison of two images.

use super::bar::Fill;
use super::excerpt::Sides;
use super::finding::{causes, findings};
use super::frame::{Glance, Headline, counted, page};
use super::markup::Markup;
use super::tree::{Room, part, platform, verdict_fill};
use crate::verify::diff::{Class, Comparison, PlatformComparison, Presence, Verdict};

const SIDES: Sides = Sides { a: "a", b: "b" };

/// Writes a comparison as an HTML page; `run` is about the run, names and values.
#[must_use]
pub fn comparison_page(comparison: &Comparison, run: &[(String, String)]) -> String {
    let side = |name: &str, side: &crate::verify::diff::Side| {
        let digest = side.digest.map_or(String::new(), |digest| format!(" {digest}"));
        (name.to_owned(), format!("{}{digest}", side.name))
    };
    let headline = Headline {
        command: "remint diff",
        fill: verdict_fill(comparison.verdict),
        sentence: sentence(comparison),
        lead: lead(comparison),
        facts: vec![side("a", &comparison.a), side("b", &comparison.b)],
    };
    let glances: Vec<Glance> = comparison.platforms.iter().enumerate().map(|(at, one)| glance(at, one)).collect();
    page(&headline, &glances, run, |markup| {
        causes(markup, &comparison.causes);
        markup.raw("<section id=\"images\" aria-labelledby=\"images-title\"><h2 id=\"images-title\">The images</h2>");
        if !comparison.index.is_empty() {
            markup.raw("<div class=\"document\">").element("h4", "title", "Index");
            findings(markup, &comparison.index, "the index", SIDES);
            markup.raw("</div>");
        }
        let mut room = Room::of_a_page();
        for (at, one) in comparison.platforms.iter().enumerate() {
            image(markup, at, one, &mut room);
        }
        markup.raw("</section>\n");
    })
}

fn sentence(comparison: &Comparison) -> String {
    match comparison.verdict {
        Verdict::Identical => "The images are identical".to_owned(),
        Verdict::SameFiles if comparison.only_index() => "The images are the same".to_owned(),
        Verdict::SameFiles => "The images have the same files".to_owned(),
        Verdict::Different => {
            let sum =
                |count: &dyn Fn(&PlatformComparison) -> usize| comparison.platforms.iter().map(count).sum::<usize>();
            let counts = [
                (sum(&|one| one.files.len()), "path"),
                (sum(&|one| one.config.len()), "value of the configuration"),
                (comparison.index.len() + sum(&|one| one.manifest.len()), "value of the documents"),
                (comparison.platforms.iter().filter(|one| one.presence != Presence::Both).count(), "platform"),
            ];
            format!("The images differ in {}", counted(&counts))
        }
    }
}

fn lead(comparison: &Comparison) -> String {
    match comparison.verdict {
        Verdict::Identical => "The same digests, from the index to the last layer.".to_owned(),
        Verdict::SameFiles if comparison.only_index() => "Only the index that names them differs.".to_owned(),
        Verdict::SameFiles => "Only how they are cut into layers, packed or written down differs.".to_owned(),
        Verdict::Different => {
            // That something is missing is no reason for it.
            let telling = |class| !matches!(class, Class::Missing | Class::Additional | Class::Content);
            let all: Vec<&str> =
                comparison.causes.iter().filter(|cause| telling(cause.class)).map(|cause| cause.label).collect();
            match &all[..] {
                [] => String::new(),
                [first @ .., last] if all.len() <= 4 => {
                    format!("Causes: {}{}{last}.", first.join(", "), if first.is_empty() { "" } else { " and " })
                }
                _ => format!("Causes: {} and {} more.", all[..3].join(", "), all.len() - 3),
            }
        }
    }
}

fn glance(at: usize, one: &PlatformComparison) -> Glance {
    Glance {
        anchor: format!("image-{}", at + 1),
        name: one.platform.clone(),
        platform: String::new(),
        fill: verdict_fill(one.verdict),
        parts: one.layers.iter().map(part).collect(),
    }
}

fn image(markup: &mut Markup, at: usize, one: &PlatformComparison, room: &mut Room) {
    let fill = verdict_fill(one.verdict);
    let open = if fill == Fill::Same && at > 0 { "" } else { " open" };
    markup.raw(&format!("<details class=\"image {}\" id=\"image-{}\"{open}><summary>", fill.class(), at + 1));
    markup.element("h3", "name", &one.platform);
    let said = match one.presence {
        Presence::Both => fill.label(),
        Presence::OnlyA => "only in a",
        Presence::OnlyB => "only in b",
    };
    markup.element("span", &format!("tag {}", fill.class()), said).raw("</summary>");
    if one.paths != (0, 0) {
        markup.element("p", "note", &format!("{} paths in a, {} in b", one.paths.0, one.paths.1));
    }
    platform(markup, one, SIDES, room);
    markup.raw("</details>");
}
