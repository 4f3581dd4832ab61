//! A verdict as JUnit XML, which CI systems show: one case an image and platform.
//!
//! The form is the one that readers agree on: `testsuites`, `testsuite`, `testcase`, `failure`, `error`
//! (github.com/testmoapp/junitxml collects what tools read).

use super::verdict::Verdict;
use std::fmt::Write as _;
use std::time::Duration;

/// Writes a verdict as JUnit XML; `took` is how long the whole comparison took.
#[must_use]
pub fn junit(verdict: &Verdict, took: Duration) -> String {
    let errors = verdict.unverified();
    let failures = verdict.images.iter().filter(|image| !image.identical()).count() - errors;
    // A result that no image uses any more has a case of its own, so that no difference is without one.
    let lone = !verdict.actions.is_empty() && failures + errors == 0;
    let (tests, failures) = (verdict.images.len() + usize::from(lone), failures + usize::from(lone));
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    let seconds = format!("time=\"{}.{:03}\"", took.as_secs(), took.subsec_millis());
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(xml, "<testsuites name=\"remint\" {counts} {seconds}>");
    let _ = writeln!(xml, "  <testsuite name=\"remint verify\" {counts} skipped=\"0\" {seconds}>");
    for image in &verdict.images {
        let name = escape(image.platform.as_deref().unwrap_or("index"));
        let class = escape(&format!("remint.verify.{}", image.name));
        if image.identical() {
            let _ = writeln!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"/>");
            continue;
        }
        let what = &image.differences[0].what;
        let (element, message) = match image.result() {
            "not verified" => ("error", format!("{what} could not be verified")),
            "missing" => ("failure", format!("{what} is missing")),
            result => ("failure", format!("{what} {result}")),
        };
        case(&mut xml, (&class, &name), element, &message, &image.lines());
    }
    if lone {
        let lines: Vec<String> = verdict.actions.iter().flat_map(super::Difference::lines).collect();
        let message = format!("{} differs", verdict.actions[0].what);
        case(&mut xml, ("remint.verify", "results of actions"), "failure", &message, &lines);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, (class, name): (&str, &str), element: &str, message: &str, lines: &[String]) {
    let kind = if element == "error" { "not-verified" } else { "difference" };
    let _ = writeln!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\">");
    let _ = writeln!(xml, "      <{element} message=\"{}\" type=\"{kind}\">", escape(message));
    let _ = writeln!(xml, "{}", escape(&lines.join("\n")));
    let _ = writeln!(xml, "      </{element}>\n    </testcase>");
}

/// Escapes a text for XML 1.0; what no XML document may hold is replaced (XML 1.0, 2.2, "Characters").
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::verify::rebuild::{Difference, ImageVerdict};

    #[test]
    fn texts_are_escaped_and_cases_counted() {
        let image = |platform: &str, differences| ImageVerdict {
            name: "web".to_owned(),
            platform: Some(platform.to_owned()),
            expected: Some(Digest::of(b"a")),
            found: Some(Digest::of(b"b")),
            differences,
            ..ImageVerdict::default()
        };
        let wrong = Difference::note("layer 1, `copy a&b to \"<x>\"`", "bell \u{7}");
        let images = vec![image("linux/amd64", Vec::new()), image("linux/arm64", vec![wrong])];
        let xml = junit(&Verdict { images, ..Verdict::default() }, Duration::from_millis(1500));
        assert!(xml.contains(
            "<testsuite name=\"remint verify\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"1.500\">"
        ));
        assert!(xml.contains("<testcase classname=\"remint.verify.web\" name=\"linux/amd64\" time=\"0\"/>"));
        assert!(xml.contains("message=\"layer 1, `copy a&amp;b to &quot;&lt;x&gt;&quot;` differs\""));
        assert!(xml.contains("bell \u{fffd}"));
    }
}
