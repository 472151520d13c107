//! The life of one connection, from its place to its close.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, EXPECT};
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
use crate::rest::{Rest, close_in_stages};
use crate::watched::Watched;
use crate::{Access, Handler, Limits, Peer, Refusal, TrustedProxy, host};

/// How long a connection that must end, and has no request in progress, may take to send the rest
/// of its last answer. A header that is still arriving is not awaited.
const FLUSH: Duration = Duration::from_millis(500);

/// Serves the connection until it ends, it loses its place, or `closing` says true and its request
/// is answered.
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
    let rest = Arc::new(Rest::default());
    let service = service_fn(|request: Request<Incoming>| {
        let (handler, limits, place, peer) = (handler.clone(), limits.clone(), place.clone(), peer.clone());
        let (access, rest) = (access.clone(), rest.clone());
        async move {
            let answering = Answering::begin(place.state.clone(), !request.body().is_end_stream());
            let mut response =
                answer_one(request, peer, &place, (&*handler, &access), (&limits, &rest)).await;
            if leaves_a_rest(&rest).await {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|inner| ResponseBody { inner, _answering: answering }))
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_header_size(limits.max_header)
        .serve_connection(TokioIo::new(stream), service);
    let conversation = async {
        tokio::select! {
            ended = Pin::new(&mut connection) => Some(ended),
            () = state.lost() => {
                // An idle one may get a request in this moment, which is answered.
                if state.is_answering() || state.in_header() {
                    tracing::debug!(?peer, "a slow connection lost its place");
                    return None;
                }
                Some(close(Pin::new(&mut connection), &state).await)
            }
            () = until(closing.clone()) => Some(close(Pin::new(&mut connection), &state).await),
        }
    };
    let ended = tokio::select! {
        ended = conversation => ended,
        () = rest.discard(&state) => None,
    };
    let Some(ended) = ended else { return };
    if let Err(e) = &ended {
        // Clients that vanish, send no HTTP, or send too much or too slowly.
        tracing::debug!(error = %e, "a connection ended in an error");
    }
    // hyper answers requests that it can't parse, and then stops reading.
    if rest.is_left() || ended.is_err_and(|error| error.is_parse()) {
        tokio::select! {
            () = close_in_stages(connection.into_parts().io.into_inner()) => {}
            () = state.lost() => {}
            () = async {
                until(closing).await;
                tokio::time::sleep(FLUSH).await;
            } => {}
        }
    }
}

/// Returns whether a part of the request's body is still to come after its answer. Bytes that came
/// with the header are read first, so that a small body does not cost the connection.
async fn leaves_a_rest(rest: &Rest) -> bool {
    for _ in 0..4 {
        if !rest.is_left() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    rest.is_left()
}

/// Lets the request in progress finish, and its answer be sent.
async fn close<C: Graceful>(mut connection: Pin<&mut C>, state: &crate::places::State) -> hyper::Result<()> {
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
    fn shut_down(self: Pin<&mut Self>);
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
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

async fn answer_one<H: Handler>(
    request: Request<Incoming>,
    peer: Peer,
    place: &Place,
    (handler, access): (&H, &Access),
    (limits, rest): (&Limits, &Arc<Rest>),
) -> Response<H::Body> {
    let refused = |refusal| {
        let mut response = handler.refuse(refusal);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    };
    let waits =
        request.headers().get(EXPECT).is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let pace = Pace::new(limits.patience, limits.least_speed);
    let mut request =
        request.map(|body| RequestBody::new(body, pace, place.state.clone(), rest.clone(), waits));
    if let Err(why) = host::check(&request) {
        return refused(Refusal::BadHost(why));
    }
    if !handler.is_vital(request.uri().path()) && !place.is_usual() {
        count(Kind::NoPlace);
        return refused(Refusal::NoPlace);
    }
    let client = limits.proxies.client(&peer, request.headers());
    if limits.proxies.trusts(&peer) {
        request.extensions_mut().insert(TrustedProxy);
    }
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(peer);
    access.identify(&mut request);
    handler.handle(request).await
}

/// Waits until the value is true, or its sender is gone.
pub(crate) async fn until(mut closing: watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
