//! What an image's configuration is made of, beside its layers, and what of that changed since a build.

use crate::oci::time::format_rfc3339;
use crate::plan::{ImagePlan, Reason};
use std::collections::BTreeMap;

/// The name under which the image's date stands.
const DATE: &str = "date";

/// What the configuration of a planned image is made of, by name.
pub(super) fn inputs(image: &ImagePlan) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([(DATE.to_owned(), format_rfc3339(image.epoch))]);
    if let Some(base) = &image.base {
        all.insert("base".to_owned(), base.config.digest.to_string());
    }
    // From the bottom up, as configurations are made.
    for config in image.parts.iter().map(|part| &part.config) {
        let words = |words: &Option<Vec<String>>| words.as_ref().map(|words| format!("{words:?}"));
        if config.entrypoint.is_some() {
            all.remove("cmd");
        }
        let set = [
            ("user", config.user.clone()),
            ("working-dir", config.working_dir.clone()),
            ("stop-signal", config.stop_signal.clone()),
            ("entrypoint", words(&config.entrypoint)),
            ("cmd", words(&config.cmd)),
        ];
        all.extend(set.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let ports = config.exposed_ports.iter().map(|port| {
            let protocol = if port.contains('/') { "" } else { "/tcp" };
            format!("exposed-ports {port}{protocol}")
        });
        all.extend(ports.map(|port| (port, String::new())));
        all.extend(config.volumes.iter().map(|volume| (format!("volumes {volume}"), String::new())));
        all.extend(config.env.iter().map(|(name, value)| (format!("env.{name}"), value.clone())));
        all.extend(config.labels.iter().map(|(name, value)| (format!("labels.{name}"), value.clone())));
    }
    all
}

/// What differs between what two configurations are made of, in words.
pub(super) fn since(now: &BTreeMap<String, String>, before: &BTreeMap<String, String>) -> Vec<Reason> {
    let mut names: Vec<&String> = now.keys().chain(before.keys()).collect();
    names.sort();
    names.dedup();
    let changed = names.into_iter().filter(|name| now.get(*name) != before.get(*name));
    changed.map(|name| Reason { text: words(name, before.get(name), now.get(name)), package: None }).collect()
}

fn words(name: &str, old: Option<&String>, new: Option<&String>) -> String {
    match (old, new) {
        (Some(old), Some(new)) if name == DATE => {
            format!("its date {old} → {new}: `SOURCE_DATE_EPOCH`, or where that is not set the newest of its sources")
        }
        (None, Some(value)) if value.is_empty() => format!("`{name}` is new"),
        (None, Some(value)) => format!("`{name}` is {value} now"),
        (_, None) => format!("`{name}` is gone"),
        (Some(old), Some(new)) => format!("`{name}` {old} → {new}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_named() {
        let map = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let before = map(&[("date", "1"), ("env.A", "1"), ("exposed-ports 80/tcp", ""), ("user", "web")]);
        let now = map(&[("date", "2"), ("env.A", "2"), ("exposed-ports 81/tcp", ""), ("cmd", "[\"a\"]")]);
        let told: Vec<String> = since(&now, &before).into_iter().map(|reason| reason.text).collect();
        assert_eq!(
            told,
            [
                "`cmd` is [\"a\"] now",
                "its date 1 → 2: `SOURCE_DATE_EPOCH`, or where that is not set the newest of its sources",
                "`env.A` 1 → 2",
                "`exposed-ports 80/tcp` is gone",
                "`exposed-ports 81/tcp` is new",
                "`user` is gone",
            ]
        );
        assert!(since(&now, &now).is_empty());
    }
}
