//! Names of signals, as `stop-signal` takes them.

use super::walk::{Value, Walk};

/// The signals that Linux has on every architecture that images are made for (signal(7)), without those that no process can
/// handle in order to stop, `SIGSTOP` apart from `SIGKILL`.
const NAMES: &[&str] = &[
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGKILL",
    "SIGPIPE",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// Reads a signal's name: `SIGTERM`, `SIGRTMIN+3` (OCI image-spec, config.md, "`StopSignal`").
pub(super) fn read(walk: &mut Walk<'_>, value: &Value<'_>) -> Option<String> {
    const WANTED: &str = "a signal's name, such as `SIGTERM` or `SIGRTMIN+3`";
    let Some(text) = value.get_ref().as_str() else {
        walk.wrong_type(value, "`stop-signal`", WANTED);
        return None;
    };
    if NAMES.contains(&text) || is_real_time(text) {
        return Some(text.to_owned());
    }
    let long = format!("SIG{}", text.to_ascii_uppercase());
    let hint = if NAMES.contains(&long.as_str()) {
        Some(format!("did you mean `{long}`?"))
    } else {
        walk.did_you_mean(text, NAMES.iter().copied())
    };
    walk.wrong(value.span(), format!("`{text}` is not a signal")).expected(WANTED).hint_if(hint);
    None
}

/// `SIGRTMIN`, `SIGRTMAX`, and up to 30 above or below.
fn is_real_time(text: &str) -> bool {
    let offset = match (text.strip_prefix("SIGRTMIN"), text.strip_prefix("SIGRTMAX")) {
        (Some(""), _) | (_, Some("")) => return true,
        (Some(rest), _) => rest.strip_prefix('+'),
        (_, Some(rest)) => rest.strip_prefix('-'),
        _ => None,
    };
    let number = offset.filter(|o| o.bytes().all(|b| b.is_ascii_digit()) && !o.starts_with('0'));
    number.and_then(|n| n.parse::<u8>().ok()).is_some_and(|n| n <= 30)
}

#[cfg(test)]
mod tests {
    use super::is_real_time;

    #[test]
    fn real_time_signals_count_from_either_end() {
        for right in ["SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-14", "SIGRTMAX"] {
            assert!(is_real_time(right), "{right}");
        }
        for wrong in ["SIGRTMIN-3", "SIGRTMAX+1", "SIGRTMIN+", "SIGRTMIN+31", "SIGRTMIN+03", "RTMIN+3"] {
            assert!(!is_real_time(wrong), "{wrong}");
        }
    }
}
