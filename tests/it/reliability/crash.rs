//! A process that dies, wherever it dies, leaves nothing that the next run would take for whole.

use super::faults::{Bench, Spot};
use crate::support::judge;
use crate::support::project::Run;
use crate::support::random::random;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a command that may die, and says by which signal it did.
fn signal(mut command: Command) -> Option<i32> {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().signal()
}

/// Dies at each place that is not passed over, at its first or last time; in the long form, at every place and time. Before each,
/// `prepare` makes the scene.
fn die_everywhere(bench: &Bench, pass_over: &[Spot], prepare: impl Fn()) {
    prepare();
    let mut spots = bench.spots();
    if !judge::long() {
        spots.retain(|spot| pass_over.iter().all(|other| other.place != spot.place));
    }
    assert!(spots.len() > 2, "{spots:?}");
    let mut died = 0;
    let mut all = 0;
    for (number, spot) in spots.iter().enumerate() {
        let one = if number % 2 == 0 { 1 } else { spot.times };
        let times: Vec<u64> = if judge::long() { (1..=spot.times).collect() } else { vec![one] };
        for time in times {
            prepare();
            let fault = format!("{}@{time}=die", spot.place);
            let after = format!("{fault} ({})", spot.deed);
            died += usize::from(signal(bench.build_with(&fault)) == Some(9));
            all += 1;
            bench.assert_nothing_half(&after);
            bench.assert_rebuilds(&after);
            // What was damaged and not needed is noticed only now, and what is needed of it made again.
            bench.project.run(&["cache", "check"]);
            bench.assert_recovers(&after);
        }
    }
    // Threads may reach a place once less in another order; nearly always they do not.
    assert!(died * 10 >= all * 9, "only {died} of {all} runs died");
}

#[test]
fn at_any_deed_of_a_first_build() {
    let bench = Bench::new();
    die_everywhere(&bench, &[], || bench.forget());
}

#[test]
fn at_any_deed_of_a_build_that_heals_and_replaces() {
    let bench = Bench::new();
    let first = bench.spots();
    let cache = bench.project.root.join("cache");
    let kept = bench.project.root.join("kept");
    copy(&cache, &kept);
    die_everywhere(&bench, &first, || {
        // Outputs of the run before stand there; of the store, much is damaged, or has a directory in its place.
        let _ = std::fs::remove_dir_all(&cache);
        copy(&kept, &cache);
        for (part, every) in [("blobs/sha256", 4), ("actions", 3)] {
            let mut all: Vec<_> = std::fs::read_dir(cache.join(part)).unwrap().map(|e| e.unwrap().path()).collect();
            all.sort();
            for (number, path) in all.iter().enumerate() {
                match number % every {
                    0 => {
                        let mut bytes = std::fs::read(path).unwrap();
                        let middle = bytes.len() / 2;
                        bytes[middle] ^= 1;
                        std::fs::write(path, bytes).unwrap();
                    }
                    1 => {
                        std::fs::remove_file(path).unwrap();
                        std::fs::create_dir_all(path.join("in/the/way")).unwrap();
                    }
                    _ => {}
                }
            }
        }
        std::fs::write(cache.join("tmp/left"), "by a killed process").unwrap();
        std::fs::write(cache.join("index.json"), "{").unwrap();
    });
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    judge::run("cp", ["-a".as_ref(), from.as_os_str(), to.as_os_str()]);
}

#[test]
fn at_any_moment() {
    let bench = Bench::new();
    let begun = Instant::now();
    Run::of(&mut bench.build()).expect(0);
    let whole = usize::try_from(begun.elapsed().as_micros()).unwrap();
    let mut state = 4711;
    for number in 0..if judge::long() { 500 } else { 25 } {
        // A first build, one that finds what a killed one left, and one that has only outputs to make.
        match number % 3 {
            0 => bench.forget(),
            1 => {
                let _ = std::fs::remove_dir_all(bench.project.root.join("cache/actions"));
            }
            _ => bench.forget_outputs(),
        }
        let pause = Duration::from_micros(random(&mut state, whole) as u64);
        let mut child = bench.build().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(pause);
        child.kill().unwrap();
        child.wait().unwrap();
        let after = format!("kill number {number}, {pause:?} after the start");
        bench.assert_nothing_half(&after);
        bench.assert_recovers(&after);
    }
}
