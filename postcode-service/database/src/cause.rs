//! Kinds of failure.

use std::io::ErrorKind;

use sqlx::Error;

/// Why a statement failed, as far as the caller of a program can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The disk is full. The same write succeeds when there is room.
    NoRoom,
    /// The database is overloaded, or another process holds the lock. Trying again helps.
    Busy,
    /// The database can't be reached, read or written now.
    Unavailable,
    /// Anything else.
    Other,
}

impl Cause {
    /// Returns the cause of an error of the driver.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::PoolTimedOut => Self::Busy,
            Error::Io(error) if is_full(error.kind()) => Self::NoRoom,
            // To the driver a connection that breaks off in the middle of a response is a violation
            // of the protocol.
            Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolClosed
            | Error::WorkerCrashed
            | Error::BeginFailed => Self::Unavailable,
            Error::Database(error) => error.code().as_deref().map_or(Self::Other, Self::of_code),
            _ => Self::Other,
        }
    }

    /// Returns the cause by SQLite's number, or by PostgreSQL's SQLSTATE, which has five
    /// characters.
    fn of_code(code: &str) -> Self {
        match code {
            // disk_full
            "53100" => Self::NoRoom,
            // Too many connections; serialization failure, deadlock, lock timeout, cancelled by a
            // timeout.
            "53300" | "40001" | "40P01" | "55P03" | "57014" => Self::Busy,
            // The server is shutting down, has crashed or is starting up; the transaction was idle
            // too long; read-only.
            "57P01" | "57P02" | "57P03" | "25P03" | "25006" => Self::Unavailable,
            // Connection exceptions, insufficient resources, system errors such as io_error.
            state if state.len() == 5 && ["08", "53", "58"].iter().any(|class| state.starts_with(class)) => {
                Self::Unavailable
            }
            state if state.len() == 5 => Self::Other,
            // The low byte is the primary code; the rest is detail.
            number => match number.parse::<i32>().map(|code| code & 0xff) {
                // SQLITE_FULL
                Ok(13) => Self::NoRoom,
                // SQLITE_BUSY, SQLITE_LOCKED
                Ok(5 | 6) => Self::Busy,
                // SQLITE_PERM, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, CANTOPEN, PROTOCOL,
                // AUTH, NOTADB
                Ok(3 | 7 | 8 | 9 | 10 | 11 | 14 | 15 | 23 | 26) => Self::Unavailable,
                _ => Self::Other,
            },
        }
    }
}

fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::{Cause, ErrorKind};

    #[test]
    fn file_that_can_not_be_made_on_a_full_disk_is_no_room() {
        for (kind, cause) in [
            (ErrorKind::StorageFull, Cause::NoRoom),
            (ErrorKind::QuotaExceeded, Cause::NoRoom),
            (ErrorKind::PermissionDenied, Cause::Unavailable),
        ] {
            assert_eq!(Cause::of(&sqlx::Error::Io(kind.into())), cause, "{kind:?}");
        }
    }

    #[test]
    fn codes_of_both_databases_have_a_cause() {
        for (cause, codes) in [
            (Cause::NoRoom, &["13", "53100"][..]),
            // 261 and 517 are SQLITE_BUSY with detail, 778 and 4874 SQLITE_IOERR.
            (Cause::Busy, &["5", "261", "517", "6", "53300", "40001"]),
            (Cause::Unavailable, &["7", "10", "778", "4874", "8", "14", "57P01", "08006", "58030", "53200"]),
            (Cause::Other, &["1", "19", "2067", "23505", "42P01", ""]),
        ] {
            for code in codes {
                assert_eq!(Cause::of_code(code), cause, "{code}");
            }
        }
    }
}
