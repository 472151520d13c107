//! The gauges of jobs in `/metrics`, as of the last maintenance run.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::store::Census;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    state: &'static str,
}

/// How many there are, by their state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    jobs: Family<Labels, Gauge>,
    callbacks: Family<Labels, Gauge>,
}

impl Gauges {
    pub(crate) fn register(&self, registry: &mut Registry) {
        // Alerts need the series before the first job.
        self.set(Census::default());
        registry.register("jobs", "Jobs that have not ended, of all servers", self.jobs.clone());
        registry.register("job_callbacks", "Callbacks that were not delivered", self.callbacks.clone());
    }

    pub(crate) fn set(&self, census: Census) {
        let set = |family: &Family<Labels, Gauge>, state, number: i64| {
            family.get_or_create(&Labels { state }).set(number);
        };
        set(&self.jobs, "queued", census.queued);
        set(&self.jobs, "running", census.running);
        set(&self.callbacks, "pending", census.pending);
        set(&self.callbacks, "dead", census.dead);
    }
}
