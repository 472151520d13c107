//! `/metrics`: counts in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use postcode_edge::{MetricsFormat, process_metrics, status_class};

use super::App;
use crate::AddressStatus::{self, NotCovered, Pending, Terminated, Unknown};

/// The counts of one server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Bounded: routes, methods and classes of status are fixed.
    requests: Mutex<BTreeMap<Labels, Requests>>,
    lookups: [Lookups; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Labels {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    count: u64,
    time: Duration,
}

#[derive(Debug, Default)]
struct Lookups {
    count: AtomicU64,
    micros: AtomicU64,
}

impl Metrics {
    /// Counts a call of the lookup: whether it was answered, and how long it took.
    pub fn lookup(&self, answered: bool, took: Duration) {
        let lookups = &self.0.lookups[usize::from(!answered)];
        lookups.count.fetch_add(1, Ordering::Relaxed);
        lookups.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    fn request(&self, route: Option<&MatchedPath>, method: &Method, status: StatusCode, took: Duration) {
        let labels = Labels {
            // An unknown path is not used as a label, or a scanner would fill the memory.
            route: route.map_or("none", MatchedPath::as_str).to_owned(),
            method: match *method {
                Method::GET => "GET",
                Method::HEAD => "HEAD",
                Method::POST => "POST",
                Method::PUT => "PUT",
                Method::PATCH => "PATCH",
                Method::DELETE => "DELETE",
                _ => "other",
            },
            status: status_class(status),
        };
        let mut requests = self.0.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let of_labels = requests.entry(labels).or_default();
        of_labels.count += 1;
        of_labels.time = of_labels.time.saturating_add(took);
    }

    fn text(&self, addresses: Option<&[(AddressStatus, i64)]>) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "# HELP customers_build_info The program.\n# TYPE customers_build_info gauge\n\
             customers_build_info{{version=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION")
        );
        let requests = self.0.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let name = "customers_request_duration_seconds";
        let _ = writeln!(
            text,
            "# HELP {name} Time from a request to the start of its answer, by route, method and class of status.\n\
             # TYPE {name} summary"
        );
        for (Labels { route, method, status }, Requests { count, time }) in requests {
            let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}");
            let _ = writeln!(text, "{name}_count{labels} {count}\n{name}_sum{labels} {}", time.as_secs_f64());
        }
        let name = "customers_lookup_duration_seconds";
        let _ = writeln!(
            text,
            "# HELP {name} Time of the calls of the postcode lookup, by result.\n# TYPE {name} summary"
        );
        for (result, lookups) in ["answered", "failed"].iter().zip(&self.0.lookups) {
            let count = lookups.count.load(Ordering::Relaxed);
            let sum = Duration::from_micros(lookups.micros.load(Ordering::Relaxed)).as_secs_f64();
            let _ = writeln!(
                text,
                "{name}_count{{result=\"{result}\"}} {count}\n{name}_sum{{result=\"{result}\"}} {sum}"
            );
        }
        if let Some(addresses) = addresses {
            let name = "customers_addresses";
            let _ = writeln!(
                text,
                "# HELP {name} Addresses whose postcode is not verified, by status, without deleted accounts.\n\
                 # TYPE {name} gauge"
            );
            for status in [Pending, NotCovered, Terminated, Unknown] {
                let counted =
                    addresses.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count);
                let _ = writeln!(text, "{name}{{status=\"{}\"}} {counted}", status.as_str());
            }
        }
        text + &process_metrics(MetricsFormat::Prometheus)
    }
}

/// Counts a request.
pub(super) async fn count(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, begun) = (request.method().clone(), Instant::now());
    let response = next.run(request).await;
    metrics.request(route.as_ref(), &method, response.status(), begun.elapsed());
    response
}

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    // Without the database the other counts are needed most.
    let counted = async {
        let counts = app.customers.address_counts().await;
        counts.inspect_err(|error| tracing::warn!(%error, "the addresses could not be counted")).ok()
    };
    let addresses = app.address_counts.get(counted).await;
    let text = app.options.metrics.text(addresses.as_deref());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
