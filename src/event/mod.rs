//! What a run says, as typed events: the library never prints.
//!
//! Whoever runs a long operation hands in an [`Events`]; the `cli` room shows what comes out as progress, plain lines or JSON.
//! Events are about people watching: no result may depend on whether anyone listens.

use crate::digest::{ActionKey, Digest};
use std::sync::Arc;
use std::time::Duration;

/// Where a run sends its events; cheap to clone, usable from any thread.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// Sends every event to a function, which is called from the thread on which it happens and must be quick.
    pub fn new(sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Drops every event.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|_| ())
    }

    /// Says something.
    pub fn send(&self, event: Event) {
        (self.0)(event);
    }
}

/// Something that happened in a run.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A batch of downloads was decided on.
    FetchPlanned {
        /// How many files.
        files: u64,
        /// How many bytes in all, where the sizes are known.
        bytes: u64,
    },
    /// A download began.
    FetchStarted {
        /// The file, as a person knows it: `python3.13 3.13.5-2 (amd64)`.
        name: String,
        /// Its size in bytes, if known.
        size: Option<u64>,
    },
    /// More bytes of a download came in.
    FetchProgress {
        /// How many bytes since the last event, of whichever file.
        bytes: u64,
    },
    /// A download ended well and its bytes were verified.
    FetchDone {
        /// The file, as in [`Event::FetchStarted`].
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// A download failed and is tried again, or elsewhere.
    FetchRetry {
        /// The file, as in [`Event::FetchStarted`].
        name: String,
        /// Why.
        why: String,
    },
    /// What an image's registry lacks was found out.
    SendPlanned {
        /// How many blobs.
        blobs: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// An upload began.
    SendStarted {
        /// What is sent, as a person knows it: `sha256:012345678901 to host/name`.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// More bytes of an upload went out.
    SendProgress {
        /// How many bytes since the last event, of whichever upload; what is sent again counts again.
        bytes: u64,
    },
    /// An upload ended well, and the registry has verified its digest.
    SendDone {
        /// What was sent, as in [`Event::SendStarted`].
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// A request to a registry failed and is made again.
    RegistryRetry {
        /// What is being done: `send sha256:012345678901 to host/name`.
        task: String,
        /// Why.
        why: String,
    },
    /// The actions of a build were decided on.
    BuildPlanned {
        /// How many actions in all.
        actions: u64,
    },
    /// An action began to run, because its result was not in the store.
    ActionStarted {
        /// Its key.
        key: ActionKey,
        /// What it does, as a person knows it: `unpack python3.13 3.13.5-2 (amd64)`.
        name: String,
    },
    /// An action's result is there.
    ActionDone {
        /// Its key.
        key: ActionKey,
        /// What it does, as in [`Event::ActionStarted`].
        name: String,
        /// Whether the result was in the store already.
        cached: bool,
        /// How long it took; whole milliseconds in JSON.
        #[serde(rename = "milliseconds", with = "milliseconds")]
        took: Duration,
    },
    /// An action failed.
    ActionFailed {
        /// Its key.
        key: ActionKey,
        /// What it does, as in [`Event::ActionStarted`].
        name: String,
        /// Why, without its causes.
        why: String,
    },
    /// So much is to be read through.
    CheckPlanned {
        /// How many files.
        files: u64,
        /// How many bytes in all.
        bytes: u64,
    },
    /// A file was read through.
    Checked {
        /// Its size in bytes.
        bytes: u64,
    },
    /// This process has waited a second for another one that works on the same store.
    Waiting {
        /// The file whose lock the other one holds.
        lock: String,
    },
    /// Why a layer will be built, or that it will not.
    LayerExplained {
        /// The image's name.
        image: String,
        /// The platform.
        platform: String,
        /// The layer's number, from 1 for the lowest.
        layer: u64,
        /// What it is.
        title: String,
        /// Whether it will be built; else it is in the store.
        built: bool,
        /// What changed since the last build of the image on this store.
        why: Vec<String>,
    },
    /// What will change of an image's configuration, beside what its layers are made of.
    ConfigurationExplained {
        /// The image's name.
        image: String,
        /// The platform.
        platform: String,
        /// What changed since the last build of the image on this store.
        why: Vec<String>,
    },
    /// An image of one platform is complete in the store.
    ImageDone {
        /// The image's name.
        name: String,
        /// The platform.
        platform: String,
        /// The manifest's digest.
        digest: Digest,
        /// How many bytes its manifest, configuration and layers have.
        size: u64,
        /// How many layers were made.
        built: u64,
        /// How many layers were in the store.
        reused: u64,
        /// How long its layers' actions took; whole milliseconds in JSON.
        #[serde(rename = "milliseconds", with = "milliseconds")]
        took: Duration,
    },
    /// What publishing an image would do, where nothing is sent.
    PublishPlanned {
        /// The image's name.
        name: String,
        /// Where it would go: `registry/name`.
        repository: String,
        /// Its digest.
        digest: Digest,
        /// What becomes of its tags.
        tags: Vec<TagMove>,
        /// How many blobs would be sent.
        blobs: u64,
        /// Their bytes.
        bytes: u64,
        /// How many blobs are there.
        there: u64,
    },
    /// An image is in a registry, whole, with its tags.
    ImagePublished {
        /// The image's name.
        name: String,
        /// Where it is, by digest: `registry/name@sha256:…`.
        reference: String,
        /// Its tags there.
        tags: Vec<String>,
        /// How many blobs were sent.
        sent: u64,
        /// Their bytes.
        sent_bytes: u64,
        /// How many blobs another repository of the registry gave.
        mounted: u64,
        /// How many blobs were there.
        there: u64,
        /// How many attachments were not there.
        attached: u64,
    },
    /// A package of the lock moved, came or went.
    PackageMoved {
        /// Its name.
        package: String,
        /// Its architecture in Debian's words, or `all`.
        arch: String,
        /// The versions that were locked.
        old: Vec<String>,
        /// The versions that are locked now.
        new: Vec<String>,
    },
    /// A maintainer script of a locked layer that no native step covers, or not wholly.
    ScriptUncovered {
        /// The image.
        image: String,
        /// Which of its layers, from 1.
        layer: usize,
        /// On which platforms.
        platforms: Vec<String>,
        /// The package.
        package: String,
        /// Its script: `preinst`, `config`, `postinst`.
        script: String,
        /// What is missing in the image, for people.
        why: String,
    },
    /// Packages of the lock whose scripts could not be looked at.
    ScriptsUnknown {
        /// Each as a person knows it: `python3.13 3.13.5-2 (amd64)`.
        packages: Vec<String>,
        /// Why not, of the first: the error, then its causes.
        causes: Vec<String>,
    },
    /// Something about the machine was changed around a rebuild, to show that nothing depends on it.
    Varied {
        /// What: `host name`.
        what: String,
        /// To what, for people; where it could not be changed, why not.
        how: String,
        /// Whether it was changed.
        done: bool,
    },
    /// A server listens.
    Listening {
        /// Where: `127.0.0.1:5000`.
        address: String,
    },
    /// A server gives an image.
    ImageServed {
        /// The image's name.
        name: String,
        /// How clients name it: `127.0.0.1:5000/web@sha256:…`.
        reference: String,
        /// Its digest.
        digest: Digest,
    },
    /// A server answered a request.
    Answered {
        /// Who asked: an address and a port.
        client: String,
        /// What was asked: `GET /v2/web/manifests/latest`; of what was no request, why.
        request: String,
        /// The answer's status.
        status: u16,
        /// How many bytes the answer's content had; `None`: it could not be sent.
        bytes: Option<u64>,
        /// How long it took; whole milliseconds in JSON.
        #[serde(rename = "milliseconds", with = "milliseconds")]
        took: Duration,
    },
    /// Something a person should know that is no error.
    Warning {
        /// One sentence, lower case, no full stop.
        text: String,
    },
}

/// What becomes of a tag.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TagMove {
    /// The tag.
    pub tag: String,
    /// The digest of what it means now; `None`: it is new.
    pub from: Option<String>,
    /// The digest of what it would mean.
    pub to: String,
}

/// A time as whole milliseconds.
mod milliseconds {
    use serde::Deserialize as _;
    use std::time::Duration;

    pub(super) fn serialize<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
