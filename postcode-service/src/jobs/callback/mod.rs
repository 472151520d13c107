//! Callbacks that tell a caller about the end of a job. They are requests to the caller's URL,
//! signed by the scheme of Standard Webhooks (<https://www.standardwebhooks.com>), retried for
//! hours, and kept and listed if they can't be delivered.

mod breaker;
pub(crate) mod delivery;
pub(crate) mod payload;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use breaker::Breakers;
pub use postcode_edge::webhook::Allow;
use postcode_edge::webhook::{WebhookGuard, WebhookSecrets};

/// The secrets and rules for sending callbacks. Cheap to clone.
#[derive(Clone)]
pub struct Callbacks(Arc<Inner>);

struct Inner {
    secrets: WebhookSecrets,
    breakers: Breakers,
    guard: Arc<WebhookGuard>,
    client: reqwest::Client,
    attempts: u32,
    first_delay: Duration,
    /// How long an attempt may take.
    timeout: Duration,
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
    /// Hosts and networks that may never be called, even if they are allowed.
    pub deny: Vec<Allow>,
    /// How often one is tried before it is dead.
    pub attempts: u32,
    /// The delay before the second attempt. It triples with each further one, up to six hours.
    pub first_delay: Duration,
    /// How long an attempt may take.
    pub timeout: Duration,
}

impl Default for Manner {
    /// Ten attempts in some ten hours.
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            attempts: 10,
            first_delay: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
        }
    }
}

const CONNECT: Duration = Duration::from_secs(5);

impl Callbacks {
    /// Signed with these secrets: a line with a secret (`whsec_` and 24 to 64 bytes in base64) is
    /// for all tenants that have no line. A line with a tenant's name and a secret is for that
    /// tenant. Each line may have a second secret, for the time in which receivers change from one
    /// to the other: messages are then signed with both.
    ///
    /// # Errors
    /// If a secret is not valid, or the HTTP client can't be made. Secrets are not named.
    pub fn new(secrets: &str, manner: Manner) -> Result<Self, String> {
        let secrets = secrets.parse()?;
        let guard = Arc::new(WebhookGuard::new(manner.allow, manner.deny));
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
        let (breakers, timeout) = (Breakers::default(), manner.timeout);
        Ok(Self(Arc::new(Inner { secrets, breakers, guard, client, attempts, first_delay, timeout })))
    }

    /// Returns whether there is a secret to sign this tenant's callbacks with.
    pub(crate) fn signs_for(&self, tenant: &str) -> bool {
        self.0.secrets.has(tenant)
    }

    /// Checks whether a URL may be called. A URL with a host name is checked again at each attempt,
    /// when the name is resolved.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self, url: &str) -> Result<(), String> {
        self.0.guard.check(url).map(drop)
    }
}

/// Returns the host of a URL, by which callbacks take turns.
pub(crate) fn host(url: &str) -> String {
    let url = url::Url::parse(url).ok();
    let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    host.trim_end_matches('.').to_ascii_lowercase()
}
