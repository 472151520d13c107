//! Asking the lookup, within a time limit, and what its silence means.

use std::time::Duration;

use jiff::Timestamp;
use postcode_core::{Answer, Error, ErrorKind, Postcode, PostcodeLookup, Result};
use tracing::warn;

use crate::AddressCheck;

/// How long a postcode that the data leaves out stays unasked: only other data will know it.
const NOT_COVERED: Duration = Duration::from_secs(60 * 60);
/// How long a postcode whose lookup fails by itself stays unasked, so that others get their turn.
const FAILED: Duration = Duration::from_secs(60);

/// An answer, and when to ask again: at some time if and only if the address is pending.
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

    /// To be asked again as soon as the resolver can.
    pub(crate) fn unanswered() -> Self {
        Self { check: AddressCheck::PENDING, due: Some(Timestamp::now()) }
    }

    /// To be asked again after the others.
    pub(crate) fn deferred() -> Self {
        Self { check: AddressCheck::PENDING, due: Some(later(FAILED)) }
    }
}

fn later(after: Duration) -> Timestamp {
    Timestamp::now().saturating_add(after).unwrap_or(Timestamp::MAX)
}

/// Asks for the postcodes of one customer. Whatever goes wrong, there is an outcome for each, and within the limit.
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

/// Asks for many postcodes within the limit; as many answers as postcodes.
pub(crate) async fn many(
    lookup: &dyn PostcodeLookup,
    postcodes: &[Postcode],
    limit: Duration,
) -> Result<Vec<Answer>> {
    // The lookup promises a deadline of its own. That it keeps the promise is not for a consumer to trust.
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
