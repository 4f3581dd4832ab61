//! What a path of the distribution-spec names (distribution-spec, "Endpoints": the pull half, discovery included).

use crate::digest::Digest;
use crate::recipe::ImageName;

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route<'a> {
    /// `/v2/`: whether this is a registry.
    Base,
    /// `/v2/_catalog`: which repositories there are.
    Catalog,
    /// `/v2/<name>/manifests/<reference>`.
    Manifest {
        /// The repository.
        name: &'a str,
        /// A tag or a digest, neither checked.
        reference: &'a str,
    },
    /// `/v2/<name>/blobs/<digest>`.
    Blob {
        /// The repository.
        name: &'a str,
        /// A digest; `None`: what stands there is none that this registry could have.
        digest: Option<Digest>,
    },
    /// `/v2/<name>/tags/list`.
    Tags {
        /// The repository.
        name: &'a str,
    },
    /// `/v2/<name>/referrers/<digest>`.
    Referrers {
        /// The repository.
        name: &'a str,
        /// A digest; `None`: what stands there is none that this registry could have.
        digest: Option<Digest>,
    },
}

/// Why a path names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoute {
    /// The specification has no such path.
    Path,
    /// The repository's name breaks the specification's rules.
    Name,
}

/// The longest name of a repository.
const LONGEST: usize = 255;

impl<'a> Route<'a> {
    /// Finds what a decoded path names.
    pub fn parse(path: &'a str) -> Result<Self, NoRoute> {
        let below = match path.strip_prefix("/v2").ok_or(NoRoute::Path)? {
            "" | "/" => return Ok(Self::Base),
            "/_catalog" => return Ok(Self::Catalog),
            below => below.strip_prefix('/').ok_or(NoRoute::Path)?,
        };
        // From the end, since a name may have slashes.
        let mut parts = below.rsplitn(3, '/');
        let (Some(last), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoRoute::Path);
        };
        let route = match (kind, last) {
            ("manifests", reference) => Self::Manifest { name, reference },
            ("blobs", digest) => Self::Blob { name, digest: digest.parse().ok() },
            ("tags", "list") => Self::Tags { name },
            ("referrers", digest) => Self::Referrers { name, digest: digest.parse().ok() },
            _ => return Err(NoRoute::Path),
        };
        if is_name(name) { Ok(route) } else { Err(NoRoute::Name) }
    }

    /// The repository that it is about; `None`: it is about all of them.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        match *self {
            Self::Base | Self::Catalog => None,
            Self::Manifest { name, .. }
            | Self::Blob { name, .. }
            | Self::Tags { name }
            | Self::Referrers { name, .. } => Some(name),
        }
    }
}

/// Whether a text is a repository's name (distribution-spec, "Pulling manifests").
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= LONGEST && text.split('/').all(|part| ImageName::parse(part).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_what_the_specification_says() {
        let digest = Digest::of(b"x");
        let text = digest.to_string();
        let blob = format!("/v2/a/b/blobs/{text}");
        let referrers = format!("/v2/a/referrers/{text}");
        for (path, route) in [
            ("/v2", Route::Base),
            ("/v2/", Route::Base),
            ("/v2/_catalog", Route::Catalog),
            ("/v2/a/manifests/latest", Route::Manifest { name: "a", reference: "latest" }),
            ("/v2/manifests/manifests/x", Route::Manifest { name: "manifests", reference: "x" }),
            (&blob, Route::Blob { name: "a/b", digest: Some(digest) }),
            ("/v2/a/blobs/..", Route::Blob { name: "a", digest: None }),
            ("/v2/a/tags/list", Route::Tags { name: "a" }),
            (&referrers, Route::Referrers { name: "a", digest: Some(digest) }),
        ] {
            assert_eq!(Route::parse(path), Ok(route), "{path}");
        }
    }

    #[test]
    fn nothing_else_is_named() {
        for path in ["/", "", "/v1/", "/v2x", "/v2/a", "/v2//tags", "/v2/a/tags/other", "/v2/a/blobs/uploads/"] {
            assert_eq!(Route::parse(path), Err(NoRoute::Path), "{path}");
        }
        for name in ["..", "a/../b", "", "A", "a//b", "/a", "a/", ".", "a b", "_x", &"a/".repeat(200)] {
            assert_eq!(Route::parse(&format!("/v2/{name}/tags/list")), Err(NoRoute::Name), "{name}");
        }
    }
}
