//! The map is the rule: a room imports only rooms on lower floors of the table in `src/lib.rs`.

use crate::tokens::{Token, tokens};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each room's floor.
type Floors = BTreeMap<String, u32>;

/// A file of more lines has more than one idea in it.
const LONGEST: usize = 500;

#[test]
fn rooms_import_only_what_is_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let floors = floors(&std::fs::read_to_string(root.join("src/lib.rs")).unwrap());
    assert!(floors.len() > 5 && floors["digest"] == 0, "{floors:?}");
    let mut findings = Vec::new();
    for (path, text) in files(&root.join("src")) {
        findings.extend(upward(&floors, &path, &text));
    }
    assert_eq!(findings, [""; 0], "\n{}", findings.join("\n"));
}

#[test]
fn every_directory_is_in_the_table() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = std::fs::read_to_string(source.join("lib.rs")).unwrap();
    let rooms: Vec<String> = floors(&text).into_keys().collect();
    let mut found: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&source).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.push(name);
        } else {
            assert!(["lib.rs", "main.rs"].contains(&name.as_str()), "src/{name} stands in no room");
        }
    }
    found.sort();
    assert_eq!(found, rooms, "the directories of src/ and the rooms in the table of src/lib.rs");
    for room in rooms {
        assert!(text.contains(&format!("\npub mod {room};\n")), "src/lib.rs does not declare `{room}`");
    }
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = files(&root.join("src")).into_iter().chain(files(&root.join("tests")));
    // What the fuzzer is built of is there once it has run.
    let all = all.filter(|(path, _)| !path.starts_with(root.join("tests/fuzz/target")));
    let findings: Vec<String> = all.filter_map(|(path, text)| unlike_a_file_of_ours(&path, &text)).collect();
    assert_eq!(findings, [""; 0], "\n{}", findings.join("\n"));
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for (path, _) in files(&folder) {
        // Cargo compiles only what a parent names: `a.rs` by main.rs, `a/b.rs` by `a.rs` or `a/mod.rs`.
        let name = path.file_stem().unwrap().to_str().unwrap();
        let within = path.parent().unwrap();
        let (module, parents) = match name {
            "main" => continue,
            "mod" => (within.file_name().unwrap().to_str().unwrap(), parents_of(&folder, within.parent().unwrap())),
            name => (name, parents_of(&folder, within)),
        };
        let line = |text: &str| {
            text.lines().any(|line| {
                line.trim_start_matches("pub ").trim_start_matches("pub(crate) ").trim() == format!("mod {module};")
            })
        };
        let named = parents.iter().filter_map(|parent| std::fs::read_to_string(parent).ok()).any(|text| line(&text));
        assert!(named, "{} is compiled by nothing: add `mod {module};`", path.display());
    }
}

/// The files that may declare the modules of a folder.
fn parents_of(root: &Path, folder: &Path) -> Vec<PathBuf> {
    if folder == root { vec![root.join("main.rs")] } else { vec![folder.join("mod.rs"), folder.with_extension("rs")] }
}

/// Reads the table: `| floor | rooms | job | may touch |`.
fn floors(lib: &str) -> Floors {
    let mut floors = Floors::new();
    for line in lib.lines().filter_map(|line| line.strip_prefix("//! |")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(Ok(floor)) = cells.first().map(|cell| cell.parse::<u32>()) else { continue };
        for room in cells[1].split(',') {
            let room = room.trim().trim_matches('`');
            assert!(floors.insert(room.to_owned(), floor).is_none(), "`{room}` stands in the table twice");
        }
    }
    floors
}

/// Every path of a file that leads to a room that is not below the file's own.
fn upward(floors: &Floors, path: &Path, text: &str) -> Vec<String> {
    let parts: Vec<String> = modules(path);
    let Some(own) = parts.first() else { return Vec::new() };
    let mut findings = Vec::new();
    for (line, room) in imports(parts.len(), text) {
        let good = match (floors.get(&room), floors.get(own)) {
            _ if room == *own => true,
            (Some(there), Some(here)) => there < here,
            _ => false,
        };
        if !good {
            findings.push(format!("{}:{line}: `{own}` imports `{room}`, which is not below it", path.display()));
        }
    }
    findings
}

/// A file's module path below the crate: `src/a/b.rs` is a, b; `src/a/mod.rs` is a; lib.rs and main.rs are the crate itself.
fn modules(path: &Path) -> Vec<String> {
    let parts = path.iter().map(|part| part.to_str().unwrap().trim_end_matches(".rs").to_owned());
    let mut parts: Vec<String> = parts.skip_while(|part| part != "src").skip(1).collect();
    if parts.last().is_some_and(|last| last == "mod" || parts.len() == 1 && (last == "lib" || last == "main")) {
        parts.pop();
    }
    parts
}

