//! The `[config]` table: the OCI image configuration, by its own names in kebab case.

use super::accounts::Accounts;
use super::model::Config;
use super::paths;
use super::section::CONFIG;
use super::signal;
use super::walk::{Table, Value, Walk};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::DeValue;

/// Reads `[config]`; wrong values are reported and left out.
pub(super) fn read(walk: &mut Walk<'_>, root: &Table<'_>, accounts: &Accounts) -> Config {
    let mut config = Config::default();
    let Some(table) = root.get("config").and_then(|value| walk.table(value, &CONFIG)) else { return config };
    config.user = table.get("user").and_then(|value| {
        let text = walk.string(value, "`user`")?;
        // The engine looks it up in the image.
        if accounts.may_be_of_the_image(text) {
            return Some(text.to_owned());
        }
        accounts.owner(walk, &value.span(), text).map(|_| text.to_owned())
    });
    config.exposed_ports = table.get("exposed-ports").map_or_else(Vec::new, |value| ports(walk, value));
    config.env = table.get("env").map_or_else(BTreeMap::new, |value| texts(walk, value, "`env`", Some('=')));
    config.entrypoint = table.get("entrypoint").and_then(|value| command(walk, value, "`entrypoint`"));
    config.cmd = table.get("cmd").and_then(|value| command(walk, value, "`cmd`"));
    config.volumes = table.get("volumes").map_or_else(Vec::new, |value| volumes(walk, value));
    config.working_dir = table.get("working-dir").and_then(|value| {
        let text = walk.string(value, "`working-dir`")?;
        paths::image_path_text(walk, value.span(), text, "`working-dir`")
    });
    config.labels = table.get("labels").map_or_else(BTreeMap::new, |value| texts(walk, value, "`labels`", None));
    config.stop_signal = table.get("stop-signal").and_then(|value| signal::read(walk, value));
    config
}

/// A command and its arguments: no shell splits them.
fn command(walk: &mut Walk<'_>, value: &Value<'_>, what: &str) -> Option<Vec<String>> {
    if let Some(line) =
        value.get_ref().as_str().filter(|line| line.len() < 80 && !line.contains(['"', '\'', '\\', '\n']))
    {
        let words: Vec<String> = line.split_whitespace().map(|word| format!("\"{word}\"")).collect();
        walk.wrong_type(value, what, "a list of strings").hint(format!("write `[{}]`", words.join(", ")));
        return None;
    }
    let words = walk.strings(value, what)?;
    for (span, word) in &words {
        no_nul(walk, span.clone(), word, what);
    }
    Some(words.into_iter().map(|(_, word)| word.to_owned()).collect())
}

/// A table of texts by name, where a name is not empty and lacks a certain character.
fn texts(walk: &mut Walk<'_>, value: &Value<'_>, what: &str, without: Option<char>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    if value.get_ref().is_array() {
        walk.wrong_type(value, what, "a table")
            .hint(format!("write `[config.{}]`, and below it `NAME = \"value\"`, a line each", what.trim_matches('`')));
        return texts;
    }
    let Some(table) = walk.open_table(value, what) else { return texts };
    for (key, value) in table.entries() {
        let name: &str = key.get_ref();
        let bad = |c: char| c.is_control() || Some(c) == without;
        if name.is_empty() || name.contains(bad) {
            walk.wrong(key.span(), format!("`{}` is not a name in {what}", name.escape_debug()))
                .expected("a name without `=` or control characters");
        }
        if let Some(text) = walk.string(value, &format!("`{}`", name.escape_debug())) {
            no_nul(walk, value.span(), text, what);
            texts.insert(name.to_owned(), text.to_owned());
        }
    }
    texts
}

/// The kernel ends arguments and variables at a NUL.
fn no_nul(walk: &mut Walk<'_>, span: Range<usize>, text: &str, what: &str) {
    if text.contains('\0') {
        walk.wrong(span, format!("a NUL character cannot stand in {what}"));
    }
}

/// Ports: `8080`, `"8080"` or `"8080/udp"` (OCI image-spec, config.md, "`ExposedPorts`").
fn ports(walk: &mut Walk<'_>, value: &Value<'_>) -> Vec<String> {
    let mut ports: BTreeMap<(u16, String), (String, Range<usize>)> = BTreeMap::new();
    for item in walk.list(value, "`exposed-ports`", "ports").unwrap_or_default() {
        let text = match item.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            _ => {
                walk.wrong_type(item, "a port", "a number, or `\"8080/udp\"`");
                continue;
            }
        };
        let (number, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let digits = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        let port = number.parse::<u16>().ok().filter(|&port| digits && port > 0);
        let (Some(port), "tcp" | "udp" | "sctp") = (port, protocol) else {
            walk.wrong(item.span(), format!("`{text}` is not a port"))
                .expected("a number from 1 to 65535, with `/udp` or `/sctp` behind it where it is not TCP");
            continue;
        };
        if let Some((_, first)) = ports.get(&(port, protocol.to_owned())) {
            walk.wrong(item.span(), format!("port {port}/{protocol} is listed twice"))
                .related(first.clone(), "first listed here");
            continue;
        }
        ports.insert((port, protocol.to_owned()), (text, item.span()));
    }
    let mut ports: Vec<String> = ports.into_values().map(|(text, _)| text).collect();
    ports.sort();
    ports
}

fn volumes(walk: &mut Walk<'_>, value: &Value<'_>) -> Vec<String> {
    let mut volumes: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for (span, text) in walk.strings(value, "`volumes`").unwrap_or_default() {
        let Some(path) = paths::image_path_text(walk, span.clone(), text, "the volume") else { continue };
        if path == "/" {
            walk.wrong(span, "the image's root cannot be a volume");
        } else if let Some(first) = volumes.get(&path) {
            walk.wrong(span, format!("volume `{path}` is listed twice")).related(first.clone(), "first listed here");
        } else {
            volumes.insert(path, span);
        }
    }
    volumes.into_keys().collect()
}
