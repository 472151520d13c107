//! The driver's errors in our words. They hold the driver's reason, so it is not their source once more.

use sqlx::error::ErrorKind;
use sqlx::migrate::MigrateError;

use crate::error::StoreError;

pub(super) fn corrupt(column: &str, value: impl std::fmt::Debug) -> StoreError {
    StoreError::new(format!(
        "the database holds {value:?} as a customer's {column}, which this program never wrote"
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

/// The driver's own words, without its wrapping.
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
        sqlx::Error::PoolTimedOut => StoreError::busy(message),
        // A connection that breaks off in the middle of an answer is no protocol that was ever spoken, to the driver.
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
            StoreError::unavailable(message)
        }
        sqlx::Error::Database(error) if error.kind() == ErrorKind::UniqueViolation => {
            StoreError::taken(message)
        }
        sqlx::Error::Database(error) => match error.code().as_deref().map(classify) {
            Some(Class::Busy) => StoreError::busy(message),
            Some(Class::Unavailable) => StoreError::unavailable(message),
            _ => StoreError::new(message),
        },
        _ => StoreError::new(message),
    }
}

enum Class {
    Busy,
    Unavailable,
    Other,
}

/// By SQLite's numbers and PostgreSQL's SQLSTATE, which has five characters.
fn classify(code: &str) -> Class {
    match code {
        // Out of connections; serialization failure, deadlock, lock timeout, cancelled by a timeout.
        "53300" | "40001" | "40P01" | "55P03" | "57014" => Class::Busy,
        // Shutting down, crashed, starting up; idle for too long in a transaction.
        "57P01" | "57P02" | "57P03" | "25P03" => Class::Unavailable,
        // Connection exceptions.
        state if state.len() == 5 && state.starts_with("08") => Class::Unavailable,
        state if state.len() == 5 => Class::Other,
        // The low byte: SQLITE_BUSY 5, SQLITE_LOCKED 6.
        number => match number.parse::<i32>().map(|code| code & 0xff) {
            Ok(5 | 6) => Class::Busy,
            _ => Class::Other,
        },
    }
}
