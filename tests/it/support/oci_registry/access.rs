//! Who may do what: nobody asked, a password with each request, or tokens.

use super::wire::{Brought, Reply, Seen, unescaped};
use super::{Access, Shared};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// What is said to a request that may not do what it wants.
pub(super) fn refusal(shared: &Shared, seen: &Seen) -> Option<Reply> {
    let shown = seen.header("authorization").unwrap_or_default();
    let refused = Reply::error(401, "UNAUTHORIZED", &format!("authentication required, not `{shown}`"));
    match shared.options.access {
        Access::Open => None,
        Access::Basic(user, password) => {
            let right = basic(user, password);
            (shown != right).then(|| refused.with("WWW-Authenticate", &"Basic realm=\"test\""))
        }
        Access::Token(..) => {
            let wanted = wanted(seen);
            let mut state = shared.state();
            let token = shown.strip_prefix("Bearer ").unwrap_or_default();
            if let Some((scopes, left)) = state.tokens.get_mut(token)
                && *left > 0
                && wanted.as_ref().is_none_or(|wanted| scopes.iter().any(|scope| covers(scope, wanted)))
            {
                *left -= 1;
                return None;
            }
            let scope = wanted.map(|scope| format!(",scope=\"{scope}\"")).unwrap_or_default();
            let challenge = format!("Bearer realm=\"http://{}/token\",service=\"test\"{scope}", shared.address);
            Some(refused.with("WWW-Authenticate", &challenge))
        }
    }
}

/// Gives a token to whoever knows the password, or has the identity token `identity-<password>`.
pub(super) fn token(shared: &Shared, seen: &Seen, brought: &Brought) -> Reply {
    let Access::Token(user, password, life) = shared.options.access else { return Reply::new(404) };
    let form = String::from_utf8(brought.bytes.clone()).unwrap();
    let field =
        |name: &str| form.split('&').find_map(|pair| Some(unescaped(pair.strip_prefix(name)?.strip_prefix('=')?)));
    let right = match seen.method.as_str() {
        "POST" => field("refresh_token") == Some(format!("identity-{password}")),
        _ => seen.header("authorization") == Some(basic(user, password).as_str()),
    };
    if !right {
        let shown = seen.header("authorization").unwrap_or_default();
        return Reply::error(401, "UNAUTHORIZED", &format!("not with `{shown}`"));
    }
    let query = seen.path.split_once('?').map_or("", |(_, query)| query);
    let mut scopes: Vec<String> =
        query.split('&').filter_map(|pair| pair.strip_prefix("scope=")).map(unescaped).collect();
    scopes.extend(field("scope").iter().flat_map(|scopes| scopes.split(' ')).map(str::to_owned));
    let token = format!("canary-token-{}", shared.number());
    shared.state().tokens.insert(token.clone(), (scopes, life));
    let body = json!({ "token": token, "expires_in": 300 });
    Reply::new(200).with("Content-Type", &"application/json").body(body.to_string().into_bytes())
}

/// What a request needs.
fn wanted(seen: &Seen) -> Option<String> {
    let rest = seen.path.strip_prefix("/v2/").filter(|rest| !rest.is_empty())?;
    let end = ["/blobs/", "/manifests/", "/tags/", "/referrers/"].iter().find_map(|part| rest.find(part))?;
    let actions = match seen.method.as_str() {
        "GET" | "HEAD" if !rest.contains("/uploads/") => "pull",
        "DELETE" => "delete",
        _ => "pull,push",
    };
    Some(format!("repository:{}:{actions}", &rest[..end]))
}

fn covers(scope: &str, wanted: &str) -> bool {
    let (name, actions) = scope.rsplit_once(':').unwrap_or_default();
    let (wanted_name, wanted_actions) = wanted.rsplit_once(':').unwrap();
    name == wanted_name && wanted_actions.split(',').all(|action| actions.split(',').any(|has| has == action))
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
