//! The promotion of the lookup while the program runs. `Customers` holds one lookup as usual; only
//! this module knows that there are two behind it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use customers::server::HostName;
use postcode_core::layers::{Guarding, Ledger, Promotion, PromotionConfig, PromotionPlan, Step};
use postcode_core::{Connector, Lookups, path_or_url};
use postcode_edge::Security;
use tracing::{info, warn};

use crate::admin::{Admin, Shared, Sources};
use crate::advice::Adviser;
use crate::fleet::{FleetArgs, Followed};
use crate::time::duration;
use crate::walk::{Progress, WalkFile};
use customers::server::Address;

#[derive(Args)]
pub(crate) struct Promote {
    /// A second lookup to migrate to while running, and back: a URL as for --postcodes
    #[arg(long, env = "CUSTOMERS_PROMOTE_TO", hide_env_values = true, value_name = "URL")]
    promote_to: Option<String>,
    /// The stage to begin in: local, shadow, canary, remote-with-fallback, remote. Then, if some methods
    /// or cohorts begin in another one: ,METHOD=STAGE or ,cohort:NAME=STAGE, each with a share if it has
    /// one, such as local,nearest=canary:20%
    #[arg(
        long,
        env = "CUSTOMERS_STAGE",
        default_value = "local",
        value_name = "STAGE",
        requires = "promote_to"
    )]
    stage: PromotionPlan,
    /// The share of calls that shadow compares and canary moves: 10% or 0.1
    #[arg(
        long,
        env = "CUSTOMERS_SHARE",
        default_value = "10%",
        value_name = "SHARE",
        value_parser = share,
        requires = "promote_to"
    )]
    share: f64,
    /// A lookup with the service's data in this process, such as replica:http://127.0.0.1:8080, which tells
    /// a difference of the data from one of the code
    #[arg(
        long,
        env = "CUSTOMERS_EXPLAIN_WITH",
        hide_env_values = true,
        value_name = "URL",
        requires = "promote_to"
    )]
    explain_with: Option<String>,
    /// The guard that rolls back automatically: on, off, or limits such as
    /// errors=5%,mismatches=1%,slow=500ms,slow_share=5%,rise=0.1%,slower=250ms,
    /// quantile=95%,chance=1%,window=30s,min_calls=20
    #[arg(
        long,
        env = "CUSTOMERS_GUARD",
        default_value = "on",
        value_name = "GUARD",
        requires = "promote_to"
    )]
    guard: Guarding,
    /// Walk through the stages by itself: a file of steps, with what must be shown before the next one
    #[arg(
        long,
        env = "CUSTOMERS_WALK",
        value_name = "FILE",
        requires = "promote_to",
        conflicts_with = "stage"
    )]
    walk: Option<PathBuf>,
    /// The address where operators see the promotion and change its stage: HOST:PORT (port 0 for
    /// any free port), or unix:PATH. Needs --promote-to. With --tokens it needs the scope admin,
    /// and /metrics the scope metrics. Without tokens anyone who can reach it can change the stage
    #[arg(long, env = "CUSTOMERS_ADMIN", value_name = "ADDRESS", requires = "promote_to")]
    admin: Option<Address>,
    /// How long the advice probes this machine, at most 10s. It measures each place in turn, at most once in
    /// ten minutes, and only when it is asked for
    #[arg(
        long,
        env = "CUSTOMERS_PROBE_TIME",
        default_value = "2s",
        value_name = "TIME",
        value_parser = probe_time,
        requires = "promote_to"
    )]
    probe_time: Duration,
    #[command(flatten)]
    fleet: FleetArgs,
}

/// Both lookups and the promotion between them.
pub(crate) struct Promoted {
    ledger: Ledger<Promotion>,
    /// The URLs of the old and the new lookup.
    urls: [String; 2],
    sources: Sources,
    fleet: Option<Followed>,
    walk: Option<Progress>,
    admin: Option<Address>,
    probe_time: Duration,
}

