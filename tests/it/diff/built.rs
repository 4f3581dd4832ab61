//! Images that `remint build` made, in which one thing is changed at random: each change is found, and named for what it is.

use super::oracle::{Differences, Root};
use super::taken::Taken;
use super::{compared, remint, try_compared};
use crate::support::random::random;
use remint::verify::diff::{Change, Class, Comparison, Field, PlatformComparison, Relation, Verdict};
use serde_json::{Value, json};
use tar::EntryType;

mod change;
mod documents;
mod entries;
mod fields;
mod images;
#[expect(clippy::unnecessary_wraps, reason = "mutations of other kinds cannot be made everywhere")]
mod layers;

use change::{Mutation, Touched};
use images::Layout;

const MUTATIONS: [(&str, Mutation); 29] = [
    ("a byte", fields::byte),
    ("a planted byte", fields::planted),
    ("a byte more", fields::longer),
    ("mode", fields::mode),
    ("uid", fields::uid),
    ("gid", fields::gid),
    ("time", fields::time),
    ("owner's name", fields::owner_name),
    ("target of a symbolic link", fields::target),
    ("extended attribute", fields::xattr),
    ("another type", fields::other_type),
    ("an entry less", entries::removed),
    ("an entry more", entries::added),
    ("another name", entries::renamed),
    ("a directory without entry", entries::implied),
    ("whiteout", entries::whiteout),
    ("order of entries", entries::swapped),
    ("a copy for a hard link", entries::unlinked),
    ("a hard link for a copy", entries::linked),
    ("a field of what is hidden", fields::hidden),
    ("header of a hard link", fields::link_header),
    ("order of layers", layers::layers_swapped),
    ("a layer less", layers::layer_removed),
    ("a layer twice", layers::layer_twice),
    ("another layer's", layers::moved),
    ("padding of a file", fields::padding),
    ("padding of a header", fields::header_padding),
    ("padding of the end", layers::end_padding),
    ("another encoding", layers::encoding),
];

/// How many changes are made.
const ROUNDS: usize = 16 * MUTATIONS.len();

#[test]
fn every_change_of_a_built_image_is_found_and_named() {
    let mut state = 0x9e37_79b9_0000_0021;
    let layout = Layout::new();
    let taken = ["site", "top"].map(|name| Taken::apart(&layout.path(), name));
    let rounds = if crate::support::judge::long() { 10 * ROUNDS } else { ROUNDS };
    let mut made = 0;
    for round in 0.. {
        let whole = &taken[random(&mut state, taken.len())];
        let (what, mutation) = MUTATIONS[made % MUTATIONS.len()];
        let mut other = whole.clone();
        let which = random(&mut state, other.images.len());
        let before = Root::of(&whole.images[which]);
        let Some(touched) = mutation(&mut state, &mut other.images[which], &before) else { continue };
        let differences = before.differences(&Root::of(&other.images[which]));
        if let Some(visible) = touched.visible {
            assert_eq!(visible, !differences.is_empty(), "{what}, {}: {differences:?}", touched.path);
        }
        layout.write(&[("a", whole.entry.clone()), ("b", other.put(&layout.path(), |_, _, _| ()))]);
        let comparison = compared(layout.dir(), "oci:layout:a", "oci:layout:b");
        let case = format!("round {round}, {what} of `{}`", touched.path);
        judge(&comparison, which, &touched, &differences, &case);
        if made % 20 == 0 {
            by_the_command(&layout, &comparison, &case);
        }
        made += 1;
        if made == rounds {
            break;
        }
    }
}

/// A hard link in front of its file leads nowhere, whichever engine unpacks it.
#[test]
fn a_hard_link_in_front_of_its_file_is_refused() {
    let layout = Layout::new();
    let whole = Taken::apart(&layout.path(), "top");
    let links: Vec<(usize, usize)> = (0..whole.images[0].layers.len())
        .flat_map(|layer| (0..whole.images[0].layers[layer].entries.len()).map(move |number| (layer, number)))
        .filter(|&(layer, number)| whole.images[0].layers[layer].entries[number].kind() == EntryType::Link)
        .collect();
    assert_eq!(links.len(), 2);
    for (layer, number) in links {
        let mut other = whole.clone();
        let layer = &mut other.images[0].layers[layer];
        let link = layer.entries.remove(number);
        let path = link.path.clone();
        layer.entries.insert(0, link);
        layer.changed();
        layout.write(&[("a", whole.entry.clone()), ("b", other.put(&layout.path(), |_, _, _| ()))]);
        let error = try_compared(layout.dir(), "oci:layout:a", "oci:layout:b").map(|found| found.verdict).unwrap_err();
        assert!(error.contains("oci:layout:b") && error.contains(&path), "{error}");
    }
}