/// The first segments behind the crate's root of every path in a file whose module is `depth` below the root, by
/// `crate::` or by as many `super::` as lead there, also inside `{…}`; with their lines.
fn imports(depth: usize, text: &str) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    let mut braces: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match word(at) {
            "{" => braces.push(at >= 2 && word(at - 2) == "mod"),
            "}" => drop(braces.pop()),
            "crate" if word(at + 1) == "::" => collect(&tokens, at + 2, &mut found),
            // A path begins here and not in the middle of another one.
            "super" | "self" if at == 0 || word(at - 1) != "::" => {
                let mut ups = usize::from(word(at) == "super");
                while word(at + 1) == "::" && word(at + 2) == "super" {
                    ups += 1;
                    at += 2;
                }
                let inline = braces.iter().filter(|module| **module).count();
                if ups >= depth + inline && word(at + 1) == "::" {
                    collect(&tokens, at + 2, &mut found);
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first segments of the path, or of all paths of the group, that begin at a token.
fn collect(tokens: &[Token], start: usize, found: &mut Vec<(usize, String)>) {
    let Some(first) = tokens.get(start) else { return };
    if first.text != "{" {
        // A word in lower case is a room; anything else is something that the crate's root itself would hold.
        found.push((first.line, first.text.clone()));
        return;
    }
    let mut depth = 0;
    let mut begins = true;
    for token in &tokens[start..] {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => begins = depth == 1,
            text if begins && depth == 1 && text != "self" => {
                found.push((token.line, text.to_owned()));
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

fn unlike_a_file_of_ours(path: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    if !text.starts_with("//! ") {
        Some(format!("{} does not begin with `//! ` and what it is", path.display()))
    } else if lines > LONGEST {
        Some(format!("{} has {lines} lines, more than {LONGEST}", path.display()))
    } else {
        None
    }
}

/// Every Rust file below a folder, with its text.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let rust = walk.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"));
    rust.map(|entry| (entry.path().to_owned(), std::fs::read_to_string(entry.path()).unwrap())).collect()
}

#[cfg(test)]
mod samples {
    use super::*;

    fn table() -> Floors {
        floors(
            "//! | floor | room | job |\n//! |---|---|---|\n//! | 0 | `low` | x |\n//! | 1 | `left`, `right` | x |\n//! | 2 | `high` | x |\n",
        )
    }

    fn finds(path: &str, text: &str) -> Vec<String> {
        let found = upward(&table(), Path::new(path), text);
        found.iter().map(|finding| finding.split('`').nth(3).unwrap().to_owned()).collect()
    }

    #[test]
    fn what_is_wrong_is_found() {
        let wrong = [
            ("use crate::high::X;", vec!["high"]),
            ("use crate::right;", vec!["right"]),
            ("use crate::{low::X, high::{A, B}, right};", vec!["high", "right"]),
            ("use crate::{\n    low,\n    low::{a, high},\n    right as r,\n};", vec!["right"]),
            ("fn f() { crate::high::go() }", vec!["high"]),
            ("fn f() -> crate :: high :: X { }", vec!["high"]),
            ("#[cfg(test)] mod tests { use crate::high::X; }", vec!["high"]),
            ("use super::high;", vec!["high"]),
            ("use super::super::high::X;", vec!["high"]),
            ("mod m { use super::super::{low, high}; }", vec!["high"]),
            ("use self::super::high;", vec!["high"]),
            ("macro_rules! m { () => { $crate::high::X } }", vec!["high"]),
            ("use crate::unknown;", vec!["unknown"]),
            ("use crate::*;", vec!["*"]),
            ("const A: char = '\"'; use crate::high; const B: char = '\"';", vec!["high"]),
            ("fn f<'a>(x: &'a str) { crate::high::go('\\'') }", vec!["high"]),
            ("/* a /* b */ c */ use crate::high;", vec!["high"]),
            ("use crate::r#high;", vec!["high"]),
        ];
        for (text, expected) in wrong {
            assert_eq!(finds("/x/src/left/mod.rs", text), expected, "{text}");
        }
        assert_eq!(finds("/x/src/left/part.rs", "use super::super::high;"), ["high"]);
        assert_eq!(finds("/x/src/left/deep/part.rs", "use super::super::super::high;"), ["high"]);
        assert_eq!(finds("/x/src/nowhere/mod.rs", "use crate::low;"), ["low"], "a room that is not in the table");
    }

    #[test]
    fn what_is_right_is_let_through() {
        let right = [
            "use crate::low::X;",
            "use crate::left::X;",
            "use crate::{low, left::{high, right}};",
            "// use crate::high;\n/* crate::high */",
            "/// See [`crate::high`].\nfn f() {}",
            "const A: &str = \"crate::high \\\" crate::high\";",
            "const A: &str = r#\"crate::high \" crate::high\"#;",
            "const A: &[u8] = br\"crate::high\"; const B: char = '\"'; // \" crate::high",
            "use serde::crate_thing::high;",
            "mod m { use super::high; pub(in super::super) struct A; }",
            "pub(crate) struct A;",
            "use low::crates::high;",
        ];
        for text in right {
            assert_eq!(finds("/x/src/left/mod.rs", text), [""; 0], "{text}");
        }
        assert_eq!(finds("/x/src/lib.rs", "use crate::high;"), [""; 0], "the crate itself is no room");
        assert_eq!(
            finds("/x/src/left/part.rs", "use super::high;"),
            [""; 0],
            "a part of the own room may have any name"
        );
    }

    #[test]
    fn long_and_silent_files_are_found() {
        let path = Path::new("a.rs");
        assert!(unlike_a_file_of_ours(path, "use x;\n//! late\n").is_some());
        assert!(unlike_a_file_of_ours(path, &("//! a\n".to_owned() + &"\n".repeat(LONGEST))).is_some());
        assert!(unlike_a_file_of_ours(path, "//! a\n").is_none());
    }

    #[test]
    #[should_panic(expected = "twice")]
    fn a_room_stands_on_one_floor() {
        floors("//! | 0 | `a` |\n//! | 1 | `a` |\n");
    }
}
