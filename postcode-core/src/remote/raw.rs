//! Requests whose answers are not JSON: the dataset file.

use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::{Remote, reply};
use crate::wire::{DEADLINE_HEADER, REQUEST_ID_HEADER};
use crate::{Error, ErrorKind, Result};

impl Remote {
    /// Makes one attempt at one request. Returns the response unchanged if it has one of the
    /// expected statuses. Any other status is an error, as for other calls.
    pub(crate) async fn raw(
        &self,
        (method, target): (Method, &str),
        headers: &[(HeaderName, HeaderValue)],
        expected: &[StatusCode],
        limit: usize,
        patience: Duration,
    ) -> Result<http::Response<Bytes>> {
        let address = &self.inner.config.address;
        let place = format!("{method} {address}{target}");
        let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{target}", address.base))
            .header(ACCEPT_ENCODING, "identity")
            .header(DEADLINE_HEADER, millis)
            .header(REQUEST_ID_HEADER, format!("{:016x}", fastrand::u64(..)));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::new()).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("{place}: the request can't be made: {e}")).with_source(e)
        })?;
        let response = match timeout_at(Instant::now() + patience, self.inner.send(request, limit)).await {
            Ok(response) => response.map_err(|error| error.at(&place))?,
            Err(_) => {
                let message = format!("no answer within {patience:?}");
                return Err(Error::new(ErrorKind::Timeout, message).at(place));
            }
        };
        if expected.contains(&response.status()) {
            return Ok(response);
        }
        let status = response.status();
        let reply = reply::read(place, response, 0)?;
        // Anything else has a JSON body, which a file never has.
        match reply.result::<serde::de::IgnoredAny>() {
            Err(error) => Err(error),
            Ok(_) => Err(reply.protocol(format!("the server answers {status}, which is not expected here"))),
        }
    }
}
