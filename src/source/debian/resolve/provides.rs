//! Who answers to which names: Provides, and what the architectures behind names mean where there is one architecture.
//!
//! apt makes a name of its own of each spelling (apt-pkg/deb/deblistparser.cc, `ParseDepends` and `ParseProvides`): `python3:any` is answered by
//! the releases of `python3` that are `Multi-Arch: allowed`, `python3:amd64` on amd64 by all of them.

use super::error::Error;
use super::graph::{Graph, NameId, ReleaseId, Spelling};
use super::release::Origin;
use super::universe::bare_name;
use crate::source::debian::{ArchQualifier, Atom, MultiArch, Op, Relation, Version};
use std::rc::Rc;

/// A release that answers to another name.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) owner: NameId,
    pub(super) release: ReleaseId,
    pub(super) version: Option<Version>,
}

impl<'a> Graph<'a> {
    /// Who answers to a name besides the packages of that name, the last mentioned first, as apt lists them.
    pub(super) fn providers(&mut self, name: NameId) -> Rc<[Provider]> {
        if let Some(providers) = &self.node(name).providers {
            return Rc::clone(providers);
        }
        let (text, spelling) = (self.node(name).name, self.node(name).spelling);
        let mut list = Vec::new();
        if matches!(spelling, Spelling::Any | Spelling::Own) {
            let real = self.name(text, Spelling::Plain);
            for release in self.node(real).releases.clone() {
                let allowed = self.release(release).multi_arch == MultiArch::Allowed;
                if spelling == Spelling::Own || allowed {
                    let version = Some(self.release(release).version.clone());
                    list.push(Provider { owner: real, release, version });
                }
            }
        }
        if spelling != Spelling::Foreign {
            let universe = self.universe;
            for (at, member) in universe.providers(text) {
                let owner = self.name(at.package.name(), Spelling::Plain);
                // Of the same file in two suites the first stands for both.
                if let Some(release) = self.placed.get(&(at.source, at.place)).copied() {
                    self.add_provider(owner, release, member, spelling, &mut list);
                }
            }
            let installed: Vec<ReleaseId> = self.nodes.iter().filter_map(|node| node.installed).collect();
            for release in installed {
                let Origin::Installed(_, stanza) = &self.release(release).origin else { continue };
                let (owner, provides) = (self.release(release).name, stanza.get("Provides").unwrap_or_default());
                for member in provides.split(',').map(str::trim_ascii).filter(|m| bare_name(m) == text) {
                    self.add_provider(owner, release, member, spelling, &mut list);
                }
            }
        }
        list.reverse();
        let providers: Rc<[Provider]> = list.into();
        self.nodes[name.index()].providers = Some(Rc::clone(&providers));
        providers
    }

    fn add_provider(
        &mut self,
        owner: NameId,
        release: ReleaseId,
        member: &'a str,
        spelling: Spelling,
        list: &mut Vec<Provider>,
    ) {
        let atom = match Atom::parse(member) {
            Ok(atom) => atom,
            Err(source) => {
                let package = self.node(owner).name.to_owned();
                self.fault.get_or_insert(Error::Relation { package, field: "Provides", source });
                return;
            }
        };
        let answers = match (spelling, atom.arch) {
            (Spelling::Plain | Spelling::Own, None) | (Spelling::Any, Some(ArchQualifier::Any)) => true,
            (Spelling::Any, None) => self.release(release).multi_arch == MultiArch::Allowed,
            (Spelling::Plain | Spelling::Own, Some(ArchQualifier::Arch(arch))) => arch == self.universe.arch(),
            _ => false,
        };
        let version = match atom.relation {
            None => None,
            Some(Relation { op: Op::Equal, version }) => Some(version),
            // apt ignores what is provided in more than one version.
            Some(_) => return,
        };
        // A package that provides its own name in its own version says nothing new.
        let itself = spelling == Spelling::Plain
            && self.node(owner).name == atom.name
            && version.as_ref().is_none_or(|v| v.as_str() == self.release(release).version.as_str());
        if answers && !itself {
            list.push(Provider { owner, release, version });
        }
    }

    /// The names that a release answers to besides its own.
    pub(super) fn provides(&mut self, release: ReleaseId) -> Rc<[NameId]> {
        if let Some(names) = &self.release(release).provides {
            return Rc::clone(names);
        }
        let owner = self.node(self.release(release).name).name;
        let allowed = self.release(release).multi_arch == MultiArch::Allowed;
        let mut list = Vec::new();
        let text = self.release(release).origin.provides_text();
        for member in text.split(',').map(str::trim_ascii).filter(|m| !m.is_empty()) {
            let name = bare_name(member);
            list.extend([Spelling::Plain, Spelling::Own].map(|spelling| self.name(name, spelling)));
            if allowed || member[name.len()..].starts_with(":any") {
                list.push(self.name(name, Spelling::Any));
            }
        }
        list.push(self.name(owner, Spelling::Own));
        if allowed {
            list.push(self.name(owner, Spelling::Any));
        }
        let names: Rc<[NameId]> = list.into();
        self.releases[release.index()].provides = Some(Rc::clone(&names));
        names
    }
}
