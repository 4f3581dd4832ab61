//! Which run of a CI this is, as an address where its log is: for provenance, and so without anything secret.

use super::exit::Exit;
use super::failure::Failure;

/// The longest address that is written down, in bytes.
const LONGEST: usize = 2048;

/// Refuses what cannot stand in provenance, by the name of where it comes from; it is not shown, since it may be what must not be.
pub(super) fn fit(name: &str, value: Option<&String>) -> Result<(), Failure> {
    let Some(why) = value.and_then(|value| unfit(value)) else { return Ok(()) };
    let message = format!("{name} cannot stand in provenance: {why}");
    Err(Failure::new(Exit::Usage, message).hint("give an address without them, or a name: `urn:…`"))
}

/// Why something cannot stand in provenance as the name of a run or a machine.
fn unfit(text: &str) -> Option<&'static str> {
    let shown = match text.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None if text.starts_with("urn:") || text.starts_with("mailto:") => "",
        None => text,
    };
    if shown.contains('@') {
        Some("it has a user or a password in it, and everybody can read provenance")
    } else if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("it is no URI, or longer than 2048 bytes")
    } else {
        None
    }
}

/// The address of this run, by the variables of the CI that it is in: those of GitHub, which Gitea and Forgejo have as well, GitLab's,
/// and Jenkins's. `None` where there is none, or where it could hold a secret.
pub(super) fn run_url(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let actions = || {
        let [server, repository, run] = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(variable);
        let attempt = variable("GITHUB_RUN_ATTEMPT").map_or(String::new(), |attempt| format!("/attempts/{attempt}"));
        Some(format!("{}/{}/actions/runs/{}{attempt}", server?.trim_end_matches('/'), repository?, run?))
    };
    let jenkins = || variable("JENKINS_URL").and_then(|_| variable("BUILD_URL"));
    let url = actions().or_else(|| variable("CI_JOB_URL")).or_else(jenkins)?;
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    (url.contains("://") && unfit(url).is_none()).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_ci_and_holds_no_secret() {
        let of = |variables: &[(&str, &str)]| {
            run_url(&|name| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned()))
        };
        let run = [("GITHUB_SERVER_URL", "https://ci.example/"), ("GITHUB_REPOSITORY", "a/b"), ("GITHUB_RUN_ID", "7")];
        assert_eq!(of(&run).unwrap(), "https://ci.example/a/b/actions/runs/7");
        let again = [run[0], run[1], run[2], ("GITHUB_RUN_ATTEMPT", "2")];
        assert_eq!(of(&again).unwrap(), "https://ci.example/a/b/actions/runs/7/attempts/2");
        assert_eq!(
            of(&[("CI_JOB_URL", "https://ci.example/a/-/jobs/3?t=1#l")]).unwrap(),
            "https://ci.example/a/-/jobs/3"
        );
        assert_eq!(of(&[("BUILD_URL", "https://ci.example/job/3/")]), None, "anybody's variable");
        assert!(of(&[("BUILD_URL", "https://ci.example/job/3/"), ("JENKINS_URL", "x")]).is_some());
        for secret in ["https://user:word@ci.example/1", "https://token@ci.example/1", "https://ci.example/a b", "7"] {
            assert_eq!(of(&[("CI_JOB_URL", secret)]), None, "{secret}");
        }
        assert!(
            unfit("https://a:b@c/").is_some()
                && unfit("a:b@c").is_some()
                && unfit("").is_some()
                && unfit("a\nb").is_some()
        );
        assert!(unfit("urn:example:run:7").is_none() && unfit("mailto:a@ci.example").is_none());
    }
}
