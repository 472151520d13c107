//! An address as its elements.

use serde::{Deserialize, Serialize};

/// A British postal address, taken apart into the elements of Royal Mail's Postcode Address File.
///
/// Texts are `String`s, and an empty one means that the address does not have this element. Readers refill the same
/// `Address`, so that reading a file does not allocate for each row.
///
/// ```
/// use postcode_addresses::Address;
///
/// let address = Address {
///     building_number: "40".into(),
///     thoroughfare: "Ash Road".into(),
///     post_town: "EXAMPLETON".into(),
///     postcode: "ZZ1 1ZZ".into(),
///     ..Address::default()
/// };
/// assert!(address.organisation.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The organisation, for example `Example Bakery Ltd`. Surnames of households stand here in brackets.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organisation: String,
    /// The department of the organisation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// The number of the PO Box, without the words `PO Box`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub po_box: String,
    /// The part of the building, for example `Flat 2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sub_building: String,
    /// The name of the building, or a number that is not a plain one, for example `12A` or `7-9`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub building_name: String,
    /// The number of the building. It is a text: AddressBase and NGD write `1-3` and `12A` here. `0` is kept as it
    /// came, and only rule 7 has a use for it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub building_number: String,
    /// The smaller of two streets, with its descriptor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dependent_thoroughfare: String,
    /// The street, with its descriptor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thoroughfare: String,
    /// The smaller of two localities.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub double_dependent_locality: String,
    /// The locality.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dependent_locality: String,
    /// The post town, in capital letters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub post_town: String,
    /// The postcode in capital letters with one blank, for example `SW1A 1AA`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postcode: String,
    /// Royal Mail's number of the delivery point, at most 99,999,999. A Multiple Residence child has that of its parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udprn: Option<u32>,
    /// Royal Mail's number of a Multiple Residence child. Royal Mail calls it UMRRN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umprn: Option<u32>,
    /// The Unique Property Reference Number, at most twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uprn: Option<u64>,
    /// The UPRN of the property that this one is a part of. AddressBase and NGD have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_uprn: Option<u64>,
    /// The delivery point suffix, a digit and a letter. With the postcode it identifies the delivery point.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub delivery_point_suffix: String,
    /// Royal Mail's postcode type, or `None` if the file does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Whether the delivery point is an organisation at a postcode of small users.
    #[serde(skip_serializing_if = "is_false")]
    pub organisation_indicator: bool,
    /// Whether number and sub-building are written joined, as in `12A`. Only the mainfile says so. `None` means that
    /// the file does not say, and then a sub-building of one letter is joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concatenation_indicator: Option<bool>,
    /// The number of households at the delivery point. The mainfile and the long CSV PAF have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub households: Option<u16>,
    /// The file that the address comes from.
    pub dataset: Dataset,
    /// The streets, localities and post town in Welsh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welsh: Option<Box<Welsh>>,
    /// The property's own location. PAF has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// Royal Mail's keys of the mainfile and of the long CSV PAF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paf_key: Option<PafKey>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Royal Mail's postcode type.
///
/// [`parse`](Self::parse) reads it, [`as_str`](Self::as_str) writes it:
///
/// ```
/// use postcode_addresses::Kind;
///
/// assert_eq!(Kind::parse("Large User"), Some(Kind::LargeUser));
/// assert_eq!(Kind::SmallUser.as_str(), "S");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The postcode is shared by several delivery points.
    #[serde(rename = "S")]
    SmallUser,
    /// The postcode belongs to one organisation that receives much mail.
    #[serde(rename = "L")]
    LargeUser,
}

impl Kind {
    /// Returns the kind that a file's word names: `S`, `Small User`, `L`, `LARGE`, ….
    ///
    /// ```
    /// use postcode_addresses::Kind;
    ///
    /// assert_eq!(Kind::parse("Small User"), Some(Kind::SmallUser));
    /// assert_eq!(Kind::parse(""), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim_start().as_bytes().first()? {
            b'S' | b's' => Some(Self::SmallUser),
            b'L' | b'l' => Some(Self::LargeUser),
            _ => None,
        }
    }

    /// Returns Royal Mail's letter: `S` or `L`.
    ///
    /// ```
    /// use postcode_addresses::Kind;
    ///
    /// assert_eq!(Kind::LargeUser.as_str(), "L");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SmallUser => "S",
            Self::LargeUser => "L",
        }
    }
}

