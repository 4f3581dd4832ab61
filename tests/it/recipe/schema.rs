//! The schemas that editors use say what the checks say.

use super::{WHOLE, folder, parse, same_as_file};
use remint::recipe::{parse_project, project_schema, recipe_schema};
use serde_json::Value;

pub(super) fn validator(schema: &str) -> jsonschema::Validator {
    jsonschema::draft202012::new(&serde_json::from_str(schema).unwrap()).unwrap()
}

pub(super) fn as_json(text: &str) -> Value {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn the_shipped_schemas_are_what_the_types_give() {
    same_as_file(&recipe_schema(), &folder("schema/recipe.schema.json"));
    same_as_file(&project_schema(), &folder("schema/remint.schema.json"));
}

#[test]
fn every_key_has_a_description() {
    fn look(value: &Value, place: &str, missing: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, property) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    if property.get("description").is_none() {
                        missing.push(format!("{place}/{name}"));
                    }
                }
                map.iter().for_each(|(key, value)| look(value, &format!("{place}/{key}"), missing));
            }
            Value::Array(items) => items.iter().for_each(|item| look(item, place, missing)),
            _ => {}
        }
    }
    for schema in [recipe_schema(), project_schema()] {
        let mut missing = Vec::new();
        look(&serde_json::from_str(&schema).unwrap(), "", &mut missing);
        assert_eq!(missing, [""; 0], "{schema}");
        assert!(!schema.contains("\"null\""), "TOML has no null");
    }
}

/// Documents whose structure decides: `true` if both the checks and the schema take them.
const RECIPES: &[(bool, &str)] = &[
    (true, ""),
    (true, WHOLE),
    (true, "layer = []"),
    (true, "[[layer]]\npackages = [\"curl\"]"),
    (true, "layer = [{ packages = [], essential = true }]"),
    (true, "[[layer]]\nwrite.\"/a\" = \"\""),
    (true, "[[layer]]\nwrite.\"/a\".link = \"x\""),
    (true, "[sources.a]\npath = \"x\""),
    (true, "[users.a]\nuid = 0xff"),
    (true, "[config]\nexposed-ports = []"),
    (true, "platforms = [\"linux/arm64/v8\"]"),
    (false, "nothing = 1"),
    (false, "from = 1"),
    (true, "from = \"r.example/x:1\""),
    (true, "from = \"docker-archive:x.tar\""),
    (false, "from = \"\""),
    (false, "platforms = []"),
    (false, "platforms = \"linux/amd64\""),
    (false, "platforms = [\"amd64\"]"),
    (false, "compression = \"xz\""),
    (false, "layer = {}"),
    (false, "layer = [{}]"),
    (false, "layer = [\"x\"]"),
    (false, "layer = [{ packages = \"curl\" }]"),
    (false, "layer = [{ packages = [1] }]"),
    (false, "layer = [{ packages = [\"curl:i386\"] }]"),
    (false, "layer = [{ packages = [\"curl=\"] }]"),
    (false, "layer = [{ packages = [\"curl\"], to = \"/x\" }]"),
    (false, "layer = [{ packages = [\"curl\"], essential = \"yes\" }]"),
    (false, "layer = [{ packages = [\"curl\"], configure = \"scripts\" }]"),
    (false, "layer = [{ packages = [\"curl\"], exclude = [\"docs\"] }]"),
    (false, "layer = [{ packages = [\"curl\"], copy = \"x\", to = \"/x\" }]"),
    (false, "layer = [{ copy = \"x\" }]"),
    (false, "layer = [{ copy = \"/x\", to = \"/x\" }]"),
    (false, "layer = [{ copy = \"\", to = \"/x\" }]"),
    (false, "layer = [{ copy = \"x\", to = \"x\" }]"),
    (false, "layer = [{ copy = \"x\", to = \"/x/\" }]"),
    (false, "layer = [{ copy = \"x\", to = \"/x\", mode = 420 }]"),
    (false, "layer = [{ copy = \"x\", to = \"/x\", mode = \"9\" }]"),
    (false, "layer = [{ copy = \"x\", to = \"/x\", owner = \"\" }]"),
    (false, "layer = [{ copy = \"x\", to = \"/x\", owner = 0 }]"),
    (false, "layer = [{ copy = \"x\", to = \"/x\", exclude = [\"/x\"] }]"),
    (false, "layer = [{ write = {} }]"),
    (false, "layer = [{ write = { \"a\" = \"\" } }]"),
    (false, "layer = [{ write = { \"/a\" = 1 } }]"),
    (false, "layer = [{ write = { \"/a\" = {} } }]"),
    (false, "layer = [{ write = { \"/a\" = { text = \"\", link = \"x\" } } }]"),
    (false, "layer = [{ write = { \"/a\" = { link = \"x\", mode = \"0644\" } } }]"),
    (false, "layer = [{ write = { \"/a\" = { directory = false } } }]"),
    (false, "layer = [{ write = { \"/a\" = \"\" }, owner = \"root\" }]"),
    (false, "layer = [{ run = \"true\" }]"),
    (false, "layer = [{ extract = \"x\", to = \"/x\" }]"),
    (false, "sources = []"),
    (false, "sources.a = {}"),
    (false, "sources.A = { path = \"x\" }"),
    (false, "sources.a = { url = \"x\" }"),
    (false, "sources.a = { url = \"https://x.example/x\", sha256 = \"0\" }"),
    (false, "sources.a = { git = \"https://x.example/x\" }"),
    (false, "sources.a = { path = \"x\", rev = \"y\" }"),
    (false, "users.a = {}"),
    (false, "users.A = { uid = 1 }"),
    (false, "users.a = { uid = -1 }"),
    (false, "users.a = { uid = 4294967295 }"),
    (false, "users.a = { uid = \"1\" }"),
    (false, "users.a = { uid = 1, home = \"x\" }"),
    (false, "users.a = { uid = 1, comment = \"x:y\" }"),
    (false, "groups.a = \"1\""),
    (false, "groups.a = {}"),
    (false, "config.x = 1"),
    (false, "config.user = 1"),
    (false, "config.exposed_ports = [80]"),
    (false, "config.exposed-ports = [0]"),
    (false, "config.exposed-ports = [65536]"),
    (false, "config.exposed-ports = [\"80/http\"]"),
    (false, "config.env = [\"A=b\"]"),
    (false, "config.env.A = 1"),
    (false, "config.env.\"A=\" = \"x\""),
    (false, "config.entrypoint = \"/bin/sh\""),
    (false, "config.cmd = [1]"),
    (false, "config.volumes = [\"x\"]"),
    (false, "config.working-dir = \"x\""),
    (false, "config.labels.\"\" = \"x\""),
    (false, "config.labels.a = true"),
    (false, "config.stop-signal = \"TERM\""),
    (false, "config.stop-signal = 15"),
];

