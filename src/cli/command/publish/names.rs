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

    /// Where an image goes.
    pub(super) fn of(&self, image: &Image) -> Result<(Repository, Vec<Tag>), Failure> {
        let created = image.platforms[0].document["created"].as_str().unwrap_or_default();
        let date: String = created.chars().take(10).filter(char::is_ascii_digit).collect();
        let names =
            Names { recipe: image.name.as_str(), date: &date, lock: self.lock.as_deref(), git: self.git.as_deref() };
        let wrong = |error: Unnamed| Failure::from_error(Exit::Usage, &error);
        let tags = self.tags.iter().map(|template| names.tag(template)).collect::<Result<Vec<_>, _>>();
        Ok((names.repository(self.to).map_err(wrong)?, tags.map_err(wrong)?))
    }
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
