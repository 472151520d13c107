//! Measures a bare round trip on this machine, over a Unix socket and over TCP.

use std::io::{Read, Result, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The bytes of a request, about those of a lookup.
const REQUEST: usize = 200;
/// The bytes of an answer, about those of a record.
const ANSWER: usize = 1_000;
/// The round trips that are measured, and those before that are not.
const ROUNDS: usize = 400;
const WARMING: usize = 40;
/// How long one may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// The median times of a round trip. The difference between the two is what a Unix socket saves.
///
/// ```
/// use postcode_core::layers::advice::Echo;
///
/// let echo = Echo { unix_us: Some(9.0), tcp_us: 14.0 };
/// assert_eq!(echo.unix_us.map(|unix_us| echo.tcp_us - unix_us), Some(5.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// Over a Unix socket. `None` where there are none.
    pub unix_us: Option<f64>,
    /// Over TCP on the loopback interface.
    pub tcp_us: f64,
}

/// Measures round trips for some 50 ms. It blocks the thread.
///
/// ```
/// use postcode_core::layers::advice::echo;
///
/// let times = echo()?;
/// assert!(times.tcp_us > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns an error if no socket can be opened, or a round trip takes more than half a second.
pub fn echo() -> Result<Echo> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
    }
    let tcp_us = round_trips(near, far)?;
    Ok(Echo { unix_us: unix()?, tcp_us })
}

#[cfg(unix)]
fn unix() -> Result<Option<f64>> {
    let (near, far) = std::os::unix::net::UnixStream::pair()?;
    for stream in [&near, &far] {
        stream.set_read_timeout(Some(PATIENCE))?;
    }
    round_trips(near, far).map(Some)
}

#[cfg(not(unix))]
fn unix() -> Result<Option<f64>> {
    Ok(None)
}

fn round_trips<S: Read + Write + Send>(mut near: S, mut far: S) -> Result<f64> {
    thread::scope(|scope| {
        let server = scope.spawn(move || -> Result<()> {
            for _ in 0..WARMING + ROUNDS {
                far.read_exact(&mut [0; REQUEST])?;
                far.write_all(&[0; ANSWER])?;
            }
            Ok(())
        });
        let mut times = Vec::with_capacity(ROUNDS);
        for round in 0..WARMING + ROUNDS {
            let begun = Instant::now();
            near.write_all(&[0; REQUEST])?;
            near.read_exact(&mut [0; ANSWER])?;
            if round >= WARMING {
                times.push(begun.elapsed().as_secs_f64() * 1e6);
            }
        }
        drop(near);
        server.join().map_err(|_| std::io::Error::other("the thread that answers panicked"))??;
        times.sort_by(f64::total_cmp);
        Ok(times[ROUNDS / 2])
    })
}
