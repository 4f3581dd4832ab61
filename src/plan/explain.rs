//! What is in a layer's key, in words: so that a person learns why a layer is built again.
//!
//! ```text
//! package libssl3 amd64 → 3.0.15 sha256:…        file app/main.py → sha256:… 812         written /etc/motd → text sha256:…
//! layer below → sha256:…                         exclude → doc                           user app → 10001:10001 …
//! ```
//!
//! Two layers with equal inputs have equal keys; the names are for people and never reach a key.

use super::{Accounts, Action, CopyWork, PackagesWork, Plan, REVISION, Work};
use crate::digest::{ActionKey, Digest};
use crate::lock::FORMAT;
use crate::oci::TreePath;
use crate::oci::time::format_rfc3339;
use crate::recipe::{Configure, Owner, Written};
use crate::source::path::{ItemKind, LocalFile, Tree};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a layer is made of, by the names of its inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// What it is, for people.
    pub title: String,
    /// Each input's name and value.
    pub inputs: BTreeMap<String, String>,
}

/// One thing that differs between two layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What differs, in words: that `app/main.py` changed, or a package went from one version to another.
    pub text: String,
    /// The package that is locked now, where it is one: name, version, architecture.
    pub package: Option<[String; 3]>,
}

/// The name under which the layer below stands among the inputs.
const BELOW: &str = "layer below";

impl Explained {
    /// What a layer of a plan is made of; `None` for what is no layer of it.
    #[must_use]
    pub fn of(plan: &Plan, key: &ActionKey) -> Option<Self> {
        let Some(Action::Layer(layer)) = plan.actions.get(key) else { return None };
        let mut inputs = BTreeMap::new();
        let mut set = |name: &str, value: String| inputs.insert(name.to_owned(), value);
        set("format", FORMAT.to_string());
        set("revision", REVISION.to_string());
        set("platform", layer.platform.to_string());
        if let Some(lower) = &layer.lower {
            set(BELOW, lower.to_string());
        }
        match &layer.work {
            Work::Packages(work) => packages(&mut inputs, plan, work),
            Work::Copy(work) => copy(&mut inputs, work),
            Work::Write(paths) => inputs.extend(paths.iter().map(|(path, what)| written(path, what))),
            Work::Accounts(work) => accounts(&mut inputs, work),
            Work::Foreign(layer) => drop(inputs.insert("layer".to_owned(), layer.blob.digest.to_string())),
        }
        Some(Self { title: layer.title.clone(), inputs })
    }

    /// What differs from an earlier layer, the most telling first; that the layer below differs, in the words given, only where nothing
    /// else does.
    #[must_use]
    pub fn since(&self, before: &Self, below: &str) -> Vec<Reason> {
        let mut names: Vec<&String> = self.inputs.keys().chain(before.inputs.keys()).collect();
        names.sort();
        names.dedup();
        let mut reasons = Vec::new();
        for name in names.into_iter().filter(|name| *name != BELOW) {
            let (old, new) = (before.inputs.get(name), self.inputs.get(name));
            if old != new {
                reasons.push(reason(name, old.map(String::as_str), new.map(String::as_str)));
            }
        }
        if reasons.is_empty() && self.inputs.get(BELOW) != before.inputs.get(BELOW) {
            reasons.push(Reason { text: below.to_owned(), package: None });
        }
        reasons
    }
}

fn packages(inputs: &mut BTreeMap<String, String>, plan: &Plan, work: &PackagesWork) {
    for key in &work.unpacks {
        if let Some(Action::Unpack(unpack)) = plan.actions.get(key) {
            let package = &unpack.package;
            let name = format!("package {} {}", package.name, package.arch);
            inputs.insert(name, format!("{} {}", package.version, unpack.pin.deb.digest));
        }
    }
    let requested: Vec<&str> = work.requested.iter().map(String::as_str).collect();
    inputs.insert("packages".to_owned(), requested.join(" "));
    inputs.insert("exclude".to_owned(), work.exclude.join(" "));
    let configure = match work.configure {
        Configure::Native => "native",
        Configure::None => "none",
    };
    inputs.insert("configure".to_owned(), configure.to_owned());
    inputs.insert("date".to_owned(), format_rfc3339(work.epoch));
    accounts(inputs, &work.accounts);
}

fn accounts(inputs: &mut BTreeMap<String, String>, accounts: &Accounts) {
    for (name, user) in &accounts.users {
        let value = format!("{}:{} {} {} {}", user.uid, user.gid, user.home, user.shell, user.comment);
        inputs.insert(format!("user {}", name.as_str()), value);
    }
    for (name, gid) in &accounts.groups {
        inputs.insert(format!("group {}", name.as_str()), gid.to_string());
    }
}

fn copy(inputs: &mut BTreeMap<String, String>, work: &CopyWork) {
    inputs.insert("to".to_owned(), work.to.as_ref().map_or_else(|| "/".to_owned(), |to| format!("/{to}")));
    inputs.insert("owner".to_owned(), owner(work.owner));
    if let Some(mode) = work.mode {
        inputs.insert("mode".to_owned(), format!("{mode:04o}"));
    }
    let from = work.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match &*work.tree {
        Tree::File(single) => {
            inputs.insert(format!("file {from}"), file(single));
        }
        Tree::Directory(items) => inputs.extend(items.iter().map(|item| {
            let path = format!("{from}/{}", item.path);
            match &item.kind {
                ItemKind::Directory => (format!("directory {path}"), String::new()),
                ItemKind::Symlink(target) => (format!("link {path}"), target.clone()),
                ItemKind::File(single) => (format!("file {path}"), file(single)),
            }
        })),
    }
}