/// Holds what was found against what was done.
fn judge(comparison: &Comparison, which: usize, touched: &Touched, expected: &Differences, case: &str) {
    let verdict = if expected.is_empty() { Verdict::SameFiles } else { Verdict::Different };
    assert_eq!(comparison.verdict, verdict, "{case}: {comparison:#?}");
    for (at, platform) in comparison.platforms.iter().enumerate().filter(|(at, _)| *at != which) {
        assert_eq!(platform.verdict, Verdict::Identical, "{case}, platform {at}: {platform:#?}");
    }
    let platform = &comparison.platforms[which];
    assert!(platform.config.is_empty() && platform.manifest.is_empty(), "{case}: {platform:#?}");
    let field = |finding: &remint::verify::diff::Finding| {
        if finding.within.is_empty() { finding.field } else { Field::Content }
    };
    let found: Differences = platform
        .files
        .iter()
        .map(|file| (file.path.clone(), (file.change, file.findings.iter().map(field).collect())))
        .collect();
    assert_eq!(&found, expected, "{case}: {platform:#?}");
    for file in &platform.files {
        for finding in &file.findings {
            let class = match field(finding) {
                Field::Mode => Class::Mode,
                Field::Owner => Class::Owner,
                Field::Mtime => Class::Mtime,
                Field::Xattrs => Class::Xattrs,
                Field::Link => Class::Link,
                Field::Type => Class::Type,
                _ => continue,
            };
            assert_eq!(finding.class, class, "{case}: {file:#?}");
        }
    }
    let path = format!("/{}", touched.path);
    let Some(file) = platform.files.iter().find(|file| file.path == path) else {
        assert!(touched.visible != Some(true) || touched.path.is_empty(), "{case}: {platform:#?}");
        return in_layers(platform, touched, case);
    };
    let named = file.findings.iter().any(|finding| field(finding) == touched.field || file.change != Change::Changed);
    let covered = touched.field == Field::Presence;
    assert!(named || covered, "{case}: {file:#?}");
    let first = &file.findings[0];
    if touched.field == Field::Content {
        let class = touched.class.map_or_else(|| images::classes(&touched.path), |class| vec![class]);
        assert!(class.contains(&first.class), "{case}: {class:?}, {file:#?}");
        if first.within.is_empty() {
            assert_eq!(first.offset, touched.offset, "{case}: {file:#?}");
        }
    }
}

/// What makes no other files is told of the layers.
fn in_layers(platform: &PlatformComparison, touched: &Touched, case: &str) {
    let other: Vec<_> = platform.layers.iter().filter(|pair| pair.relation != Relation::Same).collect();
    assert!(!other.is_empty(), "{case}: {platform:#?}");
    let findings: Vec<_> = other.iter().flat_map(|pair| &pair.findings).collect();
    if !platform.files.is_empty() {
        return;
    }
    if !touched.path.is_empty() {
        let path = format!("/{}", touched.path);
        let hides = path.rsplit_once('/').map(|(above, name)| format!("{above}/.wh.{name}")).unwrap();
        let named = findings.iter().any(|finding| {
            let values = [&finding.a, &finding.b].into_iter().flatten();
            finding.within.iter().chain(values).any(|text| *text == path || *text == hides)
        });
        assert!(named, "{case}: {platform:#?}");
    }
    if touched.field != Field::Tar {
        // It is another thing, and not only written otherwise.
        assert!(findings.iter().all(|finding| finding.class != Class::TarHeader), "{case}: {platform:#?}");
    }
    if let Some(class) = touched.class {
        assert!(findings.iter().any(|finding| finding.class == class), "{case}: {platform:#?}");
    }
}

/// The command says the same, as text and as JSON.
fn by_the_command(layout: &Layout, comparison: &Comparison, case: &str) {
    let words = ["diff", "oci:layout:a", "oci:layout:b"];
    let (code, stdout, stderr) = remint(layout.dir(), &words);
    assert_eq!(code, Some(i32::from(comparison.verdict == Verdict::Different)), "{case}: {stdout}{stderr}");
    // What is below a directory that only one image has is told with that.
    let told = |path: &str| stdout.contains(&format!("\n    {path}  "));
    for file in comparison.platforms.iter().flat_map(|platform| &platform.files) {
        let above = file.path.match_indices('/').skip(1).any(|(at, _)| told(&file.path[..at]));
        assert!(above || told(&file.path), "{case}: {stdout}");
    }
    let (_, json, _) = remint(layout.dir(), &[&words[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["verdict"], json!(comparison.verdict), "{case}");
    assert_eq!(json["platforms"], json!(comparison.platforms), "{case}");
}
