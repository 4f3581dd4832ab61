//! HTML text under construction: what is foreign is escaped, and what would be invisible is shown.

use std::fmt::Write as _;

/// A foreign text beyond this many characters is cut: no path that a system opens is as long.
const LONGEST: usize = 4096;

/// HTML under construction.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Adds markup of this room's own.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds foreign text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        escape(&mut self.0, text, true);
        self
    }

    /// Adds an element of one class that holds foreign text alone.
    pub(super) fn element(&mut self, tag: &str, class: &str, text: &str) -> &mut Self {
        let _ = write!(self.0, "<{tag} class=\"{class}\">");
        self.text(text);
        let _ = write!(self.0, "</{tag}>");
        self
    }

    /// Adds a row of a list of facts.
    pub(super) fn fact(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw("<div>").element("dt", "name", name).element("dd", "value", value).raw("</div>")
    }

    /// How many bytes there are by now.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The whole.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Foreign text for the value of an attribute between double quotes, where there is no markup.
pub(super) fn attribute(text: &str) -> String {
    let mut out = String::new();
    escape(&mut out, text, false);
    out
}

fn escape(out: &mut String, text: &str, markup: bool) {
    for (at, c) in text.chars().enumerate() {
        if at == LONGEST {
            out.push('…');
            return;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if unseen(c) => {
                let code = match c {
                    '\n' => "\\n".to_owned(),
                    '\r' => "\\r".to_owned(),
                    '\t' => "\\t".to_owned(),
                    c => format!("\\u{{{:x}}}", u32::from(c)),
                };
                let _ =
                    if markup { write!(out, "<span class=\"unseen\">{code}</span>") } else { write!(out, "{code}") };
            }
            c => out.push(c),
        }
    }
}

/// Whether a character is not seen where it stands, or changes how its neighbours are: controls, bidirectional overrides, and
/// what has no width (Unicode Technical Report 36, "Bidirectional Text Spoofing"; the property `Default_Ignorable_Code_Point`).
pub(super) fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text_and_what_is_unseen_is_shown() {
        let mut markup = Markup::default();
        markup.text("<b onclick='x'>&\"\u{202e}\u{7}\n é\u{200b}");
        let unseen = |code: &str| format!("<span class=\"unseen\">{code}</span>");
        let expected = format!(
            "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;{}{}{} é{}",
            unseen("\\u{202e}"),
            unseen("\\u{7}"),
            unseen("\\n"),
            unseen("\\u{200b}")
        );
        assert_eq!(markup.finish(), expected);
        assert_eq!(attribute("\"\u{202e}<"), "&quot;\\u{202e}&lt;");
        let mut long = Markup::default();
        long.text(&"x".repeat(10_000));
        assert_eq!(long.len(), LONGEST + '…'.len_utf8());
    }
}
