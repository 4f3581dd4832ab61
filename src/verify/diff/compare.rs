//! The comparison itself, from the index down to the files.

use super::class::Class;
use super::content::{self, Context, Hints};
use super::document;
use super::error::Error;
use super::fingerprint::PIECE;
use super::index;
use super::layers::{Layers, pairs, same_blob};
use super::listing::{LayerName, Listing};
use super::manifest;
use super::model::{Comparison, Field, Finding, LayerPair, PlatformComparison, Presence, Relation, Side, Verdict};
use super::pairing;
use super::paths::{self, Found, Grown};
use super::spool::{Spool, WHOLE, Wanted};
use super::tree::Tree;
use crate::image::{Opened, OpenedLayer, OpenedPlatform};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// How to compare.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where contents may be put aside while they are compared.
    pub scratch: PathBuf,
    /// How many differing files are looked into; the rest are named only.
    pub explained: usize,
    /// What is known about where the images were built.
    pub hints: Hints,
}

/// Compares two images.
///
/// Each layer of both is read once, one of both only once, and the layers of differing files again as far as these stand in them.
/// Layers are not read at all where both images have the same blobs: equal digests are taken for equal bytes, and only that each blob is
/// there with as many bytes as its manifest says is looked at, where that costs no transfer.
pub fn compare(a: &Opened, b: &Opened, options: &Options) -> Result<Comparison, Error> {
    let side = |image: &Opened| Side { name: image.shown.clone(), digest: image.root };
    let identical = a.root.is_some() && a.root == b.root;
    let pairs = pairing::images(a, b);
    let mut comparison = Comparison {
        verdict: Verdict::Identical,
        a: side(a),
        b: side(b),
        index: if identical { vec![] } else { index::compare(a, b, &pairs, &options.hints) },
        platforms: vec![],
        causes: vec![],
    };
    for (one, other) in pairs {
        comparison.platforms.push(match (one, other) {
            (Some(one), Some(other)) => both(&a.shown, one, &b.shown, other, options)?,
            (Some(one), None) => alone(&one.platform, Presence::OnlyA),
            (_, other) => alone(other.map_or("", |other| &other.platform), Presence::OnlyB),
        });
    }
    let worst = comparison.platforms.iter().map(|platform| platform.verdict).max().unwrap_or(Verdict::Identical);
    let least = match (identical, a.root, b.root) {
        (false, Some(_), Some(_)) => Verdict::SameFiles,
        // The same image in two forms, of which one has no manifest, is the same as far as can be told.
        _ => Verdict::Identical,
    };
    let found = if comparison.index.is_empty() { Verdict::Identical } else { Verdict::Different };
    comparison.verdict = worst.max(least).max(found);
    comparison.causes = comparison.causes();
    Ok(comparison)
}

fn alone(platform: &str, presence: Presence) -> PlatformComparison {
    PlatformComparison {
        platform: platform.to_owned(),
        presence,
        verdict: Verdict::Different,
        paths: (0, 0),
        manifest: vec![],
        config: vec![],
        layers: vec![],
        files: vec![],
        unexplained: 0,
    }
}

fn both(
    name_a: &str,
    a: &OpenedPlatform,
    name_b: &str,
    b: &OpenedPlatform,
    options: &Options,
) -> Result<PlatformComparison, Error> {
    // What is equal by its digest is not read, and what both have only once: that it is there must be looked at.
    a.layers.iter().chain(&b.layers).try_for_each(OpenedLayer::look)?;
    let platform =
        if a.platform == b.platform { a.platform.clone() } else { format!("{} and {}", a.platform, b.platform) };
    let mut result = PlatformComparison { platform, verdict: Verdict::Identical, ..alone("", Presence::Both) };
    let manifests = a.manifest.as_ref().zip(b.manifest.as_ref());
    let same_manifest = manifests.is_some_and(|((a, _), (b, _))| a == b);
    if let Some(((_, a), (_, b))) = manifests {
        result.manifest = manifest::manifests(a, b);
    }
    let configs = a.config.as_ref().zip(b.config.as_ref());
    if let Some(((_, config_a), (_, config_b))) = configs {
        result.config = document::configs(config_a, config_b, a.layers.len() == b.layers.len());
        result.config.extend(manifest::diff_ids(&a.layers, &b.layers));
    }
    let same_blobs = a.layers.len() == b.layers.len() && a.layers.iter().zip(&b.layers).all(|(a, b)| same_blob(a, b));
    if same_manifest || same_blobs {
        result.layers = pairs(&Layers { image: a, listings: None }, &Layers { image: b, listings: None }, false);
    } else {
        let (listings_a, listings_b) = read(name_a, a, name_b, b)?;
        let grown_a = Grown { tree: Tree::of(name_a, &listings_a)?, listings: &listings_a };
        let grown_b = Grown { tree: Tree::of(name_b, &listings_b)?, listings: &listings_b };
        result.paths = (grown_a.tree.nodes.len() as u64, grown_b.tree.nodes.len() as u64);
        let found = paths::compare(&grown_a, &grown_b);
        let layers_a = Layers { image: a, listings: Some(&listings_a) };
        let layers_b = Layers { image: b, listings: Some(&listings_b) };
        result.layers = pairs(&layers_a, &layers_b, found.is_empty());
        let sides = [(name_a, a, &grown_a), (name_b, b, &grown_b)];
        result.unexplained = explain(found, sides, options, &mut result)?;
    }
    let same_config = configs.is_none_or(|((a, _), (b, _))| a == b);
    let same = |pair: &LayerPair| pair.relation == Relation::Same;
    let different = [result.manifest.len(), result.config.len(), result.files.len()].iter().any(|&count| count > 0);
    let identical = same_manifest || manifests.is_none() && same_config && result.layers.iter().all(same);
    result.verdict = match (different, identical) {
        (true, _) => Verdict::Different,
        (false, true) => Verdict::Identical,
        (false, false) => Verdict::SameFiles,
    };
    Ok(result)
}