/// The file that an address comes from.
///
/// [`parse`](Self::parse) reads it, [`as_str`](Self::as_str) writes it, and [`is_approximate`](Self::is_approximate) marks streets:
///
/// ```
/// use postcode_addresses::Dataset;
///
/// assert_eq!(Dataset::parse("paf"), Some(Dataset::Paf));
/// assert_eq!(Dataset::OpenRoads.as_str(), "open-roads");
/// assert!(Dataset::OpenRoads.is_approximate() && !Dataset::Paf.is_approximate());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Dataset {
    /// Royal Mail's Postcode Address File.
    #[default]
    #[serde(rename = "paf")]
    Paf,
    /// Royal Mail's Not Yet Built.
    #[serde(rename = "nyb")]
    NotYetBuilt,
    /// Royal Mail's Multiple Residence: households behind one delivery point.
    #[serde(rename = "mr")]
    MultipleResidence,
    /// Royal Mail's Alias file.
    #[serde(rename = "pafa")]
    Alias,
    /// Ordnance Survey's AddressBase: Core, AddressBase, Plus, Premium or Islands.
    #[serde(rename = "ab")]
    AddressBase,
    /// Ordnance Survey's National Geographic Database.
    #[serde(rename = "ngd")]
    Ngd,
    /// Pointer, the address file of Northern Ireland.
    #[serde(rename = "pointer")]
    Pointer,
    /// Streets of OS Open Names. They aren't delivery points, and the postcode is a district.
    #[serde(rename = "open-roads")]
    OpenRoads,
}

impl Dataset {
    /// All datasets.
    pub const ALL: [Self; 8] = [
        Self::Paf,
        Self::NotYetBuilt,
        Self::MultipleResidence,
        Self::Alias,
        Self::AddressBase,
        Self::Ngd,
        Self::Pointer,
        Self::OpenRoads,
    ];

    /// Returns the short name, as in JSON and in ids: `paf`, `nyb`, `mr`, `pafa`, `ab`, `ngd`, `pointer`, `open-roads`.
    ///
    /// ```
    /// use postcode_addresses::Dataset;
    ///
    /// assert_eq!(Dataset::NotYetBuilt.as_str(), "nyb");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paf => "paf",
            Self::NotYetBuilt => "nyb",
            Self::MultipleResidence => "mr",
            Self::Alias => "pafa",
            Self::AddressBase => "ab",
            Self::Ngd => "ngd",
            Self::Pointer => "pointer",
            Self::OpenRoads => "open-roads",
        }
    }

    /// Returns the dataset of a short name.
    ///
    /// ```
    /// use postcode_addresses::Dataset;
    ///
    /// assert_eq!(Dataset::parse("ngd"), Some(Dataset::Ngd));
    /// assert_eq!(Dataset::parse("NGD"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dataset| dataset.as_str() == text)
    }

    /// Returns whether an entry is not an exact address, but a place in which addresses may be.
    ///
    /// ```
    /// use postcode_addresses::Dataset;
    ///
    /// assert!(Dataset::OpenRoads.is_approximate()); // a street in a postcode district
    /// assert!(!Dataset::AddressBase.is_approximate());
    /// ```
    #[must_use]
    pub const fn is_approximate(self) -> bool {
        matches!(self, Self::OpenRoads)
    }
}

/// The elements that have a Welsh form. An empty text means that there is no Welsh form of this element.
///
/// [`texts`](Self::texts), [`texts_mut`](Self::texts_mut) and [`is_empty`](Self::is_empty) look at all of them:
///
/// ```
/// use postcode_addresses::Welsh;
///
/// let mut welsh = Welsh::default();
/// assert!(welsh.is_empty());
/// welsh.thoroughfare = "Heol Onnen".into();
/// assert_eq!(welsh.texts()[5], "Heol Onnen");
/// welsh.texts_mut()[8].push_str("ENGHRAIFFT"); // the post town
/// assert_eq!(welsh.post_town, "ENGHRAIFFT");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Welsh {
    /// The organisation. CSV PAF Welsh and the Welsh mainfile can have it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organisation: String,
    /// The department.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// The part of the building.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sub_building: String,
    /// The name of the building.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub building_name: String,
    /// The smaller of two streets.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dependent_thoroughfare: String,
    /// The street.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thoroughfare: String,
    /// The smaller of two localities.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub double_dependent_locality: String,
    /// The locality.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dependent_locality: String,
    /// The post town, in capital letters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub post_town: String,
}

