//! Names that some file systems take for one.
//!
//! On Linux `README` and `readme` are two files, as are `é` written as one character and as two. A checkout on macOS or Windows
//! keeps only one of them, and an image built there would be another one without anybody's doing.

use super::Tree;
use crate::oci::TreePath;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;

/// Two paths of a tree that differ only in case, or only in how their characters are composed (Unicode Standard Annex 15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The first in byte order.
    pub first: TreePath,
    /// The other.
    pub second: TreePath,
    /// Whether case is what differs; else it is the composition.
    pub case: bool,
}

impl Tree {
    /// The names that clash, by the later one; of what stands below two directories that clash nothing more is said.
    #[must_use]
    pub fn clashes(&self) -> Vec<Clash> {
        let Self::Directory(items) = self else { return Vec::new() };
        // Of two that clash one at least has to be folded, so that names without capitals cost nothing.
        let mut folded: BTreeMap<String, Vec<&TreePath>> = BTreeMap::new();
        for path in items.iter().map(|item| &item.path) {
            if let Some(fold) = fold(path.as_str()) {
                folded.entry(fold).or_default().push(path);
            }
        }
        let mut clashes = Vec::new();
        for (fold, mut same) in folded {
            same.extend(items.binary_search_by(|item| item.path.as_str().cmp(&fold)).ok().map(|at| &items[at].path));
            same.sort();
            let [first, others @ ..] = same.as_slice() else { continue };
            for second in others.iter().filter(|second| second.parent() == first.parent()) {
                let (first, second) = ((*first).clone(), (*second).clone());
                let case = !first.as_str().nfc().eq(second.as_str().nfc());
                clashes.push(Clash { first, second, case });
            }
        }
        clashes
    }
}

/// A path as a file system sees it that knows neither case nor composition; `None` if that is the path itself.
fn fold(path: &str) -> Option<String> {
    let folded: String = if path.is_ascii() {
        if !path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        path.to_ascii_lowercase()
    } else {
        path.nfd().flat_map(char::to_lowercase).nfc().collect()
    };
    (folded != path).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::path::{Item, ItemKind};

    fn clashes(paths: &[&str]) -> Vec<(String, String, bool)> {
        let item = |path: &&str| Item { path: TreePath::parse(path).unwrap(), kind: ItemKind::Directory };
        let mut items: Vec<Item> = paths.iter().map(item).collect();
        items.sort_by(|a, b| a.path.cmp(&b.path));
        let found = Tree::Directory(items).clashes();
        found.into_iter().map(|clash| (clash.first.to_string(), clash.second.to_string(), clash.case)).collect()
    }

    #[test]
    fn case_and_composition_clash() {
        let pair = |a: &str, b: &str, case| (a.to_owned(), b.to_owned(), case);
        assert!(clashes(&["a", "b", "a-b", "README", "É", "straße"]).is_empty());
        assert_eq!(clashes(&["README", "readme", "x"]), [pair("README", "readme", true)]);
        assert_eq!(clashes(&["README", "Readme"]), [pair("README", "Readme", true)]);
        assert_eq!(clashes(&["e\u{301}", "\u{e9}"]), [pair("e\u{301}", "\u{e9}", false)]);
        assert_eq!(clashes(&["E\u{301}", "\u{e9}"]), [pair("E\u{301}", "\u{e9}", true)]);
        assert_eq!(clashes(&["a", "a/x", "A", "A/x"]), [pair("A", "a", true)], "what is below is not said again");
        assert!(clashes(&["A/x", "a/y"]).is_empty(), "they are two directories: their own items say so");
    }
}
