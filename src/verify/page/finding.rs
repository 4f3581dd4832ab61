//! A difference: what, where, why, and the place itself.

use super::excerpt::{Sides, excerpt};
use super::markup::Markup;
use crate::verify::diff::{Cause, Class, Field, Finding};

/// So many causes are open from the beginning, where there are many.
const FIRST: usize = 6;

/// Shows the findings about something called `name`.
pub(super) fn findings(markup: &mut Markup, all: &[Finding], name: &str, sides: Sides) {
    markup.raw("<ul class=\"findings\">");
    // Further causes of one place say nothing else, and stand beside the first.
    for group in all.chunk_by(same_place) {
        markup.raw("<li>");
        finding(markup, group, name, sides);
        markup.raw("</li>");
    }
    markup.raw("</ul>");
}

fn same_place(first: &Finding, next: &Finding) -> bool {
    let silent = next.a.is_none() && next.note.is_none() && next.excerpt.is_none();
    let place = |one: &Finding| (one.field, one.offset);
    silent && place(first) == place(next) && first.within == next.within && next.field == Field::Content
}

fn finding(markup: &mut Markup, group: &[Finding], name: &str, sides: Sides) {
    let one = &group[0];
    markup.raw("<p class=\"where\">");
    // The class of the others is their name.
    if matches!(one.field, Field::Content | Field::Device) {
        markup.element("span", "field", one.field.label()).raw(" ");
    }
    for part in &one.within {
        markup.element("code", "within", part).raw(" ");
    }
    if let Some(at) = one.offset {
        markup.element("span", "byte", &format!("byte {at}")).raw(" ");
    }
    for finding in group {
        class(markup, finding.class);
        markup.raw(" ");
    }
    markup.raw("</p>");
    if let (Some(a), Some(b), None) = (&one.a, &one.b, &one.excerpt) {
        markup.raw("<dl class=\"values\">");
        for (side, value, tag) in [(sides.a, a, "del"), (sides.b, b, "ins")] {
            markup.raw("<div>").element("dt", "side", side).raw("<dd>").element(tag, "value", value).raw("</dd></div>");
        }
        markup.raw("</dl>");
    }
    if let Some(note) = &one.note {
        markup.element("p", "note", note);
    }
    if let Some(place) = &one.excerpt {
        excerpt(markup, place, name, sides);
    }
}

/// Names a class and leads to its cure.
pub(super) fn class(markup: &mut Markup, class: Class) {
    markup.raw("<a class=\"cause\" href=\"#").raw(&anchor(class)).raw("\">").text(class.label()).raw("</a>");
}

/// Every cause with its cure, the most frequent first.
pub(super) fn causes(markup: &mut Markup, causes: &[Cause]) {
    if causes.is_empty() {
        return;
    }
    markup.raw("<section id=\"causes\" aria-labelledby=\"causes-title\"><h2 id=\"causes-title\">Causes and cures</h2>");
    let (first, others) = causes.split_at(if causes.len() > FIRST + 2 { FIRST } else { causes.len() });
    cures(markup, first);
    if !others.is_empty() {
        markup.raw("<details class=\"others\"><summary>");
        markup.text(&super::amount::count(others.len(), "more cause"));
        markup.raw("</summary>");
        cures(markup, others);
        markup.raw("</details>");
    }
    markup.raw("</section>");
}

fn cures(markup: &mut Markup, causes: &[Cause]) {
    markup.raw("<dl class=\"causes\">");
    for cause in causes {
        markup.raw("<div id=\"").raw(&anchor(cause.class)).raw("\"><dt>").text(cause.label).raw(" ");
        markup.element("span", "times", &format!("× {}", cause.count)).raw("</dt><dd>");
        code(markup, cause.cure);
        markup.raw("</dd></div>");
    }
    markup.raw("</dl>");
}

/// A text of ours in which what stands between backticks is code.
pub(super) fn code(markup: &mut Markup, text: &str) {
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            markup.element("code", "said", part)
        } else {
            markup.text(part)
        };
    }
}

fn anchor(class: Class) -> String {
    format!("cause-{}", class.label().replace(' ', "-").to_lowercase())
}
