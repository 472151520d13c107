//! Reads compact answers, from bytes that anybody may have sent.

use std::sync::Arc;

use postcard::Deserializer;
use postcard::de_flavors::Slice;
use serde::Deserialize;

use super::layout::{
    AnswerLayout, AreaLayout, EntryLayout, Form, ItemLayout, NeighbourLayout, PageLayout, RecordLayout,
    invalid,
};
use super::said;
use crate::model::AreaTextsBuilder;
use crate::{Answer, Area, AreaKind, Areas, Error, ErrorKind, Neighbour, Postcode, Record, Result};

/// The most areas in a set. There are fewer kinds today. Those that this version does not know are
/// skipped.
const MAX_SET_AREAS: usize = 64;
/// The most bytes of names and codes for each record that was asked for. No record has more in JSON.
const MAX_RECORD_TEXT: usize = 16 << 10;

/// An answer that was read.
///
/// ```
/// use postcode_core::Record;
/// use postcode_core::wire::compact::{CompactBody, CompactList};
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// let mut list = CompactList::new();
/// list.push(&record)?;
/// assert_eq!(CompactBody::read(&list.finish()?, 1)?, CompactBody::Records(vec![record]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CompactBody<'a> {
    /// The items of a bulk lookup.
    Bulk(Vec<CompactQueried<'a>>),
    /// The records of a search.
    Records(Vec<Record>),
    /// The postcodes around a point or a postcode.
    Neighbours(Vec<Neighbour>),
    /// The items of bulk reverse geocoding.
    Located(Vec<CompactLocated<'a>>),
    /// A page of a region.
    Page {
        /// The postcodes.
        records: Vec<Record>,
        /// The cursor of the next page.
        next: Option<Postcode>,
        /// Advice about an empty page.
        advice: Option<&'a str>,
    },
}

/// An item of a bulk lookup that was read.
///
/// ```
/// use postcode_core::Answer;
/// use postcode_core::wire::compact::{CompactBody, CompactItem, CompactList, CompactQueried};
///
/// let mut list = CompactList::new();
/// list.push(&CompactItem { query: "sw1a9zz", answer: Some(&Answer::Unknown) })?;
/// let item = CompactQueried { query: "sw1a9zz", answer: Some(Answer::Unknown) };
/// assert_eq!(CompactBody::read(&list.finish()?, 1)?, CompactBody::Bulk(vec![item]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CompactQueried<'a> {
    /// The text of the query.
    pub query: &'a str,
    /// `None` if the text is not a postcode.
    pub answer: Option<Answer>,
}

/// An item of bulk reverse geocoding that was read.
///
/// ```
/// use postcode_core::wire::compact::{CompactBody, CompactList, CompactLocated, CompactNeighbours};
///
/// let query = r#"{"longitude":-0.1416,"latitude":51.501}"#;
/// let mut list = CompactList::new();
/// list.push(&CompactNeighbours { query, found: &[] })?;
/// let item = CompactLocated { query, found: Vec::new() };
/// assert_eq!(CompactBody::read(&list.finish()?, 1)?, CompactBody::Located(vec![item]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CompactLocated<'a> {
    /// The query, as JSON.
    pub query: &'a str,
    /// The postcodes around it.
    pub found: Vec<Neighbour>,
}

impl<'a> CompactBody<'a> {
    /// Reads an answer to a request for at most so many records.
    ///
    /// ```
    /// use postcode_core::ErrorKind;
    /// use postcode_core::wire::compact::CompactBody;
    ///
    /// // Neighbours; no areas, no sets, no items.
    /// assert_eq!(CompactBody::read(&[2, 0, 0, 0], 10)?, CompactBody::Neighbours(Vec::new()));
    /// let error = CompactBody::read(&[2, 0, 0, 200, 1], 10).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Protocol);
    /// assert!(error.to_string().contains("200 items"), "{error}");
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) if the bytes are not such an answer, if it is longer than that, or
    /// if a value is invalid.
    pub fn read(bytes: &'a [u8], most: usize) -> Result<Self> {
        let mut input = Input { from: Deserializer::from_bytes(bytes), most };
        let form: Form = input.take()?;
        let sets = input.sets()?;
        let body = match form {
            Form::Bulk => Self::Bulk(input.list(|it| it.queried(&sets))?),
            Form::Records => Self::Records(input.list(|it| it.record(&sets))?),
            Form::Neighbours => Self::Neighbours(input.list(|it| it.neighbour(&sets))?),
            Form::Located => Self::Located(input.located(&sets)?),
            Form::Page => {
                let records = input.list(|it| it.record(&sets))?;
                let PageLayout { next, advice } = input.take()?;
                let next = next.map(|text| text.parse().map_err(|e| invalid(text, "cursor").with_source(e)));
                Self::Page { records, next: next.transpose()?, advice }
            }
        };
        match input.from.finalize() {
            Ok([]) => Ok(body),
            _ => Err(protocol("bytes after its end".to_owned())),
        }
    }
}

