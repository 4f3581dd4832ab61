//! How much memory a comparison takes, of whatever is inside the largest files that are taken apart.

use super::making::{ar, file, pack, tar, zip};
use crate::support::judge;
use crate::support::random::random;
use std::path::Path;
use std::process::Command;

/// The most that one comparison may take, in MiB; the bar is 200.
const MOST: u64 = 130;

/// What is measured without `REMINT_TEST_LONG` too.
const PLAIN: [&str; 6] =
    ["lines", "lines in another order", "packed lines", "JSON of objects", "JSON of objects that are compared", "zip"];

/// Set in the process that compares.
const WHERE: &str = "REMINT_TEST_COMPARED";

/// The largest file that is taken apart.
const WHOLE: usize = 12 << 20;

/// As many lines, or words, of one letter as fit.
fn letters(state: &mut u64, size: usize, between: u8) -> Vec<u8> {
    (0..size).map(|at| if at % 2 == 1 { between } else { b'a' + u8::try_from(random(state, 26)).unwrap() }).collect()
}

/// A list of one value over and over, and a number.
fn list(size: usize, value: &str, last: u8) -> Vec<u8> {
    let mut text = b"[".to_vec();
    while text.len() + value.len() + 4 < size {
        text.extend(value.bytes().chain([b',']));
    }
    text.extend([last, b']']);
    text
}

/// Pairs at the limits, each of a kind that takes many times its size once it is taken apart.
fn pairs() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let mut state = 0x9e37_79b9_0000_0031;
    let mut both = |size, between| (letters(&mut state, size, between), letters(&mut state, size, between));
    let (lines, other_lines) = both(WHOLE, b'\n');
    let (words, other_words) = both(WHOLE, b' ');
    let (inner, other_inner) = both(20 << 20, b'\n');
    // The same lines in another order: the first half behind the second.
    let turned = [&lines[WHOLE / 2..], &lines[..WHOLE / 2]].concat();
    let epochs = |time: u32| time.to_le_bytes().repeat(WHOLE / 4);
    let members: Vec<String> = (0..40_000).map(|number| format!("{number:060}")).collect();
    let zipped = |date| {
        let members: Vec<(&str, &[u8], u16)> = members.iter().map(|name| (&**name, &b""[..], date)).collect();
        zip(&members, None)
    };
    let library = |date| {
        let members: Vec<(&str, &[u8], u64)> = members.iter().map(|name| (&name[45..], &b"1"[..], date)).collect();
        ar(&members)
    };
    let inside =
        |mtime| tar(&(0..20_000).map(|number| file(&format!("m{number}"), b"").mtime(mtime)).collect::<Vec<_>>());
    // Each level is large enough that all together are too much.
    let deep = |text: &[u8]| {
        let pad = vec![0; 12 << 20];
        (0..3)
            .fold(text[..8 << 20].to_vec(), |inner, _| pack("zstd", &tar(&[file("in.zst", &inner), file("pad", &pad)])))
    };
    let json = |value, last| list(4 << 20, value, last);
    // Of objects that are compared as such, as many as are.
    let objects = |last| list(250_000, "{\"\":0}", last);
    let keys = |value: u8| {
        let members: Vec<String> = (0..200).map(|number| format!("\"{number}\":{value}")).collect();
        format!("{{\"{}\":{{{}}}}}", "k".repeat(3 << 20), members.join(",")).into_bytes()
    };
    vec![
        ("lines", lines.clone(), other_lines),
        ("lines in another order", lines, turned),
        ("words", words, other_words),
        ("dates", b"1:11 ".repeat(WHOLE / 5), b"1:12 ".repeat(WHOLE / 5)),
        ("epochs", epochs(1_795_418_213), epochs(1_795_518_999)),
        ("packed lines", pack("zstd", &inner), pack("zstd", &other_inner)),
        ("deep", deep(&inner), deep(&other_inner)),
        ("large JSON", list(WHOLE, "{\"\":0}", b'1'), list(WHOLE, "{\"\":0}", b'2')),
        ("JSON of objects", json("{\"\":0}", b'1'), json("{\"\":0}", b'2')),
        ("JSON of objects that are compared", objects(b'1'), objects(b'2')),
        ("JSON of lists", json("[0]", b'1'), json("[0]", b'2')),
        ("JSON of numbers", json("0", b'1'), json("0", b'2')),
        ("JSON of white space", json("0", b'1'), [b" ", &json("0", b'1')[..]].concat()),
        ("JSON of long names", keys(1), keys(2)),
        ("zip", zipped(0x5000), zipped(0x5021)),
        ("ar", library(1), library(2)),
        ("tar", inside(1), inside(2)),
    ]
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what this very test told the process that it started")]
fn what_is_inside_takes_a_bounded_memory() {
    if let Ok(dir) = std::env::var(WHERE) {
        let comparison = super::compared(Path::new(&dir), "tar:a.tar", "tar:b.tar");
        assert_eq!(comparison.platforms[0].files.len(), 1);
        let (peak, finding) = (peak(), comparison.platforms[0].files[0].findings[0].line());
        assert!(peak <= MOST, "{peak} MiB: {finding}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (name, a, b) in pairs() {
        if !PLAIN.contains(&name) && !judge::long() {
            continue;
        }
        assert!(a.len() <= WHOLE && b.len() <= WHOLE, "{name}: {}", a.len());
        std::fs::write(dir.path().join("a.tar"), tar(&[file("x", &a)])).unwrap();
        std::fs::write(dir.path().join("b.tar"), tar(&[file("x", &b)])).unwrap();
        drop((a, b));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "diff::memory::what_is_inside_takes_a_bounded_memory", "--nocapture"]);
        let output = command.env(WHERE, dir.path()).output().unwrap();
        if !output.status.success() {
            wrong.push(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The most memory that this process had, in MiB (proc(5), `VmHWM`).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}
