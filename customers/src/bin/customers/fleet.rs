//! The plan of a fleet that this process follows.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::Args;
use postcode_core::layers::Promotion;
use postcode_core::layers::fleet::{
    FleetLink, FleetMember, FleetSnapshot, Following, MAX_PROCESS_NAME, MemberStatus, PlanFile, begin, follow,
};
use postcode_core::remote::RemoteFleet;
use postcode_core::{path_or_url, redact};
use serde::Serialize;
use tracing::info;

/// The bytes of a process's name that differ from start to start.
const DIFFERING: usize = 9;

#[derive(Args)]
pub(crate) struct FleetArgs {
    /// Follow the plan of a fleet in place of changes by hand: the URL of a postcode-service with --fleet, or
    /// a file:PATH that others write. --stage is for the time before the first plan
    #[arg(
        long,
        env = "CUSTOMERS_FLEET",
        hide_env_values = true,
        value_name = "PATH|URL",
        requires = "promote_to",
        conflicts_with = "walk"
    )]
    fleet: Option<String>,
    /// The file that keeps the fleet's last plan, so that a restart begins with it without the fleet
    #[arg(long, env = "CUSTOMERS_FLEET_STATE", value_name = "FILE", requires = "fleet")]
    fleet_state: Option<PathBuf>,
    /// The name of this process in the fleet; a random part is added at each start
    #[arg(
        long,
        env = "CUSTOMERS_FLEET_NAME",
        default_value = "customers",
        value_name = "NAME",
        requires = "fleet"
    )]
    fleet_name: String,
}

/// A process that follows a fleet.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    member: Arc<FleetMember>,
    source: String,
    /// The service that keeps the plan, if it is not a file.
    service: Option<RemoteFleet>,
}

/// The state of this process in its fleet.
#[derive(Serialize)]
pub(crate) struct Standing {
    source: String,
    #[serde(flatten)]
    status: MemberStatus,
}

impl FleetArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.fleet.is_some()
    }

    /// Begins where the fleet is, and follows it from then on.
    pub(crate) async fn follow(self, promotion: &Promotion) -> Result<Option<Followed>> {
        let Some(text) = self.fleet else { return Ok(None) };
        ensure!(
            self.fleet_name.len() + DIFFERING <= MAX_PROCESS_NAME,
            "--fleet-name: give at most {} characters",
            MAX_PROCESS_NAME - DIFFERING
        );
        // Counts begin anew with each start, so the fleet must not take this process for an earlier one.
        let process = format!("{}-{:08x}", self.fleet_name, fastrand::u32(..));
        let member = FleetMember::new(promotion.clone(), process).context("--fleet-name")?;
        let member = Arc::new(member);
        let (link, service): (Arc<dyn FleetLink>, _) = match plans(&text).context("--fleet")? {
            Plans::Service(service) => (Arc::new(service.clone()), Some(service)),
            Plans::File(path) => (Arc::new(PlanFile::new(path)), None),
        };
        let mut following = Following::default();
        following.state = self.fleet_state;
        begin(&member, &*link, &following).await;
        let followed = Followed { member: member.clone(), source: redact(&text), service };
        info!(
            fleet = followed.source, process = member.process(), revision = member.revision(),
            plan = %promotion.plan(), "following a fleet"
        );
        tokio::spawn(follow(member, link, following));
        Ok(Some(followed))
    }
}

impl Followed {
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing { source: self.source.clone(), status: self.member.status() }
    }

    /// Returns how far all processes are, or `None` if the plan is in a file.
    pub(crate) async fn all(&self) -> postcode_core::Result<Option<FleetSnapshot>> {
        match &self.service {
            Some(service) => service.snapshot().await.map(Some),
            None => Ok(None),
        }
    }
}

/// Where the plan is.
#[derive(Debug)]
enum Plans {
    Service(RemoteFleet),
    File(PathBuf),
}

fn plans(text: &str) -> Result<Plans> {
    let path = |url: &str| {
        let (scheme, rest) = url.split_at_checked(5)?;
        let rest = rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
        scheme.eq_ignore_ascii_case("file:").then(|| PathBuf::from(rest))
    };
    if let Some(path) = path(text) {
        return Ok(Plans::File(path));
    }
    let url = path_or_url(text);
    match path(&url) {
        // The path as it was given, without the escapes of a URL.
        Some(_) => Ok(Plans::File(PathBuf::from(text))),
        None => Ok(Plans::Service(RemoteFleet::new(&url)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_is_in_a_service_or_a_file() {
        for url in ["http://127.0.0.1:8080", "https://plans.example/prefix", "unix:/run/postcode.sock"] {
            assert!(matches!(plans(url), Ok(Plans::Service(_))), "{url}");
        }
        for (text, file) in [
            ("file:/etc/plan.json", "/etc/plan.json"),
            ("file:///etc/plan.json", "/etc/plan.json"),
            ("/etc/50%/plan.json", "/etc/50%/plan.json"),
        ] {
            assert!(
                matches!(plans(text), Ok(Plans::File(path)) if path == std::path::Path::new(file)),
                "{text}"
            );
        }
        for wrong in ["embedded:", "replica:http://127.0.0.1:8080", "nowhere", ""] {
            assert!(plans(wrong).is_err(), "{wrong}");
        }
    }
}
