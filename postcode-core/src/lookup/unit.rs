//! Marks the calls that belong to one piece of work, so that they are answered alike.
//!
//! A trait method has no parameter for it, and a consumer must not know what is behind its lookup.
//! So the unit travels with the future, as a [deadline](crate::layers::deadline) does. This module
//! needs neither tokio nor another feature: a consumer has it with the trait.
//!
//! - [`scope`] makes several calls one unit with a key. A promotion answers a whole unit from one
//!   implementation, and repeated units with the same key too.
//! - [`cohort`] names the group of callers that the calls belong to, so that a promotion can treat
//!   them apart.
//! - [`at_edition`] demands that every answer comes from one edition of the data.
//! - [`answered`] tells which edition the answers came from.
//! - [`traced`] continues the caller's trace.
//!
//! They hold for the calls that the future itself makes, also several at once. A task that it
//! spawns is outside.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::trace::TraceParent;
use crate::{Error, ErrorKind, Result};

thread_local! {
    /// The context of the future that this thread polls now.
    static CURRENT: RefCell<Context> = const { RefCell::new(Context::NONE) };
}

#[derive(Clone, Default)]
struct Context {
    unit: Option<Arc<Unit>>,
    #[cfg_attr(not(feature = "layers"), allow(dead_code, reason = "promotions read it"))]
    cohort: Option<Arc<str>>,
    /// The edition that the caller demands.
    edition: Option<Arc<str>>,
    /// Where implementations note the edition that they answer from.
    answered: Option<Arc<Mutex<Noted>>>,
    trace: Option<TraceParent>,
    /// Whether nobody waits for the answer, because it is only compared.
    #[cfg_attr(not(feature = "layers"), allow(dead_code, reason = "only layers compare"))]
    comparison: bool,
}

impl Context {
    const NONE: Self =
        Self { unit: None, cohort: None, edition: None, answered: None, trace: None, comparison: false };
}

/// The editions that answers came from.
#[derive(Debug, Default)]
enum Noted {
    #[default]
    Nothing,
    One(Arc<str>),
    Several,
}

/// A piece of work of several calls.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The hash of the key, the same in every process and release.
    hash: u64,
    /// The decisions of layers that decide once for a unit, by the layer's number.
    decisions: Mutex<Vec<(u64, Decision)>>,
    /// The editions that layers hold a unit to, by the layer's number.
    editions: Mutex<Vec<(u64, Arc<str>)>>,
}

/// A decision of a layer for a unit. Only the layer knows what the numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The part of the unit's calls that this decides for.
    pub(crate) part: usize,
    pub(crate) row: usize,
    pub(crate) word: u64,
}

/// Runs a future whose calls belong together, under a key such as the id of a customer.
///
/// A [promotion](crate::layers::Promotion) answers all of them from one of its two implementations
/// and by the plan that was current at the first of them. Units with the same key get the same
/// implementation each time, in every process, for as long as its stage and share stay. Raising
/// the share moves keys to the new implementation and never moves one back. If the new
/// implementation fails and the old one answers, the old one answers the rest of the unit.
///
/// A unit inside another one is part of that one.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{Answer, Postcode, PostcodeLookup, Result, unit};
///
/// /// The answer and the attribution are from the same source.
/// async fn shown(lookup: &dyn PostcodeLookup, postcode: Postcode) -> Result<(Answer, String)> {
///     unit::scope(postcode.to_string(), async {
///         Ok((lookup.lookup_one(postcode).await?, lookup.info().await?.attribution))
///     })
///     .await
/// }
///
/// let (answer, attribution) = shown(&library, "SW1A 1AA".parse()?).await?;
/// assert!(answer.is_live() && attribution.is_empty()); // data made by hand has none
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub async fn scope<F: Future>(key: impl AsRef<[u8]>, future: F) -> F::Output {
    let mut context = current_context();
    if context.unit.is_none() {
        context.unit = Some(Arc::new(Unit::new(hash(key.as_ref()))));
    }
    within(context, future).await
}

