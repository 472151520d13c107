//! Finds the tenant of a request, and the job that it names.

use std::sync::Arc;

use http::{Extensions, HeaderMap};
use postcode_edge::{Caller, Client};

use crate::api::App;
use crate::api::failure::Failure;
use crate::api::guard::TENANT;
use crate::jobs::job::Job;
use crate::jobs::store::Store;

/// The longest name of a tenant, and the longest key of a request, in bytes.
pub(super) const MAX_TENANT: usize = 64;
pub(super) const MAX_KEY: usize = 255;

/// Returns the tenant in the caller's token, or the one that the operator's proxy sets. Callers
/// without a tenant are one tenant. The guard has already checked the header.
pub(super) fn tenant(headers: &HeaderMap) -> Result<String, Failure> {
    Ok(word(headers, TENANT, MAX_TENANT)?.unwrap_or_default())
}

/// Returns the address by which open jobs are counted. A caller with a token has a tenant that it
/// can't choose. Clients on this machine can't be told apart, so they count only if `all` do.
pub(super) fn address(extensions: &Extensions, all: bool) -> Option<String> {
    if extensions.get::<Caller>().is_some() {
        return None;
    }
    let client = extensions.get::<Client>()?;
    client.network().filter(|_| all || !client.is_local()).map(|network| network.to_string())
}

/// Returns a header that must consist of visible ASCII characters.
pub(super) fn word(headers: &HeaderMap, name: &str, most: usize) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Failure::bad_request(format!("The header {name} appears more than once. Send it once")));
    }
    let text = value.to_str().unwrap_or_default().trim();
    if (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return Ok(Some(text.to_owned()));
    }
    Err(Failure::bad_request(format!("The header {name} is not of 1 to {most} ASCII characters")))
}

/// Returns the database, if it exists.
pub(super) async fn there(app: &App) -> Result<Arc<dyn Store>, Failure> {
    app.jobs.store_if_there().await?.ok_or_else(no_such_job)
}

/// Returns a job of the calling tenant.
pub(super) async fn find(store: &dyn Store, headers: &HeaderMap, id: &str) -> Result<Job, Failure> {
    is_id(id)?;
    store.job(&tenant(headers)?, id).await?.ok_or_else(no_such_job)
}

/// Rejects an id that is not a UUID, without asking the database.
pub(super) fn is_id(text: &str) -> Result<(), Failure> {
    uuid::Uuid::try_parse(text).map(drop).map_err(|_| no_such_job())
}

pub(super) fn no_such_job() -> Failure {
    Failure::not_found("There is no such job. It may have expired", "job_not_found")
}
