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
/// # async fn example() -> postcode_core::Result<()> {
/// use postcode_core::proof::root_of;
///
/// let (library, service) = (root_of("embedded:").await?, root_of("http://127.0.0.1:8080").await?);
/// println!("equal answers: {}", library.is_some() && library == service);
/// # Ok(()) }
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
