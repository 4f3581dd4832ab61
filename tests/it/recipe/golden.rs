//! What is shown for wrong files, letter by letter.

use super::{folder, same_as_file};
use remint::recipe::{Findings, Project, RecipeFile, parse_project, parse_recipe, parse_recipes, render};
use std::fs;
use std::path::{Path, PathBuf};

/// The entries of a folder of cases, sorted.
fn cases(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder("tests/it/recipe").join(name)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let stale = paths
        .iter()
        .find(|path| path.extension().is_some_and(|end| end == "txt") && !path.with_extension("toml").exists());
    assert_eq!(stale, None, "nothing gives this text any more");
    paths.retain(|path| path.extension().is_none_or(|end| end == "toml"));
    paths.sort();
    paths
}

fn shown<T: std::fmt::Debug>(case: &Path, result: Result<T, Findings>) -> String {
    match result {
        Err(findings) => render(&findings, false),
        Ok(value) => panic!("{} is accepted: {value:?}", case.display()),
    }
}

#[test]
fn wrong_recipes() {
    let cases = cases("wrong");
    assert!(cases.len() >= 35, "{} cases", cases.len());
    for case in cases {
        let text = fs::read_to_string(&case).unwrap();
        let name = case.file_stem().unwrap().to_str().unwrap();
        let path = format!("recipes/{name}/recipe.toml");
        let result = parse_recipe(&Project::default(), RecipeFile { name, path: &path, text: &text });
        same_as_file(&shown(&case, result), &case.with_extension("txt"));
    }
}

#[test]
fn wrong_projects() {
    for case in cases("project") {
        let text = fs::read_to_string(&case).unwrap();
        same_as_file(&shown(&case, parse_project("remint.toml", &text)), &case.with_extension("txt"));
    }
}

#[test]
fn wrong_sets() {
    for case in cases("set") {
        let project = fs::read_to_string(case.join("remint.toml")).unwrap_or_default();
        let project = parse_project("remint.toml", &project).unwrap_or_else(|e| panic!("{}: {e}", case.display()));
        let mut files: Vec<(String, String, String)> = Vec::new();
        for entry in fs::read_dir(&case).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            for file in fs::read_dir(&entry).unwrap().map(|file| file.unwrap().path()) {
                let of = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
                let (group, name) = (of(&entry), of(&file));
                files.push((name.clone(), format!("{group}/{name}/recipe.toml"), fs::read_to_string(file).unwrap()));
            }
        }
        // What is shown does not depend on the order of the files, except that of two of one name the second is blamed.
        files.sort_by(|a, b| a.1.cmp(&b.1));
        let inputs: Vec<_> = files.iter().map(|(name, path, text)| RecipeFile { name, path, text }).collect();
        same_as_file(&shown(&case, parse_recipes(&project, &inputs)), &case.join("out.txt"));
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let text = "from = \"UPPER\"\nplatform = []\n";
    let findings = parse_recipe(&Project::default(), RecipeFile { name: "x", path: "x/recipe.toml", text })
        .expect_err("it is wrong");
    let (plain, coloured) = (render(&findings, false), render(&findings, true));
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = match after.strip_prefix(']') {
            Some(link) => link.split_once("\u{1b}\\").map_or("", |(_, rest)| rest),
            None => after.split_once('m').map_or("", |(_, rest)| rest),
        };
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}
