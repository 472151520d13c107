//! The program started, asked over HTTP, and ended.
#![allow(dead_code)] // Each test program uses what it needs.

use std::process::Stdio;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStdout, Command};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Returns a command for the program with these arguments, in a clean environment.
pub(crate) fn program(arguments: &[&str]) -> Command {
    program_by(&[], arguments)
}

/// Returns the command, started by another program.
pub(crate) fn program_by(starter: &[&str], arguments: &[&str]) -> Command {
    let words = [starter, &[env!("CARGO_BIN_EXE_customers")], arguments].concat();
    let mut command = Command::from(postcode_testing::command(words[0]));
    command.args(&words[1..]).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A running server.
pub(crate) struct Server {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
    /// The address that it printed.
    pub(crate) address: String,
}

impl Server {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        Self::start_saying(arguments, Stdio::inherit()).await
    }

    /// Starts it without its standard error, for tests that expect errors there.
    pub(crate) async fn start_silently(arguments: &[&str]) -> Self {
        Self::start_saying(arguments, Stdio::null()).await
    }

    async fn start_saying(arguments: &[&str], errors: Stdio) -> Self {
        let mut command = program(&[&["serve"], arguments].concat());
        command.stderr(errors);
        Self::run(command).await
    }

    /// Starts it by a given command.
    pub(crate) async fn run(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
        Self { address: address.to_owned(), child, stdout }
    }

    /// Returns its next line after the given beginning.
    pub(crate) async fn said(&mut self, after: &str) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).await.unwrap();
        line.trim_end().strip_prefix(after).unwrap_or_else(|| panic!("{line:?}")).to_owned()
    }

    /// Sends a signal and waits. Returns the exit code and the rest of the output.
    pub(crate) async fn end(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).await.unwrap();
        (self.child.wait().await.unwrap().code(), rest)
    }

    pub(crate) fn signal(&self, signal: &str) {
        postcode_testing::signal(self.child.id().unwrap(), signal);
    }
}

/// Sends one request on a separate connection. Returns the status and the body.
pub(crate) async fn send(
    address: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, Value), Failure> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let json = ("content-type", "application/json");
    let (status, _, text) = exchange(address, method, path, &[("host", "localhost"), json], &body).await?;
    Ok((status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? }))
}

/// Sends a request with these headers and any body. Returns the status, the content type and the
/// body.
pub(crate) async fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(u16, String, String), Failure> {
    let response = ask(address, method, path, headers, body).await?;
    let content = response.headers().get("content-type").map(|content| content.to_str().map(str::to_owned));
    let content = content.transpose()?.unwrap_or_default();
    Ok((response.status().as_u16(), content, response.into_body()))
}

/// Sends a request and returns the whole response.
pub(crate) async fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<hyper::Response<String>, Failure> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned())))?;
    // One code path from here on, as in the server.
    trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
    impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}
    let stream: Box<dyn Stream> = match address.strip_prefix("unix:") {
        Some(path) => Box::new(UnixStream::connect(path).await?),
        None => Box::new(TcpStream::connect(address.trim_start_matches("http://")).await?),
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok(hyper::Response::from_parts(parts, String::from_utf8(bytes.into())?))
}
