//! The options of a server that keeps the plan of a fleet.

use std::path::PathBuf;

use anyhow::Context;
use postcode_core::layers::Guarding;
use postcode_core::layers::fleet::{Fleet, FleetLimits};

#[derive(Debug, clap::Args)]
pub(super) struct FleetArgs {
    /// Keep the plan of a fleet of promotions in this file, which is created with the first plan, and serve
    /// it at /promotion/plan. Processes follow it with `customers serve --fleet`
    #[arg(long, value_name = "FILE", env = "POSTCODE_FLEET")]
    fleet: Option<PathBuf>,
    /// The guard over all processes of the fleet: on, off, or limits such as
    /// errors=5%,mismatches=1%,slow_share=5%,rise=0.1%,chance=1%,window=30s,min_calls=20
    #[arg(
        long,
        value_name = "GUARD",
        env = "POSTCODE_FLEET_GUARD",
        default_value = "on",
        requires = "fleet"
    )]
    fleet_guard: Guarding,
    /// The most processes of the fleet at once. Others get the plan, and their reports are refused
    #[arg(
        long,
        value_name = "NUMBER",
        env = "POSTCODE_FLEET_PROCESSES",
        default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        requires = "fleet"
    )]
    fleet_processes: u32,
}

impl FleetArgs {
    /// Opens the fleet, if there is to be one.
    ///
    /// # Errors
    /// The file is not a plan.
    pub(super) fn open(&self) -> anyhow::Result<Option<Fleet>> {
        let Some(file) = &self.fleet else { return Ok(None) };
        let mut limits = FleetLimits::default();
        limits.processes = self.fleet_processes as usize;
        let fleet = Fleet::open(file, self.fleet_guard.0, limits).context("--fleet")?;
        let plan = fleet.plan();
        tracing::info!(file = %file.display(), revision = plan.revision, plan = %plan.plan, "the plan of the fleet");
        Ok(Some(fleet))
    }
}
