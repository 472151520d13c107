//! How much is stored, and whether more may be.

use super::Tx;
use crate::jobs::store::{Bounds, Error};

/// Counts all bytes in the database, including failed and cancelled jobs that will be cleared soon.
pub(super) const ALL: &str = "SELECT CAST(COALESCE(SUM(bytes + output_bytes), 0) AS BIGINT), \
    CAST(COALESCE(SUM(CASE WHEN tenant = $1 THEN bytes + output_bytes ELSE 0 END), 0) AS BIGINT) FROM postcode_jobs";
/// Sums the bytes that will stay. A job is not failed for what another one, which failed before it,
/// has not given back yet.
pub(super) const LASTING: &str = "SELECT CAST(COALESCE(SUM(bytes + output_bytes), 0) AS BIGINT), \
    CAST(COALESCE(SUM(CASE WHEN tenant = $1 THEN bytes + output_bytes ELSE 0 END), 0) AS BIGINT) FROM postcode_jobs \
    WHERE state NOT IN ('failed', 'cancelled')";

/// Checks whether that many more bytes fit.
pub(super) async fn check(
    tx: &mut Tx,
    sums: &'static str,
    tenant: &str,
    more: i64,
    bounds: Bounds,
) -> Result<(), Error> {
    let (bytes, of_tenant): (i64, i64) = sqlx::query_as(sums).bind(tenant).fetch_one(&mut **tx).await?;
    if of_tenant.saturating_add(more) > bounds.bytes_of_tenant {
        return Err(Error::TenantFull { bytes: of_tenant });
    }
    if bytes.saturating_add(more) > bounds.bytes {
        return Err(Error::Full { bytes });
    }
    Ok(())
}