/// The bytes that are left.
struct Input<'a> {
    from: Deserializer<'a, Slice<'a>>,
    most: usize,
}

impl<'a> Input<'a> {
    /// Takes a value that borrows its texts, and so needs no more memory than its bytes.
    fn take<T: Deserialize<'a>>(&mut self) -> Result<T> {
        T::deserialize(&mut self.from).map_err(|error| {
            let what = match error {
                postcard::Error::DeserializeUnexpectedEnd => "an end before it is complete".to_owned(),
                ref other => format!("bytes that are not of this format ({other})"),
            };
            protocol(what).with_source(error)
        })
    }

    /// Takes a number of items, and refuses more than `most` before room is made for them.
    fn count(&mut self, most: usize, what: &str) -> Result<usize> {
        let count: u32 = self.take()?;
        match usize::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            _ => Err(protocol(format!("{count} {what}, and at most {most} were asked for"))),
        }
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.count(self.most, "items")?;
        // A caller may have asked for far more than came.
        let mut list = Vec::with_capacity(count.min(1_000));
        for _ in 0..count {
            list.push(item(self)?);
        }
        Ok(list)
    }

    fn sets(&mut self) -> Result<Vec<Areas>> {
        let count = self.count(self.most.saturating_mul(MAX_SET_AREAS), "areas")?;
        let mut areas: Vec<Area<'a>> = Vec::with_capacity(count.min(4_000));
        for _ in 0..count {
            let (code, name, alias): AreaLayout<'a> = self.take()?;
            areas.push(Area { code, name, alias });
        }
        let count = self.count(self.most, "sets of areas")?;
        let mut left = self.most.saturating_mul(MAX_RECORD_TEXT);
        let mut sets = Vec::with_capacity(count.min(1_000));
        let mut builder = AreaTextsBuilder::default();
        for _ in 0..count {
            for _ in 0..self.count(MAX_SET_AREAS, "areas in a set")? {
                let (kind, place): EntryLayout = self.take()?;
                let area = areas.get(place as usize).copied();
                let area = area.ok_or_else(|| protocol(format!("no area {place}, which a set refers to")))?;
                if let Some(kind) = AreaKind::ALL.get(usize::from(kind)).copied()
                    && let Some(area) = said(kind, area)
                {
                    builder.push(kind, area);
                }
                // Checked for each area, because a long text may be referred to many times.
                if builder.text_len() > left {
                    return Err(protocol("more names and codes than any valid answer".to_owned()));
                }
            }
            left -= builder.text_len();
            sets.push(Areas::shared(Arc::new(builder.take()), 0));
        }
        Ok(sets)
    }

    fn record(&mut self, sets: &[Areas]) -> Result<Record> {
        self.take::<RecordLayout<'a>>()?.into_record(sets)
    }

    fn neighbour(&mut self, sets: &[Areas]) -> Result<Neighbour> {
        let NeighbourLayout { distance, record } = self.take()?;
        let record = record.into_record(sets)?;
        match distance.is_finite() {
            true => Ok(Neighbour::new(record, distance)),
            false => Err(invalid(&record.postcode.spaced(), "distance of")),
        }
    }

    fn queried(&mut self, sets: &[Areas]) -> Result<CompactQueried<'a>> {
        let ItemLayout { query, answer } = self.take()?;
        let answer = match answer {
            AnswerLayout::Invalid => None,
            AnswerLayout::Unknown => Some(Answer::Unknown),
            AnswerLayout::NotCovered => Some(Answer::NotCovered),
            AnswerLayout::Found(record) => Some(record.into_record(sets)?.into()),
        };
        Ok(CompactQueried { query, answer })
    }

    /// Both the locations and the postcodes of all of them are at most as many as were asked for.
    fn located(&mut self, sets: &[Areas]) -> Result<Vec<CompactLocated<'a>>> {
        let mut left = self.most;
        self.list(|it| {
            let query = it.take()?;
            let most = std::mem::replace(&mut it.most, left);
            let found = it.list(|it| it.neighbour(sets));
            it.most = most;
            let found = found?;
            left -= found.len();
            Ok(CompactLocated { query, found })
        })
    }
}

fn protocol(what: String) -> Error {
    Error::new(ErrorKind::Protocol, format!("the compact answer has {what}"))
}
