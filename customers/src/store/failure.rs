//! Maps the driver's errors. The message already contains the driver's reason, so the driver's
//! error is not added as the source.

use postcode_database::Cause;
use sqlx::error::ErrorKind;
use sqlx::migrate::MigrateError;

use crate::error::StoreError;

pub(super) fn corrupt(column: &str, value: impl std::fmt::Debug) -> StoreError {
    StoreError::new(format!(
        "the database contains {value:?} as a customer's {column}, which this program never writes"
    ))
}

pub(super) fn migration(database: &str, error: MigrateError) -> StoreError {
    let message = match &error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => {
            format!(
                "the database {database} was changed by another version of this program ({error}): use that, or a newer one"
            )
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            format!("the database {database} can't be brought up to date: {}", reason(source))
        }
        _ => format!("the database {database} can't be brought up to date: {error}"),
    };
    StoreError::new(message)
}

/// Returns the driver's message without its wrapping.
pub(super) fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Configuration(error) => error.to_string(),
        error => error.to_string(),
    }
}

pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let message = format!("the account database failed: {}", reason(&error));
    match &error {
        sqlx::Error::Database(error) if error.kind() == ErrorKind::UniqueViolation => {
            StoreError::taken(message)
        }
        error => match Cause::of(error) {
            Cause::NoRoom => StoreError::no_room(message),
            Cause::Busy => StoreError::busy(message),
            Cause::Unavailable => StoreError::unavailable(message),
            Cause::Other => StoreError::new(message),
        },
    }
}
