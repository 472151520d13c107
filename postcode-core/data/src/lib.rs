#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

/// The packed country. `postcode_core::dataset::Dataset::embedded` unpacks it.
pub static PACK: &[u8] = include_bytes!("../gb.pack");

/// The edition of the ONS Postcode Directory that the rows come from.
pub const EDITION: &str = "ONSPD November 2025";

#[cfg(test)]
mod tests {
    /// The registry's limit is 10,000,000 bytes for the compressed package, and a pack does not
    /// compress. The rest of the package takes less than the difference.
    #[test]
    fn pack_is_small_enough_to_be_published() {
        assert!(super::PACK.len() < 9_950_000, "{} bytes", super::PACK.len());
    }

    #[test]
    fn version_is_the_edition() {
        let months = [
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
        let month = env!("CARGO_PKG_VERSION_MINOR").parse::<usize>().map_or("", |month| months[month - 1]);
        assert_eq!(super::EDITION, format!("ONSPD {month} {}", env!("CARGO_PKG_VERSION_MAJOR")));
    }
}
