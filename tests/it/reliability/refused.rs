//! A deed that the system refuses is said, undoes nothing, and is done by the next run.

use super::faults::Bench;
use crate::support::judge;
use crate::support::project::Run;

/// What the system may answer, and the words that have to be on the screen then.
const ANSWERS: [(i32, &str); 4] = [
    (28, "No space left on device"),
    (13, "Permission denied"),
    (5, "Input/output error"),
    (122, "Disk quota exceeded"),
];

#[test]
fn any_deed_may_fail() {
    let bench = Bench::new();
    bench.forget();
    let spots = bench.spots();
    let mut failed = 0;
    for (number, spot) in spots.iter().enumerate() {
        // Every time, as on a full disk, or once, as where somebody makes room.
        let mut faults = vec![([0, 1, spot.times][number % 3], number % 4)];
        if judge::long() {
            faults = (0..4).flat_map(|answer| (0..=spot.times).map(move |time| (time, answer))).collect();
        }
        for (time, answer) in faults {
            let (errno, words) = ANSWERS[answer];
            bench.forget();
            let after = format!("{}@{time}={errno}", spot.place);
            let run = Run::of(&mut bench.build_with(&after));
            let after = format!("{after} ({})", spot.deed);
            bench.assert_nothing_half(&after);
            match run.code {
                // What can be done otherwise, or be left undone: a copy for a link, nothing remembered of a tree.
                Some(0) => assert_eq!(bench.outputs(), *super::faults::reference(), "{after}"),
                Some(5) => {
                    failed += 1;
                    assert!(run.stderr.contains(words), "{after} is not explained:\n{}", run.stderr);
                    let full = [28, 122].contains(&errno);
                    assert_eq!(run.stderr.contains("`remint gc` frees"), full, "{after}:\n{}", run.stderr);
                }
                code => panic!("{after} ended with {code:?}:\n{}", run.stderr),
            }
            bench.assert_recovers(&after);
        }
    }
    assert!(failed * 2 > spots.len(), "only {failed} runs failed at {} places", spots.len());
}
