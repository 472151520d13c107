//! The catalogue of the Office for National Statistics on ArcGIS Online, in which each edition is a new item.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use url::Url;

use super::download::said;
use crate::months::MONTHS;

/// Where editions are searched for.
pub(super) const ADDRESS: &str = "https://www.arcgis.com/sharing/rest/search";
/// Anybody may put items into the catalogue, under any title. Those of ONS have this owner.
const OWNER: &str = "ONSGeography_data";
const KIND: &str = "CSV Collection";
/// Bytes of the catalogue's answer.
const MOST_BYTES: usize = 4 << 20;
/// The length of an item's id.
const ID: usize = 32;

#[derive(Debug, Deserialize)]
struct Found {
    results: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: String,
    owner: String,
    title: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Returns the address and the title of the newest edition.
pub(super) async fn newest(
    client: &reqwest::Client,
    search: &Url,
    title: &str,
    stall: Duration,
) -> Result<(Url, String)> {
    let mut asked = search.clone();
    asked
        .query_pairs_mut()
        .append_pair("f", "json")
        .append_pair("num", "50")
        .append_pair("sortField", "modified")
        .append_pair("sortOrder", "desc")
        .append_pair("q", &format!("owner:{OWNER} AND type:\"{KIND}\" AND title:\"{title}\""));
    let host = search.host_str().unwrap_or_default().to_owned();
    let answer = async {
        let mut response = client.get(asked).send().await.and_then(reqwest::Response::error_for_status)?;
        let mut bytes = Vec::new();
        while let Some(some) = response.chunk().await? {
            bytes.extend_from_slice(&some);
            if bytes.len() > MOST_BYTES {
                break;
            }
        }
        Ok::<_, reqwest::Error>(bytes)
    };
    let answer = tokio::time::timeout(stall, answer).await;
    let bytes = answer
        .with_context(|| format!("{host}: the catalogue gave no answer in time"))?
        .map_err(|error| anyhow::anyhow!("{host}: {}", said(&error)))?;
    ensure!(bytes.len() <= MOST_BYTES, "{host}: the catalogue's answer is longer than {MOST_BYTES} bytes");
    let found: Found = serde_json::from_slice(&bytes)
        .with_context(|| format!("{host}: the catalogue's answer is not a list of items"))?;
    let Some((id, title)) = choose(found.results, title) else {
        bail!("{host}: the catalogue has no item {title:?} with a month in its title");
    };
    let mut url = search.clone();
    url.set_query(None);
    let path = url.path().trim_end_matches('/').trim_end_matches("/search").to_owned();
    url.set_path(&format!("{path}/content/items/{id}/data"));
    Ok((url, title))
}

/// Chooses the item of the newest month.
fn choose(items: Vec<Item>, title: &str) -> Option<(String, String)> {
    let is_id = |id: &str| id.len() == ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let editions = items.into_iter().filter_map(|item| {
        let ours = item.owner == OWNER && item.kind == KIND && item.title.starts_with(title);
        let month = month(&item.title).filter(|_| ours && is_id(&item.id))?;
        Some((month, item))
    });
    editions.max_by_key(|(month, _)| *month).map(|(_, item)| (item.id, item.title))
}

/// Returns the year and month of `ONS Postcode Directory (November 2025) for the UK`.
fn month(title: &str) -> Option<(u16, usize)> {
    let inside = title.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    inside.filter_map(|text| text.split_once(' ')).find_map(|(name, year)| {
        let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
        let year: u16 = year.trim().parse().ok().filter(|year| (1990..=2200).contains(year))?;
        Some((year, month))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test it is the failure.
mod tests {
    use super::*;

    fn item(id: char, owner: &str, title: &str, kind: &str) -> Item {
        let text = |text: &str| text.to_owned();
        Item { id: id.to_string().repeat(ID), owner: text(owner), title: text(title), kind: text(kind) }
    }

    #[test]
    fn newest_month_of_the_owner_is_chosen() {
        let directory = "ONS Postcode Directory";
        let items = vec![
            item('a', OWNER, "ONS Postcode Directory (August 2025) for the UK", KIND),
            item('b', "somebody", "ONS Postcode Directory (May 2026) for the UK", KIND),
            item('c', OWNER, "ONS Postcode Directory (November 2025) for the UK", KIND),
            item('d', OWNER, "ONS Postcode Directory (February 2026) for the UK", "Feature Service"),
            item('e', OWNER, "ONS Postcode Directory (Latest) Centroids", KIND),
            item('f', OWNER, "Not the ONS Postcode Directory (May 2026)", KIND),
            item('/', OWNER, "ONS Postcode Directory (May 2027) for the UK", KIND),
        ];
        let (id, title) = choose(items, directory).unwrap();
        assert_eq!((id, &*title), ("c".repeat(ID), "ONS Postcode Directory (November 2025) for the UK"));
        assert_eq!(choose(Vec::new(), directory), None);
    }

    #[test]
    fn month_is_read_from_both_kinds_of_titles() {
        let lookup = "National Statistics Postcode Lookup - 2021 Census (August 2024) for the UK";
        assert_eq!(month(lookup), Some((2024, 7)));
        assert_eq!(month("Lookup (2021 Census) (May 2025)"), Some((2025, 4)));
        assert_eq!(month("User Guide"), None);
        assert_eq!(month("(May 99999)"), None);
    }
}
