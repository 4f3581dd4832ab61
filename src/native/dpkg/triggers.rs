//! `triggers/`: which packages want to know of which paths and names (dpkg `lib/dpkg/trigdeferred.c`, deb-triggers(5)).

use super::super::control::Stanza;
use super::super::tree::Tree;
use super::super::{Error, Package};
use super::{ADMIN, Named, info_name, push_new};

/// Interests, as the files have them.
pub(super) struct Triggers {
    /// Lines of `File`: a path, a space, the package with `/noawait` where it does not wait.
    files: Vec<String>,
    /// Lines of the files named for explicit triggers.
    named: Named,
}

impl Triggers {
    pub(super) fn load(tree: &Tree<'_>) -> Result<Self, Error> {
        let mut triggers = Self { files: Vec::new(), named: Named::new() };
        for name in tree.names(&format!("{ADMIN}/triggers")) {
            let lines = tree
                .text(&format!("{ADMIN}/triggers/{name}"))?
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect();
            match name.as_str() {
                "File" => triggers.files = lines,
                "Lock" | "Unincorp" => {}
                _ => drop(triggers.named.insert(name, lines)),
            }
        }
        Ok(triggers)
    }

    /// Adds the interests of a package.
    pub(super) fn add(&mut self, package: &Package, stanza: &Stanza) {
        let Some(text) = package.control.get("triggers") else { return };
        for line in String::from_utf8_lossy(text).lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let (Some(directive), Some(name)) = (words.next(), words.next()) else { continue };
            let Some(kind) = directive.strip_prefix("interest") else { continue };
            let mut who = info_name(package, stanza.get("Multi-Arch"));
            if kind == "-noawait" {
                who.push_str("/noawait");
            }
            if name.starts_with('/') {
                push_new(&mut self.files, format!("{name} {who}"));
            } else if !name.contains('/') {
                push_new(self.named.entry(name.to_owned()).or_default(), who);
            }
        }
    }

    pub(super) fn write(&self, tree: &mut Tree<'_>) {
        let text = |lines: &[String]| lines.iter().fold(String::new(), |text, line| text + line + "\n");
        tree.file(&format!("{ADMIN}/triggers/File"), 0o644, text(&self.files));
        tree.file(&format!("{ADMIN}/triggers/Unincorp"), 0o644, "");
        tree.file(&format!("{ADMIN}/triggers/Lock"), 0o600, "");
        for (name, lines) in &self.named {
            tree.file(&format!("{ADMIN}/triggers/{name}"), 0o644, text(lines));
        }
    }
}
