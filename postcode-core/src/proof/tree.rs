//! The tree of hashes over all answers of a source in this process.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::dataset::Dataset;
use crate::wire::{Digest, PROOF_ROOT, ProofBody, ProofNode};
use crate::{Answer, Error, ErrorKind, Lookups, Outcode, Postcode, Result, Sector, unit};
use tokio::task::JoinHandle;

use super::hash::{VERSION, group_of, of_answer, of_json, of_node};

/// The children of a node, by their names.
pub type Children = Vec<(String, Digest)>;

/// The nodes of a tree from the root down to the sectors. For `postcode-addresses`, not for applications.
pub struct Nodes {
    /// The children of each node, by its name.
    pub children: HashMap<String, Children>,
    /// The children of the root.
    pub top: Children,
}

impl Nodes {
    /// Puts outcodes together, whose children are computed by these parts. Works on `at_once` of them at a time.
    ///
    /// # Errors
    /// Returns the errors of the parts.
    pub async fn of<F>(parts: Vec<F>, at_once: usize) -> Result<Self>
    where
        F: Future<Output = Result<(Outcode, Children)>> + Send + 'static,
    {
        let mut running = VecDeque::new();
        let mut done = Vec::with_capacity(parts.len());
        for part in parts {
            if running.len() >= at_once.max(1)
                && let Some(first) = running.pop_front()
            {
                done.push(Task::ended(first).await?);
            }
            running.push_back(Task(tokio::spawn(part)));
        }
        for task in running {
            done.push(task.ended().await?);
        }
        let mut children = HashMap::new();
        let mut areas: BTreeMap<String, Children> = BTreeMap::new();
        for (outcode, below) in done {
            let name = format!("outcode {outcode}");
            let area = areas.entry(format!("area {}", outcode.area())).or_default();
            area.push((name.clone(), of_node(&below)));
            children.insert(name, below);
        }
        let top = areas.iter().map(|(name, below)| (name.clone(), of_node(below))).collect();
        children.extend(areas);
        Ok(Self { children, top })
    }

    /// Adds the root's children to the nodes, and returns its hash with them.
    pub fn with_root(self) -> (Digest, HashMap<String, Children>) {
        let Self { mut children, top } = self;
        let root = of_node(&top);
        children.insert(PROOF_ROOT.to_owned(), top);
        (root, children)
    }
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").field("nodes", &self.children.len()).finish_non_exhaustive()
    }
}

/// The hashes of one edition's answers. It keeps them down to the sector, some two megabytes for the
/// country, and computes those of single postcodes and places when they are asked for.
///
/// [`build`](Self::build) computes it, [`root`](Self::root) and [`proof`](Self::proof) read it:
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
/// use postcode_core::proof::Tree;
///
/// let tree = Tree::build(library, dataset, 1).await?;
/// let body = tree.proof(&["root".to_owned()]).await?;
/// assert_eq!((body.root, &*body.nodes[0].children[0].0), (tree.root(), "area SW"));
/// # Ok(())
/// # }
/// ```
pub struct Tree {
    lookup: Arc<dyn Lookups>,
    dataset: Dataset,
    root: Digest,
    nodes: HashMap<String, Children>,
    hashed: u64,
}

impl Tree {
    /// Asks the lookup about everything that the dataset lists. Works on `at_once` parts at a time,
    /// and gives way to other tasks about every millisecond.
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
    /// use postcode_core::proof::Tree;
    ///
    /// let tree = Tree::build(library.clone(), dataset.clone(), 1).await?;
    /// let again = Tree::build(library, dataset, 2).await?; // the order of the work makes no difference
    /// assert_eq!(tree.root(), again.root());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the lookup, and [`EditionMoved`](ErrorKind::EditionMoved) if its edition is not, or not
    /// any more, that of the dataset.
    pub async fn build(lookup: Arc<dyn Lookups>, dataset: Dataset, at_once: usize) -> Result<Self> {
        Self::of(lookup, dataset, at_once, None).await
    }

