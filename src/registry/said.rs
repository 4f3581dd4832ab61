//! What a registry says of an error: bounded, and safe to show.

use serde::Deserialize;
use ureq::http::StatusCode;

/// How much of an error's answer is read.
pub(super) const MOST: u64 = 64 << 10;

/// How much of it a message shows, in characters.
const SHOWN: usize = 400;

/// The answer to a failed request (OCI distribution-spec, "Error Codes").
#[derive(Deserialize)]
struct Answer {
    errors: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The status in words, and what the registry itself says.
pub(super) fn said(status: StatusCode, body: &[u8]) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut text = format!("the registry answered {} {reason}", status.as_str()).trim_end().to_owned();
    let own = own(body);
    if !own.is_empty() {
        text.push_str(": ");
        text.push_str(&own);
    }
    text
}

/// Whether an answer names one of these codes.
pub(super) fn names(body: &[u8], codes: &[&str]) -> bool {
    let answer = serde_json::from_slice::<Answer>(body);
    answer.is_ok_and(|answer| answer.errors.iter().any(|said| codes.contains(&said.code.as_str())))
}

fn own(body: &[u8]) -> String {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else { return String::new() };
    let mut all = Vec::new();
    for said in answer.errors.iter().take(3) {
        let parts: Vec<&str> =
            [said.code.as_str(), said.message.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
        all.push(clean(&parts.join(": ")));
    }
    clean(&all.join("; "))
}

/// Somebody else's words in one line, without what a terminal would obey or what turns the text's direction, and not too many.
#[must_use]
pub fn clean(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c });
    let mut shown: String = plain.take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown.trim().to_owned()
}

/// What turns the direction of a text, or hides in it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_words_are_shown_and_tamed() {
        let body = br#"{"errors":[{"code":"NAME_UNKNOWN","message":"no \u001b[31msuch\nname","detail":{"x":1}},{"code":"X"}]}"#;
        assert_eq!(
            said(StatusCode::NOT_FOUND, body),
            "the registry answered 404 Not Found: NAME_UNKNOWN: no  [31msuch name; X"
        );
        assert_eq!(said(StatusCode::BAD_GATEWAY, b"<html>"), "the registry answered 502 Bad Gateway");
        let long = format!(r#"{{"errors":[{{"message":"{}"}}]}}"#, "x".repeat(5000));
        assert!(said(StatusCode::CONFLICT, long.as_bytes()).chars().count() < 500);
    }
}
