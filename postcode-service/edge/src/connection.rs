//! One connection, from its place to its close.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::body::{Answering, RequestBody, ResponseBody};
use crate::pace::Pace;
use crate::places::Place;
use crate::refused::{Kind, count};
use crate::serve::until;
use crate::watched::Watched;
use crate::{Access, Handler, Limits, Peer, Refusal, TrustedProxy, host};

/// When a connection is to end, how long one without a request may take to send what is left of its last answer. A
/// header that is still coming is not waited for.
const FLUSH: Duration = Duration::from_millis(500);

/// Serves the connection until it ends, it loses its place, or `closing` says true and its request is answered.
pub(crate) async fn serve<T, H>(
    stream: T,
    peer: Peer,
    place: Arc<Place>,
    (handler, access): (Arc<H>, Access),
    limits: Arc<Limits>,
    closing: watch::Receiver<bool>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let state = place.state.clone();
    let header = Pace::new(limits.patience, limits.least_speed);
    let answer = Pace::new(limits.send, limits.least_speed);
    let stream = Watched::new(stream, state.clone(), header, answer);
    let service = service_fn(|request: Request<Incoming>| {
        let (handler, limits, place, peer) = (handler.clone(), limits.clone(), place.clone(), peer.clone());
        let access = access.clone();
        async move {
            let answering = Answering::begin(place.state.clone(), !request.body().is_end_stream());
            let response = answer_one(request, peer, &place, (&*handler, &access), &limits).await;
            Ok::<_, Infallible>(response.map(|inner| ResponseBody { inner, _answering: answering }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_header_size(limits.max_header)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = state.lost() => {
            // An idle one may get a request in this moment, which is answered.
            if state.is_answering() || state.in_header() {
                tracing::debug!(?peer, "a slow connection lost its place");
                return;
            }
            close(connection, &state).await
        }
        () = until(closing) => close(connection, &state).await,
    };
    if let Err(e) = ended {
        // Clients that vanish, send no HTTP, or send too much or too slowly.
        tracing::debug!(error = %e, "a connection ended in an error");
    }
}

/// Lets the request that is under way end, and its answer be sent.
async fn close<C: Graceful>(
    mut connection: std::pin::Pin<&mut C>,
    state: &crate::places::State,
) -> hyper::Result<()> {
    connection.as_mut().shut_down();
    loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = tokio::time::sleep(FLUSH) => {
                if !state.is_answering() {
                    break Ok(());
                }
            }
        }
    }
}

/// hyper's connection, whose type has the service's in it.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn shut_down(self: std::pin::Pin<&mut Self>);
}

impl<I, S> Graceful for http1::Connection<I, S>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: hyper::service::HttpService<Incoming>,
    S::Error: Into<crate::BoxError>,
    S::ResBody: Body + 'static,
    <S::ResBody as Body>::Error: Into<crate::BoxError>,
    Self: Future<Output = hyper::Result<()>>,
{
    fn shut_down(self: std::pin::Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

async fn answer_one<H: Handler>(
    request: Request<Incoming>,
    peer: Peer,
    place: &Place,
    (handler, access): (&H, &Access),
    limits: &Limits,
) -> Response<H::Body> {
    let refused = |refusal| {
        let mut response = handler.refuse(refusal);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    };
    if let Err(why) = host::check(&request) {
        return refused(Refusal::BadHost(why));
    }
    if !handler.is_vital(request.uri().path()) && !place.is_usual() {
        count(Kind::NoPlace);
        return refused(Refusal::NoPlace);
    }
    let client = limits.proxies.client(&peer, request.headers());
    let pace = Pace::new(limits.patience, limits.least_speed);
    let mut request = request.map(|body| RequestBody::new(body, pace, place.state.clone()));
    if limits.proxies.trusts(&peer) {
        request.extensions_mut().insert(TrustedProxy);
    }
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(peer);
    access.identify(&mut request);
    handler.handle(request).await
}
