//! What a recipe means does not depend on how it is laid out, and no text makes the checks panic.

use super::schema::{as_json, validator};
use super::{WHOLE, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use remint::recipe::{Project, Recipe, RecipeFile, parse_project, parse_recipes, recipe_schema, render};

/// A recipe without the lines on which its layers stand.
fn without_lines(mut recipe: Recipe) -> Recipe {
    recipe.layers.iter_mut().for_each(|layer| layer.line = 0);
    recipe
}

/// The blocks of [`WHOLE`]: the lines before the first header, then each header with its lines.
fn blocks() -> Vec<Vec<String>> {
    let mut blocks = vec![Vec::new()];
    for line in WHOLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        // `[layer.write]` stays with its `[[layer]]`.
        if line.starts_with('[') && line != "[layer.write]" {
            blocks.push(Vec::new());
        }
        blocks.last_mut().expect("there is a block").push(line.to_owned());
    }
    blocks
}

/// [`WHOLE`] with tables and the keys of each in another order, and comments and blank lines between them.
fn laid_out(order: &[Index], comments: &[Index]) -> String {
    let mut blocks = blocks();
    let mut picks = order.iter().cycle();
    let mut shuffle = |lines: &mut [String]| {
        for at in (1..lines.len()).rev() {
            lines.swap(at, picks.next().expect("it cycles").index(at + 1));
        }
    };
    for block in &mut blocks {
        let start = block.iter().rposition(|line| line.starts_with('[')).map_or(0, |at| at + 1);
        shuffle(&mut block[start..]);
    }
    let (head, mut tables) = (blocks.remove(0), blocks);
    // Layers keep their order among themselves; the other tables go anywhere between them.
    let mut slots: Vec<String> = tables.iter().map(|table| table[0].clone()).collect();
    shuffle(&mut slots);
    let mut text = head;
    for slot in slots {
        let at = tables.iter().position(|table| table[0] == slot).expect("each slot is a table's header");
        text.extend(tables.remove(at));
    }
    for comment in comments {
        let at = comment.index(text.len() + 1);
        text.insert(at, ["# a comment = [", "", "\t "][comment.index(3)].to_owned());
    }
    text.join("\n")
}

proptest! {
    #[test]
    fn layout_changes_nothing(order in prop::collection::vec(any::<Index>(), 40), comments in prop::collection::vec(any::<Index>(), 0..20)) {
        let text = laid_out(&order, &comments);
        let recipe = parse(&text).map_err(|findings| TestCaseError::fail(format!("{findings}\n{text}")))?;
        prop_assert_eq!(without_lines(recipe), without_lines(parse(WHOLE).expect("it is right")));
    }

    /// Other values, keys of other tables, and lines that are missing: what the checks accept, the schema accepts.
    #[test]
    fn the_schema_accepts_what_the_checks_accept(edits in prop::collection::vec((any::<Index>(), 0..4, select(VALUES)), 1..4)) {
        let mut lines: Vec<String> = WHOLE.lines().map(str::to_owned).collect();
        for (at, how, value) in edits {
            let keys: Vec<usize> = (0..lines.len()).filter(|&n| lines[n].contains(" = ")).collect();
            let line = keys[at.index(keys.len())];
            let (key, old) = lines[line].split_once(" = ").map(|(k, v)| (k.to_owned(), v.to_owned())).expect("it was looked for");
            match how {
                0 | 1 => lines[line] = format!("{key} = {value}"),
                2 => drop(lines.remove(line)),
                _ => {
                    let other = lines[keys[at.index(keys.len() * 7 + 3) % keys.len()]].split(" = ").next().map(str::to_owned);
                    lines[line] = format!("{} = {old}", other.expect("a split has a first part"));
                }
            }
        }
        let text = lines.join("\n");
        if parse(&text).is_ok() {
            prop_assert!(validator(&recipe_schema()).is_valid(&as_json(&text)), "{text}");
        }
    }

    /// Recipes fit together exactly when every chain of bases ends, and then each stands behind its base.
    #[test]
    fn bases_end_or_are_reported(bases in prop::collection::vec(prop::option::of(0..9_usize), 1..9)) {
        let names: Vec<String> = (0..bases.len()).map(|n| format!("r{n}")).collect();
        let paths: Vec<String> = names.iter().map(|name| format!("recipes/{name}/recipe.toml")).collect();
        let texts: Vec<String> = bases.iter().map(|base| base.map_or_else(String::new, |n| format!("from = \"r{n}\""))).collect();
        let files: Vec<_> = (0..bases.len()).map(|n| RecipeFile { name: &names[n], path: &paths[n], text: &texts[n] }).collect();
        let ends = |start: usize| {
            let mut at = Some(start);
            for _ in 0..=bases.len() {
                let Some(n) = at else { return true };
                let Some(base) = bases.get(n) else { return false };
                at = *base;
            }
            false
        };
        match parse_recipes(&Project::default(), &files) {
            Ok(recipes) => {
                prop_assert!((0..bases.len()).all(ends));
                let order: Vec<&str> = recipes.bases_first().iter().map(|recipe| recipe.name.as_str()).collect();
                prop_assert_eq!(order.len(), bases.len());
                for (n, base) in bases.iter().enumerate() {
                    let place = |n: usize| order.iter().position(|name| *name == names[n]);
                    prop_assert!(base.is_none_or(|base| place(base) < place(n)));
                }
            }
            Err(findings) => {
                prop_assert!(!(0..bases.len()).all(ends), "{findings}");
                // A base that is missing is reported where it is named; a circle once.
                let missing = bases.iter().flatten().filter(|base| **base >= bases.len()).count();
                let circles = findings.all().iter().filter(|finding| finding.message.contains("circle")).count();
                prop_assert_eq!(findings.all().len(), missing + circles, "{}", findings);
            }
        }
    }

    /// Any mutation is either accepted, and then by the schema too, or refused with findings that can be shown.
    #[test]
    fn no_text_panics(edits in prop::collection::vec((any::<Index>(), 0_usize..40, piece()), 1..6)) {
        let mut text = WHOLE.to_owned();
        for (at, len, piece) in edits {
            let floor = |mut at: usize| { while !text.is_char_boundary(at) { at -= 1; } at };
            let start = floor(at.index(text.len() + 1));
            let end = floor((start + len).min(text.len()));
            text.replace_range(start..end, &piece);
        }
        match parse(&text) {
            Ok(_) => prop_assert!(validator(&recipe_schema()).is_valid(&as_json(&text)), "{text}"),
            Err(findings) => prop_assert!(!render(&findings, true).is_empty()),
        }
        if let Err(findings) = parse_project("remint.toml", &text) {
            prop_assert!(!render(&findings, false).is_empty());
        }
    }
}

