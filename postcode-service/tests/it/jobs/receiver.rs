//! A receiver of callbacks. It checks the signature with the scheme's own library, and answers as
//! the test says.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const SECRET: &str = "whsec_bm90IHZlcnkgc2VjcmV0LCBmb3IgdGVzdHMgb25seQ==";

/// The request that was received.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: String,
    pub path: String,
    pub body: serde_json::Value,
}

pub struct Receiver {
    pub url: String,
    pub messages: Arc<Mutex<Vec<Message>>>,
    /// Statuses to answer with before 204.
    answers: Arc<Mutex<VecDeque<u16>>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let messages = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let (kept, due) = (messages.clone(), answers.clone());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, due) = (kept.clone(), due.clone());
                let service = service_fn(move |request| answer(request, kept.clone(), due.clone()));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, messages, answers, serving }
    }

    pub fn answer_with(&self, answers: &[u16]) {
        *self.answers.lock().unwrap() = VecDeque::from(answers.to_vec());
    }

    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    messages: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(respond(400)) };
    let body = body.to_bytes();
    // Drop a message with a wrong signature.
    if let Err(error) = Webhook::new(SECRET).unwrap().verify(&body, &parts.headers) {
        println!("a message that is not signed: {error}");
        return Ok(respond(401));
    }
    let id = parts.headers["webhook-id"].to_str().unwrap().to_owned();
    let body = serde_json::from_slice(&body).unwrap();
    messages.lock().unwrap().push(Message { id, path: parts.uri.path().to_owned(), body });
    Ok(respond(answers.lock().unwrap().pop_front().unwrap_or(204)))
}

fn respond(status: u16) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("location", "/elsewhere");
    response.body(Full::new(Bytes::new())).unwrap()
}
