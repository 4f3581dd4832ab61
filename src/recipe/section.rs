//! Which keys each table of the two files may have: the one list that the checks read and the schema is tested against.

/// A kind of table.
pub(super) struct Section {
    /// What messages call it.
    pub(super) what: &'static str,
    /// The keys that it may have, in the order in which messages list them.
    pub(super) keys: &'static [&'static str],
    /// What to say when an unknown key is near no known one.
    pub(super) hint: Option<&'static str>,
    /// Whether tables of this kind are refused in this version, so that no message proposes one.
    pub(super) later: bool,
}

impl Section {
    const fn new(what: &'static str, keys: &'static [&'static str]) -> Self {
        Self { what, keys, hint: None, later: false }
    }
}

pub(super) const RECIPE: Section = Section {
    what: "a recipe",
    keys: &["from", "platforms", "compression", "layer", "sources", "users", "groups", "config"],
    hint: Some("the image's name is its folder's; what is in it stands in `[[layer]]`, how it runs in `[config]`"),
    later: false,
};
pub(super) const PACKAGES: Section =
    Section::new("a `packages` layer", &["packages", "archive", "essential", "dependencies", "exclude", "configure"]);
pub(super) const COPY: Section = Section::new("a `copy` layer", &["copy", "to", "owner", "mode", "exclude"]);
pub(super) const WRITE: Section = Section {
    what: "a `write` layer",
    keys: &["write"],
    hint: Some("owner and mode belong to each path: `\"/path\" = { text = \"…\", owner = \"…\", mode = \"0644\" }`"),
    later: false,
};
pub(super) const EXTRACT: Section =
    Section { later: true, ..Section::new("an `extract` layer", &["extract", "to", "owner", "exclude"]) };
pub(super) const RUN: Section =
    Section { later: true, ..Section::new("a `run` layer", &["run", "in", "inputs", "output"]) };
pub(super) const LAYER_KINDS: &[(&str, &Section)] =
    &[("packages", &PACKAGES), ("copy", &COPY), ("write", &WRITE), ("extract", &EXTRACT), ("run", &RUN)];

pub(super) const TEXT: Section = Section::new("a written file", &["text", "owner", "mode"]);
pub(super) const LINK: Section = Section::new("a written link", &["link", "owner"]);
pub(super) const DIRECTORY: Section = Section::new("a written directory", &["directory", "owner", "mode"]);
pub(super) const WRITTEN_KINDS: &[(&str, &Section)] = &[("text", &TEXT), ("link", &LINK), ("directory", &DIRECTORY)];

pub(super) const URL: Section = Section::new("a `url` source", &["url", "sha256"]);
pub(super) const GIT: Section = Section::new("a `git` source", &["git", "rev"]);
pub(super) const PATH: Section = Section::new("a `path` source", &["path"]);
pub(super) const SOURCE_KINDS: &[(&str, &Section)] = &[("url", &URL), ("git", &GIT), ("path", &PATH)];

pub(super) const USER: Section = Section::new("a user", &["uid", "gid", "home", "shell", "comment"]);
pub(super) const CONFIG: Section = Section::new(
    "`[config]`",
    &["user", "exposed-ports", "env", "entrypoint", "cmd", "volumes", "working-dir", "labels", "stop-signal"],
);

pub(super) const PROJECT: Section =
    Section::new("remint.toml", &["recipes", "platforms", "compression", "archive", "publish", "registry"]);
pub(super) const PUBLISH: Section = Section::new("`[publish]`", &["to", "tags"]);
pub(super) const REGISTRY: Section = Section::new("a registry", &["mirrors", "plain-http"]);
pub(super) const ARCHIVE: Section =
    Section::new("an archive", &["suites", "components", "mirror", "keyring", "snapshot"]);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_schemas_have_the_same_keys() {
        let keys_of = |text: &str, place: &str| -> BTreeSet<String> {
            let schema: serde_json::Value = serde_json::from_str(text).unwrap();
            let properties = schema.pointer(&format!("{place}/properties")).and_then(serde_json::Value::as_object);
            properties.unwrap_or_else(|| panic!("{place} is not in the schema")).keys().cloned().collect()
        };
        let (recipe, project) = (crate::recipe::recipe_schema(), crate::recipe::project_schema());
        for (text, place, section) in [
            (&recipe, "", &RECIPE),
            (&recipe, "/$defs/PackagesLayer", &PACKAGES),
            (&recipe, "/$defs/CopyLayer", &COPY),
            (&recipe, "/$defs/WriteLayer", &WRITE),
            (&recipe, "/$defs/WrittenText", &TEXT),
            (&recipe, "/$defs/WrittenLink", &LINK),
            (&recipe, "/$defs/WrittenDirectory", &DIRECTORY),
            (&recipe, "/$defs/UrlSource", &URL),
            (&recipe, "/$defs/GitSource", &GIT),
            (&recipe, "/$defs/PathSource", &PATH),
            (&recipe, "/$defs/User", &USER),
            (&recipe, "/$defs/Config", &CONFIG),
            (&project, "", &PROJECT),
            (&project, "/$defs/Archive", &ARCHIVE),
            (&project, "/$defs/Publish", &PUBLISH),
            (&project, "/$defs/Registry", &REGISTRY),
        ] {
            let keys: BTreeSet<String> = section.keys.iter().map(|&key| key.to_owned()).collect();
            assert_eq!(keys_of(text, place), keys, "{}", section.what);
        }
        // What is refused is not offered.
        for (_, section) in LAYER_KINDS.iter().filter(|(_, section)| section.later) {
            assert!(!recipe.contains(&format!("\"{}\":", section.keys[0])), "{}", section.what);
        }
    }
}
