//! Images out of the store, in the forms that other tools take: `--output oci:DIR` and its kin.
//!
//! | form | what | images | platforms | read by |
//! |---|---|---|---|---|
//! | `oci:DIR` | an image layout | several | several | skopeo, podman, umoci, buildah |
//! | `oci-archive:FILE` | the same as a tar | several | several | skopeo, podman, containerd, buildah |
//! | `docker-archive:FILE` | what `docker save` writes | several | one each | docker of any age, podman, skopeo |
//! | `tar:FILE` | the root file system | one | one | tar, anything |
//!
//! Invariants: the bytes depend on the images alone; a file or directory is written beside its target and renamed once it is
//! whole, so that a failure leaves what was there; whatever goes out was verified on the way.

mod docker;
mod oci;
mod place;
mod rootfs;
mod tarball;

use super::error::Error;
use super::read::{Image, PlatformImage};
use crate::store::Store;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A form of output and where it goes, written `oci:DIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What is written.
    pub form: OutputForm,
    /// Where: a directory for [`OutputForm::Oci`], else a file.
    pub path: PathBuf,
}

/// A form in which images leave the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputForm {
    /// An OCI image layout in a directory (image-spec, image-layout.md).
    Oci,
    /// An OCI image layout in a tar.
    OciArchive,
    /// What `docker save` writes and `docker load` reads (Docker image specification 1.2, "Combined Image JSON + Filesystem
    /// Changeset Format").
    DockerArchive,
    /// The root file system that the layers make together.
    Tar,
}

impl OutputForm {
    const ALL: [Self; 4] = [Self::Oci, Self::OciArchive, Self::DockerArchive, Self::Tar];

    /// Its name, as it stands before the colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::OciArchive => "oci-archive",
            Self::DockerArchive => "docker-archive",
            Self::Tar => "tar",
        }
    }
}

/// The text is no [`Output`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no output: expected `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE` or `tar:FILE`")]
pub struct OutputError {
    /// What was given.
    pub text: String,
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let error = || OutputError { text: text.to_owned() };
        let (name, path) = text.split_once(':').filter(|(_, path)| !path.is_empty()).ok_or_else(error)?;
        let form = OutputForm::ALL.into_iter().find(|form| form.name() == name).ok_or_else(error)?;
        Ok(Self { form, path: path.into() })
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.form.name(), self.path.display())
    }
}

impl Output {
    /// Writes images of the store; what stood at the path before is replaced once everything is written.
    ///
    /// Images come out by name, whatever their order here. [`Image::narrow`] chooses the platform where a form holds but one.
    pub fn write(&self, store: &Store, images: &[Image]) -> Result<(), Error> {
        let mut images: Vec<&Image> = images.iter().collect();
        images.sort_by(|a, b| a.name.cmp(&b.name));
        match self.form {
            OutputForm::Oci => oci::write_directory(store, &images, &self.path),
            OutputForm::OciArchive => oci::write_archive(store, &images, &self.path),
            OutputForm::DockerArchive => {
                let singles = images.iter().map(|image| Ok((*image, self.only_platform(image)?)));
                docker::write(store, &singles.collect::<Result<Vec<_>, Error>>()?, &self.path)
            }
            OutputForm::Tar => {
                let [image] = images[..] else {
                    let images = images.iter().map(|image| image.name.clone()).collect();
                    return Err(Error::ManyImages { form: self.form.name(), images });
                };
                rootfs::write(store, self.only_platform(image)?, &self.path)
            }
        }
    }

    fn only_platform<'a>(&self, image: &'a Image) -> Result<&'a PlatformImage, Error> {
        let [only] = &image.platforms[..] else {
            let (name, there) = (image.name.clone(), image.available());
            return Err(Error::ManyPlatforms { form: self.form.name(), name, there });
        };
        Ok(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_back() {
        for text in ["oci:dir", "oci-archive:a:b.tar", "docker-archive:/x/y.tar", "tar:rootfs.tar"] {
            assert_eq!(text.parse::<Output>().unwrap().to_string(), text);
        }
        for wrong in ["", "oci", "oci:", "dir:x", "/tmp/x.tar", "OCI:x"] {
            assert!(wrong.parse::<Output>().is_err(), "{wrong}");
        }
    }
}
