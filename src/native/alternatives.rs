//! `update-alternatives --install` (dpkg 1.21 and 1.22, `utils/update-alternatives.c`).
//!
//! ```text
//! var/lib/dpkg/alternatives/<name>    auto or manual; the master link; slave names and links; an empty line;
//!                                     then each choice: path, priority, one line a slave; an empty line
//! etc/alternatives/<name>             link to the best choice
//! <link>                              link to /etc/alternatives/<name>
//! ```

use super::Error;
use super::script::constant;
use super::tree::Tree;
use crate::layer::Kind;
use std::collections::BTreeMap;

/// One group: a generic link and what it may stand for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Group {
    manual: bool,
    link: String,
    /// Names of slave links and where they are.
    slaves: BTreeMap<String, String>,
    /// Choices by path.
    choices: BTreeMap<String, Choice>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Choice {
    priority: i32,
    /// Slaves by name.
    slaves: BTreeMap<String, String>,
}

/// One call with `--install`, read from its words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Install {
    link: String,
    name: String,
    path: String,
    priority: i32,
    /// Link, name and path of each slave.
    slaves: Vec<[String; 3]>,
}

impl Install {
    /// Reads a call's words. `None`: it installs nothing; `Some(None)`: it does, but what cannot be known without running the script.
    pub(super) fn parse(words: &[String]) -> Option<Option<Self>> {
        let at = words.iter().position(|word| word == "--install")?;
        let rest = &words[at + 1..];
        let [link, name, path, priority, more @ ..] = rest else { return Some(None) };
        let mut slaves = Vec::new();
        let mut more = more.iter();
        while let Some(word) = more.next() {
            if word != "--slave" {
                continue;
            }
            let (Some(link), Some(name), Some(path)) = (more.next(), more.next(), more.next()) else {
                return Some(None);
            };
            slaves.push([link.clone(), name.clone(), path.clone()]);
        }
        let all = [link, name, path].into_iter().chain(slaves.iter().flatten());
        let good = all.into_iter().all(|word| constant(word))
            && !name.contains('/')
            && path.starts_with('/')
            && link.starts_with('/');
        let priority = priority.parse().ok();
        Some(priority.filter(|_| good).map(|priority| Self {
            link: link.clone(),
            name: name.clone(),
            path: path.clone(),
            priority,
            slaves,
        }))
    }

    /// Adds the choice to its group and sets the links anew.
    pub(super) fn apply(&self, tree: &mut Tree<'_>) -> Result<(), Error> {
        // Like the tool, nothing is installed for a program that is not there.
        if !tree.exists(&self.path) {
            return Ok(());
        }
        let state = format!("var/lib/dpkg/alternatives/{}", self.name);
        let mut group = tree.text(&state)?.and_then(|text| Group::parse(&text)).unwrap_or_default();
        group.link.clone_from(&self.link);
        let mut choice = Choice { priority: self.priority, slaves: BTreeMap::new() };
        for [link, name, path] in &self.slaves {
            group.slaves.insert(name.clone(), link.clone());
            choice.slaves.insert(name.clone(), path.clone());
        }
        group.choices.insert(self.path.clone(), choice);
        group.slaves.retain(|name, _| group.choices.values().any(|choice| choice.slaves.contains_key(name)));
        tree.file(&state, 0o644, group.text());
        group.set_links(&self.name, tree);
        Ok(())
    }
}

