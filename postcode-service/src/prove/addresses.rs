//! Compares the addresses of every postcode of two sources.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use futures::stream::{self, StreamExt};
use postcode_addresses::file::AddressFile;
use postcode_addresses::lookup::wire::AnswerBody;
use postcode_addresses::lookup::{MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE};
use postcode_addresses::proof::Tree;
use postcode_addresses::{
    Address, AddressAnswer, AddressCoverage, AddressLookup, AddressNumber, AddressPage, LocalAddresses,
    RemoteAddresses, connect_addresses,
};
use postcode_core::Postcode;
use postcode_core::proof::Hashes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Difference, difference, merged, parts};
use crate::{Error, ErrorKind};

/// A source of addresses.
#[derive(Clone, Debug)]
pub struct AddressSide {
    lookup: Arc<dyn AddressLookup>,
    /// The file, if it is in this process. It lists the postcodes.
    file: Option<Arc<AddressFile>>,
    coverage: AddressCoverage,
}

/// Says what is compared, and how much at once.
#[derive(Clone, Copy, Debug)]
pub struct AddressOptions {
    /// Whether each address is also looked up by its UDPRN, UMPRN and UPRN.
    pub numbers: bool,
    /// Calls at once.
    pub at_once: usize,
}

/// How much was compared and how much of it differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AddressCounts {
    /// Postcodes with addresses.
    pub postcodes: u64,
    /// Addresses of the first source.
    pub addresses: u64,
    /// Numbers that were looked up.
    pub numbers: u64,
    /// Postcodes and numbers with different answers.
    pub different: u64,
}

impl AddressSide {
    /// Opens a source by its URL: a file of addresses, or a service that has addresses.
    ///
    /// # Errors
    /// An error if it can't be opened or does not answer.
    pub async fn open(url: &str) -> Result<Self, Error> {
        if !url.starts_with("file:") {
            return Self::of(connect_addresses(url, None).map_err(super::of_lookup)?, None).await;
        }
        let local = LocalAddresses::from_url(url, Default::default()).map_err(super::of_lookup)?;
        let file = local.file();
        Self::of(Arc::new(local), Some(file)).await
    }

    /// Uses a lookup, and the file that lists what it has.
    ///
    /// # Errors
    /// An error if it does not tell its edition.
    pub async fn of(lookup: Arc<dyn AddressLookup>, file: Option<Arc<AddressFile>>) -> Result<Self, Error> {
        let coverage = lookup.address_coverage().await.map_err(super::of_lookup)?;
        Ok(Self { lookup, file, coverage })
    }

    /// Returns the hashes of a source by its URL: computed here for a file, and those that a service tells.
    ///
    /// # Errors
    /// An error if it can't be opened.
    pub async fn hashes(url: &str, at_once: usize) -> Result<Box<dyn Hashes>, Error> {
        if !url.starts_with("file:") {
            return Ok(Box::new(RemoteAddresses::new(url).map_err(super::of_lookup)?));
        }
        let local = LocalAddresses::from_url(url, Default::default()).map_err(super::of_lookup)?;
        let file = local.file();
        Ok(Box::new(Tree::build(Arc::new(local), file, at_once).await.map_err(super::of_lookup)?))
    }

    /// The edition and how much it has.
    #[must_use]
    pub fn coverage(&self) -> &AddressCoverage {
        &self.coverage
    }

    fn postcodes(&self) -> impl Iterator<Item = Postcode> + '_ {
        self.file.iter().flat_map(|file| file.postcodes())
    }
}

/// Asks two sources for the addresses of every postcode that one of them lists. Calls `found` for each difference, and
/// `tell` with how many of how many postcodes are done.
///
/// # Errors
/// An error if neither is a file, a source fails, or one has another edition at the end than at the beginning.
pub async fn prove_addresses(
    sides: [AddressSide; 2],
    options: AddressOptions,
    mut found: impl FnMut(&Difference) -> std::io::Result<()>,
    mut tell: impl FnMut(&AddressCounts, u64),
) -> Result<AddressCounts, Error> {
    let work = async {
        let [one, other] = &sides;
        if one.file.is_none() && other.file.is_none() {
            bail!("one of the two must be a file of addresses, which lists its postcodes");
        }
        let all = one.coverage.postcodes.max(other.coverage.postcodes);
        let mut counts = AddressCounts::default();
        let batches = parts(merged(one.postcodes(), other.postcodes()), MAX_ADDRESS_BATCH);
        let batches = batches.map(|postcodes| compared(one, other, postcodes, options.numbers));
        let mut done = stream::iter(batches).buffered(options.at_once.max(1));
        let mut report = |counts: &mut AddressCounts, part: Part| -> Result<()> {
            counts.postcodes += part.counts.postcodes;
            counts.addresses += part.counts.addresses;
            counts.numbers += part.counts.numbers;
            for difference in &part.differences {
                counts.different += 1;
                found(difference)?;
            }
            Ok(())
        };
        while let Some(part) = done.next().await {
            report(&mut counts, part?)?;
            tell(&counts, all);
        }
        drop(done);
        // A service may have postcodes that the file does not list.
        let sums = |side: &AddressSide| {
            let AddressCoverage { addresses, postcodes, outcodes, .. } = &side.coverage;
            [("addresses", addresses), ("postcodes", postcodes), ("outcodes", outcodes)]
                .map(|(name, count)| (name.to_owned(), Value::from(*count)))
                .into_iter()
                .collect::<Map<_, _>>()
        };
        let (left, right) = (sums(one), sums(other));
        if left != right {
            let mut part = Part::default();
            part.differences.push(difference("coverage".to_owned(), [left, right]));
            report(&mut counts, part)?;
        }
        for side in &sides {
            let now = side.lookup.address_coverage().await?;
            if now.fingerprint != side.coverage.fingerprint {
                bail!(
                    "nothing is proved: {} was replaced by {} meanwhile",
                    side.coverage.edition,
                    now.edition
                );
            }
        }
        Ok(counts)
    };
    work.await.map_err(Error::of(ErrorKind::Lookup))
}

