//! Words as a shell takes them: what is printed to be pasted must mean the same there.

/// Quotes a word for a POSIX shell where it needs it (POSIX.1-2024, Shell Command Language, 2.2.2).
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn only_what_needs_quotes_has_them() {
        let words = ["build", "a b", "it's", "", "oci:x", "$HOME", "~"].map(quoted);
        assert_eq!(words, ["build", "'a b'", r"'it'\''s'", "''", "oci:x", "'$HOME'", "'~'"]);
    }
}
