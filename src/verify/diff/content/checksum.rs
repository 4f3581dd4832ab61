//! Checksums in text, which follow from what they are the sums of.
//!
//! A hash by itself may be an id, so only what has one of these forms is a checksum: lines of `md5sum` and `sha256sum`, also as
//! BSD's write them; dpkg's lists of configuration files; Debian's `Release`, `.dsc` and `.changes`; a wheel's RECORD (PEP 376);
//! values under the name of an algorithm (`MD5sum: …`, `checksum = …`, `SHA-256-Digest: …`); and words with the algorithm in front
//! (`sha256:…`, also behind an image's name; `sha512-…`, go.sum's `h1:…`, apk's `Q1…`).

/// Names of values that are checksums, in small letters and without what may stand between their parts.
const NAMES: [&str; 20] = [
    "md5",
    "md5sum",
    "sha1",
    "sha1sum",
    "sha224",
    "sha224sum",
    "sha256",
    "sha256sum",
    "sha384",
    "sha384sum",
    "sha512",
    "sha512sum",
    "sha3256",
    "sha3512",
    "blake2b",
    "blake2b256",
    "blake3",
    "shasum",
    "checksum",
    "digest",
];

/// How many hexadecimal digits the sums have of 128, 160, 224, 256, 384 and 512 bits.
const HEX: [usize; 6] = [32, 40, 56, 64, 96, 128];

/// How many characters of base64 these have, without what fills them up.
const BASE64: [usize; 6] = [22, 27, 38, 43, 64, 86];

/// Whether two lines differ in nothing but the checksum of what both name, and its size.
pub(super) fn line(a: &str, b: &str) -> bool {
    match (Line::read(a), Line::read(b)) {
        (Some(a), Some(b)) => (a.form, a.name) == (b.form, b.name) && a.sum != b.sum && a.sum.len() == b.sum.len(),
        _ => false,
    }
}

/// Whether two words are checksums of one algorithm, which stands in front of them, and of one thing, where that does.
pub(super) fn word(a: &str, b: &str) -> bool {
    match (prefixed(a), prefixed(b)) {
        (Some((what_a, sum_a)), Some((what_b, sum_b))) => what_a == what_b && sum_a.len() == sum_b.len(),
        _ => false,
    }
}

/// A line that says what the sum of something is.
#[derive(Debug)]
struct Line<'a> {
    form: Form,
    name: &'a str,
    sum: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    /// `SUM  NAME`, or `SUM *NAME`.
    Coreutils,
    /// `ALGORITHM (NAME) = SUM`.
    Bsd,
    /// ` /NAME SUM`, of dpkg's status.
    Dpkg,
    /// ` SUM SIZE … NAME`, of Debian's lists.
    Debian,
    /// `NAME,ALGORITHM=SUM,SIZE`.
    Record,
    /// `ALGORITHM: SUM`.
    Value,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let line = line.trim_end();
        let forms = [Self::coreutils, Self::bsd, Self::indented, Self::record, Self::value];
        forms.into_iter().find_map(|form| form(line))
    }

    fn coreutils(line: &'a str) -> Option<Self> {
        let (sum, name) = line.trim_start_matches('\\').split_once(' ')?;
        let name = name.strip_prefix([' ', '*'])?;
        (is_hex(sum) && !name.is_empty()).then_some(Self { form: Form::Coreutils, name, sum })
    }

    fn bsd(line: &'a str) -> Option<Self> {
        let (name, sum) = line.split_once(" (")?.1.rsplit_once(") = ")?;
        (is_algorithm(line.split(' ').next()?) && is_hex(sum)).then_some(Self { form: Form::Bsd, name, sum })
    }

    fn indented(line: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.strip_prefix(' ')?.split_ascii_whitespace().take(6).collect();
        match words[..] {
            [name, sum] | [name, sum, "obsolete"] if name.starts_with('/') && is_hex(sum) => {
                Some(Self { form: Form::Dpkg, name, sum })
            }
            [sum, size, name] | [sum, size, _, _, name] if is_hex(sum) && is_number(size) => {
                Some(Self { form: Form::Debian, name, sum })
            }
            _ => None,
        }
    }

    fn record(line: &'a str) -> Option<Self> {
        let (rest, size) = line.rsplit_once(',')?;
        let (name, sum) = rest.rsplit_once(',')?;
        let (algorithm, sum) = sum.split_once('=')?;
        (is_algorithm(algorithm) && is_sum(sum) && is_number(size)).then_some(Self { form: Form::Record, name, sum })
    }

    fn value(line: &'a str) -> Option<Self> {
        let (name, sum) = line.split_once([':', '='])?;
        let bare = |text: &'a str| text.trim_matches([' ', '\t', '"', '\'', ',']);
        let (name, sum) = (bare(name), bare(sum).trim_end_matches('='));
        (is_algorithm(name) && is_sum(sum)).then_some(Self { form: Form::Value, name, sum })
    }
}

