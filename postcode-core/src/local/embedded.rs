//! The embedded data: unpacked on a separate thread. Until that is done, lookups of a few postcodes
//! are answered from single blocks of the pack.
//!
//! Early answers pay at the start: the first lookup of a fresh process comes after 28 ms and not after 295 ms (two cores, November 2026;
//! `benches/cold_start.rs`, `docs/BENCHMARKS.md`). Every run of the command line is such a process.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::Local;
use crate::dataset::Dataset;
use crate::dataset::pack::ORIGIN;
use crate::dataset::pack::unpack::Pack;
use crate::lookup::call::{Call, LookupCall};
use crate::lookup::{Around, postcode_calls::Info};
use crate::query::check;
use crate::{Answer, DatasetInfo, Error, ErrorKind, Postcode, Result, unit};

/// The most blocks that are unpacked separately. Each takes a tenth of the time of the whole pack,
/// so more of them would not be ready earlier.
const MAX_PARTS: usize = 4;

/// The embedded data, which answers some lookups before it is unpacked. The others wait for that,
/// until some tenths of a second after the start.
pub(crate) struct Embedded(Arc<Country>);

struct Country {
    /// Until everything is unpacked.
    pack: Mutex<Option<Arc<Pack<'static>>>>,
    /// Datasets of one block each, by block number, until everything is unpacked.
    parts: Mutex<Vec<(usize, Dataset)>>,
    whole: OnceLock<Result<Local>>,
    waiting: Mutex<Vec<Waker>>,
}

impl Embedded {
    /// Starts to unpack.
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the data is of another version than this crate.
    pub(crate) fn open() -> Result<Self> {
        let country = Arc::new(Country::packed()?);
        let unpacking = Unpacking(country.clone());
        // If no thread can be started, the closure is dropped without having run.
        let started = thread::Builder::new().name("unpack".to_owned()).spawn(move || unpacking.run());
        if started.is_err() {
            return Ok(Self(Arc::new(Country::whole(Local::embedded()?))));
        }
        Ok(Self(country))
    }

    async fn whole(&self) -> Result<&Local> {
        poll_fn(|cx| self.0.poll_whole(cx)).await.as_ref().map_err(Error::clone)
    }
}

impl Country {
    fn packed() -> Result<Self> {
        Ok(Self::of(Arc::new(Pack::read(postcode_data_gb::PACK, ORIGIN)?)))
    }

    fn of(pack: Arc<Pack<'static>>) -> Self {
        Self {
            pack: Mutex::new(Some(pack)),
            parts: Mutex::default(),
            whole: OnceLock::new(),
            waiting: Mutex::default(),
        }
    }

    fn whole(local: Local) -> Self {
        Self {
            pack: Mutex::default(),
            parts: Mutex::default(),
            whole: OnceLock::from(Ok(local)),
            waiting: Mutex::default(),
        }
    }