/// The same for remint.toml.
const PROJECTS: &[(bool, &str)] = &[
    (true, ""),
    (true, include_str!("remint.toml")),
    (true, "archive.debian = {}"),
    (true, "archive.debian.mirror = \"https://m.example\""),
    (false, "x = 1"),
    (false, "recipes = \"x\""),
    (false, "recipes = []"),
    (false, "recipes = [\"/x\"]"),
    (false, "platforms = []"),
    (false, "compression = 1"),
    (false, "archive = []"),
    (false, "archive.A = { suites = [\"x\"] }"),
    (false, "archive.debian.x = 1"),
    (false, "archive.debian.suites = []"),
    (false, "archive.debian.suites = [\"a b\"]"),
    (false, "archive.debian.components = \"main\""),
    (false, "archive.debian.mirror = []"),
    (false, "archive.debian.mirror = \"m.example\""),
    (false, "archive.debian.mirror = 1"),
    (false, "archive.debian.keyring = \"/x\""),
    (true, "archive.debian.snapshot = [\"https://m.example/{archive}/{date}\"]"),
    (false, "archive.debian.snapshot = \"https://m.example\""),
    (false, "archive.debian.snapshot = [\"https://m.example/{date}\", \"https://m.example\"]"),
    (false, "archive.debian.snapshot = []"),
];

#[test]
fn checks_and_schema_agree_on_structure() {
    let recipes = validator(&recipe_schema());
    for (right, text) in RECIPES {
        assert_eq!(parse(text).is_ok(), *right, "checks: {text}\n{:?}", parse(text).err());
        assert_eq!(recipes.is_valid(&as_json(text)), *right, "schema: {text}");
    }
    let projects = validator(&project_schema());
    for (right, text) in PROJECTS {
        assert_eq!(parse_project("remint.toml", text).is_ok(), *right, "checks: {text}");
        assert_eq!(projects.is_valid(&as_json(text)), *right, "schema: {text}");
    }
}

/// What only the checks can know: the schema takes these.
#[test]
fn what_a_schema_cannot_say_is_left_to_the_checks() {
    let recipes = validator(&recipe_schema());
    for text in [
        "from = \"missing\"",
        "layer = [{ packages = [\"curl\"], archive = \"missing\" }]",
        "layer = [{ packages = [\"curl\", \"curl\"] }]",
        "layer = [{ packages = [] }]",
        "layer = [{ copy = \"x\", to = \"/x\", owner = \"missing\" }]",
        "layer = [{ copy = \"../../../x\", to = \"/x\" }]",
        "layer = [{ write = { \"/a\" = \"\", \"//a\" = \"\" } }]",
        "users.www-data = { uid = 5 }",
        "config.exposed-ports = [80, \"80/tcp\"]",
    ] {
        assert!(parse(text).is_err(), "{text}");
        assert!(recipes.is_valid(&as_json(text)), "{text}");
    }
}
