//! Links from addresses to entries of the address data, to be looked up again.

use serde_json::{Map, Value, json};

use super::database::{Row, Transaction, sql};
use super::pending::{Settled, revise};
use super::{Store, audit, rows};
use crate::audit::Action;
use crate::error::StoreError;
use crate::link::Linked;
use crate::{CustomerId, LinkStatus};

type Result<T> = std::result::Result<T, StoreError>;

/// A link to look up, as it was read.
#[derive(Clone, Debug)]
pub(crate) struct LinkDue {
    pub(crate) seq: i64,
    id: CustomerId,
    revision: i64,
    pub(crate) number: i64,
    pub(crate) linked: Linked,
    status: LinkStatus,
}

impl LinkDue {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            id: rows::parsed(row, "id")?,
            revision: row.get("revision")?,
            number: row.get("number")?,
            linked: (rows::parsed(row, "address_id")?, rows::parsed(row, "postcode")?),
            status: rows::parsed(row, "address_id_status")?,
        })
    }
}

/// The columns of a [`LinkDue`].
macro_rules! link_columns {
    () => {
        "SELECT c.seq, c.id, c.revision, a.number, a.postcode, a.address_id, a.address_id_status \
         FROM addresses a JOIN customers c ON c.seq = a.customer \
         WHERE (a.customer, a.number) > ($1, $2)"
    };
}

impl Store {
    /// Returns the next links, including those of deleted accounts, which may be restored.
    pub(crate) async fn links_after(
        &self,
        after: (i64, i64),
        pending_only: bool,
        limit: usize,
    ) -> Result<Vec<LinkDue>> {
        const ALL: &str =
            concat!(link_columns!(), " AND a.address_id IS NOT NULL ORDER BY a.customer, a.number LIMIT $3");
        const PENDING: &str = concat!(
            link_columns!(),
            " AND a.address_id_status = 'pending' ORDER BY a.customer, a.number LIMIT $3"
        );
        let statement = sql(if pending_only { PENDING } else { ALL });
        let statement = statement.bind(after.0).bind(after.1).bind(limit as i64);
        self.readers.fetch(statement).await?.iter().map(LinkDue::read).collect()
    }

    /// Stores the statuses of links, which are sorted by customer, in one transaction, if their
    /// customers have not changed since they were read. An unchanged status makes no new revision.
    pub(crate) async fn settle_links(&self, outcomes: &[(LinkDue, LinkStatus)]) -> Result<Settled> {
        let mut settled = Settled::default();
        let changed: Vec<_> = outcomes.iter().filter(|(due, status)| due.status != *status).collect();
        if changed.is_empty() {
            return Ok(settled);
        }
        let mut transaction = self.writer()?.begin().await?;
        // A second write to a customer would find another revision.
        for of_one in changed.chunk_by(|(a, _), (b, _)| a.seq == b.seq) {
            settle_one(&mut transaction, of_one, &mut settled).await?;
        }
        transaction.commit().await?;
        Ok(settled)
    }
}

/// Stores the changed statuses of one customer's links.
async fn settle_one(
    transaction: &mut Transaction,
    changed: &[&(LinkDue, LinkStatus)],
    settled: &mut Settled,
) -> Result<()> {
    const CHANGE: &str = "UPDATE addresses SET address_id_status = $1 WHERE customer = $2 AND number = $3";
    let Some((first, _)) = changed.first() else { return Ok(()) };
    let now = crate::draft::now().as_microsecond();
    if !revise(transaction, first.seq, first.revision, now).await? {
        settled.stale += changed.len();
        return Ok(());
    }
    let mut changes: Map<String, Value> = Map::new();
    for (due, status) in changed {
        let statement = sql(CHANGE).bind(status.as_str()).bind(due.seq).bind(due.number);
        transaction.execute(statement).await?;
        let path = format!("addresses/{}/address_id_status", due.number);
        changes.insert(path, json!({ "from": due.status, "to": status }));
        settled.changed += 1;
    }
    audit::write(transaction, first.id, first.revision + 1, now, Action::Rechecked, None, &changes).await
}
