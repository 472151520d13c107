//! The common parts of all answers: envelope, errors, CORS, ETag, JSONP.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::MatchedPath;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, StatusCode};
use postcode_core::wire::{
    EDITION_HEADER, ErrorBody, HasRecords, IF_EDITION_HEADER, RecordText, RecordView, Shape, Success,
    TerminatedBody, code,
};
use postcode_core::{Error, ErrorKind, ParseError, Record};
use postcode_edge::{Full, Refused};
use postcode_tables::packed::CODINGS;
use serde::Serialize;

use super::Edition;
use super::description::has_jsonp;
use super::params::Params;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");

/// The result of a handler.
pub(super) type Outcome = Result<Response, Failure>;

/// The id of a request, as a request extension: error bodies name it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// `{"status":200,"result":…}` from that edition: the same question will be answered the same until
/// the data changes, which its ETag says.
pub(super) fn data<T: Serialize>(edition: &Edition, result: &T) -> Outcome {
    let mut response = uncached(edition, result)?;
    response.headers_mut().insert(ETAG, edition.etag.clone());
    Ok(response)
}

/// As [`data`], for an answer with records.
pub(super) fn records(edition: &Edition, result: &impl HasRecords) -> Outcome {
    let mut response = uncached_records(edition, result)?;
    response.headers_mut().insert(ETAG, edition.etag.clone());
    Ok(response)
}

/// As [`uncached`], for an answer with records.
pub(super) fn uncached_records(edition: &Edition, result: &impl HasRecords) -> Outcome {
    let mut text = RecordText::new(Vec::with_capacity(2048));
    text.raw("{\"status\":200,\"result\":");
    result.write(&mut text).map_err(not_written)?;
    text.raw("}");
    let mut response = Response::new(Body::from(text.into_bytes()));
    let headers = response.headers_mut();
    // Room for what all answers have.
    headers.reserve(12);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(EDITION_HEADER, edition.fingerprint.clone());
    Ok(response)
}

/// Builds a response without ETag: for random answers and for POST.
pub(super) fn uncached<T: Serialize>(edition: &Edition, result: &T) -> Outcome {
    whole(edition, &Success::new(result))
}

/// Builds a response from a body that has more than a result.
pub(super) fn whole<T: Serialize>(edition: &Edition, body: &T) -> Outcome {
    let mut response = written(body)?;
    response.headers_mut().insert(EDITION_HEADER, edition.fingerprint.clone());
    Ok(response)
}

/// `{"status":200,"result":…}` that has nothing to do with the data.
pub(super) fn json<T: Serialize>(result: &T) -> Outcome {
    written(&Success::new(result))
}

/// `{"status":200,"result":[…]}`, written item by item, so that other requests have a turn while a
/// long one is written and its deadline can end it.
pub(super) struct ResultList {
    text: RecordText,
    is_empty: bool,
    next_turn: usize,
}

impl ResultList {
    /// Bytes that are written between two turns of others.
    const BETWEEN_TURNS: usize = 128 << 10;

    pub(super) fn new() -> Self {
        let mut text = RecordText::of_many(Vec::with_capacity(2048));
        text.raw("{\"status\":200,\"result\":[");
        Self { text, is_empty: true, next_turn: Self::BETWEEN_TURNS }
    }

    pub(super) fn push(&mut self, item: &impl HasRecords) -> Result<(), Failure> {
        self.comma();
        item.write(&mut self.text).map_err(not_written)
    }

    pub(super) fn push_value(&mut self, item: &impl Serialize) -> Result<(), Failure> {
        self.comma();
        self.text.value(item).map_err(not_written)
    }

