//! What a rebuild says it varied, it did; what it could not, it says.

use super::{built, verdict};
use crate::support::judge;
use crate::support::project::{Project, Run, copy_program};
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

/// Nobody's number.
const NOBODY: u32 = 65_534;

/// Runs a program in a mount namespace where memory and `/var/tmp` have next to no room, and in a chroot, where the kernel makes no
/// user namespace (unshare(2), `EPERM`).
const CONFINED: &str = "\
set -e
mount --rbind / \"$1\"
for small in dev/shm var/tmp; do mount -t tmpfs -o size=64k tmpfs \"$1/$small\"; done
root=$1 user=$2
shift 2
exec chroot --userspec=\"$user\" \"$root\" \"$@\"
";

/// What was varied, and what not, of a run that found everything identical.
fn circumstances(run: Run) -> (Value, Value) {
    let found = verdict(&run.expect(0));
    assert_eq!(found["identical"], true, "{found}");
    (found["varied"].clone(), found["not_varied"].clone())
}

/// Gives everything below a directory to a user.
fn give(dir: &Path, user: u32) {
    chown(dir, Some(user), Some(user)).unwrap();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            give(&path, user);
        } else {
            std::os::unix::fs::lchown(&path, Some(user), Some(user)).unwrap();
        }
    }
}

fn device(dir: &Path) -> u64 {
    std::fs::metadata(dir).unwrap().dev()
}

#[test]
fn a_store_in_memory_is_rebuilt_on_a_disk() {
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else { return judge::skipped("there is no /dev/shm") };
    let project = Project::first();
    if device(memory.path()) == device(&project.root) || device(memory.path()) == device(Path::new("/var/tmp")) {
        return judge::skipped("temporary files are in memory as well");
    }
    let store = memory.path().to_str().unwrap();
    project.run(&["build", "data", "--cache-dir", store]).expect(0);
    let words = ["verify", "--format", "json", "--cache-dir", store];
    let (varied, _) = circumstances(Run::of(project.command(&words).env("TMPDIR", &project.root)));
    let how = varied["file system"].as_str().unwrap();
    assert_eq!(how, format!("that of `{}`, and not the store's", project.root.display()));
    // A folder for temporary files that is not there, or in memory too, is no reason to stay in memory.
    for temporary in ["/nonexistent", "/dev/shm"] {
        let (varied, _) = circumstances(Run::of(project.command(&words).env("TMPDIR", temporary)));
        assert_eq!(varied["file system"], "that of `/var/tmp`, and not the store's");
    }
}

#[test]
fn what_the_system_refuses_is_said_to_be_as_it_was() {
    if !judge::is_root() {
        return;
    }
    let Some([unshare, ..]) = judge::find_all(["unshare", "mount", "chroot"]) else { return };
    let project = built();
    let place = project.root.parent().unwrap().to_owned();
    std::fs::create_dir(place.join("root")).unwrap();
    copy_program(&place.join("remint"));
    give(&place, NOBODY);
    std::fs::set_permissions(&place, PermissionsExt::from_mode(0o755)).unwrap();
    let confined = |user: u32| {
        let mut command = Command::new(&unshare);
        project.prepare(&mut command);
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("TMPDIR", &place);
        command.args(["--mount", "--propagation", "private", "sh", "-c", CONFINED, "sh"]).arg(place.join("root"));
        command.arg(format!("{user}:{user}")).arg(place.join("remint")).arg("-C").arg(&project.root);
        circumstances(Run::of(command.args(["verify", "--offline", "--format", "json"])))
    };
    let (varied, not_varied) = confined(NOBODY);
    for what in ["user", "host name", "file system"] {
        assert!(varied[what].is_null(), "{varied}");
    }
    let why = |what: &str| not_varied[what].as_str().unwrap().to_owned();
    assert!(why("user").starts_with("the kernel allows no user namespace here ("), "{not_varied}");
    assert!(why("host name").starts_with("the kernel allows no namespace for it here ("), "{not_varied}");
    let expected = format!("`{}` is on it as well", place.display());
    assert!(why("file system").contains(&expected), "{not_varied}");
    for small in ["/dev/shm", "/var/tmp"] {
        assert!(why("file system").contains(&format!("`{small}` has too little room for about ")), "{not_varied}");
    }
    for what in ["threads", "order", "umask", "variables", "clock", "project's path and current directory"] {
        assert!(varied[what].is_string(), "{what} in {varied}");
    }

    // Root changes the host's name without being another user, where the project is its own.
    give(&place, 0);
    let (varied, not_varied) = confined(0);
    assert!(varied["host name"].is_string() && not_varied["user"].is_string(), "{varied} {not_varied}");
}

#[test]
fn root_reads_what_others_keep_to_themselves() {
    if !judge::is_root() {
        return;
    }
    let project = built();
    let store = project.root.join("cache");
    give(&store, NOBODY);
    std::fs::set_permissions(store.join("blobs"), PermissionsExt::from_mode(0o700)).unwrap();
    let (_, not_varied) = circumstances(project.run(&["verify", "--format", "json"]));
    let why = format!("this is root, and `{}` is another user's", store.display());
    assert_eq!(not_varied["user"], why);
}

#[test]
fn the_machines_own_umask_is_not_called_varied() {
    let project = built();
    let mut masks = std::collections::BTreeMap::new();
    for seed in 0..8 {
        let words =
            format!("umask 077; exec {} verify hello --seed {seed} --format json", env!("CARGO_BIN_EXE_remint"));
        let mut command = Command::new("sh");
        project.prepare(&mut command);
        let (varied, not_varied) = circumstances(Run::of(command.args(["-c", &words])));
        let said = varied["umask"]
            .as_str()
            .map_or_else(|| not_varied["umask"].as_str().unwrap().to_owned(), |mask| format!("varied to {mask}"));
        *masks.entry(said).or_insert(0) += 1;
    }
    assert!(masks.contains_key("the seed's is 077, and so is this machine's"), "{masks:?}");
    assert!(masks.len() > 1 && !masks.contains_key("varied to 077"), "{masks:?}");
}
