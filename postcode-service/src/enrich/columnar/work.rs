//! The units of work of a file, and their order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};

use arrow_schema::ArrowError;
use postcode_core::PostcodeLookup;
use tokio::runtime::Handle;

use super::super::{Error, Plan};

/// Units of work under way at most: each holds a row group in memory.
const MOST_AT_ONCE: usize = 8;

/// The lookup and the plan for a file of columns.
pub struct Work {
    /// The columns to add.
    pub plan: Plan,
    /// The source of the answers.
    pub lookup: Arc<dyn PostcodeLookup>,
    /// The source of the columns of addresses.
    pub addresses: Option<Arc<dyn postcode_addresses::AddressLookup>>,
    /// The runtime on which the lookup runs.
    pub runtime: Handle,
    /// The attribution of the data, stored as metadata of the file.
    pub attribution: Option<String>,
    /// Called with the rows of each unit of work that was written.
    pub written: Box<dyn Fn(u64) + Send + Sync>,
}

pub(super) fn arrow_error(container: &str) -> impl Fn(ArrowError) -> Error + '_ {
    move |error| match error {
        ArrowError::IoError(_, error) => Error::Read(error),
        error => Error::Invalid(format!(
            "the {container} file is damaged or has something that is not supported: {error}"
        )),
    }
}

/// Does units of work on threads, and passes the results on in the order of the units.
///
/// # Errors
/// The first error of a unit, or of `take`.
pub(super) fn in_order<U: Send, R: Send>(
    mut units: impl Iterator<Item = Result<U, Error>>,
    work: impl Fn(U) -> Result<R, Error> + Sync,
    mut take: impl FnMut(R) -> Result<(), Error>,
) -> Result<(), Error> {
    let most = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    let work = &work;
    std::thread::scope(|scope| {
        let mut under_way = VecDeque::new();
        loop {
            while under_way.len() < most
                && let Some(unit) = units.next()
            {
                under_way.push_back(begin(scope, unit?, work)?);
            }
            let Some(first) = under_way.pop_front() else { return Ok(()) };
            let done: Result<R, Error> = first.join().unwrap_or_else(|_| {
                Err(Error::Invalid("the file is damaged: a part of it can't be read".to_owned()))
            });
            take(done?)?;
        }
    })
}

fn begin<'scope, U: Send + 'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    unit: U,
    work: &'scope (impl Fn(U) -> Result<R, Error> + Sync),
) -> Result<ScopedJoinHandle<'scope, Result<R, Error>>, Error> {
    Ok(std::thread::Builder::new().name("enrich".to_owned()).spawn_scoped(scope, move || work(unit))?)
}
