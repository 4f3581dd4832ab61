//! What is attached to an image: bills of materials, provenance, signatures.

use crate::attest::{
    self, Attachment, Bill, BillFormat, Invocation as Run, Materials, PrivateKey, Statement, Subject, Trace,
    invocation, provenance, sign_bundle, simple_signing,
};
use crate::digest::{ActionKey, Digest, KeyHasher};
use crate::image::{Image, PlatformImage};
use crate::oci::{Blob, media};
use crate::plan::{ImagePlan, Plan, REVISION};
use crate::recipe::Recipes;
use crate::store::{ActionResult, Store};
use serde::{Deserialize, Serialize};

/// Raised whenever the code that writes bills of materials writes other bytes from the same image.
const BILL_REVISION: u64 = 1;

/// What attachments are made from.
pub(super) struct Maker<'a> {
    pub(super) store: &'a Store,
    pub(super) recipes: &'a Recipes,
    pub(super) plan: &'a Plan,
    pub(super) materials: Materials<'a>,
    pub(super) key: Option<&'a PrivateKey>,
}

/// What is attached to one manifest or index.
pub(super) struct Attached {
    /// The manifest or index.
    pub(super) subject: Blob,
    /// Wherever it is missing.
    pub(super) always: Vec<Attachment>,
    /// With the image itself.
    pub(super) once: Vec<Attachment>,
}

/// A bill of materials that was written before.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Written {
    document: Blob,
}

impl ActionResult for Written {
    const KIND: &'static str = "bill";

    fn blobs(&self) -> Vec<Blob> {
        vec![self.document]
    }
}

impl Maker<'_> {
    /// The attachments of an image, whatever others have attached to it.
    pub(super) fn make(
        &self,
        image: &Image,
        reference: &str,
        run: &Run,
        documents: bool,
    ) -> Result<Vec<Attached>, attest::Error> {
        let mut all = Vec::new();
        if documents {
            for one in &image.platforms {
                all.push(self.documents(image, one, run)?);
            }
        }
        if let Some(key) = self.key {
            let subject = subject(image.root, image.media_type(), &image.platforms[0]);
            let signature = simple_signing(&subject, reference, key, None)?;
            let bundle = sign_bundle(&subject, &Statement::signed(image.root.digest), key);
            let there = all.iter_mut().find(|attached| attached.subject == image.root);
            match there {
                Some(attached) => attached.always.extend([signature, bundle]),
                None => all.push(Attached { subject: image.root, always: vec![signature, bundle], once: Vec::new() }),
            }
        }
        Ok(all)
    }

    /// Bills of materials and provenance of one platform's image; signed, if there is a key.
    fn documents(&self, image: &Image, one: &PlatformImage, run: &Run) -> Result<Attached, attest::Error> {
        let planned = self.planned(image, one)?;
        let trace = Trace::of(self.plan, planned, self.recipes);
        trace.check(self.store, one)?;
        let subject = subject(one.manifest, media::MANIFEST, one);
        let mut always = Vec::new();
        let mut statements = Vec::new();
        for (format, document) in BillFormat::ALL.into_iter().zip(self.bills(one, &trace)?) {
            statements.push(Statement::around(one.manifest.digest, format.predicate_type(), &document)?);
            always.push(Attachment::referrer(
                &subject,
                format.media_type(),
                document,
                std::collections::BTreeMap::new(),
            ));
        }
        let origin = provenance(one.manifest.digest, &trace, &self.materials);
        always.push(Attachment::statement(&subject, &origin));
        statements.push(origin);
        let ran = invocation(one.manifest.digest, run);
        let mut once = vec![Attachment::statement(&subject, &ran)];
        if let Some(key) = self.key {
            let (mut tagged, mut last, mut envelopes) = (None::<Vec<u8>>, None, Vec::new());
            for statement in &statements {
                always.push(sign_bundle(&subject, statement, key));
                let mut next = Attachment::attestation(&subject, statement, key, tagged.as_deref())?;
                tagged = Some(next.manifest.clone());
                envelopes.extend(next.blobs.pop());
                last = Some(next);
            }
            // The last one's manifest names all of them.
            if let Some(mut last) = last {
                last.blobs.extend(envelopes);
                always.push(last);
            }
            once.push(sign_bundle(&subject, &ran, key));
        }
        Ok(Attached { subject: one.manifest, always, once })
    }

    fn planned(&self, image: &Image, one: &PlatformImage) -> Result<&ImagePlan, attest::Error> {
        let is_it = |planned: &&ImagePlan| planned.name == image.name && planned.platform == one.platform;
        self.plan.images.iter().find(is_it).ok_or_else(|| attest::Error::Differs {
            image: image.name.clone(),
            platform: one.platform,
            why: "its recipe is not for this platform any more".to_owned(),
        })
    }

    /// The bills in all forms, written once for an image and its lock: that takes a read of all its layers.
    fn bills(&self, one: &PlatformImage, trace: &Trace) -> Result<Vec<Vec<u8>>, attest::Error> {
        let keys = BillFormat::ALL.map(|format| self.key_of(format, one, trace));
        let kept = || -> Result<Option<Vec<Vec<u8>>>, crate::store::Error> {
            let mut all = Vec::new();
            for key in &keys {
                let Some(written) = self.store.action::<Written>(key)? else { return Ok(None) };
                all.push(self.store.read(&written.document)?);
            }
            Ok(Some(all))
        };
        // What is damaged there is written again.
        if let Ok(Some(all)) = kept() {
            return Ok(all);
        }
        let bill = Bill::read(self.store, one, trace)?;
        let all: Vec<Vec<u8>> = BillFormat::ALL.iter().map(|format| bill.write(*format)).collect();
        for (key, document) in keys.iter().zip(&all) {
            let document = self.store.put(document)?;
            self.store.put_action(key, &Written { document })?;
        }
        Ok(all)
    }

    fn key_of(&self, format: BillFormat, one: &PlatformImage, trace: &Trace) -> ActionKey {
        let mut key = KeyHasher::new("bill");
        key.number("revision", REVISION).number("bill", BILL_REVISION).text("form", format.media_type());
        key.digest("manifest", &one.manifest.digest).digest("lock", &self.materials.lock_digest);
        key.list("recipes", trace.recipes.len());
        for recipe in &trace.recipes {
            key.text("name", recipe.as_str());
            let digest = self.materials.recipes.get(recipe).copied();
            key.digest("recipe", &digest.unwrap_or_else(|| Digest::of(b"")));
        }
        key.finish()
    }
}

fn subject(blob: Blob, media_type: &str, image: &PlatformImage) -> Subject {
    let created = image.document["created"].as_str().map(str::to_owned);
    Subject { media_type: media_type.to_owned(), blob, created }
}