/// A word's checksum, and all that stands in front of it.
fn prefixed(word: &str) -> Option<(&str, &str)> {
    let start = word.rfind('@').map_or(0, |at| at + 1);
    let digest = &word[start..];
    let behind = |sum: &str| (&word[..word.len() - sum.len()], &word[word.len() - sum.len()..]);
    if let Some((_, sum)) = digest.rsplit_once(':').filter(|(algorithm, _)| is_algorithm(algorithm)) {
        return is_sum(sum).then(|| behind(sum));
    }
    let sum = ["sha512-", "sha384-", "sha256-", "sha1-", "h1:", "C:Q1", "Z:Q1"]
        .iter()
        .find_map(|it| digest.strip_prefix(it))?;
    is_base64(sum.trim_end_matches('=')).then(|| behind(sum))
}

/// Whether a name is that of an algorithm, or says that its value is a checksum; in a jar's manifest it has more words.
fn is_algorithm(name: &str) -> bool {
    if name.len() > 40 {
        return false;
    }
    let small: String = name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect();
    let small = small.split("digest").next().filter(|of| !of.is_empty()).unwrap_or(&small);
    NAMES.contains(&small)
}

fn is_sum(text: &str) -> bool {
    is_hex(text) || is_base64(text)
}

fn is_hex(text: &str) -> bool {
    HEX.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_base64(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    BASE64.contains(&text.len()) && text.bytes().all(digit)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "8f14e45fceea167a5a36dedd4bea2543";
    const TWO: &str = "c9f0f895fb98ab9159f51fd0297e236d";
    const ONE_64: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    const TWO_64: &str = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ";

    fn pair(text: &str) -> (String, String) {
        let with = |sum: &str, base64: &str| text.replace("B64", base64).replace("SUM", sum);
        (with(ONE, ONE_64), with(TWO, TWO_64))
    }

    #[test]
    fn sums_are_told_from_ids_by_their_form() {
        for (text, expected) in [
            ("SUM  usr/bin/x", true),
            ("SUM *usr/bin/x", true),
            ("SUM  README", true),
            ("SUM  -", true),
            (" /etc/x.conf SUM", true),
            (" /etc/x.conf SUM obsolete", true),
            (" SUM     1234 main/Packages.xz", true),
            (" SUM 1234 admin optional x_1.deb", true),
            ("MD5 (name with blanks) = SUM", true),
            ("MD5sum: SUM", true),
            ("x/a.py,sha256=B64,17", true),
            ("SHA-256-Digest: B64=", true),
            ("SHA-256-Digest-Manifest: B64=", true),
            ("checksum = \"SUM\"", true),
            ("  \"_shasum\": \"SUM\",", true),
            ("SUM", false),
            ("id SUM", false),
            ("org.example.revision=SUM", false),
            ("SUM refs/heads/main", false),
            ("SUM app.example.org", false),
            ("/var/lib/php/sess SUM", false),
            ("GET /x SUM", false),
            ("session SUM ends", false),
            ("md5_salt = SUM", false),
            ("digest_secret=SUM", false),
            ("hmac_sha256_key: SUM", false),
            ("natasha-token: SUM", false),
        ] {
            let (a, b) = pair(text);
            assert_eq!(line(&a, &b), expected, "{text}");
        }
    }

    #[test]
    fn a_size_beside_a_sum_follows_too() {
        let record = |sum, size| format!("x/a.py,sha256={sum},{size}");
        assert!(line(&record(ONE_64, 17), &record(TWO_64, 18)));
        assert!(!line(&record(ONE_64, 17), &record(ONE_64, 18)));
        assert!(!line(&format!("{ONE}  x"), &format!("{TWO}  y")));
    }

    #[test]
    fn words_name_their_algorithm() {
        for (text, expected) in [
            ("md5:SUM", true),
            ("debian@md5:SUM", true),
            ("registry.example.org/my-app:1.2-slim@md5:SUM", true),
            ("sha256-B64", true),
            ("h1:B64", true),
            ("SHA-256:B64", true),
            ("sha3-256:B64", true),
            ("C:Q1B64", true),
            ("token:SUM", false),
            ("root@SUM", false),
            ("SUM", false),
        ] {
            let (a, b) = pair(text);
            assert_eq!(word(&a, &b), expected, "{text}");
        }
        assert!(!word(&format!("a@md5:{ONE}"), &format!("b@md5:{TWO}")));
    }
}
