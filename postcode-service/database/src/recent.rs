//! Results that many callers share for a while.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// Keeps a result for a while, so that many requests for it cost one query. Cheap to clone.
#[derive(Debug)]
pub struct Recent<T> {
    keep: Duration,
    last: Arc<Mutex<Option<(Instant, T)>>>,
}

impl<T> Clone for Recent<T> {
    fn clone(&self) -> Self {
        Self { keep: self.keep, last: self.last.clone() }
    }
}

impl<T: Clone> Recent<T> {
    /// Creates one without a result, which keeps each result that long.
    pub fn new(keep: Duration) -> Self {
        Self { keep, last: Arc::default() }
    }

    /// Returns the last result if it is new enough. Otherwise runs the query. Only one runs at a time.
    pub async fn get(&self, query: impl Future<Output = T>) -> T {
        let mut last = self.last.lock().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < self.keep
        {
            return result.clone();
        }
        let result = query.await;
        *last = Some((Instant::now(), result.clone()));
        result
    }
}
