//! Settings of a [`Replica`].

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Replica;
use super::folder::Folder;
use super::follow::Follower;
use crate::dataset::PublicKey;
use crate::remote::config::parse_duration;
use crate::remote::{RemoteBuilder, Transport};
use crate::source::SourceUrl;
use crate::{Error, Result};

const INTERVAL: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A hundred times the size of the country's file today.
const LARGEST: u64 = 8 << 30;

/// Builds a [`Replica`]; created by [`Replica::builder`]. Methods overrule the options in the URL.
/// Those are `dir`, `interval`, `public_key` and the options of the HTTP client.
///
/// [`dir`](Self::dir) and [`interval`](Self::interval) set where and how often, and [`start`](Self::start) begins:
///
/// ```no_run
/// use std::time::Duration;
/// use postcode_core::Replica;
///
/// # async fn example() -> postcode_core::Result<()> {
/// let replica = Replica::builder("https://postcodes.example")
///     .dir("/var/cache/postcode")
///     .interval(Duration::from_secs(10))
///     .start()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct ReplicaBuilder(Result<Settings>);

struct Settings {
    remote: RemoteBuilder,
    dir: Option<PathBuf>,
    interval: Duration,
    public_key: Option<PublicKey>,
}

impl ReplicaBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self(SourceUrl::parse(url).and_then(settings))
    }

    /// Creates the builder, or returns at once what is wrong with the URL.
    pub(crate) fn from_url(url: SourceUrl) -> Result<Self> {
        Ok(Self(Ok(settings(url)?)))
    }

    fn set(mut self, set: impl FnOnce(&mut Settings) -> Result<()>) -> Self {
        if let Ok(settings) = &mut self.0
            && let Err(error) = set(settings)
        {
            self.0 = Err(error);
        }
        self
    }

    /// Sets the folder of the copy, which is created if it does not exist. Several replicas may
    /// share a folder: each service has a separate file. The default is `postcode` in the user's cache
    /// folder, `$XDG_CACHE_HOME` or `~/.cache`.
    ///
    /// ```
    /// use postcode_core::Replica;
    ///
    /// let replica = Replica::builder("http://127.0.0.1:8080").dir("/var/cache/postcode");
    /// assert!(replica.to_string().contains("dir=/var/cache/postcode"));
    /// ```
    pub fn dir(self, dir: impl Into<PathBuf>) -> Self {
        self.set(|settings| {
            settings.dir = Some(dir.into());
            Ok(())
        })
    }

    /// Sets how often the service is asked for its edition: 100 ms to a day, a minute unless set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use postcode_core::Replica;
    ///
    /// let replica = Replica::builder("http://127.0.0.1:8080").interval(Duration::from_secs(10));
    /// assert!(replica.to_string().contains("interval=10s"));
    /// let replica = Replica::builder("http://127.0.0.1:8080").interval(Duration::ZERO);
    /// assert!(replica.to_string().contains("give 100ms")); // `start` returns this error
    /// ```
    pub fn interval(self, interval: Duration) -> Self {
        self.set(|settings| settings.set_interval(interval))
    }

    /// Requires that the service's file is signed with this key. A file that is not is never used:
    /// the previous data stays. A stored copy whose signature is missing or invalid is downloaded
    /// again.
    ///
    /// ```
    /// use postcode_core::Replica;
    ///
    /// let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
    /// let replica = Replica::builder("https://postcodes.example").public_key(key);
    /// println!("{replica}"); // all settings, for the log
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn public_key(self, key: PublicKey) -> Self {
        self.set(|settings| {
            settings.public_key = Some(key);
            Ok(())
        })
    }

    /// Sends requests through this transport: see [`RemoteBuilder::transport`].
    ///
    /// ```
    /// use postcode_core::remote::Transport;
    /// use postcode_core::{Replica, ReplicaBuilder};
    ///
    /// fn of_a_test(server: impl Transport) -> ReplicaBuilder {
    ///     Replica::builder("http://in.process").transport(server)
    /// }
    /// ```
    pub fn transport(self, transport: impl Transport) -> Self {
        self.remote(|client| client.transport(transport))
    }

    /// Changes the client that calls the service: its authorization, its certificates, its proxy.
    /// The replica has separate timeouts and retries.
    ///
    /// ```
    /// use postcode_core::Replica;
    ///
    /// let replica = Replica::builder("https://postcodes.example").remote(|client| client.token_file("/etc/postcode/token"));
    /// println!("{replica}");
    /// ```
    pub fn remote(self, set: impl FnOnce(RemoteBuilder) -> RemoteBuilder) -> Self {
        Self(self.0.map(|settings| Settings { remote: set(settings.remote), ..settings }))
    }

    /// Opens the stored copy, or downloads one, and starts to follow the service. Needs a tokio runtime
    /// with I/O and time, and follows for as long as that runs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::{ErrorKind, Replica};
    ///
    /// let error = Replica::builder("http://127.0.0.1:8080?intervall=10s").start().await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidInput); // an unknown option
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an invalid URL, option or value;
    /// [`Dataset`](crate::ErrorKind::Dataset) if the folder can't be used. Without a stored copy, also the
    /// reason why the download failed: [`Unavailable`](crate::ErrorKind::Unavailable) for example, or
    /// [`NotSupported`](crate::ErrorKind::NotSupported) if the server offers no file.
    pub async fn start(self) -> Result<Replica> {
        let Settings { remote, dir, interval, public_key } = self.0?;
        let remote = remote.build()?;
        let folder = Folder::of(dir, &remote.to_string(), public_key)?;
        let follower = Follower::start(remote, folder, LARGEST).await?;
        Ok(Replica::new(follower, interval))
    }
}

impl Settings {
    fn set_interval(&mut self, interval: Duration) -> Result<()> {
        if !(SHORTEST..=LONGEST).contains(&interval) {
            return Err(Error::invalid(format!("an interval of {interval:?}: give 100ms to 1440m")));
        }
        self.interval = interval;
        Ok(())
    }
}

fn settings(mut url: SourceUrl) -> Result<Settings> {
    let own = |name: &str| matches!(name, "dir" | "interval" | "public_key");
    let (ours, theirs): (Vec<_>, _) =
        std::mem::take(&mut url.options).into_iter().partition(|(name, _)| own(name));
    url.options = theirs;
    let mut settings =
        Settings { remote: RemoteBuilder::from_url(url)?, dir: None, interval: INTERVAL, public_key: None };
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in &ours {
        if seen.contains(&name.as_str()) {
            return Err(Error::invalid(format!("option {name:?} is given twice: give it once")));
        }
        seen.push(name);
        match name.as_str() {
            "dir" if value.is_empty() => {
                return Err(Error::invalid("dir=: give the folder where the copy is kept"));
            }
            "dir" => settings.dir = Some(value.into()),
            "public_key" => settings.public_key = Some(value.parse()?),
            _ => settings.set_interval(parse_duration(name, value)?)?,
        }
    }
    Ok(settings)
}

/// Writes all settings in effect on one line, without secrets, for the log at the start.
impl fmt::Display for ReplicaBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { remote, dir, interval, public_key } = match &self.0 {
            Ok(settings) => settings,
            Err(error) => return error.fmt(f),
        };
        write!(f, "replica:{} interval={interval:?} dir=", remote.address())?;
        match dir {
            Some(dir) => write!(f, "{}", dir.display())?,
            None => f.write_str("(the user's cache folder)")?,
        }
        f.write_str(if public_key.is_some() { " signature=demanded" } else { "" })
    }
}

impl fmt::Debug for ReplicaBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplicaBuilder({self})")
    }
}
