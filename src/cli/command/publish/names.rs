//! What the places in names of repositories and tags stand for.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::image::Image;
use crate::publish::{Names, Unnamed};
use crate::registry::{Repository, Tag};
use std::path::Path;
use std::process::{Command, Stdio};

/// How many digits of a digest or commit tell it apart.
const DIGITS: usize = 12;

/// What a tag can have in it.
const TAG_PLACES: [&str; 4] = ["{date}", "{git}", "{lock}", "{recipe}"];

/// What a repository can have in it.
const REPOSITORY_PLACES: [&str; 1] = ["{recipe}"];

/// The names of one run: the same lock and commit for all images.
pub(super) struct Naming<'a> {
    to: &'a str,
    tags: &'a [String],
    lock: Option<String>,
    git: Option<String>,
}

impl<'a> Naming<'a> {
    /// Finds out what the templates need.
    pub(super) fn new(session: &Session, to: &'a str, tags: &'a [String], lock: Option<&str>) -> Self {
        let git = tags.iter().any(|tag| tag.contains("{git}")).then(|| commit(&session.places.project)).flatten();
        Self { to, tags, lock: lock.map(|digits| digits[..DIGITS].to_owned()), git }
    }

    /// Refuses places that stand for nothing, and a tag where a repository goes.
    fn check(&self) -> Result<(), Failure> {
        let templates = self.tags.iter().map(|tag| (tag.as_str(), &TAG_PLACES[..]));
        for (template, places) in templates.chain([(self.to, &REPOSITORY_PLACES[..])]) {
            if let Some(place) = unknown(template, places) {
                let message = format!("`{template}` has `{place}` in it, which stands for nothing");
                let hint = format!("what can stand there: `{}`", places.join("`, `"));
                return Err(Failure::new(Exit::Usage, message).hint(hint));
            }
        }
        match tag_of(self.to) {
            None => Ok(()),
            Some(tag) => {
                let failure = Failure::new(Exit::Usage, format!("`{}` has `{tag}` behind the name", self.to));
                let to = &self.to[..self.to.len() - tag.len()];
                Err(match tag.strip_prefix(':') {
                    Some(tag) => failure.hint(format!("a tag has its own option: `--to {to} --tag {tag}`")),
                    None => failure.hint(format!("a digest follows from the image: `--to {to}`")),
                })
            }
        }
    }

    /// Where an image goes.
    pub(super) fn of(&self, image: &Image) -> Result<(Repository, Vec<Tag>), Failure> {
        let created = image.platforms[0].document["created"].as_str().unwrap_or_default();
        let date: String = created.chars().take(10).filter(char::is_ascii_digit).collect();
        let names =
            Names { recipe: image.name.as_str(), date: &date, lock: self.lock.as_deref(), git: self.git.as_deref() };
        self.check()?;
        let wrong = |error: Unnamed| Failure::from_error(Exit::Usage, &error);
        let tags = self.tags.iter().map(|template| names.tag(template)).collect::<Result<Vec<_>, _>>();
        Ok((names.repository(self.to).map_err(wrong)?, tags.map_err(wrong)?))
    }
}

/// The first place in a template that stands for nothing: `{x}`.
fn unknown<'a>(template: &'a str, places: &[&str]) -> Option<&'a str> {
    let mut rest = template;
    while let Some(begin) = rest.find('{') {
        let end = rest[begin..].find('}').map_or(rest.len(), |end| begin + end + 1);
        if !places.contains(&&rest[begin..end]) {
            return Some(&rest[begin..end]);
        }
        rest = &rest[end..];
    }
    None
}

/// What stands behind the name in a reference: `:tag` or `@digest`; a port is no tag.
fn tag_of(to: &str) -> Option<&str> {
    let last = to.rfind('/')? + 1;
    let at = to[last..].find([':', '@'])?;
    Some(&to[last + at..])
}

/// The commit of a checkout without changes, which the commit would not name.
fn commit(project: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(project).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        let output = command.output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    };
    let head = git(&["rev-parse", "HEAD"])?;
    let clean = git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    head.trim().get(..DIGITS).filter(|_| clean).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nothing_is_found() {
        for (template, place) in [
            ("v1", None),
            ("{date}-{git}-{lock}-{recipe}", None),
            ("{x}", Some("{x}")),
            ("{date}-{Git}", Some("{Git}")),
            ("a{date", Some("{date")),
            ("{}", Some("{}")),
            ("{{date}}", Some("{{date}")),
        ] {
            assert_eq!(unknown(template, &TAG_PLACES), place, "{template}");
        }
        assert_eq!(unknown("r.example/{recipe}/{date}", &REPOSITORY_PLACES), Some("{date}"));
    }

    #[test]
    fn a_port_is_no_tag() {
        for (to, tag) in [
            ("r.example:5000", None),
            ("r.example:5000/team", None),
            ("r.example/team/a:1", Some(":1")),
            ("r.example:5000/a:{date}", Some(":{date}")),
            ("r.example/a@sha256:00", Some("@sha256:00")),
        ] {
            assert_eq!(tag_of(to), tag, "{to}");
        }
    }
}
