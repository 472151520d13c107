//! The columns that can be added to a row.

use std::fmt;
use std::str::FromStr;

use postcode_addresses::AddressAnswer;
use postcode_addresses::matching::Match;
use postcode_core::{Answer, AreaKind, DatasetInfo, GridSystem, Location, Postcode, UserType};
use serde::Serialize;

use super::addresses::{self, AddressColumn};
use super::value::Value;

/// A column to add, by its name in the HTTP API: that of a key of the postcode object (`admin_district`, `latitude`,
/// `status` …), `codes.` and a key for the code of an area (`codes.admin_district`), `error`, which says why a row has no
/// postcode, or `postcode_clean`, the row's postcode as it is usually written, repaired if that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column(What);

impl Serialize for Column {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Column {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Plain(Plain),
    Name(AreaKind),
    Code(AreaKind),
    Address(AddressColumn),
}

macro_rules! plain {
    ($($variant:ident $name:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Plain { $($variant),* }

        impl Plain {
            const ALL: &[Self] = &[$(Self::$variant),*];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

plain! {
    Postcode "postcode", Status "status", Error "error", Outcode "outcode", Incode "incode", Quality "quality",
    Eastings "eastings", Northings "northings", GridSystem "grid_system", Longitude "longitude",
    Latitude "latitude", Lsoa "lsoa", Msoa "msoa", UserType "user_type",
    Introduced "date_of_introduction", Terminated "date_of_termination",
    Deprivation "index_of_multiple_deprivation", Clean "postcode_clean",
}

/// The result of the lookup for a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found<'a> {
    /// The row's postcode, as it stands there or repaired.
    pub(crate) postcode: Option<Postcode>,
    /// The answer for it.
    pub(crate) answer: Option<&'a Answer>,
    /// Why there is no postcode.
    pub(crate) error: Option<&'a str>,
    /// Whether the postcode was repaired.
    pub(crate) repaired: bool,
    /// The addresses of the postcode, if a column needs them.
    pub(crate) addresses: Option<&'a AddressAnswer>,
    /// The address that the row means, if a column needs it.
    pub(crate) matched: Option<Match<'a>>,
}

#[cfg(any(feature = "cli", test))]
impl<'a> Found<'a> {
    /// Returns the result of a lookup that no row asked for.
    pub(crate) fn of(answer: &'a Answer) -> Self {
        Self { answer: Some(answer), ..Self::default() }
    }
}

impl Found<'_> {
    fn status(&self) -> &'static str {
        match self.answer {
            Some(_) if self.repaired => "repaired",
            Some(answer) => answer.status(),
            None => "invalid",
        }
    }
}

/// The kind of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Whole,
    Degrees,
}

impl Column {
    /// The columns that are added unless others are asked for, as far as the data has them.
    pub const USUAL: &str = "status,admin_district,region,country,latitude,longitude";

    /// `postcode_clean`.
    pub fn clean() -> Self {
        Self(What::Plain(Plain::Clean))
    }

    /// Those of a comma list, without columns of addresses.
    ///
    /// # Errors
    /// Names the unknown column, and lists the valid ones.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        let columns = Self::list_with_addresses(text)?;
        match columns.iter().find(|column| column.needs_addresses()) {
            Some(column) => Err(format!(
                "the column {column} needs address data: only the command enrich has it, with --addresses"
            )),
            None => Ok(columns),
        }
    }

