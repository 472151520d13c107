//! Disk and memory that all requests of the program share, and of which one client has at most half.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::options::Origin;

/// A number of bytes that is shared.
#[derive(Debug)]
pub(crate) struct Shares {
    most: u64,
    taken: Mutex<Taken>,
}

#[derive(Debug)]
struct Taken {
    all: u64,
    of_clients: BTreeMap<String, u64>,
}

impl Shares {
    pub(crate) const fn new(most: u64) -> Self {
        Self { most, taken: Mutex::new(Taken { all: 0, of_clients: BTreeMap::new() }) }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many bytes are taken.
    #[cfg(test)]
    pub(crate) fn all(&self) -> u64 {
        self.taken().all
    }

    /// Begins to take bytes, none at first.
    pub(crate) fn begin(&'static self, origin: &Origin) -> Reserved {
        Reserved { shares: self, client: origin.client().map(str::to_owned), bytes: 0 }
    }
}

/// Bytes that are taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    shares: &'static Shares,
    client: Option<String>,
    bytes: u64,
}

impl Reserved {
    /// Takes that many bytes more. Fails with [`QuotaExceeded`](ErrorKind::QuotaExceeded) if they are not free, or
    /// the client would have more than half of all.
    pub(crate) fn grow(&mut self, bytes: u64) -> io::Result<()> {
        let most = self.shares.most;
        let mut taken = self.shares.taken();
        if let Some(client) = &self.client {
            let own = taken.of_clients.get(client).copied().unwrap_or_default().saturating_add(bytes);
            if own > most / 2 {
                let text = "you have too many zip files and workbooks being read: wait until one is done, or unpack the \
                            file first";
                return Err(io::Error::new(ErrorKind::QuotaExceeded, text));
            }
        }
        let all = taken.all.saturating_add(bytes);
        if all > most {
            let text =
                "too many zip files and workbooks are being read: try again later, or unpack the file first";
            return Err(io::Error::new(ErrorKind::QuotaExceeded, text));
        }
        taken.all = all;
        if let Some(client) = &self.client {
            *taken.of_clients.entry(client.clone()).or_default() += bytes;
        }
        self.bytes += bytes;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        taken.all -= self.bytes;
        if let Some(client) = &self.client
            && let Some(own) = taken.of_clients.get_mut(client)
        {
            *own -= self.bytes;
            if *own == 0 {
                taken.of_clients.remove(client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_has_half_and_gives_it_back() {
        static SOME: Shares = Shares::new(100);
        let client = |name: &str| Origin::Client(Some(name.to_owned()));
        let mut first = SOME.begin(&client("192.0.2.1"));
        let mut second = SOME.begin(&client("192.0.2.1"));
        first.grow(40).unwrap();
        second.grow(10).unwrap();
        let error = second.grow(1).unwrap_err();
        assert!(
            error.kind() == ErrorKind::QuotaExceeded && error.to_string().starts_with("you have"),
            "{error}"
        );
        let mut other = SOME.begin(&client("192.0.2.2"));
        other.grow(50).unwrap();
        let mut local = SOME.begin(&Origin::Client(None));
        let error = local.grow(1).unwrap_err();
        assert!(error.to_string().starts_with("too many"), "{error}");
        drop((first, other));
        local.grow(90).unwrap();
        drop((second, local));
        assert_eq!(SOME.all(), 0);
        assert!(SOME.taken().of_clients.is_empty());
    }
}