    fn comma(&mut self) {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.text.raw(",");
        }
    }

    /// Gives other tasks a turn if much has been written since the last one.
    pub(super) async fn give_turn(&mut self) {
        if self.text.len() >= self.next_turn {
            self.next_turn = self.text.len() + Self::BETWEEN_TURNS;
            tokio::task::yield_now().await;
        }
    }

    /// Finishes the response, without ETag, as for POST.
    pub(super) fn finish(mut self, edition: &Edition) -> Outcome {
        self.text.raw("]}");
        let mut bytes = self.text.into_bytes();
        bytes.shrink_to_fit();
        let mut response = ([(CONTENT_TYPE, JSON)], bytes).into_response();
        response.headers_mut().insert(EDITION_HEADER, edition.fingerprint.clone());
        Ok(response)
    }
}

fn not_written(error: serde_json::Error) -> Failure {
    Failure::internal(format!("an answer could not be written: {error}"))
}

pub(super) fn written<T: Serialize>(body: &T) -> Outcome {
    let mut bytes = Vec::with_capacity(2048);
    serde_json::to_writer(&mut bytes, body).map_err(not_written)?;
    Ok(([(CONTENT_TYPE, JSON)], bytes).into_response())
}

/// An error to answer with. Its body is written last, when the request's id is known.
#[derive(Clone, Debug)]
pub struct Failure {
    status: StatusCode,
    error: Cow<'static, str>,
    code: &'static str,
    retry_after: Option<u32>,
    retryable: bool,
    terminated: Option<Box<(Record, Shape)>>,
    advice: Option<Box<str>>,
    edition: Option<Box<HeaderValue>>,
    challenge: Option<Box<HeaderValue>>,
    codings: Option<&'static str>,
    refused: Option<Refused>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: impl Into<Cow<'static, str>>, code: &'static str) -> Self {
        Self {
            status,
            error: error.into(),
            code,
            retry_after: None,
            retryable: false,
            terminated: None,
            advice: None,
            edition: None,
            challenge: None,
            codings: None,
            refused: None,
        }
    }

    /// Builds the refusal of a coding. Says in `Accept-Encoding` which codings are read (RFC 9110,
    /// section 15.5.16).
    pub(super) fn unknown_coding(coding: &str) -> Self {
        let text = format!(
            "The Content-Encoding {} is not supported: send {CODINGS}, or none",
            crate::enrich::short(coding)
        );
        let failure = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text, "unsupported_media_type");
        Self { codings: Some(CODINGS), ..failure }
    }

    /// Sets `WWW-Authenticate`.
    pub(super) fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenge = Some(Box::new(challenge));
        self
    }

    pub(super) fn bad_request(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code::INVALID_INPUT)
    }

    pub(super) fn not_found(error: &'static str, code: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, code)
    }

    pub(super) fn no_route() -> Self {
        Self::not_found("Resource not found", code::RESOURCE_NOT_FOUND)
    }

    pub(crate) fn internal(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error, ErrorKind::Internal.code())
    }

    /// Marks the failure as retryable, after that many seconds if known.
    pub(crate) fn retryable(mut self, after: Option<u32>) -> Self {
        self.retryable = true;
        self.retry_after = after;
        self
    }

    /// Adds the edition that the failure is based on.
    pub(super) fn by(mut self, edition: &Edition) -> Self {
        self.edition = Some(Box::new(edition.fingerprint.clone()));
        self
    }

    /// Marks a postcode whose area the data does not cover, so that not finding it proves nothing.
    pub(super) fn not_covered(mut self, advice: &str) -> Self {
        self.code = code::NOT_COVERED;
        self.advise(advice)
    }

    /// Adds what was wrong or what to do to the text of postcodes.io.
    pub(super) fn advise(mut self, advice: impl Into<Box<str>>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Builds "Invalid postcode", with the reason if the text was read by our own rules.
    pub(super) fn invalid_postcode(error: Option<ParseError>) -> Self {
        let failure = Self::not_found("Invalid postcode", code::INVALID_POSTCODE);
        match error {
            Some(error) => failure.explain(&error),
            None => failure,
        }
    }

    /// Adds what is wrong with a text, what it is instead, or what was probably meant.
    pub(super) fn explain(self, error: &ParseError) -> Self {
        self.advise(error.to_string())
    }

    pub(super) fn terminated(mut self, record: Record, shape: Shape) -> Self {
        self.terminated = Some(Box::new((record, shape)));
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Builds the response with the JSON body.
    pub(crate) fn respond(self, request_id: Option<&RequestId>) -> Response {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Terminated<'a> {
            Compatible(TerminatedBody),
            Full(RecordView<'a>),
        }
        #[derive(Serialize)]
        struct Advised<'a> {
            #[serde(flatten)]
            body: ErrorBody<Terminated<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            advice: Option<&'a str>,
        }
        let mut body = ErrorBody::new(self.status.as_u16(), self.error, self.code);
        body.request_id = request_id.map(|id| id.0.clone());
        body.retryable = Some(self.retryable);
        body.terminated = self.terminated.as_deref().map(|(record, shape)| match shape {
            Shape::Compatible => Terminated::Compatible(record.into()),
            Shape::Extended => Terminated::Full(RecordView::new(record, Shape::Extended)),
        });
        let body = Advised { body, advice: self.advice.as_deref() };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, JSON)], body).into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(codings) = self.codings {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
        }
        if let Some(edition) = self.edition {
            headers.insert(EDITION_HEADER, *edition);
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, *challenge);
        }
        if let Some(refused) = self.refused {
            response.extensions_mut().insert(refused);
        }
        response
    }
}

