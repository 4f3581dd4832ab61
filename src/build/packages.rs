//! A packages layer: the fragments of its packages, put together as dpkg would, and configured.

use super::bundle;
use super::error::Error;
use super::exclude::Exclude;
use super::merged::WHITEOUT;
use super::owners;
use super::place::{add_parents, resolve};
use super::results::{Fragment, Layered, Run, Unpacked};
use super::trees::{Piece, fragment, put_directories, put_fragment};
use super::unpack::merged;
use super::view::{View, misformed, parse_directories, read_index};
use crate::digest::HashingWriter;
use crate::layer::{Entry, Index, Rewrite, rewrite};
use crate::native::{self, Package, Root};
use crate::oci::{Arch, TreePath};
use crate::plan::{Accounts, PackagesWork, rewrite_key};
use crate::recipe::Configure;
use crate::source::debian::Stanza;
use crate::store::Store;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A package of the layer, as it is put together with the others.
pub(super) struct Member {
    pub(super) package: Package,
    files: Fragment,
    pub(super) index: Index,
    directories: Vec<Entry>,
    change: Rewrite,
}

impl Member {
    /// Where one of the index's paths stands in the layer.
    pub(super) fn place(&self, path: &TreePath) -> TreePath {
        self.change.rename.get(path).unwrap_or(path).clone()
    }

    /// The places of what the package still has.
    pub(super) fn kept(&self) -> impl Iterator<Item = TreePath> + '_ {
        let paths = self.index.entries().iter().map(|indexed| &indexed.entry.path);
        paths.filter(|path| !self.change.drop.contains(*path)).map(|path| self.place(path))
    }

    /// Leaves a file to another package: it goes from the layer, and from the package's own list.
    pub(super) fn lose(&mut self, place: &TreePath) {
        let mut paths = self.index.entries().iter().map(|indexed| &indexed.entry.path);
        let Some(path) = paths.find(|path| self.place(path) == *place).cloned() else { return };
        let is_it = |listed: &String| {
            TreePath::parse(listed.trim_start_matches('/')).is_ok_and(|listed| merged(&listed) == path)
        };
        self.package.paths.retain(|listed| !is_it(listed));
        self.change.drop.insert(path);
    }
}

/// Makes a layer of unpacked packages.
pub(super) fn packages(
    store: &Store,
    mut view: View<'_>,
    work: &PackagesWork,
    unpacked: &[Unpacked],
    arch: Arch,
    title: &str,
) -> Result<Layered, Error> {
    let mut members = unpacked.par_iter().map(|unpacked| member(store, unpacked)).collect::<Result<Vec<_>, _>>()?;
    members.sort_by(|a, b| (&a.package.name, &a.package.arch).cmp(&(&b.package.name, &b.package.arch)));
    let below: BTreeMap<TreePath, Entry> = view.entries().map(|entry| (entry.path.clone(), entry.clone())).collect();
    let mut dirs = follow_links(&below, &mut members)?;
    owners::within(&mut members)?;
    let lists = owners::below(&mut members, &below, &view)?;
    exclude(&Exclude::new(&work.exclude), &mut members, &mut dirs);
    for member in &mut members {
        member.change.clamp = Some(work.epoch).filter(|epoch| member.index.max_mtime() > *epoch);
        apply(store, member, title)?;
    }
    // dpkg leaves a directory that is there as it is.
    dirs.retain(|path, _| !below.get(path).is_some_and(Entry::is_directory));
    for directory in dirs.values() {
        view.add_directory(directory.clone());
    }
    for member in &members {
        view.add_fragment(&member.files, &member.index);
    }

    let mut output = native::Output::default();
    if work.configure == Configure::Native {
        // No one else needs them any more, and their control files are large.
        let described: Vec<Package> = members.iter_mut().map(|member| std::mem::take(&mut member.package)).collect();
        let input = native::Input {
            arch,
            root: &view,
            packages: &described,
            requested: &work.requested,
            users: &work.accounts.users,
            groups: &work.accounts.groups,
        };
        output = native::configure(&input).map_err(Error::native(title))?;
    }
    let mut pieces = made(&|path| below.get(path), &view, std::mem::take(&mut output.entries), &mut dirs)?;
    for (path, list) in lists {
        pieces.entry(path.clone()).or_insert_with(|| Piece::made(Entry::file(path, 0o644, list.len() as u64), list));
    }
    let gone: BTreeSet<&TreePath> = output.removed.iter().chain(output.moved.keys()).collect();
    for path in gone {
        dirs.remove(path);
        if below.contains_key(path) && !output.moved.contains_key(path) {
            let name = format!("{WHITEOUT}{}", path.name());
            let at = path.parent().map_or_else(|| TreePath::parse(&name), |parent| parent.join(&name))?;
            pieces.insert(at.clone(), Piece::made(Entry::file(at, 0o644, 0), Vec::new()));
        }
    }
    // What scripts put in the place of a directory stands there now: `/var/run` of base-files becomes a link.
    dirs.retain(|path, _| !pieces.contains_key(path));
    for member in &mut members {
        member.change = Rewrite::default();
        for indexed in member.index.entries() {
            let path = &indexed.entry.path;
            if let Some(to) = output.moved.get(path) {
                member.change.rename.insert(path.clone(), to.clone());
            } else if pieces.contains_key(path) || output.removed.contains(path) || dirs.contains_key(path) {
                member.change.drop.insert(path.clone());
            }
        }
        apply(store, member, title)?;
    }
    let paths: Vec<TreePath> = members
        .iter()
        .flat_map(|member| member.index.entries().iter().map(|indexed| indexed.entry.path.clone()))
        .chain(pieces.keys().cloned())
        .chain(dirs.keys().cloned())
        .collect();
    add_parents(&mut dirs, &paths, &|path: &str| below.get(path))?;
    let mut fragments: Vec<Fragment> =
        members.iter().filter(|member| !member.index.entries().is_empty()).map(|member| member.files).collect();
    if !pieces.is_empty() {
        fragments.push(fragment(store, pieces.values(), title)?);
    }
    let uncovered = output.uncovered.into_iter().map(|one| (one.package, one.script, one.why)).collect();
    Ok(Layered { directories: put_directories(store, &dirs, title)?, fragments, uncovered })
}

