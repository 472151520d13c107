//! Limits requests: in all, for each client, and by rate.

use std::collections::HashMap;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Extensions, Request};
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::pool::{ClientKey, Full, Lost, Pool, Yields};
use crate::rate::{Rate, RateLimits};
use crate::refused::{Kind, count};
use crate::{BoxError, Caller, Client, TooSlow};

/// Bytes a second: a body that comes more slowly loses its place when all places are taken.
const SCARCE_SPEED: u64 = 16 * 1024;

/// The usual rate of an address that is not this machine's.
const USUAL: Rate = match (NonZeroU32::new(1_000), NonZeroU32::new(5_000)) {
    (Some(many), Some(burst)) => Rate::per_second(many, burst),
    _ => unreachable!(),
};

/// The limits of a [`Gate`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GateLimits {
    /// The most requests in progress at once. A request counts when its body has arrived.
    pub in_flight: usize,
    /// The most requests at once whose body is still arriving.
    pub waiting: usize,
    /// The most requests of one client at once; 0 for no limit. `None` is a quarter of
    /// [`in_flight`](Self::in_flight), and no limit for this machine's own addresses.
    pub per_client: Option<usize>,
    /// The rate of one address. None is 1,000 a second and 5,000 at once, and any for this
    /// machine's own addresses. Never applies to callers with a token.
    pub address_rate: Option<Rate>,
    /// The rate limit of one caller with a token.
    pub caller_rate: Option<Rate>,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self { in_flight: 1_024, waiting: 2_048, per_client: None, address_rate: None, caller_rate: None }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// 503: too many requests are in progress.
    #[error("too many requests at once")]
    Shed,
    /// 429: too many of this client are.
    #[error("too many requests of this client at once")]
    Client,
    /// 429: too many of this client have come. Seconds to wait.
    #[error("too many requests of this client: wait {0} s")]
    Rate(u32),
}

impl Refused {
    /// Returns the seconds after which to try again.
    pub fn retry_after(self) -> u32 {
        match self {
            Self::Shed | Self::Client => 1,
            Self::Rate(seconds) => seconds,
        }
    }
}

/// Admits requests. Those that wait for their body and those in progress have separate limits, so
/// that slow bodies block no one.
#[derive(Debug)]
pub struct Gate {
    limits: GateLimits,
    work: Arc<Semaphore>,
    waiting: Pool,
    clients: Mutex<HashMap<ClientKey, usize>>,
    addresses: Option<RateLimits>,
    callers: Option<RateLimits>,
}

impl Gate {
    /// Creates one with these limits.
    pub fn new(limits: GateLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            work: Arc::new(Semaphore::new(limits.in_flight.min(Semaphore::MAX_PERMITS))),
            waiting: Pool::new(limits.waiting, Yields::Slowest(SCARCE_SPEED)).keeping(Duration::from_secs(2)),
            clients: Mutex::default(),
            addresses: RateLimits::new(limits.address_rate.unwrap_or(USUAL)),
            callers: limits.caller_rate.and_then(RateLimits::new),
        })
    }

    /// Lets a request in that has these extensions, and adds a [`Turn`] to them. If `reads` says
    /// that the request's body will be read by [`read`], it takes its place among those that are
    /// worked on then, else now.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(self: &Arc<Self>, extensions: &mut Extensions, reads: bool) -> Result<Admitted, Refused> {
        self.check_rate(extensions)?;
        let key = self.key(extensions);
        if let Some(key) = &key {
            let most = match self.limits.per_client {
                Some(0) => usize::MAX,
                Some(most) => most,
                None => self.limits.in_flight.div_ceil(4),
            };
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let own = clients.entry(key.clone()).or_default();
            if *own >= most {
                count(Kind::Client);
                return Err(Refused::Client);
            }
            *own += 1;
        }
        let key = Counted { gate: self.clone(), key };
        let sheddable = extensions.get::<Sheddable>().is_some();
        let turn = Turn(Arc::new(TurnOf { gate: self.clone(), sheddable, permit: Mutex::default() }));
        // A body that is going to be refused need not arrive.
        if reads {
            turn.check()?
        } else {
            turn.take()?
        }
        extensions.insert(turn.clone());
        Ok(Admitted { _turn: turn, _key: key })
    }

    fn check_rate(&self, extensions: &Extensions) -> Result<(), Refused> {
        let checked = match extensions.get::<Caller>() {
            Some(caller) => self.callers.as_ref().map(|limits| limits.check(caller)),
            None => {
                let client = extensions.get::<Client>().copied().unwrap_or_default();
                let exempt = self.limits.address_rate.is_none() && client.is_local();
                let network = client.network().filter(|_| !exempt);
                network.and_then(|network| Some(self.addresses.as_ref()?.check(&network)))
            }
        };
        match checked {
            Some(Err(wait)) => {
                count(Kind::Rate);
                Err(Refused::Rate(u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX)))
            }
            _ => Ok(()),
        }
    }

    /// Returns the client by which concurrent requests are counted.
    fn key(&self, extensions: &Extensions) -> Option<ClientKey> {
        match (ClientKey::of(extensions), self.limits.per_client) {
            (ClientKey::Local, None) => None,
            // An address of this machine, where a limit was asked for.
            (ClientKey::Local, Some(_)) => extensions.get::<Client>()?.network().map(ClientKey::Network),
            (key, _) => Some(key),
        }
    }
}

/// A client's request that is counted.
#[derive(Debug)]
struct Counted {
    gate: Arc<Gate>,
    key: Option<ClientKey>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(key) = &self.key else { return };
        let mut clients = self.gate.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = clients.get_mut(key) {
            *own -= 1;
            if *own == 0 {
                clients.remove(key);
            }
        }
    }
}

