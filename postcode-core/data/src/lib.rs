#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

/// The packed country. `postcode_core::dataset::Dataset::embedded` unpacks it.
pub static PACK: &[u8] = include_bytes!("../gb.pack");

/// The edition of the ONS Postcode Directory that the rows come from.
pub const EDITION: &str = "ONSPD November 2025";

/// Where each field comes from: the lines `field,source,date`, after a header. The date is `2025-04` or
/// `2022`, and empty for a field that follows from another one.
pub const FIELDS: &str = include_str!("../fields.csv");

/// Returns source and date of the values of a field, by its name in the HTTP API.
///
/// ```
/// let sources: Vec<_> = postcode_data_gb::sources("admin_ward").collect();
/// assert_eq!(sources, [("Code-Point Open", "2025-04")]);
/// ```
pub fn sources(field: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    FIELDS.lines().skip(1).filter_map(move |line| {
        let (name, rest) = line.split_once(',')?;
        let (source, date) = rest.rsplit_once(',')?;
        (name == field).then_some((source, date))
    })
}

#[cfg(test)]
mod tests {
    /// Returns `April 2025` for `2025-04`, and `2022` for itself.
    fn written(date: &str) -> String {
        match date.split_once('-') {
            Some((year, month)) => format!("{} {year}", MONTHS[month.parse::<usize>().unwrap() - 1]),
            None => date.to_owned(),
        }
    }

    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];

    #[test]
    fn readme_has_the_sources_and_dates_of_the_table() {
        let readme = include_str!("../README.md");
        let rows = readme.lines().skip_while(|line| !line.starts_with("| field |")).skip(2);
        let mut named = Vec::new();
        for row in rows.take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            for field in cells[0].split(", ") {
                let field = field.trim_matches('`');
                let field = field.strip_prefix("codes.").unwrap_or(field);
                let sources = super::sources(field).map(|(source, date)| match date {
                    "" => source.to_owned(),
                    date => format!("{source}, {}", written(date)),
                });
                assert_eq!(sources.collect::<Vec<_>>().join("; "), cells[2], "{field}");
                named.push(field);
            }
        }
        let table = super::FIELDS.lines().skip(1).filter_map(|line| line.split(',').next());
        assert!(named.len() > 20, "{named:?}");
        for field in table {
            assert!(named.contains(&field), "{field} is not in the README");
        }
    }

    /// The registry's limit is 10,000,000 bytes for the compressed package, and a pack does not
    /// compress. The rest of the package takes less than the difference.
    #[test]
    fn pack_is_small_enough_to_be_published() {
        assert!(super::PACK.len() < 9_950_000, "{} bytes", super::PACK.len());
    }

    #[test]
    fn version_is_the_edition() {
        let month = env!("CARGO_PKG_VERSION_MINOR").parse::<usize>().map_or("", |month| MONTHS[month - 1]);
        assert_eq!(super::EDITION, format!("ONSPD {month} {}", env!("CARGO_PKG_VERSION_MAJOR")));
    }
}
