//! A layer that the store has, packed and with all that it is made of.

use super::results::{Layered, PackedLayer};
use crate::digest::ActionKey;
use crate::recipe::Compression;
use crate::store::Store;

/// What a run has to know of such a layer.
#[derive(Debug)]
pub(super) struct Ready {
    /// The action that packed it.
    pub(super) pack_key: ActionKey,
    /// The layer.
    pub(super) packed: PackedLayer,
    /// Its tree.
    pub(super) layered: Layered,
}

impl Ready {
    /// Looks up the layer that an action made; `None` if a part of it is not there.
    pub(super) fn find(store: &Store, key: &ActionKey, compression: Compression) -> Option<Self> {
        let layered = store.action::<Layered>(key).ok()??;
        let pack_key = layered.pack_key(compression);
        let packed = store.action::<PackedLayer>(&pack_key).ok()??;
        Some(Self { pack_key, packed, layered })
    }
}