fn member(store: &Store, unpacked: &Unpacked) -> Result<Member, Error> {
    let form = |expected| misformed(store, unpacked.package.digest, expected);
    let mut parts = bundle::decode(&store.read(&unpacked.package)?).ok_or_else(|| form("an unpacked package"))?;
    let directories = parts.remove("directories").unwrap_or_default();
    let paths = parts.remove("paths").unwrap_or_default();
    let control: BTreeMap<String, Vec<u8>> = parts
        .into_iter()
        .filter_map(|(name, bytes)| Some((name.strip_prefix("control/")?.to_owned(), bytes)))
        .collect();
    let text = String::from_utf8_lossy(control.get("control").map_or(&[][..], Vec::as_slice)).into_owned();
    let stanza = Stanza::parse(&text).map_err(|_| form("a package with a control file"))?;
    let field = |name| stanza.get(name).unwrap_or_default().to_owned();
    let package = Package {
        name: field("Package"),
        version: field("Version"),
        arch: field("Architecture"),
        paths: String::from_utf8_lossy(&paths).lines().map(str::to_owned).collect(),
        control,
    };
    Ok(Member {
        package,
        files: unpacked.files,
        index: read_index(store, &unpacked.files)?,
        directories: parse_directories(&directories).map_err(|_| form("a fragment of directories"))?,
        change: Rewrite::default(),
    })
}

/// Puts what stands below a link to a directory behind that link, as dpkg does, and collects the directories: of several
/// packages' views of one, that of base-files counts, then the first by name.
fn follow_links(below: &BTreeMap<TreePath, Entry>, members: &mut [Member]) -> Result<BTreeMap<TreePath, Entry>, Error> {
    let mut links: BTreeMap<&str, &Entry> = BTreeMap::new();
    let mut directories: BTreeSet<&str> = BTreeSet::new();
    for member in members.iter() {
        directories.extend(member.directories.iter().map(|directory| directory.path.as_str()));
    }
    // Only a link at a place where something else has a directory, or below which something stands, can matter.
    let symlink = |entry: &Entry| matches!(entry.kind, crate::layer::Kind::Symlink { .. });
    for member in members.iter() {
        links.extend(
            member.index.entries().iter().map(|i| (i.entry.path.as_str(), &i.entry)).filter(|(_, e)| symlink(e)),
        );
    }
    for (path, entry) in below.iter().filter(|(_, entry)| symlink(entry)) {
        links.insert(path.as_str(), entry);
    }
    let get = |path: &str| links.get(path).copied();
    let mut real: BTreeMap<TreePath, TreePath> = BTreeMap::new();
    let mut renames: Vec<BTreeMap<TreePath, TreePath>> = Vec::new();
    let mut dirs: BTreeMap<TreePath, Entry> = BTreeMap::new();
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&at| members[at].package.name != "base-files");
    for at in order {
        for directory in &members[at].directories {
            let place = match get(directory.path.as_str()) {
                Some(_) => directory_behind(&directory.path, &get)?,
                None => resolve(&directory.path, &get)?,
            };
            dirs.entry(place.clone()).or_insert_with(|| Entry { path: place, ..directory.clone() });
        }
    }
    for member in members.iter() {
        let mut rename = BTreeMap::new();
        for indexed in member.index.entries() {
            let path = &indexed.entry.path;
            let Some(parent) = path.parent() else { continue };
            let place = match real.get(&parent) {
                Some(place) => place.clone(),
                None => {
                    let place = directory_behind(&parent, &get)?;
                    real.insert(parent.clone(), place.clone());
                    place
                }
            };
            if place != parent {
                rename.insert(path.clone(), place.join(path.name())?);
            }
        }
        renames.push(rename);
    }
    for (member, rename) in members.iter_mut().zip(renames) {
        member.change.rename = rename;
    }
    Ok(dirs)
}

