//! The jobs of a program that was built without the feature `jobs`: there are none.

/// No jobs. Requests for them are answered 501.
#[derive(Clone, Copy, Debug)]
pub struct Jobs(());

impl Jobs {
    /// Creates jobs that are switched off: every request gets that answer.
    pub fn off() -> Self {
        Self(())
    }

    pub(crate) fn close(self) {}

    #[expect(clippy::unused_async, reason = "as the jobs that exist")]
    pub(crate) async fn ready(self) -> Result<(), String> {
        Ok(())
    }

    pub(crate) fn register(self, _registry: &mut prometheus_client::registry::Registry) {}
}
