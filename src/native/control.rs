//! Debian's control syntax, as much as a package's own `control` file and dpkg's status need (deb-control(5), deb822(5)).

/// One stanza: fields in the order written, values with their continuation lines and without the line end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stanza(pub(super) Vec<(String, String)>);

impl Stanza {
    /// Parses one stanza; lines that are no field and no continuation end with a sentence about them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.starts_with([' ', '\t']) {
                let Some((_, value)) = fields.last_mut() else { return Err(format!("`{line}` continues no field")) };
                value.push('\n');
                value.push_str(line);
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.to_owned(), value.trim_start().to_owned()));
            } else if !line.trim().is_empty() && !line.starts_with('#') {
                return Err(format!("`{line}` is not a field"));
            }
        }
        // White space at the end of a line stays, as dpkg has it, but not at the end of the value.
        fields.iter_mut().for_each(|(_, value)| value.truncate(value.trim_end().len()));
        Ok(Self(fields))
    }

    /// A field's value; names differ not by case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The stanzas of a file, as raw texts without the empty lines between them.
pub(super) fn stanzas(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(|stanza| stanza.trim_matches('\n')).filter(|stanza| !stanza.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_lines() {
        let stanza = Stanza::parse("Package: a\nDescription: b\n c\n .\nVersion:1\n").unwrap();
        assert_eq!(stanza.get("description"), Some("b\n c\n ."));
        assert_eq!(stanza.get("Version"), Some("1"));
        assert!(Stanza::parse(" x").is_err() && Stanza::parse("x").is_err());
    }

    #[test]
    fn a_file_falls_into_stanzas() {
        assert_eq!(stanzas("a\nb\n\n\nc\n").collect::<Vec<_>>(), ["a\nb", "c"]);
    }
}
