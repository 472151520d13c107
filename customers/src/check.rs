//! Asking the lookup within a time limit, and handling its failures.

use std::time::Duration;

use jiff::Timestamp;
use postcode_core::{Answer, Error, ErrorKind, Postcode, PostcodeLookup, Result};
use tracing::warn;

use crate::AddressCheck;

/// How long to wait before asking again for a postcode that the data does not cover. Only other
/// data can answer it.
const NOT_COVERED: Duration = Duration::from_secs(60 * 60);
/// How long to wait before asking again for a postcode whose lookup fails on its own, so that other
/// postcodes get their turn.
const FAILED: Duration = Duration::from_secs(60);

/// A check, and when to ask again. There is a time if and only if the address is pending or
/// not covered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checked {
    pub(crate) check: AddressCheck,
    pub(crate) due: Option<Timestamp>,
}

impl Checked {
    pub(crate) fn answered(answer: &Answer) -> Self {
        let due = matches!(answer, Answer::NotCovered).then(|| later(NOT_COVERED));
        Self { check: answer.into(), due }
    }

    /// Creates a pending check that is due as soon as the resolver can ask.
    pub(crate) fn unanswered() -> Self {
        Self { check: AddressCheck::PENDING, due: Some(Timestamp::now()) }
    }

    /// Creates a pending check that is asked again after the others.
    pub(crate) fn deferred() -> Self {
        Self { check: AddressCheck::PENDING, due: Some(later(FAILED)) }
    }
}

fn later(after: Duration) -> Timestamp {
    Timestamp::now().saturating_add(after).unwrap_or(Timestamp::MAX)
}

/// Looks up the postcodes of one customer. Returns an outcome for each within the limit, even if
/// the lookup fails.
pub(crate) async fn all(
    lookup: &dyn PostcodeLookup,
    postcodes: &[Postcode],
    limit: Duration,
) -> Vec<Checked> {
    if postcodes.is_empty() {
        return Vec::new();
    }
    match many(lookup, postcodes, limit).await {
        Ok(answers) => answers.iter().map(Checked::answered).collect(),
        Err(error) => {
            let first = postcodes[0];
            warn!(postcode = %first, kind = error.kind().code(), %error, "postcode not checked: the address is pending");
            vec![Checked::unanswered(); postcodes.len()]
        }
    }
}

/// Looks up many postcodes within the limit. Returns as many answers as postcodes.
pub(crate) async fn many(
    lookup: &dyn PostcodeLookup,
    postcodes: &[Postcode],
    limit: Duration,
) -> Result<Vec<Answer>> {
    // The lookup promises a deadline, but a consumer must not depend on it.
    let answers = tokio::time::timeout(limit, lookup.lookup(postcodes)).await.map_err(|_| {
        Error::new(ErrorKind::Timeout, format!("the postcode lookup gave no answer within {limit:?}"))
    })??;
    if answers.len() != postcodes.len() {
        let (asked, got) = (postcodes.len(), answers.len());
        return Err(Error::new(
            ErrorKind::Protocol,
            format!("{got} answers to a batch of {asked} postcodes"),
        ));
    }
    Ok(answers)
}
