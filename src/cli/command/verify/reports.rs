//! The files that CI systems and people read of a verdict: tried before the work begins, and written whatever comes of it.

use super::show::{about_run, passed, sentence, uncompared, write_file};
use super::{Invocation, Way, each, only_platforms};
use crate::cli::arguments::Verify;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::verify::page::{Circumstances, verdict_page};
use crate::verify::rebuild::{Difference, Reference, Verdict, junit, summary};
use rustix::fs::{Access, access};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Fails where a report that is asked for could not be written: nobody likes to learn that after a build.
pub(super) fn check(invocation: Invocation<'_>, arguments: &Verify) -> Result<(), Failure> {
    let all = [&arguments.summary, &arguments.junit, &arguments.report];
    let files: Vec<PathBuf> = all.into_iter().flatten().map(|file| invocation.environment.cwd.join(file)).collect();
    files.iter().enumerate().try_for_each(|(at, path)| {
        // Paths are equal whatever dots are in them. A pipe or a terminal takes several.
        if files[..at].contains(path) && path.metadata().map_or(true, |meta| meta.is_file()) {
            let message = format!("`{}` is to be two reports at once", path.display());
            return Err(Failure::new(Exit::Usage, message).hint("give each a file of its own"));
        }
        let wrong = |error| Failure::wrap(Exit::Usage, format!("cannot write `{}`", path.display()), &error);
        writable(path).map_err(wrong)
    })
}

/// Whether a file can be opened for writing, or made; nothing is.
fn writable(path: &Path) -> std::io::Result<()> {
    match path.metadata() {
        // A pipe would wait for its reader.
        Ok(meta) if meta.is_file() || meta.is_dir() => OpenOptions::new().append(true).open(path).map(drop),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(access(path.parent().unwrap_or(path), Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
    }
}

/// Writes all that is asked for; where that fails, the rest is written all the same.
pub(super) fn write(
    invocation: Invocation<'_>,
    arguments: &Verify,
    verdict: &Verdict,
    way: &Way,
    took: Duration,
) -> Result<(), Failure> {
    write_as(invocation, arguments, verdict, way, &sentence(verdict, way), took)
}

/// Writes, where a rebuild failed, that it did and why, as far as reports are asked for; gives the failure back.
pub(super) fn failed(
    invocation: Invocation<'_>,
    arguments: &Verify,
    reference: &Reference,
    mut failure: Failure,
    began: Instant,
) -> Failure {
    let mut notes = vec![failure.message.clone()];
    let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
    let longer = failure.findings.iter().chain(&failure.details);
    notes.extend(longer.flat_map(|text| plain(text).lines().map(str::to_owned).collect::<Vec<_>>()));
    notes.extend(failure.causes.iter().map(|cause| format!("caused by: {cause}")));
    let difference = Difference { what: "the image".to_owned(), notes, ..Difference::default() };
    let mut images: Vec<_> = reference.images.iter().flat_map(|image| each(image, |_| difference.clone())).collect();
    for image in &mut images {
        image.expected = None;
    }
    let verdict = Verdict { images: only_platforms(images, arguments), ..Verdict::default() };
    let how = failure.message.clone();
    if let Err(unwritten) = write_as(invocation, arguments, &verdict, &Way::default(), &how, began.elapsed()) {
        failure.causes.push(unwritten.message);
        failure.causes.extend(unwritten.causes);
    }
    failure
}

fn write_as(
    invocation: Invocation<'_>,
    arguments: &Verify,
    verdict: &Verdict,
    way: &Way,
    how: &str,
    took: Duration,
) -> Result<(), Failure> {
    let cwd = &invocation.environment.cwd;
    let (mut texts, mut result) = (Vec::new(), Ok(()));
    if let Some(file) = &arguments.summary {
        let head = if way.uncompared { uncompared(way, how) } else { summary(verdict, how) };
        let passed: String = passed(way).iter().map(|line| format!("- not verified: {line}\n")).collect();
        texts.push((file, format!("{head}{passed}{}", way.trust.markdown()), true));
    }
    if let Some(file) = &arguments.junit {
        texts.push((file, junit(verdict, took), false));
    }
    if let Some(file) = &arguments.report {
        let circumstances =
            Circumstances { seed: way.seed, varied: &way.varied, not_varied: &way.not_varied, run: about_run(took) };
        texts.push((file, verdict_page(verdict, &circumstances), false));
    }
    for (file, text, append) in texts {
        // It could be opened before: what fails now is the disk.
        let written =
            write_file(&cwd.join(file), &text, append).map_err(|failure| Failure { exit: Exit::Action, ..failure });
        result = result.and(written);
    }
    result
}
