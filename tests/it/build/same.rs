//! What must not reach a byte: each test changes one thing, and compares every file of the layout.

use crate::support::file_server::Server;
use crate::support::judge;
use crate::support::project::{FILES, FIRST, Files, Project, Run, archive, copy_program, files, packages};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

/// What every build has to give.
pub(super) fn reference() -> &'static Files {
    static REFERENCE: OnceLock<Files> = OnceLock::new();
    REFERENCE.get_or_init(|| Project::first().build(&["-j", "2"]))
}

#[track_caller]
pub(super) fn assert_same(found: &Files) {
    assert!(reference().len() > 12);
    assert_eq!(found, reference());
}

#[test]
fn any_number_of_jobs() {
    for jobs in ["1", "2", "8"] {
        assert_same(&Project::first().build(&["--jobs", jobs]));
    }
}

#[test]
fn any_environment() {
    let far = Project::first();
    let zones = [("TZ", "Asia/Kathmandu"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8"), ("HOME", "/nowhere")];
    assert_same(&far.build_as(&[], |command| {
        command.envs(zones).env("USER", "somebody").env("HOSTNAME", "elsewhere").env("CI", "true");
    }));
}

#[test]
fn any_current_directory() {
    let project = Project::first();
    let root = project.root.to_str().unwrap().to_owned();
    assert_same(&project.build_as(&["-C", &root], |command| {
        command.current_dir("/");
    }));
    // From a folder of the project, which is then found above.
    project.forget();
    assert_same(&project.build_as(&[], |command| {
        command.current_dir(project.root.join("recipes/site"));
    }));
}

#[test]
fn any_checkout_path() {
    let project = Project::first();
    let mut other = Project::first();
    let long = other.root.join("a much longer path/with ünïcode");
    std::fs::create_dir_all(&long).unwrap();
    for (path, text) in FILES {
        std::fs::create_dir_all(long.join(path).parent().unwrap()).unwrap();
        std::fs::write(long.join(path), text).unwrap();
    }
    std::fs::copy(project.root.join("archive.pgp"), long.join("archive.pgp")).unwrap();
    other.root = long;
    assert_same(&other.build(&[]));
}

#[test]
fn any_umask() {
    for mask in ["000", "077", "027"] {
        let project = Project::first();
        let layout = project.root.join("layout");
        let mut command = Command::new("/bin/sh");
        project.prepare(&mut command);
        command.args(["-c", &format!("umask {mask}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_remint")]);
        Run::of(command.args(["build", "--output", "oci:layout"])).expect(0);
        assert_same(&files(&layout));
    }
}

#[test]
fn any_order_and_time_of_inputs() {
    let project = Project::first();
    std::fs::remove_dir_all(project.root.join("recipes")).unwrap();
    for (number, (path, text)) in FILES.iter().rev().enumerate() {
        // Junk between them moves their places in the directory.
        let junk = project.root.join(path).with_file_name(format!("junk{number}"));
        project.write(path, text);
        std::fs::write(&junk, "junk").unwrap();
        std::fs::remove_file(junk).unwrap();
        let file = File::options().write(true).open(project.root.join(path)).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(86_400 * (1 + number as u64))).unwrap();
    }
    assert_same(&project.build(&[]));
}

#[test]
fn any_comments_and_order_of_keys() {
    let project = Project::first();
    let text = "# A comment.\n[config.labels] # another\n'a.c' = '2'\n'a.b' = \"1\"\n\n[config]\nentrypoint = [\n  \
                \"/usr/bin/hello\", # a third\n]\nenv = { LANG = 'C.UTF-8', PATH = '/usr/bin' }\n\n\
                [[layer]]\nexclude = ['doc']\npackages = ['hello']\n";
    project.write("recipes/hello/recipe.toml", text);
    assert_same(&project.build(&[]));
}

#[test]
fn any_mirror() {
    let archive = archive(packages("1.0-1"), FIRST);
    let server = Server::start(archive.files.clone());
    let mut project = Project::new(&archive);
    let local = project.mirror.clone();
    project.mirror = server.base();
    assert_same(&project.build(&[]));
    assert!(server.requests().iter().any(|seen| seen.path.starts_with("pool/")), "it came from the server");
    let lock = project.lock();
    assert!(!lock.contains("http") && !lock.contains(server.address()) && !lock.contains(&local), "{lock}");
    // One that is dead stands before one that lives.
    let there = project.mirror.clone();
    project.mirror = format!("http://127.0.0.1:1/debian {there}");
    project.forget();
    assert_same(&project.build(&[]));
    assert_eq!(project.lock(), lock);
}

#[test]
fn cold_warm_and_half_warm_stores() {
    let project = Project::first();
    for image in ["data", "site"] {
        project.run(&["build", image]).expect(0);
    }
    assert_same(&project.build(&[]));
    assert_same(&project.build(&[]));
    project.forget();
    assert_same(&project.build(&["--locked"]));
    let warm = project.build(&["--offline"]);
    assert_same(&warm);
    let store = project.root.join("cache");
    crate::support::layout::assert_valid(&store);
    // Another compression's leavings change nothing.
    project.forget();
    let other = project.build(&["--compression", "gzip"]);
    assert_ne!(other, warm);
    assert_same(&project.build(&[]));
}

#[test]
fn any_temporary_directory_and_file_system() {
    for place in ["/dev/shm", "/var/tmp"] {
        if !Path::new(place).is_dir() {
            judge::skipped(&format!("there is no `{place}`"));
            continue;
        }
        let dir = tempfile::tempdir_in(place).unwrap();
        let project = Project::first();
        assert_same(&project.build_as(&[], |command| {
            command.env("TMPDIR", dir.path()).env("REMINT_CACHE_DIR", dir.path().join("cache"));
        }));
        assert!(dir.path().join("cache/oci-layout").is_file() && !project.root.join("cache").exists());
    }
}

#[test]
fn any_user() {
    if !judge::is_root() {
        return;
    }
    let Some(setpriv) = judge::find("setpriv") else { return };
    let project = Project::first();
    let place = project.root.parent().unwrap().to_owned();
    let binary = place.join("remint");
    copy_program(&binary);
    open_up(&place);
    let mut command = Command::new(setpriv);
    project.prepare(&mut command);
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary);
    Run::of(command.args(["build", "--output", "oci:layout"])).expect(0);
    assert_same(&files(&project.root.join("layout")));
}

