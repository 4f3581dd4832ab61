//! Every parser of foreign bytes against inputs that nobody would write: the short form, on every machine.
//!
//! The seeds are inputs that parsers take, made here by code; each is changed at random, always in the same way. The long form is
//! guided by coverage: `tests/fuzz/run` (see CONTRIBUTING.md). `REMINT_FUZZ_SEEDS=<folder> cargo test --test it fuzz` writes the seeds
//! for it, with the tokens of each target's language.

mod attest;
mod content;
mod image;
mod mutate;
mod root;
mod seeds;
mod targets;
mod words;

use crate::support::judge;
use mutate::Mutator;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};
use targets::{TARGETS, Target};

/// How long one target is tried at most; with `REMINT_TEST_LONG` a minute.
const TIME: Duration = Duration::from_millis(700);

/// How long one input may take; far more than any does, so that a busy machine does not fail.
const LONGEST: Duration = Duration::from_secs(5);

/// The most inputs of one target.
const MOST: usize = 20_000;

#[test]
fn no_parser_breaks() {
    let long = judge::long();
    let (time, most) = if long { (Duration::from_mins(1), usize::MAX) } else { (TIME, MOST) };
    for target in TARGETS {
        let seeds = seeds::of(target.name);
        assert!(!seeds.is_empty(), "{}: no seeds", target.name);
        let mut mutator = Mutator::new(words::of(target.name), target.name);
        for seed in &seeds {
            feed(target, seed);
        }
        let begun = Instant::now();
        for turn in 0..most {
            if begun.elapsed() > time {
                break;
            }
            feed(target, &mutator.change(&seeds[turn % seeds.len()], &seeds));
        }
    }
}

/// Gives one input to a target, and shows it if that ends badly.
fn feed(target: &Target, input: &[u8]) {
    let begun = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let time = begun.elapsed();
    assert!(ended.is_ok() && time < LONGEST, "{} took {time:?} for b\"{}\"", target.name, input.escape_ascii());
}

#[test]
fn the_keyring_of_the_seeds_is_the_signers() {
    let signer = crate::support::signer::Signer::new(crate::support::signer::KeySpec::with_subkey(7));
    assert_eq!(signer.armoured_certificate().replace("\r\n", "\n"), targets::KEYRING);
}

/// Writes the seeds for the program in `tests/fuzz/`, if it asks for them.
#[test]
fn seeds_are_written_where_they_are_asked_for() {
    let Some(folder) = seeds::wanted() else { return };
    for target in TARGETS {
        let folder = Path::new(&folder).join(target.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds::of(target.name).iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
        }
        let tokens = words::of(target.name).into_iter().map(|token| {
            let hex: String = token.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("\"{hex}\"\n")
        });
        std::fs::write(folder.with_extension("dict"), tokens.collect::<String>()).unwrap();
    }
}
