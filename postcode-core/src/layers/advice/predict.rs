//! Predicts the costs of one place for the calls of a ledger.

use serde::{Deserialize, Serialize};

use super::echo::Echo;
use super::place::{Deployment, Memory, Place, PlaceCosts, WorkCost};
use crate::layers::ledger::{LedgerSnapshot, MethodSnapshot};

/// Hours in a month.
const MONTH: f64 = 730.0;
const GIB: f64 = 1_073_741_824.0;
/// From this mean pause between calls on, they find caches and threads cold.
const COLD_GAP_US: f64 = 2_000.0;

/// Calls of one method with answers of one size.
///
/// ```
/// # use postcode_core::layers::{CohortSnapshot, LedgerSnapshot, MethodSnapshot};
/// #
/// # let lookups = MethodSnapshot { method: "lookup_one".to_owned(), calls: 500, items: 500, sizes: vec![(1, 500)], ..Default::default() };
/// # let ledger = LedgerSnapshot { seconds: 10.0, cohorts: vec![CohortSnapshot { methods: vec![lookups], ..Default::default() }] };
/// let uses = ledger.uses();
/// assert_eq!((&*uses[0].method, uses[0].items, uses[0].share), ("lookup_one", 1.0, 1.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The method.
    pub method: String,
    /// Items in an answer.
    pub items: f64,
    /// The share of all calls, 0 to 1.
    pub share: f64,
}

/// The predicted costs of a place.
///
/// ```
/// use postcode_core::layers::advice::Prediction;
///
/// /// Returns the cheapest place that can be used.
/// fn cheapest(all: &[Prediction]) -> Option<&Prediction> {
///     all.iter().filter(|place| place.refused.is_none()).min_by(|one, other| one.month.total_cmp(&other.month))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The place.
    pub place: Place,
    /// Whether it was asked, and not derived from another place.
    pub measured: bool,
    /// The time that half of the calls won't exceed.
    pub p50_us: f64,
    /// The time that 99 % of the calls won't exceed.
    pub p99_us: f64,
    /// Processor time of caller and service for a call.
    pub cpu_us: f64,
    /// Memory of all processes and services on all machines, in bytes.
    pub memory_bytes: f64,
    /// The price of processor and memory for a month.
    pub month: f64,
    /// Why it can't be used, if it can't.
    pub refused: Option<String>,
}

impl LedgerSnapshot {
    /// Returns the calls by method and size. A size is that of its bucket's middle, scaled so that the items
    /// of each method add up.
    ///
    /// ```
    /// # use postcode_core::layers::{CohortSnapshot, LedgerSnapshot, MethodSnapshot};
    /// #
    /// # let lookups = MethodSnapshot { method: "lookup_one".to_owned(), calls: 500, items: 500, sizes: vec![(1, 500)], ..Default::default() };
    /// # let ledger = LedgerSnapshot { seconds: 10.0, cohorts: vec![CohortSnapshot { methods: vec![lookups], ..Default::default() }] };
    /// assert_eq!(ledger.uses().len(), 1);
    /// ```
    pub fn uses(&self) -> Vec<Use> {
        let all = self.calls().max(1) as f64;
        let methods = self.cohorts.iter().flat_map(|cohort| &cohort.methods);
        methods
            .flat_map(|method| sizes(method).map(move |(items, calls)| (method, items, calls)))
            .map(|(method, items, calls)| Use { method: method.method.clone(), items, share: calls / all })
            .collect()
    }

    /// Returns calls a second.
    ///
    /// ```
    /// # use postcode_core::layers::{CohortSnapshot, LedgerSnapshot, MethodSnapshot};
    /// #
    /// # let lookups = MethodSnapshot { method: "lookup_one".to_owned(), calls: 500, items: 500, sizes: vec![(1, 500)], ..Default::default() };
    /// # let ledger = LedgerSnapshot { seconds: 10.0, cohorts: vec![CohortSnapshot { methods: vec![lookups], ..Default::default() }] };
    /// assert_eq!(ledger.rate(), 50.0); // 500 calls in ten seconds
    /// ```
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.calls() as f64 / self.seconds } else { 0.0 }
    }
}

fn sizes(method: &MethodSnapshot) -> impl Iterator<Item = (f64, f64)> {
    let middle = |least: u64| if least < 2 { least as f64 } else { least as f64 * 1.5 };
    let guessed: f64 = method.sizes.iter().map(|(least, calls)| middle(*least) * *calls as f64).sum();
    let scale = if guessed > 0.0 { method.items as f64 / guessed } else { 1.0 };
    method.sizes.iter().map(move |(least, calls)| (middle(*least) * scale, *calls as f64))
}

