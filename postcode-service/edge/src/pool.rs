//! Pools of places for work that takes long: uploads, downloads, streams of events, bodies that are
//! coming.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{self, Either};
use futures::stream::{Stream, StreamExt};
use http::Extensions;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::{BoxError, Caller, Client};

/// The key that limits count by: the caller if one is known, else the client's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// Any client on this machine. They can't be told apart, so there is no limit for each.
    #[default]
    Local,
    /// An address, or the /64 of one.
    Network(IpAddr),
    /// A caller with a name.
    Caller(Caller),
}

impl ClientKey {
    /// Returns the key as a text that no other key has; `None` for clients on this machine, which can't be told apart.
    ///
    /// ```
    /// use postcode_edge::{Caller, ClientKey};
    ///
    /// assert_eq!(ClientKey::Network([192, 0, 2, 1].into()).name().as_deref(), Some("192.0.2.1"));
    /// assert_eq!(ClientKey::Caller(Caller("shop".into())).name().as_deref(), Some("caller shop"));
    /// assert_eq!(ClientKey::Local.name(), None);
    /// ```
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Local => None,
            Self::Network(address) => Some(address.to_string()),
            Self::Caller(Caller(name)) => Some(format!("caller {name}")),
        }
    }

    /// Returns the client of the request with these extensions.
    pub fn of(extensions: &Extensions) -> Self {
        if let Some(caller) = extensions.get::<Caller>() {
            return Self::Caller(caller.clone());
        }
        let client = extensions.get::<Client>().copied().unwrap_or_default();
        match client.network() {
            Some(network) if !client.is_local() => Self::Network(network),
            _ => Self::Local,
        }
    }
}

/// The rule for who loses a place when all are taken and another client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yields {
    /// The slowest, if it is slower than that many bytes a second.
    Slowest(u64),
    /// The one that has been there longest: for those that can come again and miss nothing.
    Longest,
}

/// How long a place is kept at least, and over how long the speed of a client is measured at least.
const GRACE: Duration = Duration::from_secs(10);

/// A number of places, or of bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    share: usize,
    yields: Yields,
    grace: Duration,
    held: Mutex<Held>,
    /// A place was given back.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    holders: HashMap<u64, Holder>,
}

#[derive(Debug)]
struct Holder {
    key: ClientKey,
    /// How much of the pool it has.
    units: usize,
    /// Whether it never yields.
    stays: bool,
    since: Instant,
    /// When its speed was last measured, and the bytes that had moved by then.
    measured: (Instant, u64),
    /// Bytes a second, as last measured.
    speed: u64,
    bytes: Arc<AtomicU64>,
    lost: watch::Sender<bool>,
}

impl Holder {
    /// Returns the bytes a second since the last measurement, which is repeated after that time. A client
    /// that was fast at first and is slow now is slow.
    fn speed(&mut self, repeated_after: Duration) -> u64 {
        let (now, bytes) = (Instant::now(), self.bytes.load(Ordering::Relaxed));
        let (at, before) = self.measured;
        let age = now - at;
        if age >= repeated_after {
            self.speed = (bytes.saturating_sub(before) as f64 / age.as_secs_f64().max(0.001)) as u64;
            self.measured = (now, bytes);
        }
        self.speed
    }
}

/// All places are taken, or all that the client may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all places are taken")]
pub struct Full;

/// The place was given to another: this client was too slow, or there too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too slow: the place was given to another client")]
pub struct Lost;

impl Pool {
    /// Creates a pool of that many places, of which one client may have half.
    pub fn new(most: usize, yields: Yields) -> Self {
        Self::with(most, most.div_ceil(2), yields, GRACE)
    }

