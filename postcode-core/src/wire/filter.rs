//! Selects keys of a postcode object: the `filter` of bulk requests.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::record::CodesOf;
use crate::{AreaKind, Location, Record};

macro_rules! fields {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A key of a postcode object that `filter` can select: those that postcodes.io allows.
        ///
        /// [`list`](Self::list) reads the parameter, and [`name`](Self::name) returns a key:
        ///
        /// ```
        /// use postcode_core::wire::Field;
        ///
        /// let fields = Field::list("Postcode, latitude, nonsense");
        /// assert_eq!(fields.iter().map(|field| field.name()).collect::<Vec<_>>(), ["postcode", "latitude"]);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is the key of postcodes.io of that name")]
        pub enum Field { $($variant),* }

        impl Field {
            /// All keys.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the key, as it is in the JSON.
            ///
            /// ```
            /// use postcode_core::wire::Field;
            ///
            /// assert_eq!(Field::AdminDistrict.name(), "admin_district");
            /// ```
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

fields! {
    Postcode "postcode", Quality "quality", Eastings "eastings", Northings "northings", Country "country",
    NhsHa "nhs_ha", Longitude "longitude", Latitude "latitude",
    ParliamentaryConstituency "parliamentary_constituency",
    EuropeanElectoralRegion "european_electoral_region", PrimaryCareTrust "primary_care_trust",
    Region "region", Lsoa "lsoa", Msoa "msoa", Incode "incode", Outcode "outcode", Codes "codes",
    AdminDistrict "admin_district", Parish "parish", AdminCounty "admin_county", AdminWard "admin_ward",
    Ccg "ccg", Nuts "nuts", Ced "ced",
}

impl Field {
    /// Parses a comma-separated list, in its order and each key once. Like postcodes.io it ignores
    /// case, spaces and unknown names, so a list of only unknown names gives empty objects.
    ///
    /// ```
    /// use postcode_core::wire::Field;
    ///
    /// assert_eq!(Field::list("QUALITY, postcode, quality"), [Field::Quality, Field::Postcode]);
    /// assert_eq!(Field::list("nonsense"), []);
    /// ```
    pub fn list(text: &str) -> Vec<Self> {
        let mut fields = Vec::new();
        for name in text.split(',') {
            let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
            let field = Self::ALL.iter().copied().find(|field| field.name().eq_ignore_ascii_case(&name));
            fields.extend(field.filter(|field| !fields.contains(field)));
        }
        fields
    }
}

/// Some fields of a record, to be written as JSON.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::Record;
/// use postcode_core::wire::{Field, FilteredView};
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// let fields = Field::list("postcode,country");
/// let view = FilteredView::new(&record, &fields);
/// assert_eq!(serde_json::to_string(&view)?, r#"{"postcode":"SW1A 1AA","country":null}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FilteredView<'a> {
    record: &'a Record,
    fields: &'a [Field],
}

impl<'a> FilteredView<'a> {
    /// Creates a view that writes these fields in this order.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::{Field, FilteredView};
    ///
    /// let record = Record::live("SW1A 1AA".parse()?);
    /// let view = FilteredView::new(&record, &[Field::Incode, Field::Outcode]);
    /// assert_eq!(serde_json::to_string(&view)?, r#"{"incode":"1AA","outcode":"SW1A"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(record: &'a Record, fields: &'a [Field]) -> Self {
        Self { record, fields }
    }
}

impl Serialize for FilteredView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for field in self.fields {
            let key = field.name();
            let kind = match field {
                Field::Country => AreaKind::Country,
                Field::NhsHa => AreaKind::HealthAuthority,
                Field::ParliamentaryConstituency => AreaKind::ParliamentaryConstituency,
                Field::EuropeanElectoralRegion => AreaKind::EuropeanElectoralRegion,
                Field::PrimaryCareTrust => AreaKind::PrimaryCareTrust,
                Field::Region => AreaKind::Region,
                Field::Lsoa => AreaKind::Lsoa21,
                Field::Msoa => AreaKind::Msoa21,
                Field::AdminDistrict => AreaKind::AdminDistrict,
                Field::Parish => AreaKind::Parish,
                Field::AdminCounty => AreaKind::AdminCounty,
                Field::AdminWard => AreaKind::AdminWard,
                Field::Ccg => AreaKind::Ccg,
                Field::Nuts => AreaKind::Nuts,
                Field::Ced => AreaKind::CountyElectoralDivision,
                Field::Postcode => {
                    map.serialize_entry(key, &record.postcode)?;
                    continue;
                }
                Field::Quality => {
                    map.serialize_entry(key, &record.quality)?;
                    continue;
                }
                Field::Eastings => {
                    map.serialize_entry(key, &record.grid.map(|grid| grid.eastings))?;
                    continue;
                }
                Field::Northings => {
                    map.serialize_entry(key, &record.grid.map(|grid| grid.northings))?;
                    continue;
                }
                Field::Longitude => {
                    map.serialize_entry(key, &record.location.map(Location::longitude))?;
                    continue;
                }
                Field::Latitude => {
                    map.serialize_entry(key, &record.location.map(Location::latitude))?;
                    continue;
                }
                Field::Incode => {
                    map.serialize_entry(key, record.postcode.incode().as_str())?;
                    continue;
                }
                Field::Outcode => {
                    map.serialize_entry(key, &record.postcode.outcode())?;
                    continue;
                }
                Field::Codes => {
                    map.serialize_entry(key, &CodesOf(record))?;
                    continue;
                }
            };
            map.serialize_entry(key, &record.area_name(kind))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Keys, RecordView, Shape};

    #[test]
    fn a_field_is_what_the_whole_object_has_under_its_key() {
        let mut record = Record::live("AB10 1AB".parse().unwrap());
        record.quality = Some(1);
        record.areas = crate::Areas::owned(AreaKind::ALL.into_iter().enumerate().map(|(i, kind)| {
            let name = Some(format!("Name {i}").into());
            (kind, crate::OwnedArea { code: Some(format!("S{i:08}").into()), name, alias: None })
        }));
        let whole = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
        for field in Field::ALL {
            let one = serde_json::to_value(FilteredView::new(&record, &[*field])).unwrap();
            assert_eq!(one, serde_json::json!({ field.name(): whole[field.name()] }));
        }
    }

    #[test]
    fn the_keys_are_those_of_the_whole_object_and_one_is_what_it_has_there() {
        let neighbour = crate::Neighbour::new(Record::terminated("AB10 1AB".parse().unwrap()), 1.5);
        let view = crate::wire::NeighbourView::new(&neighbour, Shape::Extended);
        let whole = serde_json::to_value(view).unwrap();
        let mut keys: Vec<_> = whole.as_object().unwrap().keys().map(String::as_str).collect();
        let mut all = Keys::ALL;
        keys.sort_unstable();
        all.sort_unstable();
        assert_eq!(keys, all);
        for key in Keys::ALL {
            let only = Keys::list(&key.to_uppercase());
            let one = serde_json::to_value(view.only(Some(&only))).unwrap();
            assert_eq!(one, serde_json::json!({ key: whole[key] }));
        }
    }

    #[test]
    fn keys_given_many_times_are_kept_once() {
        let keys = Keys::list(&"Postcode,pfa, ".repeat(5_000));
        assert_eq!((keys.known, keys.unknown), (vec!["postcode", "pfa"], Vec::new()));
    }

    #[test]
    fn a_list_is_read_as_postcodes_io_reads_it() {
        assert_eq!(Field::list(" CODES ,postcode,nope,postcode"), [Field::Codes, Field::Postcode]);
        assert_eq!(Field::list("constructor,,"), []);
    }
}
