//! What a packages layer leaves out: documentation, manuals, translations, and whatever globs say.

use crate::oci::TreePath;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Decides which paths of packages stay out of the image.
pub(super) struct Exclude {
    named: GlobSet,
    /// Whether `usr/share/doc` goes, all but the copyright files, which licences want to stay.
    doc: bool,
}

impl Exclude {
    /// Takes the words `doc`, `man`, `locale`, and path globs; the recipe room has checked that they are globs.
    pub(super) fn new(words: &[String]) -> Self {
        let mut set = GlobSetBuilder::new();
        let mut doc = false;
        for word in words {
            let globs: &[&str] = match word.as_str() {
                "doc" => {
                    doc = true;
                    &["usr/share/doc-base/**", "usr/share/info/**", "usr/share/lintian/**"]
                }
                "man" => &["usr/share/man/**"],
                // Of the translations of programs; what libc needs for C.UTF-8 is not among them.
                "locale" => &["usr/share/locale/*/**", "usr/share/i18n/locales/**"],
                glob => &[glob],
            };
            for glob in globs {
                let glob = glob.trim_start_matches('/');
                if let Ok(glob) = GlobBuilder::new(glob).literal_separator(true).build() {
                    set.add(glob);
                }
            }
        }
        Self { named: set.build().unwrap_or_default(), doc }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && !self.doc
    }

    /// Whether something that is no directory stays out.
    pub(super) fn file(&self, path: &TreePath) -> bool {
        self.named.is_match(path.as_str())
            || path.ancestors().any(|above| self.named.is_match(above.as_str()))
            || (self.doc && path.as_str().starts_with("usr/share/doc/") && path.name() != "copyright")
    }

    /// Whether a directory stays out if nothing is left in it.
    pub(super) fn empty_directory(&self, path: &TreePath) -> bool {
        self.named.is_match(path.as_str()) || (self.doc && path.as_str().starts_with("usr/share/doc/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copyright_files_stay() {
        let words = ["doc", "man", "locale", "/usr/lib/*.la"].map(str::to_owned);
        let exclude = Exclude::new(&words);
        let out = |text: &str| exclude.file(&TreePath::parse(text).unwrap());
        for path in [
            "usr/share/doc/x/changelog.gz",
            "usr/share/doc/x/examples/a",
            "usr/share/man/man1/x.1.gz",
            "usr/share/locale/de/LC_MESSAGES/x.mo",
            "usr/lib/x.la",
        ] {
            assert!(out(path), "{path}");
        }
        for path in [
            "usr/share/doc/x/copyright",
            "usr/share/locale/locale.alias",
            "usr/lib/a/x.la",
            "usr/share/common-licenses/GPL",
        ] {
            assert!(!out(path), "{path}");
        }
        assert!(Exclude::new(&[]).is_empty());
        // Unless they are named.
        let named = Exclude::new(&["doc", "/usr/share/doc/*/copyright"].map(str::to_owned));
        assert!(named.file(&TreePath::parse("usr/share/doc/x/copyright").unwrap()));
        assert!(!named.file(&TreePath::parse("usr/share/doc/x/y/copyright").unwrap()));
        let below = Exclude::new(&["/usr/share/doc".to_owned()]);
        assert!(
            below.file(&TreePath::parse("usr/share/doc/x/copyright").unwrap()),
            "what lies below a match goes with it"
        );
    }

    #[test]
    fn a_star_stays_in_its_directory_and_two_do_not() {
        let exclude = Exclude::new(&["/usr/lib/*/x.so*", "/opt/**/cache", "/srv/data"].map(str::to_owned));
        let out = |text: &str| exclude.file(&TreePath::parse(text).unwrap());
        let empty = |text: &str| exclude.empty_directory(&TreePath::parse(text).unwrap());
        for path in ["usr/lib/a/x.so.1", "opt/a/b/cache/c", "opt/cache", "srv/data/x/y"] {
            assert!(out(path), "{path}");
        }
        for path in ["usr/lib/a/b/x.so", "usr/lib/x.so", "opt/caches", "srv/database/x", "srv/x/data"] {
            assert!(!out(path), "{path}");
        }
        assert!(empty("opt/a/cache") && empty("srv/data") && !empty("srv") && !empty("opt/a"));
    }
}
