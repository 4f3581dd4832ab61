//! Shows a verdict: a table or JSON, and the files that CI systems read.

use super::registry::is_remote;
use super::{Invocation, Way, reports};
use crate::cli::amount::{count, duration};
use crate::cli::arguments::{Against, Global, Registry, TextOrJson, Verify, Vouch};
use crate::cli::clock::now;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::screen;
use crate::cli::shell::quoted;
use crate::cli::table::{Column, Table};
use crate::oci::canonical_json;
use crate::oci::time::format_rfc3339;
use crate::verify::rebuild::{Difference, Verdict};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// At most this many actions that differ are shown to people: the first is the cause.
const SHOWN: usize = 5;

/// At most this many images that were not verified are named to people.
const PASSED: usize = 20;

/// Shows a verdict, and ends the run by it.
pub(super) fn show(
    invocation: Invocation<'_>,
    arguments: &Verify,
    verdict: &Verdict,
    way: &Way,
    began: Instant,
) -> Result<Exit, Failure> {
    let took = began.elapsed();
    let how = sentence(verdict, way);
    let written = reports::write(invocation, arguments, verdict, way, took);
    let good = verdict.identical() && way.trust.refusal.is_none();
    if arguments.format == TextOrJson::Json {
        screen::data(&json(verdict, way))?;
        written?;
        return Ok(if good { Exit::Done } else { Exit::No });
    }
    let whole = !invocation.environment.stdout.terminal;
    let width = invocation.environment.stdout.width;
    if !way.uncompared {
        screen::data(&table(verdict, whole).render(width))?;
    }
    if !way.trust.said.is_empty() {
        screen::data(&way.trust.table().render(width))?;
    }
    if !invocation.global.quiet {
        for note in way.trust.notes() {
            screen::talk(&format!("passed over: {note}\n"));
        }
        for line in passed(way) {
            screen::talk(&format!("not verified: {line}\n"));
        }
        for image in &way.attested {
            screen::talk(&format!("attached to {image}: rebuilt, identical\n"));
        }
        screen::talk(&format!("{how}, in {}\n", duration(took)));
    }
    let ended = match &way.trust.refusal {
        Some(refusal) => Err(Failure::new(Exit::No, refusal.clone())),
        None if good => Ok(Exit::Done),
        None => Err(failure(invocation.global, verdict, way, arguments)),
    };
    match (written, ended) {
        (Ok(()), ended) => ended,
        (Err(unwritten), Ok(_)) => Err(unwritten),
        (Err(unwritten), Err(no)) => {
            // The verdict is not lost for a file that could not be written.
            screen::talk(&no.render());
            Err(unwritten)
        }
    }
}

/// What was not verified, as lines, and not too many.
pub(super) fn passed(way: &Way) -> Vec<String> {
    let mut lines: Vec<String> = way.passed.iter().take(PASSED).cloned().collect();
    lines.extend((way.passed.len() > PASSED).then(|| format!("and {} more", way.passed.len() - PASSED)));
    lines
}

/// The heading of a summary where only what is attached was checked.
pub(super) fn uncompared(way: &Way, how: &str) -> String {
    let total = way.trust.checked.len();
    match way.trust.refusal {
        None => format!("## ✅ remint verify: {total} of {total} vouched for\n\n{how}\n"),
        Some(_) => format!("## ❌ remint verify: not vouched for\n\n{how}\n"),
    }
}