    fn with(most: usize, share: usize, yields: Yields, grace: Duration) -> Self {
        let (held, freed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { most, share, yields, grace, held, freed }))
    }

    /// Creates an empty copy of the pool in which a place is kept for at least that time.
    #[must_use]
    pub fn keeping(self, grace: Duration) -> Self {
        let Shared { most, share, yields, .. } = *self.0;
        Self::with(most, share, yields, grace)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, if necessary from another client that is too slow.
    ///
    /// # Errors
    /// [`Full`] if none is free.
    pub fn enter(&self, key: ClientKey) -> Result<Place, Full> {
        self.enter_with(key, 1)
    }

    /// Takes a place, and waits for one for at most that time. A client that has its share waits for
    /// its own places, and takes none from others.
    ///
    /// # Errors
    /// [`Full`] if none becomes free.
    pub async fn enter_within(&self, key: ClientKey, wait: Duration) -> Result<Place, Full> {
        let waited = tokio::time::timeout(wait, async {
            loop {
                let mut freed = std::pin::pin!(self.0.freed.notified());
                freed.as_mut().enable();
                match self.enter(key.clone()) {
                    Ok(place) => return place,
                    Err(Full) => freed.await,
                }
            }
        });
        waited.await.map_err(|_| Full)
    }

    /// Takes that many units of the pool as one place, which can grow.
    ///
    /// # Errors
    /// [`Full`] if they are not free.
    pub fn enter_with(&self, key: ClientKey, units: usize) -> Result<Place, Full> {
        let mut held = self.held();
        self.make_room(&mut held, &key, units, None)?;
        let id = held.next;
        held.next += 1;
        let now = Instant::now();
        let (bytes, (lost, losing)) = (Arc::new(AtomicU64::new(0)), watch::channel(false));
        let (since, measured, speed, stays) = (now, (now, 0), 0, false);
        let holder = key.clone();
        held.holders.insert(
            id,
            Holder { key: holder, units, stays, since, measured, speed, bytes: bytes.clone(), lost },
        );
        Ok(Place { pool: self.clone(), id, key, bytes, losing })
    }

    /// Makes room for that many units more of a client. A holder that grows does not push itself out.
    fn make_room(
        &self,
        held: &mut Held,
        key: &ClientKey,
        units: usize,
        growing: Option<u64>,
    ) -> Result<(), Full> {
        if units == 0 {
            return Ok(());
        }
        let taken = |held: &Held, of: Option<&ClientKey>| -> usize {
            let counted = held.holders.values().filter(|holder| of.is_none_or(|key| holder.key == *key));
            counted.map(|holder| holder.units).sum()
        };
        while *key != ClientKey::Local && taken(held, Some(key)).saturating_add(units) > self.0.share {
            self.evict(held, Some(key), growing)?;
        }
        while taken(held, None).saturating_add(units) > self.0.most {
            self.evict(held, None, growing)?;
        }
        Ok(())
    }

    /// Takes a place from the client that is due to lose one.
    fn evict(&self, held: &mut Held, of: Option<&ClientKey>, not: Option<u64>) -> Result<(), Full> {
        let grace = self.0.grace;
        let due = held.holders.iter_mut().filter(|(id, holder)| {
            of.is_none_or(|key| holder.key == *key) && !holder.stays && not != Some(**id)
        });
        let due = due.filter_map(|(id, holder)| {
            let age = holder.since.elapsed();
            if age < grace {
                return None;
            }
            let rank = match self.0.yields {
                Yields::Longest => u64::MAX - u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
                Yields::Slowest(least) => Some(holder.speed(grace)).filter(|speed| *speed < least)?,
            };
            Some((rank, *id))
        });
        let Some((_, id)) = due.min() else { return Err(Full) };
        if let Some(holder) = held.holders.remove(&id) {
            tracing::debug!(key = ?holder.key, "a client lost its place to another");
            crate::refused::count(crate::refused::Kind::Slow);
            holder.lost.send_replace(true);
        }
        Ok(())
    }
}

/// A place in a pool, until it is dropped or lost.
#[derive(Debug)]
pub struct Place {
    pool: Pool,
    id: u64,
    key: ClientKey,
    bytes: Arc<AtomicU64>,
    losing: watch::Receiver<bool>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.held().holders.remove(&self.id);
        self.pool.0.freed.notify_waiters();
    }
}

impl Place {
    /// Returns the client that has the place.
    pub fn client(&self) -> &ClientKey {
        &self.key
    }

