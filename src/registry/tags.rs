//! The tags of a repository, page after page (OCI distribution-spec, "Listing Tags"; RFC 8288 for the header `Link`).

use super::Client;
use super::address::Address;
use super::error::{Failure, RegistryError};
use super::exchange::{Ask, To, Whole, refused};
use super::reference::{Repository, Tag};
use super::scope::Scope;
use serde::Deserialize;
use std::collections::BTreeSet;
use ureq::http::{HeaderMap, Method, StatusCode, header};

/// How many pages are read; a registry that has more is not one to believe.
const PAGES: usize = 1000;

/// The largest page.
const LARGEST: u64 = 8 << 20;

/// The most that all pages may hold.
const MOST: u64 = 64 << 20;

#[derive(Deserialize)]
struct Page {
    /// `null` where there are none, as docker's registry says it.
    tags: Option<Vec<String>>,
}

/// What came of reading a list.
pub(super) enum List {
    /// Its pages.
    Pages(Vec<Whole>),
    /// There is none; what the registry says of that.
    None(Vec<u8>),
}

impl Client {
    /// Lists the tags of a repository, sorted; `None`: there is no such repository.
    pub fn tags(&self, repository: &Repository) -> Result<Option<Vec<Tag>>, RegistryError> {
        let task = format!("list the tags of `{repository}`");
        let path = format!("/v2/{}/tags/list", repository.name());
        let List::Pages(pages) = self.pages(repository, &path, &task)? else { return Ok(None) };
        let mut tags = BTreeSet::new();
        for page in pages {
            let bad = |_| Failure::malformed(&task, "it is no list of tags").finally(&task);
            let page: Page = serde_json::from_slice(&page.bytes).map_err(bad)?;
            for tag in page.tags.unwrap_or_default() {
                // What is no tag cannot be asked for.
                tags.extend(tag.parse::<Tag>().ok());
            }
        }
        Ok(Some(tags.into_iter().collect()))
    }

    /// Reads a list to its end.
    pub(super) fn pages(&self, repository: &Repository, path: &str, task: &str) -> Result<List, RegistryError> {
        let mut to = To::Path(path.to_owned());
        let (mut pages, mut size) = (Vec::new(), 0);
        loop {
            let ask = Ask::new(repository, Method::GET, to, Scope::pull(repository), task);
            let page = self.whole(&ask, LARGEST)?;
            match page.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND if pages.is_empty() => return Ok(List::None(page.bytes)),
                status => return Err(refused(task, status, &page.bytes)),
            }
            let next = next(&page.from, &page.headers);
            size += page.bytes.len() as u64;
            pages.push(page);
            match next {
                None => return Ok(List::Pages(pages)),
                Some(_) if pages.len() >= PAGES || size > MOST => {
                    return Err(Failure::malformed(task, "the list has no end").finally(task));
                }
                Some(next) => to = To::Address(next),
            }
        }
    }
}

/// Where the next page is: `Link: <…>; rel="next"`.
fn next(from: &Address, headers: &HeaderMap) -> Option<Address> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let mut links = links.flat_map(|text| text.split('<').skip(1));
    links.find_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let is_next = |parameter: &str| {
            let value = parameter.trim().trim_end_matches(',').strip_prefix("rel=")?;
            value.trim_matches('"').split(' ').any(|word| word.eq_ignore_ascii_case("next")).then_some(())
        };
        parameters.split(';').find_map(is_next)?;
        from.join(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        let from = Address::parse("https://r.example/v2/a/tags/list").unwrap();
        let find = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, text.parse().unwrap());
            next(&from, &headers).map(|address| address.url())
        };
        let second = Some("https://r.example/v2/a/tags/list?last=b&n=1".to_owned());
        assert_eq!(find(r#"</v2/a/tags/list?last=b&n=1>; rel="next""#), second);
        assert_eq!(find(r#"</first>; rel="first", <?last=b&n=1>; title=x; rel=next"#), second);
        assert_eq!(find(r#"</first>; rel="prev""#), None);
        assert_eq!(find("nonsense"), None);
    }
}
