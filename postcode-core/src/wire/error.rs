//! The body of every error.

use serde::{Deserialize, Serialize};

use super::RecordBody;

/// `{"status":404,"error":"Postcode not found", …}`: `status` and `error` are those of postcodes.io, the rest
/// is added by this project and absent in its servers' answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody<T = TerminatedBody> {
    /// The HTTP status.
    pub status: u16,
    /// The message.
    pub error: String,
    /// The stable name of the error, one of [`code`].
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The id under which the server logged the request.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether the same request may succeed later.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// With "Postcode not found": the postcode was once in use.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub terminated: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> ErrorBody<T> {
    /// The two fields of postcodes.io and our code.
    pub fn new(status: u16, error: impl Into<String>, code: &str) -> Self {
        Self {
            status,
            error: error.into(),
            code: Some(code.to_owned()),
            request_id: None,
            retryable: None,
            terminated: None,
        }
    }
}

/// What postcodes.io says of a terminated postcode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TerminatedBody {
    /// The postcode, spaced.
    pub postcode: String,
    /// The year of its end; null where the source has no date (postcodes.io always has one).
    pub year_terminated: Option<u16>,
    /// The month of its end, 1 to 12.
    pub month_terminated: Option<u8>,
    /// Degrees WGS84.
    pub longitude: Option<f64>,
    /// Degrees WGS84.
    pub latitude: Option<f64>,
}

impl From<&crate::Record> for TerminatedBody {
    fn from(record: &crate::Record) -> Self {
        Self {
            postcode: record.postcode.to_string(),
            year_terminated: record.terminated.map(crate::YearMonth::year),
            month_terminated: record.terminated.map(crate::YearMonth::month),
            longitude: record.location.map(crate::Location::longitude),
            latitude: record.location.map(crate::Location::latitude),
        }
    }
}

impl TerminatedBody {
    /// The little that it says, as a record.
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if the postcode, the date or the location is none.
    pub fn into_record(self) -> crate::Result<crate::Record> {
        let mut body = RecordBody::new(self.postcode);
        body.latitude = self.latitude;
        body.longitude = self.longitude;
        if let (Some(year), Some(month)) = (self.year_terminated, self.month_terminated) {
            body.date_of_termination = Some(format!("{year:04}{month:02}").into());
        }
        body.into_record(crate::Status::Terminated)
    }
}

/// The stable names of errors, beside those of [`ErrorKind`](crate::ErrorKind).
pub mod code {
    /// No such route.
    pub const RESOURCE_NOT_FOUND: &str = "resource_not_found";
    /// The text is no postcode.
    pub const INVALID_POSTCODE: &str = "invalid_postcode";
    /// A postcode that is not in use.
    pub const POSTCODE_NOT_FOUND: &str = "postcode_not_found";
    /// A postcode of an area that the dataset leaves out.
    pub const NOT_COVERED: &str = "not_covered";
    /// No terminated postcode.
    pub const TERMINATED_NOT_FOUND: &str = "terminated_postcode_not_found";
    /// No such outcode.
    pub const OUTCODE_NOT_FOUND: &str = "outcode_not_found";
    /// No area with live postcodes has that code.
    pub const AREA_NOT_FOUND: &str = "area_not_found";
    /// No such sector.
    pub const SECTOR_NOT_FOUND: &str = "sector_not_found";
    /// No such place.
    pub const PLACE_NOT_FOUND: &str = "place_not_found";
    /// A postcode that is in use and not in the Scottish Postcode Directory.
    pub const NOT_SCOTTISH: &str = "not_scottish";
    /// The postcode is known and its location is not.
    pub const NO_LOCATION: &str = "no_location";
    /// The body or a parameter is not what the route takes.
    pub const INVALID_INPUT: &str = "invalid_input";
}