/// Values of every type that stand for a wrong or right one somewhere.
const VALUES: &[&str] = &[
    "\"\"",
    "\"/\"",
    "\"//\"",
    "\"/x\"",
    "\"/x/\"",
    "\"x\"",
    "\".\"",
    "\"..\"",
    "\"../x\"",
    "\"a:b\"",
    "\"33\"",
    "\"0:0\"",
    "\"root\"",
    "\"0644\"",
    "\"644\"",
    "\"zstd\"",
    "\"none\"",
    "\"SIGTERM\"",
    "\"debian\"",
    "\"ours\"",
    "\"linux/amd64\"",
    "\"curl=1:*\"",
    "\"https://h/x\"",
    "\"a\\nb\"",
    "\"a\\u0000\"",
    "\"ü\"",
    "0",
    "1",
    "-1",
    "65536",
    "0xff",
    "4294967295",
    "1.5",
    "true",
    "false",
    "1979-05-27",
    "[]",
    "[\"x\"]",
    "[\"/x\"]",
    "[\"linux/amd64\"]",
    "[\"doc\", \"/x\"]",
    "[\"80\", 81]",
    "[1]",
    "[[]]",
    "{}",
    "{ a = \"b\" }",
    "{ text = \"x\" }",
    "{ link = \"x\", owner = \"0\" }",
    "{ directory = true, mode = \"755\" }",
    "{ \"/a\" = \"b\" }",
    "{ uid = 1 }",
    "{ uid = 1, gid = 2, comment = \"\" }",
    "{ path = \"x\" }",
];

/// Pieces of TOML and of noise.
const PIECES: &[&str] = &[
    "",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r\n",
    "\r",
    "#",
    "\\",
    "\0",
    "\u{feff}",
    "ü",
    "[config]\n",
    "[[layer]]\n",
    "[layer]\n",
    "a.b.c = 1\n",
    "layer = 1\n",
    "{ a = 1, a = 2 }",
    "1979-05-27",
    "0x_",
    "1e400",
    "-1",
    "99999999999999999999",
    "true",
    "[[[[[[[[[[[[",
    "../",
    "/",
    "//",
    ":",
    "from = \"x\"\n",
    "[layer.write.x]\n",
    "[[users]]\n",
    "users.app.uid = 3\n",
    "\u{202e}",
    "\t",
    "inf",
];

/// Something to put into a recipe: a piece of TOML or a piece of noise.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![select(PIECES).prop_map(str::to_owned), any::<String>()]
}

#[test]
fn deep_and_large_texts_are_refused() {
    for text in [
        "x=".to_owned() + &"[".repeat(100_000),
        "a.".repeat(100_000) + "b=1",
        format!("x={}", "{a=".repeat(50_000)),
        format!("[{}]", "a.".repeat(1000)),
        format!("[[layer]]\npackages = [{}]", "\"aa\",".repeat(100_000)),
        "a=1\n".repeat(200_000),
        "#".repeat((1 << 20) + 1),
    ] {
        let findings = parse(&text).expect_err("it is refused");
        let shown = render(&findings, false);
        assert!(findings.all().len() <= 200, "{} findings", findings.all().len());
        assert!(shown.len() < 1 << 20, "{} bytes are shown", shown.len());
    }
}

/// Many owners that are unknown among many users whose names are near: what "did you mean" costs has a bound.
fn flood() -> String {
    let mut lines: Vec<String> = (0..4000).map(|n| format!("users.longname{n}.uid={n}")).collect();
    for _ in 0..12 {
        lines.push("[[layer]]\n[layer.write]".to_owned());
        lines.extend((0..1500).map(|n| format!("\"/{n}\" = {{ text = \"\", owner = \"lognname\" }}")));
    }
    lines.join("\n")
}

#[test]
fn a_flood_of_wrong_names_ends() {
    let findings = parse(&flood()).expect_err("no user has that name");
    assert_eq!(findings.all().len(), 200);
    assert!(findings.dropped() > 10_000, "{}", findings.dropped());
    assert_eq!(findings.all()[0].message, "user `lognname` is not defined");
}

#[test]
fn files_of_other_systems_are_read() {
    let whole = without_lines(parse(WHOLE).expect("it is right"));
    for text in [WHOLE.replace('\n', "\r\n"), format!("\u{feff}{WHOLE}")] {
        let recipe = parse(&text).unwrap_or_else(|findings| panic!("{}", render(&findings, false)));
        assert_eq!(without_lines(recipe), whole);
    }
}
