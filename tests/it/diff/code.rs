//! Flipped bits in real programs: code is noise to whoever looks for dates in it.

use super::making::elf;
use crate::support::judge;
use crate::support::random::random;
use remint::verify::diff::{Class, Hints, explain_contents};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// How many bits of each program are flipped, and of how many one may be taken for a time.
const FLIPS: usize = 400;
const PER: usize = 100;

/// How much of the program's code is looked at.
const CODE: usize = 1 << 20;

/// The code of this very program, without the file around it.
fn own_code() -> Vec<u8> {
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let read = |at: u64, length: usize| {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, at).unwrap();
        bytes
    };
    let number = |bytes: &[u8], at: usize, length: usize| {
        bytes[at..at + length].iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte))
    };
    let header = read(0, 64);
    let (table, count) = (number(&header, 0x28, 8), number(&header, 0x3c, 2));
    // The largest section that is run (`SHF_EXECINSTR`).
    let sections = (0..count).map(|section| read(table + 64 * section, 64));
    let code = sections.filter(|section| number(section, 8, 8) & 4 != 0).max_by_key(|section| number(section, 0x20, 8));
    let code = code.unwrap();
    let size = usize::try_from(number(&code, 0x20, 8)).unwrap();
    read(number(&code, 0x18, 8), size.min(CODE))
}

/// Flips bits one at a time; gives how often each class was said.
fn classes(program: &[u8], change: impl Fn(&mut u64, &mut u8)) -> BTreeMap<Class, usize> {
    let mut state = 0x9e37_79b9_0000_0041;
    let mut other = program.to_vec();
    let mut found = BTreeMap::new();
    for _ in 0..FLIPS {
        let at = random(&mut state, program.len());
        change(&mut state, &mut other[at]);
        for finding in explain_contents("srv/x", 0, program, &other, &Hints::default()).iter().take(1) {
            *found.entry(finding.class).or_default() += 1;
        }
        other[at] = program[at];
    }
    found
}

#[test]
fn a_changed_byte_of_a_program_is_no_time() {
    let code = own_code();
    assert!(code.len() > 100_000, "{}", code.len());
    let mut programs = vec![("code", code)];
    for path in ["/bin/ls", "/bin/tar"] {
        match std::fs::read(path) {
            Ok(bytes) => programs.push((path, bytes)),
            Err(_) => judge::missing(&format!("there is no {path}")),
        }
    }
    for (name, program) in programs {
        let flipped = classes(&program, |state, byte| *byte ^= 1 << random(state, 8));
        let replaced = classes(&program, |state, byte| {
            *byte = byte.wrapping_add(1 + u8::try_from(random(state, 255)).unwrap());
        });
        for found in [flipped, replaced] {
            let times = found.get(&Class::Timestamp).copied().unwrap_or_default();
            assert!(times * PER <= FLIPS, "{name}: {found:?}");
        }
    }
}

/// A name of any length is a name: the file is told section by section all the same.
#[test]
fn sections_of_long_names_are_told() {
    let long = format!(".{}", "n".repeat(5000));
    let program = |text: &[u8]| elf(&[(".rodata", b"same"), (&*long, text), (&*long, b"same")]);
    let [finding] =
        &explain_contents("srv/x", 0, &program(b"\0one\xff"), &program(b"\0two\xff"), &Hints::default())[..]
    else {
        panic!("more than one finding")
    };
    let [within] = &finding.within[..] else { panic!("{finding:?}") };
    assert!(within.starts_with("section .nnn") && within.ends_with('…') && within.len() < 500, "{within}");
    assert_eq!(finding.offset, Some(1));
}
