//! What recipes inherit from each other: bases that exist and end, platforms, accounts, the number of layers.

use super::accounts::Accounts;
use super::draft::Draft;
use super::finding::Report;
use super::layers::MAX_LAYERS;
use super::model::{ImageName, Project};
use super::set::Recipes;
use std::collections::{BTreeMap, BTreeSet};

/// Checks that every base exists and that none starts from itself; gives the recipes whose chain of bases ends.
pub(super) fn check_bases(drafts: &BTreeMap<ImageName, Draft<'_>>, report: &mut Report) -> BTreeSet<ImageName> {
    let (mut sound, mut circular) = (BTreeSet::new(), BTreeSet::new());
    for draft in drafts.values() {
        if draft.base().is_some_and(|base| !drafts.contains_key(base)) {
            unknown_base(drafts, draft, report);
        }
        // Each recipe is walked over once: what an earlier trail passed is in one of the two sets.
        let mut trail: Vec<&ImageName> = Vec::new();
        let mut next = Some(&draft.name);
        let ends = loop {
            let Some((name, known)) = next.and_then(|name| drafts.get_key_value(name)) else { break true };
            if sound.contains(name) {
                break true;
            }
            if circular.contains(name) {
                break false;
            }
            if let Some(start) = trail.iter().position(|passed| *passed == name) {
                report_circle(&trail[start..], drafts, report);
                break false;
            }
            trail.push(name);
            next = known.base();
        };
        if ends { &mut sound } else { &mut circular }.extend(trail.into_iter().cloned());
    }
    sound
}

fn unknown_base(drafts: &BTreeMap<ImageName, Draft<'_>>, draft: &Draft<'_>, report: &mut Report) {
    let Some((base, (_, span))) = draft.base().zip(draft.head.from.as_ref()) else { return };
    let others = drafts.keys().filter(|name| **name != draft.name).map(ImageName::as_str);
    let mut walk = draft.walk(report);
    let hint = walk.did_you_mean(base.as_str(), others);
    walk.wrong(span.clone(), format!("there is no recipe `{base}` to start from"))
        .expected("the name of a recipe")
        .hint_if(hint);
}

/// Reports a circle, whole, at the recipe of it whose name comes first.
fn report_circle(ring: &[&ImageName], drafts: &BTreeMap<ImageName, Draft<'_>>, report: &mut Report) {
    let first = ring.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(at, _)| at);
    let mut shown: Vec<&str> = ring[first..].iter().chain(&ring[..=first]).map(|name| name.as_str()).collect();
    let Some(draft) = shown.first().and_then(|name| drafts.get(*name)) else { return };
    if shown.len() > 12 {
        shown.splice(6..shown.len() - 5, ["…"]);
    }
    let span = draft.head.from.as_ref().map_or(0..0, |(_, span)| span.clone());
    draft
        .walk(report)
        .wrong(span, format!("recipes start from each other in a circle: `{}`", shown.join(" -> ")))
        .expected("a recipe that does not start from this one");
}

/// A recipe's bases as far as they are known, the outermost first, without the recipe; whether that is all of them.
pub(super) struct Chain<'d, 'a> {
    pub(super) bases: Vec<&'d Draft<'a>>,
    pub(super) complete: bool,
}

/// The bases of a recipe.
pub(super) fn chain<'d, 'a>(
    drafts: &'d BTreeMap<ImageName, Draft<'a>>,
    draft: &Draft<'_>,
    sound: bool,
) -> Chain<'d, 'a> {
    let mut chain = Chain { bases: Vec::new(), complete: sound && !draft.head.from_unreadable };
    let mut next = draft.base().filter(|_| sound);
    while let Some(name) = next {
        let Some(base) = drafts.get(name) else {
            chain.complete = false;
            break;
        };
        chain.complete &= !base.head.from_unreadable;
        chain.bases.push(base);
        next = base.base();
    }
    chain.bases.reverse();
    chain
}

