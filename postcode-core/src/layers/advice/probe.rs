//! Measures what calls to one lookup cost on this machine.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::place::WorkCost;
#[cfg(doc)]
use crate::PostcodeLookup;
use crate::{Lookups, Nearest, Postcode, Region, Result, Within};

/// The calls before the clock starts, which open connections and fill caches.
const WARMING: usize = 5;
/// The most timed calls of one kind.
const MOST_CALLS: usize = 100_000;
/// The pause before a call that finds caches and threads cold.
const PAUSE: Duration = Duration::from_millis(2);
/// The postcodes that are asked about.
const SAMPLE: usize = 2_000;

/// A kind of call.
///
/// [`method`](Self::method) names the method that is called:
///
/// ```
/// use postcode_core::layers::advice::Work;
///
/// assert_eq!(Work::Batch(100).method(), "lookup");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// One postcode.
    Lookup,
    /// A batch of so many postcodes.
    Batch(usize),
    /// So many nearest within 2 km.
    Nearest(usize),
    /// So many completions of a sector.
    Autocomplete(usize),
    /// A page of so many postcodes of an outcode.
    Within(usize),
    /// The summary of an outcode.
    Outcode,
}

impl Work {
    /// The kinds of calls that a probe measures. Where the costs depend on the size, two sizes give both
    /// the cost of a call and that of an item.
    pub const PROBED: [Self; 8] = [
        Self::Lookup,
        Self::Batch(10),
        Self::Batch(100),
        Self::Nearest(10),
        Self::Nearest(100),
        Self::Autocomplete(10),
        Self::Within(100),
        Self::Outcode,
    ];

    /// Returns the name of the lookup method that is called.
    ///
    /// ```
    /// use postcode_core::layers::advice::Work;
    ///
    /// assert_eq!(Work::Lookup.method(), "lookup_one");
    /// assert_eq!(Work::Nearest(10).method(), "nearest");
    /// ```
    pub fn method(self) -> &'static str {
        match self {
            Self::Lookup => "lookup_one",
            Self::Batch(_) => "lookup",
            Self::Nearest(_) => "nearest",
            Self::Autocomplete(_) => "autocomplete",
            Self::Within(_) => "within",
            Self::Outcode => "outcode",
        }
    }

    /// Makes a call about one or more of the postcodes. Returns the number of items in its answer, 0 if there are no
    /// postcodes. Calls with other numbers ask about other postcodes.
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
    /// use postcode_core::layers::advice::Work;
    ///
    /// let items = Work::Lookup.ask(&library, &["SW1A 1AA".parse()?], 0).await?;
    /// assert_eq!(items, 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Returns the error of the lookup.
    pub async fn ask<L: Lookups + ?Sized>(
        self,
        lookup: &L,
        postcodes: &[Postcode],
        number: usize,
    ) -> Result<usize> {
        let count = postcodes.len();
        let Some(&postcode) = postcodes.get(number.wrapping_mul(7_919) % count.max(1)) else { return Ok(0) };
        // A step that visits all of them in an order that no cache foresees.
        let at = number.wrapping_mul(7_919) % count;
        Ok(match self {
            Self::Lookup => {
                drop(black_box(lookup.lookup_one(postcode).await?));
                1
            }
            Self::Batch(size) => {
                let size = size.min(count);
                let at = at.min(count - size);
                black_box(lookup.lookup(&postcodes[at..at + size]).await?).len()
            }
            Self::Nearest(limit) => {
                let query = Nearest::to(postcode).limit(limit).radius(2_000.0);
                black_box(lookup.nearest(&query).await?).map_or(0, |found| found.len())
            }
            Self::Autocomplete(limit) => {
                black_box(lookup.autocomplete(&postcode.sector().to_string(), limit).await?).len()
            }
            Self::Within(limit) => {
                let query = Within::of(Region::Outcode(postcode.outcode())).limit(limit);
                black_box(lookup.within(&query).await?).map_or(0, |page| page.records.len())
            }
            Self::Outcode => {
                drop(black_box(lookup.outcode(postcode.outcode()).await?));
                1
            }
        })
    }
}

/// Measures a lookup for about `time`: the costs of each kind of call, and how much longer a call takes after
/// a pause. `cpu` returns the processor time so far of all that works for the calls. Where it is not known,
/// a call counts as busy for as long as it takes.
///
/// Run it in a process that does nothing else.
///
/// ```
/// # async fn example(library: std::sync::Arc<dyn postcode_core::Lookups>) -> postcode_core::Result<()> {
/// use std::time::Duration;
/// use postcode_core::layers::advice::probe;
///
/// let (works, cold_us) = probe(&*library, Duration::from_secs(2), || None).await?;
/// for work in works {
///     println!("{} of {} items: {:.1} µs", work.method, work.items, work.p50_us);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// Returns the error of the lookup.
pub async fn probe<L: Lookups + ?Sized>(
    lookup: &L,
    time: Duration,
    cpu: impl Fn() -> Option<Duration>,
) -> Result<(Vec<WorkCost>, f64)> {
    let part = time / (Work::PROBED.len() as u32 + 2);
    let mut postcodes = Vec::with_capacity(SAMPLE);
    let begun = Instant::now();
    while postcodes.len() < SAMPLE && (begun.elapsed() < part || postcodes.len() < 10) {
        let Some(record) = lookup.random(None).await? else { break };
        if record.location.is_some() || postcodes.len() < 10 {
            postcodes.push(record.postcode);
        }
    }
    let mut works = Vec::new();
    for work in Work::PROBED {
        works.push(measure(lookup, work, &postcodes, part, &cpu).await?);
    }
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < part && times.len() < MOST_CALLS {
        tokio::time::sleep(PAUSE).await;
        let asked = Instant::now();
        Work::Lookup.ask(lookup, &postcodes, times.len()).await?;
        times.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let warm = works.first().map_or(0.0, |work| work.p50_us);
    let cold = times.get(times.len() / 2).map_or(0.0, |cold| (cold - warm).max(0.0));
    Ok((works, cold))
}

async fn measure<L: Lookups + ?Sized>(
    lookup: &L,
    work: Work,
    postcodes: &[Postcode],
    time: Duration,
    cpu: impl Fn() -> Option<Duration>,
) -> Result<WorkCost> {
    for number in 0..WARMING {
        work.ask(lookup, postcodes, number).await?;
    }
    let (before, begun) = (cpu(), Instant::now());
    let mut times = Vec::with_capacity(1 << 12);
    let mut items = 0;
    while (begun.elapsed() < time && times.len() < MOST_CALLS) || times.is_empty() {
        let asked = Instant::now();
        items += work.ask(lookup, postcodes, WARMING + times.len()).await?;
        times.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    let took = begun.elapsed();
    let busy = cpu().zip(before).map_or(took, |(after, before)| after.saturating_sub(before));
    times.sort_by(f64::total_cmp);
    let calls = times.len();
    Ok(WorkCost {
        method: work.method().to_owned(),
        items: items as f64 / calls as f64,
        p50_us: times[calls / 2],
        p99_us: times[calls * 99 / 100],
        cpu_us: busy.as_secs_f64() * 1e6 / calls as f64,
    })
}