/// Runs a future whose calls belong to a named group of callers, such as `import` or `beta`.
///
/// A [promotion](crate::layers::Promotion) can have a stage for each cohort, and measures it apart. A
/// cohort inside another one replaces it, except in a [unit](scope) that has begun: that keeps the
/// cohort of its first call.
///
/// ```
/// use postcode_core::{Answer, Postcode, PostcodeLookup, Result, unit};
///
/// async fn import(lookup: &dyn PostcodeLookup, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
///     unit::cohort("import", lookup.lookup(postcodes)).await
/// }
/// ```
pub async fn cohort<F: Future>(name: &str, future: F) -> F::Output {
    let context = Context { cohort: Some(name.into()), ..current_context() };
    within(context, future).await
}

/// Runs a future and returns the [fingerprint](crate::DatasetInfo::fingerprint) of the edition that
/// its calls were answered from. `None` if that is not known: nothing was asked, the source does not
/// tell, the answer was kept by a cache or shared with other callers, or there were several editions.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{Answer, Postcode, PostcodeLookup, Result, unit};
///
/// async fn with_edition(lookup: &dyn PostcodeLookup, postcode: Postcode) -> Result<(Answer, String)> {
///     let (answer, edition) = unit::answered(lookup.lookup_one(postcode)).await;
///     Ok((answer?, edition.as_deref().unwrap_or("unknown").to_owned()))
/// }
///
/// let (_, edition) = with_edition(&library, "SW1A 1AA".parse()?).await?;
/// assert_eq!(edition, library.dataset().info().fingerprint);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub async fn answered<F: Future>(future: F) -> (F::Output, Option<Arc<str>>) {
    let noting = Noting::begin();
    let output = within(noting.context(), future).await;
    (output, noting.end())
}

/// Collects the editions that the answers of one future come from. This code is separate from [`answered`], because
/// generic code is compiled again for each future.
struct Noting {
    outer: Context,
    noted: Arc<Mutex<Noted>>,
}

impl Noting {
    fn begin() -> Self {
        Self { outer: current_context(), noted: Arc::default() }
    }

    fn context(&self) -> Context {
        Context { answered: Some(self.noted.clone()), ..self.outer.clone() }
    }

    /// Returns the edition, and passes it to an [`answered`] around this one.
    fn end(self) -> Option<Arc<str>> {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(outer) = &self.outer.answered {
            let mut outer = outer.lock().unwrap_or_else(PoisonError::into_inner);
            match &noted {
                Noted::Nothing => {}
                Noted::One(edition) => outer.add(edition),
                Noted::Several => *outer = Noted::Several,
            }
        }
        match noted {
            Noted::One(edition) => Some(edition),
            Noted::Nothing | Noted::Several => None,
        }
    }
}

/// Runs a future whose calls belong to a trace, given as the header `traceparent` of W3C Trace Context.
/// The HTTP client sends it on, with a separate span for each attempt. An invalid text is ignored, and the
/// client begins a new trace for each call.
///
/// ```
/// use postcode_core::{Answer, Postcode, PostcodeLookup, Result, unit};
///
/// async fn handler(lookup: &dyn PostcodeLookup, traceparent: &str, postcode: Postcode) -> Result<Answer> {
///     unit::traced(traceparent, lookup.lookup_one(postcode)).await
/// }
/// ```
pub async fn traced<F: Future>(traceparent: &str, future: F) -> F::Output {
    let mut context = current_context();
    context.trace = TraceParent::parse(traceparent).or(context.trace);
    within(context, future).await
}

/// Returns the trace that the running call belongs to.
#[cfg(feature = "http")]
pub(crate) fn trace() -> Option<TraceParent> {
    CURRENT.try_with(|current| current.borrow().trace).ok().flatten()
}

/// Runs a future whose answers are only compared, so that nobody waits for them. Nothing else of the
/// running call applies to it.
#[cfg(feature = "layers")]
pub(crate) async fn comparing<F: Future>(future: F) -> F::Output {
    within(Context { comparison: true, ..Context::NONE }, future).await
}

/// Returns whether the running call is only made to compare its answer.
#[cfg(feature = "layers")]
pub(crate) fn is_comparison() -> bool {
    CURRENT.try_with(|current| current.borrow().comparison).unwrap_or(false)
}

