//! Cuts a copied tree into fragments so that a change of one file changes few of them.
//!
//! The rule is format 1's own; `docs/format-1.md` states it. Its idea: a cut goes where a file's hash is the lowest of its
//! neighbourhood, as in local-maximum chunking (Bjørner, Blass, Gurevich, 2010: "Content-dependent chunking for differential
//! compression, the local maximum approach"), with files for bytes. Whether there is a cut depends on no file farther away
//! than a reach.

use crate::digest::Hasher;
use crate::oci::TreePath;
use std::ops::Range;

/// How far the neighbourhood of a file reaches, in units of weight; also the least that a run weighs which was cut.
const REACH: u64 = 768 << 10;

/// A file of this weight or more is a run of its own.
const LARGE: u64 = 1 << 20;

/// The most that a run of several files weighs; since each weighs more than 1024, it has fewer than 4096.
const HEAVIEST: u64 = 4 << 20;

/// What an entry weighs besides its content: its header, about its padding, and something that keeps runs of empty files short.
const OVERHEAD: u64 = 1024;

/// The first bytes of what is hashed, so that the hash is like no other.
const DOMAIN: &[u8] = b"remint run 1\0";

/// An entry of a tree that is to be cut: not a directory, and no hard link, which cannot leave its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunItem<'a> {
    /// Its path in the layer.
    pub path: &'a TreePath,
    /// The bytes of its content.
    pub size: u64,
}

