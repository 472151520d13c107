//! The `ping` command: asks a running server whether it is ready. For health checks of images that
//! hold no other program.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use clap::Args;

use super::program::Program;
use crate::listen::Address;

/// Ask a running server whether it is ready.
///
/// It asks /ready over plain HTTP. Without an address it asks where `serve` would listen by the same
/// environment and configuration file.
///
/// Exit status: 0 if it is ready, 1 if not or if it does not answer, 2 for wrong options.
#[derive(Debug, Args)]
pub struct PingArgs {
    /// HOST:PORT or unix:PATH [default: where `serve` listens by the environment]
    address: Option<Address>,
    /// How long the server may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    timeout: u8,
}

/// The most bytes of an answer that are read.
const LONGEST: u64 = 64 << 10;

impl PingArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// Says why the server is not ready.
    pub fn run(self, program: &Program) -> Result<(), String> {
        let address = match self.address {
            Some(address) => address,
            None => {
                let server = program.configured.first().copied().unwrap_or_default();
                let configuration = program.configuration(server, &[])?;
                if configuration.get("tls-cert").is_some() {
                    return Err("the server speaks TLS: ask it with curl".to_owned());
                }
                configuration.get("listen").unwrap_or_default().parse()?
            }
        };
        let status = ask(&address, Duration::from_secs(self.timeout.into()))
            .map_err(|e| format!("{address} does not answer: {e}"))?;
        match status.split(' ').nth(1) {
            Some("200") => {
                println!("{address} is ready");
                Ok(())
            }
            _ => Err(format!("{address} is not ready: {status}")),
        }
    }
}

/// Returns the status line of `/ready`.
fn ask(address: &Address, timeout: Duration) -> io::Result<String> {
    let text = address.to_string();
    match text.strip_prefix("unix:") {
        Some(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(timeout))?;
            stream.set_write_timeout(Some(timeout))?;
            talk(stream)
        }
        None => {
            // A server on all addresses is asked on this machine's own.
            let text = text.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
            let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            let socket = text.to_socket_addrs()?.next().ok_or_else(none)?;
            let stream = TcpStream::connect_timeout(&socket, timeout)?;
            stream.set_read_timeout(Some(timeout))?;
            stream.set_write_timeout(Some(timeout))?;
            talk(stream)
        }
    }
}

fn talk(mut stream: impl Read + Write) -> io::Result<String> {
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or("an empty answer").to_owned())
}
