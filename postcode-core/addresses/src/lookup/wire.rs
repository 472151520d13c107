//! The JSON of addresses in the HTTP API and on the command line.

use postcode_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::{AddressAnswer, AddressNeighbour, AddressPage};
use crate::format::Style;
use crate::{Address, Dataset, Kind, PafKey, Point, Welsh};

/// An address with the names that address services use. All texts are there, and empty if the address does not have the
/// element.
///
/// ```
/// use postcode_addresses::{Address, lookup::wire::AddressBody};
///
/// let address = Address { building_number: "4".into(), thoroughfare: "Ash Road".into(), ..Address::default() };
/// let body = AddressBody::from(&address);
/// assert_eq!(body.lines, ["4 Ash Road"]);
/// assert_eq!(Address::from(body), address);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it, and Address has the descriptions")]
pub struct AddressBody {
    pub organisation_name: String,
    pub department_name: String,
    pub po_box: String,
    pub sub_building_name: String,
    pub building_name: String,
    pub building_number: String,
    pub dependent_thoroughfare: String,
    pub thoroughfare: String,
    pub double_dependent_locality: String,
    pub dependent_locality: String,
    pub post_town: String,
    pub postcode: String,
    pub udprn: Option<u32>,
    pub umprn: Option<u32>,
    pub uprn: Option<u64>,
    pub parent_uprn: Option<u64>,
    pub postcode_type: Option<Kind>,
    pub su_organisation_indicator: bool,
    pub concatenation_indicator: Option<bool>,
    pub delivery_point_suffix: String,
    pub households: Option<u16>,
    pub dataset: Dataset,
    pub point: Option<Point>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welsh: Option<Box<Welsh>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paf_key: Option<PafKey>,
    /// The lines for an envelope, without post town and postcode. A reader need not send them.
    #[serde(default)]
    pub lines: Vec<String>,
}

impl From<&Address> for AddressBody {
    fn from(address: &Address) -> Self {
        let Address {
            organisation,
            department,
            po_box,
            sub_building,
            building_name,
            building_number,
            dependent_thoroughfare,
            thoroughfare,
            double_dependent_locality,
            dependent_locality,
            post_town,
            postcode,
            udprn,
            umprn,
            uprn,
            parent_uprn,
            delivery_point_suffix,
            kind,
            organisation_indicator,
            concatenation_indicator,
            households,
            dataset,
            welsh,
            point,
            paf_key,
        } = address.clone();
        Self {
            lines: address.format(Style::Guide).lines,
            organisation_name: organisation,
            department_name: department,
            po_box,
            sub_building_name: sub_building,
            building_name,
            building_number,
            dependent_thoroughfare,
            thoroughfare,
            double_dependent_locality,
            dependent_locality,
            post_town,
            postcode,
            udprn,
            umprn,
            uprn,
            parent_uprn,
            postcode_type: kind,
            su_organisation_indicator: organisation_indicator,
            concatenation_indicator,
            delivery_point_suffix,
            households,
            dataset,
            point,
            welsh,
            paf_key,
        }
    }
}

impl From<AddressBody> for Address {
    fn from(body: AddressBody) -> Self {
        Self {
            organisation: body.organisation_name,
            department: body.department_name,
            po_box: body.po_box,
            sub_building: body.sub_building_name,
            building_name: body.building_name,
            building_number: body.building_number,
            dependent_thoroughfare: body.dependent_thoroughfare,
            thoroughfare: body.thoroughfare,
            double_dependent_locality: body.double_dependent_locality,
            dependent_locality: body.dependent_locality,
            post_town: body.post_town,
            postcode: body.postcode,
            udprn: body.udprn,
            umprn: body.umprn,
            uprn: body.uprn,
            parent_uprn: body.parent_uprn,
            delivery_point_suffix: body.delivery_point_suffix,
            kind: body.postcode_type,
            organisation_indicator: body.su_organisation_indicator,
            concatenation_indicator: body.concatenation_indicator,
            households: body.households,
            dataset: body.dataset,
            welsh: body.welsh,
            point: body.point,
            paf_key: body.paf_key,
        }
    }
}

