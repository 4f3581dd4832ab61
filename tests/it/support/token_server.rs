//! The server that gives the tokens of a registry (docker's token specification: "Token Authentication", "Token Authentication
//! Implementation", "`OAuth2` Token Authentication"), and Debian's docker-registry that takes them.

use super::certificate::{Pair, signed};
use super::judge;
use super::oci_registry::wire::{read_head, unescaped};
use super::registry_server::{Extra, Registry, Tokens, start_with};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use remint::oci::time::format_rfc3339;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The only user that it knows.
pub(crate) const USER: &str = "user";
pub(crate) const PASSWORD: &str = "canary-password";
/// What it also takes instead of both.
pub(crate) const IDENTITY: &str = "canary+identity/token=";

const SERVICE: &str = "a registry & more";
const ISSUER: &str = "who gives tokens";

/// How long past a token's end docker's registry still takes it, in seconds, since clocks differ.
const LEEWAY: u64 = 60;

/// How long a token is taken, in seconds, unless a test says otherwise.
const LIFE: u64 = 300;

/// Who may do what besides the user.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Policy {
    /// Whether everybody may read.
    pub(crate) public: bool,
    /// A repository of which nobody gets anything.
    pub(crate) withheld: Option<&'static str>,
}

/// A server; it stops when the test's process ends.
#[derive(Clone)]
pub(crate) struct TokenServer {
    shared: Arc<Shared>,
}

/// Somebody who asked, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `GET` or `POST`.
    pub(crate) method: String,
    /// What was asked for, in the client's order.
    pub(crate) scopes: Vec<String>,
    /// The token, unless it was refused.
    pub(crate) token: Option<String>,
}

struct Shared {
    policy: Policy,
    key: SigningKey,
    /// The certificate of the key, as a token shows it.
    certificate: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lives: VecDeque<u64>,
    /// Until when a token is taken that does not live long.
    short: Option<SystemTime>,
    asked: Vec<Asked>,
}

/// Starts a token server and a registry that takes its tokens, with TLS if there is a certificate for it.
pub(crate) fn start(dir: &Path, policy: Policy, tls: Option<&Pair>) -> Option<(TokenServer, Registry)> {
    let openssl = judge::find("openssl")?;
    std::fs::create_dir_all(dir).unwrap();
    let authority = signed(&openssl, dir, "tokens", None);
    let signer = signed(&openssl, dir, "signer", Some(&authority));
    let pem = std::fs::read_to_string(signer.certificate).unwrap();
    let shared = Arc::new(Shared {
        policy,
        key: SigningKey::from_pkcs8_pem(&std::fs::read_to_string(signer.key).unwrap()).unwrap(),
        certificate: pem.lines().filter(|line| !line.starts_with("-----")).collect(),
        state: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let realm = format!("http://{}/token", listener.local_addr().unwrap());
    let server = TokenServer { shared };
    let answering = server.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = answering.clone();
            thread::spawn(move || while server.answer(&stream).is_some() {});
        }
    });
    let token = Some(Tokens { realm: &realm, service: SERVICE, issuer: ISSUER, bundle: &authority.certificate });
    let tls = tls.map(|pair| (pair.certificate.as_path(), pair.key.as_path()));
    let registry = start_with(&dir.join("registry"), Extra { tls, token, ..Extra::default() })?;
    Some((server, registry))
}

/// Writes a `config.json` with an entry for a registry; the directory that holds it.
pub(crate) fn login(dir: &Path, registry: &Registry, entry: &Value) -> PathBuf {
    let home = dir.join("docker");
    std::fs::create_dir_all(&home).unwrap();
    let text = json!({ "auths": { &registry.address: entry } }).to_string();
    std::fs::write(home.join("config.json"), text).unwrap();
    home
}

/// The entry of someone with a password.
pub(crate) fn with_password(password: &str) -> Value {
    json!({ "auth": STANDARD.encode(format!("{USER}:{password}")) })
}

