//! debconf's database (debconf 1.5.82 and 1.5.91, `Debconf/Template.pm`, `Debconf/Format/822.pm`, `/etc/debconf.conf`).
//!
//! ```text
//! var/cache/debconf/templates.dat   every template of every package, by name
//! var/cache/debconf/config.dat      every question, its answer where it was asked, and the packages that ask it
//! var/cache/debconf/passwords.dat   0600: the same for passwords
//! ```
//!
//! Records are parted by empty lines; field names are lower case but for the first letter, sorted; a line end in a value is `\n`.

use super::tree::Tree;
use super::{Error, Package};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const PLACE: &str = "var/cache/debconf";

/// One record: a template or a question.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Record {
    fields: BTreeMap<String, String>,
    owners: BTreeSet<String>,
    flags: BTreeSet<String>,
    variables: BTreeMap<String, String>,
}

/// The database while packages are configured.
pub(super) struct Debconf {
    templates: BTreeMap<String, Record>,
    questions: BTreeMap<String, Record>,
}

impl Debconf {
    /// Reads what lower layers have.
    pub(super) fn load(tree: &Tree<'_>) -> Result<Self, Error> {
        let text = |name: &str| tree.text(&format!("{PLACE}/{name}")).map(Option::unwrap_or_default);
        Ok(Self {
            templates: records(&text("templates.dat")?),
            questions: records(&(text("config.dat")? + &text("passwords.dat")?)),
        })
    }

    /// Loads a package's templates, each with the question of the same name, if a script of it talks to debconf.
    ///
    /// `name` is the package's name among dpkg's files: that is what debconf takes a `postinst` to belong to, and with it `config`.
    pub(super) fn add(&mut self, package: &Package, name: &str) {
        let Some(file) = package.control.get("templates") else { return };
        let talks = |script: &str| {
            package
                .control
                .get(script)
                .is_some_and(|text| String::from_utf8_lossy(text).contains("/usr/share/debconf/confmodule"))
        };
        // dash's `preinst` asks its one question on upgrades alone.
        let preinst = talks("preinst") && package.name != "dash";
        let owners: Vec<&str> = [(preinst, package.name.as_str()), (talks("postinst"), name)]
            .into_iter()
            .filter(|(talks, _)| *talks)
            .map(|(_, owner)| owner)
            .collect();
        if !owners.is_empty() {
            self.load_templates(file, &owners);
        }
    }

    /// Loads a package's templates, whose scripts talk to debconf by way of a file that they read in.
    pub(super) fn add_quietly(&mut self, package: &Package) {
        if let Some(file) = package.control.get("templates") {
            self.load_templates(file, &[&package.name]);
        }
    }

    fn load_templates(&mut self, file: &[u8], owners: &[&str]) {
        for stanza in String::from_utf8_lossy(file).split("\n\n") {
            let mut fields = template(stanza);
            let Some(name) = fields.remove("template") else { continue };
            let question = self.questions.entry(name.clone()).or_default();
            question.owners.extend(owners.iter().map(|owner| (*owner).to_owned()));
            question.fields.entry("template".to_owned()).or_insert_with(|| name.clone());
            let record = self.templates.entry(name.clone()).or_default();
            record.fields = fields;
            record.owners.insert(name);
        }
    }

    /// Answers a question; without a value, with its default.
    pub(super) fn answer(&mut self, question: &str, value: Option<&str>, seen: bool) {
        let default = self.templates.get(question).and_then(|template| template.fields.get("default")).cloned();
        let Some(record) = self.questions.get_mut(question) else { return };
        if let Some(value) = value.map(str::to_owned).or(default) {
            record.fields.insert("value".to_owned(), value);
        }
        if seen {
            record.flags.insert("seen".to_owned());
        }
    }

    /// Marks a question with a flag of its package's own.
    pub(super) fn flag(&mut self, question: &str, flag: &str) {
        if let Some(record) = self.questions.get_mut(question) {
            record.flags.insert(flag.to_owned());
        }
    }

    /// Sets what stands for a variable in a question's text.
    pub(super) fn substitute(&mut self, question: &str, variable: &str, value: &str) {
        if let Some(record) = self.questions.get_mut(question) {
            record.variables.insert(variable.to_owned(), value.to_owned());
        }
    }

    /// Writes the three files.
    pub(super) fn write(&self, tree: &mut Tree<'_>) {
        let secret = |name: &String| {
            self.templates.get(name).and_then(|t| t.fields.get("type")).is_some_and(|kind| kind == "password")
        };
        let (secrets, open): (Vec<_>, Vec<_>) = self.questions.iter().partition(|(name, _)| secret(name));
        tree.file(&format!("{PLACE}/templates.dat"), 0o644, text(self.templates.iter()));
        tree.file(&format!("{PLACE}/config.dat"), 0o644, text(open.into_iter()));
        tree.file(&format!("{PLACE}/passwords.dat"), 0o600, text(secrets.into_iter()));
    }
}

