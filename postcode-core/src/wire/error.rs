//! The JSON body of every error.

use serde::{Deserialize, Serialize};

use super::RecordBody;

/// `{"status":404,"error":"Postcode not found", …}`: `status` and `error` come from postcodes.io.
/// This project adds the rest, which postcodes.io servers don't send.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::wire::{ErrorBody, TerminatedBody, code};
///
/// let body: ErrorBody<TerminatedBody> = ErrorBody::new(404, "Postcode not found", code::INVALID_POSTCODE);
/// assert_eq!(serde_json::to_value(&body)?["error"], "Postcode not found");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// The date and location of a terminated postcode, with "Postcode not found".
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub terminated: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> ErrorBody<T> {
    /// Creates a body with the two fields of postcodes.io and our code.
    ///
    /// ```
    /// use postcode_core::wire::{ErrorBody, TerminatedBody, code};
    ///
    /// let body: ErrorBody<TerminatedBody> = ErrorBody::new(404, "Outcode not found", code::OUTCODE_NOT_FOUND);
    /// let text = r#"{"status":404,"error":"Outcode not found","code":"outcode_not_found"}"#;
    /// assert_eq!(serde_json::to_string(&body)?, text);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

/// The answer of postcodes.io for a terminated postcode.
///
/// [`into_record`](Self::into_record) reads it:
///
/// ```
/// use postcode_core::Record;
/// use postcode_core::wire::TerminatedBody;
///
/// let body = TerminatedBody::from(&Record::terminated("AB1 0AA".parse()?));
/// assert_eq!(body.postcode, "AB1 0AA");
/// assert_eq!(body.into_record()?.postcode.to_string(), "AB1 0AA");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TerminatedBody {
    /// The postcode, spaced.
    pub postcode: String,
    /// The year it was terminated; null if the source has no date (postcodes.io always has one).
    pub year_terminated: Option<u16>,
    /// The month it was terminated, 1 to 12.
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
    /// Returns a record with the postcode, the date and the location.
    ///
    /// ```
    /// use postcode_core::wire::TerminatedBody;
    ///
    /// let text = r#"{"postcode":"AB1 0AA","year_terminated":1996,"month_terminated":6,"longitude":null,"latitude":null}"#;
    /// let record = serde_json::from_str::<TerminatedBody>(text)?.into_record()?;
    /// assert_eq!(record.terminated, Some("199606".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if the postcode, the date or the location is
    /// invalid.
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

/// The stable names of errors, in addition to those of [`ErrorKind`](crate::ErrorKind).
pub mod code {
    /// The route does not exist.
    pub const RESOURCE_NOT_FOUND: &str = "resource_not_found";
    /// The text is not a postcode.
    pub const INVALID_POSTCODE: &str = "invalid_postcode";
    /// The postcode is not in use.
    pub const POSTCODE_NOT_FOUND: &str = "postcode_not_found";
    /// The postcode lies in an area that the dataset leaves out.
    pub const NOT_COVERED: &str = "not_covered";
    /// The postcode is not terminated.
    pub const TERMINATED_NOT_FOUND: &str = "terminated_postcode_not_found";
    /// The outcode has no live postcodes.
    pub const OUTCODE_NOT_FOUND: &str = "outcode_not_found";
    /// No area with live postcodes has this code.
    pub const AREA_NOT_FOUND: &str = "area_not_found";
    /// The sector has no live postcodes.
    pub const SECTOR_NOT_FOUND: &str = "sector_not_found";
    /// No place has this code.
    pub const PLACE_NOT_FOUND: &str = "place_not_found";
    /// No address has this number.
    pub const ADDRESS_NOT_FOUND: &str = "address_not_found";
    /// The postcode is in use, but not in the Scottish Postcode Directory.
    pub const NOT_SCOTTISH: &str = "not_scottish";
    /// The postcode is known, but its location is not.
    pub const NO_LOCATION: &str = "no_location";
    /// The body or a parameter is invalid.
    pub const INVALID_INPUT: &str = "invalid_input";
}
