//! The ledger as a value.

use serde::{Deserialize, Serialize};

/// The counts and estimates of a [`Ledger`](super::Ledger) since its start.
///
/// [`calls`](Self::calls) is the sum over all cohorts:
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{PostcodeLookupExt, layers::Ledger, unit};
///
/// let ledger = Ledger::new(library);
/// ledger.get_str("SW1A 1AA").await?;
/// unit::cohort("import", ledger.get_str("AB1 0AA")).await?;
/// let seen = ledger.snapshot();
/// assert_eq!(seen.calls(), 2);
/// assert_eq!(seen.cohorts[1].cohort, "import");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerSnapshot {
    /// How long it has counted.
    pub seconds: f64,
    /// By cohort. Callers without one come first, with an empty name.
    pub cohorts: Vec<CohortSnapshot>,
}

/// The calls of one cohort.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{PostcodeLookupExt, layers::Ledger};
///
/// let ledger = Ledger::new(library);
/// ledger.get_str("SW1A 1AA").await?;
/// let callers = &ledger.snapshot().cohorts[0];
/// assert_eq!((&*callers.cohort, callers.methods.len()), ("", 1)); // callers without a cohort
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CohortSnapshot {
    /// The name.
    pub cohort: String,
    /// By method, in the order of their first calls.
    pub methods: Vec<MethodSnapshot>,
    /// Estimated hits of caches of several sizes.
    pub caches: Vec<CacheEstimate>,
    /// Estimated savings of joining single lookups.
    pub joins: Vec<JoinEstimate>,
}

/// The calls of one method.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{PostcodeLookup, layers::Ledger};
///
/// let ledger = Ledger::new(library);
/// ledger.autocomplete("SW1A", 10).await?;
/// let method = &ledger.snapshot().cohorts[0].methods[0];
/// assert_eq!((&*method.method, method.calls, method.items), ("autocomplete", 1, 1));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MethodSnapshot {
    /// The method.
    pub method: String,
    /// Calls.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Items in the answers: records, postcodes, places.
    pub items: u64,
    /// Bytes of the answers as JSON, estimated from one in 256.
    pub bytes: u64,
    /// The time that half of the calls don't exceed, in microseconds, from one call in 16.
    pub p50_us: Option<f64>,
    /// The time that 99 % of the calls don't exceed, in microseconds, from one call in 16.
    pub p99_us: Option<f64>,
    /// The mean time that a call worked in the caller's process, and did not wait, in microseconds.
    pub worked_us: f64,
    /// Calls by the least number of items in a bucket: 0, 1, 2, 4, 8, …
    pub sizes: Vec<(u64, u64)>,
}

/// The estimated hits of a cache of one size.
///
/// ```
/// use postcode_core::layers::CacheEstimate;
///
/// /// Returns the smallest cache that answers half of the lookups.
/// fn enough(estimates: &[CacheEstimate]) -> Option<u64> {
///     estimates.iter().find(|estimate| estimate.hits >= 0.5).map(|estimate| estimate.bytes)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CacheEstimate {
    /// Answers that it holds.
    pub entries: u64,
    /// Bytes that they take, approximately.
    pub bytes: u64,
    /// The share of looked-up postcodes that it would answer, 0 to 1.
    pub hits: f64,
}

/// The estimated savings of joining single lookups within a time.
///
/// ```
/// use postcode_core::layers::JoinEstimate;
///
/// fn line(estimate: JoinEstimate) -> String {
///     format!("{:.0} % fewer calls within {} µs", 100.0 * estimate.saved, estimate.window_us)
/// }
/// assert_eq!(line(JoinEstimate { window_us: 1000.0, saved: 0.25 }), "25 % fewer calls within 1000 µs");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JoinEstimate {
    /// The time, in microseconds.
    pub window_us: f64,
    /// The share of calls of single lookups that would not be made, 0 to 1.
    pub saved: f64,
}

impl LedgerSnapshot {
    /// Returns the number of calls of all cohorts.
    ///
    /// ```
    /// use postcode_core::layers::{CohortSnapshot, LedgerSnapshot, MethodSnapshot};
    ///
    /// let method = |calls| MethodSnapshot { calls, ..MethodSnapshot::default() };
    /// let cohort = CohortSnapshot { methods: vec![method(2), method(3)], ..CohortSnapshot::default() };
    /// let seen = LedgerSnapshot { seconds: 60.0, cohorts: vec![cohort.clone(), cohort] };
    /// assert_eq!(seen.calls(), 10);
    /// ```
    pub fn calls(&self) -> u64 {
        self.cohorts.iter().flat_map(|cohort| &cohort.methods).map(|method| method.calls).sum()
    }
}
