//! Results of actions by key.

use super::Store;
use super::error::{Error, doing};
use crate::digest::{ActionKey, Digest};
use crate::oci::{Blob, canonical_json};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::PathBuf;

/// What an action left behind: a small record, and the blobs that it names.
pub trait ActionResult: Serialize + DeserializeOwned {
    /// What kind of action leaves such a record, in a word: `unpack`; empty: whoever reads takes any kind, and writes none.
    const KIND: &'static str;

    /// Every blob that the record names; a result is there only while all of them are.
    fn blobs(&self) -> Vec<Blob>;
}

/// Something in the store that was found damaged and set aside, to be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// A blob whose bytes were not those of its name.
    Blob(Digest),
    /// An action's result that was not as it was written.
    Action(ActionKey),
    /// The list of images.
    Index,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blob(digest) => write!(f, "blob {digest}"),
            Self::Index => f.write_str("the list of images"),
            Self::Action(key) => write!(f, "the result of action {key}"),
        }
    }
}

/// How a result stands in its file, before the line with the digest of this one.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Record<T> {
    /// For whoever collects garbage without knowing the kind of action.
    pub(super) blobs: Vec<Blob>,
    /// For the same, and for people; older versions wrote none.
    #[serde(default)]
    pub(super) kind: Cow<'static, str>,
    result: T,
}

impl Store {
    /// Reads an action's result; `None` if it is not there, or not whole, or one of its blobs is gone.
    pub fn action<T: ActionResult>(&self, key: &ActionKey) -> Result<Option<T>, Error> {
        let path = self.action_path(key);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // No bytes at all: not what was written.
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Vec::new(),
            Err(error) => return Err(doing("read", &path)(error)),
        };
        let Some(record) =
            parse::<T>(&bytes).filter(|record| record.kind.is_empty() || T::KIND.is_empty() || record.kind == T::KIND)
        else {
            self.clear(&path)?;
            self.report_damage(Damage::Action(*key));
            return Ok(None);
        };
        Ok(record.blobs.iter().all(|blob| self.has(blob)).then_some(record.result))
    }

    /// Writes an action's result; its blobs must be there already.
    pub fn put_action<T: ActionResult>(&self, key: &ActionKey, result: &T) -> Result<(), Error> {
        let mut blobs = result.blobs();
        blobs.sort_unstable();
        blobs.dedup();
        let mut bytes = canonical_json(&Record { blobs, kind: Cow::Borrowed(T::KIND), result });
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(format!("\n{digest}\n").as_bytes());
        self.replace(&self.action_path(key), &bytes)
    }

    /// Removes an action's result, so that it is made again.
    pub fn forget(&self, key: &ActionKey) {
        // A failure to remove shows itself when the result is written again.
        let _ = self.clear(&self.action_path(key));
    }

    fn action_path(&self, key: &ActionKey) -> PathBuf {
        self.dir.join("actions").join(key.0.hex())
    }
}

pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<Record<T>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (json, digest) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    (digest.parse() == Ok(Digest::of(json.as_bytes()))).then(|| serde_json::from_str(json).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::KeyHasher;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Sample {
        output: Blob,
    }

    impl ActionResult for Sample {
        const KIND: &'static str = "sample";

        fn blobs(&self) -> Vec<Blob> {
            vec![self.output]
        }
    }

    #[test]
    fn a_result_is_there_while_it_and_its_blobs_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let key = KeyHasher::new("sample").finish();
        assert!(store.action::<Sample>(&key).unwrap().is_none());
        let sample = Sample { output: store.put(b"output").unwrap() };
        store.put_action(&key, &sample).unwrap();
        assert_eq!(store.action(&key).unwrap().as_ref(), Some(&sample));

        fs::remove_file(store.blob_path(&sample.output.digest)).unwrap();
        assert!(store.action::<Sample>(&key).unwrap().is_none(), "a blob is gone");
        store.put(b"output").unwrap();

        let path = store.action_path(&key);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            fs::write(&path, &flipped).unwrap();
            assert!(store.action::<Sample>(&key).unwrap().is_none(), "byte {at} flipped");
            assert_eq!(store.take_damage(), [Damage::Action(key)]);
            fs::write(&path, &whole[..at]).unwrap();
            assert!(store.action::<Sample>(&key).unwrap().is_none(), "cut at {at}");
            store.take_damage();
        }
        store.put_action(&key, &sample).unwrap();
        assert_eq!(store.action(&key).unwrap(), Some(sample));
        fs::write(store.dir().join("actions/other"), "no key").unwrap();
        let keys: Vec<ActionKey> = store.actions().unwrap().into_iter().map(|action| action.key).collect();
        assert_eq!(keys, [key]);
    }

    #[test]
    fn a_directory_in_the_place_of_a_file_goes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let key = KeyHasher::new("sample").finish();
        let sample = Sample { output: Blob::of(b"output") };
        for path in [store.action_path(&key), store.blob_path(&sample.output.digest)] {
            fs::create_dir_all(path.join("with/something")).unwrap();
        }
        assert_eq!(store.put(b"output").unwrap(), sample.output);
        assert!(store.action::<Sample>(&key).unwrap().is_none());
        assert_eq!(store.take_damage(), [Damage::Action(key)]);
        store.put_action(&key, &sample).unwrap();
        assert_eq!(store.action(&key).unwrap(), Some(sample));
        assert_eq!(fs::read_dir(store.scratch()).unwrap().count(), 0);
    }
}