/// The answer to one postcode: `{"query":…,"status":…,"total":…,"addresses":[…]}`.
///
/// A server creates it with [`new`](Self::new), a client reads it with [`into_answer`](Self::into_answer):
///
/// ```
/// use postcode_addresses::{AddressAnswer, lookup::wire::AnswerBody};
///
/// let body = AnswerBody::new("ZE9 9ZZ", Some(&AddressAnswer::Unknown));
/// assert_eq!((body.status.as_str(), body.total), ("unknown", 0));
/// assert_eq!(body.into_answer()?.status(), "unknown");
/// assert_eq!(AnswerBody::new("nonsense", None).status, "invalid");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerBody {
    /// The text of the query, as it was sent.
    pub query: String,
    /// `found`, `no_addresses`, `unknown`, `not_covered` or `invalid`.
    pub status: String,
    /// How many addresses the postcode has, on all pages.
    pub total: usize,
    /// The addresses of this page.
    pub addresses: Vec<AddressBody>,
}

impl AnswerBody {
    /// Creates the answer to a query. `answer` is `None` if the text is not a postcode.
    ///
    /// ```
    /// use postcode_addresses::{AddressAnswer, lookup::wire::AnswerBody};
    ///
    /// let body = AnswerBody::new("ZE9 9AE", Some(&AddressAnswer::NoAddresses));
    /// let text = r#"{"query":"ZE9 9AE","status":"no_addresses","total":0,"addresses":[]}"#;
    /// assert_eq!(serde_json::to_string(&body)?, text);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(query: impl Into<String>, answer: Option<&AddressAnswer>) -> Self {
        Self {
            query: query.into(),
            status: answer.map_or("invalid", AddressAnswer::status).to_owned(),
            total: answer.map_or(0, AddressAnswer::total),
            addresses: answer
                .map_or(&[][..], AddressAnswer::addresses)
                .iter()
                .map(AddressBody::from)
                .collect(),
        }
    }

    /// Returns the answer.
    ///
    /// ```
    /// use postcode_addresses::lookup::wire::AnswerBody;
    ///
    /// let read = |status| serde_json::from_value::<AnswerBody>(serde_json::json!({
    ///     "query": "ZE9 9AE", "status": status, "total": 0, "addresses": [],
    /// }));
    /// assert_eq!(read("not_covered")?.into_answer()?.status(), "not_covered");
    /// assert!(read("lost")?.into_answer().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) for an unknown status.
    pub fn into_answer(self) -> Result<AddressAnswer> {
        match self.status.as_str() {
            "found" => Ok(AddressAnswer::Found(AddressPage {
                addresses: self.addresses.into_iter().map(Address::from).collect(),
                total: self.total,
            })),
            "no_addresses" => Ok(AddressAnswer::NoAddresses),
            "unknown" => Ok(AddressAnswer::Unknown),
            "not_covered" => Ok(AddressAnswer::NotCovered),
            status => {
                let shown: String = status.chars().take(40).collect();
                let what = format!("the server answered with the status {shown:?}, which is not known");
                Err(Error::new(ErrorKind::Protocol, what))
            }
        }
    }
}

/// The addresses with one number.
///
/// ```
/// use postcode_addresses::lookup::wire::NumberBody;
///
/// let body: NumberBody = serde_json::from_str(r#"{"query":"udprn:12345678","addresses":[]}"#)?;
/// assert!(body.addresses.is_empty()); // nothing has this number
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberBody {
    /// The text of the query, as it was sent.
    pub query: String,
    /// The addresses: mostly one or none.
    pub addresses: Vec<AddressBody>,
}

/// An address near a point.
///
/// ```
/// use postcode_addresses::{Address, AddressNeighbour, lookup::wire::NeighbourBody};
///
/// let near = AddressNeighbour { address: Address::default(), distance: 12.5 };
/// assert_eq!(NeighbourBody::from(&near).distance, 12.5); // metres
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeighbourBody {
    /// Metres from the point.
    pub distance: f64,
    /// The address.
    #[serde(flatten)]
    pub address: AddressBody,
}

impl From<&AddressNeighbour> for NeighbourBody {
    fn from(neighbour: &AddressNeighbour) -> Self {
        Self { distance: neighbour.distance, address: (&neighbour.address).into() }
    }
}

impl From<NeighbourBody> for AddressNeighbour {
    fn from(body: NeighbourBody) -> Self {
        Self { address: body.address.into(), distance: body.distance }
    }
}
