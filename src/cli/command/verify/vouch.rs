//! Who vouches for images in registries: the keys of the command line, what they have to have signed, and how that is shown.

use super::{Invocation, refused};
use crate::attest::{KeyError, KeyId, PublicKey};
use crate::cli::amount::count;
use crate::cli::arguments::Vouch;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::table::{Column, Table};
use crate::digest::Digest;
use crate::image::Image;
use crate::oci::Blob;
use crate::registry::Client;
use crate::registry::Reference as Remote;
use crate::store::Store;
use crate::verify::rebuild::{Difference, Error, Expected, ImageVerdict, Verdict};
use crate::verify::vouch::{Attached, Subject, What};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;

/// More bytes than any key has.
const LARGEST: u64 = 64 << 10;

/// A key of the command line, and how it is called there.
pub(super) struct Key {
    name: String,
    key: PublicKey,
}

/// What a key says of an image.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Said {
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    key: String,
    key_id: String,
    #[serde(flatten)]
    what: What,
}

/// What was found attached to an image.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Checked {
    image: String,
    digest: Digest,
    signed: bool,
    /// How many of the keys vouch for having rebuilt it.
    rebuilds: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// What was found attached to all of them.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Each image.
    pub(super) checked: Vec<Checked>,
    /// Who says what.
    pub(super) said: Vec<Said>,
    /// What is missing, if anything is.
    pub(super) refusal: Option<String>,
}

/// Reads the keys of a command line; one that is given twice counts once.
pub(super) fn keys(invocation: Invocation<'_>, arguments: &Vouch) -> Result<Vec<Key>, Failure> {
    let mut keys: Vec<Key> = Vec::new();
    for path in &arguments.key {
        let name = path.display().to_string();
        let mut pem = Vec::new();
        let file = std::fs::File::open(invocation.environment.cwd.join(path));
        file.and_then(|file| file.take(LARGEST).read_to_end(&mut pem))
            .map_err(|error| Failure::wrap(Exit::Usage, format!("cannot read the key `{name}`"), &error))?;
        let unfit = |error: KeyError| {
            let failure = Failure::wrap(Exit::Usage, format!("cannot use the key `{name}`"), &error);
            failure.hints(error.hint())
        };
        let key = PublicKey::from_pem(&pem).map_err(unfit)?;
        if !keys.iter().any(|there| there.key == key) {
            keys.push(Key { name, key });
        }
    }
    Ok(keys)
}

/// Fetches what is attached to an image whose documents are in `scratch`, and says what of it is missing.
pub(super) fn check(
    client: &Client,
    remote: &Remote,
    image: &Expected,
    scratch: &Store,
    keys: &[Key],
    arguments: &Vouch,
    trust: &mut Trust,
) -> Result<(), Failure> {
    let found = match &image.image {
        Some(Ok(found)) => found,
        Some(Err(error)) => {
            let failure = Failure::wrap(Exit::No, format!("`{remote}` is no image"), error);
            return Err(failure);
        }
        None => return Ok(()),
    };
    let subjects = subjects(found, scratch).map_err(|error| refused(&error.into()))?;
    let public: Vec<PublicKey> = keys.iter().map(|key| key.key.clone()).collect();
    let attached = Attached::fetch(client, &remote.repository, &subjects, &public)
        .map_err(|error| refused(&Error::from(error)))?;
    let name =
        |id: &KeyId| keys.iter().find(|key| key.key.id() == *id).map_or_else(String::new, |key| key.name.clone());
    trust.said.extend(attached.vouched.iter().map(|one| Said {
        image: remote.to_string(),
        platform: one.platform.clone(),
        key: name(&one.key),
        key_id: one.key.to_string(),
        what: one.what.clone(),
    }));
    let refused = refusal(remote, &attached, arguments, &name);
    trust.refusal = trust.refusal.take().or_else(|| refused.clone());
    trust.checked.push(Checked {
        image: remote.to_string(),
        digest: found.root.digest,
        signed: attached.signed(),
        rebuilds: attached.rebuilders.len(),
        refused,
        notes: attached.notes,
    });
    Ok(())
}

/// What something may be attached to: the image as a whole, and each platform's manifest of an index.
fn subjects(image: &Image, scratch: &Store) -> Result<Vec<Subject>, crate::store::Error> {
    let subject = |platform, blob: Blob| Ok(Subject { platform, digest: blob.digest, bytes: scratch.read(&blob)? });
    let mut all = vec![subject(None, image.root)?];
    for one in image.platforms.iter().filter(|_| image.indexed) {
        all.push(subject(Some(one.platform.to_string()), one.manifest)?);
    }
    Ok(all)
}

/// What is missing; `None`: nothing.
fn refusal(remote: &Remote, attached: &Attached, arguments: &Vouch, name: &dyn Fn(&KeyId) -> String) -> Option<String> {
    if let Some(wanted) = arguments.require_rebuilds {
        let found: Vec<String> = attached.rebuilders.iter().map(|key| format!("`{}`", name(key))).collect();
        let enough = found.len() >= wanted.get();
        let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        return (!enough).then(|| {
            let rebuilds = count(wanted.get() as u64, "rebuild");
            format!("`{remote}` wants {rebuilds} by different keys, and of those given there is: {found}")
        });
    }
    (!attached.signed()).then(|| format!("none of the keys given signed `{remote}`"))
}

/// What was found as a verdict, for what shows only these.
pub(super) fn verdict(trust: &Trust) -> Verdict {
    let image = |checked: &Checked| ImageVerdict {
        name: checked.image.clone(),
        expected: Some(checked.digest),
        found: Some(checked.digest),
        differences: checked.refused.iter().map(|text| Difference::note("who vouches for it", text)).collect(),
        ..ImageVerdict::default()
    };
    Verdict { images: trust.checked.iter().map(image).collect(), ..Verdict::default() }
}

impl Trust {
    /// Who says what, for people.
    pub(super) fn table(&self) -> Table {
        let mut table =
            Table::new([Column::prose("IMAGE"), Column::text("PLATFORM"), Column::prose("KEY"), Column::prose("SAYS")]);
        for one in &self.said {
            let platform = one.platform.as_deref().unwrap_or("all");
            table.row([&*one.image, platform, &one.key, &one.what.words()]);
        }
        table
    }

    /// What was passed over, as lines.
    pub(super) fn notes(&self) -> BTreeSet<String> {
        let notes = self.checked.iter().flat_map(|one| one.notes.iter().map(move |note| (one, note)));
        notes.map(|(one, note)| format!("{}: {note}", one.image)).collect()
    }

    /// The same in Markdown; empty where nobody was asked.
    pub(super) fn markdown(&self) -> String {
        let cell = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('\n', " ");
        let mut text = String::new();
        if self.checked.is_empty() {
            return text;
        }
        text.push_str("\n| image | platform | key | says |\n|---|---|---|---|\n");
        for one in &self.said {
            let platform = one.platform.as_deref().unwrap_or("all");
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                cell(&one.image),
                platform,
                cell(&one.key),
                cell(&one.what.words())
            );
        }
        for checked in &self.checked {
            let _ = match &checked.refused {
                Some(refused) => writeln!(text, "\n❌ {}", cell(refused)),
                None => writeln!(text, "\n✅ {}@{}", cell(&checked.image), checked.digest),
            };
        }
        text
    }
}
