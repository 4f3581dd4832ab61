//! Control data: stanzas of `Name: value` fields, read without copying (deb822(5)).

/// A field of a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name as written; names compare without regard to case.
    pub name: &'a str,
    /// Its value without the white space around it. Lines after the first still begin with their white space, and are divided by `\n`.
    pub value: &'a str,
    /// The line of its name, counted from 1.
    pub line: usize,
}

/// Why a text is no control data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct StanzaError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The most fields of one stanza; a real one has about 30.
const MOST_FIELDS: usize = 1000;

/// A step through control data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A field of the current stanza.
    Field(Field<'a>),
    /// The current stanza is complete; it ends at this byte.
    End(usize),
}

/// Steps through control data, a field at a time: the fast way, for indices of 50 MB.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    fields: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, fields: 0 }
    }

    /// The next field or end of a stanza; `None` at the end of the text.
    pub(super) fn step(&mut self) -> Result<Option<Token<'a>>, StanzaError> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                None if self.fields > 0 => {
                    self.fields = 0;
                    return Ok(Some(Token::End(self.at)));
                }
                None => return Ok(None),
                Some(b'\n') => {
                    let end = self.at;
                    self.at += 1;
                    self.line += 1;
                    if self.fields > 0 {
                        self.fields = 0;
                        return Ok(Some(Token::End(end)));
                    }
                }
                Some(_) => return self.field().map(|field| Some(Token::Field(field))),
            }
        }
    }

    /// Reads the field that begins here, with its continuation lines.
    fn field(&mut self) -> Result<Field<'a>, StanzaError> {
        let (bytes, line) = (self.text.as_bytes(), self.line);
        let fail = |why| Err(StanzaError { line, why });
        let start = self.at;
        let colon = bytes[start..].iter().position(|b| !is_name_byte(*b)).map(|length| start + length);
        let Some(colon) = colon.filter(|colon| *colon > start && bytes[*colon] == b':') else {
            return fail("expected `Name: value`");
        };
        if matches!(bytes[start], b'#' | b'-') {
            return fail("a field's name begins with neither `#` nor `-`");
        }
        self.fields += 1;
        if self.fields > MOST_FIELDS {
            return fail("a stanza has more than 1000 fields");
        }
        let mut end = colon + 1;
        loop {
            end = memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |length| end + length);
            self.line += 1;
            self.at = (end + 1).min(bytes.len());
            // A line that begins with white space continues the value.
            if !matches!(bytes.get(end + 1), Some(b' ' | b'\t')) {
                break;
            }
            end += 1;
        }
        Ok(Field { name: &self.text[start..colon], value: self.text[colon + 1..end].trim_ascii(), line })
    }
}

/// Whether a byte may stand in a field's name: printable ASCII without the space and the colon.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b':'
}

/// One stanza with its fields in the order written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza<'a> {
    fields: Vec<Field<'a>>,
}

impl<'a> Stanza<'a> {
    /// Parses a text that holds exactly one stanza.
    pub fn parse(text: &'a str) -> Result<Self, StanzaError> {
        let mut stanzas = Self::parse_all(text)?.into_iter();
        let stanza = stanzas.next().ok_or(StanzaError { line: 1, why: "there is no field" })?;
        match stanzas.next() {
            None => Ok(stanza),
            Some(second) => {
                Err(StanzaError { line: second.fields[0].line, why: "expected one stanza, found a second" })
            }
        }
    }

    /// Parses every stanza of a text.
    pub fn parse_all(text: &'a str) -> Result<Vec<Self>, StanzaError> {
        let mut scanner = Scanner::new(text);
        let (mut stanzas, mut fields) = (Vec::new(), Vec::<Field<'a>>::new());
        while let Some(token) = scanner.step()? {
            match token {
                Token::Field(field) => {
                    if fields.iter().any(|other| other.name.eq_ignore_ascii_case(field.name)) {
                        return Err(StanzaError { line: field.line, why: "a field stands twice in one stanza" });
                    }
                    fields.push(field);
                }
                Token::End(_) => stanzas.push(Self { fields: std::mem::take(&mut fields) }),
            }
        }
        Ok(stanzas)
    }

    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field<'a>> {
        self.fields.iter().copied().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.field(name).map(|field| field.value)
    }

    /// All fields in the order written.
    #[must_use]
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_and_stanzas_are_found() {
        let text = "\n\nPackage: a\nDescription: short\n long\n .\n\tmore\nEmpty:\n\n\nPackage: b";
        let stanzas = Stanza::parse_all(text).unwrap();
        assert_eq!(stanzas.len(), 2);
        assert_eq!(stanzas[0].get("package"), Some("a"));
        assert_eq!(stanzas[0].get("Description"), Some("short\n long\n .\n\tmore"));
        assert_eq!(stanzas[0].get("Empty"), Some(""));
        assert_eq!(stanzas[0].get("Missing"), None);
        assert_eq!(stanzas[1].field("Package"), Some(Field { name: "Package", value: "b", line: 11 }));
    }

    #[test]
    fn an_error_names_its_line() {
        for (text, line) in [
            ("A: 1\nno field\n", 2),
            ("A: 1\n: 2\n", 2),
            (" A: 1\n", 1),
            ("A: 1\na: 2\n", 2),
            ("A: 1\n\n#x: 2\n", 3),
            ("A: 1\n b\n-----BEGIN\n", 3),
            ("A b: 1\n", 1),
        ] {
            assert_eq!(Stanza::parse_all(text).map_err(|e| e.line), Err(line), "{text}");
        }
        assert!(Stanza::parse("").is_err());
        assert!(Stanza::parse("A: 1\n\nB: 2\n").is_err());
        let many: Vec<String> = (0..=MOST_FIELDS).map(|i| format!("F{i}: 1\n")).collect();
        assert!(Stanza::parse_all(&many.concat()).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(values in prop::collection::vec("[!-~]([ -~]{0,8}[!-~])?(\n [!-~]{1,4}){0,2}", 1..6)) {
            let lines: Vec<String> = values.iter().enumerate().map(|(i, v)| format!("F{i}: {v}\n")).collect();
            let text = lines.concat();
            let stanza = Stanza::parse(&text).unwrap();
            let read: Vec<&str> = stanza.fields().iter().map(|f| f.value).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn no_text_panics(text in "[A: \n\t#-]{0,40}") {
            let _ = Stanza::parse_all(&text);
        }
    }
}
