//! Package URLs (package-url/purl-spec, `purl-specification.md`; types `deb` and `oci` of `purl-types`).

use crate::digest::Digest;
use std::fmt::Write as _;

/// `pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13`.
pub(super) fn deb(namespace: &str, name: &str, version: &str, arch: &str, distro: Option<&str>) -> String {
    let mut purl = format!("pkg:deb/{}/{}@{}", encode(namespace), encode(name), encode(version));
    // Qualifiers stand in the order of their names, and one without a value is left out.
    let mut before = '?';
    for (key, value) in [("arch", Some(arch)), ("distro", distro)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = write!(purl, "{before}{key}={}", encode(value));
            before = '&';
        }
    }
    purl
}

/// `pkg:oci/web@sha256:…?arch=amd64`.
pub(super) fn oci(name: &str, digest: &Digest, arch: &str) -> String {
    format!("pkg:oci/{}@{}?arch={}", encode(name), encode(&digest.to_string()), encode(arch))
}

/// Writes everything but letters, digits, `.`, `-`, `_` and `~` in hex, upper case. The colon stands for itself.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_is_written_in_hex() {
        assert_eq!(
            deb("debian", "libstdc++6", "1:14.2.0-19+b1~x", "amd64", Some("debian-13")),
            "pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19%2Bb1~x?arch=amd64&distro=debian-13"
        );
        assert_eq!(deb("debian", "a", "1", "", None), "pkg:deb/debian/a@1");
        let digest = Digest::of(b"");
        assert_eq!(oci("web", &digest, "amd64"), format!("pkg:oci/web@{digest}?arch=amd64"));
    }
}
