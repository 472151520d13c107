//! The background work of imports.

use std::time::Duration;

use tracing::{info, warn};

use crate::draft::{Answers, Draft};
use crate::import::{ImportState, Said};
use crate::input::Details;
use crate::store::{Made, Waiting};
use crate::{Customers, Invalid, NewCustomer, Result, check};

/// Rows in one batch: one batch of lookups, and one transaction short enough for other writers.
const BATCH: usize = 200;
/// How often to look for imports that another process accepted.
const EVERY: Duration = Duration::from_secs(5);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

impl Customers {
    /// Works on imports one after the other for as long as it is polled. Several callers, even in
    /// several processes, share the work. Dropping it at any moment loses nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use std::time::Duration;
    /// use customers::ImportState;
    ///
    /// let worker = customers.clone();
    /// let working = tokio::spawn(async move { worker.keep_importing().await });
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// while customers.get_import(import.id).await?.state != ImportState::Succeeded {
    ///     tokio::time::sleep(Duration::from_millis(10)).await;
    /// }
    /// working.abort(); // to stop
    /// # Ok(())
    /// # }
    /// ```
    pub async fn keep_importing(&self) {
        loop {
            match self.import_some().await {
                Ok(true) => {}
                Ok(false) => match self.store.forget_import().await {
                    // One at a time, so that other writers get a turn.
                    Ok(true) => {}
                    Ok(false) => {
                        let _ = tokio::time::timeout(EVERY, self.imports.notified()).await;
                    }
                    Err(error) => {
                        warn!(%error, "old imports could not be removed yet");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Err(error) => {
                    warn!(%error, "imports wait");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Works on some rows of the oldest import. Returns false if there are none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// while customers.import_some().await? {}
    /// assert_eq!(customers.get_import(import.id).await?.created, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Store`](crate::Error::Store): nothing of these rows is stored then.
    pub async fn import_some(&self) -> Result<bool> {
        let Some(Waiting { import, rows }) = self.store.waiting(BATCH).await? else { return Ok(false) };
        let checked: Vec<_> = rows
            .into_iter()
            .map(|(line, said)| match check(said) {
                Ok((details, note)) => (line, note, Ok(details)),
                Err(message) => (line, None, Err(message)),
            })
            .collect();
        // If the lookup is away, the accounts are still created, and their addresses resolved
        // later.
        let mut postcodes: Vec<_> = checked
            .iter()
            .filter_map(|(_, _, details)| details.as_ref().ok())
            .flat_map(|details| details.addresses.iter().map(|address| address.postcode))
            .collect();
        postcodes.sort_unstable();
        postcodes.dedup();
        let answers = check::all(&*self.lookup, &postcodes, self.lookup_timeout).await;
        let postcodes = postcodes.into_iter().zip(answers).collect();
        // A file has no links to address data.
        let answers = Answers { postcodes, ..Answers::default() };
        let mut made = Vec::with_capacity(checked.len());
        for (line, note, details) in checked {
            let draft = details.and_then(|details| {
                Draft::new(None, details, &answers).ok_or_else(|| "the row has no address".to_owned())
            });
            made.push(Made { line, note, draft });
        }
        let pending = made.iter().any(|made| made.draft.as_ref().is_ok_and(Draft::is_pending));
        let import = self.store.settle_import(import, made).await?;
        if pending {
            self.pending.notify_one();
        }
        if let Some(import) = import.filter(|import| import.state == ImportState::Succeeded) {
            info!(id = %import.id, created = import.created, failed = import.failed, "import done");
        }
        Ok(true)
    }
}

/// Checks a row. An optional field that is not valid is left out, and the note says so. The customer is kept.
fn check(said: Said) -> std::result::Result<(Details, Option<String>), String> {
    let new = NewCustomer::from(said);
    let invalid = match new.clone().check() {
        Ok(details) => return Ok((details, None)),
        Err(invalid) => invalid,
    };
    const OPTIONAL: [&str; 3] = ["phone", "notes", "references"];
    let optional = |field: &str| OPTIONAL.iter().find(|name| field.split(['[', '.']).next() == Some(name));
    let mut without = new;
    // The check without the optional fields finds the errors that are not listed.
    for error in invalid.errors.iter().filter(|error| error.field != Invalid::MORE) {
        match optional(&error.field) {
            Some(&"phone") => without.phone = None,
            Some(&"notes") => without.notes = None,
            Some(_) => without.references = None,
            None => return Err(invalid.to_string()),
        }
    }
    let details = without.check().map_err(|invalid| invalid.to_string())?;
    Ok((details, Some(format!("left out: {invalid}"))))
}