/// The text tells the client what to do; causes go to the log only.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::InvalidInput => StatusCode::BAD_REQUEST,
            ErrorKind::NotSupported => StatusCode::NOT_IMPLEMENTED,
            ErrorKind::Unavailable | ErrorKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Protocol => StatusCode::BAD_GATEWAY,
            ErrorKind::EditionMoved => StatusCode::PRECONDITION_FAILED,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() && error.kind() != ErrorKind::NotSupported {
            tracing::error!(error = ?error, "a lookup failed");
        }
        let failure = Self::new(status, error.message().to_owned(), error.kind().code());
        if error.is_transient() {
            let seconds = |after: Duration| u32::try_from(after.as_secs().max(1)).unwrap_or(u32::MAX);
            failure.retryable(error.retry_after().map(seconds))
        } else {
            failure
        }
    }
}

/// A limit of requests is reached.
impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let (status, text) = match refused {
            Refused::Shed => {
                (StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once. Try again in a moment")
            }
            Refused::Client => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many of your requests at once. Wait for some to be answered",
            ),
            Refused::Rate(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many of your requests in a short time. Retry-After says when to try again",
            ),
        };
        let failure = Self::new(status, text, ErrorKind::Overloaded.code());
        Self { refused: Some(refused), ..failure.retryable(Some(refused.retry_after())) }
    }
}

/// A pool of places is full.
impl From<Full> for Failure {
    fn from(_: Full) -> Self {
        Self::from(Refused::Shed)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Answers OPTIONS on any path.
pub(super) fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET,POST,OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "X-Requested-With, Content-Type, Accept, Origin"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Marks the answers of a route that are not for pages of other origins.
#[derive(Clone, Copy, Debug)]
struct Private;

/// Marks the routes of a layer as private.
pub(super) async fn private(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Private);
    response
}

/// The parts of a request that finishing its answer needs.
pub(super) struct Finish {
    request_id: Option<RequestId>,
    if_none_match: Option<HeaderValue>,
    if_edition: Option<HeaderValue>,
    method: Method,
    callback: Option<String>,
}

impl Finish {
    pub(super) fn of(request: &Request<Body>) -> Self {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let query = request.uri().query().filter(|query| query.contains("callback="));
        let callback = query.and_then(|query| {
            let params = Params::parse(Some(query));
            params.first("callback").filter(|name| !name.is_empty()).map(str::to_owned)
        });
        Self {
            request_id: request.extensions().get().cloned(),
            if_edition: request.headers().get(IF_EDITION_HEADER).cloned(),
            if_none_match: request.headers().get(IF_NONE_MATCH).filter(|_| reads).cloned(),
            method: request.method().clone(),
            callback,
        }
    }

