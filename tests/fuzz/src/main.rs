//! The long form of `tests/it/fuzz.rs`: one target, named by `REMINT_FUZZ_TARGET`, with inputs that libFuzzer finds by coverage.

#![no_main]

#[path = "../../it/fuzz/attest.rs"]
mod attest;
#[path = "../../it/fuzz/content.rs"]
mod content;
#[path = "../../it/fuzz/image.rs"]
mod image;
#[path = "../../it/fuzz/root.rs"]
mod root;
#[path = "../../it/fuzz/targets.rs"]
mod targets;

use std::sync::OnceLock;
use targets::Target;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("REMINT_FUZZ_TARGET").unwrap_or_default();
        let names: Vec<&str> = targets::TARGETS.iter().map(|target| target.name).collect();
        let target = targets::TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("REMINT_FUZZ_TARGET is none of {names:?}"));
        let _ = TARGET.set(target);
    },
    |data: &[u8]| {
        (TARGET.get().expect("init sets it").run)(data);
    }
);
