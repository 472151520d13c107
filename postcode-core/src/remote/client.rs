//! The state that all calls of a client share: settings, transport, token and retry budget.

use std::sync::Arc;

use bytes::Bytes;
use http::{StatusCode, header};

use super::config::Config;
use super::credentials::TokenFile;
use super::transport::Transport;
use crate::Result;
use crate::layers::Budget;

/// The state that all calls of a client share.
pub(super) struct Client {
    pub(super) config: Config,
    /// The file of the token, if there is one.
    pub(super) token: Option<TokenFile>,
    pub(super) transport: Arc<dyn Transport>,
    /// Limits the retries of all calls together.
    pub(super) budget: Budget,
}

impl Client {
    /// Sends a request with its authorization. If the token is refused and the file now holds
    /// another one, the request is sent once more with that.
    pub(super) async fn send(
        &self,
        mut request: http::Request<Bytes>,
        limit: usize,
    ) -> Result<http::Response<Bytes>> {
        let Some(token) = &self.token else {
            if let Some(value) = &self.config.address.authorization {
                request.headers_mut().insert(header::AUTHORIZATION, value.clone());
            }
            return self.transport.send(request, limit).await;
        };
        let first = token.authorization();
        let mut again = request.clone();
        request.headers_mut().insert(header::AUTHORIZATION, first.clone());
        let response = self.transport.send(request, limit).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(new) = token.after_refusal(&first)
        {
            again.headers_mut().insert(header::AUTHORIZATION, new);
            return self.transport.send(again, limit).await;
        }
        Ok(response)
    }
}