type Listings = Vec<Arc<Listing>>;

/// Reads the layers of both images, each blob once.
fn read(name_a: &str, a: &OpenedPlatform, name_b: &str, b: &OpenedPlatform) -> Result<(Listings, Listings), Error> {
    let sides = [(name_a, a), (name_b, b)];
    let all = sides.iter().flat_map(|&(image, side)| {
        side.layers.iter().enumerate().map(move |(at, layer)| (layer, LayerName::of(image, at)))
    });
    let mut distinct: Vec<(&OpenedLayer, LayerName<'_>)> = Vec::new();
    let mut which = Vec::new();
    for (layer, name) in all {
        let there = distinct.iter().position(|(there, _)| same_blob(there, layer));
        which.push(there.unwrap_or(distinct.len()));
        if there.is_none() {
            distinct.push((layer, name));
        }
    }
    let read = |(layer, name): &(&OpenedLayer, LayerName<'_>)| Listing::read(layer, *name).map(Arc::new);
    let listings: Vec<Arc<Listing>> = distinct.par_iter().map(read).collect::<Result<_, Error>>()?;
    let mut which = which.into_iter().map(|at| Arc::clone(&listings[at]));
    let in_a = which.by_ref().take(a.layers.len()).collect();
    Ok((in_a, which.collect()))
}

/// Reads the differing files again and says why they differ; gives how many were left out.
fn explain(
    found: Vec<Found>,
    [(name_a, a, grown_a), (name_b, b, grown_b)]: [(&str, &OpenedPlatform, &Grown<'_>); 2],
    options: &Options,
    result: &mut PlatformComparison,
) -> Result<u64, Error> {
    let entry = |grown: &Grown<'_>, inode: usize| {
        let place = grown.tree.inodes[inode];
        (place.layer, place.entry.unwrap_or_default())
    };
    let (mut wanted_a, mut wanted_b) = (Wanted::new(), Wanted::new());
    let mut begins: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for (in_a, in_b) in found.iter().filter_map(|one| one.contents).take(options.explained) {
        let (listed_a, listed_b) =
            (grown_a.tree.entry(in_a, grown_a.listings), grown_b.tree.entry(in_b, grown_b.listings));
        let Some((listed_a, listed_b)) = listed_a.zip(listed_b) else { continue };
        let large = listed_a.size().max(listed_b.size()) > WHOLE;
        let (from, most) = if large { (listed_a.first_piece(listed_b), PIECE) } else { (0, WHOLE) };
        begins.insert((in_a, in_b), from);
        // A file that is compared twice, under two names, is put aside once: from the first that asked.
        wanted_a.entry(entry(grown_a, in_a)).or_insert((from, most));
        wanted_b.entry(entry(grown_b, in_b)).or_insert((from, most));
    }
    let (spool_a, spool_b) = rayon::join(
        || Spool::fill(name_a, &a.layers, grown_a.listings, &wanted_a, &options.scratch),
        || Spool::fill(name_b, &b.layers, grown_b.listings, &wanted_b, &options.scratch),
    );
    let (spool_a, spool_b) = (spool_a?, spool_b?);
    let mut left_out = 0;
    for Found { mut difference, contents } in found {
        if let Some((in_a, in_b)) = contents {
            let mut findings = Vec::new();
            if let Some(&from) = begins.get(&(in_a, in_b)) {
                let content_a = spool_a.content(grown_a.tree.inodes[in_a], &options.scratch)?;
                let content_b = spool_b.content(grown_b.tree.inodes[in_b], &options.scratch)?;
                let whole = [(grown_a, in_a), (grown_b, in_b)].iter().all(|(grown, inode)| {
                    grown.tree.entry(*inode, grown.listings).is_none_or(|listed| listed.size() <= WHOLE)
                });
                let path = difference.path.trim_start_matches('/');
                findings =
                    content::explain(&content_a, &content_b, &Context { hints: &options.hints, path, from, whole });
            } else {
                left_out += 1;
            }
            if findings.is_empty() {
                let class = content::by_path(difference.path.trim_start_matches('/')).unwrap_or(Class::Unread);
                let note = format!("only the first {} differing files are", options.explained);
                findings.push(Finding::new(Field::Content, class).note(note));
            }
            findings.append(&mut difference.findings);
            difference.findings = findings;
        }
        result.files.push(difference);
    }
    Ok(left_out)
}