/// A recipe can be made only for what its base is made for.
pub(super) fn check_platforms(
    project: &Project,
    drafts: &BTreeMap<ImageName, Draft<'_>>,
    draft: &Draft<'_>,
    report: &mut Report,
) {
    let Some((name, base)) = draft.base().and_then(|base| drafts.get_key_value(base)) else { return };
    if base.document.is_none() {
        return;
    }
    let of =
        |draft: &Draft<'_>| draft.head.platforms.as_ref().map_or(project.platforms.clone(), |(own, _)| own.clone());
    let theirs = of(base);
    let missing: Vec<String> = of(draft).iter().filter(|p| !theirs.contains(p)).map(|p| format!("`{p}`")).collect();
    if missing.is_empty() {
        return;
    }
    let from = draft.head.from.as_ref().map_or(0..0, |(_, span)| span.clone());
    let listed: Vec<String> = theirs.iter().map(|p| format!("\"{p}\"")).collect();
    let span = draft.head.platforms.as_ref().map_or(from, |(_, span)| span.clone());
    let mut walk = draft.walk(report);
    walk.wrong(span, format!("`{name}` is not made for {}, so what starts from it cannot be", missing.join(", ")))
        .expected(format!("only platforms of `{name}`: {}", listed.join(", ")))
        .hint(format!("write `platforms = [{}]` here, or add {} to `{name}`", listed.join(", "), missing.join(", ")));
}

/// What a base defined stays as it was, since files already belong to those numbers; and no two groups share a name.
pub(super) fn check_accounts(chain: &Chain<'_, '_>, draft: &Draft<'_>, report: &mut Report) {
    const LEAVE: &str = "leave it out: what a base defines is there";
    let mut walk = draft.walk(report);
    let mut accounts = Accounts::debian();
    for base in &chain.bases {
        let theirs = &base.head;
        accounts.add(&theirs.users, &theirs.groups);
        for (name, gid) in &draft.head.groups {
            if theirs.groups.get(name).is_some_and(|theirs| theirs != gid) {
                let span = draft.head.group_spans.get(name).cloned().unwrap_or(0..0);
                walk.wrong(
                    span,
                    format!("group `{name}` has another number in `{}`, which this starts from", base.name),
                )
                .hint(LEAVE);
            }
        }
        for (name, user) in &draft.head.users {
            let span = || draft.head.user_spans.get(name).cloned().unwrap_or(0..0);
            if theirs.users.get(name).is_some_and(|theirs| theirs != user) {
                walk.wrong(
                    span(),
                    format!("user `{name}` is defined otherwise in `{}`, which this starts from", base.name),
                )
                .hint(LEAVE);
            }
            if let Some((other, _)) =
                theirs.users.iter().find(|(other, theirs)| *other != name && theirs.uid == user.uid)
            {
                let whose = format!("user `{other}` in `{}`, which this starts from", base.name);
                walk.wrong(span(), format!("user `{name}` has the number {} of {whose}", user.uid))
                    .expected("a number that no other user has");
            }
        }
    }
    accounts.add(&BTreeMap::new(), &draft.head.groups);
    for (name, user) in &draft.head.users {
        if let Some(gid) = accounts.clash(name, user) {
            let span = draft.head.user_spans.get(name).cloned().unwrap_or(0..0);
            walk.wrong(
                span,
                format!("user `{name}` needs a group {} of its name, but group `{name}` is {gid}", user.gid),
            )
            .hint(format!("add `gid = {gid}`, or choose another name"));
        }
    }
}

/// No image may have more layers than runtimes stack; what starts from one that has too many is not reported again.
pub(super) fn check_depths(
    drafts: &BTreeMap<ImageName, Draft<'_>>,
    sound: &BTreeSet<ImageName>,
    recipes: &Recipes,
    report: &mut Report,
) {
    let mut counts: BTreeMap<&ImageName, usize> = BTreeMap::new();
    for recipe in sound.iter().flat_map(|name| recipes.chain(name.as_str())) {
        if counts.contains_key(&recipe.name) {
            continue;
        }
        let Some(draft) = drafts.get(&recipe.name) else { continue };
        let inherited = draft.base().and_then(|base| counts.get(base)).copied().unwrap_or(0);
        let count = inherited + recipe.layers.len();
        counts.insert(&recipe.name, count);
        if let Some((_, span)) = draft.head.from.as_ref().filter(|_| count > MAX_LAYERS && inherited <= MAX_LAYERS) {
            draft
                .walk(report)
                .wrong(
                    span.clone(),
                    format!("image `{}` has {count} layers with those of what it starts from", draft.name),
                )
                .expected(format!("at most {MAX_LAYERS}, since container runtimes stack no more"));
        }
    }
}