impl Promote {
    /// Builds the promotion from `lookup` to the second lookup, if one is given.
    pub(crate) async fn compose(
        self,
        old: Arc<dyn Lookups>,
        old_source: &str,
        old_url: &str,
        lookup_timeout: Duration,
    ) -> Result<Option<Promoted>> {
        let Some(url) = &self.promote_to else { return Ok(None) };
        let walk = self.walk.as_deref().map(WalkFile::open).transpose().context("--walk")?;
        if walk.is_some() && self.guard.0.is_none() {
            bail!("--walk needs the guard: leave out --guard off");
        }
        if self.fleet.is_given() && self.guard.0.is_none() {
            bail!("--fleet needs the guard, which counts what is reported: leave out --guard off");
        }
        let source = Connector::new(&path_or_url(url)).context("--promote-to")?.within(lookup_timeout);
        let sources = Sources { old: old_source.to_owned(), new: source.to_string() };
        let new = source.connect().await.context("--promote-to")?;
        let mut config = PromotionConfig::default();
        // If the new lookup does not answer, this leaves time to ask the old one.
        config.patience = config.patience.min(lookup_timeout / 2);
        config.guard = self.guard.0;
        let promotion = Promotion::with(old, new, config);
        if let Some(url) = &self.explain_with {
            let source = Connector::new(&path_or_url(url)).context("--explain-with")?;
            promotion.explain_with(source.connect().await.context("--explain-with")?);
        }
        let mut plan = self.stage;
        plan.default.share = plan.default.share.or(Some(self.share));
        promotion.apply(&plan).context("--stage")?;
        info!(stage = %promotion.plan(), promote_to = %sources.new, guard = ?self.guard.0, "promotion");
        let fleet = self.fleet.follow(&promotion).await?;
        tokio::spawn(report(promotion.clone()));
        let urls = [path_or_url(old_url), path_or_url(url)];
        let progress = walk.as_ref().map(WalkFile::progress);
        if let Some(((walk, guard), progress)) = walk.zip(self.guard.0).zip(progress.clone()) {
            tokio::spawn(walk.walk(promotion.clone(), guard, urls.clone(), progress));
        }
        let ledger = Ledger::new(promotion);
        let (walk, probe_time) = (progress, self.probe_time);
        Ok(Some(Promoted { ledger, urls, sources, fleet, walk, admin: self.admin, probe_time }))
    }
}

impl Promoted {
    /// Returns the lookup for `Customers`.
    pub(crate) fn lookup(&self) -> Arc<dyn Lookups> {
        Arc::new(self.ledger.clone())
    }

    /// Binds the listener for operators, if one is configured.
    pub(crate) async fn admin(self, hosts: &[HostName], security: &Security) -> Result<Option<Admin>> {
        let Some(address) = &self.admin else { return Ok(None) };
        let adviser = Adviser::new(self.ledger.clone(), self.urls, self.probe_time);
        let promotion = self.ledger.inner().clone();
        let shared = Shared { promotion, sources: self.sources, fleet: self.fleet, walk: self.walk, adviser };
        let admin = Admin::bind(address, hosts, shared, security).await;
        admin.map(Some).with_context(|| format!("--admin: can't listen on {address}"))
    }
}

/// Logs each rollback by the guard with its reason.
async fn report(promotion: Promotion) {
    let mut known = Vec::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let rows = promotion.snapshot().rows;
        known.resize(rows.len(), 0);
        for (seen, known) in rows.into_iter().zip(&mut known) {
            if let Some(step) = seen.last_step_back.filter(|_| seen.step_backs > *known) {
                *known = seen.step_backs;
                warn!(row = %step.row, from = %step.from, to = %step.to, reason = step.reason, "the guard rolled back");
            }
        }
    }
}

/// Parses `10%` or `0.1`.
fn share(text: &str) -> Result<f64, String> {
    Step::share(text).map_err(|error| error.to_string())
}

/// Parses the time of a probe.
fn probe_time(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let range = Duration::from_millis(10)..=Duration::from_secs(10);
    if range.contains(&time) { Ok(time) } else { Err("give 10ms to 10s".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_in_two_ways() {
        for (text, expected) in
            [("10%", 0.1), ("0.1", 0.1), ("0", 0.0), ("100%", 1.0), ("1", 1.0), ("2.5 %", 0.025)]
        {
            assert_eq!(share(text), Ok(expected), "{text}");
        }
        for text in ["10", "101%", "-1%", "", "%", "NaN", "ten"] {
            assert!(share(text).unwrap_err().contains("0% to 100%"), "{text}");
        }
    }
}
