//! Looks at the data: whether it opens, how old it is, what it lacks.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use postcode_core::dataset::{Demands, PublicKey, Verify};
use postcode_core::{AreaKind, Local, path_or_url};
use postcode_edge::cli::Configuration;

use super::finding::Finding;
use crate::cli::source::DatasetSource;
use crate::months::MONTHS;

/// Months after which a newer edition is out: ONS publishes in February, May, August and November.
const CURRENT: i32 = 4;

pub(super) async fn look(configuration: &Configuration) -> Vec<Finding> {
    let url = path_or_url(configuration.get("data").unwrap_or("embedded:"));
    let verify =
        configuration.get("verify").and_then(|name| name.parse::<Verify>().ok()).unwrap_or(Verify::Full);
    let key = configuration.get("public-key").map(str::parse::<PublicKey>).and_then(Result::ok);
    let demands = Demands::default().verify(verify).public_key(key);
    let path = match DatasetSource::parse(url.as_ref()) {
        Ok(DatasetSource::File(path)) => Some(path),
        _ => None,
    };
    let opened = tokio::task::spawn_blocking({
        let url = url.clone();
        move || Local::open_url(&url, demands)
    });
    let local = match opened.await {
        Ok(Ok(opened)) => opened.local,
        Ok(Err(error)) => {
            let advice = "Make the file with `postcode-service import`, or name it by --data. `verify` checks all of it";
            return vec![Finding::fault("data", error.to_string(), advice)];
        }
        Err(_) => {
            return vec![Finding::fault("data", "reading it ended unexpectedly", "Run `verify` on the file")];
        }
    };
    let dataset = local.dataset();
    let info = dataset.info();
    let mut findings = vec![Finding::good(
        "data",
        format!("{url}: {}, {} postcodes in use, {} terminated", info.edition, info.live, info.terminated),
    )];
    findings.extend(age(&info.edition, Timestamp::now().to_zoned(TimeZone::UTC).date()));
    if !info.not_covered.is_empty() {
        findings.push(Finding::remark(
            "coverage",
            format!("the data leaves out {}", info.not_covered.join(", ")),
            info.not_covered_advice.as_deref().unwrap_or("Import an edition of ONSPD that has them"),
        ));
    }
    let names = [AreaKind::AdminWard, AreaKind::ParliamentaryConstituency, AreaKind::Lsoa21];
    let sample = dataset.iter().filter(|record| record.area(AreaKind::Country).is_some()).take(1_000);
    let (mut rows, mut found) = (0, [0; 3]);
    for record in sample {
        rows += 1;
        for (count, kind) in found.iter_mut().zip(names) {
            *count += i32::from(record.area(kind).is_some());
        }
    }
    let lacking: Vec<&str> = names
        .iter()
        .zip(found)
        .filter(|(_, count)| rows > 0 && *count == 0)
        .map(|(kind, _)| kind.key())
        .collect();
    if !lacking.is_empty() {
        findings.push(Finding::remark(
            "columns",
            format!("the data has no {}: these fields are null in every answer", lacking.join(", ")),
            "Import ONSPD for all areas: docs/IMPORT.md says how",
        ));
    }
    findings.extend(path.as_deref().and_then(permissions));
    findings
}

/// Looks at who else may change the file.
fn permissions(path: &Path) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o022 != 0).then(|| {
        Finding::remark(
            "data",
            format!("{}: others than its owner may write it (mode {:03o})", path.display(), mode & 0o777),
            format!(
                "The file is mapped, so a change to it can end the server: chmod go-w {}",
                path.display()
            ),
        )
    })
}

/// Finds a month in the name of an edition, such as `ONSPD November 2025`, and says if it is old.
fn age(edition: &str, today: Date) -> Option<Finding> {
    let words: Vec<String> = edition.split([' ', '_', '-']).map(str::to_ascii_lowercase).collect();
    let (month, year) = words.windows(2).find_map(|pair| {
        let month = MONTHS.iter().position(|month| pair[0].starts_with(&month[..3].to_ascii_lowercase()))?;
        let year = pair[1].parse::<i16>().ok().filter(|year| (1980..=9999).contains(year))?;
        Some((month as i32 + 1, year))
    })?;
    let months = (i32::from(today.year()) - i32::from(year)) * 12 + i32::from(today.month()) - month;
    let found = format!("{edition} is {months} months old");
    match months {
        ..0 => Some(Finding::remark(
            "age",
            format!("{edition} is in the future"),
            "Check the clock of this machine: tokens and certificates expire by it",
        )),
        0..=CURRENT => Some(Finding::good("age", found)),
        _ => Some(Finding::remark(
            "age",
            found,
            "A newer one is out: National Statistics publishes in February, May, August and November. Import it and \
             send SIGHUP",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Severity;

    #[test]
    fn edition_older_than_a_quarter_is_remarked_and_an_unnamed_one_is_not() {
        let today = Date::constant(2026, 11, 28);
        let severity = |edition: &str| age(edition, today).map(|finding| finding.severity);
        assert_eq!(severity("ONSPD November 2025"), Some(Severity::Remark));
        assert_eq!(severity("ONSPD August 2026"), Some(Severity::Good));
        assert_eq!(severity("ONSPD_NOV_2026"), Some(Severity::Good));
        assert_eq!(severity("NSPL February 2027"), Some(Severity::Remark));
        assert_eq!(severity("made by hand"), None);
        assert_eq!(severity(""), None);
    }
}
