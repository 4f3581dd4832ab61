//! Findings as lines of text, for screens, summaries and reports.

use super::model::{Excerpt, Field, Finding};

impl Field {
    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Type => "type",
            Self::Content => "content",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Mtime => "mtime",
            Self::Xattrs => "extended attributes",
            Self::Link => "link",
            Self::Device => "device",
            Self::Value => "value",
            Self::Tar => "tar",
        }
    }
}

impl Finding {
    /// What, where, why, and both values, as one line: `content, gzip, byte 6: embedded timestamp`.
    #[must_use]
    pub fn line(&self) -> String {
        let mut head: Vec<String> = Vec::new();
        if self.field != Field::Presence {
            head.push(self.field.label().to_owned());
        }
        head.extend(self.within.iter().map(|part| plain(part)));
        if let Some(at) = self.offset {
            head.push(format!("byte {at}"));
        }
        let mut line = head.join(", ");
        // A field whose name is its class needs no class.
        if line != self.class.label() && !(self.field == Field::Mtime && line == "mtime") {
            let between = if line.is_empty() { "" } else { ": " };
            line = format!("{line}{between}{}", self.class.label());
        }
        if self.excerpt.is_none()
            && let Some(sides) = self.sides()
        {
            line.push_str("  ");
            line.push_str(&sides);
        }
        if let Some(note) = &self.note {
            line.push_str(&format!("  ({})", plain(note)));
        }
        line
    }

    /// What both sides have: `a → b`.
    #[must_use]
    pub fn sides(&self) -> Option<String> {
        Some(format!("{} → {}", plain(self.a.as_ref()?), plain(self.b.as_ref()?)))
    }

    /// The differing place: a unified diff, or two hex dumps, the first's lines behind `-`, the second's behind `+`.
    #[must_use]
    pub fn excerpt_lines(&self) -> Vec<String> {
        match &self.excerpt {
            None => vec![],
            Some(Excerpt::Text(lines)) => lines.iter().map(|line| plain(line)).collect(),
            Some(Excerpt::Hex { a, b }) => {
                let side =
                    |mark: char, lines: &[String]| lines.iter().map(move |line| format!("{mark}{line}")).collect();
                let (a, b): (Vec<String>, Vec<String>) = (side('-', a), side('+', b));
                [a, b].concat()
            }
        }
    }
}

/// What made a layer, without what builders put around it.
#[must_use]
pub fn step_of(created_by: &str) -> &str {
    let text = created_by.trim();
    let text = text.strip_prefix("remint: ").unwrap_or(text);
    // BuildKit's form, then that of the builders before it.
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    let text = text.strip_prefix("RUN ").unwrap_or(text);
    let text = text.strip_prefix("/bin/sh -c ").unwrap_or(text).trim();
    text.strip_prefix("#(nop)").unwrap_or(text).trim()
}

/// Text without control characters and without those that change the direction of what follows, which could change what a terminal
/// shows.
#[must_use]
pub fn plain(text: &str) -> String {
    text.replace(
        |c: char| {
            c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        },
        "\u{fffd}",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::diff::class::Class;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding { offset: Some(6), ..Finding::new(Field::Content, Class::Timestamp) };
        let finding = finding.within(&["gzip".to_owned()]).values("1\u{1b}[2J", "2\u{202e}");
        assert_eq!(finding.line(), "content, gzip, byte 6: embedded timestamp  1\u{fffd}[2J → 2\u{fffd}");
        assert_eq!(Finding::new(Field::Mode, Class::Mode).values("0644", "0600").line(), "mode  0644 → 0600");
        assert_eq!(Finding::new(Field::Presence, Class::Missing).line(), "missing");
    }
}
