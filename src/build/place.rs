//! Where a path really is, once the links of the image are followed, as the kernel would inside it.

use super::error::Error;
use crate::layer::{Entry, Kind};
use crate::oci::TreePath;
use std::collections::BTreeMap;

/// The kernel's own limit on links in one path (`MAXSYMLINKS`).
const MOST_LINKS: usize = 40;

/// Finds the real place of a path, all but its last component resolved, so that nothing that is written replaces a link by a directory.
pub(super) fn resolve<'a>(path: &TreePath, get: &dyn Fn(&str) -> Option<&'a Entry>) -> Result<TreePath, Error> {
    let mut real: Vec<String> = Vec::new();
    let mut rest: Vec<String> = path.as_str().split('/').rev().map(str::to_owned).collect();
    let mut links = 0;
    while let Some(component) = rest.pop() {
        match component.as_str() {
            "" | "." => continue,
            ".." => {
                real.pop();
                continue;
            }
            _ => real.push(component),
        }
        if rest.is_empty() {
            break;
        }
        let here = real.join("/");
        match get(&here).map(|entry| &entry.kind) {
            None | Some(Kind::Directory) => {}
            Some(Kind::Symlink { target }) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Error::Link { path: path.clone(), link: TreePath::parse(&here)? });
                }
                real.pop();
                if target.starts_with('/') {
                    real.clear();
                }
                rest.extend(target.split('/').rev().map(str::to_owned));
            }
            Some(_) => {
                let through = TreePath::parse(&here)?;
                return Err(Error::Through { path: path.clone(), through, what: "not a directory" });
            }
        }
    }
    TreePath::parse(&real.join("/")).map_err(|_| Error::Link { path: path.clone(), link: path.clone() })
}

/// Resolves paths of which most stand beside the one before.
pub(super) struct Resolver<'g, 'a> {
    get: &'g dyn Fn(&str) -> Option<&'a Entry>,
    /// The last directory, and where a path in it really is, but for its name.
    last: Option<(String, Option<TreePath>)>,
}

impl<'g, 'a> Resolver<'g, 'a> {
    /// Over what the image has.
    pub(super) fn new(get: &'g dyn Fn(&str) -> Option<&'a Entry>) -> Self {
        Self { get, last: None }
    }

    /// As [`resolve`].
    pub(super) fn resolve(&mut self, path: &TreePath) -> Result<TreePath, Error> {
        let (directory, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        if let Some((last, real)) = &self.last
            && last == directory
        {
            return Ok(real.as_ref().map_or_else(|| TreePath::parse(name), |real| real.join(name))?);
        }
        let place = resolve(path, self.get)?;
        self.last = Some((directory.to_owned(), place.parent()));
        Ok(place)
    }
}

/// The directories that have to be made above some paths, since neither the image nor the layer has them: root's, 0755.
pub(super) fn add_parents<'a>(
    directories: &mut BTreeMap<TreePath, Entry>,
    paths: impl IntoIterator<Item = &'a TreePath>,
    get: &dyn Fn(&str) -> Option<&'a Entry>,
) -> Result<(), Error> {
    let mut before = None;
    for path in paths {
        // Most paths stand beside the one before.
        let parent = path.as_str().rsplit_once('/').map(|(parent, _)| parent);
        if parent.is_none() || parent == before {
            continue;
        }
        before = parent;
        for above in path.ancestors() {
            if directories.contains_key(&above) {
                continue;
            }
            match get(above.as_str()).map(|entry| &entry.kind) {
                Some(Kind::Directory) => {}
                Some(_) => return Err(Error::Through { path: path.clone(), through: above, what: "not a directory" }),
                None => {
                    directories.insert(above.clone(), Entry::directory(above, 0o755));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    #[test]
    fn links_are_followed_inside_the_image_only() {
        let tree: BTreeMap<&str, Entry> = [
            ("bin", Entry::symlink(path("bin"), "usr/bin")),
            ("usr", Entry::directory(path("usr"), 0o755)),
            ("var/run", Entry::symlink(path("var/run"), "/run")),
            ("up", Entry::symlink(path("up"), "../../../etc")),
            ("loop", Entry::symlink(path("loop"), "loop")),
            ("file", Entry::file(path("file"), 0o644, 0)),
        ]
        .into();
        let get = |at: &str| tree.get(at);
        let real = |text: &str| resolve(&path(text), &get).map(|path| path.to_string());
        assert_eq!(real("bin/tool").unwrap(), "usr/bin/tool");
        assert_eq!(real("bin").unwrap(), "bin", "the last component stays");
        assert_eq!(real("var/run/x/y").unwrap(), "run/x/y");
        assert_eq!(real("up/x").unwrap(), "etc/x");
        assert_eq!(real("new/x").unwrap(), "new/x");
        assert!(matches!(real("loop/x"), Err(Error::Link { .. })));
        assert!(matches!(real("file/x"), Err(Error::Through { .. })));

        let mut beside = Resolver::new(&get);
        for text in ["bin/a", "bin/b", "up/a", "up/b", "a", "b", "var/run/x/y", "var/run/x/z", "loop/x", "loop/y"] {
            assert_eq!(beside.resolve(&path(text)).ok(), resolve(&path(text), &get).ok(), "{text}");
        }
    }
}
