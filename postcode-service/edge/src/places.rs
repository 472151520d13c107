//! Places for connections, and which connection loses its place when they run out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::phase::Phase;
use crate::refused::{Kind, count};
use crate::{Client, Limits, Peer};

/// No request is in progress, and none has begun to arrive.
const IDLE: u8 = 0;
/// A header is coming.
const HEADER: u8 = 1;
/// A request is in progress, and its body is arriving.
const BODY: u8 = 2;
/// A request is in progress, and its body has arrived.
const WORKING: u8 = 3;

/// Bytes a second: a body that is slower, after the grace time, loses its place when places are
/// scarce.
const SCARCE_SPEED: u64 = 16 * 1024;

/// How far a connection is. Written by its task, read by those that look for a place.
#[derive(Debug)]
pub(crate) struct State {
    base: Instant,
    /// How long a body or an answer is safe from losing its place to another connection.
    grace: Duration,
    /// The phase and its start, in milliseconds after the base.
    phase: Phase,
    /// Bytes of the body.
    bytes: AtomicU64,
    /// The time when the client stopped reading its answer, in the same unit plus 1; 0 if it reads.
    stuck: AtomicU64,
    closed: Notify,
}

impl State {
    fn new(base: Instant, grace: Duration) -> Self {
        let state = Self {
            base,
            grace,
            phase: Phase::new(IDLE, 0),
            bytes: AtomicU64::new(0),
            stuck: AtomicU64::new(0),
            closed: Notify::new(),
        };
        state.enter(IDLE);
        state
    }

    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn enter(&self, phase: u8) {
        self.phase.enter(phase, self.now());
    }

    /// Bytes were read; returns whether they begin a header.
    pub(crate) fn bytes_came(&self) -> bool {
        let begins = self.phase.current() == IDLE;
        if begins {
            self.enter(HEADER);
        }
        begins
    }

    pub(crate) fn in_header(&self) -> bool {
        self.phase.current() == HEADER
    }

