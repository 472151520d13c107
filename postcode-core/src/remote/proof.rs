//! The hashes over all answers of a postcode-service.

use url::form_urlencoded;

use super::Remote;
use super::call::Ask;
use crate::wire::{MAX_PROOF_NODES, PROOF_OF, ProofBody, path};
use crate::{Error, Result};

/// The number of records that are as long as the children of one node: 400 hashes.
const NODE_RECORDS: usize = 4;

impl Remote {
    /// Returns the hash of all answers, and the children of these nodes, at most
    /// [`MAX_PROOF_NODES`].
    ///
    /// ```
    /// # async fn example() -> postcode_core::Result<()> {
    /// use postcode_core::Remote;
    ///
    /// let remote = Remote::new("http://127.0.0.1:8080")?;
    /// let body = remote.proof(&["area SW".to_owned()]).await?;
    /// println!("{} with {} outcodes in SW", body.root, body.nodes[0].children.len());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`NotSupported`](crate::ErrorKind::NotSupported) by a server without this route;
    /// [`Overloaded`](crate::ErrorKind::Overloaded) while the server still computes it.
    pub async fn proof(&self, of: &[String]) -> Result<ProofBody> {
        if of.len() > MAX_PROOF_NODES {
            return Err(Error::invalid(format!("{} nodes: give at most {MAX_PROOF_NODES}", of.len())));
        }
        let mut target = path::PROOF.to_owned();
        if !of.is_empty() {
            let list = of.join(",");
            let query = form_urlencoded::Serializer::new(String::new()).append_pair(PROOF_OF, &list).finish();
            target = format!("{target}?{query}");
        }
        let reply = self.call().ask(&Ask::get(target, of.len() * NODE_RECORDS)).await?;
        reply.has_route("root of all answers")?;
        reply.result()
    }
}
