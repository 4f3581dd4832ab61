//! "Did you mean": the known word that is nearest to what was written.

/// The candidate that a person most probably meant, if one is near enough.
///
/// Case, `-` and `_` do not count, so that `ExposedPorts` and `exposed_ports` find `exposed-ports`; nor does an end that was
/// left off. Of two that are as near, the first is taken. Otherwise a third of the letters may differ (Damerau-Levenshtein).
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // The distance takes time and space by the product of the lengths, and nobody mistypes a page.
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let wanted = fold(word);
    candidates
        .into_iter()
        .take(512)
        .filter(|candidate| candidate.len() <= 64)
        .filter_map(|candidate| {
            let folded = fold(candidate);
            let distance = if wanted.len() >= 3 && folded.starts_with(&wanted) {
                usize::from(folded != wanted)
            } else {
                strsim::damerau_levenshtein(&wanted, &folded)
            };
            (distance <= wanted.len().max(folded.len()) / 3).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A list for a sentence: `a`, `b` or `c`.
pub(super) fn one_of<T: AsRef<str>>(words: &[T]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let glue = match index {
            0 => "",
            _ if index + 1 == words.len() => " or ",
            _ => ", ",
        };
        text.push_str(glue);
        text.push('`');
        text.push_str(word.as_ref());
        text.push('`');
    }
    text
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let keys = ["exposed-ports", "entrypoint", "env", "working-dir", "cmd"];
        for (word, meant) in [
            ("ExposedPorts", Some("exposed-ports")),
            ("expose", Some("exposed-ports")),
            ("workdir", Some("working-dir")),
            ("entry_point", Some("entrypoint")),
            ("evn", Some("env")),
            ("healthcheck", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), keys), None);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b"]), "`a` or `b`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
