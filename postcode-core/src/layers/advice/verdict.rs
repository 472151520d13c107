//! Says which place is best, or that nothing is gained.

use serde::{Deserialize, Serialize};

use super::place::{Deployment, Place, PlaceCosts};
use super::predict::{Prediction, predict};
use crate::layers::ledger::LedgerSnapshot;

/// The advice for the calls of a ledger.
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
/// use postcode_core::layers::advice::{Deployment, advise};
///
/// let places = [costs(Place::Embedded, 0.3), costs(Place::Tcp, 120.0)];
/// let advice = advise(&ledger, Place::Embedded, &places, &Deployment::default());
/// assert!(advice.stay);
/// println!("{}", advice.reason);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// Where the lookup is now.
    pub now: Place,
    /// The best place: the present one, if nothing is gained.
    pub best: Place,
    /// Whether to stay.
    pub stay: bool,
    /// Why, in one sentence.
    pub reason: String,
    /// All places that could be predicted.
    pub predictions: Vec<Prediction>,
    /// Savings by a cache and by joined calls, for each cohort.
    pub savings: Vec<Saving>,
}

/// The savings of one cohort by a cache and by joined calls.
///
/// ```
/// use postcode_core::layers::advice::Saving;
///
/// let saving = Saving { cohort: "import".to_owned(), cache: Some((4 << 20, 0.6)), joined: None };
/// assert!(saving.cache.is_some_and(|(_bytes, share)| share > 0.5));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saving {
    /// The cohort; empty for callers without one.
    pub cohort: String,
    /// The smallest cache that answers nearly as much as the largest: its bytes, and the share of
    /// postcodes that it answers.
    pub cache: Option<(u64, f64)>,
    /// The share of single lookups that joining within a millisecond saves.
    pub joined: Option<f64>,
}

/// Says where the calls of a ledger cost least of the places that keep the limits. A place has to save more
/// than the [margin](Deployment::margin), or the advice is to stay.
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
/// use postcode_core::layers::advice::{Deployment, advise};
///
/// let places = [costs(Place::Embedded, 0.3), costs(Place::Tcp, 120.0)];
/// assert_eq!(advise(&ledger, Place::Embedded, &places, &Deployment::default()).best, Place::Embedded);
/// ```
pub fn advise(ledger: &LedgerSnapshot, now: Place, places: &[PlaceCosts], deployment: &Deployment) -> Advice {
    let predictions: Vec<Prediction> =
        places.iter().filter_map(|costs| predict(ledger, costs, deployment)).collect();
    let (best, reason) = choose(now, &predictions, deployment.margin);
    Advice { now, best, stay: best == now, reason, predictions, savings: savings(ledger) }
}

/// Returns the best of some places, and the reason in one sentence.
///
/// ```
/// use postcode_core::layers::advice::{Place, choose};
///
/// let (best, reason) = choose(Place::Embedded, &[], 0.25);
/// assert_eq!(best, Place::Embedded); // nothing is known of the others
/// println!("{reason}");
/// ```
pub fn choose(now: Place, predictions: &[Prediction], margin: f64) -> (Place, String) {
    let Some(here) = predictions.iter().find(|prediction| prediction.place == now) else {
        return (
            now,
            "Stay: there are no calls yet, or nothing is known about the present place.".to_owned(),
        );
    };
    let possible = predictions.iter().filter(|prediction| prediction.refused.is_none());
    let Some(best) = possible.min_by(|one, other| one.month.total_cmp(&other.month)) else {
        return (now, "Stay: no place keeps the limits.".to_owned());
    };
    if let Some(refused) = &here.refused {
        return (
            best.place,
            format!("Move to {}: the present place is refused, because {refused}.", best.place),
        );
    }
    if best.month >= here.month * (1.0 - margin) {
        let least = predictions.iter().filter(|prediction| prediction.place != now);
        let others = least.min_by(|one, other| one.month.total_cmp(&other.month));
        let reason = others.map_or_else(
            || "Stay: no other place is known.".to_owned(),
            |other| {
                let ratio = other.month / here.month.max(f64::MIN_POSITIVE);
                format!(
                    "Stay: nothing is gained, the next best place ({}) costs {ratio:.2} times as much.",
                    other.place
                )
            },
        );
        return (now, reason);
    }
    let saved = 1.0 - best.month / here.month;
    (best.place, format!("Move to {}: it saves {:.0} % of processor and memory.", best.place, saved * 100.0))
}

fn savings(ledger: &LedgerSnapshot) -> Vec<Saving> {
    let of = |cohort: &crate::layers::ledger::CohortSnapshot| {
        let most = cohort.caches.last().map_or(0.0, |cache| cache.hits);
        let cache = cohort.caches.iter().find(|cache| cache.hits > 0.0 && cache.hits >= most * 0.9);
        Saving {
            cohort: cohort.cohort.clone(),
            cache: cache.map(|cache| (cache.bytes, cache.hits)),
            joined: cohort.joins.iter().find(|join| join.window_us >= 1_000.0).map(|join| join.saved),
        }
    };
    ledger.cohorts.iter().map(of).collect()
}
