//! Programs that keep credentials (docker's credential helper protocol): `docker-credential-<suffix> get`, with the server on
//! standard input and JSON on standard output.

use super::{CredentialError, Login};
use crate::registry::said::clean;
use crate::registry::secret::Secret;
use serde::Deserialize;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
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
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // What it starts ends with it.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let output = converse(&mut child, server, patience);
    if output.is_none() {
        end(&mut child);
    }
    let status = child.wait().map_err(|error| failed(format!("cannot be waited for: {error}")))?;
    let output = output.ok_or_else(|| failed(format!("gave no answer in {} seconds", patience.as_secs())))?;
    if !status.success() {
        // The words are the protocol's own; anything else that it says could hold a secret.
        let text = String::from_utf8_lossy(&output);
        if text.contains("credentials not found") || text.contains("no credentials server URL") {
            return Ok(None);
        }
        return Err(failed(format!("failed: {status}")));
    }
    let answer: Answer = serde_json::from_slice(&output).map_err(|_| failed("gave no sound answer".to_owned()))?;
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

/// Ends it and all that it started.
fn end(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
}
