//! Columns that the data does not have: they are refused, because in every row they would be empty.

use std::fmt;

use postcode_core::{AreaKind, DatasetInfo, Error, ErrorKind, PostcodeLookup};

use super::Column;

/// Returns the description of the data behind a lookup. A service that does not describe its data, such as postcodes.io,
/// has one without columns, and then nothing is refused.
///
/// # Errors
/// Returns the other errors of [`PostcodeLookup::info`].
pub async fn described(lookup: &dyn PostcodeLookup) -> Result<DatasetInfo, Error> {
    match lookup.info().await {
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(DatasetInfo::new("")),
        described => described,
    }
}

/// Columns that were asked for, and that no postcode of the data has a value in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentColumns {
    columns: Vec<(Column, Why)>,
    edition: String,
}

/// Why a column is empty, which tells what would fill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The data has the codes of these areas, and not their names.
    Unnamed(AreaKind),
    /// The data has nothing of it; this would supply it.
    Missing(&'static str),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed(kind) => {
                write!(f, "it has codes.{}; names come with the publisher's whole zip", kind.key())
            }
            Self::Missing(supply) => f.write_str(supply),
        }
    }
}

impl AbsentColumns {
    /// Checks that the data has a value in each of these columns.
    ///
    /// # Errors
    /// Returns the columns that it does not have, with the imports that supply them.
    pub fn check(columns: &[Column], info: &DatasetInfo) -> Result<(), Self> {
        let absent = columns.iter().filter(|column| !column.is_in(info));
        let columns: Vec<(Column, Why)> = absent.map(|column| (*column, why(*column, info))).collect();
        match columns.is_empty() {
            true => Ok(()),
            false => Err(Self { columns, edition: info.edition.clone() }),
        }
    }

    /// Returns the names of the columns.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(|(column, _)| column.to_string())
    }

    /// Returns each column with the import that supplies it.
    pub fn reasons(&self) -> impl Iterator<Item = (String, String)> {
        self.columns.iter().map(|(column, why)| (column.to_string(), why.to_string()))
    }
}

fn why(column: Column, info: &DatasetInfo) -> Why {
    match column.named_area() {
        Some(kind) if info.columns.contains(&format!("codes.{}", kind.key())) => Why::Unnamed(kind),
        _ => Why::Missing(supplied_by(column)),
    }
}

/// Returns what has this column.
fn supplied_by(column: Column) -> &'static str {
    match column.area() {
        Some(AreaKind::ParliamentaryConstituencyBefore) => {
            "import with --boundaries-before and a dataset of 2023 or earlier"
        }
        Some(
            AreaKind::AdminDistrict | AreaKind::AdminWard | AreaKind::AdminCounty | AreaKind::HealthAuthority,
        ) => "import ONSPD, NSPL or Code-Point Open",
        Some(AreaKind::PrimaryCareTrust | AreaKind::EuropeanElectoralRegion) => "import an ONSPD",
        Some(AreaKind::RuralUrban21 | AreaKind::OutputArea21 | AreaKind::Lsoa21 | AreaKind::Msoa21) => {
            "import ONSPD or NSPL of 2023 or later"
        }
        _ => "import ONSPD or NSPL",
    }
}

impl fmt::Display for AbsentColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the data ({}) has no values in ", self.edition)?;
        for (n, (column, why)) in self.columns.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{column} ({why})")?;
        }
        f.write_str(
            ". Leave these columns out, or add them empty with --allow-empty (over HTTP allow_empty=true)",
        )
    }
}

impl std::error::Error for AbsentColumns {}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test it is the failure.
mod tests {
    use super::*;

    #[test]
    fn columns_of_other_data_are_absent_with_the_import_that_has_them() {
        let mut info = DatasetInfo::new("Code-Point Open, May 2026");
        let columns = Column::list("status,admin_ward,codes.admin_ward,latitude,parish,lsoa").unwrap();
        assert_eq!(AbsentColumns::check(&columns, &info), Ok(()), "what the data has is not known");
        info.columns = ["eastings", "latitude", "codes.admin_ward"].map(str::to_owned).to_vec();
        let absent = AbsentColumns::check(&columns, &info).unwrap_err();
        assert_eq!(absent.names().collect::<Vec<_>>(), ["admin_ward", "parish", "lsoa"]);
        let text = absent.to_string();
        assert!(text.contains("(Code-Point Open, May 2026)"), "{text}");
        assert!(text.contains("admin_ward (it has codes.admin_ward;"), "{text}");
        assert!(text.contains("parish (import ONSPD or NSPL)"), "{text}");
        assert!(text.contains("lsoa (import ONSPD or NSPL of 2023 or later)"), "{text}");
        let derived = Column::list("postcode,outcode,incode,error,grid_system,postcode_clean").unwrap();
        assert_eq!(AbsentColumns::check(&derived, &info), Ok(()));
    }
}