    /// Those of a comma list, also columns of addresses.
    ///
    /// # Errors
    /// Names the unknown column, and lists the valid ones.
    pub fn list_with_addresses(text: &str) -> Result<Vec<Self>, String> {
        let mut columns = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let column = name.parse()?;
            if columns.contains(&column) {
                return Err(format!("the column {name:?} is named twice: name each once"));
            }
            columns.push(column);
        }
        if columns.is_empty() { Err("no column is named: name one or more".to_owned()) } else { Ok(columns) }
    }

    /// Returns whether the column is from address data.
    pub fn needs_addresses(self) -> bool {
        matches!(self.0, What::Address(_))
    }

    /// Returns whether the column is about the address that stands in the row.
    pub(crate) fn needs_address_text(self) -> bool {
        matches!(self.0, What::Address(column) if column.needs_text())
    }

    /// Returns the names of the columns from address data.
    pub fn address_names() -> impl Iterator<Item = &'static str> {
        AddressColumn::ALL.into_iter().map(AddressColumn::name)
    }

    /// Returns all names, except those of columns from address data.
    pub fn names() -> impl Iterator<Item = String> {
        let plain = Plain::ALL.iter().map(|plain| Self(What::Plain(*plain)));
        let names = AreaKind::ALL.into_iter().map(|kind| Self(What::Name(kind)));
        let codes = AreaKind::ALL.into_iter().map(|kind| Self(What::Code(kind)));
        plain.chain(names).chain(codes).map(|column| column.to_string())
    }

    /// Returns the columns of [`USUAL`](Self::USUAL) that the data has, or all of them, and a note about those that are
    /// left out.
    pub fn usual_of(info: &DatasetInfo, all: bool) -> (Vec<Self>, Option<String>) {
        let usual = Self::list(Self::USUAL).unwrap_or_default().into_iter();
        let (columns, left_out): (Vec<Self>, Vec<Self>) = usual.partition(|column| all || column.is_in(info));
        let names: Vec<String> = left_out.iter().map(Self::to_string).collect();
        let note = || format!("left out, because the data has no values in them: {}", names.join(", "));
        (columns, (!names.is_empty()).then(note))
    }

    /// Returns whether the data has a value in this column for at least one postcode, as far as that is known.
    pub fn is_in(self, info: &DatasetInfo) -> bool {
        if info.columns.is_empty() {
            return true;
        }
        let has = |name: &str| info.columns.iter().any(|column| column == name);
        match self.0 {
            What::Name(kind) => has(kind.key()),
            What::Code(kind) => has(&format!("codes.{}", kind.key())),
            // Address data has them.
            What::Address(_) => true,
            What::Plain(plain) => match plain {
                // Every row has these, or they say something about the row of the input.
                Plain::Postcode
                | Plain::Status
                | Plain::Error
                | Plain::Clean
                | Plain::Outcode
                | Plain::Incode => true,
                Plain::GridSystem => has("eastings"),
                Plain::Lsoa => has(AreaKind::Lsoa21.key()),
                Plain::Msoa => has(AreaKind::Msoa21.key()),
                other => has(other.name()),
            },
        }
    }

    /// Returns the kind of area, for a name or a code of one.
    pub(super) fn area(self) -> Option<AreaKind> {
        match self.0 {
            What::Code(kind) => Some(kind),
            _ => self.named_area(),
        }
    }

    /// Returns the kind of area whose name this is.
    pub(super) fn named_area(self) -> Option<AreaKind> {
        match self.0 {
            What::Name(kind) => Some(kind),
            What::Plain(Plain::Lsoa) => Some(AreaKind::Lsoa21),
            What::Plain(Plain::Msoa) => Some(AreaKind::Msoa21),
            What::Plain(_) | What::Code(_) | What::Address(_) => None,
        }
    }

    /// Returns whether that is the column's name.
    pub(super) fn is(self, name: &str) -> bool {
        match self.0 {
            What::Plain(plain) => plain.name() == name,
            What::Name(kind) => kind.key() == name,
            What::Code(kind) => name.strip_prefix("codes.") == Some(kind.key()),
            What::Address(column) => column.name() == name,
        }
    }

    /// Returns the kind of its values, also of a column in which all are missing.
    pub(crate) fn holds(self) -> Holds {
        match self.0 {
            What::Plain(Plain::Quality | Plain::Eastings | Plain::Northings | Plain::Deprivation) => {
                Holds::Whole
            }
            What::Address(
                AddressColumn::Count | AddressColumn::Udprn | AddressColumn::Umprn | AddressColumn::Uprn,
            ) => Holds::Whole,
            What::Plain(Plain::Longitude | Plain::Latitude) => Holds::Degrees,
            What::Plain(_) | What::Name(_) | What::Code(_) | What::Address(_) => Holds::Text,
        }
    }

    pub(crate) fn value<'a>(self, found: &Found<'a>) -> Value<'a> {
        let record = found.answer.and_then(Answer::record);
        let text = |text: Option<&'a str>| text.map_or(Value::None, |text| Value::Text(text.into()));
        let shown = |text: Option<String>| text.map_or(Value::None, |text| Value::Text(text.into()));
        let number = |number: Option<u64>| number.map_or(Value::None, Value::Number);
        let degrees = |of: fn(Location) -> f64| {
            record
                .and_then(|record| record.location)
                .map_or(Value::None, |location| Value::Degrees(of(location)))
        };
        let name = |kind| text(record.and_then(|record| record.area_name(kind)));
        match self.0 {
            What::Name(kind) => name(kind),
            // The code of the territory is the second one; the first is that of the administrative unit in it.
            What::Code(AreaKind::Nuts) => {
                text(record.and_then(|record| record.area(AreaKind::Nuts)).and_then(|area| area.alias))
            }
            What::Code(kind) => text(record.and_then(|record| record.area_code(kind))),
            What::Address(column) => {
                let some = found.addresses.map_or(&[][..], AddressAnswer::addresses);
                match (column, found.addresses) {
                    (_, None) => Value::None,
                    (AddressColumn::Count, Some(AddressAnswer::Found(_) | AddressAnswer::NoAddresses)) => {
                        number(found.addresses.map(|answer| answer.total() as u64))
                    }
                    // The data does not say.
                    (AddressColumn::Count, Some(_)) => Value::None,
                    (AddressColumn::Status, Some(answer)) => text(Some(answer.status())),
                    (AddressColumn::Street, Some(_)) => shown(addresses::street(some)),
                    (AddressColumn::Town, Some(_)) => text(addresses::town(some)),
                    (column, Some(_)) => {
                        found.matched.map_or(Value::None, |matched| column.of_match(matched))
                    }
                }
            }
            What::Plain(plain) => match plain {
                Plain::Postcode => shown(record.map(|record| record.postcode.to_string())),
                Plain::Status => text(Some(found.status())),
                Plain::Error => text(found.error),
                Plain::Clean => shown(found.postcode.map(|postcode| postcode.to_string())),
                Plain::Outcode => shown(record.map(|record| record.postcode.outcode().to_string())),
                Plain::Incode => shown(record.map(|record| record.postcode.incode().as_str().to_owned())),
                Plain::Quality => number(record.and_then(|record| record.quality).map(u64::from)),
                Plain::Eastings => number(record.and_then(|record| record.grid).map(|g| g.eastings.into())),
                Plain::Northings => number(record.and_then(|record| record.grid).map(|g| g.northings.into())),
                Plain::GridSystem => {
                    text(record.and_then(|record| record.grid).map(|grid| match grid.system {
                        GridSystem::Osgb => "osgb",
                        GridSystem::Irish => "irish",
                    }))
                }
                Plain::Longitude => degrees(Location::longitude),
                Plain::Latitude => degrees(Location::latitude),
                Plain::Lsoa => name(AreaKind::Lsoa21),
                Plain::Msoa => name(AreaKind::Msoa21),
                Plain::UserType => text(record.and_then(|record| record.user_type).map(UserType::as_str)),
                Plain::Introduced => {
                    shown(record.and_then(|record| record.introduced).map(|month| month.to_string()))
                }
                Plain::Terminated => {
                    shown(record.and_then(|record| record.terminated).map(|month| month.to_string()))
                }
                Plain::Deprivation => {
                    number(record.and_then(|record| record.deprivation_rank).map(u64::from))
                }
            },
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            What::Plain(plain) => f.write_str(plain.name()),
            What::Name(kind) => f.write_str(kind.key()),
            What::Code(kind) => write!(f, "codes.{}", kind.key()),
            What::Address(column) => f.write_str(column.name()),
        }
    }
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = || Plain::ALL.iter().find(|plain| plain.name().eq_ignore_ascii_case(text));
        let what = match text.strip_prefix("codes.") {
            Some(key) => AreaKind::from_key(key).map(What::Code),
            None => {
                let address =
                    || AddressColumn::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(text));
                plain()
                    .map(|plain| What::Plain(*plain))
                    .or_else(|| AreaKind::from_key(text).map(What::Name))
                    .or_else(|| address().map(What::Address))
            }
        };
        what.map(Self).ok_or_else(|| {
            let known: Vec<String> = Self::names().filter(|name| !name.starts_with("codes.")).collect();
            format!(
                "there is no column {}: give some of {}; and codes.admin_district and the like for codes",
                super::short(text),
                known.join(", ")
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test it is the failure.
mod tests {
    use postcode_core::wire::{RecordView, Shape};

    use super::*;

    #[test]
    fn every_column_is_what_the_postcode_object_has_under_its_name() {
        let country = postcode_core::Local::embedded().unwrap();
        let answer = country.dataset().get("EH1 1YZ".parse().unwrap());
        let object =
            serde_json::to_value(RecordView::new(answer.record().unwrap(), Shape::Extended)).unwrap();
        for name in Column::names().filter(|name| name != "error") {
            let found = Found::of(&answer);
            let value = serde_json::to_value(name.parse::<Column>().unwrap().value(&found)).unwrap();
            let expected = match name.strip_prefix("codes.") {
                Some(key) => object["codes"].get(key),
                None => object.get(&name),
            };
            // Codes that the object does not show are those of the record.
            if let Some(expected) = expected {
                assert_eq!(&value, expected, "{name}");
            }
        }
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(Column::list("Latitude, codes.admin_ward").unwrap().len(), 2);
        assert!(Column::list("latitude,latitude").unwrap_err().contains("twice"));
        assert!(Column::list(" ,").unwrap_err().contains("no column"));
        assert!(Column::list("lattitude").unwrap_err().contains("latitude"));
    }
}
