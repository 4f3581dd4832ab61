//! What apt records of packages (apt 2.6 and 3.0).

use super::control::{Stanza, stanzas};
use super::dpkg::Database;
use super::stage::Stage;
use super::{Error, order};
use std::collections::{BTreeMap, BTreeSet};

const STATES: &str = "var/lib/apt/extended_states";

/// Marks the packages that nobody asked for, so that `apt-get autoremove` knows them: those of this layer that are not requested, not
/// essential, and not needed by an essential one. Only where apt is in the image.
pub(super) fn extended_states(stage: &mut Stage<'_>) -> Result<(), Error> {
    if !stage.dpkg.has("apt") {
        return Ok(());
    }
    let mut marks: BTreeMap<(String, String), String> = BTreeMap::new();
    for text in stanzas(&stage.tree.text(STATES)?.unwrap_or_default()) {
        let stanza = Stanza::parse(text).unwrap_or_default();
        let of = |field: &str| stanza.get(field).unwrap_or_default().to_owned();
        marks.insert((of("Package"), of("Architecture")), text.to_owned());
    }
    let arch = stage.input.arch.debian();
    for package in stage.input.packages {
        let key = (package.name.clone(), arch.to_owned());
        if stage.input.requested.contains(&package.name) || stage.base.contains(&package.name) {
            marks.remove(&key);
        } else {
            marks.insert(key, format!("Package: {}\nArchitecture: {arch}\nAuto-Installed: 1", package.name));
        }
    }
    let text: String = marks.into_values().map(|stanza| stanza + "\n\n").collect();
    stage.tree.file(STATES, 0o644, text);
    Ok(())
}

/// The essential packages of the image with all that they need.
pub(super) fn essential(dpkg: &Database) -> BTreeSet<String> {
    let installed: BTreeMap<String, Stanza> =
        dpkg.names().into_iter().map(|name| (name.clone(), dpkg.stanza(&name).unwrap_or_default())).collect();
    let field = |name: &str, field: &str| installed.get(name).and_then(|stanza| stanza.get(field)).unwrap_or_default();
    // Of several that provide a thing, apt takes the one of the highest priority.
    let required = |name: &String| field(name, "Priority") == "required";
    let (first, rest): (Vec<&String>, Vec<&String>) = installed.keys().partition(|name| required(name));
    let mut provided: BTreeMap<String, String> = BTreeMap::new();
    for name in first.into_iter().chain(rest) {
        for virtual_name in order::groups(field(name, "Provides")).concat() {
            provided.entry(virtual_name).or_insert_with(|| name.clone());
        }
    }
    let essential = installed.iter().filter(|(_, stanza)| stanza.get("Essential").is_some());
    let mut todo: Vec<String> = essential.map(|(name, _)| name.clone()).collect();
    let mut found = BTreeSet::new();
    while let Some(name) = todo.pop() {
        let name = if dpkg.has(&name) { name } else { provided.get(&name).cloned().unwrap_or_default() };
        if name.is_empty() || !found.insert(name.clone()) {
            continue;
        }
        for relation in ["Pre-Depends", "Depends"] {
            for group in order::groups(field(&name, relation)) {
                let there = |name: &&String| dpkg.has(name) || provided.contains_key(*name);
                todo.extend(group.iter().find(there).cloned());
            }
        }
    }
    found
}
