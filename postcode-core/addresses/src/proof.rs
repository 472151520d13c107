//! The answer root of addresses: one hash over the addresses of every postcode, and the way from it to those that differ.
//!
//! The tree is that of [`postcode_core::proof`], from the areas down to the postcodes. A leaf is the SHA-256 of a zero byte
//! and the item that `POST /addresses` answers for the postcode, followed by those of its further pages of 100. So it covers
//! what the code answers and not only the file, and any program can compute it again.
//!
//! ```no_run
//! # async fn example() -> postcode_core::Result<()> {
//! use std::sync::Arc;
//! use postcode_addresses::proof::Tree;
//! use postcode_addresses::{LocalAddresses, RemoteAddresses};
//! use postcode_core::proof::compare;
//!
//! let file = LocalAddresses::from_url("file:uk.addresses", Default::default())?;
//! let tree = Tree::build(Arc::new(file.snapshot()), file.file(), 2).await?;
//! let seen = compare(&tree, &RemoteAddresses::new("http://127.0.0.1:8080")?, 100).await?;
//! println!("{:?}", seen.different);
//! # Ok(()) }
//! ```

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use postcode_core::proof::{
    Children, Hashes, Nodes, VERSION, by_outcode, of_leaf, of_node, sector_of, sectors,
};
use postcode_core::wire::{Digest, MAX_PROOF_NODES, PROOF_OF, ProofBody, ProofNode, code, path};
use postcode_core::{Error, ErrorKind, Outcode, Postcode, Result};

use crate::file::AddressFile;
use crate::lookup::wire::AnswerBody;
use crate::lookup::{AddressAnswer, AddressLookup, MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE, RemoteAddresses};

/// The hashes of the answers about one file. It keeps them down to the sector, and computes those of single postcodes when
/// they are asked for.
///
/// [`build`](Self::build) computes it, and [`root`](Self::root) is the hash of all answers:
///
/// ```
/// # #[cfg(feature = "conformance")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use postcode_addresses::proof::Tree;
/// use postcode_addresses::{LocalAddresses, lookup::conformance};
/// use postcode_core::proof::Hashes;
///
/// let addresses = Arc::new(LocalAddresses::new(conformance::file()?));
/// let tree = Tree::build(addresses.clone(), addresses.file(), 1).await?;
/// assert_eq!(tree.proof(&[]).await?.root, tree.root());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "conformance"))]
/// # fn main() {}
/// ```
pub struct Tree {
    lookup: Arc<dyn AddressLookup>,
    file: Arc<AddressFile>,
    root: Digest,
    nodes: HashMap<String, Children>,
}

impl Tree {
    /// Asks the lookup about every postcode that the file lists. Works on `at_once` outcodes at a time, and gives way to
    /// other tasks after each sector. Needs a tokio runtime.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    /// use postcode_addresses::proof::Tree;
    /// use postcode_addresses::{LocalAddresses, lookup::conformance};
    ///
    /// let (one, other) = (Arc::new(LocalAddresses::new(conformance::file()?)), conformance::file()?);
    /// let tree = Tree::build(one.clone(), one.file(), 4).await?;
    /// let other = Arc::new(LocalAddresses::new(other));
    /// assert_eq!(Tree::build(other.clone(), other.file(), 1).await?.root(), tree.root()); // equal answers
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the lookup.
    pub async fn build(
        lookup: Arc<dyn AddressLookup>,
        file: Arc<AddressFile>,
        at_once: usize,
    ) -> Result<Self> {
        let listed = tokio::task::spawn_blocking({
            let file = file.clone();
            move || by_outcode(file.postcodes())
        });
        let outcodes = listed
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "the file was not listed").with_source(error))?;
        let parts = outcodes.into_iter().map(|(outcode, postcodes)| {
            let lookup = lookup.clone();
            async move { outcode_nodes(&*lookup, outcode, &postcodes).await }
        });
        let (root, nodes) = Nodes::of(parts.collect(), at_once).await?.with_root();
        Ok(Self { lookup, file, root, nodes })
    }

    /// Returns the hash of all answers.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    /// use postcode_addresses::proof::Tree;
    /// use postcode_addresses::{LocalAddresses, lookup::conformance};
    ///
    /// let addresses = Arc::new(LocalAddresses::new(conformance::file()?));
    /// let root = Tree::build(addresses.clone(), addresses.file(), 1).await?.root();
    /// assert_eq!(root.to_string().len(), 64); // a SHA-256 in hexadecimal digits
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "conformance"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn root(&self) -> Digest {
        self.root
    }

    async fn children(&self, of: &str) -> Result<Children> {
        if let Some(children) = self.nodes.get(of) {
            return Ok(children.clone());
        }
        match sector_of(of) {
            Some(sector) => answers(&*self.lookup, &self.file.postcodes_of(sector)).await,
            None => Ok(Vec::new()),
        }
    }
}