/// What a report says of the run itself, and not of its result.
pub(in crate::cli::command) fn about_run(took: Duration) -> Vec<(String, String)> {
    let facts = [
        ("remint", env!("CARGO_PKG_VERSION").to_owned()),
        ("on", format_rfc3339(now().as_secs())),
        ("in", duration(took)),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// How the verdict was come to, as one line.
pub(super) fn sentence(verdict: &Verdict, way: &Way) -> String {
    if way.uncompared {
        return "checked what is attached, and built nothing".to_owned();
    }
    let Some(seed) = way.seed else { return "recomputed every digest".to_owned() };
    let mut text = format!("rebuilt with the seed {seed}, {} compared", count(verdict.compared, "result"));
    if verdict.unmatched > 0 {
        let _ = write!(text, " and {} new", verdict.unmatched);
    }
    text
}

fn table(verdict: &Verdict, whole_digests: bool) -> Table {
    let mut table =
        Table::new([Column::prose("IMAGE"), Column::text("PLATFORM"), Column::text("RESULT"), Column::text("DIGEST")]);
    for image in &verdict.images {
        let digest = image
            .found
            .map_or_else(|| "-".to_owned(), |digest| if whole_digests { digest.to_string() } else { digest.short() });
        table.row([&image.name, image.platform.as_deref().unwrap_or("index"), image.result(), &digest]);
    }
    table
}

/// How to ask the same again, as a command that can be pasted; the seed is for whoever has one. What is printed, and where to, is left
/// to whoever asks. `None`: what was asked for cannot be printed.
fn again(global: &Global, arguments: &Verify, seed: Option<u64>) -> Option<String> {
    let Global { project, cache_dir, color: _, quiet: _, verbose: _ } = global;
    let Verify { images, platform, against, compression, quick: _, seed: _, offline, .. } = arguments;
    let Verify { vouch, registry, format: _, summary: _, junit: _, report: _, .. } = arguments;
    let Vouch { recipe, key, require_rebuilds: _, attest, sign_key, rebuilder_id } = vouch;
    let Registry { cacert, authfile, plain_http } = registry;
    let path = |path: &PathBuf| path.to_string_lossy().into_owned();
    // A value that begins like an option has to be joined to its own.
    let option = |name: &str, value: String| {
        let between = if value.starts_with('-') { '=' } else { ' ' };
        format!("{name}{between}{}", quoted(&value))
    };
    let against = against.iter().map(|against| match against {
        Against::Digests(_) => against.to_string(),
        Against::Layout(_) => format!("oci:{against}"),
        Against::DockerArchive(_) => format!("docker-archive:{against}"),
    });
    let mut words = vec!["remint".to_owned()];
    words.extend(
        project.iter().map(|dir| option(if path(dir).starts_with('-') { "--project" } else { "-C" }, path(dir))),
    );
    words.extend(cache_dir.iter().map(|dir| option("--cache-dir", path(dir))));
    words.push("verify".to_owned());
    words.extend(images.iter().map(|image| quoted(image)));
    words.extend(recipe.iter().map(|recipe| option("--as", recipe.clone())));
    words.extend(platform.iter().map(|platform| format!("--platform {platform}")));
    words.extend(against.map(|against| option("--against", against)));
    words.extend(compression.map(|method| format!("--compression {method}")));
    words.extend(key.iter().map(|file| option("--key", path(file))));
    words.extend(attest.then(|| "--attest".to_owned()));
    words.extend(sign_key.iter().map(|place| option("--sign-key", place.clone())));
    words.extend(rebuilder_id.iter().map(|id| option("--rebuilder-id", id.clone())));
    words.extend(plain_http.iter().map(|host| option("--plain-http", host.clone())));
    words.extend(cacert.iter().map(|file| option("--cacert", path(file))));
    words.extend(authfile.iter().map(|file| option("--authfile", path(file))));
    words.extend(offline.then(|| "--offline".to_owned()));
    words.extend(seed.map(|seed| format!("--seed {seed}")));
    let line = words.join(" ");
    (!line.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER)).then_some(line)
}

/// A hint that says how to ask the same again.
pub(super) fn same_again(global: &Global, arguments: &Verify, seed: Option<u64>) -> Option<String> {
    again(global, arguments, seed).map(|line| format!("`{line}` does the same again"))
}

/// What differs, for people.
fn failure(global: &Global, verdict: &Verdict, way: &Way, arguments: &Verify) -> Failure {
    let wrong: Vec<_> = verdict.images.iter().filter(|image| !image.identical()).collect();
    let total = verdict.images.len() as u64;
    let mut details = String::new();
    let mut block = |title: &str, lines: &[String]| {
        let _ = writeln!(details, "  {title}");
        for line in lines {
            let _ = writeln!(details, "    {line}");
        }
    };
    if let Some(first) = verdict.actions.first() {
        block("the first action whose result differs", &first.lines());
    }
    let told = wrong.iter().map(|image| {
        let shown = image.differences.iter().filter(|one| verdict.actions.first() != Some(one));
        let mut parts: Vec<Vec<String>> = shown.take(SHOWN).map(Difference::lines).collect();
        parts.push(image.explained());
        (image.title(), parts)
    });
    for (titles, lines) in once(told) {
        block(&titles.join(", "), &lines);
    }
    let message = if wrong.is_empty() {
        "the images are identical, but results of actions are not, and the next build would use them".to_owned()
    } else {
        format!("{} of {} not identical", wrong.len(), count(total, "image"))
    };
    let failure = Failure::new(Exit::No, message).details(details);
    let failure = failure.hints(&way.hints);
    // What was made from something else differs under every seed.
    let explained = !wrong.is_empty() && verdict.actions.is_empty() && wrong.iter().all(|image| image.other_sources);
    match way.seed {
        Some(_) if explained => failure,
        Some(_) => failure.hints(same_again(global, arguments, way.seed)),
        None if arguments.images.iter().any(|text| is_remote(text)) => {
            let again = again(global, arguments, None);
            again
                .iter()
                .fold(failure, |failure, line| failure.hint(format!("`{line}` builds it again and says what differs")))
        }
        None => failure.hint("`remint build` makes again what is damaged, and what is missing"),
    }
}

/// Says what is the same of several images once, below the titles of all of them, in the order in which it is met.
fn once(told: impl Iterator<Item = (String, Vec<Vec<String>>)>) -> Vec<(Vec<String>, Vec<String>)> {
    let mut parts: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (title, lines) in told {
        for lines in lines {
            match parts.iter_mut().find(|(titles, there)| *there == lines && titles.last() != Some(&title)) {
                Some((titles, _)) => titles.push(title.clone()),
                None => parts.push((vec![title.clone()], lines)),
            }
        }
    }
    let mut blocks: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (titles, lines) in parts {
        match blocks.iter_mut().find(|(there, _)| *there == titles) {
            Some((_, block)) => block.extend(lines),
            None => blocks.push((titles, lines)),
        }
    }
    // What has only an empty explanation has been told with others.
    let named = |block: &(Vec<String>, Vec<String>)| !block.1.is_empty();
    blocks.into_iter().filter(named).collect()
}

/// The verdict for machines.
fn json(verdict: &Verdict, way: &Way) -> String {
    #[derive(serde::Serialize)]
    struct Document<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        identical: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seed: Option<u64>,
        varied: &'a std::collections::BTreeMap<String, String>,
        not_varied: &'a std::collections::BTreeMap<String, String>,
        #[serde(flatten)]
        verdict: Option<&'a Verdict>,
        /// What is attached to images in registries.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        attached: &'a [super::vouch::Checked],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        vouched: &'a [super::vouch::Said],
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<&'a str>,
        /// What was not verified, and is not this project's to verify.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        passed_over: &'a [String],
        #[serde(skip_serializing_if = "std::collections::BTreeSet::is_empty")]
        attested: &'a std::collections::BTreeSet<String>,
    }
    let document = Document {
        identical: (!way.uncompared).then(|| verdict.identical()),
        seed: way.seed,
        varied: &way.varied,
        not_varied: &way.not_varied,
        verdict: Some(verdict).filter(|_| !way.uncompared),
        attached: &way.trust.checked,
        vouched: &way.trust.said,
        refused: way.trust.refusal.as_deref(),
        passed_over: &way.passed,
        attested: &way.attested,
    };
    format!("{}\n", String::from_utf8(canonical_json(&document)).expect("JSON is UTF-8"))
}

