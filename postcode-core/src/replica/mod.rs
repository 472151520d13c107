//! A copy of a service's data: answers in this process, from the file that the service offers.

mod builder;
mod download;
mod fetch;
mod folder;
mod follow;
mod status;

use std::fmt;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::layers::Around;
use crate::layers::call::Call;
use crate::{Local, Result, layer};
pub use builder::ReplicaBuilder;
use follow::Follower;
pub use status::ReplicaStatus;

/// A [`PostcodeLookup`](crate::PostcodeLookup) that keeps a copy of a postcode-service's dataset file, answers from it in this process, and
/// follows the service's editions.
///
/// - **Start.** With a copy from before it answers from that at once, whether the service is there or not. Without
///   one it downloads the file first, and is an error if it can't.
/// - **Follow.** Every `interval` (a minute) it asks the service whether its edition is another, downloads that in
///   the background, and answers from it from then on. Calls under way end with the edition that they began with;
///   none waits.
/// - **Service gone.** It goes on with what it has; [`status`](Self::status) says since when.
/// - **Downloads** are in ranges, and go on where they broke off, even after a restart. A file takes its place only
///   whole, with the checksum that the service said, and [verified](crate::dataset::Dataset::verify); until then
///   what was there stays.
///
/// The file is a dataset file like any other: `file:` opens it too.
///
/// ```no_run
/// # async fn example() -> postcode_core::Result<()> {
/// use postcode_core::{PostcodeLookupExt, Replica};
///
/// let replica = Replica::builder("http://127.0.0.1:8080").dir("/var/cache/postcode").start().await?;
/// println!("{:?}", replica.get_str("SW1A 1AA").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Replica {
    follower: Arc<Follower>,
    following: Following,
}

/// Ends with the replica.
#[derive(Debug)]
struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Replica {
    /// With the defaults and the options in the URL, such as `http://host:8080?dir=/var/cache/postcode&interval=10s`.
    ///
    /// # Errors
    /// Those of [`ReplicaBuilder::start`].
    pub async fn start(url: &str) -> Result<Self> {
        Self::builder(url).start().await
    }

    /// To be set up further, from the URL of the service, with or without options.
    pub fn builder(url: &str) -> ReplicaBuilder {
        ReplicaBuilder::new(url)
    }

    fn new(follower: Follower, interval: std::time::Duration) -> Self {
        let follower = Arc::new(follower);
        let following = Following(tokio::spawn(follow::follow(follower.clone(), interval)));
        Self { follower, following }
    }

    /// Asks the service now, without waiting for the next interval. True if another edition has taken over.
    ///
    /// # Errors
    /// Why there is no knowing, or no downloading; the replica goes on with what it has.
    pub async fn refresh(&self) -> Result<bool> {
        self.follower.refresh().await
    }

    /// What it has, and how it stands with its service.
    pub fn status(&self) -> ReplicaStatus {
        self.follower.status()
    }

    /// The lookup in this process, for callers who want neither trait nor future.
    pub fn local(&self) -> &Local {
        &self.follower.local
    }

    /// Whether it still follows: false only if the runtime that it was started on has ended.
    pub fn is_following(&self) -> bool {
        !self.following.0.is_finished()
    }
}

/// The service's address, without user and password.
impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replica of {}", self.follower.service)
    }
}

impl Around for Replica {
    async fn around<C: Call>(&self, call: C) -> Result<C::Reply> {
        call.on(self.local()).await
    }
}

layer!([] Replica);
