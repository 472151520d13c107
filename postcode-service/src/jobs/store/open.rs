//! Opens either database.

use std::sync::Arc;

use super::{Error, Store, postgres, sqlite};
use crate::jobs::Url;

/// Opens the database, and makes its tables if they are not there.
pub(crate) async fn open(url: &Url) -> Result<Arc<dyn Store>, Error> {
    Ok(match url {
        Url::Sqlite(path) => Arc::new(sqlite::open(path).await?),
        Url::Postgres(url) => Arc::new(postgres::open(url).await?),
    })
}
