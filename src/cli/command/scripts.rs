//! What `remint lock` says of the packages' maintainer scripts: those that no native step covers, layer by layer.

use crate::build::{self, Survey};
use crate::cli::amount::count;
use crate::event::Event;
use crate::lock::PackageKey;
use crate::native::Uncovered;
use crate::oci::Platform;
use crate::recipe::ImageName;
use crate::source::debian::pool::PoolError;
use std::error::Error;
use std::fmt::Write as _;

/// At most this many packages that could not be looked into are named.
const NAMED: usize = 3;

/// What one layer leaves undone, on the platforms on which it is the same.
struct Group<'a> {
    image: &'a ImageName,
    layer: usize,
    platforms: Vec<Platform>,
    uncovered: &'a [Uncovered],
}

fn groups(survey: &Survey) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for ((image, layer, platform), uncovered) in &survey.uncovered {
        let same = |group: &&mut Group<'_>| {
            (group.image, group.layer, group.uncovered) == (image, *layer, uncovered.as_slice())
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.platforms.push(*platform),
            None => groups.push(Group { image, layer: *layer, platforms: vec![*platform], uncovered }),
        }
    }
    groups
}

/// The text for people: a heading for each layer, below it each package, below that each script and what it means.
pub(super) fn text(survey: &Survey) -> String {
    let mut text = String::new();
    for group in groups(survey) {
        let platforms: Vec<String> = group.platforms.iter().map(Platform::to_string).collect();
        let scripts: Vec<(&str, &str)> = group.uncovered.iter().map(|one| (&*one.package, &*one.script)).collect();
        let distinct = scripts.iter().enumerate().filter(|(at, one)| !scripts[..*at].contains(one)).count();
        let what = if distinct == 1 {
            "a script that no native step covers".to_owned()
        } else {
            format!("{distinct} scripts that no native step covers")
        };
        let _ = writeln!(text, "`{}` layer {} on {}: {what}", group.image, group.layer, platforms.join(", "));
        let mut last = "";
        for Uncovered { package, script, why } in group.uncovered {
            if last != package {
                let _ = writeln!(text, "  {package}");
            }
            last = package;
            let _ = writeln!(text, "    {script}: {why}");
        }
    }
    text
}

/// What is not known, and why: a sentence for a warning.
pub(super) fn unknown(survey: &Survey) -> Option<String> {
    if survey.unknown.is_empty() {
        return None;
    }
    let mut names: Vec<String> = survey.unknown.iter().take(NAMED).map(PackageKey::title).collect();
    if survey.unknown.len() > NAMED {
        names.push(format!("{} more", survey.unknown.len() - NAMED));
    }
    let packages = count(survey.unknown.len() as u64, "package");
    let mut text = format!("the scripts of {packages} are not known: {}", names.join(", "));
    for cause in causes(survey) {
        let _ = write!(text, "\n  caused by: {cause}");
    }
    Some(text)
}

fn causes(survey: &Survey) -> Vec<String> {
    if let Some(build::Error::Fetch { source, .. }) = &survey.why
        && matches!(**source, PoolError::Offline { .. })
    {
        return vec!["they are not in the store, and were not to be fetched: `remint lock` fetches them".to_owned()];
    }
    let mut causes = Vec::new();
    let mut next: Option<&dyn Error> = survey.why.as_ref().map(|error| error as &dyn Error);
    while let Some(error) = next {
        causes.push(error.to_string());
        next = error.source();
    }
    causes
}

/// The same for machines.
pub(super) fn events(survey: &Survey) -> Vec<Event> {
    let mut events = Vec::new();
    for group in groups(survey) {
        events.extend(group.uncovered.iter().map(|one| Event::ScriptUncovered {
            image: group.image.to_string(),
            layer: group.layer,
            platforms: group.platforms.iter().map(Platform::to_string).collect(),
            package: one.package.clone(),
            script: one.script.clone(),
            why: one.why.clone(),
        }));
    }
    if !survey.unknown.is_empty() {
        let packages = survey.unknown.iter().map(PackageKey::title).collect();
        events.push(Event::ScriptsUnknown { packages, causes: causes(survey) });
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey() -> Survey {
        let one = |package: &str, script: &str, why: &str| Uncovered {
            package: package.to_owned(),
            script: script.to_owned(),
            why: why.to_owned(),
        };
        let both = vec![one("a", "postinst", "x"), one("a", "postinst", "y"), one("b", "config", "z")];
        let mut survey = Survey::default();
        for (image, platform, uncovered) in [
            ("db", "linux/amd64", both.clone()),
            ("db", "linux/arm64", both.clone()),
            ("web", "linux/amd64", both[2..].to_vec()),
            ("web", "linux/arm64", both),
        ] {
            let place = (ImageName::parse(image).unwrap(), 2, platform.parse().unwrap());
            survey.uncovered.insert(place, uncovered);
        }
        survey
    }

    #[test]
    fn platforms_that_are_the_same_are_told_once() {
        assert_eq!(
            text(&survey()),
            "`db` layer 2 on linux/amd64, linux/arm64: 2 scripts that no native step covers\n\
             \x20 a\n    postinst: x\n    postinst: y\n  b\n    config: z\n\
             `web` layer 2 on linux/amd64: a script that no native step covers\n  b\n    config: z\n\
             `web` layer 2 on linux/arm64: 2 scripts that no native step covers\n\
             \x20 a\n    postinst: x\n    postinst: y\n  b\n    config: z\n"
        );
        assert_eq!((text(&Survey::default()), unknown(&Survey::default())), (String::new(), None));
        assert_eq!(events(&survey()).len(), 7);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut survey = Survey::default();
        for name in ["a", "b", "c", "d", "e"] {
            survey.unknown.insert(PackageKey {
                archive: "debian".to_owned(),
                name: name.to_owned(),
                arch: "all".to_owned(),
                version: "1".to_owned(),
            });
        }
        let said = "the scripts of 5 packages are not known: a 1 (all), b 1 (all), c 1 (all), 2 more";
        assert_eq!(unknown(&survey).unwrap(), said);
    }
}
