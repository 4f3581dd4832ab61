//! Disks that are full, that cannot be written, and that are gone: said clearly, nothing half done, and gone on from.

use super::faults::{Bench, reference};
use crate::support::judge;
use crate::support::project::{FILES, Project, Run};
use crate::support::random::random;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A file system in memory that ends with its test.
struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts one, where the test may.
    fn mount(place: &Path, options: &str) -> Option<Self> {
        if !judge::is_root() {
            return None;
        }
        let mount = judge::find("mount")?;
        judge::run(mount, ["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), options.as_ref(), "tmpfs".as_ref(), place]);
        Some(Self(place.to_owned()))
    }

    fn change(&self, options: &str) {
        let options = format!("remount,{options}");
        judge::run("mount", ["-o".as_ref(), options.as_ref(), self.0.as_os_str()]);
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a process of a failed test may still stand in it.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Mounts a file system over a project, with the project's files in it.
fn mount(project: &Project, options: &str) -> Option<Tmpfs> {
    let keyring = std::fs::read(project.root.join("archive.pgp")).unwrap();
    let disk = Tmpfs::mount(&project.root, options)?;
    for (path, text) in FILES {
        project.write(path, text);
    }
    project.write("archive.pgp", keyring);
    Some(disk)
}

#[test]
fn a_full_disk() {
    let bench = Bench::new();
    let Some(disk) = mount(&bench.project, "size=64m") else { return };
    let used = || {
        let stat = rustix::fs::statvfs(&bench.project.root).unwrap();
        usize::try_from((stat.f_blocks - stat.f_bfree) * stat.f_frsize / 1024).unwrap()
    };
    let least = used();
    bench.assert_recovers("nothing");
    let most = used();
    let mut state = 99;
    let mut full = 0;
    for _ in 0..if judge::long() { 200 } else { 12 } {
        bench.forget();
        let size = least + 8 + random(&mut state, most - least);
        disk.change(&format!("size={size}k"));
        let after = format!("a disk of {size} KiB, of which {least} were used and {most} are needed");
        let run = Run::of(&mut bench.build());
        bench.assert_nothing_half(&after);
        if run.code != Some(0) {
            assert_eq!(run.code, Some(5), "{after}:\n{}", run.stderr);
            assert!(run.stderr.contains("No space left on device"), "{after}:\n{}", run.stderr);
            assert!(run.stderr.contains("`remint gc` frees"), "{after}:\n{}", run.stderr);
            full += 1;
        }
        disk.change("size=64m");
        bench.assert_recovers(&after);
    }
    assert!(full > 5, "{full}");
}

#[test]
fn a_store_that_cannot_be_written() {
    let bench = Bench::new();
    let cache = bench.project.root.join("cache");
    std::fs::create_dir(&cache).unwrap();
    let Some(disk) = Tmpfs::mount(&cache, "size=64m") else { return };
    bench.assert_recovers("nothing");
    disk.change("ro");
    bench.forget_outputs();
    // What it has, it gives; whoever reads it reads on.
    bench.assert_rebuilds("making the store unwritable");
    bench.project.run(&["inspect", "site"]).expect(0);
    bench.project.run(&["cache", "check"]).expect(0);
    bench.project.run(&["plan", "site"]).expect(0);
    bench.project.run(&["gc"]).says(5, &["Read-only file system"]);
    // What it lacks is an error that says why.
    bench.project.run(&["build", "data"]).says(5, &["Read-only file system", "cache"]);
    // Damage that cannot be removed is said once, and not looked for again and again.
    disk.change("rw");
    let manifest = std::fs::read_to_string(cache.join("index.json")).unwrap();
    let layer = std::fs::read_dir(cache.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path());
    let layer = layer.max_by_key(|path| reference().contains_key(&format!("blobs/sha256/{}", name(path)))).unwrap();
    assert!(!manifest.is_empty());
    let mut bytes = std::fs::read(&layer).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&layer, bytes).unwrap();
    disk.change("ro");
    bench.forget_outputs();
    let run = Run::of(&mut bench.build()).says(5, &["Read-only file system", name(&layer)]);
    assert!(run.stderr.matches(name(&layer)).count() <= 2, "{}", run.stderr);
    bench.project.run(&["cache", "check"]).says(1, &["Read-only file system", name(&layer)]);
    disk.change("rw");
    bench.assert_recovers("damage that could not be removed");
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Builds, does something to the store in the middle, and looks at how the run ended.
fn meanwhile(bench: &Bench, pause: Duration, deed: impl FnOnce()) {
    let child = bench.build().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(pause);
    deed();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 5)), "{pause:?}: {code:?}:\n{said}");
    assert_eq!(code == Some(5), said.contains("error: "), "{said}");
    bench.assert_nothing_half(&format!("{pause:?}"));
}

#[test]
fn a_store_that_vanishes() {
    let bench = Bench::new();
    let begun = Instant::now();
    bench.assert_rebuilds("nothing");
    let whole = usize::try_from(begun.elapsed().as_micros()).unwrap();
    let mut state = 5;
    for _ in 0..if judge::long() { 100 } else { 6 } {
        bench.forget();
        let pause = Duration::from_micros(random(&mut state, whole) as u64);
        let cache = bench.project.root.join("cache");
        meanwhile(&bench, pause, || {
            // In one step, as an unmounted disk goes.
            let _ = std::fs::rename(&cache, bench.project.root.join("gone"));
        });
        let _ = std::fs::remove_dir_all(bench.project.root.join("gone"));
        bench.assert_recovers(&format!("the store vanished after {pause:?}"));
    }
}

#[test]
fn a_permission_that_is_lost() {
    let bench = Bench::new();
    let cache = bench.project.root.join("cache");
    std::fs::create_dir(&cache).unwrap();
    let Some(disk) = Tmpfs::mount(&cache, "size=64m") else { return };
    let begun = Instant::now();
    bench.assert_rebuilds("nothing");
    let whole = usize::try_from(begun.elapsed().as_micros()).unwrap();
    let mut state = 11;
    for _ in 0..if judge::long() { 100 } else { 6 } {
        bench.forget();
        let pause = Duration::from_micros(random(&mut state, whole) as u64);
        // Root needs no permission, but a file system that is no longer writable stops even root.
        meanwhile(&bench, pause, || {
            // Busy while a file is open for writing: then nothing changes, which is a moment as well.
            let _ = std::process::Command::new("mount")
                .args(["-o", "remount,ro"])
                .arg(&cache)
                .stderr(Stdio::null())
                .status();
        });
        disk.change("rw");
        bench.assert_recovers(&format!("the store was made unwritable after {pause:?}"));
    }
}
