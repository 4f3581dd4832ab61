//! How a person names an image of the store: `python`, or `python@linux/arm64` for one platform of it.

use crate::oci::{Platform, UnknownPlatform};
use crate::recipe::ImageName;
use std::fmt;
use std::str::FromStr;

/// An image's name in a layout, and one platform of it when that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef {
    /// The name.
    pub name: ImageName,
    /// The platform; `None`: all that there are.
    pub platform: Option<Platform>,
}

/// Why a text names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefError {
    /// What stands before the `@`, or the whole, is no name.
    #[error(
        "`{text}` is not an image's name: expected lower-case letters, digits and single `.`, `_` or `-` between them"
    )]
    Name {
        /// What was given.
        text: String,
    },
    /// What stands behind the `@` is no platform.
    #[error(transparent)]
    Platform(#[from] UnknownPlatform),
}

impl FromStr for ImageRef {
    type Err = ImageRefError;

    fn from_str(text: &str) -> Result<Self, ImageRefError> {
        let (name, platform) = match text.split_once('@') {
            Some((name, platform)) => (name, Some(platform.parse()?)),
            None => (text, None),
        };
        let name = ImageName::parse(name).ok_or_else(|| ImageRefError::Name { text: name.to_owned() })?;
        Ok(Self { name, platform })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        self.platform.map_or(Ok(()), |platform| write!(f, "@{platform}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_back() {
        for text in ["python", "python@linux/arm64", "my-app.v2"] {
            assert_eq!(text.parse::<ImageRef>().unwrap().to_string(), text);
        }
        for wrong in ["", "@linux/amd64", "Python", "a/b", "python@", "python@amd64"] {
            assert!(wrong.parse::<ImageRef>().is_err(), "{wrong}");
        }
    }
}
