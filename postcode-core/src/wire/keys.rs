//! The keys of a postcode object that an extended `filter` selects.

/// The keys that `filter` selects with `?extended=true`, which allows every key of a postcode
/// object. They are written in the order of the object.
///
/// [`list`](Self::list) reads the parameter, [`has`](Self::has) tells whether a key is selected, and
/// [`unknown`](Self::unknown) returns the names that are not keys:
///
/// ```
/// use postcode_core::wire::Keys;
///
/// let keys = Keys::list("Postcode, pfa, postcod");
/// assert!(keys.has("pfa") && !keys.has("quality"));
/// assert_eq!(keys.unknown().collect::<Vec<_>>(), ["postcod"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Each once, so that a long list costs no more than a short one per record.
    pub(super) known: Vec<&'static str>,
    pub(super) unknown: Vec<String>,
}

impl Keys {
    /// All keys of a postcode object, in any shape.
    pub const ALL: [&str; 52] = [
        "postcode",
        "quality",
        "eastings",
        "northings",
        "country",
        "nhs_ha",
        "longitude",
        "latitude",
        "european_electoral_region",
        "primary_care_trust",
        "region",
        "lsoa",
        "msoa",
        "incode",
        "outcode",
        "parliamentary_constituency",
        "parliamentary_constituency_2024",
        "admin_district",
        "parish",
        "admin_county",
        "date_of_introduction",
        "admin_ward",
        "ced",
        "ccg",
        "nuts",
        "pfa",
        "nhs_region",
        "ttwa",
        "national_park",
        "bua",
        "icb",
        "cancer_alliance",
        "lsoa11",
        "msoa11",
        "lsoa21",
        "msoa21",
        "oa21",
        "ruc11",
        "ruc21",
        "lep1",
        "lep2",
        "codes",
        "distance",
        "status",
        "user_type",
        "grid_system",
        "index_of_multiple_deprivation",
        "parliamentary_constituency_before",
        "senedd_constituency",
        "admin_district_welsh",
        "position",
        "date_of_termination",
    ];

    /// Parses a comma-separated list. Case and spaces do not matter.
    ///
    /// ```
    /// use postcode_core::wire::Keys;
    ///
    /// assert_eq!(Keys::list("postcode,PFA, pfa"), Keys::list("postcode,pfa"));
    /// ```
    pub fn list(text: &str) -> Self {
        let mut keys = Self { known: Vec::new(), unknown: Vec::new() };
        for name in text.split(',') {
            let name: String = name.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
            match Self::ALL.into_iter().find(|key| *key == name) {
                Some(key) if keys.has(key) => {}
                Some(key) => keys.known.push(key),
                None if name.is_empty() => {}
                None => keys.unknown.push(name),
            }
        }
        keys
    }

    /// Returns whether the key is selected.
    ///
    /// ```
    /// use postcode_core::wire::Keys;
    ///
    /// let keys = Keys::list("postcode,distance");
    /// assert!(keys.has("distance"));
    /// assert!(!keys.has("quality"));
    /// ```
    pub fn has(&self, key: &str) -> bool {
        self.known.contains(&key)
    }

    /// Returns the names that are not in [`ALL`](Self::ALL), which select nothing.
    ///
    /// ```
    /// use postcode_core::wire::Keys;
    ///
    /// let keys = Keys::list("postcode,latitud,longitude");
    /// assert_eq!(keys.unknown().collect::<Vec<_>>(), ["latitud"]);
    /// ```
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.unknown.iter().map(String::as_str)
    }
}