    pub(super) async fn apply(self, mut response: Response) -> Response {
        let private = response.extensions_mut().remove::<Private>().is_some();
        let mut response = self.applied(response).await;
        if private {
            let headers = response.headers_mut();
            headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
            headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        response
    }

    /// Refuses an answer from another edition than the client demands. Checked on the answer, because
    /// the data may be replaced until then.
    fn of_edition(&self, response: Response) -> Response {
        let Some(demanded) = &self.if_edition else { return response };
        let failure = response.extensions().get::<Failure>();
        let actual = match failure {
            Some(failure) => failure.edition.as_deref(),
            None => response.headers().get(EDITION_HEADER),
        };
        match actual {
            Some(actual) if actual != demanded => {
                let text = "The data has another edition now. Ask for the edition again, and begin anew";
                let mut failure = Failure::from(Error::new(ErrorKind::EditionMoved, text));
                failure.edition = Some(Box::new(actual.clone()));
                let mut moved = failure.into_response();
                if let Some(route) = response.extensions().get::<MatchedPath>() {
                    moved.extensions_mut().insert(route.clone());
                }
                moved
            }
            _ => response,
        }
    }

    async fn applied(self, response: Response) -> Response {
        let mut response = self.of_edition(response);
        if let Some(failure) = response.extensions_mut().remove::<Failure>() {
            let extensions = std::mem::take(response.extensions_mut());
            let mut response = failure.respond(self.request_id.as_ref());
            response.extensions_mut().extend(extensions);
            return response;
        }
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if response.status() != StatusCode::OK {
            return response;
        }
        if let Some(known) = &self.if_none_match
            && let Some(etag) = response.headers().get(ETAG)
            && matches(known, etag)
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(CONTENT_TYPE);
            *response.body_mut() = Body::empty();
            return response;
        }
        match self.callback {
            Some(name) if response.headers().get(CONTENT_TYPE) == Some(&JSON) => {
                // Any page can read a script, so only public answers are sent as JSONP.
                let route = response.extensions().get::<MatchedPath>();
                match route.is_some_and(|route| has_jsonp(route.as_str(), &self.method)) {
                    true => wrap(&name, response).await,
                    false => response,
                }
            }
            _ => response,
        }
    }
}

/// Weak comparison (RFC 9110, section 13.1.2).
pub(super) fn matches(known: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(etag), Ok(known)) = (etag.to_str(), known.to_str()) else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|tag| opaque(tag) == opaque(etag))
}

/// Wraps a body as JSONP, as Express does: drops from the name all that is not part of a member
/// expression, escapes the two line separators that are valid in JSON and were not in JavaScript,
/// and forbids guessing the type.
async fn wrap(name: &str, response: Response) -> Response {
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '[' | ']' | '_' | '$' | '.'))
        .collect();
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Failure::internal("the answer could not be wrapped").respond(None);
    };
    let separators = |text: &[u8]| text.windows(3).any(|it| matches!(it, [0xe2, 0x80, 0xa8 | 0xa9]));
    let json = match separators(&body) {
        true => {
            let json = String::from_utf8_lossy(&body);
            Bytes::from(json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
        }
        false => body,
    };
    // The answer itself is not copied.
    let chunks =
        [format!("/**/ typeof {name} === 'function' && {name}(").into(), json, Bytes::from_static(b");")];
    let len: usize = chunks.iter().map(Bytes::len).sum();
    parts.headers.insert(CONTENT_TYPE, JAVASCRIPT);
    parts.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    parts.headers.insert(CONTENT_LENGTH, len.into());
    let body = Body::from_stream(stream::iter(chunks.map(Ok::<_, Infallible>)));
    Response::from_parts(parts, body)
}