/// Writes a report, or appends to it.
pub(in crate::cli::command) fn write_file(path: &Path, text: &str, append: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).append(append).truncate(!append);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::wrap(Exit::Usage, format!("cannot write `{}`", path.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{Arguments, Command};
    use clap::Parser as _;

    #[test]
    fn the_same_is_asked_again_with_all_that_it_was_asked_with() {
        let again = |asked: &str| {
            let arguments = Arguments::try_parse_from(asked.split(' ')).unwrap();
            let Some(Command::Verify(verify)) = arguments.command else { panic!("{asked}") };
            again(&arguments.global, &verify, Some(7))
        };
        let store = "remint -C there --cache-dir /store verify web db --platform linux/arm64 --against oci:old \
             --compression gzip --offline --seed 7";
        let registry = "remint verify 127.0.0.1:5/team/web:1 --as web --key a.pem --key b.pem --attest --sign-key env://KEY \
             --rebuilder-id urn:x --plain-http 127.0.0.1:5 --plain-http h --cacert ca.pem --authfile auth.json --seed 7";
        for asked in [store, registry] {
            assert_eq!(again(asked).as_deref(), Some(asked));
        }
        let printed = "remint -q verify --format json --summary s --junit j --report r --seed 7";
        assert_eq!(again(printed).as_deref(), Some("remint verify --seed 7"));
        let dashes = "remint --project=-there --cache-dir=-store verify --against=-old --key=-k --seed 7";
        assert_eq!(again(dashes).as_deref(), Some(dashes));
        assert_eq!(again("remint -C a\nb verify"), None);
    }

    #[test]
    fn what_is_the_same_for_several_images_is_said_once() {
        let lines = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let image = |title: &str, own: &str| {
            let parts = vec![lines(&["the lock", "  is another"]), lines(&[own]), lines(&["/etc/x  layer 1"]), vec![]];
            (title.to_owned(), parts)
        };
        let blocks = once([image("web@a", "configuration a"), image("web@b", "configuration b")].into_iter());
        assert_eq!(
            blocks,
            [
                (lines(&["web@a", "web@b"]), lines(&["the lock", "  is another", "/etc/x  layer 1"])),
                (lines(&["web@a"]), lines(&["configuration a"])),
                (lines(&["web@b"]), lines(&["configuration b"])),
            ]
        );
        let one = once([image("web", "c")].into_iter());
        assert_eq!(one, [(lines(&["web"]), lines(&["the lock", "  is another", "c", "/etc/x  layer 1"]))]);
    }
}
