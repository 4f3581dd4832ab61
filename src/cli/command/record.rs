//! Writes down what a build needed, for `remint gc`.

use crate::build::{LayerOutcome, Outcome};
use crate::cli::clock::now;
use crate::cli::session::Session;
use crate::digest::ActionKey;
use crate::image::Image;
use crate::oci::Blob;
use crate::plan::{Action, Plan, Work};
use crate::store::{BuildRecord, Store};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

/// Writes down each image's build. A store that cannot be written serves builds of what it has, so a failure is none.
pub(super) fn record(store: &Store, session: &Session, plan: &Plan, outcome: &Outcome, images: &[Image]) {
    images.par_iter().for_each(|image| {
        let (mut actions, mut sources) = (BTreeSet::new(), BTreeSet::new());
        for (number, layers) in &outcome.images {
            if plan.images[*number].name == image.name {
                if let Some(base) = &plan.images[*number].base {
                    actions.extend(&base.keys);
                    sources.extend(base.blobs());
                }
                for layer in layers {
                    collect(plan, layer, &mut actions, &mut sources);
                }
            }
        }
        let record = BuildRecord {
            project: session.places.project.display().to_string(),
            image: image.name.to_string(),
            root: image.root,
            actions: actions.into_iter().collect(),
            sources: sources.into_iter().collect(),
        };
        let _ = store.record_build(&record, UNIX_EPOCH + now());
    });
}

/// The actions of a layer, and what they are made from.
fn collect(plan: &Plan, layer: &LayerOutcome, actions: &mut BTreeSet<ActionKey>, sources: &mut BTreeSet<Blob>) {
    actions.extend([layer.key, layer.pack_key]);
    let Some(Action::Layer(action)) = plan.actions.get(&layer.key) else { return };
    let Work::Packages(work) = &action.work else { return };
    for key in &work.unpacks {
        actions.insert(*key);
        if let Some(Action::Unpack(unpack)) = plan.actions.get(key) {
            sources.insert(unpack.pin.deb);
        }
    }
}
