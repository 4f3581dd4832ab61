//! Shows findings as compilers do: the line, what was expected below it, and a hint.

use super::{Finding, Findings};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Renders all findings as text for a terminal or a log, ending in a newline; nothing is printed.
#[must_use]
pub fn render(findings: &Findings, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for finding in findings.all() {
        text.push_str(&renderer.render(&[group(finding)]));
        text.push_str("\n\n");
    }
    if findings.dropped() > 0 {
        let more = Level::NOTE.primary_title(format!("{} more findings are not shown", findings.dropped()));
        text.push_str(&renderer.render(&[Group::with_title(more)]));
        text.push('\n');
    } else {
        text.pop();
    }
    text
}

/// One finding as annotate-snippets wants it.
fn group(finding: &Finding) -> Group<'_> {
    let mut here = AnnotationKind::Primary.span(finding.span.clone());
    if let Some(expected) = &finding.expected {
        here = here.label(format!("expected {expected}"));
    }
    let mut snippet = Snippet::source(&*finding.source).path(&*finding.file).annotation(here);
    if let Some((span, label)) = &finding.related {
        snippet = snippet.annotation(AnnotationKind::Context.span(span.clone()).label(label.as_str()));
    }
    let mut group = Group::with_title(Level::ERROR.primary_title(finding.message.as_str())).element(snippet);
    if let Some(hint) = &finding.hint {
        group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
    }
    group
}