/// Returns the cost of a call of this method with so many items: on the line between the two nearest sizes that
/// were measured.
fn cost(works: &[WorkCost], method: &str, items: f64) -> Option<(f64, f64, f64)> {
    // A batch of one and a single lookup are the same on both sides.
    let same =
        |work: &&WorkCost| work.method == method || (method == "lookup" && work.method == "lookup_one");
    let mut known: Vec<&WorkCost> = works.iter().filter(same).collect();
    known.sort_by(|one, other| one.items.total_cmp(&other.items));
    let first = *known.first()?;
    let above = known.iter().position(|work| work.items >= items).unwrap_or(known.len() - 1).max(1);
    let (Some(low), Some(high)) = (known.get(above - 1), known.get(above)) else {
        return Some((first.p50_us, first.p99_us, first.cpu_us));
    };
    let width = high.items - low.items;
    let part = if width > 0.0 { (items - low.items) / width } else { 0.0 };
    // Less than the least cost that was measured is not believed.
    let on = |of: fn(&WorkCost) -> f64| {
        let least = known.iter().map(|work| of(work)).fold(f64::INFINITY, f64::min);
        (of(low) + (of(high) - of(low)) * part).max(least)
    };
    Some((on(|work| work.p50_us), on(|work| work.p99_us), on(|work| work.cpu_us)))
}

/// Returns the least value whose weights reach a share of all. Values must be sorted.
fn weighted(values: &[(f64, f64)], share: f64) -> f64 {
    let all: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut seen = 0.0;
    for (value, weight) in values {
        seen += weight;
        if seen >= all * share {
            return *value;
        }
    }
    values.last().map_or(0.0, |(value, _)| *value)
}

/// Predicts the costs of a place for the calls of a ledger. `None` if the ledger has none that were probed.
///
/// ```
/// # use postcode_core::layers::{CohortSnapshot, LedgerSnapshot, MethodSnapshot};
/// #
/// # let lookups = MethodSnapshot { method: "lookup_one".to_owned(), calls: 500, items: 500, sizes: vec![(1, 500)], ..Default::default() };
/// # let ledger = LedgerSnapshot { seconds: 10.0, cohorts: vec![CohortSnapshot { methods: vec![lookups], ..Default::default() }] };
/// # use postcode_core::layers::advice::{Memory, Place, PlaceCosts, WorkCost};
/// #
/// # let lookup = |cpu_us| WorkCost { method: "lookup_one".to_owned(), items: 1.0, p50_us: cpu_us, p99_us: 2.0 * cpu_us, cpu_us };
/// # let costs = |place, cpu_us| PlaceCosts {
/// #     place, works: vec![lookup(cpu_us)], cold_us: 0.0, memory: Memory::default(), measured: true,
/// # };
/// use postcode_core::layers::advice::{Deployment, predict};
///
/// let prediction = predict(&ledger, &costs(Place::Embedded, 0.3), &Deployment::default()).ok_or("no calls")?;
/// assert_eq!((prediction.place, prediction.refused), (Place::Embedded, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn predict(ledger: &LedgerSnapshot, costs: &PlaceCosts, deployment: &Deployment) -> Option<Prediction> {
    let rate = ledger.rate();
    let gap = if rate > 0.0 { 1e6 / rate } else { f64::INFINITY };
    let cold = costs.cold_us * (gap / COLD_GAP_US).min(1.0);
    let mut times = Vec::new();
    let (mut cpu, mut covered) = (0.0, 0.0);
    for used in ledger.uses() {
        let Some((p50, p99, work)) = cost(&costs.works, &used.method, used.items) else { continue };
        // Of the calls of one kind, half take the median and the slowest hundredth the p99.
        times.push((p50 + cold, used.share * 0.98));
        times.push((p99.max(p50) + cold, used.share * 0.02));
        cpu += work * used.share;
        covered += used.share;
    }
    if covered <= 0.0 {
        return None;
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let calls = CallCosts {
        p50_us: weighted(&times, 0.5),
        p99_us: weighted(&times, 0.99),
        cpu_us: cpu / covered,
        rate,
    };
    Some(price(costs.place, calls, costs.memory, deployment, costs.measured))
}

/// The costs of the calls of one process.
///
/// ```
/// use postcode_core::layers::advice::CallCosts;
///
/// let calls = CallCosts { p50_us: 90.0, p99_us: 250.0, cpu_us: 120.0, rate: 50.0 };
/// assert_eq!(calls.rate * calls.cpu_us / 1e6, 0.006); // cores that are busy
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallCosts {
    /// The time that half of the calls don't exceed.
    pub p50_us: f64,
    /// The time that 99 % of the calls don't exceed.
    pub p99_us: f64,
    /// Processor time of caller and service for a call.
    pub cpu_us: f64,
    /// Calls a second.
    pub rate: f64,
}

