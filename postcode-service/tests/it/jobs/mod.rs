//! Jobs on both databases: requests, results and their order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use crate::common;

/// A test for each database.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(database) = crate::jobs::database::Database::file() {
                    super::$name(database).await;
                }
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(database) = crate::jobs::database::Database::server() {
                    super::$name(database).await;
                }
            })*
        }
    };
}

mod callbacks;
pub(crate) mod database;
mod fairness;
pub(crate) mod receiver;
mod requests;
mod results;
mod stored;
mod upkeep;
