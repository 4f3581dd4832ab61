//! Private keys, from where the user says: a file, the environment, a command.

use crate::attest::{KeyError, PrivateKey, Secret};
use crate::cli::command::Invocation;
use crate::cli::environment;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use std::io::Read as _;
use std::process::{Command, Stdio};

/// More bytes than any key has.
const LARGEST: u64 = 64 << 10;

/// Reads a private key; no message holds anything of it.
pub(in crate::cli::command) fn private(invocation: Invocation<'_>, place: &str) -> Result<PrivateKey, Failure> {
    let secret = if let Some(name) = place.strip_prefix("env://") {
        let missing = || Failure::new(Exit::Usage, format!("`--sign-key {place}`: the variable `{name}` is not set"));
        environment::secret(name).map(Secret::new).ok_or_else(missing)?
    } else if let Some(command) = place.strip_prefix("exec:") {
        printed(command)?
    } else {
        let path = invocation.environment.cwd.join(place);
        let cannot =
            |error: &std::io::Error| Failure::wrap(Exit::Usage, format!("cannot read the key `{place}`"), error);
        let file = std::fs::File::open(&path).map_err(|error| cannot(&error))?;
        whole(file).map_err(|error| cannot(&error))?
    };
    PrivateKey::from_pem(&secret).map_err(|error| unfit(place, &error))
}

/// What a command prints, which a shell runs; it may ask the user on the terminal.
fn printed(command: &str) -> Result<Secret, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::wrap(Exit::Usage, format!("cannot run `{command}`, which should print the key"), error)
    };
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdout(Stdio::piped());
    let mut child = shell.spawn().map_err(|error| failed(&error))?;
    let secret = child.stdout.take().map(whole).transpose().map_err(|error| failed(&error))?;
    let status = child.wait().map_err(|error| failed(&error))?;
    secret.filter(|_| status.success()).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("`{command}`, which should print the key, ended with {status}"))
    })
}

/// Reads without a buffer that grows, which would leave parts of the key behind.
fn whole(reader: impl std::io::Read) -> std::io::Result<Secret> {
    let mut bytes = Vec::with_capacity(usize::try_from(LARGEST).unwrap_or(usize::MAX));
    reader.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Secret::new(bytes))
}

fn unfit(place: &str, error: &KeyError) -> Failure {
    let failure = Failure::wrap(Exit::Usage, format!("cannot use the key `{place}`"), error);
    failure.hints(error.hint())
}