fn directory_behind<'a>(path: &TreePath, get: &dyn Fn(&str) -> Option<&'a Entry>) -> Result<TreePath, Error> {
    let below = resolve(&path.join("x")?, get)?;
    below.parent().ok_or_else(|| Error::Link { path: path.clone(), link: path.clone() })
}

fn exclude(exclude: &Exclude, members: &mut [Member], dirs: &mut BTreeMap<TreePath, Entry>) {
    if exclude.is_empty() {
        return;
    }
    let mut kept: BTreeSet<TreePath> = BTreeSet::new();
    for member in members {
        for indexed in member.index.entries() {
            let old = &indexed.entry.path;
            let path = member.change.rename.get(old).unwrap_or(old);
            if exclude.file(path) {
                member.change.drop.insert(old.clone());
            } else {
                kept.extend(path.ancestors());
            }
        }
    }
    dirs.retain(|path, _| kept.contains(path) || !exclude.empty_directory(path));
}

/// Changes a member's fragment as was decided; a change that was made before is taken from the store.
fn apply(store: &Store, member: &mut Member, title: &str) -> Result<(), Error> {
    if !member.change.changes(&member.index) {
        return Ok(());
    }
    let key = rewrite_key(&member.files.tar.digest, &member.change);
    let files = match store.action::<Run>(&key)? {
        Some(run) => run.files,
        None => {
            store.ensure(&member.files.tar)?;
            let mut content = store.open_file(&member.files.tar.digest)?;
            let mut out = HashingWriter::new(store.writer()?);
            let index = rewrite(&member.index, &mut content, &member.change, &mut out).map_err(Error::layer(title))?;
            let files = put_fragment(store, out, &index)?;
            store.put_action(&key, &Run { files })?;
            files
        }
    };
    member.index = read_index(store, &files)?;
    member.files = files;
    Ok(())
}

/// What configuring made, without what is there already, by path; its directories go to the others.
fn made<'b>(
    below: &dyn Fn(&str) -> Option<&'b Entry>,
    view: &View<'_>,
    entries: Vec<(Entry, Vec<u8>)>,
    dirs: &mut BTreeMap<TreePath, Entry>,
) -> Result<BTreeMap<TreePath, Piece>, Error> {
    let mut pieces = BTreeMap::new();
    for (entry, bytes) in entries {
        let path = entry.path.clone();
        if entry.is_directory() {
            if below(path.as_str()) != Some(&entry) {
                dirs.insert(path, entry);
            }
            continue;
        }
        let read = |source| Error::native(path.as_str())(native::Error::Read { path: path.clone(), source });
        let same = below(path.as_str()) == Some(&entry)
            && view.read(path.as_str()).map_err(read)?.unwrap_or_default() == bytes;
        if !same {
            pieces.insert(path, Piece::made(entry, bytes));
        }
    }
    Ok(pieces)
}

/// Makes a layer of nothing but users and groups.
pub(super) fn accounts(store: &Store, view: &View<'_>, accounts: &Accounts, title: &str) -> Result<Layered, Error> {
    let output = native::add_accounts(view, &accounts.users, &accounts.groups).map_err(Error::native(title))?;
    let below = |path: &str| view.get(path);
    let mut dirs = BTreeMap::new();
    let pieces = made(&below, view, output.entries, &mut dirs)?;
    let paths: Vec<TreePath> = pieces.keys().chain(dirs.keys()).cloned().collect();
    add_parents(&mut dirs, &paths, &below)?;
    let fragments = if pieces.is_empty() { Vec::new() } else { vec![fragment(store, pieces.values(), title)?] };
    Ok(Layered { directories: put_directories(store, &dirs, title)?, fragments, uncovered: Vec::new() })
}
