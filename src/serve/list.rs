//! Lists in pages (distribution-spec, "Listing Tags"): so many names after a name, and where the next page is.

use super::request::Request;
use super::response::{Code, Response};
use serde_json::{Map, Value};

/// A page of names, which are sorted, below a key beside others, of the list at a path.
pub(super) fn page(request: &Request, path: &str, key: &str, beside: Map<String, Value>, names: &[&str]) -> Response {
    let Ok(most) = request.asked("n").map(str::parse::<usize>).transpose() else {
        return Response::failure(400, Code::Unsupported, "`n` is a number of names to list, from 0");
    };
    let last = request.asked("last").unwrap_or_default();
    let left = &names[names.partition_point(|name| *name <= last)..];
    let shown = &left[..most.unwrap_or(left.len()).min(left.len())];
    let mut document = beside;
    document.insert(key.to_owned(), shown.iter().copied().map(Value::from).collect());
    let response = Response::json(&Value::Object(document));
    match shown.last() {
        Some(last) if shown.len() < left.len() => {
            let link = format!("<{path}?n={}&last={}>; rel=\"next\"", shown.len(), last.replace('/', "%2F"));
            response.field("Link", link)
        }
        _ => response,
    }
}
