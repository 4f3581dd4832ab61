//! Numbers as people read them.

/// A number of bytes in decimal units with three digits at most: `999 B`, `1.2 kB`, `45 MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (u128::from(bytes) / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths / 1000, unit + 1);
    }
    let whole = tenths / 10;
    if whole < 10 { format!("{whole}.{} {}", tenths % 10, UNITS[unit]) } else { format!("{whole} {}", UNITS[unit]) }
}

/// A count with its noun: `1 path`, `12 paths`, `2 values of the index`.
pub(super) fn count(number: usize, noun: &str) -> String {
    match noun.split_once(" of ") {
        Some((noun, rest)) => format!("{} of {rest}", count(number, noun)),
        None => format!("{number} {noun}{}", if number == 1 { "" } else { "s" }),
    }
}

/// Phrases as a list in a sentence: `a, b and c`.
pub(super) fn list(phrases: &[String]) -> String {
    match phrases {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let sizes = [0, 999, 1000, 1234, 12_345, 999_999, 1_000_000, 1_500_000_000, u64::MAX].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "1.2 kB", "12 kB", "999 kB", "1.0 MB", "1.5 GB", "18 EB"]);
        assert_eq!(count(1, "value of the index") + &count(2, "more path"), "1 value of the index2 more paths");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
