//! `Serialize` and `Deserialize` of [`Record`], [`Neighbour`] and [`Answer`], in the extended shape of the HTTP API.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::answer::answered;
use super::{NeighbourView, RecordBody, RecordView, Shape};
use crate::{Answer, Error, ErrorKind, Neighbour, Record, Status};

/// Writes the postcode object of the HTTP API, as `?extended=true` has it: the keys of postcodes.io and those that this
/// project adds. [`RecordView`] with [`Shape::Compatible`] writes the keys of postcodes.io alone.
///
/// ```
/// use postcode_core::wire::{RecordView, Shape};
/// use postcode_core::Record;
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// let json = serde_json::to_value(&record)?;
/// assert_eq!((&json["outcode"], &json["status"]), (&"SW1A".into(), &"live".into()));
/// assert_eq!(serde_json::from_value::<Record>(json)?, record);
///
/// let compatible = serde_json::to_value(RecordView::new(&record, Shape::Compatible))?;
/// assert_eq!(compatible.get("status"), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RecordView::new(self, Shape::Extended).serialize(serializer)
    }
}

/// Reads a postcode object in either shape. Unknown keys are ignored, and missing ones are `None`. Without a `status`
/// the postcode is live, because the compatible shape has no other.
impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RecordBody::deserialize(deserializer)?.into_record(Status::Live).map_err(said)
    }
}

/// Writes a postcode object with its `distance`, as [`Record`] does.
impl Serialize for Neighbour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        NeighbourView::new(self, Shape::Extended).serialize(serializer)
    }
}

/// Reads a postcode object with its `distance`.
impl<'de> Deserialize<'de> for Neighbour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RecordBody::deserialize(deserializer)?.into_neighbour().map_err(said)
    }
}

/// Writes `{"status":…,"result":…}`: an item of a bulk answer with `?extended=true`, without its `query`.
///
/// ```
/// use postcode_core::{Answer, Record};
///
/// let answer = Answer::Terminated(Record::terminated("AB1 0AA".parse()?));
/// let json = serde_json::to_string(&answer)?;
/// assert!(json.starts_with(r#"{"status":"terminated","result":{"postcode":"AB1 0AA","#));
/// assert_eq!(serde_json::from_str::<Answer>(&json)?, answer);
/// assert_eq!(serde_json::to_string(&Answer::NotCovered)?, r#"{"status":"not_covered","result":null}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut item = serializer.serialize_struct("Answer", 2)?;
        item.serialize_field("status", self.status())?;
        item.serialize_field("result", &self.record())?;
        item.end()
    }
}

/// Reads `{"status":…,"result":…}`. A status that contradicts the record is an error.
impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Item {
            status: String,
            result: Option<RecordBody>,
        }
        let Item { status, result } = Item::deserialize(deserializer)?;
        answered(&status, result, |what| Error::new(ErrorKind::Protocol, format!("an answer with {what}")))
            .map_err(said)
    }
}

/// Says what is wrong, without losing the cause.
fn said<E: serde::de::Error>(error: Error) -> E {
    match std::error::Error::source(&error) {
        Some(cause) => E::custom(format_args!("{error}: {cause}")),
        None => E::custom(error),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Answer, Neighbour, Record};

    #[test]
    fn answer_with_status_that_contradicts_record_is_refused() {
        let live = serde_json::to_string(&Answer::Live(Record::live("SW1A 1AA".parse().unwrap()))).unwrap();
        let error = |json: &str| serde_json::from_str::<Answer>(json).unwrap_err().to_string();
        let swapped = live.replacen("live", "terminated", 1);
        assert!(
            error(&swapped).starts_with("an answer with one status and its record with another"),
            "{swapped}"
        );
        assert!(error(&live.replacen("live", "unknown", 1)).contains(r#"status "unknown" and a record"#));
        assert!(error(r#"{"status":"live","result":null}"#).contains(r#"status "live" and no record"#));
        assert!(error(r#"{"status":"asleep","result":null}"#).contains(r#"status "asleep""#));
    }

    #[test]
    fn invalid_postcode_in_record_is_refused_with_its_reason() {
        let error = serde_json::from_str::<Record>(r#"{"postcode":"SWIA 1AA"}"#).unwrap_err().to_string();
        assert!(error.contains("SWIA 1AA") && error.contains("SW1A 1AA"), "{error}");
    }

    #[test]
    fn neighbour_keeps_its_distance() {
        let neighbour = Neighbour::new(Record::live("SW1A 1AA".parse().unwrap()), 12.5);
        let json = serde_json::to_string(&neighbour).unwrap();
        assert!(json.contains(r#""distance":12.5"#));
        assert_eq!(serde_json::from_str::<Neighbour>(&json).unwrap(), neighbour);
        assert!(serde_json::from_str::<Neighbour>(r#"{"postcode":"SW1A 1AA"}"#).is_err());
    }
}