impl Noted {
    fn add(&mut self, edition: &str) {
        match self {
            Self::Nothing => *self = Self::One(edition.into()),
            Self::One(known) if **known == *edition => {}
            Self::One(_) | Self::Several => *self = Self::Several,
        }
    }
}

/// Notes that an answer comes from the edition with this fingerprint, for implementations that do not
/// call [`check_edition`], which does the same.
#[cfg(feature = "http")]
pub(crate) fn note_edition(fingerprint: &str) {
    let _ = CURRENT.try_with(|current| current.borrow().note(fingerprint));
}

impl Context {
    fn note(&self, fingerprint: &str) {
        if let Some(noted) = &self.answered
            && !fingerprint.is_empty()
        {
            noted.lock().unwrap_or_else(PoisonError::into_inner).add(fingerprint);
        }
    }
}

/// Runs a future whose calls fail with [`EditionMoved`](ErrorKind::EditionMoved) unless they are
/// answered from the edition with this [fingerprint](crate::DatasetInfo::fingerprint).
///
/// `info` is exempt, so that it can tell the edition there is. A source that does not tell its
/// edition is not checked, and an empty fingerprint demands nothing.
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::live("SW1A 2AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::{Answer, Postcode, PostcodeLookup, Result, unit};
///
/// /// All batches come from one edition, or the call fails.
/// async fn all(lookup: &dyn PostcodeLookup, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
///     let edition = lookup.info().await?.fingerprint;
///     let batches = async {
///         let mut answers = Vec::new();
///         for batch in postcodes.chunks(100) {
///             answers.extend(lookup.lookup(batch).await?);
///         }
///         Ok(answers)
///     };
///     unit::at_edition(&edition, batches).await
/// }
///
/// assert_eq!(all(&library, &["SW1A 1AA".parse()?, "SW1A 2AA".parse()?]).await?.len(), 2);
/// let moved = unit::at_edition("another", library.lookup_one("SW1A 1AA".parse()?)).await;
/// assert_eq!(moved.unwrap_err().kind(), postcode_core::ErrorKind::EditionMoved);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub async fn at_edition<F: Future>(fingerprint: &str, future: F) -> F::Output {
    let mut context = current_context();
    context.edition = (!fingerprint.is_empty()).then(|| fingerprint.into());
    within(context, future).await
}

/// Returns the fingerprint that the caller demands, for implementations. One that can tell its
/// edition answers from this one or fails with [`EditionMoved`](ErrorKind::EditionMoved).
///
/// ```
/// use postcode_core::unit;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(unit::edition(), None); // any edition will do
/// let demanded = unit::at_edition("c0ffee", async { unit::edition() }).await;
/// assert_eq!(demanded.as_deref(), Some("c0ffee"));
/// # }
/// ```
pub fn edition() -> Option<Arc<str>> {
    CURRENT.try_with(|current| current.borrow().edition.clone()).ok().flatten()
}

/// Checks that the caller accepts answers from the edition with this fingerprint, and notes that the
/// answer comes from it.
///
/// ```
/// use postcode_core::{ErrorKind, unit};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let checked = unit::at_edition("c0ffee", async { unit::check_edition("decaf") }).await;
/// assert_eq!(checked.map_err(|error| error.kind()), Err(ErrorKind::EditionMoved));
/// # }
/// ```
///
/// # Errors
/// [`EditionMoved`](ErrorKind::EditionMoved) if the caller demands another one.
pub fn check_edition(fingerprint: &str) -> Result<()> {
    let check = |current: &RefCell<Context>| {
        let current = current.borrow();
        match &current.edition {
            Some(demanded) if **demanded != *fingerprint => Err(moved(demanded, fingerprint)),
            _ => {
                current.note(fingerprint);
                Ok(())
            }
        }
    };
    CURRENT.try_with(check).unwrap_or(Ok(()))
}

/// Creates the error of an answer from another edition than the caller demands.
pub(crate) fn moved(demanded: &str, actual: &str) -> Error {
    Error::new(
        ErrorKind::EditionMoved,
        format!(
            "the edition is now {actual:?} and not {demanded:?}: ask for the edition again, and begin anew"
        ),
    )
}

