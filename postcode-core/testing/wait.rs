//! Waits for events, however slow the machine is, and reserves addresses on which nothing listens.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

/// Far longer than anything takes on a busy machine: anything longer hangs.
pub const GENEROUS: Duration = Duration::from_secs(120);

/// Repeats a check until it succeeds.
///
/// # Panics
/// Panics after [`GENEROUS`].
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = tokio::time::timeout(GENEROUS, asking).await;
    assert!(ended.is_ok(), "not within {GENEROUS:?}: {what}");
}

/// A port of this machine that refuses connections, and that no other process can get while this exists.
#[derive(Debug)]
pub struct Nobody {
    socket: TcpSocket,
    /// The address, on which nothing listens.
    pub address: SocketAddr,
}

impl Nobody {
    /// Reserves a free port.
    #[allow(clippy::new_without_default, reason = "it is an action")]
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    /// Returns `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Listens on the port from now on.
    pub fn listen(self) -> TcpListener {
        self.socket.listen(128).unwrap()
    }
}
