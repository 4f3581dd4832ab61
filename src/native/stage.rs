//! Runs the steps: packages in the order in which they would be configured, then what triggers would do.

use super::accounts::{self, Accounts};
use super::debconf::Debconf;
use super::dpkg::Database;
use super::script::{Script, constant};
use super::scripts::{Coverage, Table};
use super::tree::Tree;
use super::{
    Error, Input, Output, Package, Uncovered, alternatives, apt, control, deeds, order, skeleton, steps, systemd, sysv,
};

/// The image while it is configured.
pub(super) struct Stage<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) tree: Tree<'a>,
    pub(super) accounts: Accounts,
    pub(super) dpkg: Database,
    pub(super) debconf: Debconf,
    uncovered: Vec<Uncovered>,
}

impl Package {
    /// The parsed control file.
    pub(super) fn stanza(&self) -> Result<control::Stanza, Error> {
        let wrong = |why: String| Error::Control { package: self.name.clone(), why };
        let bytes = self.control.get("control").ok_or_else(|| wrong("the member `control` is missing".to_owned()))?;
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        control::Stanza::parse(text).map_err(wrong)
    }
}

/// Configures a layer.
pub(super) fn run(input: &Input<'_>) -> Result<Output, Error> {
    let mut tree = Tree::new(input.root);
    skeleton::make(&mut tree, input);
    let (accounts, dpkg, debconf) = (Accounts::load(&tree)?, Database::load(&tree)?, Debconf::load(&tree)?);
    let mut stage = Stage { input, tree, accounts, dpkg, debconf, uncovered: Vec::new() };
    for package in input.packages {
        let name = stage.dpkg.install(&mut stage.tree, package)?;
        stage.debconf.add(package, &name);
    }
    let (table, _) = Table::load();
    let order = order::configuration(input.packages)?;
    // All are unpacked before the first is configured.
    for package in &order {
        stage.run(&table, package, "preinst")?;
    }
    for package in &order {
        stage.run(&table, package, "config")?;
        stage.run(&table, package, "postinst")?;
    }
    stage.accounts.recipe(input.users, input.groups)?;
    steps::triggers(&mut stage)?;
    apt::extended_states(&mut stage)?;
    if stage.dpkg.has("debconf") {
        stage.debconf.write(&mut stage.tree);
    }
    stage.accounts.write(&mut stage.tree);
    stage.dpkg.write(&mut stage.tree, input.arch);
    let mut output = stage.tree.finish();
    stage.uncovered.sort();
    stage.uncovered.dedup();
    output.uncovered = stage.uncovered;
    Ok(output)
}

impl Stage<'_> {
    /// Does what one script of a package does.
    fn run(&mut self, table: &Table, package: &Package, kind: &str) -> Result<(), Error> {
        let Some(bytes) = package.control.get(kind) else { return Ok(()) };
        let text = String::from_utf8_lossy(bytes);
        let reading = match table.coverage(&package.name, kind, &text, self.input.arch) {
            Coverage::Plain => None,
            Coverage::Read(reading) => Some(reading),
            Coverage::Changed(reading, digest) => {
                let version = reading.texts.last().map(|(_, version)| version.clone()).unwrap_or_default();
                self.report(
                    package,
                    kind,
                    format!("it changed since it was read in version {version} (digest {digest})"),
                );
                Some(reading)
            }
            Coverage::Unread(digest) => {
                self.report(package, kind, format!("it was never read (digest {digest})"));
                None
            }
        };
        for deed in reading.iter().flat_map(|reading| &reading.deeds) {
            if !deeds::perform(self, deed)? {
                self.report(package, kind, format!("`{deed}` is not a deed"));
            }
        }
        for missing in reading.iter().flat_map(|reading| &reading.missing) {
            self.report(package, kind, missing.clone());
        }
        if kind == "postinst" {
            self.tools(&Script::parse(&text))?;
        }
        Ok(())
    }

    /// Does what the tools do that a script calls with constant words.
    fn tools(&mut self, script: &Script) -> Result<(), Error> {
        for words in script.calls("systemd-sysusers") {
            for name in words.iter().filter(|word| constant(word) && word.ends_with(".conf") && !word.contains('/')) {
                if let Some(text) = self.tree.text(&format!("usr/lib/sysusers.d/{name}"))? {
                    accounts::sysusers(&mut self.accounts, &text)?;
                }
            }
        }
        for words in script.calls("update-alternatives") {
            if let Some(Some(install)) = alternatives::Install::parse(words) {
                install.apply(&mut self.tree)?;
            }
        }
        systemd::apply(&mut self.tree, script)?;
        sysv::apply(&mut self.tree, script)
    }

    fn report(&mut self, package: &Package, script: &str, why: String) {
        self.uncovered.push(Uncovered { package: package.name.clone(), script: script.to_owned(), why });
    }
}
