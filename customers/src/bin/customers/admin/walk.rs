//! The page of a walk and of a fleet. It is written here and not in the browser, so that it needs no JavaScript.

use std::fmt::{Display, Write};
use std::time::Duration;

use axum::http::StatusCode;
use customers::server::Problem;
use postcode_core::layers::fleet::FleetSnapshot;
use postcode_core::layers::walk::{Cause, Criterion, Decision, Move, Walk, WalkStep};
use postcode_core::layers::{Evidence, Promotion, Stage};
use postcode_edge::reference::escaped;

use crate::walk::{Progress, Written};

/// The most processes of a fleet that are shown.
const MOST_PROCESSES: usize = 200;

/// Returns a text as HTML that shows it.
fn plain(text: impl Display) -> String {
    escaped(&text.to_string())
}

/// Returns the whole page.
pub(super) fn page(
    promotion: &Promotion,
    walk: Option<&Progress>,
    fleet: Option<&Result<FleetSnapshot, String>>,
) -> String {
    let mut page = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>Walk of the postcode lookup</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"page.css\">\n<main>\n\
         <h1>Walk of the postcode lookup</h1>\n\
         <p><a href=\"walk\">Look again</a> · <a href=\"./\">All numbers</a></p>\n<section id=\"walk\">\n"
        .to_owned();
    match walk {
        Some(walk) => self::walk(&mut page, promotion, walk),
        None => {
            let plan = plain(promotion.plan());
            let _ =
                writeln!(page, "<p>No walk: the plan is <code>{plan}</code>. See <code>--walk</code>.</p>");
        }
    }
    page += "</section>\n";
    match fleet {
        None => {}
        Some(Ok(fleet)) => self::fleet(&mut page, fleet),
        Some(Err(error)) => {
            let _ = writeln!(page, "<h2>Fleet</h2>\n<p class=\"bad\">{}</p>", plain(error));
        }
    }
    page += "</main>\n</html>\n";
    page
}

/// Returns the text of the certificate.
pub(super) fn certificate(walk: Option<&Progress>) -> Result<String, Problem> {
    let missing = |detail: &str| Problem::new(StatusCode::NOT_FOUND, "no_certificate", detail);
    let walk = walk.ok_or_else(|| missing("this program does not walk: see --walk"))?;
    match walk.certificate() {
        Written::Not => Err(missing("the walk has not ended, or its certificate is being written")),
        Written::Failed(error) => Err(missing(&format!("the certificate was not written: {error}"))),
        Written::Text(text) => Ok(text.to_string()),
    }
}

fn share(share: f64) -> String {
    format!("{} %", (share * 1e6).round() / 1e4)
}

fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

