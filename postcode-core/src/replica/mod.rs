//! A copy of a service's data: downloads its dataset file and answers from it in this process.

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

/// Keeps a copy of a postcode-service's dataset file, answers from it in this process, and follows the
/// service's editions. It is a [`PostcodeLookup`](crate::PostcodeLookup).
///
/// - **Start.** With a stored copy it answers at once, even if the service is down. Without one it
///   downloads the file first, and fails if it can't.
/// - **Follow.** Every `interval` (a minute) it asks the service for its edition, downloads a new one in
///   the background, and then answers from it. Running calls finish with the edition that they began
///   with, and none waits.
/// - **Service down.** It continues with the data it has; [`status`](Self::status) says since when.
/// - **Downloads** use ranges, and resume where they broke off, even after a restart. A file is only used
///   when it is complete, matches the server's checksum and is
///   [verified](crate::dataset::Dataset::verify). Until then the previous data stays.
///
/// The file is an ordinary dataset file, which `file:` can open too.
///
/// Created by [`builder`](Self::builder) or [`start`](Self::start):
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

/// The task that follows the service; aborted when the replica is dropped.
#[derive(Debug)]
struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Replica {
    /// Starts a replica with the defaults and the options in the URL, such as
    /// `http://host:8080?dir=/var/cache/postcode&interval=10s`.
    ///
    /// ```
    /// # async fn example() -> postcode_core::Result<()> {
    /// use postcode_core::Replica;
    ///
    /// let replica = Replica::start("http://127.0.0.1:8080?dir=/var/cache/postcode&interval=10s").await?;
    /// println!("{}", replica.status().info.edition);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as [`ReplicaBuilder::start`].
    pub async fn start(url: &str) -> Result<Self> {
        Self::builder(url).start().await
    }

    /// Creates a builder from the URL of the service, with or without options. If the URL is invalid,
    /// [`start`](ReplicaBuilder::start) returns the error.
    ///
    /// ```
    /// use postcode_core::Replica;
    ///
    /// let replica = Replica::builder("http://127.0.0.1:8080?dir=/var/cache/postcode");
    /// assert!(replica.to_string().contains("interval=60s dir=/var/cache/postcode"));
    /// ```
    pub fn builder(url: &str) -> ReplicaBuilder {
        ReplicaBuilder::new(url)
    }

    fn new(follower: Follower, interval: std::time::Duration) -> Self {
        let follower = Arc::new(follower);
        let following = Following(tokio::spawn(follow::follow(follower.clone(), interval)));
        Self { follower, following }
    }

    /// Asks the service for its edition now, without waiting for the next interval. Returns true if
    /// a new edition is in use.
    ///
    /// ```
    /// # async fn example(replica: postcode_core::Replica) -> postcode_core::Result<()> {
    /// if replica.refresh().await? {
    ///     println!("now {}", replica.status().info.edition);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The reason why the request or the download failed. The replica continues with the data it
    /// has.
    pub async fn refresh(&self) -> Result<bool> {
        self.follower.refresh().await
    }

    /// Returns the edition in use, and the state of the connection to the service.
    ///
    /// ```
    /// # fn example(replica: postcode_core::Replica) {
    /// let status = replica.status();
    /// if let Some(error) = &status.error {
    ///     eprintln!("still {}, because {error}", status.info.edition);
    /// }
    /// # }
    /// ```
    pub fn status(&self) -> ReplicaStatus {
        self.follower.status()
    }

    /// Returns the in-process lookup, for callers who need neither trait nor future.
    ///
    /// ```
    /// # fn example(replica: postcode_core::Replica) -> Result<(), Box<dyn std::error::Error>> {
    /// let dataset = replica.local().dataset();
    /// println!("{}", dataset.get("SW1A 1AA".parse()?).status());
    /// # Ok(()) }
    /// ```
    pub fn local(&self) -> &Local {
        &self.follower.local
    }

    /// Returns whether it still follows the service: false only if the runtime that it was started
    /// on has ended.
    ///
    /// ```
    /// # fn example(replica: postcode_core::Replica) {
    /// if !replica.is_following() {
    ///     eprintln!("the runtime of the replica has ended: start another one");
    /// }
    /// # }
    /// ```
    pub fn is_following(&self) -> bool {
        !self.following.0.is_finished()
    }
}

/// Writes the service's address, without user and password.
impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replica of {}", self.follower.service)
    }
}

impl Around for Replica {
    type Inner = Local;

    async fn around<C: Call<Local>>(&self, call: C) -> Result<C::Reply> {
        call.on(self.local()).await
    }
}

layer!([] Replica);