impl TokenServer {
    /// Lets the next tokens be taken for so many seconds, of which the last may be a part only; whoever asks for another one waits
    /// until they no longer are.
    pub(crate) fn lives(&self, seconds: &[u64]) {
        self.state().lives = seconds.to_vec().into();
    }

    /// Who asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    /// Waits until none of those tokens is taken any more.
    pub(crate) fn outlive(&self) {
        let short = self.state().short;
        if let Some(left) = short.and_then(|ends| ends.duration_since(now()).ok()) {
            thread::sleep(left + Duration::from_millis(20));
        }
    }

    /// Answers a request; `None`: the connection ends.
    fn answer(&self, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let seen = read_head(&mut reader)?;
        let mut form = String::new();
        (&mut reader).take(seen.size as u64).read_to_string(&mut form).ok()?;
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let given = fields(if seen.method == "POST" { &form } else { query });
        let field = |name: &str| given.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let right = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        let known = match (seen.method.as_str(), seen.header("authorization")) {
            ("POST", _) => field("grant_type") == Some("refresh_token") && field("refresh_token") == Some(IDENTITY),
            (_, Some(shown)) => shown == right && field("account").is_none_or(|account| account == USER),
            (_, None) => false,
        };
        let nobody = seen.method == "GET" && seen.header("authorization").is_none();
        let scopes = given.iter().filter(|(key, _)| key == "scope");
        let scopes: Vec<String> = scopes.flat_map(|(_, value)| value.split(' ')).map(str::to_owned).collect();
        let sound = path == "/token" && field("service") == Some(SERVICE);
        let (status, body, token) = if sound && (known || nobody && self.shared.policy.public) {
            let (token, answer) = self.token(&scopes, known);
            ("200 OK", answer, Some(token))
        } else {
            // As a careless server does, it says back what it was shown.
            let shown = format!("{} {form}", seen.header("authorization").unwrap_or_default());
            let error = json!({ "code": "UNAUTHORIZED", "message": format!("incorrect user or password: {shown}") });
            ("401 Unauthorized", json!({ "errors": [error] }), None)
        };
        self.state().asked.push(Asked { method: seen.method.clone(), scopes, token });
        let body = body.to_string();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).ok()
    }

    /// Makes a token with as much of what is asked for as one may have, and the answer that brings it.
    fn token(&self, scopes: &[String], known: bool) -> (String, Value) {
        self.outlive();
        let seconds = now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut state = self.state();
        let life = state.lives.pop_front();
        state.short = life.map(|life| UNIX_EPOCH + Duration::from_secs(seconds + life)).or(state.short);
        let access: Vec<Value> = scopes.iter().filter_map(|scope| self.granted(scope, known)).collect();
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.shared.certificate] });
        let claims = json!({
            "iss": ISSUER, "sub": if known { USER } else { "" }, "aud": SERVICE, "access": access,
            "exp": seconds + life.unwrap_or(LIFE) - LEEWAY, "nbf": seconds - LEEWAY, "iat": seconds - LEEWAY,
            "jti": state.asked.len().to_string(),
        });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let text = format!("{header}.{claims}");
        let signature: Signature = self.shared.key.sign(text.as_bytes());
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
        // Whatever its life, the client is told that it is long: it has to notice.
        let answer =
            json!({ "token": token, "access_token": token, "expires_in": LIFE, "issued_at": format_rfc3339(seconds) });
        (token, answer)
    }

    /// What one may have of a scope.
    fn granted(&self, scope: &str, known: bool) -> Option<Value> {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let mut actions: Vec<&str> = actions.split(',').collect();
        actions.retain(|action| known || *action == "pull");
        let withheld = self.shared.policy.withheld == Some(name);
        (!withheld).then(|| json!({ "type": kind, "name": name, "actions": actions }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

/// The pairs of a query or a form.
fn fields(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), unescaped(&value.replace('+', " ")))).collect()
}

fn now() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "docker's registry compares with the clock")]
    SystemTime::now()
}