    pub(crate) fn begin(&self, has_body: bool) {
        self.bytes.store(0, Ordering::Relaxed);
        self.enter(if has_body { BODY } else { WORKING });
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn body_is_there(&self) {
        if self.phase.current() == BODY {
            self.enter(WORKING);
        }
    }

    pub(crate) fn end(&self) {
        self.enter(IDLE);
    }

    /// Records that an unwanted rest of a body was read after the answer: its bytes were not those
    /// of a header.
    pub(crate) fn rest_is_read(&self) {
        if self.phase.current() == HEADER {
            self.enter(IDLE);
        }
    }

    /// Returns whether a request is in progress.
    pub(crate) fn is_answering(&self) -> bool {
        self.phase.current() >= BODY
    }

    pub(crate) fn stuck(&self) {
        let now = self.now().saturating_add(1);
        let _ = self.stuck.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn unstuck(&self) {
        self.stuck.store(0, Ordering::Relaxed);
    }

    /// Ready when it has lost its place.
    pub(crate) async fn lost(&self) {
        self.closed.notified().await;
    }

    /// Ranks which connection loses its place first, if any: by kind, then by time.
    fn rank(&self) -> Option<(u8, u64)> {
        let (phase, since) = self.phase.get();
        let (now, stuck) = (self.now(), self.stuck.load(Ordering::Relaxed));
        let grace = self.grace.as_millis() as u64;
        let age = now.saturating_sub(since);
        if stuck > 0 && now.saturating_sub(stuck) > grace {
            return Some((3, stuck));
        }
        match phase {
            IDLE if stuck == 0 => Some((0, since)),
            HEADER => Some((1, since)),
            BODY if age > grace => {
                let slow =
                    self.bytes.load(Ordering::Relaxed).saturating_mul(1000) / age.max(1) < SCARCE_SPEED;
                slow.then_some((2, since))
            }
            _ => None,
        }
    }
}

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct Places {
    base: Instant,
    grace: Duration,
    most: usize,
    reserved: usize,
    per_address: Option<usize>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    entries: HashMap<u64, Entry>,
    /// Connections in places that are not reserved.
    usual: usize,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Entry {
    state: Arc<State>,
    address: Option<IpAddr>,
    reserved: bool,
}

impl Places {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            base: Instant::now(),
            grace: limits.patience / 4,
            most: limits.connections.max(1),
            reserved: limits.reserved,
            per_address: limits.per_address,
            open: Mutex::default(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many connections an address may have. This machine has no limit unless one is
    /// given, because a proxy on it may act for all clients.
    fn most_of(&self, client: Client) -> usize {
        match self.per_address {
            Some(0) => usize::MAX,
            Some(most) => most,
            None if client.is_local() => usize::MAX,
            None => self.most.div_ceil(4),
        }
    }

    /// Returns a place for a new connection, taken from an unused one if need be, or `None` if all
    /// are in use.
    pub(crate) fn take(self: &Arc<Self>, peer: &Peer, trusted: bool) -> Option<Place> {
        let client = Client::new(peer.ip());
        let address = client.network().filter(|_| !trusted);
        let mut open = self.open();
        if let Some(address) = address {
            let most = self.most_of(client);
            if open.by_address.get(&address).is_some_and(|open| *open >= most)
                && open.evict(most, |entry| entry.address == Some(address)) == 0
            {
                return None;
            }
        }
        let reserved = open.usual >= self.most && open.evict(self.most, |entry| !entry.reserved) == 0;
        let in_reserve = open.entries.len().saturating_sub(open.usual);
        if reserved && in_reserve >= self.reserved && open.evict(self.reserved, |entry| entry.reserved) == 0 {
            return None;
        }
        let id = open.next;
        open.next += 1;
        let state = Arc::new(State::new(self.base, self.grace));
        open.usual += usize::from(!reserved);
        if let Some(address) = address {
            *open.by_address.entry(address).or_default() += 1;
        }
        open.entries.insert(id, Entry { state: state.clone(), address, reserved });
        Some(Place { places: self.clone(), id, state })
    }

    /// Closes a connection when the system has run out of files.
    pub(crate) fn make_room(&self) {
        self.open().evict(self.most, |_| true);
    }

    pub(crate) fn len(&self) -> usize {
        self.open().entries.len()
    }
}

impl Open {
    /// Takes the place from those that it is due from: several at once where there are many,
    /// because looking for them takes time. Returns how many.
    fn evict(&mut self, most: usize, which: impl Fn(&Entry) -> bool) -> usize {
        let entries = self.entries.iter().filter(|(_, entry)| which(entry));
        let mut ranked: Vec<_> = entries.filter_map(|(id, entry)| Some((entry.state.rank()?, *id))).collect();
        let many = (most / 128).max(1).min(ranked.len());
        if many == 0 {
            return 0;
        }
        ranked.select_nth_unstable(many - 1);
        for (_, id) in &ranked[..many] {
            if let Some(entry) = self.remove(*id) {
                let idle = entry.state.phase.current() == IDLE;
                count(if idle { Kind::Idle } else { Kind::Slow });
                entry.state.closed.notify_one();
            }
        }
        many
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.usual -= usize::from(!entry.reserved);
        if let Some(address) = entry.address
            && let Some(open) = self.by_address.get_mut(&address)
        {
            *open -= 1;
            if *open == 0 {
                self.by_address.remove(&address);
            }
        }
        Some(entry)
    }
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    id: u64,
    pub(crate) state: Arc<State>,
}

impl Place {
    /// Returns whether any request may be answered on this connection. A connection in a reserved
    /// place moves to a usual one that has become free.
    pub(crate) fn is_usual(&self) -> bool {
        let mut open = self.places.open();
        let room = open.usual < self.places.most;
        let moved = match open.entries.get_mut(&self.id) {
            Some(entry) if entry.reserved && room => {
                entry.reserved = false;
                true
            }
            // A connection that has lost its place in the meantime is still answered.
            other => return other.is_none_or(|entry| !entry.reserved),
        };
        open.usual += usize::from(moved);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.open().remove(self.id);
    }
}
