//! Runs the steps: packages in the order in which they would be configured, then what triggers would do.

use super::accounts::{self, Accounts};
use super::debconf::Debconf;
use super::dpkg::Database;
use super::script::{Script, constant};
use super::scripts::Table;
use super::tree::Tree;
use std::collections::BTreeSet;

use super::{
    Error, Input, Output, Package, Uncovered, alternatives, apt, control, deeds, order, runit, skeleton, steps,
    systemd, sysv, tmpfiles,
};

/// The image while it is configured.
pub(super) struct Stage<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) tree: Tree<'a>,
    pub(super) accounts: Accounts,
    pub(super) dpkg: Database,
    pub(super) debconf: Debconf,
    /// The essential packages and what they need: configured before all others.
    pub(super) base: BTreeSet<String>,
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
    let mut stage = Stage { input, tree, accounts, dpkg, debconf, base: BTreeSet::new(), uncovered: Vec::new() };
    for package in input.packages {
        let name = stage.dpkg.install(&mut stage.tree, package)?;
        stage.debconf.add(package, &name);
    }
    stage.base = apt::essential(&stage.dpkg);
    let table = Table::get();
    let order = order::configuration(input.packages)?;
    // The essential ones are all unpacked before the first of them is configured; every other one finds them ready. Of the others, those
    // that some need before they are unpacked come first, each by itself.
    let early = order::early(input.packages)?;
    let (base, others): (Vec<&Package>, Vec<&Package>) =
        order.into_iter().partition(|package| stage.base.contains(&package.name));
    let (early, others): (Vec<&Package>, Vec<&Package>) =
        others.into_iter().partition(|package| early.contains(&package.name));
    stage.all(table, &base)?;
    // Behind base-passwd's and before every other's, so that a package finds the user that it would make with the recipe's number.
    stage.accounts.recipe(input.users, input.groups)?;
    for package in early {
        stage.all(table, &[package])?;
    }
    stage.all(table, &others)?;
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
    /// Does what the scripts of packages do that are unpacked together and then configured together.
    fn all(&mut self, table: &Table, packages: &[&Package]) -> Result<(), Error> {
        for package in packages {
            self.run(table, package, "preinst")?;
        }
        for package in packages {
            self.run(table, package, "config")?;
            self.run(table, package, "postinst")?;
        }
        Ok(())
    }

    /// Does what one script of a package does.
    fn run(&mut self, table: &Table, package: &Package, kind: &str) -> Result<(), Error> {
        let Some(bytes) = package.control.get(kind) else { return Ok(()) };
        let text = String::from_utf8_lossy(bytes);
        let coverage = table.coverage(&package.name, kind, &text, self.input.arch);
        if let Some(why) = coverage.gap() {
            self.report(package, kind, why);
        }
        let reading = coverage.reading();
        let script = Script::parse(&text);
        for deed in reading.iter().flat_map(|reading| &reading.deeds) {
            if let Some(missing) = deeds::perform(self, &script, deed)? {
                self.report(package, kind, missing);
            }
        }
        if kind == "postinst" {
            let told = reading.is_some_and(|reading| reading.deeds.iter().any(|deed| deed.starts_with("alternative ")));
            self.tools(package, &script, told)?;
            runit::apply(&mut self.tree, &text)?;
        }
        Ok(())
    }

    /// Does what the tools do that a script calls with constant words.
    fn tools(&mut self, package: &Package, script: &Script, told: bool) -> Result<(), Error> {
        for words in script.calls("systemd-sysusers") {
            // One call writes the accounts of all its files at once.
            let mut all = String::new();
            for name in words.iter().filter(|word| is_conf(word)) {
                all.push_str(&self.tree.text(&format!("usr/lib/sysusers.d/{name}"))?.unwrap_or_default());
                all.push('\n');
            }
            accounts::sysusers(&mut self.accounts, &all)?;
        }
        if self.tree.exists("usr/bin/systemd-tmpfiles") {
            for words in script.calls("systemd-tmpfiles") {
                for name in words.iter().filter(|word| is_conf(word)) {
                    if let Some(text) = self.tree.text(&format!("usr/lib/tmpfiles.d/{name}"))? {
                        tmpfiles::apply(&mut self.tree, &self.accounts, &text)?;
                    }
                }
            }
        }
        // A reading that tells the alternatives knows better which calls are made.
        for words in script.calls("update-alternatives").filter(|_| !told) {
            if let alternatives::Call::Install(install) = alternatives::Install::parse(words) {
                install.apply(&mut self.tree)?;
            }
        }
        let systemctl = systemd::knows_usr(&self.tree)? && !self.base.contains(&package.name);
        systemd::apply(&mut self.tree, script, systemctl)?;
        sysv::apply(&mut self.tree, script)
    }

    fn report(&mut self, package: &Package, script: &str, why: String) {
        self.uncovered.push(Uncovered { package: package.name.clone(), script: script.to_owned(), why });
    }
}

/// Whether a word is the name of a file of declarations.
fn is_conf(word: &str) -> bool {
    constant(word) && !word.contains('/') && word.rsplit_once('.').is_some_and(|(_, end)| end == "conf")
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;
    use crate::oci::Arch;
    use crate::recipe::{AccountName, User};
    use std::collections::BTreeMap;

    /// The image's numbers are the recipe's, which stay what they are whatever packages join it; volumes outlive images.
    #[test]
    fn a_package_takes_the_user_that_the_recipe_made_first() {
        let root = Mem::new().file("usr/lib/sysusers.d/db.conf", b"u db - \"Database\" /var/lib/db\nu other -\n");
        let script = b"#!/bin/sh\nset -e\nsystemd-sysusers db.conf\n".to_vec();
        let control = BTreeMap::from([
            ("control".to_owned(), b"Package: db\nVersion: 1\nArchitecture: all\n".to_vec()),
            ("postinst".to_owned(), script),
        ]);
        let [name, version, arch] = ["db", "1", "all"].map(str::to_owned);
        let packages = [Package { name, version, arch, control, paths: Vec::new() }];
        let (home, shell) = ("/data".to_owned(), "/usr/sbin/nologin".to_owned());
        let user = User { uid: 999, gid: 999, home, shell, comment: String::new() };
        let users = BTreeMap::from([(AccountName::parse("db").unwrap(), user)]);
        let (requested, groups) = (BTreeSet::new(), BTreeMap::new());
        let input = Input {
            arch: Arch::Amd64,
            root: &root,
            packages: &packages,
            requested: &requested,
            users: &users,
            groups: &groups,
        };
        let output = crate::native::configure(&input).unwrap();
        let text = |path: &str| {
            let (_, content) = output.entries.iter().find(|(entry, _)| entry.path.as_str() == path).unwrap();
            String::from_utf8(content.clone()).unwrap()
        };
        assert_eq!(text("etc/passwd"), "db:!:999:999::/data:/usr/sbin/nologin\nother:!:998:998::/:/usr/sbin/nologin\n");
        assert_eq!(text("etc/group"), "db:!:999:\nother:!:998:\n");
    }
}
