//! A verdict as Markdown, for the summary of a CI job.

use super::verdict::Verdict;
use std::fmt::Write as _;

/// Writes a verdict as Markdown: a heading, a table, and each difference as a block; `how` is one line on how it was made.
#[must_use]
pub fn summary(verdict: &Verdict, how: &str) -> String {
    let wrong = verdict.images.iter().filter(|image| !image.identical()).count();
    let total = verdict.images.len();
    let head = match (verdict.identical(), wrong) {
        (true, _) => format!("✅ remint verify: {total} of {total} identical"),
        (false, _) if verdict.unverified() == wrong && wrong > 0 => {
            format!("❌ remint verify: {wrong} of {total} could not be verified")
        }
        (false, 0) => "❌ remint verify: results of actions differ".to_owned(),
        (false, _) => format!("❌ remint verify: {wrong} of {total} not identical"),
    };
    let mut text = format!("## {head}\n\n{}\n\n", escape(how));
    text.push_str("| image | platform | result | digest |\n|---|---|---|---|\n");
    for image in &verdict.images {
        let platform = image.platform.as_deref().unwrap_or("index");
        let result = image.result();
        let result = if image.identical() { result.to_owned() } else { format!("**{result}**") };
        let digest = image.found.map_or_else(|| "none".to_owned(), |digest| format!("`{digest}`"));
        let _ = writeln!(text, "| {} | {} | {result} | {digest} |", escape(&image.name), escape(platform));
    }
    for image in verdict.images.iter().filter(|image| !image.identical()) {
        block(&mut text, &image.title(), &image.lines());
    }
    if let (Some(first), 0) = (verdict.actions.first(), wrong) {
        block(&mut text, "results of actions", &first.lines());
    }
    text.push('\n');
    text
}

/// A difference as a block of text, between more backticks than the text has in a row.
fn block(text: &mut String, title: &str, lines: &[String]) {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`').map(str::len)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = write!(text, "\n### {}\n\n{fence}text\n{}\n{fence}\n", escape(title), lines.join("\n"));
}

/// Keeps a text from being Markdown or HTML: what would end a cell of a table or begin a tag.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::verify::rebuild::{Difference, ImageVerdict};

    #[test]
    fn a_difference_is_a_block_that_nothing_breaks_out_of() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let image = |differences| ImageVerdict {
            name: "web".to_owned(),
            platform: Some("linux/amd64".to_owned()),
            expected: Some(a),
            found: Some(b),
            differences,
            ..ImageVerdict::default()
        };
        let good = Verdict { images: vec![image(Vec::new())], ..Verdict::default() };
        let text = summary(&good, "rebuilt with the seed 7");
        assert!(text.starts_with("## ✅ remint verify: 1 of 1 identical\n\nrebuilt with the seed 7\n\n"), "{text}");
        assert!(text.contains(&format!("| web | linux/amd64 | identical | `{b}` |\n")));
        let odd = Difference::of("layer 1, `copy ``` to /`", a, b);
        let text = summary(&Verdict { images: vec![image(vec![odd])], ..Verdict::default() }, "a|b <i>");
        assert!(text.contains("\n### web@linux/amd64\n\n````text\nlayer 1"), "{text}");
        assert!(text.contains("a\\|b &lt;i>") && text.contains("**differs**"));
    }
}