    fn poll_whole(&self, cx: &Context<'_>) -> Poll<&Result<Local>> {
        if let Some(whole) = self.whole.get() {
            return Poll::Ready(whole);
        }
        // Locked before the second check, so that the thread that sets the result afterwards sees
        // the waker.
        let mut waiting = lock(&self.waiting);
        if let Some(whole) = self.whole.get() {
            return Poll::Ready(whole);
        }
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Returns the answers, if they are available before everything is unpacked.
    fn early(&self, postcodes: &[Postcode]) -> Option<Vec<Answer>> {
        let mut parts = lock(&self.parts);
        // Check again under the lock: parts added after unpacking has finished would never be
        // freed.
        if self.whole.get().is_some() {
            return None;
        }
        let pack = lock(&self.pack).clone()?;
        let blocks: Vec<usize> = postcodes.iter().map(|postcode| pack.block_of(*postcode)).collect();
        for &block in &blocks {
            if parts.iter().all(|(n, _)| *n != block) {
                if parts.len() == MAX_PARTS {
                    return None;
                }
                // The error of a part is ignored here: unpacking everything will report it.
                parts.push((block, pack.part(block).ok()?));
            }
        }
        let part = |block| parts.iter().find(|(n, _)| *n == block).map(|(_, part)| part);
        postcodes.iter().zip(blocks).map(|(postcode, block)| Some(part(block)?.get(*postcode))).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The work of the thread. However it ends, waiting calls are woken.
struct Unpacking(Arc<Country>);

impl Unpacking {
    fn run(self) {
        // The pack that is already read, and not read again.
        let pack = lock(&self.0.pack).clone();
        let dataset = Dataset::embedded_from(|| match &pack {
            Some(pack) => pack.unpack(),
            None => Pack::read(postcode_data_gb::PACK, ORIGIN)?.unpack(),
        });
        let _ = self.0.whole.set(dataset.map(Local::new));
    }
}

impl Drop for Unpacking {
    fn drop(&mut self) {
        let broken = || Error::new(ErrorKind::Internal, "embedded data: unpacking it broke off");
        self.0.whole.get_or_init(|| Err(broken()));
        lock(&self.0.waiting).drain(..).for_each(Waker::wake);
        lock(&self.0.parts).clear();
        lock(&self.0.pack).take();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Embedded").field(&self.0.whole.get()).finish()
    }
}

impl Local {
    /// Creates a lookup over the embedded data: see [`Dataset::embedded`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use postcode_core::{Local, PostcodeLookupExt};
    ///
    /// let country = Local::embedded()?;
    /// assert!(country.validate("EH1 1YZ").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](crate::ErrorKind::Dataset) if the data is of another version than this crate.
    pub fn embedded() -> Result<Self> {
        Dataset::embedded().map(Self::new)
    }
}

impl Around for Embedded {
    type Inner = Local;

    async fn around<C: Call<Local>>(&self, call: C) -> Result<C::Reply> {
        call.on(self.whole().await?).await
    }

    async fn around_lookup<C: LookupCall<Local>>(&self, call: C) -> Result<C::Reply> {
        // A part does not know the edition of the whole.
        if self.0.whole.get().is_none() && unit::edition().is_none() {
            check::batch(call.postcodes().len())?;
            if let Some(answers) = self.0.early(call.postcodes()) {
                return C::reply_all(answers);
            }
        }
        self.around(call).await
    }

    async fn around_info(&self, _: Info<'_>) -> Result<DatasetInfo> {
        let pack = lock(&self.0.pack).clone();
        match pack {
            Some(pack) => pack.info(),
            None => Ok(self.whole().await?.dataset().info().clone()),
        }
    }
}

crate::layer!([] Embedded);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use futures::executor::block_on;

    use super::*;
    use crate::PostcodeLookup;

    fn some_of(country: &Dataset) -> Vec<Postcode> {
        let mut some: Vec<Postcode> = country.iter().step_by(9_973).map(|record| record.postcode).collect();
        some.extend(
            ["AA1 1AA", "AB1 0AA", "BT1 5GS", "SW1A 9ZZ", "ZE3 9JZ", "ZE99 9ZZ", "GIR 0AA"]
                .map(|text| text.parse::<Postcode>().unwrap()),
        );
        some
    }

    #[test]
    fn early_answers_are_those_of_the_whole() {
        let whole = Dataset::embedded().unwrap();
        let pack = Arc::new(Pack::read(postcode_data_gb::PACK, ORIGIN).unwrap());
        let mut by_block: BTreeMap<usize, Vec<Postcode>> = BTreeMap::new();
        for postcode in some_of(&whole) {
            by_block.entry(pack.block_of(postcode)).or_default().push(postcode);
        }
        assert_eq!(by_block.len(), 41, "every block is asked");
        for (block, postcodes) in by_block {
            let part = pack.part(block);
            assert!(part.is_ok(), "{block}: {:?}", part.err());
            let country = Country::of(pack.clone());
            for postcode in postcodes {
                assert_eq!(country.early(&[postcode]).unwrap(), [whole.get(postcode)], "{postcode}");
            }
        }
        assert_eq!(pack.info().unwrap(), *whole.info());
    }

    #[test]
    fn many_blocks_are_left_to_the_whole() {
        let whole = Dataset::embedded().unwrap();
        let country = Country::packed().unwrap();
        assert_eq!(country.early(&some_of(&whole)), None);
        assert_eq!(country.early(&[]), Some(Vec::new()));
    }

    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn who_waits_is_woken_once_and_told_when_unpacking_breaks_off() {
        let country = Arc::new(Country::packed().unwrap());
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        let waker = Waker::from(woken.clone());
        for _ in 0..3 {
            assert!(country.poll_whole(&Context::from_waker(&waker)).is_pending());
        }
        drop(Unpacking(country.clone()));
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        let error = block_on(Embedded(country).random(None)).unwrap_err();
        assert!(error.to_string().contains("broke off"), "{error}");
    }

    #[test]
    fn the_same_lookup_answers_everything_in_the_end() {
        let embedded = Embedded::open().unwrap();
        let whole = Dataset::embedded().unwrap();
        let some = some_of(&whole);
        let expected: Vec<Answer> = some.iter().map(|postcode| whole.get(*postcode)).collect();
        assert_eq!(block_on(embedded.lookup(&some)).unwrap(), expected);
        assert_eq!(block_on(embedded.lookup(&some[..1])).unwrap(), expected[..1]);
        assert_eq!(block_on(embedded.autocomplete("SW1A 1", 3)).unwrap().len(), 3);
    }
}