    /// Does the same as [`build`](Self::build), and takes from an earlier tree the hashes of those sectors whose
    /// answers are still the same. Both lookups are asked for that, which takes less time than to write the answers
    /// and hash them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # use std::sync::Arc;
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::live("M1 1AE".parse()?))?;
    /// # let dataset = builder.build()?;
    /// # let library = Arc::new(postcode_core::Local::new(dataset.clone()));
    /// # let mut builder = DatasetBuilder::new(Metadata::new("a month later"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("M1 1AE".parse()?))?;
    /// # let next_dataset = builder.build()?;
    /// # let next = Arc::new(postcode_core::Local::new(next_dataset.clone()));
    /// use postcode_core::proof::Tree;
    ///
    /// let tree = Arc::new(Tree::build(library, dataset, 1).await?);
    /// let next = Tree::build_after(&tree, next, next_dataset, 1).await?;
    /// assert_eq!((tree.hashed(), next.hashed()), (2, 1)); // one of two postcodes has changed
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The same as [`build`](Self::build). If the earlier lookup fails, nothing is taken from its tree.
    pub async fn build_after(
        earlier: &Arc<Self>,
        lookup: Arc<dyn Lookups>,
        dataset: Dataset,
        at_once: usize,
    ) -> Result<Self> {
        Self::of(lookup, dataset, at_once, Some(earlier.clone())).await
    }

    async fn of(
        lookup: Arc<dyn Lookups>,
        dataset: Dataset,
        at_once: usize,
        earlier: Option<Arc<Self>>,
    ) -> Result<Self> {
        let outcodes = blocking({
            let dataset = dataset.clone();
            move || by_outcode(dataset.iter().map(|record| record.postcode))
        })
        .await?;
        let hashed = Arc::new(AtomicU64::new(0));
        let parts = outcodes.into_iter().map(|(outcode, postcodes)| {
            let (lookup, edition) = (lookup.clone(), dataset.info().fingerprint.clone());
            let (earlier, hashed) = (earlier.clone(), hashed.clone());
            async move {
                let nodes = outcode_nodes(&*lookup, outcode, &postcodes, earlier.as_deref(), &hashed);
                unit::at_edition(&edition, nodes).await
            }
        });
        let mut nodes = Nodes::of(parts.collect(), at_once).await?;
        if dataset.info().places > 0 {
            let edition = dataset.info().fingerprint.clone();
            let groups = unit::at_edition(&edition, place_groups(&*lookup, &dataset)).await?;
            nodes.top.push(("places".to_owned(), of_node(&groups)));
            nodes.children.insert("places".to_owned(), groups);
        }
        let (root, nodes) = nodes.with_root();
        let hashed = hashed.load(Relaxed);
        Ok(Self { lookup, dataset, root, nodes, hashed })
    }

    /// Returns how many answers to postcodes were hashed to build this tree. The others have the hashes of an
    /// earlier one.
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
    /// use postcode_core::proof::Tree;
    ///
    /// let tree = Arc::new(Tree::build(library.clone(), dataset.clone(), 1).await?);
    /// assert_eq!(tree.hashed(), 1);
    /// assert_eq!(Tree::build_after(&tree, library, dataset, 1).await?.hashed(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn hashed(&self) -> u64 {
        self.hashed
    }

    /// Returns the hash of all answers.
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
    /// use postcode_core::proof::Tree;
    ///
    /// let tree = Tree::build(library, dataset, 1).await?;
    /// assert_eq!(tree.root().to_string().len(), 64); // SHA-256 in hexadecimal
    /// # Ok(())
    /// # }
    /// ```
    pub fn root(&self) -> Digest {
        self.root
    }

    /// Returns the root, and the children of these nodes. A node that does not exist has none.
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
    /// use postcode_core::proof::Tree;
    ///
    /// let tree = Tree::build(library, dataset, 1).await?;
    /// let body = tree.proof(&["sector SW1A 1".to_owned()]).await?;
    /// let names: Vec<&str> = body.nodes[0].children.iter().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["SW1A 1AA", "SW1A 1AB"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the errors of the lookup.
    pub async fn proof(&self, of: &[String]) -> Result<ProofBody> {
        let mut nodes = Vec::with_capacity(of.len());
        for of in of {
            nodes.push(ProofNode { of: of.clone(), children: self.children(of).await? });
        }
        Ok(ProofBody { version: VERSION, root: self.root, nodes })
    }

    /// Returns the hash of a sector if this tree's lookup answers about these postcodes, and no others of the sector,
    /// what another one has answered.
    async fn unchanged(
        &self,
        outcode: &str,
        sector: &str,
        postcodes: &[Postcode],
        answers: &[Answer],
    ) -> Option<Digest> {
        let sectors = self.nodes.get(outcode)?;
        let (_, digest) = sectors.iter().find(|(name, _)| name == sector)?;
        let listed = self.dataset.iter_sector(postcodes.first()?.sector()).map(|record| record.postcode);
        if !listed.eq(postcodes.iter().copied()) {
            return None;
        }
        let edition = &self.dataset.info().fingerprint;
        let earlier = unit::at_edition(edition, self.lookup.lookup(postcodes)).await.ok()?;
        (earlier == answers).then_some(*digest)
    }

    async fn children(&self, of: &str) -> Result<Children> {
        if let Some(children) = self.nodes.get(of) {
            return Ok(children.clone());
        }
        let leaves = async {
            if let Some(sector) = sector_of(of) {
                let postcodes: Vec<Postcode> =
                    self.dataset.iter_sector(sector).map(|record| record.postcode).collect();
                return leaves(&postcodes, &answers(&*self.lookup, &postcodes).await?);
            }
            let group = of.strip_prefix("places ").and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match group.filter(|_| self.nodes.contains_key("places")) {
                Some(group) => places(&*self.lookup, &self.codes(group)).await,
                None => Ok(Vec::new()),
            }
        };
        unit::at_edition(&self.dataset.info().fingerprint, leaves).await
    }

    fn codes(&self, group: u8) -> Vec<String> {
        let codes = self.dataset.iter_places().map(|place| place.code);
        let mut codes: Vec<String> = codes.filter(|code| group_of(code) == group).collect();
        codes.sort_unstable();
        codes
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

/// A task that is stopped when its handle is dropped.
struct Task<T>(JoinHandle<Result<T>>);

impl<T> Task<T> {
    async fn ended(mut self) -> Result<T> {
        (&mut self.0).await.map_err(|error| failed(error.to_string()))?
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn failed(why: String) -> Error {
    Error::new(ErrorKind::Internal, format!("the answer root was not computed: {why}"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()))
}

/// Groups postcodes in order by outcode.
pub fn by_outcode(postcodes: impl Iterator<Item = Postcode>) -> Vec<(Outcode, Vec<Postcode>)> {
    let mut outcodes: Vec<(Outcode, Vec<Postcode>)> = Vec::new();
    for postcode in postcodes {
        match outcodes.last_mut() {
            Some((outcode, postcodes)) if *outcode == postcode.outcode() => postcodes.push(postcode),
            _ => outcodes.push((postcode.outcode(), vec![postcode])),
        }
    }
    outcodes
}

/// Returns the sectors of sorted postcodes: the name of the node of each, and its postcodes.
pub fn sectors(postcodes: &[Postcode]) -> impl Iterator<Item = (String, &[Postcode])> {
    let named = |sector: &[Postcode]| sector.first().map(|first| format!("sector {}", first.sector().text()));
    let chunks = postcodes.chunk_by(|one, next| one.sector() == next.sector());
    chunks.filter_map(move |sector| Some((named(sector)?, sector)))
}

/// Returns the sector that a node is about.
pub fn sector_of(node: &str) -> Option<Sector> {
    node.strip_prefix("sector ").and_then(|text| text.parse().ok())
}

/// Returns the children of an outcode's node: its own answer, and its sectors.
async fn outcode_nodes(
    lookup: &dyn Lookups,
    outcode: Outcode,
    postcodes: &[Postcode],
    earlier: Option<&Tree>,
    hashed: &AtomicU64,
) -> Result<(Outcode, Children)> {
    let summary = lookup.outcode(outcode).await?;
    let mut children = vec![(outcode.to_string(), of_json(&summary, &mut Vec::new())?)];
    let node = format!("outcode {outcode}");
    for (name, sector) in sectors(postcodes) {
        let answers = answers(lookup, sector).await?;
        let unchanged = match earlier {
            Some(earlier) => earlier.unchanged(&node, &name, sector, &answers).await,
            None => None,
        };
        let digest = match unchanged {
            Some(digest) => digest,
            None => {
                hashed.fetch_add(sector.len() as u64, Relaxed);
                of_node(&leaves(sector, &answers)?)
            }
        };
        children.push((name, digest));
        tokio::task::yield_now().await;
    }
    Ok((outcode, children))
}

/// Asks about postcodes. A sector has at most 400, fewer than a batch may have.
async fn answers(lookup: &dyn Lookups, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
    let answers = lookup.lookup(postcodes).await?;
    if answers.len() != postcodes.len() {
        return Err(failed(format!("{} answers to {} postcodes", answers.len(), postcodes.len())));
    }
    Ok(answers)
}

/// Returns the leaves of postcodes.
fn leaves(postcodes: &[Postcode], answers: &[Answer]) -> Result<Children> {
    let mut buffer = Vec::new();
    let leaf = |(postcode, answer): (&Postcode, &_)| {
        Ok((postcode.to_string(), of_answer(*postcode, answer, &mut buffer)?))
    };
    postcodes.iter().zip(answers).map(leaf).collect()
}

async fn place_groups(lookup: &dyn Lookups, dataset: &Dataset) -> Result<Children> {
    let mut groups: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for place in dataset.iter_places() {
        groups.entry(group_of(&place.code)).or_default().push(place.code);
    }
    let mut children = Vec::with_capacity(groups.len());
    for (group, mut codes) in groups {
        codes.sort_unstable();
        children.push((format!("places {group:02x}"), of_node(&places(lookup, &codes).await?)));
        tokio::task::yield_now().await;
    }
    Ok(children)
}

async fn places(lookup: &dyn Lookups, codes: &[String]) -> Result<Children> {
    let mut leaves = Vec::with_capacity(codes.len());
    let mut buffer = Vec::new();
    for code in codes {
        leaves.push((code.clone(), of_json(&lookup.place(code).await?, &mut buffer)?));
    }
    Ok(leaves)
}
