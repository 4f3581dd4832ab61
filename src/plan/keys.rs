//! The keys of actions: what is in them is drawn in the room's table.

use super::{CopyWork, Layer, PackagesWork, Unpack, Work};
use crate::digest::{ActionKey, Digest, Hasher, KeyHasher};
use crate::layer::Rewrite;
use crate::lock::FORMAT;
use crate::oci::TreePath;
use crate::recipe::{Compression, Configure, Owner, Written};
use crate::source::path::{ItemKind, LocalFile, Tree};
use std::collections::BTreeMap;

/// Raised whenever the code that makes bytes makes other bytes from the same inputs, so that results of older versions of
/// remint are not taken for those of this one.
pub const REVISION: u64 = 4;

fn start(kind: &str) -> KeyHasher {
    let mut key = KeyHasher::new(kind);
    key.number("format", FORMAT).number("revision", REVISION);
    key
}

pub(super) fn unpack(unpack: &Unpack) -> ActionKey {
    let mut key = start("unpack");
    key.digest("deb", &unpack.pin.deb.digest);
    key.finish()
}

pub(super) fn layer(layer: &Layer) -> ActionKey {
    let mut key = start("layer");
    key.text("platform", &layer.platform.to_string());
    key.list("lower", usize::from(layer.lower.is_some()));
    if let Some(lower) = &layer.lower {
        key.key("key", lower);
    }
    match &layer.work {
        Work::Packages(work) => packages(&mut key, work),
        Work::Copy(work) => copy(&mut key, work),
        Work::Write(written) => write(&mut key, written),
        Work::Accounts(work) => {
            key.text("work", "accounts");
            accounts(&mut key, work);
        }
        Work::Foreign(layer) => {
            key.text("work", "foreign").digest("blob", &layer.blob.digest).digest("tar", &layer.diff_id.0);
        }
    }
    key.finish()
}

fn packages(key: &mut KeyHasher, work: &PackagesWork) {
    key.text("work", "packages").number("epoch", work.epoch);
    key.list("unpacks", work.unpacks.len());
    for unpack in &work.unpacks {
        key.key("unpack", unpack);
    }
    texts(key, "requested", &work.requested);
    texts(key, "exclude", &work.exclude);
    key.text(
        "configure",
        match work.configure {
            Configure::Native => "native",
            Configure::None => "none",
        },
    );
    accounts(key, &work.accounts);
}

fn texts<'a>(key: &mut KeyHasher, name: &str, all: impl IntoIterator<Item = &'a String, IntoIter: ExactSizeIterator>) {
    let all = all.into_iter();
    key.list(name, all.len());
    for text in all {
        key.text("text", text);
    }
}

fn accounts(key: &mut KeyHasher, accounts: &super::Accounts) {
    key.list("users", accounts.users.len());
    for (name, user) in &accounts.users {
        key.text("name", name.as_str()).number("uid", user.uid.into()).number("gid", user.gid.into());
        key.text("home", &user.home).text("shell", &user.shell).text("comment", &user.comment);
    }
    key.list("groups", accounts.groups.len());
    for (name, gid) in &accounts.groups {
        key.text("name", name.as_str()).number("gid", (*gid).into());
    }
}

fn copy(key: &mut KeyHasher, work: &CopyWork) {
    key.text("work", "copy").text("to", work.to.as_ref().map_or("", TreePath::as_str));
    owner(key, work.owner);
    optional_mode(key, work.mode);
    match &*work.tree {
        Tree::File(single) => {
            key.text("tree", "file");
            file(key, single);
        }
        Tree::Directory(items) => {
            key.text("tree", "directory");
            tree_items(key, items.iter().map(|item| (&item.path, &item.kind)));
        }
    }
}

fn tree_items<'i>(key: &mut KeyHasher, items: impl ExactSizeIterator<Item = (&'i TreePath, &'i ItemKind)>) {
    key.list("items", items.len());
    for (path, kind) in items {
        key.text("path", path.as_str());
        match kind {
            ItemKind::Directory => {
                key.text("kind", "directory");
            }
            ItemKind::Symlink(target) => {
                key.text("kind", "symlink").text("target", target);
            }
            ItemKind::File(single) => {
                key.text("kind", "file");
                file(key, single);
            }
        }
    }
}

