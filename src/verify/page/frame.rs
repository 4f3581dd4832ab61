//! The page around what it shows: the verdict first, what the run was last.

use super::amount::list;
use super::bar::{Fill, Part, bar, legend};
use super::finding::code;
use super::markup::Markup;

/// The style of every page.
const STYLE: &str = include_str!("page.css");

/// The answer, before everything else.
pub(super) struct Headline {
    /// The command: `remint verify`.
    pub(super) command: &'static str,
    /// What colour the answer has.
    pub(super) fill: Fill,
    /// The answer as one sentence.
    pub(super) sentence: String,
    /// What else there is to say of it, as a sentence.
    pub(super) lead: String,
    /// Names and values below it.
    pub(super) facts: Vec<(String, String)>,
}

/// One image for one platform in the picture of the whole.
pub(super) struct Glance {
    /// The part of the page that has it.
    pub(super) anchor: String,
    pub(super) name: String,
    pub(super) platform: String,
    pub(super) fill: Fill,
    pub(super) parts: Vec<Part>,
}

/// A page: its head, the picture of the whole, and then what `body` adds. `run` is about the run and never about its result.
pub(super) fn page(
    headline: &Headline,
    glances: &[Glance],
    run: &[(String, String)],
    body: impl FnOnce(&mut Markup),
) -> String {
    let mut markup = Markup::default();
    markup.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    markup.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    markup.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    // Whatever stands in the page, a browser runs none of it and fetches nothing.
    markup.raw(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    markup.raw("<title>").text(&headline.sentence).raw(" · ").text(headline.command).raw("</title>\n<style>\n");
    markup.raw(STYLE).raw("</style>\n</head>\n<body>\n");
    // The hatching of what differs, so that it shows without colours too.
    markup.raw(concat!(
        "<svg class=\"patterns\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" width=\"6\" height=\"6\" ",
        "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"ground\" width=\"6\" height=\"6\"/>",
        "<rect class=\"stroke\" width=\"3\" height=\"6\"/></pattern></defs></svg>\n"
    ));
    markup.raw("<a class=\"skip\" href=\"#images\">Skip to the images</a>\n");
    head(&mut markup, headline);
    markup.raw("<main>\n");
    at_a_glance(&mut markup, glances);
    body(&mut markup);
    markup.raw("</main>\n<footer>");
    let run: Vec<String> = run.iter().map(|(name, value)| format!("{name} {value}")).collect();
    for part in run {
        markup.element("span", "run", &part).raw(" ");
    }
    markup.raw("</footer>\n</body>\n</html>\n");
    markup.finish()
}

fn head(markup: &mut Markup, headline: &Headline) {
    markup.raw("<header class=\"verdict ").raw(headline.fill.class()).raw("\"><div class=\"inner\">");
    markup.element("p", "command", headline.command);
    markup.raw("<h1>");
    let sign = match headline.fill {
        Fill::Same | Fill::Files => "M5 12.5l4.5 4.5L19 7.5",
        Fill::Different => "M6 9.5h12M6 14.5h12M15.5 5l-7 14",
    };
    markup.raw("<svg class=\"sign\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"").raw(sign).raw("\"/></svg>");
    markup.element("span", "sentence", &headline.sentence).raw("</h1>");
    if !headline.lead.is_empty() {
        markup.raw("<p class=\"lead\">");
        code(markup, &headline.lead);
        markup.raw("</p>");
    }
    if !headline.facts.is_empty() {
        markup.raw("<dl class=\"facts\">");
        for (name, value) in &headline.facts {
            markup.fact(name, value);
        }
        markup.raw("</dl>");
    }
    markup.raw("</div></header>\n");
}

fn at_a_glance(markup: &mut Markup, glances: &[Glance]) {
    if glances.is_empty() {
        return;
    }
    markup.raw("<section id=\"glance\" aria-labelledby=\"glance-title\"><h2 id=\"glance-title\">At a glance</h2>");
    markup.raw("<ul class=\"glance\">");
    for one in glances {
        markup.raw("<li><a href=\"#").raw(&one.anchor).raw("\">").element("span", "name", &one.name);
        if !one.platform.is_empty() {
            markup.raw(" ").element("span", "platform", &one.platform);
        }
        markup.raw("</a>");
        bar(markup, &one.parts);
        markup.element("span", &format!("tag {}", one.fill.class()), one.fill.label()).raw("</li>");
    }
    markup.raw("</ul>");
    let mut used: Vec<Fill> = glances.iter().flat_map(|one| one.parts.iter().map(|part| part.fill)).collect();
    used.sort();
    used.dedup();
    if used.len() > 1 {
        legend(markup, &used);
    }
    markup.raw("</section>\n");
}

/// A sentence of what there is how often: `a, b and c`.
pub(super) fn counted(counts: &[(usize, &str)]) -> String {
    let phrases: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| super::amount::count(*number, noun))
        .collect();
    list(&phrases)
}
