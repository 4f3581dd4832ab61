//! Names with places in them that are filled for each image: repositories and tags.

use crate::registry::{ReferenceError, Repository, Tag};

/// What the places of a template stand for, for one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names<'a> {
    /// `{recipe}`: the image's name.
    pub recipe: &'a str,
    /// `{date}`: the image's date, `20260912`.
    pub date: &'a str,
    /// `{lock}`: the beginning of the lock's digest; `None`: there is no lock.
    pub lock: Option<&'a str>,
    /// `{git}`: the checkout's commit; `None`: it is none.
    pub git: Option<&'a str>,
}

/// Why a template could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum Unnamed {
    /// What a place stands for is not known.
    #[error("`{template}` has `{place}` in it, but {why}")]
    Unknown {
        /// The template.
        template: String,
        /// The place.
        place: &'static str,
        /// Why it is not known.
        why: &'static str,
    },
    /// What came of it is no name.
    #[error("`{template}` gives no name")]
    Name {
        /// The template.
        template: String,
        /// Why not.
        source: ReferenceError,
    },
}

impl Names<'_> {
    /// The repository that a template names: `{recipe}` is the image's name, which else is added behind a slash.
    pub fn repository(&self, template: &str) -> Result<Repository, Unnamed> {
        let text = if template.contains("{recipe}") {
            template.replace("{recipe}", self.recipe)
        } else {
            format!("{}/{}", template.trim_end_matches('/'), self.recipe)
        };
        text.parse().map_err(|source| Unnamed::Name { template: template.to_owned(), source })
    }

    /// The tag that a template names.
    pub fn tag(&self, template: &str) -> Result<Tag, Unnamed> {
        let mut text = template.replace("{recipe}", self.recipe).replace("{date}", self.date);
        for (place, value, why) in [
            ("{lock}", self.lock, "there is no remint.lock"),
            ("{git}", self.git, "the project is no git checkout with a commit and without changes"),
        ] {
            if text.contains(place) {
                let unknown = || Unnamed::Unknown { template: template.to_owned(), place, why };
                text = text.replace(place, value.ok_or_else(unknown)?);
            }
        }
        text.parse().map_err(|source| Unnamed::Name { template: template.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let names = Names { recipe: "api", date: "20260912", lock: Some("0123456789ab"), git: None };
        for (template, filled) in [
            ("r.example/team", "r.example/team/api"),
            ("r.example/team/", "r.example/team/api"),
            ("r.example", "r.example/api"),
            ("r.example/{recipe}/image", "r.example/api/image"),
        ] {
            assert_eq!(names.repository(template).unwrap().to_string(), filled);
        }
        assert_eq!(names.tag("{date}-{lock}-{recipe}").unwrap().as_str(), "20260912-0123456789ab-api");
        assert!(matches!(names.tag("{git}"), Err(Unnamed::Unknown { place: "{git}", .. })));
        assert!(matches!(names.tag("a b"), Err(Unnamed::Name { .. })));
        assert!(matches!(names.repository("team"), Err(Unnamed::Name { .. })));
    }
}
