//! Which layer of the build before each layer of a build was.

use super::Build;

/// The place, from 0, in the build before of what each layer was, none twice: the very one, else one of the same title, at the same place
/// if it can be, else one of the same kind at the same place. `None`: the layer is new.
pub(super) fn pairs(now: &Build, before: &Build) -> Vec<Option<usize>> {
    let (new, old) = (&now.layers, &before.layers);
    let titled = |at: usize, was: usize| new[at].title == old[was].title;
    let akin = |at: usize, was: usize| new[at].title.split(' ').next() == old[was].title.split(' ').next();
    let mut pairs = vec![None; new.len()];
    let pair = |pairs: &mut Vec<Option<usize>>, alike: &dyn Fn(usize, usize) -> bool| {
        for at in 0..new.len() {
            let free = |was: &usize| alike(at, *was) && !pairs.contains(&Some(*was));
            pairs[at] = pairs[at].or_else(|| (0..old.len()).find(free));
        }
    };
    pair(&mut pairs, &|at, was| new[at].key == old[was].key);
    pair(&mut pairs, &|at, was| at == was && titled(at, was));
    pair(&mut pairs, &titled);
    // Those of one title are taken to have kept their order, also where another one came below them.
    for (lower, upper) in (0..new.len()).flat_map(|upper| (0..upper).map(move |lower| (lower, upper))) {
        let crossed = pairs[upper].is_some() && pairs[lower] > pairs[upper];
        if crossed && new[lower].title == new[upper].title {
            pairs.swap(lower, upper);
        }
    }
    pair(&mut pairs, &|at, was| at == was && akin(at, was));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::BuildLayer;
    use crate::digest::{ActionKey, Digest};

    #[test]
    fn each_layer_is_one_of_before_at_most() {
        let of = |layers: &[&str]| {
            let layer = |text: &&str| BuildLayer {
                key: ActionKey(Digest::of(text.as_bytes())),
                title: text.split_once('=').unwrap().0.to_owned(),
                built: true,
            };
            Build { compression: "zstd".to_owned(), layers: layers.iter().map(layer).collect(), config: None }
        };
        for (before, now, expected) in [
            // A second one of a title is new, and of two that changed none is gone.
            (&["write 2=a"][..], &["write 2=b", "write 2=c"][..], &[Some(0), None][..]),
            (&["write x=a", "write x=b"], &["write x=c", "write x=d"], &[Some(0), Some(1)]),
            // The very same comes first, then the same place.
            (&["write 2=a", "write 2=b"], &["write 2=b"], &[Some(1)]),
            (&["write 2=a", "write 2=b"], &["packages p=1", "write 2=c"], &[None, Some(1)]),
            // One that came below moves all that lie on it.
            (&["write 2=a", "write 2=b"], &["packages p=1", "write 2=c", "write 2=d"], &[None, Some(0), Some(1)]),
            (&["write 2=a", "write 3=b"], &["write 3=c", "write 2=d"], &[Some(1), Some(0)]),
            // What has another title is the one in its place, unless that is another one already.
            (&["write x=a", "copy y=a"], &["write z=a", "write y=a"], &[Some(0), None]),
            (&["write x=a", "write y=a"], &["write y=b", "write z=a"], &[Some(1), None]),
        ] {
            assert_eq!(pairs(&of(now), &of(before)), expected, "{before:?} {now:?}");
        }
    }
}
