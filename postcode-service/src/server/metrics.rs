//! The answer of `/metrics` in the text format of OpenMetrics, which Prometheus reads.

use std::fmt::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use postcode_core::wire::path;
use postcode_edge::{MetricsFormat, process_metrics, status_class};

use crate::api::Api;
use crate::jobs::Jobs;

/// Seconds: a lookup takes tens of microseconds, a bulk request a millisecond.
const BUCKETS: [f64; 16] = [
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.5, 1.0, 5.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    route: String,
    method: &'static str,
    status: &'static str,
}

/// The counters of one server.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Histogram, fn() -> Histogram>,
    /// One of the requests, found once: nearly all requests of a busy service are lookups.
    lookups: OnceLock<Histogram>,
    comparisons: Family<Labels, Histogram, fn() -> Histogram>,
    pub(super) in_flight: Gauge,
    pub(super) connections: Gauge,
    pub(super) shed: Counter<u64, AtomicU64>,
    pub(super) comparisons_shed: Counter<u64, AtomicU64>,
    pub(super) limited: Counter<u64, AtomicU64>,
}

impl Metrics {
    pub(super) fn new(jobs: &Jobs) -> Self {
        let durations = || {
            Family::<Labels, Histogram, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BUCKETS))
        };
        let (requests, comparisons) = (durations(), durations());
        let (in_flight, connections) = (Gauge::default(), Gauge::default());
        let (shed, comparisons_shed, limited) = (Counter::default(), Counter::default(), Counter::default());
        let mut registry = Registry::with_prefix("postcode");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        registry.register(
            "request_duration_seconds",
            "Time from a request's header to its answer, by route, method and class of status",
            requests.clone(),
        );
        registry.register(
            "comparison_duration_seconds",
            "The same of requests whose answers are only compared; these are not among the others",
            comparisons.clone(),
        );
        registry.register("requests_in_flight", "Requests being answered", in_flight.clone());
        registry.register("connections", "Open connections", connections.clone());
        registry.register("requests_shed", "Requests refused because too many were in flight", shed.clone());
        registry.register(
            "comparisons_shed",
            "Comparisons refused because half of the places were taken",
            comparisons_shed.clone(),
        );
        registry.register("requests_limited", "Requests refused by limits of one client", limited.clone());
        jobs.register(&mut registry);
        let lookups = OnceLock::new();
        Self {
            registry,
            requests,
            lookups,
            comparisons,
            in_flight,
            connections,
            shed,
            comparisons_shed,
            limited,
        }
    }

    pub(super) fn observe(
        &self,
        route: Option<&str>,
        method: &Method,
        status: StatusCode,
        took: Duration,
        comparison: bool,
    ) {
        let labels = || Labels {
            // An unknown path is not used as a label, or a scanner would fill the memory.
            route: route.unwrap_or("none").to_owned(),
            method: match *method {
                Method::GET => "GET",
                Method::HEAD => "HEAD",
                Method::POST => "POST",
                Method::OPTIONS => "OPTIONS",
                _ => "other",
            },
            status: status_class(status),
        };
        let seconds = took.as_secs_f64();
        if !comparison && route == Some(path::POSTCODE) && *method == Method::GET && status == StatusCode::OK
        {
            self.lookups.get_or_init(|| self.requests.get_or_create_owned(&labels())).observe(seconds);
            return;
        }
        let family = if comparison { &self.comparisons } else { &self.requests };
        family.get_or_create(&labels()).observe(seconds);
    }

    /// Returns all metrics: of the requests, of the process, and of the data that `api` serves.
    pub(super) fn render(&self, api: &Api) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode_registry(&mut text, &self.registry);
        text.push_str(&process_metrics(MetricsFormat::OpenMetrics));
        dataset(&mut text, api);
        let _ = text::encode_eof(&mut text);
        text
    }
}

/// Writes the metrics of the data. They change with a reload, so they are read at each scrape.
fn dataset(text: &mut String, api: &Api) {
    let edition = api.edition();
    let (info, reloads) = (edition.info(), api.reloads());
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP postcode_{name} {help}.\n# TYPE postcode_{name} {kind}");
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        for (labels, value) in samples {
            let _ = writeln!(text, "postcode_{name}{suffix}{labels} {value}");
        }
    };
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let named =
        format!("{{edition=\"{}\",fingerprint=\"{}\"}}", quoted(&info.edition), quoted(&info.fingerprint));
    family("dataset", "info", "The data that is served", &[(named, 1)]);
    let state = |state: &str| format!("{{state=\"{state}\"}}");
    let counts = [(state("live"), info.live), (state("terminated"), info.terminated)];
    family("dataset_postcodes", "gauge", "Postcodes in the data", &counts);
    let last = reloads.last.load(Ordering::Relaxed);
    family("dataset_opened_timestamp_seconds", "gauge", "When the data was opened", &[(String::new(), last)]);
    let result =
        |result: &str, count: &AtomicU64| (format!("{{result=\"{result}\"}}"), count.load(Ordering::Relaxed));
    let counts = [result("success", &reloads.done), result("failure", &reloads.failed)];
    family("dataset_reloads", "counter", "Times that the data was opened again", &counts);
    let ready = u64::from(api.is_ready());
    family(
        "ready",
        "gauge",
        "Whether the server wants requests: 0 while it shuts down",
        &[(String::new(), ready)],
    );
    let Some(fleet) = api.fleet() else { return };
    let revision = fleet.plan().revision;
    family("fleet_revision", "gauge", "The revision of the fleet's plan", &[(String::new(), revision)]);
    let count = |is_in: fn(&u64, &u64) -> bool| {
        let acknowledged = fleet.acknowledged().into_iter();
        acknowledged.filter(|it| is_in(&it.revision, &revision)).map(|it| it.processes as u64).sum()
    };
    let processes = [
        (state("behind"), count(u64::lt)),
        (state("current"), count(u64::eq)),
        (state("ahead"), count(u64::gt)),
    ];
    family("fleet_processes", "gauge", "Processes of the fleet, by the plan that they follow", &processes);
}

/// Counts for as long as it lives.
pub(super) struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    pub(super) fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
