//! Rust source as the tokens that paths are made of: comments, strings and characters are gone.

/// A word, `::`, or one character.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Reads a source text; whatever is not valid Rust gives some tokens, never a panic.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let begin = at;
        let mut text = String::new();
        match (chars[at], chars.get(at + 1).copied()) {
            ('/', Some('/')) => at += chars[at..].iter().take_while(|c| **c != '\n').count(),
            ('/', Some('*')) => at = comment(&chars, at),
            ('"', _) => at = string(&chars, at),
            ('\'', _) => at = character(&chars, at),
            ('r', Some('"' | '#')) | ('b' | 'c', Some('r')) if raw(&chars, at).is_some() => {
                at = raw(&chars, at).unwrap_or(chars.len());
            }
            ('b' | 'c', Some('"')) => at = string(&chars, at + 1),
            ('r', Some('#')) => at += 2,
            (':', Some(':')) => {
                text.push_str("::");
                at += 2;
            }
            (c, _) if c.is_alphanumeric() || c == '_' => {
                text = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                at += text.chars().count();
            }
            (c, _) => {
                if !c.is_whitespace() {
                    text.push(c);
                }
                at += 1;
            }
        }
        if !text.is_empty() {
            let line = 1 + chars[..begin].iter().filter(|c| **c == '\n').count();
            tokens.push(Token { line, text });
        }
    }
    tokens
}

/// Behind a block comment, which may hold others.
fn comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Behind a string.
fn string(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Behind a raw string, if one begins here.
fn raw(chars: &[char], mut at: usize) -> Option<usize> {
    at += if chars[at] == 'r' { 1 } else { 2 };
    let hashes = chars.get(at..)?.iter().take_while(|c| **c == '#').count();
    at += hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = chars[at + 1..].windows(end.len()).position(|window| window == end)?;
    Some(at + 1 + length + end.len())
}

/// Behind a character, or behind the quote of a lifetime.
fn character(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => at + 3 + chars[(at + 3).min(chars.len())..].iter().take_while(|c| **c != '\'').count() + 1,
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}