/// Marks a request that is refused first when there is much to do, because nobody waits for its answer:
/// as soon as half of the places are taken. An extension of the request.
#[derive(Clone, Copy, Debug)]
pub struct Sheddable;

/// An admitted request, until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    _turn: Turn,
    _key: Counted,
}

/// A request's right to be worked on. An extension of the request.
#[derive(Clone, Debug)]
pub struct Turn(Arc<TurnOf>);

#[derive(Debug)]
struct TurnOf {
    gate: Arc<Gate>,
    sheddable: bool,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Turn {
    /// Takes a place among the requests in progress, if it does not have one.
    ///
    /// # Errors
    /// [`Refused::Shed`] if all are taken.
    pub fn take(&self) -> Result<(), Refused> {
        let mut permit = self.0.permit.lock().unwrap_or_else(PoisonError::into_inner);
        if permit.is_none() {
            self.check()?;
            *permit = Some(self.0.gate.work.clone().try_acquire_owned().map_err(|_| {
                count(Kind::Shed);
                Refused::Shed
            })?);
        }
        Ok(())
    }

    /// Refuses a [`Sheddable`] request if half of the places are taken.
    fn check(&self) -> Result<(), Refused> {
        let gate = &self.0.gate;
        let free = gate.work.available_permits();
        if self.0.sheddable && free.saturating_mul(2) <= gate.limits.in_flight.min(Semaphore::MAX_PERMITS) {
            count(Kind::Shed);
            return Err(Refused::Shed);
        }
        Ok(())
    }

    /// Gives the place back, for a request that only waits from now on.
    pub fn give_back(&self) {
        self.0.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// 413: it has more bytes than are taken.
    #[error("the body is too large")]
    TooLarge,
    /// 408: it came too slowly, or others needed its place.
    #[error("the body came too slowly")]
    TooSlow,
    /// 400: it broke off.
    #[error("the body was cut off: {0}")]
    Broken(BoxError),
    /// The body has arrived, but there is no place for the request.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Reads a request's body, and then takes its [`Turn`].
///
/// # Errors
/// [`ReadError`].
pub async fn read<B>(request: Request<B>, max: usize) -> Result<Bytes, ReadError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let (head, body) = request.into_parts();
    let Some(turn) = head.extensions.get::<Turn>() else { return collect(body, max).await };
    let mut collecting = pin!(collect(body, max));
    // A body that came with the header needs no place to wait in.
    for _ in 0..3 {
        if let Poll::Ready(read) = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await {
            let bytes = read?;
            turn.take()?;
            return Ok(bytes);
        }
        tokio::task::yield_now().await;
    }
    let place = turn.0.gate.waiting.enter(ClientKey::of(&head.extensions)).map_err(|_| {
        count(Kind::Shed);
        Refused::Shed
    })?;
    let bytes = tokio::select! {
        read = collecting => read?,
        () = place.lost() => return Err(ReadError::TooSlow),
    };
    turn.take()?;
    Ok(bytes)
}

async fn collect<B>(body: B, max: usize) -> Result<Bytes, ReadError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    // A body whose announced length is too large is not read at all.
    if body.size_hint().lower() > max as u64 {
        return Err(ReadError::TooLarge);
    }
    let mut body = pin!(body);
    let mut bytes = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| {
            let error = error.into();
            if is_slow(&*error) {
                ReadError::TooSlow
            } else if causes(&*error).any(|error| error.is::<Full>()) {
                count(Kind::Shed);
                ReadError::Refused(Refused::Shed)
            } else {
                ReadError::Broken(error)
            }
        })?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > max {
            return Err(ReadError::TooLarge);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes.freeze())
}

/// Returns whether the error is [`TooSlow`] or [`Lost`], possibly wrapped by a layer.
fn is_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|error| error.is::<TooSlow>() || error.is::<Lost>())
}

/// Returns the error and those that it wraps.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheddable_requests_are_refused_when_half_of_the_places_are_taken() {
        let gate = Gate::new(GateLimits { in_flight: 4, ..GateLimits::default() });
        let admit = |sheddable: bool, reads: bool| {
            let mut extensions = Extensions::new();
            if sheddable {
                extensions.insert(Sheddable);
            }
            gate.admit(&mut extensions, reads).map(|admitted| (admitted, extensions))
        };
        let one = admit(true, false).unwrap();
        let two = admit(false, false).unwrap();
        let waiting = admit(false, true).unwrap();
        for reads in [false, true] {
            assert_eq!(admit(true, reads).map(|_| ()), Err(Refused::Shed));
        }
        let three = admit(false, false).unwrap();
        let four = admit(false, false).unwrap();
        assert_eq!(admit(false, false).map(|_| ()), Err(Refused::Shed));
        drop((two, three, four, waiting));
        let again = admit(true, true).unwrap();
        let turn = again.1.get::<Turn>().unwrap();
        let five = admit(false, false).unwrap();
        assert_eq!(turn.take(), Err(Refused::Shed), "its body came too late");
        drop(five);
        assert_eq!(turn.take(), Ok(()));
        drop(one);
    }

    #[test]
    fn only_place_is_free_for_a_sheddable_request_too() {
        let gate = Gate::new(GateLimits { in_flight: 1, ..GateLimits::default() });
        let mut extensions = Extensions::new();
        extensions.insert(Sheddable);
        assert!(gate.admit(&mut extensions, false).is_ok());
    }
}
