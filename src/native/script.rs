//! The commands that stand in a shell script, without running it.
//!
//! Maintainer scripts call a few tools with constant words (`update-alternatives --install …`, `deb-systemd-helper enable …`);
//! to know these calls it is enough to cut the script into words as a shell does (POSIX, "Shell Command Language", 2.2–2.10). What
//! only a running shell could know (`$(…)`, parameters) stays in the word as it was written, so that the reader sees that it is not
//! constant.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::str::Chars;

/// A script's commands in the order written, whatever branch they are in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// Each command's words; constant assignments are put in for the variables.
    pub(super) commands: Vec<Vec<String>>,
    /// The names of the functions that it defines.
    pub(super) functions: BTreeSet<String>,
}

/// The words that order commands and are none (POSIX, 2.4).
const RESERVED: [&str; 14] =
    ["if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}", "esac", "case"];

impl Script {
    /// Cuts a script into commands.
    pub(super) fn parse(text: &str) -> Self {
        let mut cutter = Cutter {
            chars: text.chars().peekable(),
            script: Self::default(),
            words: Vec::new(),
            variables: BTreeMap::new(),
            cases: Vec::new(),
            documents: Vec::new(),
        };
        cutter.run();
        cutter.script
    }

    /// The calls of a program, by its name without directories; the name itself is left out.
    pub(super) fn calls<'s>(&'s self, program: &'s str) -> impl Iterator<Item = &'s [String]> + 's {
        self.commands.iter().filter(move |words| words[0].rsplit('/').next() == Some(program)).map(|words| &words[1..])
    }
}

/// Whether a word is what the program will see: nothing in it is left to a running shell.
pub(super) fn constant(word: &str) -> bool {
    !word.contains(['$', '`'])
}

struct Cutter<'t> {
    chars: Peekable<Chars<'t>>,
    script: Script,
    words: Vec<String>,
    variables: BTreeMap<String, String>,
    /// For each open `case`, whether a pattern comes next.
    cases: Vec<bool>,
    /// The ends of here-documents that begin at the next line: the delimiter, and whether tabs before it do not count.
    documents: Vec<(String, bool)>,
}

