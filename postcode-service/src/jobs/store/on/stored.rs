//! How much is stored, and whether more may be.

use super::Tx;
use crate::jobs::store::{Bounds, Error};

/// Bytes that a job counts in addition to its rows and results, for what is stored of its request. Without them, jobs
/// of one row would take much more of the disk than they count.
pub(super) const JOB_BYTES: i64 = 16 << 10;

/// Counts all bytes in the database, including failed and cancelled jobs that will be cleared soon.
const ALL: &str = "SELECT CAST(COALESCE(SUM(bytes + output_bytes + $2), 0) AS BIGINT), \
    CAST(COALESCE(SUM(CASE WHEN tenant = $1 THEN bytes + output_bytes + $2 ELSE 0 END), 0) AS BIGINT) FROM postcode_jobs";
/// Sums the bytes that will stay. A job is not failed for what another one, which failed before it,
/// has not given back yet.
const LASTING: &str = "SELECT CAST(COALESCE(SUM(bytes + output_bytes + $2), 0) AS BIGINT), \
    CAST(COALESCE(SUM(CASE WHEN tenant = $1 THEN bytes + output_bytes + $2 ELSE 0 END), 0) AS BIGINT) FROM postcode_jobs \
    WHERE state NOT IN ('failed', 'cancelled')";

/// Checks whether that many more bytes of rows may come in.
pub(super) async fn check_new(tx: &mut Tx, tenant: &str, more: i64, bounds: Bounds) -> Result<(), Error> {
    let (bytes, of_tenant) = check(tx, ALL, tenant, more, bounds).await?;
    if !bounds.bytes_are_in_share(of_tenant, more, bytes) {
        return Err(Error::BytesShareTaken { bytes: of_tenant });
    }
    Ok(())
}

/// Checks whether all that is stored, with a result that has just been written, may stay.
pub(super) async fn check_lasting(tx: &mut Tx, tenant: &str, bounds: Bounds) -> Result<(), Error> {
    check(tx, LASTING, tenant, 0, bounds).await.map(drop)
}

/// Checks whether that many more bytes fit. Returns the bytes of all and of the tenant.
async fn check(
    tx: &mut Tx,
    sums: &'static str,
    tenant: &str,
    more: i64,
    bounds: Bounds,
) -> Result<(i64, i64), Error> {
    let (bytes, of_tenant): (i64, i64) =
        sqlx::query_as(sums).bind(tenant).bind(JOB_BYTES).fetch_one(&mut **tx).await?;
    if of_tenant.saturating_add(more) > bounds.bytes_of_tenant {
        return Err(Error::TenantFull { bytes: of_tenant });
    }
    if bytes.saturating_add(more) > bounds.bytes {
        return Err(Error::Full { bytes });
    }
    Ok((bytes, of_tenant))
}
