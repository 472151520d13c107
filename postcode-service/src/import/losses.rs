//! Finds losses against the previous edition: a column that is suddenly empty, missing names, a
//! missing country.

use postcode_core::dataset::Metadata;

use super::coverage::Coverage;
use super::doubts::{Doubt, Finding};

/// How much less of its live postcodes, out of one, may have a column or a name than before.
const TOLERANCE: f64 = 0.05;
/// Countries with fewer live postcodes say nothing.
const FEW: u64 = 100;

/// `Scotland: names of admin_ward, 99.8 % before, 0.0 % now`
fn loss(country: &str, code: &str, what: &str, old: f64, new: f64) -> Finding {
    let (old, new) = (old * 100.0, new * 100.0);
    let mut finding =
        Finding::new(Doubt::Losses, format!("{country}: {what}, {old:.1} % before, {new:.1} % now"));
    finding.column = Some(what.to_owned());
    finding.country = (!code.is_empty()).then(|| code.to_owned());
    finding
}

/// Returns the marked losses of the new edition, by country.
pub(super) fn losses(coverage: &Coverage, old: &Metadata, new: &Metadata) -> Vec<Finding> {
    let mut losses = Vec::new();
    for (what, old, new) in [
        ("places", old.places, new.places),
        ("Scottish postcodes", old.scottish_postcodes, new.scottish_postcodes),
    ] {
        let rows = if old == 0 { 1.0 } else { new as f64 / old as f64 };
        if rows < 1.0 - TOLERANCE {
            losses.push(loss("all countries", "", what, 1.0, rows));
        }
    }
    for country in &coverage.countries {
        let Some(before) = country.live_before.filter(|before| *before >= FEW) else { continue };
        let mut lost = |what: &str, old: f64, new: f64| {
            losses.push(loss(&country.name, &country.code, what, old, new));
        };
        let rows = country.live as f64 / before as f64;
        if rows < 1.0 - TOLERANCE {
            lost("live postcodes", 1.0, rows);
        }
        if country.live < FEW {
            continue;
        }
        for column in &country.columns {
            let filled = column.filled_before.unwrap_or(0.0);
            if filled - column.filled > TOLERANCE {
                lost(&column.column, filled, column.filled);
            }
            let (named, now) = (column.named_before.unwrap_or(0.0), column.named.unwrap_or(0.0));
            if named - now > TOLERANCE {
                lost(&format!("names of {}", column.column), named, now);
            }
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;
    use postcode_core::AreaKind;
    use postcode_core::dataset::{Dataset, DatasetBuilder, Row};

    /// Builds an edition of one country in which some live postcodes have a ward, and some wards a
    /// name.
    fn edition(rows: u32, with_ward: u32, named: u32) -> Dataset {
        let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
        builder.name_area(AreaKind::Country, "S92000003", Some("Scotland"), None).unwrap();
        for n in 0..rows {
            let letters = b"ABDEFGHJLNPQRSTUWXYZ";
            let letter = |n: u32| char::from(letters[n as usize % letters.len()]);
            let text = format!("AB{} {}{}{}", 10 + n / 4_000, n / 400 % 10, letter(n / 20), letter(n));
            let mut row = Row::live(text.parse().unwrap());
            row.areas.set(builder.area(AreaKind::Country, "S92000003").unwrap());
            if n < with_ward {
                let code = format!("S13{n:06}");
                row.areas.set(builder.area(AreaKind::AdminWard, &code).unwrap());
                let name = (n < named).then_some("Some ward");
                builder.name_area(AreaKind::AdminWard, &code, name, None).unwrap();
            }
            builder.push(&row).unwrap();
        }
        builder.build().unwrap()
    }

    fn told(old: &Dataset, new: &Dataset) -> Vec<String> {
        let coverage = Coverage::of(new, Some(old));
        losses(&coverage, old.metadata(), new.metadata()).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn what_collapses_is_told_by_country_and_column() {
        let old = edition(1_000, 1_000, 1_000);
        assert_eq!(told(&old, &edition(1_000, 1_000, 1_000)), [""; 0]);
        // A small loss is accepted, and so is a gain.
        assert_eq!(told(&old, &edition(960, 930, 900)), [""; 0]);
        assert_eq!(told(&edition(900, 100, 0), &old), [""; 0]);
        assert_eq!(
            told(&old, &edition(1_000, 900, 900)),
            ["Scotland: admin_ward, 100.0 % before, 90.0 % now"]
        );
        assert_eq!(
            told(&old, &edition(1_000, 1_000, 0)),
            ["Scotland: names of admin_ward, 100.0 % before, 0.0 % now"]
        );
        assert_eq!(
            told(&old, &edition(500, 500, 500)),
            ["Scotland: live postcodes, 100.0 % before, 50.0 % now"]
        );
        assert_eq!(told(&old, &edition(0, 0, 0)), ["Scotland: live postcodes, 100.0 % before, 0.0 % now"]);
        // Too few to say anything.
        assert_eq!(told(&edition(99, 99, 99), &edition(99, 0, 0)), [""; 0]);
    }

    #[test]
    fn the_table_says_shares_and_changes() {
        let (old, new) = (edition(1_000, 1_000, 1_000), edition(1_000, 500, 250));
        let text = Coverage::of(&new, Some(&old)).to_string();
        let line = |label: &str| {
            let line = text.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("{text}"));
            line[label.len()..].trim().to_owned()
        };
        assert_eq!(line("live postcodes, % filled"), "Scotland");
        assert_eq!(line("admin_ward"), "50.0 (-50.0)");
        assert_eq!(line("  with a name"), "50.0 (-50.0)");
        assert!(!text.contains("Parish"), "{text}");
        // Nothing to compare with, and no names at all.
        let text = Coverage::of(&edition(1_000, 999, 0), None).to_string();
        assert!(text.contains("admin_ward                                        99.9\n"), "{text}");
    }
}
