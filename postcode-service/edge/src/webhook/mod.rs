//! Webhooks that both programs send: whom they may reach, and how they are signed, by the scheme of Standard
//! Webhooks (<https://www.standardwebhooks.com>).

mod guard;
mod secrets;

pub use guard::{Allow, WebhookGuard};
pub use secrets::WebhookSecrets;
pub use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