/// A property's location. At least one of the two forms is there.
///
/// ```
/// use postcode_addresses::{Geographic, Point};
///
/// let point = Point { grid: None, geographic: Some(Geographic { latitude: 51.501, longitude: -0.1416 }) };
/// assert!(point.geographic.is_some());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Point {
    /// The position on the national grid: of Great Britain, or of Ireland for Pointer.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// Latitude and longitude.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub geographic: Option<Geographic>,
}

/// A position on a national grid, in metres.
///
/// ```
/// use postcode_addresses::Grid;
///
/// let palace = Grid { eastings: 529_090.0, northings: 179_645.0 };
/// assert!(palace.eastings > palace.northings);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Metres to the east of the grid's origin.
    pub eastings: f64,
    /// Metres to the north of the grid's origin.
    pub northings: f64,
}

/// A position in degrees.
///
/// ```
/// use postcode_addresses::Geographic;
///
/// let palace = Geographic { latitude: 51.501, longitude: -0.1416 };
/// assert!(palace.longitude < 0.0); // to the west of Greenwich
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Geographic {
    /// Degrees to the north of the equator.
    pub latitude: f64,
    /// Degrees to the east of Greenwich.
    pub longitude: f64,
}

/// The keys by which Royal Mail's files identify an address where they have no UDPRN.
///
/// Together with the postcode type they are unique.
///
/// ```
/// use postcode_addresses::PafKey;
///
/// let key = PafKey { address: 1_234_567, organisation: 0 };
/// assert_eq!(key.organisation, 0); // a household
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PafKey {
    /// The address key.
    pub address: u32,
    /// The organisation key, or 0.
    pub organisation: u32,
}

/// Returns whether a text may have control characters. They are these bytes, or begin with the last of them. Looks at all
/// bytes, because that is faster than stopping at the first.
#[cfg(any(feature = "file", feature = "layouts"))]
pub(crate) fn may_have_controls(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == 0x7f) | (byte == 0xc2))
}

impl Address {
    /// Removes all elements and keeps the memory of the texts.
    ///
    /// ```
    /// use postcode_addresses::Address;
    ///
    /// let mut address = Address { thoroughfare: "Ash Road".into(), ..Address::default() };
    /// address.clear();
    /// assert_eq!(address, Address::default());
    /// ```
    pub fn clear(&mut self) {
        for text in self.texts_mut() {
            text.clear();
        }
        self.udprn = None;
        self.umprn = None;
        self.uprn = None;
        self.parent_uprn = None;
        self.kind = None;
        self.organisation_indicator = false;
        self.concatenation_indicator = None;
        self.households = None;
        self.dataset = Dataset::Paf;
        self.welsh = None;
        self.point = None;
        self.paf_key = None;
    }

    /// Returns all texts, from the organisation to the postcode, and the delivery point suffix at the end.
    ///
    /// ```
    /// use postcode_addresses::Address;
    ///
    /// let address = Address { thoroughfare: "Ash Road".into(), ..Address::default() };
    /// assert_eq!(address.texts()[7], "Ash Road");
    /// ```
    #[must_use]
    pub fn texts(&self) -> [&str; 13] {
        [
            &self.organisation,
            &self.department,
            &self.po_box,
            &self.sub_building,
            &self.building_name,
            &self.building_number,
            &self.dependent_thoroughfare,
            &self.thoroughfare,
            &self.double_dependent_locality,
            &self.dependent_locality,
            &self.post_town,
            &self.postcode,
            &self.delivery_point_suffix,
        ]
    }

