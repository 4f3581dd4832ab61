//! Servers that answer and are no registries: portals, and hosts whose registry has another name.

use super::auth::lock;
use super::endpoint::Endpoint;
use super::exchange::{Ask, To};
use super::manifest::media_type;
use ureq::http::{HeaderMap, Method, StatusCode};

/// Whether an answer, of the host itself or of whom it redirected to, says that there is no registry.
///
/// Only what no registry does counts: a page as a manifest or as a list of tags; or a page that says that there is no such thing, where
/// there is no `/v2/` either. Real registries say `text/html` of empty answers to what is written, serve a page at `/v2/`, and have proxies
/// in front of them that explain errors in pages.
pub(super) fn is_no_registry(
    endpoint: &Endpoint,
    ask: &Ask<'_>,
    status: StatusCode,
    headers: &HeaderMap,
    at_home: bool,
) -> bool {
    let page = media_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
    let To::Path(path) = &ask.to else { return false };
    if !page {
        return false;
    }
    match status {
        StatusCode::OK => ask.method == Method::GET && (path.contains("/manifests/") || path.contains("/tags/list")),
        _ => at_home && is_absence(status) && !has_api(endpoint, ask.task),
    }
}

fn is_absence(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE)
}

/// Whether a host has a `/v2/`, as every registry has to (OCI distribution-spec, "Determining Support"); asked once. One that cannot be
/// asked, or that leads elsewhere, may have one.
fn has_api(endpoint: &Endpoint, task: &str) -> bool {
    let mut known = lock(&endpoint.api);
    *known.get_or_insert_with(|| {
        let Ok(address) = endpoint.address("/v2/", task) else { return true };
        endpoint.agent().get(address.url()).call().map_or(true, |answer| !is_absence(answer.status()))
    })
}
