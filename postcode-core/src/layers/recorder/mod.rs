//! Records calls, so that they can be made again elsewhere.

mod plain;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Around;
use super::call::Call;
use crate::{PostcodeLookup, Result, layer};

pub use plain::{PlainCall, PlainOrigin, PlainRegion};

/// The most calls that wait to be written.
const WAITING: usize = 1_024;

/// How a [`CallRecorder`] records.
///
/// ```
/// use postcode_core::layers::CallRecorderConfig;
///
/// let mut config = CallRecorderConfig::default();
/// config.share = 1.0; // every call
/// config.most = 10_000;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallRecorderConfig {
    /// The share of calls that are recorded, 0 to 1. Default: 0.01.
    pub share: f64,
    /// The most calls that are recorded. Default: 1,000,000.
    pub most: u64,
    /// Whether whole postcodes, texts and points are left out, as
    /// [`without_whole_postcodes`](PlainCall::without_whole_postcodes) does. Default: true.
    pub is_private: bool,
}

impl Default for CallRecorderConfig {
    fn default() -> Self {
        Self { share: 0.01, most: 1_000_000, is_private: true }
    }
}

/// A recorded call, with its time.
///
/// ```
/// use postcode_core::layers::RecordedCall;
///
/// let line = r#"{"at_us":1500,"method":"lookup_one","postcode":"SW1A 1"}"#;
/// let recorded: RecordedCall = serde_json::from_str(line)?;
/// assert_eq!((recorded.at_us, recorded.call.to_string()), (1_500, "lookup of SW1A 1".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedCall {
    /// Microseconds since the recording began.
    pub at_us: u64,
    /// The call.
    #[serde(flatten)]
    pub call: PlainCall,
}

/// Records a share of the calls to a lookup. The calls go to a channel, and never wait for it: if too many are waiting to be
/// written, they are dropped and counted.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::{CallRecorder, CallRecorderConfig};
///
/// let mut config = CallRecorderConfig::default();
/// config.share = 1.0;
/// let (lookup, mut calls) = CallRecorder::new(library, config);
/// lookup.lookup_one("SW1A 1AA".parse()?).await?;
/// let recorded = calls.recv().await.ok_or("nothing")?;
/// assert_eq!(recorded.call.to_string(), "lookup of SW1A 1"); // private by default
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub struct CallRecorder<L> {
    inner: L,
    state: Arc<State>,
}

struct State {
    config: CallRecorderConfig,
    began: Instant,
    sender: mpsc::Sender<RecordedCall>,
    recorded: AtomicU64,
    dropped: AtomicU64,
}

impl<L> CallRecorder<L> {
    /// Creates a layer, and the channel where the recorded calls arrive.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup = postcode_core::MockLookups::default();
    /// use postcode_core::layers::{CallRecorder, CallRecorderConfig};
    ///
    /// let (lookup, calls) = CallRecorder::new(lookup, CallRecorderConfig::default());
    /// assert!(calls.is_empty());
    /// # drop(lookup);
    /// # }
    /// ```
    pub fn new(inner: L, config: CallRecorderConfig) -> (Self, mpsc::Receiver<RecordedCall>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (recorded, dropped) = Default::default();
        let state = State { config, began: Instant::now(), sender, recorded, dropped };
        (Self { inner, state: Arc::new(state) }, receiver)
    }

    /// Returns how many calls were recorded, and how many of the share were dropped because too many were waiting.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// # let lookup = postcode_core::MockLookups::default();
    /// use postcode_core::layers::{CallRecorder, CallRecorderConfig};
    ///
    /// let (lookup, _calls) = CallRecorder::new(lookup, CallRecorderConfig::default());
    /// assert_eq!(lookup.counts(), (0, 0));
    /// # }
    /// ```
    pub fn counts(&self) -> (u64, u64) {
        (self.state.recorded.load(Relaxed), self.state.dropped.load(Relaxed))
    }
}

impl State {
    fn note<L: ?Sized, C: Call<L>>(&self, call: &C) {
        let CallRecorderConfig { share, most, is_private } = self.config;
        if !C::COMPARABLE || self.recorded.load(Relaxed) >= most || fastrand::f64() >= share {
            return;
        }
        let Some(call) = PlainCall::of::<L, C>(call) else { return };
        let call = if is_private { call.without_whole_postcodes() } else { call };
        let at_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let Ok(place) = self.sender.try_reserve() else {
            self.dropped.fetch_add(1, Relaxed);
            return;
        };
        // Counted before it is sent, so that calls at once are not more than `most`.
        if self.recorded.fetch_add(1, Relaxed) < most {
            place.send(RecordedCall { at_us, call });
        } else {
            self.recorded.fetch_sub(1, Relaxed);
        }
    }
}

impl<L: PostcodeLookup> Around for CallRecorder<L> {
    type Inner = L;

    async fn around<C: Call<L>>(&self, call: C) -> Result<C::Reply> {
        self.state.note::<L, C>(&call);
        call.on(&self.inner).await
    }
}

layer!([L: PostcodeLookup] CallRecorder<L>);

impl<L: fmt::Debug> fmt::Debug for CallRecorder<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRecorder")
            .field("inner", &self.inner)
            .field("config", &self.state.config)
            .finish()
    }
}
