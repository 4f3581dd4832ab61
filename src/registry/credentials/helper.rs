//! Programs that keep credentials (docker's credential helper protocol): `docker-credential-<suffix> get`, with the server on
//! standard input and JSON on standard output.

use super::{CredentialError, Login};
use crate::registry::said::clean;
use crate::registry::secret::Secret;
use serde::Deserialize;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// More than this is no credential.
const MOST: u64 = 1 << 20;

/// The user that stands for an identity token.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Asks a helper for what it keeps for a server; `None`: nothing.
pub(super) fn ask(
    suffix: &str,
    server: &str,
    path: &Path,
    patience: Duration,
) -> Result<Option<Login>, CredentialError> {
    let program = format!("docker-credential-{suffix}");
    let failed = |why: String| CredentialError::Helper {
        program: clean(&program),
        server: clean(server),
        path: path.to_owned(),
        why,
    };
    // A file may name a program by its name, and not by a path.
    if suffix.is_empty() || !suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err(failed("has no sound name".to_owned()));
    }
    get(Path::new(&program), server, patience).map_err(failed)
}

/// Runs a program for what it keeps for a server; else what it did.
fn get(program: &Path, server: &str, patience: Duration) -> Result<Option<Login>, String> {
    // It stays in this process's group: one that asks a person for something needs the terminal.
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let output = converse(&mut child, server, patience);
    if output.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("cannot be waited for: {error}"))?;
    let output = output.ok_or_else(|| format!("gave no answer in {} seconds", patience.as_secs()))?;
    if !status.success() {
        // The words are the protocol's own; anything else that it says could hold a secret.
        let text = String::from_utf8_lossy(&output);
        if text.contains("credentials not found") || text.contains("no credentials server URL") {
            return Ok(None);
        }
        return Err(format!("failed: {status}"));
    }
    let answer: Answer = serde_json::from_slice(&output).map_err(|_| "gave no sound answer".to_owned())?;
    if answer.user.is_empty() && answer.secret.is_empty() {
        return Ok(None);
    }
    let secret = Secret::new(answer.secret);
    Ok(Some(if answer.user == TOKEN {
        Login::Identity(secret)
    } else {
        Login::Password { user: answer.user, password: secret }
    }))
}

/// Tells it the server and reads what it says until it ends; `None` if that takes too long.
fn converse(child: &mut Child, server: &str, patience: Duration) -> Option<Vec<u8>> {
    let begun = Instant::now();
    let (send, receive) = mpsc::channel();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let server = server.to_owned();
    // Either end may block for ever; the thread ends when the program does, or is made to.
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(server.as_bytes());
        }
        let mut output = Vec::new();
        let read = stdout.map(|stdout| stdout.take(MOST).read_to_end(&mut output));
        let _ = send.send(matches!(read, Some(Ok(_))).then_some(output));
    });
    let output = receive.recv_timeout(patience).ok()??;
    // It may close its output and stay.
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Some(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn run(script: &str) -> Result<Option<Login>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        loop {
            let result = get(&path, "r.example", Duration::from_millis(700));
            // Another thread may be between fork and exec, with the script still open for writing.
            if !matches!(&result, Err(why) if why.contains("busy")) {
                return result;
            }
        }
    }

    #[test]
    fn a_helper_is_asked_in_its_protocol() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let answer = run(r#"read s; echo "{\"ServerURL\":\"$s\",\"Username\":\"$1 $s\",\"Secret\":\"p\"}""#);
        assert_eq!(answer, Ok(Some(Login::Password { user: "get r.example".to_owned(), password: secret("p") })));
        let token = run(r#"echo '{"Username":"<token>","Secret":"t"}'"#);
        assert_eq!(token, Ok(Some(Login::Identity(secret("t")))));
        assert_eq!(run("echo credentials not found in native keychain; exit 1"), Ok(None));
    }

    #[test]
    fn a_helper_that_fails_or_hangs_is_named_and_ended() {
        for (script, expected) in [
            ("echo hunter2; exit 3", "failed: exit status: 3"),
            ("echo hunter2", "gave no sound answer"),
            ("exec sleep 100", "gave no answer in 0 seconds"),
            ("sleep 2 & exit 0", "gave no answer in 0 seconds"),
            ("exec >&-; exec sleep 100", "gave no answer in 0 seconds"),
        ] {
            assert_eq!(run(script).unwrap_err(), expected, "{script}");
        }
        let absent = get(Path::new("/nowhere/at/all"), "r.example", Duration::ZERO).unwrap_err();
        assert!(absent.starts_with("cannot be started"), "{absent}");
        for suffix in ["", "../x", "a b"] {
            let error = ask(suffix, "r.example", Path::new("config.json"), Duration::ZERO).unwrap_err();
            assert!(error.to_string().contains("no sound name"), "{error}");
        }
    }
}
