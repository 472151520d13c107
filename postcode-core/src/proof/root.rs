//! The root of a source by its URL.

use std::sync::Arc;

use super::descend::patiently;
use super::{Source, Tree};
use crate::wire::Digest;
use crate::{ErrorKind, Local, Remote, Replica, Result};

/// Returns the hash of all answers of a source by its URL: computed here for data in this process, asked
/// for at a service. `None` for a service that has none.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("uk.postcodes");
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let dataset = builder.write_to(&path, &mut |_| std::ops::ControlFlow::Continue(()))?;
/// # let library = std::sync::Arc::new(postcode_core::Local::new(dataset.clone()));
/// use postcode_core::proof::{Tree, root_of};
///
/// let of_file = root_of(&format!("file:{}", path.display())).await?;
/// let of_library = Tree::build(library, dataset, 1).await?.root();
/// assert_eq!(of_file, Some(of_library)); // equal answers
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Returns the errors of the source.
pub async fn root_of(url: &str) -> Result<Option<Digest>> {
    let scheme = url.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    let local = match &scheme {
        Some((scheme, _)) if matches!(scheme.as_str(), "embedded" | "file") => Some(Local::from_url(url)?),
        Some((scheme, service)) if scheme == "replica" => {
            Some(Local::new(Replica::start(service).await?.local().dataset()))
        }
        _ => None,
    };
    let Some(local) = local else {
        return match patiently(&Source::Service(Remote::new(url)?), &[]).await {
            Ok(proof) => Ok(Some(proof.root)),
            Err(error) if error.kind() == ErrorKind::NotSupported => Ok(None),
            Err(error) => Err(error),
        };
    };
    let dataset = local.dataset();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(Some(Tree::build(Arc::new(local), dataset, cores.div_ceil(2)).await?.root()))
}
