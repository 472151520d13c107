//! The hashes of answers and of nodes.

use crate::wire::{BulkItem, Digest, Shape};
use crate::{Answer, Error, ErrorKind, Postcode, Result};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The version of the canonical form of answers, and of the tree. It changes when either does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # use std::sync::Arc;
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::terminated("SW1A 1AB".parse()?))?;
/// # let dataset = builder.build()?;
/// # let library = Arc::new(postcode_core::Local::new(dataset.clone()));
/// use postcode_core::proof::{Tree, VERSION};
///
/// // Compare roots only if their versions are equal.
/// let body = Tree::build(library, dataset, 1).await?.proof(&[]).await?;
/// assert_eq!(body.version, VERSION);
/// # Ok(())
/// # }
/// ```
pub const VERSION: u32 = 1;

// As in RFC 6962, the first byte tells what is hashed, so that no answer can pass for a node.
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// Returns the hash of the answer to a postcode.
pub(super) fn of_answer(postcode: Postcode, answer: &Answer, buffer: &mut Vec<u8>) -> Result<Digest> {
    of_json(&BulkItem::new(postcode.spaced().as_str(), Some(answer), Shape::Extended), buffer)
}

/// Returns the hash of an answer in JSON.
pub(super) fn of_json(answer: &impl Serialize, buffer: &mut Vec<u8>) -> Result<Digest> {
    of_leaf([answer], buffer)
}

/// Returns the hash of the pages of an answer, each in JSON, one after the other. For `postcode-addresses`, not for
/// applications.
///
/// # Errors
/// [`Internal`](ErrorKind::Internal) if a page can't be written.
pub fn of_leaf<T: Serialize>(pages: impl IntoIterator<Item = T>, buffer: &mut Vec<u8>) -> Result<Digest> {
    buffer.clear();
    buffer.push(LEAF);
    for page in pages {
        serde_json::to_writer(&mut *buffer, &page).map_err(|error| {
            Error::new(ErrorKind::Internal, "an answer can't be written as JSON").with_source(error)
        })?;
    }
    Ok(Digest(Sha256::digest(buffer).into()))
}

/// Returns the hash of a node.
pub fn of_node(children: &[(String, Digest)]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([NODE]);
    hash.update(VERSION.to_le_bytes());
    for (name, digest) in children {
        // Names have no zero byte, so that one ends where it seems to.
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(digest.0);
    }
    Digest(hash.finalize().into())
}

/// Returns the group of a place by its code: one of 256.
pub(super) fn group_of(code: &str) -> u8 {
    Sha256::digest(code.as_bytes())[0]
}