/// The fields of a template: names in lower case; what follows a first line becomes `extended_…`, its paragraphs joined.
fn template(stanza: &str) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    for line in stanza.lines() {
        let Some(more) = line.strip_prefix([' ', '\t']) else {
            if let Some((name, value)) = line.split_once(':') {
                current = name.to_ascii_lowercase();
                let value = value.strip_prefix([' ', '\t']).unwrap_or(value).trim_end();
                fields.insert(current.clone(), value.to_owned());
            }
            continue;
        };
        let extended = fields.entry(format!("extended_{current}")).or_default();
        let fresh = extended.is_empty() || extended.ends_with([' ', '\n']);
        if more == "." {
            extended.push_str("\n\n");
        } else if more.starts_with([' ', '\t']) {
            // A line that is set in further stays a line of its own.
            extended.push_str(if fresh { "" } else { "\n" });
            extended.push_str(more.trim_end());
            extended.push('\n');
        } else {
            extended.push_str(if fresh { "" } else { " " });
            extended.push_str(more.trim_end());
        }
    }
    for value in fields.values_mut() {
        value.truncate(value.trim_end_matches('\n').len());
        *value = value.replace('\n', "\\n");
    }
    fields.retain(|name, value| !(name.starts_with("extended_") && value.is_empty()));
    fields
}

fn records(text: &str) -> BTreeMap<String, Record> {
    let mut all = BTreeMap::new();
    for stanza in text.split("\n\n") {
        let (mut name, mut record) = (None, Record::default());
        for line in stanza.lines() {
            if let Some((variable, value)) = line.strip_prefix(' ').and_then(|line| line.split_once(" = ")) {
                record.variables.insert(variable.to_owned(), value.to_owned());
                continue;
            }
            let Some((field, value)) = line.split_once(": ").or_else(|| line.split_once(':')) else { continue };
            let words = || value.split(", ").map(str::to_owned).collect();
            match field {
                "Name" => name = Some(value.to_owned()),
                "Owners" => record.owners = words(),
                "Flags" => record.flags = words(),
                "Variables" => {}
                _ => drop(record.fields.insert(field.to_ascii_lowercase(), value.to_owned())),
            }
        }
        all.extend(name.map(|name| (name, record)));
    }
    all
}

fn text<'r>(records: impl Iterator<Item = (&'r String, &'r Record)>) -> String {
    let mut out = String::new();
    for (name, record) in records {
        let _ = writeln!(out, "Name: {name}");
        for (field, value) in &record.fields {
            let mut field = field.clone();
            if let Some(first) = field.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            let _ = writeln!(out, "{field}: {value}");
        }
        for (field, words) in [("Owners", &record.owners), ("Flags", &record.flags)] {
            if !words.is_empty() {
                let _ = writeln!(out, "{field}: {}", words.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
            }
        }
        if !record.variables.is_empty() {
            out.push_str("Variables:\n");
            for (variable, value) in &record.variables {
                let _ = writeln!(out, " {variable} = {value}");
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    #[test]
    fn templates_become_records() {
        let templates = "Template: a/q\nType: select\nDefault: x\nDescription: Q?\n one\n two\n .\n   set in\n three\nDescription-pt_BR.UTF-8: R\n\nTemplate: a/p\nType: password\nDescription:\n";
        let package = Package {
            name: "a".into(),
            version: "1".into(),
            arch: "all".into(),
            control: BTreeMap::from([
                ("templates".to_owned(), templates.as_bytes().to_vec()),
                ("postinst".to_owned(), b". /usr/share/debconf/confmodule\n".to_vec()),
            ]),
            paths: Vec::new(),
        };
        let root = Mem::new();
        let mut tree = Tree::new(&root);
        let mut debconf = Debconf::load(&tree).unwrap();
        debconf.add(&package, "a");
        debconf.answer("a/q", None, true);
        debconf.substitute("a/q", "v", "");
        debconf.write(&mut tree);
        let read = |name: &str| tree.text(&format!("{PLACE}/{name}")).unwrap().unwrap();
        assert!(read("templates.dat").ends_with(
            "Name: a/q\nDefault: x\nDescription: Q?\nDescription-pt_br.utf-8: R\nExtended_description: one two\\n\\n  set in\\nthree\nType: select\nOwners: a/q\n\n"
        ), "{}", read("templates.dat"));
        assert_eq!(
            read("config.dat"),
            "Name: a/q\nTemplate: a/q\nValue: x\nOwners: a\nFlags: seen\nVariables:\n v = \n\n"
        );
        assert_eq!(read("passwords.dat"), "Name: a/p\nTemplate: a/p\nOwners: a\n\n");
        let again = Debconf::load(&tree).unwrap();
        assert_eq!((again.templates, again.questions), (debconf.templates, debconf.questions));
    }
}
