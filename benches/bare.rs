//! A server of hyper alone, which always answers with the same bytes: what HTTP costs without a service.

use std::convert::Infallible;

use anyhow::{Context as _, Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::DATE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use postcode_service::server::Frontend;
use tokio::net::TcpListener;

/// Serves for ever what the frontend answers to the lookup of one postcode.
pub(crate) async fn serve(frontend: &Frontend, listen: &str) -> Result<()> {
    let request = Request::get("/postcodes/SW1A1AA").body(Full::<Bytes>::default())?;
    let (head, body) = frontend.call(request).await.into_parts();
    ensure!(head.status == StatusCode::OK, "SW1A 1AA is answered with {}", head.status);
    let body = body.collect().await.context("the answer can't be read")?.to_bytes();
    let mut answer = Response::new(Full::new(body));
    *answer.headers_mut() = head.headers;
    // hyper writes it anew.
    answer.headers_mut().remove(DATE);
    let listener = TcpListener::bind(listen).await.with_context(|| format!("can't listen on {listen}"))?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |_: Request<Incoming>| {
            let answer = answer.clone();
            async move { Ok::<_, Infallible>(answer) }
        });
        let mut connection = hyper::server::conn::http1::Builder::new();
        connection.timer(TokioTimer::new());
        tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
    }
}
