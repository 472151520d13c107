//! Recorded workloads, and how well the advice for them fits what was measured.

use std::fmt;

use postcode_core::layers::LedgerSnapshot;
use postcode_core::layers::advice::{
    Advice, CallCosts, Deployment, Echo, Place, PlaceCosts, advise, choose, known_places, price,
};
use serde::{Deserialize, Serialize};

/// How far a prediction may be from what was measured, as a share of that.
const NEAR: f64 = 0.25;

/// A workload and what it cost in each place.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) now: Place,
    pub(crate) deployment: Deployment,
    pub(crate) ledger: LedgerSnapshot,
    pub(crate) measured: Vec<(Place, CallCosts)>,
}

/// All that was recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    /// Seconds since 1970.
    pub(crate) date: String,
    pub(crate) machine: String,
    /// The mean number of processes that wanted to run, before.
    pub(crate) load: String,
    pub(crate) base_bytes: f64,
    pub(crate) echo: Echo,
    pub(crate) places: Vec<PlaceCosts>,
    pub(crate) workloads: Vec<Recorded>,
}

/// How many predictions were near what was measured.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Score {
    pub(crate) workloads: usize,
    /// For each place: p50, p99 and processor time within 25 %.
    pub(crate) near: [[usize; 3]; Place::ALL.len()],
    /// For each place: the predicted memory as a share of the measured one.
    pub(crate) memory: Vec<(Place, f64)>,
    /// Workloads whose best place was predicted.
    pub(crate) right: usize,
}

impl Recording {
    /// Returns what `customers` knows of each place: it probes the library and the service over TCP, and derives the others.
    fn known(&self) -> Vec<PlaceCosts> {
        let is_probed = |costs: &&PlaceCosts| matches!(costs.place, Place::Embedded | Place::Tcp);
        let probed: Vec<PlaceCosts> = self.places.iter().filter(is_probed).cloned().collect();
        known_places(&probed, self.base_bytes, Some(self.echo))
    }

    /// Returns the advice for a workload, and the best place by what was measured.
    fn advice(&self, recorded: &Recorded) -> (Advice, Place) {
        let advice = advise(&recorded.ledger, recorded.now, &self.known(), &recorded.deployment);
        let measured = recorded.measured.iter().filter_map(|(place, calls)| {
            let memory = self.places.iter().find(|costs| costs.place == *place)?.memory;
            Some(price(*place, *calls, memory, &recorded.deployment, true))
        });
        let (best, _) = choose(recorded.now, &measured.collect::<Vec<_>>(), recorded.deployment.margin);
        (advice, best)
    }

    /// Compares the predictions with what was measured.
    pub(crate) fn score(&self) -> Score {
        let places = self.known();
        let mut score = Score { workloads: self.workloads.len(), ..Score::default() };
        for recorded in &self.workloads {
            // What was measured is one process without others.
            let alone = Deployment { cores: recorded.deployment.cores, ..Deployment::default() };
            for prediction in advise(&recorded.ledger, recorded.now, &places, &alone).predictions {
                let measured = recorded.measured.iter().find(|(place, _)| *place == prediction.place);
                let at = Place::ALL.iter().position(|place| *place == prediction.place);
                let (Some((_, calls)), Some(at)) = (measured, at) else { continue };
                let pairs = [
                    (prediction.p50_us, calls.p50_us),
                    (prediction.p99_us, calls.p99_us),
                    (prediction.cpu_us, calls.cpu_us),
                ];
                for (count, (predicted, measured)) in score.near[at].iter_mut().zip(pairs) {
                    *count += usize::from((predicted / measured - 1.0).abs() <= NEAR);
                }
            }
            let (advice, best) = self.advice(recorded);
            score.right += usize::from(best == advice.best);
        }
        let sum = |costs: &PlaceCosts| costs.memory.private + costs.memory.shared + costs.memory.service;
        score.memory = self
            .places
            .iter()
            .filter_map(|measured| {
                let derived = places.iter().find(|costs| costs.place == measured.place)?;
                Some((measured.place, sum(derived) / sum(measured)))
            })
            .collect();
        score
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for recorded in &self.workloads {
            let (advice, best) = self.advice(recorded);
            writeln!(f, "{:<40} advice {:<9} measured {best}", recorded.name, advice.best.as_str())?;
        }
        writeln!(f, "{}; load before: {}", self.machine, self.load)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "within 25 %, of {}     p50   p99   processor", self.workloads)?;
        for (place, [p50, p99, cpu]) in Place::ALL.iter().zip(self.near) {
            writeln!(f, "{:<20} {p50:>5} {p99:>5} {cpu:>5}", place.as_str())?;
        }
        for (place, share) in &self.memory {
            writeln!(f, "{:<9} memory {share:.2} of what was measured", place.as_str())?;
        }
        write!(f, "best place: {} of {} right", self.right, self.workloads)
    }
}

#[cfg(test)]
mod tests {
    use postcode_core::layers::advice::{Memory, WorkCost};
    use postcode_core::layers::{CohortSnapshot, MethodSnapshot};

    use super::*;

    fn lookups(place: Place, us: f64, memory: Memory) -> PlaceCosts {
        let method = "lookup_one".to_owned();
        let work = WorkCost { method, items: 1.0, p50_us: us, p99_us: 3.0 * us, cpu_us: us };
        PlaceCosts { place, works: vec![work], cold_us: 0.0, memory, measured: true }
    }

    /// Returns a recording of one workload that cost so many times what is predicted.
    fn recording(times: f64) -> Recording {
        let method = "lookup_one".to_owned();
        let calls =
            MethodSnapshot { method, calls: 500, items: 500, sizes: vec![(1, 500)], ..Default::default() };
        let cohort = CohortSnapshot { methods: vec![calls], ..Default::default() };
        let private = |bytes| Memory { private: bytes, ..Memory::default() };
        let measured = |us: f64| {
            let us = us * times;
            CallCosts { p50_us: us, p99_us: 3.0 * us, cpu_us: us, rate: 50.0 }
        };
        Recording {
            date: String::new(),
            machine: String::new(),
            load: String::new(),
            base_bytes: 1e6,
            echo: Echo { unix_us: Some(10.0), tcp_us: 20.0 },
            places: vec![
                lookups(Place::Embedded, 1.0, private(2e8)),
                lookups(Place::Tcp, 100.0, private(3e8)),
            ],
            workloads: vec![Recorded {
                name: "lookups".to_owned(),
                now: Place::Embedded,
                deployment: Deployment { cores: 2.0, ..Deployment::default() },
                ledger: LedgerSnapshot { seconds: 10.0, cohorts: vec![cohort] },
                measured: vec![(Place::Embedded, measured(1.0)), (Place::Tcp, measured(100.0))],
            }],
        }
    }

    #[test]
    fn score_counts_what_is_near_and_which_best_place_is_right() {
        let exact = recording(1.0).score();
        assert_eq!(exact.near, [[1; 3], [0; 3], [0; 3], [0; 3], [1; 3]], "{exact}");
        assert_eq!((exact.right, &exact.memory[..]), (1, &[(Place::Embedded, 1.0), (Place::Tcp, 1.0)][..]));
        assert_eq!(recording(1.2).score().near[0], [1; 3]);
        assert_eq!(recording(1.5).score().near, [[0; 3]; 5]);
    }
}
