//! `/etc/ld.so.cache`, as `ldconfig` writes it (glibc 2.36 and 2.41, `elf/ldconfig.c`).
//!
//! The directories of `/etc/ld.so.conf` and the two built-in ones are searched for shared libraries; each soname of each directory becomes
//! one entry, and a link of that name is made where a package ships none.

mod cache;
mod elf;
mod window;

use super::Error;
use super::tree::Tree;
use crate::layer::{Entry, Kind};
use crate::oci::{Arch, TreePath};
use cache::Cache;
use elf::Object;
use rayon::prelude::*;
use std::collections::BTreeMap;
use window::Window;

const CACHE: &str = "etc/ld.so.cache";

/// How deep `include` lines may nest.
const MAX_INCLUDES: usize = 8;

/// Writes the cache anew; only where there is a configuration, which comes with libc-bin, as ldconfig does.
pub(super) fn update(tree: &mut Tree<'_>, arch: Arch) -> Result<(), Error> {
    let Some(generator) = generator(tree)? else { return Ok(()) };
    let mut directories = Vec::new();
    configured(tree, "/etc/ld.so.conf", 0, &mut directories)?;
    directories.extend(["/lib", "/usr/lib"].map(str::to_owned));
    let mut seen: Vec<TreePath> = Vec::new();
    let mut cache = Cache::new(arch);
    for directory in directories {
        let Some(at) = tree.resolve(&directory).filter(|at| tree.get(at.as_str()).is_some_and(Entry::is_directory))
        else {
            continue;
        };
        if seen.contains(&at) {
            continue;
        }
        seen.push(at.clone());
        search(tree, arch, &directory, None, &mut cache)?;
        for level in tree.names(&format!("{directory}/glibc-hwcaps")) {
            let sub = format!("{directory}/glibc-hwcaps/{level}");
            if tree.is_directory(&sub) {
                search(tree, arch, &sub, Some(&level), &mut cache)?;
            }
        }
    }
    tree.directory("var/cache/ldconfig", 0o700);
    tree.file(CACHE, 0o644, cache.bytes(&generator));
    Ok(())
}

/// What ldconfig calls itself in the cache: a text in the program, which has the version of the package in it.
fn generator(tree: &Tree<'_>) -> Result<Option<String>, Error> {
    const START: &[u8] = b"ldconfig (";
    let Some(program) = tree.read("usr/sbin/ldconfig")? else { return Ok(None) };
    let Some(at) = memchr::memmem::find(&program, START) else { return Ok(None) };
    let text = program[at..].split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(std::str::from_utf8(text).ok().filter(|text| text.contains(" release version ")).map(str::to_owned))
}

/// The directories that a configuration file names, in order (`parse_conf`).
fn configured(tree: &Tree<'_>, file: &str, depth: usize, into: &mut Vec<String>) -> Result<(), Error> {
    let Some(text) = tree.text(file)?.filter(|_| depth < MAX_INCLUDES) else { return Ok(()) };
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(patterns) = line.strip_prefix("include").filter(|rest| rest.starts_with([' ', '\t'])) {
            for pattern in patterns.split_whitespace() {
                let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/{pattern}") };
                let (directory, name) = pattern.rsplit_once('/').unwrap_or_default();
                let (head, tail) = name.split_once('*').unwrap_or((name, ""));
                let star = name.contains('*');
                for found in tree.names(directory) {
                    let fits = if star {
                        found.len() >= head.len() + tail.len() && found.starts_with(head) && found.ends_with(tail)
                    } else {
                        found == name
                    };
                    if fits && !(star && found.starts_with('.')) {
                        configured(tree, &format!("{directory}/{found}"), depth + 1, into)?;
                    }
                }
            }
        } else if line.starts_with('/') {
            into.push(line.trim_end_matches('/').to_owned());
        }
    }
    Ok(())
}

/// A library of a directory.
struct Library {
    name: String,
    flags: u32,
    is_link: bool,
}

/// Adds the libraries of one directory (`search_dir`): per soname one file, a real one before a link, then the higher version.
fn search(
    tree: &mut Tree<'_>,
    arch: Arch,
    directory: &str,
    level: Option<&str>,
    cache: &mut Cache,
) -> Result<(), Error> {
    let names: Vec<String> = tree.names(directory).into_iter().filter(|name| is_library(name)).collect();
    let seen: Vec<_> = names.par_iter().map(|name| object(tree, arch, &format!("{directory}/{name}"))).collect();
    let mut found: BTreeMap<String, Library> = BTreeMap::new();
    for (name, seen) in names.into_iter().zip(seen) {
        // Of several errors the first by name is told, whichever thread was first.
        let Some((mut is_link, object)) = seen? else { continue };
        let mut soname = object.soname.unwrap_or_else(|| name.clone());
        // A link that is neither the soname nor what the linker of a compiler uses counts as a file of its own.
        if is_link
            && name != soname
            && !(name.rsplit_once('.').is_some_and(|(_, end)| end == "so") && soname.starts_with(&name))
        {
            is_link = false;
        }
        if is_link {
            soname.clone_from(&name);
        }
        let new = Library { name, flags: object.flags, is_link };
        match found.get_mut(&soname) {
            Some(old) => {
                let better = (!new.is_link && old.is_link)
                    || (new.is_link == old.is_link && cache::compare(&old.name, &new.name).is_lt());
                if better {
                    *old = new;
                }
            }
            None => drop(found.insert(soname, new)),
        }
    }
    for (soname, library) in found {
        let file = if level.is_some() { &library.name } else { &soname };
        if level.is_none() && !library.is_link {
            link(tree, directory, &library.name, &soname);
        }
        cache.add(directory, file, &soname, library.flags, level);
    }
    Ok(())
}

/// What a file is, and whether by a link; `None`: no library.
fn object(tree: &Tree<'_>, arch: Arch, file: &str) -> Result<Option<(bool, Object)>, Error> {
    let Some(at) = tree.place(file) else { return Ok(None) };
    let is_link = match tree.get(at.as_str()).map(|entry| &entry.kind) {
        Some(Kind::Symlink { .. }) => true,
        Some(Kind::File { .. } | Kind::Hardlink { .. }) => false,
        _ => return Ok(None),
    };
    // A library has megabytes, of which three small places matter.
    let window = Window::new(|offset, length| Ok(tree.part(file, offset, length)?.unwrap_or_default()));
    let object = elf::read(&window, arch);
    window.finish()?;
    Ok(object.map(|object| (is_link, object)))
}

/// Makes the link of a soname, where none leads to the library (`create_links`).
fn link(tree: &mut Tree<'_>, directory: &str, name: &str, soname: &str) {
    let (file, link) = (format!("{directory}/{name}"), format!("{directory}/{soname}"));
    if name == soname || soname.contains('/') || tree.resolve(&file) == tree.resolve(&link) {
        return;
    }
    let there = tree.place(&link).and_then(|at| tree.get(at.as_str())).map(|entry| &entry.kind);
    if matches!(there, None | Some(Kind::Symlink { .. })) {
        tree.symlink(&link, name);
    }
}

/// Whether a name looks like a shared library's (`search_dir`, `skip_dso_based_on_name`).
fn is_library(name: &str) -> bool {
    (name.starts_with("lib") || name.starts_with("ld-"))
        && name.contains(".so")
        && !name.ends_with(".dpkg-new")
        && !name.ends_with(".dpkg-tmp")
        && !name.ends_with("-gdb.py")
        && !name.contains(".#prelink#")
}
