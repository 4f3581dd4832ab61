//! How a registry asks for credentials: the header `WWW-Authenticate` (RFC 9110, section 11.6.1; RFC 6750, section 3).

use std::collections::BTreeSet;
use ureq::http::{HeaderMap, header};

/// The way in which a registry wants to know who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user and a password with each request.
    Basic,
    /// A token that another server gives.
    Bearer {
        /// Where tokens are had.
        realm: String,
        /// For whom they are.
        service: Option<String>,
        /// What this request needs: `repository:name:pull,push`.
        scopes: BTreeSet<String>,
    },
}

/// The best way among those of an answer: tokens before passwords.
pub(super) fn best(headers: &HeaderMap) -> Option<Challenge> {
    let texts = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let all: Vec<Challenge> = texts.flat_map(parse).collect();
    all.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. })).or(all.first()).cloned()
}

/// Every challenge of a header that is known here.
fn parse(text: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            break;
        }
        let after = after.trim_start_matches([' ', '\t']);
        match after.strip_prefix('=') {
            Some(value) => {
                let Some((value, left)) = value_of(value.trim_start_matches([' ', '\t'])) else { break };
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = left;
            }
            // A word without a value names the next way.
            None => {
                found.push((word.to_ascii_lowercase(), Vec::new()));
                rest = after;
            }
        }
    }
    found.into_iter().filter_map(|(scheme, parameters)| challenge(&scheme, parameters)).collect()
}

fn challenge(scheme: &str, parameters: Vec<(String, String)>) -> Option<Challenge> {
    if scheme == "basic" {
        return Some(Challenge::Basic);
    }
    if scheme != "bearer" {
        return None;
    }
    let (mut realm, mut service, mut scopes) = (None, None, BTreeSet::new());
    for (key, value) in parameters {
        match key.as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            "scope" => scopes.extend(value.split_ascii_whitespace().map(str::to_owned)),
            _ => {}
        }
    }
    Some(Challenge::Bearer { realm: realm?, service, scopes })
}

/// A token or a quoted string, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, &quoted[at + 1..])),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scopes: &[&str]) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    #[test]
    fn challenges_are_read_as_they_are_written() {
        let cases = [
            (
                r#"Bearer realm="https://a.example/token",service="registry",scope="repository:a/b:pull,push""#,
                vec![bearer("https://a.example/token", Some("registry"), &["repository:a/b:pull,push"])],
            ),
            (r#"bearer realm="r" , scope = "b a""#, vec![bearer("r", None, &["a", "b"])]),
            (
                r#"Basic realm="x, y", Bearer realm=r,error="invalid_token""#,
                vec![Challenge::Basic, bearer("r", None, &[])],
            ),
            ("Negotiate, Basic", vec![Challenge::Basic]),
            (r#"Bearer realm="a\"b""#, vec![bearer("a\"b", None, &[])]),
            (r#"Bearer realm="open"#, vec![]),
            ("Bearer", vec![]),
            ("=,=,", vec![]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
