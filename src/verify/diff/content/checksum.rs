//! Checksums in text, which follow from what they are the sums of.
//!
//! Known are the forms of `md5sum` and `sha256sum` (a sum and a name), of dpkg's `md5sums` and `status` (a name and a sum), of a
//! wheel's RECORD (PEP 376: `name,sha256=…,size`), of a jar's manifest (`SHA-256-Digest: …`), of Debian's lists (`SHA256: …`; a
//! sum, a size and a name), and digests with their algorithm in front (`sha256:…`, `sha512-…`).

/// Names of algorithms, and what a name of a value that is a sum contains.
const NAMES: [&str; 10] = ["md5", "sha1", "sha2", "sha3", "sha5", "sha-", "blake2", "blake3", "checksum", "digest"];

/// How many hexadecimal digits the sums have of 128, 160, 224, 256, 384 and 512 bits.
const HEX: [usize; 6] = [32, 40, 56, 64, 96, 128];

/// How many characters of base64 these have, without what fills them up.
const BASE64: [usize; 6] = [22, 27, 38, 43, 64, 86];

/// Whether all that differs between the words of two lines, as many in one as in the other, are checksums, and sizes beside them.
pub(super) fn only(a: &[&str], b: &[&str]) -> bool {
    let differing: Vec<usize> = (0..a.len()).filter(|&at| a[at] != b[at]).collect();
    let sums: Vec<usize> =
        differing.iter().copied().filter(|&at| is_sum(a, at) && is_sum(b, at) && a[at].len() == b[at].len()).collect();
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let size =
        |at: usize| number(a[at]) && number(b[at]) && at.checked_sub(1).is_some_and(|before| sums.contains(&before));
    !sums.is_empty() && differing.iter().all(|at| sums.contains(at) || size(*at))
}

/// Whether a word of a line is a checksum.
fn is_sum(words: &[&str], at: usize) -> bool {
    let word = words[at];
    if let Some((_, sum)) = word.split_once([':', '-']).filter(|(algorithm, _)| names_sum(algorithm)) {
        return is_hex(sum) || is_base64(sum);
    }
    let key = at.checked_sub(1).map(|before| words[before]).unwrap_or_default();
    // `SHA256 (name) = …` has the name between.
    if names_sum(key) || at == 2 && words.len() == 3 && names_sum(words[0]) {
        return is_hex(word) || is_base64(word);
    }
    let named = |at: usize| words[at].contains(['/', '.']);
    let beside = match (words.len(), at) {
        (2, 0) => named(1),
        (2, 1) => words[0].starts_with('/'),
        (3, 0) => named(2),
        (3, 1) => words[0].starts_with('/') && words[2] == "obsolete",
        _ => false,
    };
    is_hex(word) && beside
}

/// Whether a word says that a checksum follows.
fn names_sum(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    NAMES.iter().any(|name| word.contains(name)) && word.len() <= 24
}

fn is_hex(word: &str) -> bool {
    HEX.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_base64(word: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    BASE64.contains(&word.len()) && word.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "8f14e45fceea167a5a36dedd4bea2543";
    const TWO: &str = "c9f0f895fb98ab9159f51fd0297e236d";
    const ONE_64: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    const TWO_64: &str = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ";

    #[test]
    fn sums_are_told_from_ids_by_what_stands_beside_them() {
        for (line, expected) in [
            ("SUM usr/bin/x", true),
            ("/etc/x.conf SUM", true),
            ("/etc/x.conf SUM obsolete", true),
            ("SUM 1234 main/Packages.xz", true),
            ("MD5 name SUM", true),
            ("MD5sum: SUM", true),
            ("md5:SUM", true),
            ("x/a.py sha256 B64 17", true),
            ("SHA-256-Digest: B64", true),
            ("sha256-B64", true),
            ("SUM", false),
            ("id SUM", false),
            ("org.example.revision SUM", false),
            ("GET /x SUM", false),
            ("session SUM ends", false),
            ("shark SUM", false),
        ] {
            let with = |sum: &str, base64: &str| line.replace("B64", base64).replace("SUM", sum);
            let (a, b) = (with(ONE, ONE_64), with(TWO, TWO_64));
            let (a, b): (Vec<&str>, Vec<&str>) = (a.split(' ').collect(), b.split(' ').collect());
            assert_eq!(a != b && only(&a, &b), expected, "{line}");
        }
    }

    #[test]
    fn a_size_beside_a_sum_follows_too() {
        let record = |sum, size| vec!["x/a.py", "sha256", sum, size];
        assert!(only(&record(ONE_64, "17"), &record(TWO_64, "18")));
        assert!(!only(&record(ONE_64, "17"), &record(ONE_64, "18")));
        assert!(!only(&[ONE, "usr/bin/x"], &[TWO, "usr/bin/y"]));
    }
}
