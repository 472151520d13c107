//! Estimates the hits of caches of several sizes, from sampled reuse distances.
//!
//! A cache that drops what was used least recently holds a key if fewer other keys were asked since than it
//! has places. So the distances of all repeats give the hits of every size. Only keys with a low hash are
//! followed, and their distances are scaled up (SHARDS: Waldspurger et al., FAST 2015). When there are too
//! many keys, the sample is halved.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::snapshot::CacheEstimate;
use crate::Answer;

/// The most keys that are followed.
const KEYS: usize = 1024;
/// The greatest distance is 2 to this.
const DISTANCES: usize = 32;
/// A repeat after this time is not a hit: it is the age limit of a [`Cache`](crate::layers::Cache).
const TTL: Duration = Duration::from_secs(5 * 60);
/// The sizes of caches that are estimated, as powers of two.
const SIZES: [u32; 4] = [10, 13, 16, 19];
/// The bytes of one kept answer, about as [`Cache`](crate::layers::Cache) weighs it.
const ENTRY: u64 = size_of::<Answer>() as u64 + 180;

/// Follows a sample of the keys.
#[derive(Default)]
pub(super) struct Reuse {
    /// One key in 2 to this is followed.
    rate: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last asked is at the end.
    keys: Vec<u64>,
    asked: Vec<Option<Instant>>,
    repeats: [u64; DISTANCES],
    /// Keys that had not been asked, or too long ago.
    first: u64,
}

/// Mixes the bits of a key, so that a low hash says nothing about it.
fn hash(key: u64) -> u64 {
    let key = (key ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (key ^ (key >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB) ^ (key >> 32)
}

/// Returns whether a key is in a sample of one in 2 to the `rate`.
fn is_sampled(hash: u64, rate: u32) -> bool {
    hash.leading_zeros() >= rate
}

impl Reuse {
    pub(super) fn note(&self, key: u64) {
        let key = hash(key);
        if !is_sampled(key, self.rate.load(Relaxed)) {
            return;
        }
        // A lookup must not wait for another one to be counted.
        let Ok(mut state) = self.state.try_lock() else { return };
        let state = &mut *state;
        let rate = self.rate.load(Relaxed);
        if !is_sampled(key, rate) {
            return;
        }
        let now = Instant::now();
        let weight = 1 << rate;
        match state.keys.iter().rev().position(|known| *known == key) {
            Some(others) => {
                let at = state.keys.len() - 1 - others;
                state.keys.remove(at);
                let asked = state.asked.remove(at);
                if asked.is_some_and(|asked| now.saturating_duration_since(asked) < TTL) {
                    let distance = (others as u64) << rate;
                    let bucket = distance.checked_ilog2().map_or(0, |log| log as usize + 1);
                    state.repeats[bucket.min(DISTANCES - 1)] += weight;
                } else {
                    state.first += weight;
                }
            }
            None => state.first += weight,
        }
        state.keys.push(key);
        state.asked.push(Some(now));
        if state.keys.len() > KEYS {
            let rate = rate + 1;
            self.rate.store(rate, Relaxed);
            let kept: Vec<bool> = state.keys.iter().map(|key| is_sampled(*key, rate)).collect();
            let mut kept_keys = kept.iter();
            state.keys.retain(|_| kept_keys.next() == Some(&true));
            let mut kept_asked = kept.iter();
            state.asked.retain(|_| kept_asked.next() == Some(&true));
        }
    }

    pub(super) fn estimates(&self) -> Vec<CacheEstimate> {
        let Ok(state) = self.state.lock() else { return Vec::new() };
        let all = state.repeats.iter().sum::<u64>() + state.first;
        if all == 0 {
            return Vec::new();
        }
        let estimate = |size: u32| {
            // The bucket of distances from 2^(n-1) to 2^n is number n.
            let hits: u64 = state.repeats[..=size as usize].iter().sum();
            CacheEstimate { entries: 1 << size, bytes: ENTRY << size, hits: hits as f64 / all as f64 }
        };
        SIZES.map(estimate).into()
    }
}