/// Makes a future that works for several callers, so that none of their units applies to it. It continues the
/// trace of the caller that makes it.
#[cfg(feature = "layers")]
pub(crate) fn shared<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let trace = CURRENT.try_with(|current| current.borrow().trace).ok().flatten();
    within(Context { trace, ..Context::NONE }, future)
}

/// Returns the unit and the cohort that the running call belongs to.
#[cfg(feature = "layers")]
pub(crate) fn current() -> (Option<Arc<Unit>>, Option<Arc<str>>) {
    let both = |current: &RefCell<Context>| {
        let current = current.borrow();
        (current.unit.clone(), current.cohort.clone())
    };
    CURRENT.try_with(both).unwrap_or_default()
}

fn current_context() -> Context {
    CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
}

async fn within<F: Future>(context: Context, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(move |task| {
        let _left = Entered::enter(&context);
        future.as_mut().poll(task)
    })
    .await
}

/// Puts the previous context back when dropped, also if the poll panics.
struct Entered(Context);

impl Entered {
    fn enter(context: &Context) -> Self {
        Self(replace(context.clone()))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(std::mem::take(&mut self.0));
    }
}

#[inline(never)]
fn replace(context: Context) -> Context {
    CURRENT.try_with(|current| current.replace(context)).unwrap_or_default()
}

#[cfg_attr(not(feature = "layers"), allow(dead_code, reason = "only layers decide for units"))]
impl Unit {
    /// Returns the hash of the key.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    fn new(hash: u64) -> Self {
        Self { hash, decisions: Mutex::default(), editions: Mutex::default() }
    }

    /// Returns what a layer has decided for a part of this unit. If it has decided nothing yet, it
    /// decides for all parts now. `None` for a part that it has not decided for.
    pub(crate) fn decided(
        &self,
        layer: u64,
        part: usize,
        decide: impl FnOnce() -> Vec<Decision>,
    ) -> Option<Decision> {
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        if decisions.iter().all(|(other, _)| *other != layer) {
            decisions.extend(decide().into_iter().map(|decision| (layer, decision)));
        }
        let of_part = decisions.iter().find(|(other, decision)| *other == layer && decision.part == part);
        of_part.map(|(_, decision)| *decision)
    }

    /// Changes what a layer has decided for a part of this unit, for its further calls.
    pub(crate) fn decide(&self, layer: u64, decision: Decision) {
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        decisions.retain(|(other, known)| *other != layer || known.part != decision.part);
        decisions.push((layer, decision));
    }

    /// Returns the edition that a layer holds this unit to.
    pub(crate) fn edition(&self, layer: u64) -> Option<Arc<str>> {
        let editions = self.editions.lock().unwrap_or_else(PoisonError::into_inner);
        editions.iter().find(|(other, _)| *other == layer).map(|(_, edition)| edition.clone())
    }

    /// Holds this unit to an edition, unless the layer already holds it to one.
    pub(crate) fn hold(&self, layer: u64, edition: Arc<str>) {
        let mut editions = self.editions.lock().unwrap_or_else(PoisonError::into_inner);
        if editions.iter().all(|(other, _)| *other != layer) {
            editions.push((layer, edition));
        }
    }
}