#[async_trait]
impl Hashes for Tree {
    async fn proof(&self, of: &[String]) -> Result<ProofBody> {
        let mut nodes = Vec::with_capacity(of.len());
        for of in of {
            nodes.push(ProofNode { of: of.clone(), children: self.children(of).await? });
        }
        Ok(ProofBody { version: VERSION, root: self.root, nodes })
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("root", &self.root)
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

/// Returns the children of an outcode's node: its sectors.
async fn outcode_nodes(
    lookup: &dyn AddressLookup,
    outcode: Outcode,
    postcodes: &[Postcode],
) -> Result<(Outcode, Children)> {
    let mut children = Vec::new();
    for (name, sector) in sectors(postcodes) {
        children.push((name, of_node(&answers(lookup, sector).await?)));
        tokio::task::yield_now().await;
    }
    Ok((outcode, children))
}

/// Returns the leaves of postcodes.
async fn answers(lookup: &dyn AddressLookup, postcodes: &[Postcode]) -> Result<Children> {
    let mut leaves = Vec::with_capacity(postcodes.len());
    let mut buffer = Vec::new();
    for batch in postcodes.chunks(MAX_ADDRESS_BATCH) {
        let answers = lookup.addresses(batch).await?;
        if answers.len() != batch.len() {
            let what = format!("{} answers to {} postcodes", answers.len(), batch.len());
            return Err(Error::new(ErrorKind::Internal, what));
        }
        for (postcode, first) in batch.iter().zip(answers) {
            let pages = pages(lookup, *postcode, first).await?;
            let text = postcode.spaced();
            let items = pages.iter().map(|page| AnswerBody::new(text.as_str(), Some(page)));
            leaves.push((postcode.to_string(), of_leaf(items, &mut buffer)?));
        }
    }
    Ok(leaves)
}

/// Returns the first page and those after it.
async fn pages(
    lookup: &dyn AddressLookup,
    postcode: Postcode,
    first: AddressAnswer,
) -> Result<Vec<AddressAnswer>> {
    let total = first.total();
    let mut pages = vec![first];
    for skip in (MAX_ADDRESS_PAGE..total).step_by(MAX_ADDRESS_PAGE) {
        pages.push(lookup.address_page(postcode, skip, MAX_ADDRESS_PAGE).await?);
    }
    Ok(pages)
}

/// The number of records that are as long as the children of one node: 400 hashes.
const NODE_RECORDS: usize = 4;

#[async_trait]
impl Hashes for RemoteAddresses {
    async fn proof(&self, of: &[String]) -> Result<ProofBody> {
        if of.len() > MAX_PROOF_NODES {
            return Err(Error::invalid(format!("{} nodes: give at most {MAX_PROOF_NODES}", of.len())));
        }
        let mut target = path::ADDRESSES_PROOF.to_owned();
        if !of.is_empty() {
            // Names of nodes are letters, digits and blanks.
            let list = of.join(",").replace(' ', "%20");
            target = format!("{target}?{PROOF_OF}={list}");
        }
        let client: &postcode_core::Remote = self.as_ref();
        let records = (of.len() + 1) * NODE_RECORDS;
        let answered = client.exchange(target, None::<&()>, records, &[code::RESOURCE_NOT_FOUND]).await?;
        answered.ok_or_else(|| {
            let what = format!("{client} has no root of its addresses: is it an earlier version?");
            Error::new(ErrorKind::NotSupported, what)
        })
    }
}