    /// Returns all texts in the order of [`Address::texts`], to be changed.
    ///
    /// ```
    /// use postcode_addresses::Address;
    ///
    /// let mut address = Address { thoroughfare: "Ash Road".into(), ..Address::default() };
    /// for text in address.texts_mut() {
    ///     text.make_ascii_uppercase();
    /// }
    /// assert_eq!(address.thoroughfare, "ASH ROAD");
    /// ```
    pub fn texts_mut(&mut self) -> [&mut String; 13] {
        [
            &mut self.organisation,
            &mut self.department,
            &mut self.po_box,
            &mut self.sub_building,
            &mut self.building_name,
            &mut self.building_number,
            &mut self.dependent_thoroughfare,
            &mut self.thoroughfare,
            &mut self.double_dependent_locality,
            &mut self.dependent_locality,
            &mut self.post_town,
            &mut self.postcode,
            &mut self.delivery_point_suffix,
        ]
    }

    /// Returns the address in Welsh: the Welsh elements where there are some, and the other elements as they are.
    ///
    /// ```
    /// use postcode_addresses::{Address, Welsh};
    ///
    /// let mut address = Address { thoroughfare: "Ash Road".into(), ..Address::default() };
    /// address.building_number = "4".into();
    /// address.welsh = Some(Box::new(Welsh { thoroughfare: "Heol Onnen".into(), ..Welsh::default() }));
    /// let welsh = address.in_welsh().ok_or("no Welsh form")?;
    /// assert_eq!((&*welsh.building_number, &*welsh.thoroughfare), ("4", "Heol Onnen"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn in_welsh(&self) -> Option<Self> {
        let welsh = self.welsh.as_deref()?;
        let mut address = Self { welsh: None, ..self.clone() };
        for (element, translated) in [
            (&mut address.organisation, &welsh.organisation),
            (&mut address.department, &welsh.department),
            (&mut address.sub_building, &welsh.sub_building),
            (&mut address.building_name, &welsh.building_name),
            (&mut address.dependent_thoroughfare, &welsh.dependent_thoroughfare),
            (&mut address.thoroughfare, &welsh.thoroughfare),
            (&mut address.double_dependent_locality, &welsh.double_dependent_locality),
            (&mut address.dependent_locality, &welsh.dependent_locality),
            (&mut address.post_town, &welsh.post_town),
        ] {
            if !translated.is_empty() {
                element.clone_from(translated);
            }
        }
        Some(address)
    }
}

impl Welsh {
    /// Returns all texts: organisation, department, sub-building, building name, the two streets, the two localities and
    /// the post town.
    ///
    /// ```
    /// use postcode_addresses::Welsh;
    ///
    /// let welsh = Welsh { post_town: "CAERDYDD".into(), ..Welsh::default() };
    /// assert_eq!(welsh.texts()[8], "CAERDYDD");
    /// ```
    #[must_use]
    pub fn texts(&self) -> [&str; 9] {
        [
            &self.organisation,
            &self.department,
            &self.sub_building,
            &self.building_name,
            &self.dependent_thoroughfare,
            &self.thoroughfare,
            &self.double_dependent_locality,
            &self.dependent_locality,
            &self.post_town,
        ]
    }

    /// Returns all texts in the order of [`Welsh::texts`], to be changed.
    ///
    /// ```
    /// use postcode_addresses::Welsh;
    ///
    /// let mut welsh = Welsh { post_town: " CAERDYDD".into(), ..Welsh::default() };
    /// welsh.texts_mut().map(|text| *text = text.trim().to_owned());
    /// assert_eq!(welsh.post_town, "CAERDYDD");
    /// ```
    pub fn texts_mut(&mut self) -> [&mut String; 9] {
        [
            &mut self.organisation,
            &mut self.department,
            &mut self.sub_building,
            &mut self.building_name,
            &mut self.dependent_thoroughfare,
            &mut self.thoroughfare,
            &mut self.double_dependent_locality,
            &mut self.dependent_locality,
            &mut self.post_town,
        ]
    }

    /// Returns whether no element has a Welsh form.
    ///
    /// ```
    /// use postcode_addresses::Welsh;
    ///
    /// assert!(Welsh::default().is_empty());
    /// assert!(!Welsh { post_town: "CAERDYDD".into(), ..Welsh::default() }.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}
