//! A server to attack.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use postcode_edge::{BoxError, Client, Handler, Limits, Listener, Refusal, RequestBody, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

/// Longer than anything here takes: a hang is a failure and not a hanging test.
pub(crate) const LONG: Duration = Duration::from_secs(120);

type Body = UnsyncBoxBody<Bytes, BoxError>;

/// `/ok` and `/ping` answer at once, and so does `/refuse`, with 413. `/client` names the client,
/// `/body` answers with the length of the body, `/hang` never answers, `/stream` sends the chunks
/// of [`Server::chunks`].
pub(crate) struct App {
    /// Gets a permit for each request that has come.
    pub(crate) came: Semaphore,
    stopping: Semaphore,
    chunks: Arc<Mutex<mpsc::Receiver<&'static str>>>,
}

fn text(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(text.into()).map_err(Into::into).boxed_unsync())
}

impl Handler for App {
    type Body = Body;

    async fn handle(&self, request: Request<RequestBody>) -> Response<Body> {
        self.came.add_permits(1);
        match request.uri().path() {
            "/hang" => std::future::pending().await,
            "/refuse" => {
                let mut answer = text("too large");
                *answer.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
                answer
            }
            "/client" => {
                let client = request.extensions().get::<Client>().unwrap();
                text(client.address().map_or("local".to_owned(), |address| address.to_string()))
            }
            "/body" => match request.into_body().collect().await {
                Ok(body) => text(body.to_bytes().len().to_string()),
                Err(error) => {
                    let mut answer = text(error.to_string());
                    *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
                    answer
                }
            },
            "/stream" => {
                let chunks = self.chunks.clone();
                let frames = futures::stream::unfold(chunks, async |chunks| {
                    let chunk = chunks.lock().await.recv().await?;
                    Some((Ok::<_, BoxError>(Frame::data(Bytes::from_static(chunk.as_bytes()))), chunks))
                });
                Response::new(StreamBody::new(frames).boxed_unsync())
            }
            _ => text("ok"),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let mut answer = text(format!("{refusal:?}"));
        *answer.status_mut() = match refusal {
            Refusal::BadHost(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        answer
    }

    fn is_vital(&self, path: &str) -> bool {
        path == "/ping"
    }

    fn stopping(&self) {
        self.stopping.add_permits(1);
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    /// Written by `/stream`; dropped, it ends.
    pub(crate) chunks: Option<mpsc::Sender<&'static str>>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Self {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.url().unwrap().trim_start_matches("http://").parse().unwrap();
        let (send, chunks) = mpsc::channel(8);
        let app = Arc::new(App {
            came: Semaphore::new(0),
            stopping: Semaphore::new(0),
            chunks: Arc::new(Mutex::new(chunks)),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(serve(listener, app.clone(), limits, async {
            let _ = stopped.await;
        }));
        Self { address, app, chunks: Some(send), stop: Some(stop), running }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Connects from that address of this machine.
    pub(crate) async fn connect_from(&self, address: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Waits until that many more requests have come.
    pub(crate) async fn requests(&self, many: u32) {
        let came = tokio::time::timeout(LONG, self.app.came.acquire_many(many)).await;
        came.expect("the requests came").unwrap().forget();
    }

    /// Starts a shutdown and waits until no more connections are accepted.
    pub(crate) async fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.app.stopping.acquire().await.unwrap().forget();
    }

    pub(crate) async fn stopped(self) {
        tokio::time::timeout(LONG, self.running).await.expect("stopped").unwrap();
    }
}

pub(crate) async fn send(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Reads until the server closes. Bytes before a reset count.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("closed");
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

/// Sends one request on this connection and returns the answer.
pub(crate) async fn ask(mut stream: TcpStream, path: &str) -> String {
    // A connection that was closed at once has no answer.
    let _ = stream.write_all(get(path).as_bytes()).await;
    rest(&mut stream).await
}
