//! What should come out of a rebuild.

use super::digests;
use super::documents::Documents;
use super::error::Error;
use crate::digest::Digest;
use crate::image::{DockerArchive, Image, OpenError};
use crate::recipe::ImageName;
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What one image should be.
#[derive(Debug)]
pub struct Expected {
    /// Its name.
    pub name: ImageName,
    /// The digest of its index, or of the manifest of its only platform; `None`: not said.
    pub root: Option<Digest>,
    /// The digests of its manifests, by platform, where they are known.
    pub manifests: BTreeMap<String, Digest>,
    /// The digests of its configurations, by platform, where only these are known: an archive of Docker's has no manifests.
    pub configs: BTreeMap<String, Digest>,
    /// Its documents, where they are there, or why they are not.
    pub image: Option<Result<Image, Error>>,
}

impl Expected {
    pub(super) fn new(name: ImageName) -> Self {
        Self { name, root: None, manifests: BTreeMap::new(), configs: BTreeMap::new(), image: None }
    }

    /// The platforms that it is known to be made for, each with the digest that is known of it; empty: only the whole is known.
    #[must_use]
    pub fn platforms(&self) -> BTreeMap<&str, Digest> {
        self.manifests.iter().chain(&self.configs).map(|(platform, digest)| (&**platform, *digest)).collect()
    }
}

/// What should come out of a rebuild.
#[derive(Debug, Default)]
pub struct Reference {
    /// The images, by name.
    pub images: Vec<Expected>,
    /// What stood beside them under no name that was asked for, as it is called there or by its digest, sorted.
    pub others: BTreeSet<String>,
}

impl Reference {
    /// Takes the images of these names from a layout or an archive; copies of their documents go into `scratch`.
    ///
    /// A name that is not there is left out; an image whose documents are damaged is there with the reason.
    pub fn from_layout(path: &Path, names: &BTreeSet<ImageName>, scratch: &Store) -> Result<Self, Error> {
        let documents = Documents::open(path, scratch)?;
        names.iter().try_for_each(|name| documents.refuse_several(name))?;
        let images = names.iter().filter_map(|name| {
            let mut expected = Expected::new(name.clone());
            expected.root = Some(documents.root(name)?);
            let image = documents.image(name);
            if let Ok(image) = &image {
                let manifests = image.platforms.iter();
                expected.manifests = manifests.map(|one| (one.platform.to_string(), one.manifest.digest)).collect();
            }
            expected.image = Some(image);
            Some(expected)
        });
        Ok(Self { images: images.collect(), others: documents.others(names) })
    }

    /// Takes the configurations of the images of these names from an archive as `docker save` writes it.
    ///
    /// A name that is not there is left out; an only image without a name has any.
    pub fn from_docker(path: &Path, names: &BTreeSet<ImageName>) -> Result<Self, OpenError> {
        let archive = DockerArchive::open(format!("docker-archive:{}", path.display()), path)?;
        let unnamed = archive.is_unnamed().then_some(0);
        let (mut images, mut taken) = (Vec::new(), BTreeSet::new());
        for name in names {
            let Some(number) = archive.find(name.as_str())?.or(unnamed) else { continue };
            let mut expected = Expected::new(name.clone());
            let opened = archive.image(number)?.platforms.into_iter();
            expected.configs = opened.filter_map(|one| Some((one.platform, one.config?.0))).collect();
            images.push(expected);
            taken.insert(number);
        }
        let titles = archive.titles().into_iter().enumerate();
        let others = titles.filter(|(number, _)| !taken.contains(number)).map(|(_, title)| title).collect();
        Ok(Self { images, others })
    }

    /// Takes the digests that a file lists.
    pub fn from_digests(path: &Path) -> Result<Self, Error> {
        Ok(Self { images: digests::read(path)?, others: BTreeSet::new() })
    }

    /// Keeps only the images of these names.
    #[must_use]
    pub fn only(mut self, names: &BTreeSet<ImageName>) -> Self {
        self.images.retain(|image| names.contains(&image.name));
        self
    }

    /// The names of the images.
    #[must_use]
    pub fn names(&self) -> BTreeSet<ImageName> {
        self.images.iter().map(|image| image.name.clone()).collect()
    }
}
