//! The driver's errors in our words. They hold the driver's reason, so it is not their source once more.

use sqlx::migrate::MigrateError;

use crate::error::StoreError;

pub(super) fn corrupt(column: &str, value: impl std::fmt::Debug) -> StoreError {
    StoreError::new(format!(
        "the database holds {value:?} as a customer's {column}, which this program never wrote"
    ))
}

pub(super) fn migration(url: &str, error: MigrateError) -> StoreError {
    let message = match &error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => {
            format!(
                "the database {url} was changed by another version of this program ({error}): use that, or a newer one"
            )
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            format!("the database {url} can't be brought up to date: {}", reason(source))
        }
        _ => format!("the database {url} can't be brought up to date: {error}"),
    };
    StoreError::new(message)
}

/// The driver's own words, without its wrapping.
pub(super) fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Configuration(error) => error.to_string(),
        error => error.to_string(),
    }
}

pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let busy = match &error {
        sqlx::Error::PoolTimedOut => true,
        // The low byte of SQLite's codes: SQLITE_BUSY 5, SQLITE_LOCKED 6.
        sqlx::Error::Database(error) => error
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            .is_some_and(|code| matches!(code & 0xff, 5 | 6)),
        _ => false,
    };
    StoreError::new(format!("the account database failed: {}", reason(&error))).with_busy(busy)
}
