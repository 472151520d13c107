//! Addresses that are to be looked up again: pending ones, and those that the data does not cover.
//! The row of such an address is also its entry in the work list, so it is written, changed and
//! finished in the transaction of the account.

use jiff::Timestamp;
use postcode_core::Postcode;
use serde_json::{Map, Value};

use super::Store;
use super::database::{Row, Transaction, sql};
use super::{audit, rows};
use crate::audit::{Action, check_changes};
use crate::check::Checked;
use crate::error::StoreError;
use crate::{AddressCheck, AddressStatus, CustomerId};

type Result<T> = std::result::Result<T, StoreError>;

/// An address to look up, as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) seq: i64,
    pub(crate) id: CustomerId,
    pub(crate) revision: i64,
    pub(crate) number: i64,
    pub(crate) postcode: Postcode,
    pub(crate) check: AddressCheck,
}

/// The outcome of looking addresses up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Addresses whose check changed.
    pub(crate) changed: usize,
    /// How many of them are now terminated.
    pub(crate) terminated: usize,
    /// Addresses whose customers changed in the meantime. Nothing was stored for them.
    pub(crate) stale: usize,
}

impl Due {
    pub(super) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            id: rows::parsed(row, "id")?,
            revision: row.get("revision")?,
            number: row.get("number")?,
            postcode: rows::parsed(row, "postcode")?,
            check: rows::check(row)?,
        })
    }
}

/// The columns of a [`Due`].
macro_rules! due_columns {
    () => {
        "c.seq, c.id, c.revision, a.number, a.postcode, a.address_status, a.admin_district, a.region, a.country, \
         a.latitude, a.longitude"
    };
}
pub(super) use due_columns;

impl Store {
    /// Returns the addresses that are due: longest waiting first, each customer's in order.
    pub(crate) async fn due(&self, limit: usize) -> Result<Vec<Due>> {
        const SQL: &str = concat!(
            "SELECT ",
            due_columns!(),
            " FROM addresses a JOIN customers c ON c.seq = a.customer \
             WHERE a.check_after <= $1 AND c.deleted_at IS NULL \
             ORDER BY a.check_after, a.customer, a.number LIMIT $2"
        );
        let statement = sql(SQL).bind(Timestamp::now().as_microsecond()).bind(limit as i64);
        self.readers.fetch(statement).await?.iter().map(Due::read).collect()
    }

    /// Counts the addresses of each status except verified, without those of deleted accounts.
    pub(crate) async fn address_counts(&self) -> Result<Vec<(AddressStatus, i64)>> {
        const SQL: &str = "SELECT a.address_status, count(*) AS counted FROM addresses a \
             JOIN customers c ON c.seq = a.customer \
             WHERE a.address_status <> 'verified' AND c.deleted_at IS NULL GROUP BY a.address_status";
        let found = self.scans.fetch(sql(SQL)).await?;
        found.iter().map(|row| Ok((rows::parsed(row, "address_status")?, row.get("counted")?))).collect()
    }

    /// Makes every address of the work list due.
    pub(crate) async fn all_due(&self) -> Result<()> {
        const SQL: &str = "UPDATE addresses SET check_after = $1 \
             WHERE check_after > $1";
        self.writer()?.execute(sql(SQL).bind(Timestamp::now().as_microsecond())).await.map(drop)
    }

    /// Stores the checks of addresses in one transaction, if their customers have not changed since
    /// they were read. An unchanged check makes no new revision.
    pub(crate) async fn settle(&self, outcomes: Vec<(Due, Checked)>, action: Action) -> Result<Settled> {
        let mut settled = Settled::default();
        let mut transaction = self.writer()?.begin().await?;
        let mut rest = outcomes.as_slice();
        // Sort by customer: concurrent calls then lock rows in the same order. And group each
        // customer's addresses, because a second write would find another revision.
        let mut sorted = Vec::from(rest);
        sorted.sort_by_key(|(due, _)| (due.seq, due.number));
        rest = &sorted;
        while let Some((first, _)) = rest.first() {
            let (seq, revision) = (first.seq, first.revision);
            let many = rest.iter().take_while(|(due, _)| due.seq == seq && due.revision == revision).count();
            let (of_one, others) = rest.split_at(many);
            settle_one(&mut transaction, of_one, action, &mut settled).await?;
            rest = others;
        }
        transaction.commit().await?;
        Ok(settled)
    }
}

/// Gives a customer its next revision, if it still has this one.
pub(super) async fn revise(transaction: &mut Transaction, seq: i64, revision: i64, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE customers SET revision = revision + 1, \
         updated_at = CASE WHEN updated_at > $3 THEN updated_at ELSE $3 END \
         WHERE seq = $1 AND revision = $2";
    Ok(transaction.execute(sql(SQL).bind(seq).bind(revision).bind(now)).await? != 0)
}

/// Stores the checks of one customer's addresses.
async fn settle_one(
    transaction: &mut Transaction,
    outcomes: &[(Due, Checked)],
    action: Action,
    settled: &mut Settled,
) -> Result<()> {
    const CHANGE: &str = "UPDATE addresses SET address_status = $1, admin_district = $2, region = $3, country = $4, \
         latitude = $5, longitude = $6, district_key = $7, check_after = $8 WHERE customer = $9 AND number = $10";
    // Readers of the customer see no change, so there is no new revision.
    const DEFER: &str = "UPDATE addresses SET check_after = $1 WHERE customer = $2 AND number = $3 \
         AND check_after IS NOT NULL AND (SELECT revision FROM customers WHERE seq = $2) = $4";
    let (changed, same): (Vec<_>, Vec<_>) =
        outcomes.iter().partition(|(due, checked)| due.check != checked.check);
    // Write the customer before its addresses, as every change does: PostgreSQL locks each row as
    // it is written, and the other order could deadlock.
    let mut changes: Map<String, Value> = Map::new();
    let now = crate::draft::now().as_microsecond();
    if let Some((first, _)) = changed.first()
        && !revise(transaction, first.seq, first.revision, now).await?
    {
        settled.stale += changed.len();
        return Ok(());
    }
    let revised = i64::from(!changed.is_empty());
    for (due, checked) in &same {
        if let Some(again) = checked.due {
            let statement = sql(DEFER).bind(again.as_microsecond()).bind(due.seq).bind(due.number);
            transaction.execute(statement.bind(due.revision + revised)).await?;
        }
    }
    for (due, checked) in &changed {
        let statement = rows::bind_check(sql(CHANGE), &checked.check)
            .bind(checked.due.map(Timestamp::as_microsecond))
            .bind(due.seq)
            .bind(due.number);
        transaction.execute(statement).await?;
        changes.extend(check_changes(due.number, &due.check, &checked.check));
        settled.changed += 1;
        settled.terminated += usize::from(checked.check.status == crate::AddressStatus::Terminated);
    }
    let Some((first, _)) = changed.first() else { return Ok(()) };
    audit::write(transaction, first.id, first.revision + 1, now, action, None, &changes).await
}
