//! The fleet on the admin listener.

use axum::http::StatusCode;
use customers::server::Problem;
use postcode_core::layers::fleet::FleetSnapshot;

use crate::fleet::Followed;

/// Returns all processes, as the service that keeps the plan knows them.
pub(super) async fn processes(fleet: Option<&Followed>) -> Result<FleetSnapshot, Problem> {
    let missing = |detail: &str| Problem::new(StatusCode::NOT_FOUND, "no_fleet", detail);
    let Some(fleet) = fleet else { return Err(missing("this process follows no fleet: see --fleet")) };
    match fleet.all().await {
        Ok(Some(all)) => Ok(all),
        Ok(None) => Err(missing("the plan is in a file, which knows no processes")),
        Err(error) => Err(Problem::new(
            StatusCode::BAD_GATEWAY,
            "fleet_unreachable",
            format!("the fleet can't be asked: {error}"),
        )),
    }
}

/// Refuses a change by hand, which the next plan would undo without a word.
pub(super) fn refuse_change(fleet: &Followed) -> Problem {
    let detail = format!(
        "this process follows the plan of {}: change it there, with PUT /promotion/plan",
        fleet.source()
    );
    Problem::new(StatusCode::CONFLICT, "fleet_plan", detail)
}