/// Cuts entries, which stand in byte order, into runs: each a fragment of its own. Together the runs are all entries.
#[must_use]
pub fn runs(files: &[RunItem<'_>]) -> Vec<Range<usize>> {
    let weights: Vec<u64> = files.iter().map(|file| file.size.saturating_add(OVERHEAD)).collect();
    let mut runs = Vec::new();
    let mut start = 0;
    while start < files.len() {
        if weights[start] >= LARGE {
            runs.push(start..start + 1);
            start += 1;
            continue;
        }
        let length = weights[start..].iter().take_while(|&&weight| weight < LARGE).count();
        let end = start + length;
        for run in Stretch::new(&files[start..end], &weights[start..end]).cut() {
            runs.push(start + run.start..start + run.end);
        }
        start = end;
    }
    runs
}

/// Entries between two large ones.
struct Stretch {
    /// What all entries before each weigh together, and at last all of them.
    before: Vec<u64>,
    hashes: Vec<u64>,
}

impl Stretch {
    fn new(files: &[RunItem<'_>], weights: &[u64]) -> Self {
        let mut before = Vec::with_capacity(weights.len() + 1);
        let mut sum = 0;
        before.push(0);
        // Each weighs less than `LARGE`: the sum of as many as fit in memory is far below 2⁶⁴.
        before.extend(weights.iter().map(|weight| {
            sum += weight;
            sum
        }));
        Self { before, hashes: files.iter().map(|file| hash(file.path)).collect() }
    }

    fn cut(&self) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut start = 0;
        for cut in self.lowest().into_iter().chain([self.hashes.len()]) {
            self.lighten(start..cut, &mut runs);
            start = cut;
        }
        runs
    }

    /// The entries that are the lowest within their reach on both sides, in order. Of equals the first is lower.
    fn lowest(&self) -> Vec<usize> {
        let end = self.hashes.len();
        // For each entry the weight between it and the nearest lower one on one side; the stack holds rising hashes.
        let mut lowest = vec![true; end];
        let mut stack: Vec<usize> = Vec::new();
        for at in 0..end {
            while let Some(last) = stack.pop_if(|last| self.hashes[*last] > self.hashes[at]) {
                lowest[last] &= self.before[at] - self.before[last] >= REACH;
            }
            if let Some(&lower) = stack.last() {
                lowest[at] &= self.before[at] - self.before[lower] >= REACH;
            }
            stack.push(at);
        }
        (0..end).filter(|&at| lowest[at] && self.inside(at, &(0..end))).collect()
    }

    /// Whether a cut before an entry leaves a reach on both sides.
    fn inside(&self, at: usize, run: &Range<usize>) -> bool {
        self.before[at] - self.before[run.start] >= REACH && self.before[run.end] - self.before[at] >= REACH
    }

    /// Cuts a run that is too heavy before its lowest entry, again and again.
    fn lighten(&self, run: Range<usize>, runs: &mut Vec<Range<usize>>) {
        let mut todo = vec![run];
        while let Some(run) = todo.pop() {
            let heavy = self.before[run.end] - self.before[run.start] > HEAVIEST;
            let inside = run.clone().filter(|&at| heavy && self.inside(at, &run));
            match inside.min_by_key(|&at| self.hashes[at]) {
                Some(at) => todo.extend([at..run.end, run.start..at]),
                None => runs.push(run),
            }
        }
    }
}

fn hash(path: &TreePath) -> u64 {
    let mut hasher = Hasher::new();
    hasher.update(DOMAIN);
    hasher.update(path.as_str().as_bytes());
    let digest = hasher.finish();
    let (first, _) = digest.as_bytes().split_first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Tree = BTreeMap<TreePath, u64>;

    /// A tree whose sizes are as uneven as those of real ones.
    fn tree(count: u64) -> Tree {
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        (0..count)
            .map(|_| {
                let path = format!("srv/{}/{}/file{}", random() % 40, random() % 30, random());
                let size = random() % (1 << (random() % 21));
                (TreePath::parse(&path).unwrap(), if random() % 3000 == 0 { size + (3 << 20) } else { size })
            })
            .collect()
    }

    fn cut(tree: &Tree) -> Vec<Vec<(&TreePath, u64)>> {
        let items: Vec<_> = tree.iter().map(|(path, &size)| RunItem { path, size }).collect();
        let runs = runs(&items);
        assert_eq!(runs.first().map_or(0, |run| run.start), 0);
        assert_eq!(runs.last().map_or(0, |run| run.end), items.len());
        assert!(runs.windows(2).all(|pair| pair[0].end == pair[1].start));
        runs.into_iter().map(|run| items[run].iter().map(|item| (item.path, item.size)).collect()).collect()
    }

    /// How many runs of one tree the other does not have.
    fn changed(new: &Tree, old: &Tree) -> usize {
        let old = cut(old);
        cut(new).iter().filter(|run| !old.contains(run)).count()
    }

    #[test]
    fn the_rule_is_pinned() {
        let tree = tree(10_000);
        let runs = cut(&tree);
        let lengths: Vec<_> = runs.iter().map(|run| run.len().to_string()).collect();
        let digest = Digest::of(lengths.join(" ").as_bytes()).hex();
        assert_eq!((runs.len(), &*digest), (320, "99dfb82e81cf857c561d104edf9fce6f41baaa1f7c6b8e1370fa5dcdf9a0205e"));
    }

    #[test]
    fn runs_are_neither_light_nor_heavy() {
        let tree = tree(30_000);
        let runs = cut(&tree);
        let weights: Vec<u64> = runs.iter().map(|run| run.iter().map(|(_, size)| size + OVERHEAD).sum()).collect();
        let average = weights.iter().sum::<u64>() / runs.len() as u64;
        assert!((1 << 20..2 << 20).contains(&average), "{average}");
        for (at, run) in runs.iter().enumerate() {
            assert!(run.len() == 1 || weights[at] <= HEAVIEST);
            assert!(run.len() < 4096);
        }
    }

    #[test]
    fn equal_sizes_and_empty_files_are_cut_as_well() {
        for size in [0, 1, 700_000] {
            let tree: Tree = (0..5000).map(|n| (TreePath::parse(&format!("d/{n:05}")).unwrap(), size)).collect();
            assert!(cut(&tree).iter().all(|run| run.len() < 4096 && run.len() as u64 * (size + OVERHEAD) <= HEAVIEST));
        }
        assert!(runs(&[]).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn one_change_of_ten_thousand_files_changes_few_runs(at: prop::sample::Index, size in 0_u64..3 << 20, what in 0..3) {
            let old = tree(10_000);
            let mut new = old.clone();
            let path = at.get(&old.keys().collect::<Vec<_>>()).to_owned().clone();
            match what {
                0 => drop(new.remove(&path)),
                1 => drop(new.insert(path, size)),
                _ => drop(new.insert(path.join("more").unwrap_or(path), size)),
            }
            let changed = changed(&new, &old);
            prop_assert!(changed <= 6, "{changed} runs changed");
        }
    }
}