impl Group {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let manual = lines.next()? == "manual";
        let link = lines.next()?.to_owned();
        let mut slaves = BTreeMap::new();
        let mut order = Vec::new();
        while let Some(name) = lines.next().filter(|line| !line.is_empty()) {
            order.push(name.to_owned());
            slaves.insert(name.to_owned(), lines.next()?.to_owned());
        }
        let mut choices = BTreeMap::new();
        while let Some(path) = lines.next().filter(|line| !line.is_empty()) {
            let mut choice = Choice { priority: lines.next()?.parse().ok()?, slaves: BTreeMap::new() };
            for name in &order {
                let path = lines.next()?;
                if !path.is_empty() {
                    choice.slaves.insert(name.clone(), path.to_owned());
                }
            }
            choices.insert(path.to_owned(), choice);
        }
        Some(Self { manual, link, slaves, choices })
    }

    fn text(&self) -> String {
        let mut lines = vec![if self.manual { "manual" } else { "auto" }.to_owned(), self.link.clone()];
        for (name, link) in &self.slaves {
            lines.extend([name.clone(), link.clone()]);
        }
        lines.push(String::new());
        for (path, choice) in &self.choices {
            lines.extend([path.clone(), choice.priority.to_string()]);
            lines.extend(self.slaves.keys().map(|name| choice.slaves.get(name).cloned().unwrap_or_default()));
        }
        lines.push(String::new());
        lines.join("\n") + "\n"
    }

    /// Points every link at the best choice: the highest priority, of equals the first path.
    fn set_links(&self, name: &str, tree: &mut Tree<'_>) {
        let best = self.choices.iter().max_by(|(a, x), (b, y)| x.priority.cmp(&y.priority).then(b.cmp(a)));
        let Some((path, choice)) = best.filter(|_| !self.manual) else { return };
        link(tree, &self.link, name, path);
        for (slave, at) in &self.slaves {
            match choice.slaves.get(slave).filter(|path| tree.exists(path)) {
                Some(path) => link(tree, at, slave, path),
                None => {
                    tree.remove(&format!("etc/alternatives/{slave}"));
                    if is_link(tree, at) {
                        tree.remove(at);
                    }
                }
            }
        }
    }
}

/// Sets both links of a name; a real file where the generic link should be is left alone, as the tool does without `--force`.
fn link(tree: &mut Tree<'_>, at: &str, name: &str, path: &str) {
    tree.symlink(&format!("etc/alternatives/{name}"), path);
    let taken = tree.place(at).is_some_and(|place| tree.get(place.as_str()).is_some());
    if !taken || is_link(tree, at) {
        tree.symlink(at, &format!("/etc/alternatives/{name}"));
    }
}

fn is_link(tree: &Tree<'_>, at: &str) -> bool {
    let place = tree.place(at);
    place.and_then(|place| tree.get(place.as_str())).is_some_and(|entry| matches!(entry.kind, Kind::Symlink { .. }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Mem;
    use super::*;

    fn call(text: &str) -> Install {
        Install::parse(&text.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap().unwrap()
    }

    #[test]
    fn the_best_choice_is_linked_with_the_slaves_it_has() {
        let root = Mem::new()
            .file("usr/bin/mawk", b"")
            .file("usr/bin/gawk", b"")
            .file("usr/share/man/man1/mawk.1.gz", b"")
            .directory("etc");
        let mut tree = Tree::new(&root);
        call("--install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/bin/nawk nawk /usr/bin/mawk --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz").apply(&mut tree).unwrap();
        call("--install /usr/bin/awk awk /usr/bin/gawk 10 --slave /usr/bin/nawk nawk /usr/bin/gawk")
            .apply(&mut tree)
            .unwrap();
        call("--install /usr/bin/awk awk /usr/bin/absent 50").apply(&mut tree).unwrap();
        let state = tree.text("var/lib/dpkg/alternatives/awk").unwrap().unwrap();
        assert_eq!(
            state,
            "auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n/usr/bin/nawk\n\n/usr/bin/gawk\n10\n\n/usr/bin/gawk\n/usr/bin/mawk\n5\n/usr/share/man/man1/mawk.1.gz\n/usr/bin/mawk\n\n"
        );
        assert_eq!(Group::parse(&state).unwrap().text(), state);
        assert_eq!(tree.resolve("usr/bin/awk").unwrap().as_str(), "usr/bin/gawk");
        assert!(tree.get("usr/share/man/man1/awk.1.gz").is_none() && tree.get("etc/alternatives/awk.1.gz").is_none());
    }

    #[test]
    fn what_is_not_constant_is_said() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Install::parse(&words("--remove awk /usr/bin/mawk")), None);
        assert_eq!(Install::parse(&words("--install /usr/bin/$x x /y 5")), Some(None));
    }
}
