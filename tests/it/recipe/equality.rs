//! What a recipe means does not depend on how it is laid out, and no text makes the checks panic.

use super::schema::{as_json, validator};
use super::{WHOLE, parse, project};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use remint::recipe::{
    Configure, LayerKind, Owner, Recipe, RecipeFile, Source, Written, parse_project, parse_recipes, recipe_schema,
    render,
};

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
fn the_whole_language_is_understood() {
    let recipe = parse(WHOLE).unwrap_or_else(|findings| panic!("{}", render(&findings, false)));
    assert_eq!(format!("{:?}", recipe.platforms), "[linux/amd64, linux/arm64]");
    let lines: Vec<usize> = recipe.layers.iter().map(|layer| layer.line).collect();
    let written = WHOLE.lines().zip(1..).filter(|(line, _)| *line == "[[layer]]");
    assert_eq!(lines, written.map(|(_, number)| number).collect::<Vec<usize>>());

    let LayerKind::Packages(packages) = &recipe.layers[0].kind else { panic!("{:?}", recipe.layers[0]) };
    let wanted: Vec<String> = packages.wanted.iter().map(ToString::to_string).collect();
    assert_eq!(wanted, ["ca-certificates", "libstdc++6", "nginx=1.26.*"]);
    assert_eq!(packages.exclude, ["/usr/share/info/*", "doc", "man"]);
    assert!(packages.essential && packages.dependencies);
    let LayerKind::Packages(packages) = &recipe.layers[1].kind else { panic!("{:?}", recipe.layers[1]) };
    assert_eq!((packages.archive.as_str(), packages.configure), ("ours", Configure::None));

    let LayerKind::Copy(copy) = &recipe.layers[2].kind else { panic!("{:?}", recipe.layers[2]) };
    assert_eq!((copy.from.as_str(), copy.mode), ("../../shared/app", Some(0o640)));
    assert_eq!(copy.owner, Owner { uid: 10001, gid: 33 });
    assert_eq!(copy.exclude, ["**/__pycache__", "*.swp"]);
    let LayerKind::Copy(copy) = &recipe.layers[3].kind else { panic!("{:?}", recipe.layers[3]) };
    assert_eq!((copy.from.as_str(), &copy.to), (".", &None));

    let LayerKind::Write(write) = &recipe.layers[4].kind else { panic!("{:?}", recipe.layers[4]) };
    assert_eq!(write["etc/motd"], Written::Text { text: "hello\n".to_owned(), owner: Owner::default(), mode: 0o644 });
    assert_eq!(
        write["etc/app/link"],
        Written::Link { target: "../motd".to_owned(), owner: Owner { uid: 33, gid: 33 } }
    );
    assert_eq!(write["var/lib/app"], Written::Directory { owner: Owner { uid: 10001, gid: 777 }, mode: 0o2750 });

    assert!(matches!(&recipe.sources["zlib"], Source::Url { sha256: Some(_), .. }));
    assert_eq!(recipe.config.exposed_ports, ["443", "80", "8080/udp"]);
    assert_eq!(recipe.config.cmd, Some(Vec::new()));
    assert_eq!(recipe.config.stop_signal.as_deref(), Some("SIGRTMIN+3"));
}

#[test]
fn recipes_inherit_in_order() {
    let file = |name, path, text| RecipeFile { name, path, text };
    let files = [
        file(
            "app",
            "recipes/app/recipe.toml",
            "from = \"mid\"\n[config]\nuser = \"svc:logs\"\n[[layer]]\ncopy = \"x\"\nto = \"/x\"\nowner = \"svc\"",
        ),
        file("zbase", "recipes/zbase/recipe.toml", "[users.svc]\nuid = 900\n[groups]\nlogs = 901"),
        file("mid", "recipes/mid/recipe.toml", "from = \"zbase\"\nplatforms = [\"linux/arm64\"]\n"),
    ];
    let findings = parse_recipes(&project(), &files).expect_err("app is for both platforms, mid for one");
    assert_eq!(findings.all().len(), 1, "{findings}");
    let mut files = files;
    files[2].text = "from = \"zbase\"\n";
    let recipes = parse_recipes(&project(), &files).unwrap_or_else(|e| panic!("{}", render(&e, false)));
    let names = |list: Vec<&Recipe>| list.iter().map(|recipe| recipe.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(recipes.iter().collect()), ["app", "mid", "zbase"]);
    assert_eq!(names(recipes.chain("app")), ["zbase", "mid", "app"]);
    assert_eq!(names(recipes.bases_first()), ["zbase", "mid", "app"]);
    assert_eq!(recipes.file("app"), Some("recipes/app/recipe.toml"));
    assert_eq!((recipes.folder("app"), recipes.folder("none")), (Some("recipes/app"), None));
    let app = recipes.get("app").expect("it is there");
    assert_eq!(app.platforms, project().platforms);
    let LayerKind::Copy(copy) = &app.layers[0].kind else { panic!("{:?}", app.layers[0]) };
    assert_eq!(copy.owner, Owner { uid: 900, gid: 900 });
    assert_eq!(recipes.nearest("aap").map(ToString::to_string).as_deref(), Some("app"));
}