/// Prices a place for all processes of a deployment, from the costs of the calls of one.
///
/// ```
/// use postcode_core::layers::advice::{CallCosts, Deployment, Memory, Place, price};
///
/// let calls = CallCosts { p50_us: 90.0, p99_us: 250.0, cpu_us: 120.0, rate: 50.0 };
/// let two = Deployment { machines: 2.0, ..Deployment::default() };
/// let memory = Memory { private: 8e6, shared: 0.0, service: 64e6 };
/// assert_eq!(price(Place::Tcp, calls, memory, &two, true).memory_bytes, 80e6);
/// ```
pub fn price(
    place: Place,
    calls: CallCosts,
    memory: Memory,
    deployment: &Deployment,
    measured: bool,
) -> Prediction {
    let Deployment { processes, machines, cores, .. } = *deployment;
    let CallCosts { cpu_us, rate, .. } = calls;
    // Cores of one machine that the calls of its processes keep busy. A service over TCP is on one machine.
    let asking = if place == Place::Tcp { processes * machines } else { processes };
    let busy = asking * rate * cpu_us / 1e6;
    let waiting = 1.0 / (1.0 - (busy / cores).min(0.95));
    let Memory { private, shared, service } = memory;
    let memory_bytes = match place {
        Place::Tcp => machines * processes * private + service,
        _ => machines * (processes * private + shared + service),
    };
    let (p50_us, p99_us) = (calls.p50_us * waiting, calls.p99_us * waiting);
    let used = processes * machines * rate * cpu_us / 1e6;
    let refused = if busy > cores {
        Some(format!("it needs {busy:.1} cores of {cores}"))
    } else {
        let limit = deployment.max_p99_us.filter(|limit| p99_us > *limit);
        limit.map(|limit| format!("its p99 of {p99_us:.0} µs is above {limit:.0} µs"))
    };
    Prediction {
        place,
        measured,
        p50_us,
        p99_us,
        cpu_us,
        memory_bytes,
        month: (used * deployment.core_hour + memory_bytes / GIB * deployment.gib_hour) * MONTH,
        refused,
    }
}

/// Adds to measured places those that can be derived from them. Without a service, only the places that need
/// one are missing.
///
/// - A file and a replica answer with the code of the embedded data. Its data are mapped, so that the
///   processes of a machine share them.
/// - A service over a Unix socket does the same as over TCP. The bare round trips give the difference.
///
/// ```
/// # use postcode_core::layers::advice::{Memory, Place, PlaceCosts, WorkCost};
/// #
/// # let lookup = |cpu_us| WorkCost { method: "lookup_one".to_owned(), items: 1.0, p50_us: cpu_us, p99_us: 2.0 * cpu_us, cpu_us };
/// # let costs = |place, cpu_us| PlaceCosts {
/// #     place, works: vec![lookup(cpu_us)], cold_us: 0.0, memory: Memory::default(), measured: true,
/// # };
/// use postcode_core::layers::advice::known_places;
///
/// let known = known_places(&[costs(Place::Embedded, 0.3)], 8e6, None);
/// assert!(known.iter().any(|costs| costs.place == Place::File && !costs.measured));
/// ```
pub fn known_places(measured: &[PlaceCosts], base_bytes: f64, echo: Option<Echo>) -> Vec<PlaceCosts> {
    let find = |place| measured.iter().find(|costs: &&PlaceCosts| costs.place == place);
    let in_process = || Place::ALL.into_iter().filter(|place| place.is_in_process()).find_map(find);
    let derive = |place: Place| -> Option<PlaceCosts> {
        let mut costs = match place {
            Place::Embedded => return None,
            Place::File | Place::Replica => in_process()?.clone(),
            Place::Unix => find(Place::Tcp)?.clone(),
            Place::Tcp => find(Place::Unix)?.clone(),
        };
        match place {
            Place::File | Place::Replica if costs.place == Place::Embedded => {
                let data = (costs.memory.private - base_bytes).max(0.0);
                costs.memory = Memory { private: costs.memory.private - data, shared: data, service: 0.0 };
            }
            Place::Unix | Place::Tcp => {
                let echo = echo?;
                let less = (echo.tcp_us - echo.unix_us?) * if place == Place::Unix { 1.0 } else { -1.0 };
                for work in &mut costs.works {
                    let shorter = |us: f64| (us - less).max(0.0);
                    (work.p50_us, work.p99_us) = (shorter(work.p50_us), shorter(work.p99_us));
                }
            }
            _ => {}
        }
        Some(PlaceCosts { place, measured: false, ..costs })
    };
    Place::ALL.into_iter().filter_map(|place| find(place).cloned().or_else(|| derive(place))).collect()
}