/// The result of one batch.
#[derive(Default)]
struct Part {
    counts: AddressCounts,
    differences: Vec<Difference>,
}

async fn compared(
    one: &AddressSide,
    other: &AddressSide,
    postcodes: Vec<Postcode>,
    numbers: bool,
) -> Result<Part> {
    let (left, right) = tokio::try_join!(whole(one, &postcodes), whole(other, &postcodes))?;
    let mut part = Part::default();
    part.counts.postcodes = postcodes.len() as u64;
    for ((postcode, left), right) in postcodes.iter().zip(&left).zip(&right) {
        part.counts.addresses += left.addresses().len() as u64;
        if left != right {
            let fields = [fields(*postcode, left)?, fields(*postcode, right)?];
            part.differences.push(difference(postcode.to_string(), fields));
        }
    }
    if numbers {
        let mut all: Vec<AddressNumber> =
            left.iter().flat_map(|answer| answer.addresses()).flat_map(numbers_of).collect();
        all.sort_unstable();
        all.dedup();
        for batch in all.chunks(MAX_ADDRESS_BATCH) {
            let (left, right) = tokio::try_join!(
                one.lookup.addresses_by_number(batch),
                other.lookup.addresses_by_number(batch)
            )
            .map_err(|error| failed(error, postcodes.first()))?;
            part.counts.numbers += batch.len() as u64;
            for ((number, left), right) in batch.iter().zip(&left).zip(&right) {
                if left != right {
                    let fields = [listed(left)?, listed(right)?];
                    part.differences.push(difference(number.to_string(), fields));
                }
            }
        }
    }
    Ok(part)
}

fn numbers_of(address: &Address) -> impl Iterator<Item = AddressNumber> {
    let udprn = address.udprn.map(AddressNumber::Udprn);
    let umprn = address.umprn.map(AddressNumber::Umprn);
    [udprn, umprn, address.uprn.map(AddressNumber::Uprn)].into_iter().flatten()
}

fn failed(error: postcode_core::Error, first: Option<&Postcode>) -> anyhow::Error {
    let first = first.map(Postcode::to_string).unwrap_or_default();
    anyhow!(error).context(format!("nothing is proved: the postcodes from {first} on"))
}

/// Adds the pages after the first one.
pub(crate) async fn add_pages(
    lookup: &dyn AddressLookup,
    postcode: Postcode,
    page: &mut AddressPage,
) -> postcode_core::Result<()> {
    while page.addresses.len() < page.total {
        let next = lookup.address_page(postcode, page.addresses.len(), MAX_ADDRESS_PAGE).await?;
        if next.addresses().is_empty() {
            break;
        }
        page.addresses.extend_from_slice(next.addresses());
    }
    Ok(())
}

/// Returns the addresses of postcodes on all their pages.
async fn whole(side: &AddressSide, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
    let ask = async {
        let mut answers = side.lookup.addresses(postcodes).await?;
        for (postcode, answer) in postcodes.iter().zip(&mut answers) {
            if let AddressAnswer::Found(page) = answer {
                add_pages(&*side.lookup, *postcode, page).await?;
            }
        }
        Ok(answers)
    };
    let answers = ask.await.map_err(|error| failed(error, postcodes.first()))?;
    if answers.len() != postcodes.len() {
        bail!("{} answers to {} postcodes", answers.len(), postcodes.len());
    }
    Ok(answers)
}

/// Returns the fields of an answer: `status`, `total`, and those of each address as `addresses.3.thoroughfare`.
fn fields(postcode: Postcode, answer: &AddressAnswer) -> Result<Map<String, Value>> {
    let body = serde_json::to_value(AnswerBody::new(postcode.spaced().as_str(), Some(answer)))?;
    let mut flat = Map::new();
    for (name, value) in body.as_object().context("an answer")? {
        match value {
            Value::Array(items) => flatten(name, items, &mut flat),
            value => drop(flat.insert(name.clone(), value.clone())),
        }
    }
    Ok(flat)
}

/// Returns the fields of addresses.
fn listed(addresses: &[Address]) -> Result<Map<String, Value>> {
    let mut flat = Map::new();
    if let Value::Array(items) = serde_json::to_value(addresses)? {
        flatten("addresses", &items, &mut flat);
    }
    Ok(flat)
}

fn flatten(name: &str, items: &[Value], flat: &mut Map<String, Value>) {
    for (n, item) in items.iter().enumerate() {
        for (key, value) in item.as_object().into_iter().flatten() {
            flat.insert(format!("{name}.{n}.{key}"), value.clone());
        }
    }
}
