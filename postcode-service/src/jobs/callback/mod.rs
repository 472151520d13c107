//! Whoever waits for a job is told of its end: a request to an address of theirs, signed by the scheme of Standard Webhooks
//! (<https://www.standardwebhooks.com>), tried again for hours, and kept where it can be seen if nobody takes it.

pub(crate) mod delivery;
mod guard;
pub(crate) mod payload;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use standardwebhooks::Webhook;

pub use guard::Allow;
use guard::Guard;

/// What is needed to send them. Cheap to clone.
#[derive(Clone)]
pub struct Callbacks(Arc<Inner>);

struct Inner {
    webhook: Webhook,
    guard: Arc<Guard>,
    client: reqwest::Client,
    attempts: u32,
    first_delay: Duration,
}

/// The secret is not shown.
impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").field("guard", &self.0.guard).finish_non_exhaustive()
    }
}

/// How they are sent.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Hosts and networks that may be called although they are not public.
    pub allow: Vec<Allow>,
    /// How often one is tried before it is dead.
    pub attempts: u32,
    /// Before the second attempt; each later one is three times as long, up to six hours.
    pub first_delay: Duration,
    /// How long an attempt may take.
    pub timeout: Duration,
}

impl Default for Manner {
    /// Ten attempts in some ten hours.
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            attempts: 10,
            first_delay: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
        }
    }
}

/// Bytes of a secret, by the scheme.
const SECRET: std::ops::RangeInclusive<usize> = 24..=64;
const CONNECT: Duration = Duration::from_secs(5);

impl Callbacks {
    /// Signed with that secret: `whsec_` and 24 to 64 bytes in base64.
    ///
    /// # Errors
    /// If the secret is none, or there can be no HTTP client. The secret is not named.
    pub fn new(secret: &str, manner: Manner) -> Result<Self, String> {
        use base64::Engine;
        let rest = secret.trim().strip_prefix("whsec_");
        let bytes = rest.and_then(|rest| base64::engine::general_purpose::STANDARD.decode(rest).ok());
        if !bytes.is_some_and(|bytes| SECRET.contains(&bytes.len())) {
            return Err(
                "the secret of the webhooks is none: give whsec_ and 24 to 64 random bytes in base64"
                    .to_owned(),
            );
        }
        let webhook =
            Webhook::new(secret.trim()).map_err(|_| "the secret of the webhooks is none".to_owned())?;
        let guard = Arc::new(Guard::new(manner.allow));
        postcode_core::remote::tls_provider();
        // No proxy: it would connect to addresses that are not seen here.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(guard.clone())
            .connect_timeout(CONNECT)
            .timeout(manner.timeout)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("postcode-service/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| format!("no HTTP client for callbacks: {e}"))?;
        let (attempts, first_delay) = (manner.attempts.max(1), manner.first_delay);
        Ok(Self(Arc::new(Inner { webhook, guard, client, attempts, first_delay })))
    }

    /// Whether such an address may be called. One with a name is looked at again, each time, when the name is resolved.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, url: &str) -> Result<(), String> {
        self.0.guard.check(url).map(drop)
    }
}
