//! The store of accounts.

mod accounts;
mod audit;
mod cursor;
mod database;
mod failure;
mod file;
mod folding;
mod idempotency;
mod imports;
mod kept_rows;
mod links;
mod listing;
mod open;
mod pending;
mod postgres;
mod recheck;
mod rows;
mod scans;
mod sqlite;

use std::sync::{Arc, Mutex};

use postcode_database::Readiness;
use sqlx::SqliteConnection;

use crate::error::StoreError;
use database::Pool;
use file::DatabaseFile;

pub(crate) use accounts::Outcome;
pub use audit::AuditPage;
pub use cursor::{Cursor, ParseCursorError};
pub(crate) use idempotency::Once;
pub(crate) use imports::{ImportRoom, Made, Waiting};
pub(crate) use links::LinkDue;
pub use listing::{Page, Total};
pub(crate) use pending::Settled;
pub(crate) use recheck::{Recheck, Subject};
use scans::Scans;

/// Customer accounts in a database. Cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use customers::Store;
///
/// # let folder = tempfile::tempdir()?;
/// # let url = format!("sqlite://{}", folder.path().join("customers.db").display());
/// let store = Store::open(&url).await?; // sqlite:///var/lib/customers.db
/// store.close().await;
/// assert!(Store::open(&url).await.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    writer: Pool,
    readers: Pool,
    scans: Scans,
    /// The database's file; `None` for a database without one.
    file: Option<DatabaseFile>,
    readiness: Readiness<StoreError>,
    /// Keeps a database in memory alive while the connections to it are replaced.
    _keeper: Option<Arc<Mutex<SqliteConnection>>>,
}