    /// Records bytes that have moved, which measure the client's speed.
    pub fn moved(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Takes that many units more, if necessary from another client that is too slow.
    ///
    /// # Errors
    /// [`Full`] if they are not free, or the place is lost.
    pub fn grow(&self, units: usize) -> Result<(), Full> {
        let mut held = self.pool.held();
        if !held.holders.contains_key(&self.id) {
            return Err(Full);
        }
        self.pool.make_room(&mut held, &self.key, units, Some(self.id))?;
        if let Some(holder) = held.holders.get_mut(&self.id) {
            holder.units = holder.units.saturating_add(units);
        }
        Ok(())
    }

    /// Keeps the place until it is dropped: nothing more is expected of the client. Returns false if
    /// the place is lost already.
    pub fn keep(&self) -> bool {
        let mut held = self.pool.held();
        let holder = held.holders.get_mut(&self.id);
        holder.map(|holder| holder.stays = true).is_some()
    }

    /// Ready when the place is lost.
    pub fn lost(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut losing = self.losing.clone();
        async move {
            // An error is that the place was given back.
            if losing.wait_for(|lost| *lost).await.is_err() {
                future::pending().await
            }
        }
    }

    /// Returns a stream with the same bytes, counted for this place. It fails when the place is
    /// lost.
    pub fn counted<E: Into<BoxError> + Send + 'static>(
        self: &Arc<Self>,
        bytes: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    ) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + Unpin + 'static {
        let begun = (bytes, self.clone(), Box::pin(self.lost()), false);
        Box::pin(futures::stream::unfold(begun, async |(mut bytes, place, mut lost, over)| {
            if over {
                return None;
            }
            let next = match future::select(bytes.next(), &mut lost).await {
                Either::Left((next, _)) => next?.map_err(Into::into),
                Either::Right(_) => Err(Lost.into()),
            };
            if let Ok(bytes) = &next {
                place.moved(bytes.len());
            }
            let over = next.is_err();
            Some((next, (bytes, place, lost, over)))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(last: u8) -> ClientKey {
        ClientKey::Network(IpAddr::from([192, 0, 2, last]))
    }

    #[tokio::test(start_paused = true)]
    async fn slow_client_loses_its_place_to_another_and_a_fast_one_does_not() {
        let pool = Pool::new(2, Yields::Slowest(1024));
        let (slow, fast) = (pool.enter(network(1)).unwrap(), pool.enter(network(2)).unwrap());
        assert_eq!(pool.enter(network(3)).unwrap_err(), Full, "they have just come");
        tokio::time::advance(GRACE).await;
        fast.moved(1 << 20);
        slow.moved(10);
        let lost = slow.lost();
        let other = pool.enter(network(3)).unwrap();
        lost.await;
        assert_eq!(pool.enter(network(4)).unwrap_err(), Full, "the fast one stays");
        drop((other, fast));
        let (_a, _b) = (pool.enter(network(4)).unwrap(), pool.enter(network(5)).unwrap());
        drop(slow);
        assert_eq!(pool.enter(network(6)).unwrap_err(), Full, "what is lost is not given back twice");
    }

    #[tokio::test(start_paused = true)]
    async fn client_has_no_more_than_its_share() {
        let pool = Pool::new(4, Yields::Slowest(1024));
        let held: Vec<_> = (0..2).map(|_| pool.enter(network(1)).unwrap()).collect();
        assert_eq!(pool.enter(network(1)).unwrap_err(), Full);
        pool.enter(network(2)).unwrap();
        let named = ClientKey::Caller(Caller("a".into()));
        pool.enter(named).unwrap();
        drop(held);
        pool.enter(network(1)).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_was_fast_and_is_slow_now_loses_its_place() {
        let pool = Pool::new(1, Yields::Slowest(1024));
        let place = pool.enter(network(1)).unwrap();
        place.moved(1 << 20);
        tokio::time::advance(GRACE).await;
        assert_eq!(pool.enter(network(2)).unwrap_err(), Full, "it was fast");
        tokio::time::advance(GRACE / 2).await;
        place.moved(8 << 10);
        assert_eq!(pool.enter(network(2)).unwrap_err(), Full, "it still is");
        tokio::time::advance(GRACE).await;
        let _other = pool.enter(network(2)).unwrap();
        place.lost().await;
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_taken_as_a_place_grows_and_within_the_share_of_its_client() {
        let pool = Pool::new(100, Yields::Slowest(1024));
        let first = pool.enter_with(network(1), 0).unwrap();
        let second = pool.enter_with(network(1), 0).unwrap();
        first.grow(40).unwrap();
        assert_eq!(second.grow(11), Err(Full), "half is for other clients");
        second.grow(10).unwrap();
        let other = pool.enter_with(network(2), 50).unwrap();
        assert_eq!(pool.enter_with(network(3), 1).unwrap_err(), Full);
        assert!(other.keep());
        tokio::time::advance(GRACE).await;
        first.moved(1 << 20);
        let third = pool.enter_with(network(3), 10).unwrap();
        second.lost().await;
        assert_eq!(second.grow(1), Err(Full), "a lost place does not grow");
        assert!(!second.keep());
        assert_eq!(third.grow(1), Err(Full), "one is fast, and one stays");
        drop(first);
        third.grow(40).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn client_waits_for_its_own_places_and_leaves_others_theirs() {
        let pool = Pool::new(3, Yields::Slowest(0));
        let wait = Duration::from_secs(5);
        let held: Vec<_> = (0..2).map(|_| pool.enter(network(1)).unwrap()).collect();
        assert_eq!(pool.enter_within(network(1), wait).await.unwrap_err(), Full);
        let _other = pool.enter_within(network(2), wait).await.unwrap();
        let (waited, ()) = tokio::join!(pool.enter_within(network(1), wait), async {
            tokio::time::sleep(wait / 2).await;
            drop(held);
        });
        waited.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn longest_watcher_yields_to_a_new_one() {
        let pool = Pool::new(2, Yields::Longest);
        let first = pool.enter(ClientKey::Local).unwrap();
        tokio::time::advance(GRACE).await;
        let second = pool.enter(ClientKey::Local).unwrap();
        let _third = pool.enter(ClientKey::Local).unwrap();
        first.lost().await;
        assert!(!*second.losing.borrow());
    }

    #[tokio::test(start_paused = true)]
    async fn upload_whose_place_is_lost_ends_in_an_error() {
        let pool = Pool::new(1, Yields::Slowest(1024));
        let place = Arc::new(pool.enter(network(1)).unwrap());
        let mut upload = place.counted(
            futures::stream::iter([Ok::<_, BoxError>(Bytes::from("a"))])
                .chain(Box::pin(futures::stream::pending())),
        );
        assert_eq!(upload.next().await.unwrap().unwrap(), "a");
        tokio::time::advance(GRACE).await;
        let _other = pool.enter(network(2)).unwrap();
        assert!(upload.next().await.unwrap().unwrap_err().is::<Lost>());
        assert!(upload.next().await.is_none());
    }
}
