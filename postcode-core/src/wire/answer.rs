//! The JSON envelope of a success, and the items of a bulk lookup.

use serde::{Deserialize, Serialize};

use super::{RecordBody, RecordView, Shape};
use crate::{Answer, Error, ErrorKind, Postcode, Result, Status};

/// `{"status":200,"result":…}`.
///
/// Created by [`new`](Self::new):
///
/// ```
/// use postcode_core::wire::Success;
///
/// assert_eq!(serde_json::to_string(&Success::new(true))?, r#"{"status":200,"result":true}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Success<T> {
    /// The HTTP status.
    pub status: u16,
    /// The answer.
    pub result: T,
}

impl<T> Success<T> {
    /// Wraps a result with status 200.
    ///
    /// ```
    /// use postcode_core::wire::Success;
    ///
    /// let body = Success::new(vec!["SW1A 1AA"]);
    /// assert_eq!(serde_json::to_string(&body)?, r#"{"status":200,"result":["SW1A 1AA"]}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(result: T) -> Self {
        Self { status: 200, result }
    }
}

/// The body of `POST /postcodes`: `{"postcodes":[…]}`.
///
/// ```
/// use postcode_core::wire::BulkQuery;
///
/// let query = BulkQuery { postcodes: &["SW1A 1AA".parse()?] };
/// assert_eq!(serde_json::to_string(&query)?, r#"{"postcodes":["SW1A 1AA"]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct BulkQuery<'a> {
    /// The postcodes, in the order of the answer.
    pub postcodes: &'a [Postcode],
}

/// One item of a bulk answer: `{"query":…,"result":…|null}`. The extended shape adds a `status`,
/// which tells a client that the server distinguishes terminated, unknown and not covered.
///
/// A server creates it with [`new`](Self::new), a client reads it with [`into_answer`](Self::into_answer):
///
/// ```
/// use postcode_core::Answer;
/// use postcode_core::wire::{BulkItem, RecordBody, Shape};
///
/// let item = BulkItem::new("SW1A 9ZZ", Some(&Answer::Unknown), Shape::Extended);
/// let text = serde_json::to_string(&item)?;
/// assert_eq!(text, r#"{"query":"SW1A 9ZZ","status":"unknown","result":null}"#);
///
/// let received: BulkItem<RecordBody> = serde_json::from_str(&text)?;
/// assert_eq!(received.into_answer()?, Some(Answer::Unknown));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BulkItem<T> {
    /// The text of the query, as it was sent.
    pub query: String,
    /// `live`, `terminated`, `unknown`, `not_covered` or `invalid`; missing from a postcodes.io
    /// server.
    pub status: Option<String>,
    /// The record.
    pub result: Option<T>,
}

impl<'a> BulkItem<RecordView<'a>> {
    /// Creates the answer to a query. `answer` is `None` if the text is not a postcode.
    ///
    /// ```
    /// use postcode_core::Answer;
    /// use postcode_core::wire::{BulkItem, Shape};
    ///
    /// let json = |answer, shape| serde_json::to_string(&BulkItem::new("BT1 5GS", answer, shape));
    /// let extended = json(Some(&Answer::NotCovered), Shape::Extended)?;
    /// assert_eq!(extended, r#"{"query":"BT1 5GS","status":"not_covered","result":null}"#);
    /// // postcodes.io says nothing but null.
    /// let compatible = json(Some(&Answer::NotCovered), Shape::Compatible)?;
    /// assert_eq!(compatible, r#"{"query":"BT1 5GS","result":null}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(query: impl Into<String>, answer: Option<&'a Answer>, shape: Shape) -> Self {
        let (status, record) = match (answer, shape) {
            (None, Shape::Extended) => (Some("invalid"), None),
            (None, Shape::Compatible) => (None, None),
            (Some(answer), Shape::Extended) => (Some(answer.status()), answer.record()),
            // postcodes.io answers null to all but live postcodes in bulk.
            (Some(Answer::Live(record)), Shape::Compatible) => (None, Some(record)),
            (Some(_), Shape::Compatible) => (None, None),
        };
        Self {
            query: query.into(),
            status: status.map(str::to_owned),
            result: record.map(|record| RecordView::new(record, shape)),
        }
    }
}

impl BulkItem<RecordBody> {
    /// Returns the server's answer, or `None` if it is a postcodes.io server that answered null:
    /// the postcode is not live, and nothing more is known.
    ///
    /// ```
    /// use postcode_core::wire::{BulkItem, RecordBody};
    ///
    /// let read = |text| serde_json::from_str::<BulkItem<RecordBody>>(text);
    /// let item = read(r#"{"query":"SW1A 1AA","result":{"postcode":"SW1A 1AA"}}"#)?;
    /// assert!(item.into_answer()?.is_some_and(|answer| answer.is_live()));
    /// // A postcodes.io server answers null to all postcodes that are not live.
    /// assert_eq!(read(r#"{"query":"SW1A 9ZZ","result":null}"#)?.into_answer()?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) if the record is invalid or contradicts the status.
    pub fn into_answer(self) -> Result<Option<Answer>> {
        let query = &self.query;
        let wrong = |what: String| {
            Error::new(ErrorKind::Protocol, format!("the server answered {query:?} with {what}"))
        };
        match (self.status.as_deref(), self.result) {
            (None, None) => Ok(None),
            (status, result) => answered(status.unwrap_or("live"), result, wrong).map(Some),
        }
    }
}

/// Returns the answer of a status and a record. `wrong` makes the error of what contradicts itself.
pub(super) fn answered(
    status: &str,
    result: Option<RecordBody>,
    wrong: impl Fn(String) -> Error,
) -> Result<Answer> {
    let record = |body: RecordBody, status: Status| {
        let record = body.into_record(status)?;
        if record.status == status {
            return Ok(Answer::from(record));
        }
        Err(wrong("one status and its record with another".to_owned()))
    };
    match (status, result) {
        ("live", Some(body)) => record(body, Status::Live),
        ("terminated", Some(body)) => record(body, Status::Terminated),
        ("unknown", None) => Ok(Answer::Unknown),
        ("not_covered", None) => Ok(Answer::NotCovered),
        (status, result) => {
            let with = if result.is_some() { "a record" } else { "no record" };
            Err(wrong(format!("status {status:?} and {with}")))
        }
    }
}

// Written by hand, so that `status` is left out of the compatible shape instead of being null.
impl<T: Serialize> Serialize for BulkItem<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut item = serializer.serialize_struct("BulkItem", if self.status.is_some() { 3 } else { 2 })?;
        item.serialize_field("query", &self.query)?;
        if let Some(status) = &self.status {
            item.serialize_field("status", status)?;
        }
        item.serialize_field("result", &self.result)?;
        item.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for BulkItem<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Item<T> {
            query: String,
            #[serde(default)]
            status: Option<String>,
            result: Option<T>,
        }
        let Item { query, status, result } = Item::deserialize(deserializer)?;
        Ok(Self { query, status, result })
    }
}