/// Returns a number for a layer that decides once for a unit: no two have the same.
#[cfg_attr(not(feature = "layers"), allow(dead_code, reason = "only layers decide for units"))]
pub(crate) fn layer_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// FNV-1a (Fowler, Noll and Vo), because the hashes of the standard library may change.
fn hash(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::task::{Context as Task, Poll, Waker};

    use super::*;

    fn hash_now() -> Option<u64> {
        current_context().unit.map(|unit| unit.hash)
    }

    /// Polls once, returns to the executor, and is ready at the second poll.
    async fn pause() {
        let mut paused = false;
        poll_fn(|_| if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    #[test]
    fn scopes_of_interleaved_futures_do_not_mix() {
        let ask = |key: &'static str| async move {
            scope(key, async {
                let before = hash_now();
                pause().await;
                (before, hash_now())
            })
            .await
        };
        let (mut one, mut other) = (pin!(ask("one")), pin!(ask("other")));
        let mut task = Task::from_waker(Waker::noop());
        assert!(one.as_mut().poll(&mut task).is_pending());
        assert!(other.as_mut().poll(&mut task).is_pending());
        assert_eq!(hash_now(), None, "nothing is left after a poll");
        for (future, key) in [(one.as_mut(), "one"), (other.as_mut(), "other")] {
            let Poll::Ready(seen) = future.poll(&mut task) else { panic!("ready at the second poll") };
            assert_eq!(seen, (Some(hash(key.as_bytes())), Some(hash(key.as_bytes()))));
        }
    }

    #[test]
    fn scope_inside_a_scope_is_part_of_it_and_a_demand_ends_with_its_future() {
        let mut task = Task::from_waker(Waker::noop());
        let all = pin!(scope("outer", async {
            let outer = scope("inner", async { hash_now() }).await;
            let demanded = at_edition("ab12", async { (hash_now(), edition(), check_edition("cd34")) }).await;
            (outer, demanded, edition())
        }));
        let Poll::Ready((inner, (unit, edition, checked), after)) = all.poll(&mut task) else {
            panic!("ready at once")
        };
        assert_eq!((inner, unit), (Some(hash(b"outer")), Some(hash(b"outer"))));
        assert_eq!((edition.as_deref(), after), (Some("ab12"), None));
        let error = checked.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EditionMoved);
        assert!(error.to_string().contains("ab12") && error.to_string().contains("cd34"), "{error}");
        assert!(check_edition("cd34").is_ok());
    }

    #[test]
    fn hash_of_a_key_is_the_published_one() {
        // From the authors' test vectors.
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn decision_of_a_layer_stays_until_it_is_changed() {
        let unit = Unit::new(0);
        let (one, other) = (layer_number(), layer_number());
        let decision = |part, word| Decision { part, row: part, word };
        let word = |layer, part, new| unit.decided(layer, part, || new).map(|decision| decision.word);
        assert_eq!(word(one, 0, vec![decision(0, 1), decision(7, 2)]), Some(1));
        assert_eq!(word(one, 7, vec![decision(7, 3)]), Some(2), "decided at the first call");
        assert_eq!(word(one, 8, vec![decision(8, 3)]), None);
        assert_eq!(word(other, 0, vec![decision(0, 4)]), Some(4));
        unit.decide(one, decision(7, 5));
        assert_eq!(
            (word(one, 7, vec![]), word(one, 0, vec![]), word(other, 0, vec![])),
            (Some(5), Some(1), Some(4))
        );
        assert_eq!(unit.edition(one), None);
        unit.hold(one, "a".into());
        unit.hold(one, "b".into());
        assert_eq!((unit.edition(one).as_deref(), unit.edition(other)), (Some("a"), None));
    }

    #[test]
    fn answered_tells_the_edition_only_if_there_was_one() {
        fn ready<F: Future>(future: F) -> F::Output {
            let mut task = Task::from_waker(Waker::noop());
            match pin!(future).poll(&mut task) {
                Poll::Ready(output) => output,
                Poll::Pending => panic!("ready at once"),
            }
        }
        let ask = |editions: &'static [&'static str]| async move {
            for edition in editions {
                assert!(check_edition(edition).is_ok());
            }
        };
        for (editions, expected) in [
            (&[][..], None),
            (&[""], None),
            (&["a"], Some("a")),
            (&["a", "a"], Some("a")),
            (&["a", "b"], None),
            (&["a", "b", "a"], None),
        ] {
            let (((), inner), outer) = ready(answered(answered(ask(editions))));
            assert_eq!((inner.as_deref(), outer.as_deref()), (expected, expected), "{editions:?}");
        }
        let (refused, edition) = ready(at_edition("a", answered(async { check_edition("b") })));
        assert!(refused.is_err());
        assert_eq!(edition, None, "a refusal is not an answer");
        let cohorts =
            ready(cohort("outer", async { cohort("inner", async { current_context().cohort }).await }));
        assert_eq!(cohorts.as_deref(), Some("inner"));
    }
}