impl Cutter<'_> {
    fn run(&mut self) {
        while let Some(c) = self.chars.peek().copied() {
            if self.cases.last() == Some(&true) && !c.is_whitespace() && c != '#' {
                self.pattern();
                continue;
            }
            match c {
                '\n' => {
                    self.chars.next();
                    self.end();
                    self.skip_documents();
                }
                ' ' | '\t' => drop(self.chars.next()),
                '#' => while self.chars.next_if(|c| *c != '\n').is_some() {},
                ';' => {
                    self.chars.next();
                    self.end();
                    if self.chars.next_if_eq(&';').is_some() {
                        if let Some(pattern) = self.cases.last_mut() {
                            *pattern = true;
                        }
                    }
                }
                '&' | '|' | ')' => {
                    self.chars.next();
                    self.end();
                }
                '(' => {
                    self.chars.next();
                    if self.words.len() == 1 && self.chars.next_if_eq(&')').is_some() {
                        let name = self.words.remove(0);
                        self.script.functions.insert(name);
                    }
                    self.end();
                }
                '<' | '>' => self.redirection(),
                '\\' if self.continues() => {}
                _ => self.next_word(),
            }
        }
        self.end();
    }

    /// Takes a backslash at the end of a line, which joins it to the next.
    fn continues(&mut self) -> bool {
        let mut ahead = self.chars.clone();
        let joined = ahead.next() == Some('\\') && ahead.next() == Some('\n');
        if joined {
            self.chars = ahead;
        }
        joined
    }

    /// Takes one word and sees whether it changes what comes next.
    fn next_word(&mut self) {
        let word = self.word();
        if self.words.is_empty() {
            if word == "esac" {
                self.cases.pop();
                return;
            }
            if RESERVED.contains(&word.as_str()) && word != "case" {
                return;
            }
            if let Some((name, value)) = word.split_once('=') {
                if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    if constant(value) {
                        self.variables.insert(name.to_owned(), value.to_owned());
                    } else {
                        self.variables.remove(name);
                    }
                    return;
                }
            }
        }
        if word == "in" && self.words.first().is_some_and(|first| first == "case") {
            self.cases.push(true);
            self.words.clear();
            return;
        }
        // A redirection of a numbered descriptor: `2>/dev/null`.
        let number = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        if number && matches!(self.chars.peek(), Some('<' | '>')) {
            return;
        }
        self.words.push(word);
    }

    /// Skips a `case` pattern up to its parenthesis; `esac` ends the `case`.
    fn pattern(&mut self) {
        let mut text = String::new();
        while let Some(c) = self.chars.next() {
            if c == ')' {
                break;
            }
            text.push(c);
            if text.trim_start() == "esac" && self.chars.peek().is_none_or(|c| !c.is_alphanumeric()) {
                self.cases.pop();
                return;
            }
        }
        if let Some(pattern) = self.cases.last_mut() {
            *pattern = false;
        }
    }

    /// Skips `>file`, `2>&1`, `<<EOF` and what they name.
    fn redirection(&mut self) {
        let mut operator = String::new();
        while let Some(c) = self.chars.next_if(|c| matches!(c, '<' | '>' | '&' | '-')) {
            operator.push(c);
        }
        while self.chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let word = self.word();
        if operator.starts_with("<<") {
            self.documents.push((word, operator.ends_with('-')));
        }
    }

    fn skip_documents(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.documents) {
            while self.chars.peek().is_some() {
                let mut line = String::new();
                while let Some(c) = self.chars.next().filter(|c| *c != '\n') {
                    line.push(c);
                }
                let line = if tabs { line.trim_start_matches('\t') } else { &line };
                if line == end {
                    break;
                }
            }
        }
    }

    fn end(&mut self) {
        if !self.words.is_empty() {
            self.script.commands.push(std::mem::take(&mut self.words));
        }
    }

    /// One word with its quotes taken off and known variables put in.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.chars.peek().copied() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    self.chars.next();
                    while let Some(c) = self.chars.next().filter(|c| *c != '\'') {
                        word.push(c);
                    }
                }
                '"' => {
                    self.chars.next();
                    self.quoted(&mut word);
                }
                '\\' => {
                    self.chars.next();
                    word.extend(self.chars.next().filter(|c| *c != '\n'));
                }
                '$' => self.variable(&mut word),
                '`' => self.backquote(&mut word),
                _ => {
                    self.chars.next();
                    word.push(c);
                }
            }
        }
        word
    }

    /// The rest of a double-quoted text.
    fn quoted(&mut self, word: &mut String) {
        while let Some(c) = self.chars.peek().copied() {
            match c {
                '"' => {
                    self.chars.next();
                    return;
                }
                '\\' => {
                    self.chars.next();
                    word.extend(self.chars.next().filter(|c| *c != '\n'));
                }
                '$' => self.variable(word),
                '`' => self.backquote(word),
                _ => {
                    self.chars.next();
                    word.push(c);
                }
            }
        }
    }

    fn backquote(&mut self, word: &mut String) {
        word.extend(self.chars.next());
        while let Some(c) = self.chars.next() {
            word.push(c);
            if c == '`' {
                return;
            }
        }
    }

    /// A `$` and what belongs to it: a known variable's value, or the text as it was written.
    fn variable(&mut self, word: &mut String) {
        self.chars.next();
        match self.chars.peek().copied() {
            Some(open @ ('(' | '{')) => {
                let close = if open == '(' { ')' } else { '}' };
                let mut text = String::new();
                let mut depth = 0_usize;
                for c in self.chars.by_ref() {
                    text.push(c);
                    depth += usize::from(c == open);
                    depth -= usize::from(c == close && depth > 0);
                    if depth == 0 {
                        break;
                    }
                }
                let name = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or_default();
                self.put(name, &text, word);
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = self.chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                self.put(&name.clone(), &name, word);
            }
            Some(c) if !c.is_whitespace() && c != '"' => {
                self.chars.next();
                word.push('$');
                word.push(c);
            }
            _ => word.push('$'),
        }
    }

    fn put(&self, name: &str, written: &str, word: &mut String) {
        match self.variables.get(name) {
            Some(value) => word.push_str(value),
            None if name == "DPKG_ROOT" => {}
            None => {
                word.push('$');
                word.push_str(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_a_shell_cuts_them() {
        let script = Script::parse(
            "#!/bin/sh\nset -e\nM=/usr/share/man\na \\\n  \"$M/x y\" '$z' $Q ${M}1 >/dev/null 2>&1 || b; c `d e` # f\n",
        );
        let expected: [&[&str]; 4] =
            [&["set", "-e"], &["a", "/usr/share/man/x y", "$z", "$Q", "/usr/share/man1"], &["b"], &["c", "`d e`"]];
        assert_eq!(script.commands, expected);
    }

    #[test]
    fn branches_functions_and_documents_are_passed_through() {
        let text = "f() {\n  g \"$1\"\n}\ncase \"$1\" in\n  (configure|a)\n  if [ -x h ] && i; then j; fi\n  ;;\n  *) exit 1;;\nesac\ncat <<-EOF > x\n\tk l\n\tEOF\nm && n\n";
        let script = Script::parse(text);
        let names: Vec<_> = script.commands.iter().map(|words| words[0].as_str()).collect();
        assert_eq!(names, ["g", "[", "i", "j", "exit", "cat", "m", "n"]);
        assert!(script.functions.contains("f"));
    }

    #[test]
    fn nothing_hangs_or_panics_on_broken_text() {
        for text in ["\"", "'", "`", "$", "${", "$(", "case x in", "a <<", "case x in y", "\\", "((", "x()"] {
            let _ = Script::parse(text);
        }
    }
}