fn file(file: &LocalFile) -> String {
    let executable = if file.executable { " executable" } else { "" };
    format!("{}{executable}", file.content.digest)
}

fn owner(owner: Owner) -> String {
    format!("{}:{}", owner.uid, owner.gid)
}

fn written(path: &TreePath, what: &Written) -> (String, String) {
    let value = match what {
        Written::Text { text, owner: by, mode } => {
            format!("text {} {} {mode:04o}", Digest::of(text.as_bytes()), owner(*by))
        }
        Written::Link { target, owner: by } => format!("link {} {target}", owner(*by)),
        Written::Directory { owner: by, mode } => format!("directory {} {mode:04o}", owner(*by)),
    };
    (format!("written /{path}"), value)
}

/// Says in the user's words that an input differs.
fn reason(name: &str, old: Option<&str>, new: Option<&str>) -> Reason {
    let (kind, rest) = name.split_once(' ').unwrap_or((name, ""));
    let changed = |subject: String| match (old, new) {
        (None, _) => format!("{subject} is new"),
        (_, None) => format!("{subject} is gone"),
        _ => format!("{subject} changed"),
    };
    let package = |value: &str| {
        let (name, arch) = rest.split_once(' ').unwrap_or((rest, ""));
        let version = value.split(' ').next().unwrap_or_default();
        [name.to_owned(), version.to_owned(), arch.to_owned()]
    };
    let text = match kind {
        "package" => {
            let (old, new) = (old.map(package), new.map(package));
            let text = match (&old, &new) {
                (Some([name, old, _]), Some([_, new, _])) if old != new => format!("`{name}` {old} → {new}"),
                (Some([name, version, _]), Some(_)) => format!("`{name}` {version} has other bytes"),
                (None, Some([name, version, _])) => format!("`{name}` {version} is new"),
                (Some([name, version, _]), None) => format!("`{name}` {version} is gone"),
                (None, None) => String::new(),
            };
            return Reason { text, package: new };
        }
        "file" => {
            let content =
                |value: Option<&str>| value.map(|value| value.split(' ').next().unwrap_or_default().to_owned());
            if old.is_some() && content(old) == content(new) {
                let may = if new.is_some_and(|new| new.ends_with(" executable")) { "may" } else { "may not" };
                format!("{rest} {may} be executed now")
            } else {
                changed(rest.to_owned())
            }
        }
        "link" | "directory" | "written" => changed(rest.to_owned()),
        "user" | "group" => changed(format!("the {kind} `{rest}`")),
        "revision" => "this version of remint makes other bytes".to_owned(),
        "format" => "the format has another number".to_owned(),
        _ => match (old, new) {
            (Some("") | None, Some(new)) => format!("`{kind}` is {new} now"),
            (Some(_), Some("") | None) => format!("`{kind}` is gone"),
            (Some(old), Some(new)) => format!("`{kind}` {old} → {new}"),
            (None, None) => String::new(),
        },
    };
    Reason { text, package: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(all: &[(&str, &str)]) -> Explained {
        let inputs = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Explained { title: "x".to_owned(), inputs }
    }

    #[test]
    fn what_differs_is_said_in_words() {
        let before = inputs(&[
            ("exclude", "doc"),
            ("file app/a", "sha256:1"),
            ("file app/b", "sha256:1"),
            ("file app/c", "sha256:1"),
            ("package gone amd64", "1 sha256:1"),
            ("package libssl3 amd64", "3.0.15 sha256:1"),
            ("package same amd64", "1 sha256:1"),
            ("layer below", "x"),
            ("user app", "1"),
            ("written /etc/motd", "text"),
        ]);
        let after = inputs(&[
            ("exclude", "doc man"),
            ("file app/a", "sha256:2"),
            ("file app/b", "sha256:1 executable"),
            ("file app/d", "sha256:1"),
            ("mode", "0644"),
            ("package libssl3 amd64", "3.0.16 sha256:2"),
            ("package more amd64", "2 sha256:1"),
            ("package same amd64", "1 sha256:2"),
            ("layer below", "y"),
            ("user app", "2"),
            ("written /etc/motd", "text 2"),
        ]);
        let said: Vec<String> = after.since(&before, "").into_iter().map(|reason| reason.text).collect();
        let expected = [
            "`exclude` doc → doc man",
            "app/a changed",
            "app/b may be executed now",
            "app/c is gone",
            "app/d is new",
            "`mode` is 0644 now",
            "`gone` 1 is gone",
            "`libssl3` 3.0.15 → 3.0.16",
            "`more` 2 is new",
            "`same` 1 has other bytes",
            "the user `app` changed",
            "/etc/motd changed",
        ];
        assert_eq!(said, expected);
        let package = &after.since(&before, "")[7].package;
        assert_eq!(*package, Some(["libssl3".to_owned(), "3.0.16".to_owned(), "amd64".to_owned()]));
        let below = inputs(&[("layer below", "y")]).since(&inputs(&[("layer below", "x")]), "below");
        assert_eq!(below[0].text, "below");
        assert_eq!(after.since(&after, "below"), []);
    }
}