fn clock(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn named(step: &WalkStep) -> String {
    match step.share {
        Some(part) if matches!(step.stage, Stage::Shadow | Stage::Canary) => {
            format!("{}, {}", step.stage, share(part))
        }
        _ => step.stage.to_string(),
    }
}

fn walk(page: &mut String, promotion: &Promotion, progress: &Progress) {
    let (walk, moves) = (&progress.walk, progress.moves());
    let current = step_of(&moves);
    let entered = moves.last().map_or(0, |last| last.at_ms);
    let took = Duration::from_millis(progress.now_ms().saturating_sub(entered));
    let evidence = promotion.evidence().map_or_else(Evidence::default, |(now, _)| now);
    let now = current.and_then(|at| walk.steps.get(at)).map(|step| step.decide(&evidence, took, walk.chance));
    state(page, progress, current, now.as_ref(), took);
    *page += "<h2>Steps</h2>\n<ol>\n";
    for (number, step) in walk.steps.iter().enumerate() {
        let left = left(&moves, number);
        let (what, class, criteria) = match (left, current) {
            (Some(left), _) => {
                let when = format!("done at {}", clock(left.at_ms));
                (when, "good", left.criteria.clone())
            }
            (None, Some(at)) if at == number => {
                let criteria = now.as_ref().map_or_else(Vec::new, |(_, criteria)| criteria.clone());
                (format!("now, for {}", time(took)), "", criteria)
            }
            (None, Some(at)) if at + 1 == number => ("next".to_owned(), "dim", demanded(step, walk)),
            (None, _) => ("not begun".to_owned(), "dim", demanded(step, walk)),
        };
        let mark = if current == Some(number) { " aria-current=\"step\"" } else { "" };
        let _ = writeln!(
            page,
            "<li{mark}><p><strong>{}</strong>: <span class=\"{class}\">{what}</span></p>",
            plain(named(step))
        );
        table(page, &named(step), &criteria, walk.chance, left.is_some() || current == Some(number));
        if let Some(longest) = step.at_most {
            let _ = writeln!(page, "<p class=\"dim\">Takes at most {}.</p>", time(longest));
        }
        *page += "</li>\n";
    }
    *page += "</ol>\n<h2>Moves</h2>\n<ol>\n";
    for made in &moves {
        let class = if made.cause == Cause::Guard { "bad" } else { "" };
        let _ = writeln!(
            page,
            "<li><p>{}: {} to {}, share {}. <span class=\"{class}\">{}</span></p></li>",
            clock(made.at_ms),
            made.from,
            made.to,
            share(made.share),
            plain(sentence(&made.reason))
        );
    }
    *page += "</ol>\n";
}

fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Says in a paragraph what the walk does now and what it waits for.
fn state(
    page: &mut String,
    progress: &Progress,
    current: Option<usize>,
    now: Option<&(Decision, Vec<Criterion>)>,
    took: Duration,
) {
    let walk = &progress.walk;
    let text = match (progress.outcome(), current) {
        (Some(outcome), _) => {
            let how = match outcome {
                postcode_core::layers::walk::Outcome::Done => "all steps are shown",
                postcode_core::layers::walk::Outcome::SteppedBack => "the guard rolled back",
                postcode_core::layers::walk::Outcome::NotShown => "a step was not shown in its time",
                postcode_core::layers::walk::Outcome::TakenOver => "someone else changed the plan",
            };
            format!("The walk has ended: {how}.")
        }
        (None, Some(at)) => {
            let name = walk.steps.get(at).map(named).unwrap_or_default();
            let waits: Vec<String> = now
                .iter()
                .flat_map(|(_, criteria)| criteria)
                .filter(|criterion| !criterion.shown)
                .map(|criterion| title(&criterion.name))
                .collect();
            let next = walk.steps.get(at + 1).map_or_else(|| "the end".to_owned(), named);
            let holds = if waits.is_empty() {
                "Everything is shown".to_owned()
            } else {
                format!("It holds until this is shown: {}", waits.join(", "))
            };
            format!(
                "Step {} of {}: {name}, for {}. {holds}. Next: {next}.",
                at + 1,
                walk.steps.len(),
                time(took)
            )
        }
        (None, None) => {
            format!("The guard rolled back. The walk begins again after a pause of {}.", time(walk.pause))
        }
    };
    let _ = writeln!(page, "<p role=\"status\">{}</p>", plain(text));
    match progress.certificate() {
        Written::Text(_) => *page += "<p><a href=\"walk/certificate\">The certificate</a></p>\n",
        Written::Failed(error) => {
            let _ = writeln!(page, "<p class=\"bad\">The certificate was not written: {}</p>", plain(error));
        }
        Written::Not if progress.outcome().is_some() => {
            *page += "<p class=\"dim\">The certificate is being written.</p>\n";
        }
        Written::Not => {}
    }
}

/// Returns the step that the walk is in.
fn step_of(moves: &[Move]) -> Option<usize> {
    moves.iter().fold(None, |step, made| match made.cause {
        Cause::Began => Some(0),
        Cause::Shown => step.map(|step| step + 1),
        _ => None,
    })
}

/// Returns the move that left a step because all of it was shown, since the walk last began.
fn left(moves: &[Move], number: usize) -> Option<&Move> {
    let began = moves.iter().rposition(|made| made.cause == Cause::Began)?;
    moves[began..].iter().filter(|made| made.cause == Cause::Shown).nth(number)
}

/// Returns the name of a criterion as a person reads it.
fn title(name: &str) -> String {
    match name {
        "at_least" => "time in the stage".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Returns what a step demands, before anything is observed.
fn demanded(step: &WalkStep, walk: &Walk) -> Vec<Criterion> {
    step.decide(&Evidence::default(), Duration::ZERO, walk.chance).1
}

fn table(page: &mut String, step: &str, criteria: &[Criterion], chance: f64, is_observed: bool) {
    if criteria.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "<div class=\"scroll\" role=\"group\" aria-label=\"Criteria of {}\" tabindex=\"0\"><table>\n<thead><tr>\
         <th scope=\"col\">Criterion</th><th scope=\"col\">Limit</th><th scope=\"col\">Seen</th>\
         <th scope=\"col\">Evidence</th></tr></thead>\n<tbody>",
        plain(step)
    );
    for criterion in criteria {
        let Criterion { name, limit, count, of, evidence, shown } = criterion;
        let is_time = name == "at_least";
        let (limit, seen) = match evidence {
            Some(_) => (format!("below {}", share(*limit)), format!("{count} of {of}")),
            None if is_time => {
                let limit = time(Duration::from_millis(*limit as u64));
                (format!("{limit} or more"), time(Duration::from_millis(*count)))
            }
            None => (format!("{limit} or more"), count.to_string()),
        };
        let found = match evidence {
            _ if !is_observed => String::new(),
            Some(found) => {
                // Large numbers say no more than that it is enough.
                let found = if *found < 1e6 { format!("{found:.1}") } else { "over a million".to_owned() };
                format!("{found} to one of {:.0}", 1.0 / chance)
            }
            None => (if *shown { "reached" } else { "not yet" }).to_owned(),
        };
        let class = if *shown { "good" } else { "dim" };
        let seen = if is_observed { seen } else { String::new() };
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{limit}</td><td>{seen}</td><td class=\"{class}\">{found}</td></tr>",
            plain(title(name))
        );
    }
    *page += "</tbody>\n</table></div>\n";
}

fn fleet(page: &mut String, fleet: &FleetSnapshot) {
    let there: Vec<String> =
        fleet.acknowledged.iter().map(|it| format!("{} at revision {}", it.processes, it.revision)).collect();
    let _ = writeln!(
        page,
        "<h2>Fleet</h2>\n<p>Revision {}: <code>{}</code>. Processes: {}.</p>\n\
         <div class=\"scroll\" role=\"group\" aria-label=\"Processes of the fleet\" tabindex=\"0\"><table>\n<thead><tr>\
         <th scope=\"col\">Process</th><th scope=\"col\">Revision</th><th scope=\"col\">Does</th>\
         <th scope=\"col\">To the new</th><th scope=\"col\">Failed</th><th scope=\"col\">Differences</th></tr></thead>\n<tbody>",
        fleet.plan.revision,
        plain(&fleet.plan.plan),
        if there.is_empty() { "none".to_owned() } else { there.join(", ") }
    );
    for process in fleet.processes.iter().take(MOST_PROCESSES) {
        let sum = |of: fn(&Evidence) -> u64| process.rows.iter().map(|row| of(&row.observed)).sum::<u64>();
        let does = process.error.clone().unwrap_or_else(|| process.plan.to_string());
        let class = if process.revision == fleet.plan.revision { "good" } else { "bad" };
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td class=\"{class}\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            plain(&process.process),
            process.revision,
            plain(does),
            sum(|seen| seen.asked),
            sum(|seen| seen.failed),
            sum(|seen| seen.mismatched)
        );
    }
    *page += "</tbody>\n</table></div>\n";
}
