//! Finds the answers that differ, from two roots down.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join;

use crate::wire::{Digest, MAX_PROOF_NODES, PROOF_ROOT, ProofBody};
use crate::{Error, ErrorKind, Remote, Result};

use super::Tree;

/// The longest wait for a service that still computes its root.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Tells the hashes over its answers.
///
/// Asked by [`proof`](Self::proof):
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # use std::sync::Arc;
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let dataset = builder.build()?;
/// # let library = Arc::new(postcode_core::Local::new(dataset.clone()));
/// use postcode_core::proof::{Hashes, Source, Tree};
///
/// let source = Source::Tree(Arc::new(Tree::build(library, dataset, 1).await?));
/// let body = source.proof(&["sector SW1A 1".to_owned()]).await?;
/// assert_eq!(body.nodes[0].children[0].0, "SW1A 1AA");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Hashes: Debug + Send + Sync {
    /// Returns the root, and the children of the nodes with these names, at most [`MAX_PROOF_NODES`]. Names are such as
    /// `area SW` or `sector SW1A 1`. A node that does not exist has no children.
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
    /// use postcode_core::proof::{Hashes, Source, Tree};
    ///
    /// let source = Source::Tree(Arc::new(Tree::build(library, dataset, 1).await?));
    /// let body = source.proof(&["outcode SW1A".to_owned()]).await?;
    /// let names: Vec<&str> = body.nodes[0].children.iter().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["SW1A", "sector SW1A 1"]);
    /// assert!(source.proof(&["area ZZ".to_owned()]).await?.nodes[0].children.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the source; [`Overloaded`](ErrorKind::Overloaded) while a service still computes its root.
    async fn proof(&self, of: &[String]) -> Result<ProofBody>;
}

/// A source of hashes over the answers to postcodes, outcodes and places.
///
/// ```
/// use postcode_core::Remote;
/// use postcode_core::proof::Source;
///
/// let service = Source::Service(Remote::new("http://127.0.0.1:8080")?);
/// assert!(matches!(service, Source::Service(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Source {
    /// A source in this process.
    Tree(Arc<Tree>),
    /// A service.
    Service(Remote),
}

/// The result of a comparison.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # use postcode_core::proof::{Source, Tree, compare};
/// # use std::sync::Arc;
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let dataset = builder.build()?;
/// # let library = Arc::new(postcode_core::Local::new(dataset.clone()));
/// # let tree = Source::Tree(Arc::new(Tree::build(library, dataset, 1).await?));
/// use postcode_core::proof::Comparison;
///
/// fn line(found: &Comparison) -> String {
///     match found.roots[0] == found.roots[1] {
///         true => "equal".to_owned(),
///         false => format!("{} answers differ, after {} requests", found.different.len(), found.requests),
///     }
/// }
///
/// assert_eq!(line(&compare(&tree, &tree, 10).await?), "equal");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The roots of both.
    pub roots: [Digest; 2],
    /// The postcodes, outcodes and codes of places whose answers differ, or that only one has.
    pub different: Vec<String>,
    /// Requests that each side got.
    pub requests: usize,
    /// Whether `different` is all of them: false if the most requests were made.
    pub is_complete: bool,
}

#[async_trait]
impl Hashes for Source {
    async fn proof(&self, of: &[String]) -> Result<ProofBody> {
        match self {
            Self::Tree(tree) => tree.proof(of).await,
            Self::Service(remote) => remote.proof(of).await,
        }
    }
}

/// Asks for hashes, and waits while a service still computes them.
pub(super) async fn patiently(source: &dyn Hashes, of: &[String]) -> Result<ProofBody> {
    let began = tokio::time::Instant::now();
    loop {
        match source.proof(of).await {
            Err(error) if error.kind() == ErrorKind::Overloaded && began.elapsed() < LONGEST_WAIT => {
                let pause = error.retry_after().unwrap_or(Duration::from_secs(1));
                tokio::time::sleep(pause.clamp(Duration::from_millis(100), Duration::from_secs(10))).await;
            }
            answer => return answer,
        }
    }
}

/// Compares two sources from their roots down, with at most `most` requests to each.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # use std::sync::Arc;
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let dataset = builder.build()?;
/// # let library = Arc::new(postcode_core::Local::new(dataset.clone()));
/// use postcode_core::proof::{Source, Tree, compare};
///
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::terminated("SW1A 1AA".parse()?))?;
/// # let other_dataset = builder.build()?;
/// # let other = Arc::new(postcode_core::Local::new(other_dataset.clone()));
/// let one = Source::Tree(Arc::new(Tree::build(library, dataset, 1).await?));
/// let other = Source::Tree(Arc::new(Tree::build(other, other_dataset, 1).await?));
/// assert!(compare(&one, &one, 10).await?.different.is_empty());
/// assert!(compare(&one, &other, 10).await?.different.contains(&"SW1A 1AA".to_owned()));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Returns the errors of the sources, and [`Protocol`](ErrorKind::Protocol) if their versions differ, or if a node's
/// children don't follow from it.
pub async fn compare(one: &dyn Hashes, other: &dyn Hashes, most: usize) -> Result<Comparison> {
    let (left, right) = try_join(patiently(one, &[]), patiently(other, &[])).await?;
    if left.version != right.version {
        let message = format!(
            "the roots have versions {} and {}, which can't be compared: compare all answers instead",
            left.version, right.version
        );
        return Err(Error::new(ErrorKind::Protocol, message));
    }
    let mut comparison =
        Comparison { roots: [left.root, right.root], different: Vec::new(), requests: 1, is_complete: true };
    let mut open = Vec::new();
    if left.root != right.root {
        open.push(PROOF_ROOT.to_owned());
    }
    while !open.is_empty() {
        let mut below = Vec::new();
        for names in open.chunks(MAX_PROOF_NODES) {
            if comparison.requests >= most {
                comparison.is_complete = false;
                return Ok(comparison);
            }
            comparison.requests += 1;
            let (left_now, right_now) = try_join(patiently(one, names), patiently(other, names)).await?;
            for (side, before, now) in [("first", &left, &left_now), ("other", &right, &right_now)] {
                if now.root != before.root {
                    let message = format!("the {side} source has another edition now: compare again");
                    return Err(Error::new(ErrorKind::EditionMoved, message));
                }
                let answered = now.nodes.iter().map(|node| &node.of);
                if !answered.eq(names) {
                    let message =
                        format!("the {side} source answers for other nodes than it was asked about");
                    return Err(Error::new(ErrorKind::Protocol, message));
                }
            }
            for (left, right) in left_now.nodes.iter().zip(&right_now.nodes) {
                let mut all: BTreeMap<&str, [Option<Digest>; 2]> = BTreeMap::new();
                for (n, node) in [left, right].into_iter().enumerate() {
                    for (name, digest) in &node.children {
                        all.entry(name).or_default()[n] = Some(*digest);
                    }
                }
                for (name, [left, right]) in all {
                    match left == right {
                        true => {}
                        false if is_node(name) => below.push(name.to_owned()),
                        false => comparison.different.push(name.to_owned()),
                    }
                }
            }
        }
        open = below;
    }
    Ok(comparison)
}

fn is_node(name: &str) -> bool {
    name == "places" || ["area ", "outcode ", "sector ", "places "].iter().any(|kind| name.starts_with(kind))
}