/// Lets everybody write everything below a directory that only owners matter for; files keep whether they are executable.
fn open_up(place: &Path) {
    let mut left: Vec<PathBuf> = vec![place.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            std::fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
            left.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn several_processes_on_one_store() {
    for count in [2, 4] {
        let project = Project::first();
        project.run(&["lock"]).expect(0);
        let layouts: Vec<PathBuf> = (0..count).map(|number| project.root.join(format!("layout{number}"))).collect();
        std::thread::scope(|scope| {
            for layout in &layouts {
                let output = format!("oci:{}", layout.display());
                let mut command = project.command(&["build", "--output", &output]);
                scope.spawn(move || Run::of(&mut command).expect(0));
            }
        });
        for layout in &layouts {
            assert_same(&files(layout));
        }
        crate::support::layout::assert_valid(&project.root.join("cache"));
    }
}

/// What is copied may hold the lock that a first build writes.
#[test]
fn a_lock_that_the_build_writes_is_copied_whole() {
    let project = Project::first();
    project.write(
        "recipes/data/recipe.toml",
        "[[layer]]\ncopy = \"../..\"\nto = \"/srv\"\nexclude = [\"cache\", \"out\"]\n",
    );
    project.run(&["lock"]).expect(0);
    let first = project.build(&["data"]);
    for _ in 0..3 {
        project.forget();
        std::fs::remove_file(project.root.join("remint.lock")).unwrap();
        assert_eq!(project.build(&["data"]), first);
    }
}