fn file(key: &mut KeyHasher, file: &LocalFile) {
    key.digest("content", &file.content.digest).number("size", file.content.size).flag("executable", file.executable);
}

fn owner(key: &mut KeyHasher, owner: Owner) {
    key.number("uid", owner.uid.into()).number("gid", owner.gid.into());
}

fn optional_mode(key: &mut KeyHasher, mode: Option<u32>) {
    key.list("mode", usize::from(mode.is_some()));
    if let Some(mode) = mode {
        key.number("bits", mode.into());
    }
}

fn write(key: &mut KeyHasher, written: &BTreeMap<TreePath, Written>) {
    key.text("work", "write").list("written", written.len());
    for (path, what) in written {
        key.text("path", path.as_str());
        match what {
            Written::Text { text, owner: by, mode } => {
                key.text("kind", "text").text("text", text).number("mode", (*mode).into());
                owner(key, *by);
            }
            Written::Link { target, owner: by } => {
                key.text("kind", "link").text("target", target);
                owner(key, *by);
            }
            Written::Directory { owner: by, mode } => {
                key.text("kind", "directory").number("mode", (*mode).into());
                owner(key, *by);
            }
        }
    }
}

/// The key of a run of a copied tree's files as a fragment: what is copied, under which paths in the image, whose and how.
#[must_use]
pub fn run_key<'i>(
    items: impl ExactSizeIterator<Item = (&'i TreePath, &'i ItemKind)>,
    by: Owner,
    mode: Option<u32>,
) -> ActionKey {
    let mut key = start("run");
    key.text("to", "");
    owner(&mut key, by);
    optional_mode(&mut key, mode);
    tree_items(&mut key, items);
    key.finish()
}

/// The key of packing fragments into a layer blob: their digests and the codec.
#[must_use]
pub fn pack_key(compression: Compression, fragments: &[Digest]) -> ActionKey {
    let mut key = start("pack");
    key.text("codec", codec(compression)).list("fragments", fragments.len());
    for fragment in fragments {
        key.digest("fragment", fragment);
    }
    key.finish()
}

/// The key of a changed fragment: which, and what is changed.
#[must_use]
pub fn rewrite_key(fragment: &Digest, change: &Rewrite) -> ActionKey {
    let mut key = start("rewrite");
    key.digest("fragment", fragment);
    key.list("drop", change.drop.len());
    for path in &change.drop {
        key.text("path", path.as_str());
    }
    key.list("rename", change.rename.len());
    for (from, to) in &change.rename {
        key.text("from", from.as_str()).text("to", to.as_str());
    }
    key.list("clamp", usize::from(change.clamp.is_some()));
    if let Some(clamp) = change.clamp {
        key.number("seconds", clamp);
    }
    key.finish()
}

/// The key under which a fragment's compressed form is found again.
#[must_use]
pub fn packed_key(compression: Compression, fragment: &Digest) -> ActionKey {
    let mut key = start("packed fragment");
    key.text("codec", codec(compression)).digest("fragment", fragment);
    key.finish()
}

/// The key of the marks in the last layer that was packed of fragments of which these come first.
#[must_use]
pub fn marks_key(compression: Compression, first: &[Digest]) -> ActionKey {
    let mut key = start("marks");
    // In whatever form the hash is written down: of another one, no state is taken.
    let mut form = Hasher::new();
    form.update(&[0x5a; 67]);
    key.text("state", form.state().as_str()).text("codec", codec(compression)).list("fragments", first.len());
    for fragment in first {
        key.digest("fragment", fragment);
    }
    key.finish()
}

fn codec(compression: Compression) -> &'static str {
    match compression {
        Compression::Zstd => "zstd",
        Compression::Gzip => "gzip",
    }
}
