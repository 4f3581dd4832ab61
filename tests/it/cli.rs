//! What the program says and how it ends: exit code, stdout and stderr together, as files in `tests/it/cli/`.
//!
//! `SNAPSHOTS=overwrite cargo test --test it cli` writes them anew.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The program in a folder, with nothing of this machine's environment.
fn remint(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remint"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs command lines after each other in one new folder, and writes down all that can be seen of them.
fn transcript(lines: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().canonicalize().unwrap();
    let mut text = String::new();
    for line in lines {
        let output = remint(&place).args(line.split_whitespace()).output().unwrap();
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        writeln!(text, "$ remint {line}\nexit: {}", output.status.code().expect("it ends by itself")).unwrap();
        for (stream, said) in [("stdout", stdout), ("stderr", stderr)] {
            if !said.is_empty() {
                writeln!(text, "--- {stream}\n{}", said.trim_end()).unwrap();
            }
        }
        text.push('\n');
    }
    text.replace(place.to_str().unwrap(), "/PLACE")
}

macro_rules! snapshot {
    ($name:ident, $file:literal, $lines:expr) => {
        #[test]
        fn $name() {
            snapbox::assert_data_eq!(transcript(&$lines), snapbox::file![$file].raw());
        }
    };
}

snapshot!(help, "cli/help.txt", ["--help", "--version"]);
snapshot!(help_init, "cli/help-init.txt", ["init --help"]);
snapshot!(help_lock, "cli/help-lock.txt", ["lock --help"]);
snapshot!(help_build, "cli/help-build.txt", ["build --help"]);
snapshot!(help_plan, "cli/help-plan.txt", ["plan --help"]);
snapshot!(help_inspect, "cli/help-inspect.txt", ["inspect --help"]);
snapshot!(help_sbom, "cli/help-sbom.txt", ["sbom --help"]);
snapshot!(help_cache, "cli/help-cache.txt", ["cache --help", "cache check --help"]);
snapshot!(help_gc, "cli/help-gc.txt", ["gc --help"]);
snapshot!(help_publish, "cli/help-publish.txt", ["publish --help"]);
snapshot!(help_serve, "cli/help-serve.txt", ["serve --help"]);
snapshot!(help_verify, "cli/help-verify.txt", ["verify --help"]);
snapshot!(help_why, "cli/help-why.txt", ["why --help"]);
snapshot!(help_diff, "cli/help-diff.txt", ["diff --help"]);
snapshot!(help_completions, "cli/help-completions.txt", ["completions --help"]);
snapshot!(
    wrong_usage,
    "cli/wrong-usage.txt",
    [
        "biuld",
        "build --jobs 0",
        "build --platform linux/vax",
        "build --output zip:web.zip",
        "build --output web.tar",
        "build --compression bzip2",
        "lock --vanished --update curl",
        "plan --format png",
        "inspect",
        "sbom web --format xml",
        "cache chekc",
        "gc --keep-size much",
        "gc --older-than 30",
        "serve --address 5000",
        "verify --quick --seed 7",
        "verify --against tar:web.tar",
        "completions tcsh",
        "-q -v build",
        "--color sometimes",
    ]
);
snapshot!(
    no_project,
    "cli/no-project.txt",
    [
        "-C .",
        "-C . lock",
        "-C . plan",
        "-C . inspect web",
        "-C . cache",
        "--cache-dir nowhere cache check",
        "--cache-dir nowhere gc",
        "-C missing build",
        "-C . build --format json",
        "-C . plan --format json"
    ]
);
snapshot!(init, "cli/init.txt", ["init", "init", "init sub/demo", "-C sub init", "-C sub init demo", "init -q third"]);

#[test]
fn init_writes_a_project_for_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    assert!(remint(folder.path()).arg("init").output().unwrap().status.success());
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let settings = read("remint.toml");
    assert!(settings.contains("platforms = [\"linux/") && !settings.contains('@'), "{settings}");
    for name in ["remint.toml", "recipes/hello/recipe.toml"] {
        toml::from_str::<toml::Table>(&read(name)).unwrap();
    }
    assert!(read(".gitignore").lines().any(|line| line == "/cache/"));
    assert!(read("recipes/hello/site/index.html").starts_with("<!doctype html>"));
}

#[test]
fn init_leaves_what_is_there_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    write(".gitignore", "*.log\n");
    let output = remint(folder.path()).arg("init").output().unwrap();
    assert!(output.status.success());
    assert_eq!(read(".gitignore"), "*.log\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("add the line `/cache/` to .gitignore"));

    write("remint.toml", "# mine\n");
    std::fs::remove_dir_all(folder.path().join("recipes")).unwrap();
    let output = remint(folder.path()).arg("init").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(read("remint.toml"), "# mine\n");
    assert!(!folder.path().join("recipes").exists(), "nothing is written where something would be refused");
}

#[test]
fn every_shell_has_completions() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = remint(folder.path()).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        for word in ["remint", "inspect", "allow-rollback"] {
            assert!(script.contains(word), "{shell} lacks `{word}`");
        }
    }
}

#[test]
fn bash_completes_commands() {
    let Some(bash) = crate::support::judge::find("bash") else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = "source <(\"$0\" completions bash)\n\
        COMP_WORDS=(remint in) COMP_CWORD=1\n_remint remint in remint\necho \"${COMPREPLY[*]}\"";
    let output = Command::new(bash)
        .args(["--norc", "--noprofile", "-c", script, env!("CARGO_BIN_EXE_remint")])
        .env_clear()
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "init inspect\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn colours_are_where_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let colourful = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = remint(folder.path());
        let output = command.args(arguments).envs(environment.iter().copied()).output().unwrap();
        [output.stdout, output.stderr].concat().contains(&0x1b)
    };
    // A failure of a command, a usage error, and help.
    for arguments in [["lock", "--allow-rollback"], ["lock", "--oops"], ["lock", "--help"]] {
        assert!(!colourful(&arguments, &[]), "no terminal, no colour: {arguments:?}");
        let [command, option] = arguments;
        assert!(colourful(&[command, "--color=always", option], &[]), "{arguments:?}");
        assert!(colourful(&[command, "--color", "always", option], &[("NO_COLOR", "1")]), "{arguments:?}");
        assert!(colourful(&arguments, &[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
        assert!(!colourful(&arguments, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "{arguments:?}");
        assert!(!colourful(&[command, "--color=never", option], &[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [["completions", "bash"], ["build", "--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = remint(folder.path());
        let output = command.args(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_behind_stdout_is_a_failure() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = remint(folder.path()).args(["completions", "bash"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write to standard output\n"));
}
