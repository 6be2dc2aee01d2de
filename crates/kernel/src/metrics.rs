//! Prometheus metrics of the process.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The labels of a request: method, the matched route and the status.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// The HTTP method.
    pub method: String,
    /// The pattern of the route, never the path itself.
    pub route: String,
    /// The status code.
    pub status: u16,
}

/// The registry, and the metrics that every request touches.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    /// Requests served.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds from a request's head to its answer's head.
    pub latency: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let (requests, latency) = (Family::default(), Histogram::new(buckets));
        let mut registry = Registry::with_prefix("tidemill");
        registry.register("http_requests", "Requests served", Family::clone(&requests));
        registry.register("http_request_duration_seconds", "Time to the answer's head", latency.clone());
        Self { registry: Arc::new(Mutex::new(registry)), requests, latency }
    }
}

impl Metrics {
    /// Adds metrics of a slice.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The exposition text (OpenMetrics 1.0).
    pub fn text(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        match encode(&mut out, &registry) {
            Ok(()) => out,
            Err(e) => format!("# metrics could not be written: {e}\n"),
        }
    }
}
