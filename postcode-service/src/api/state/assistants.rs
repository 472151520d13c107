//! The tools for assistants over HTTP.

use std::sync::{Arc, OnceLock};

use http::StatusCode;
use postcode_core::ErrorKind;

use crate::api::failure::Failure;
use crate::mcp::Endpoint;

/// The tools of this server, if it has any.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Assistants(Arc<OnceLock<Endpoint>>);

impl Assistants {
    /// Sets the tools, once.
    pub(in crate::api) fn set(&self, endpoint: Endpoint) {
        let _ = self.0.set(endpoint);
    }

    pub(in crate::api) fn there(&self) -> Result<&Endpoint, Failure> {
        self.0.get().ok_or_else(|| {
            let text = "This server has no tools for assistants. Start it with --mcp";
            Failure::new(StatusCode::NOT_IMPLEMENTED, text, ErrorKind::NotSupported.code())
        })
    }
}
