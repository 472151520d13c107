//! Writes records as JSON text.

use std::ops::Range;

use serde::Serialize;
use serde_json::Error;

use super::record::{CodesView, PARTS, Sink};
use super::{BulkItem, NeighbourView, RecordView, Shape};
use crate::Areas;

/// Writes itself as [`RecordText`]: records do, and what holds them.
///
/// Called as [`write`](Self::write):
///
/// ```
/// use postcode_core::Record;
/// use postcode_core::wire::{HasRecords, RecordText, RecordView, Shape};
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// let mut text = RecordText::new(Vec::new());
/// RecordView::new(&record, Shape::Compatible).write(&mut text)?;
/// assert!(text.into_bytes().starts_with(br#"{"postcode":"SW1A 1AA""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait HasRecords {
    /// Appends itself to the text.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::{BulkItem, HasRecords, RecordText, RecordView};
    ///
    /// let item = BulkItem::<RecordView<'_>> { query: "nonsense".to_owned(), status: None, result: None };
    /// let mut text = RecordText::new(Vec::new());
    /// item.write(&mut text)?;
    /// assert_eq!(text.into_bytes(), br#"{"query":"nonsense","result":null}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails if something in it cannot be JSON. Records of this crate can.
    fn write(&self, text: &mut RecordText) -> Result<(), Error>;
}

/// How many sets of areas are remembered: those of the neighbours of a point are fewer.
const REMEMBERED: usize = 64;

/// JSON text with records in it: the same bytes that `serde_json` writes for a [`RecordView`], several
/// times faster.
///
/// Most of a record are names and codes of areas, and neighbours share them. They are copied from where
/// the same set was written before in this text.
///
/// [`new`](Self::new) begins or continues a text, and [`into_bytes`](Self::into_bytes) returns it:
///
/// ```
/// use postcode_core::Record;
/// use postcode_core::wire::{HasRecords, RecordText, RecordView, Shape};
///
/// let record = Record::live("SW1A 1AA".parse()?);
/// let view = RecordView::new(&record, Shape::Compatible);
/// let mut text = RecordText::new(Vec::new());
/// view.write(&mut text)?;
/// assert_eq!(text.into_bytes(), serde_json::to_vec(&view)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RecordText {
    out: Vec<u8>,
    /// Whether more records are to come. The areas of a single one need not be remembered.
    is_list: bool,
    written: Vec<Option<Written>>,
}

/// Where the parts of a set of areas are in the text.
#[derive(Clone, Debug)]
struct Written {
    /// Kept, so that no other set can have its address meanwhile.
    areas: Areas,
    shape: Shape,
    parts: [Range<usize>; PARTS],
}

impl RecordText {
    /// Creates a text that continues `out`, for one record.
    ///
    /// ```
    /// use postcode_core::wire::RecordText;
    ///
    /// let mut text = RecordText::new(br#"{"status":200,"#.to_vec());
    /// text.raw(r#""result":null}"#);
    /// assert_eq!(text.into_bytes(), br#"{"status":200,"result":null}"#);
    /// ```
    pub fn new(out: Vec<u8>) -> Self {
        Self { out, is_list: false, written: Vec::new() }
    }

    /// Creates a text that continues `out`, for several records.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::{RecordText, RecordView, Shape};
    ///
    /// let records = [Record::live("SW1A 1AA".parse()?), Record::live("M1 1AE".parse()?)];
    /// let mut text = RecordText::of_many(Vec::new());
    /// text.list(records.iter().map(|record| RecordView::new(record, Shape::Compatible)))?;
    /// assert!(text.into_bytes().ends_with(b"}]"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_many(out: Vec<u8>) -> Self {
        Self { is_list: true, ..Self::new(out) }
    }

    /// Returns the length in bytes.
    ///
    /// ```
    /// use postcode_core::wire::RecordText;
    ///
    /// let mut text = RecordText::new(Vec::new());
    /// text.raw("[]");
    /// assert_eq!(text.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Returns whether nothing is written.
    ///
    /// ```
    /// use postcode_core::wire::RecordText;
    ///
    /// assert!(RecordText::new(Vec::new()).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Appends text as it is: it must be JSON together with what follows.
    ///
    /// ```
    /// use postcode_core::wire::RecordText;
    ///
    /// let mut text = RecordText::new(Vec::new());
    /// text.raw(r#"{"status":"#);
    /// text.value(&200)?;
    /// text.raw(r#","error":"#);
    /// text.string("not a \"postcode\"")?;
    /// text.raw("}");
    /// assert_eq!(text.len(), 43);
    /// assert_eq!(text.into_bytes(), br#"{"status":200,"error":"not a \"postcode\""}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Appends any value.
    ///
    /// ```
    /// use postcode_core::wire::RecordText;
    ///
    /// let mut text = RecordText::new(Vec::new());
    /// text.value(&[51.501, -0.1416])?;
    /// assert_eq!(text.into_bytes(), b"[51.501,-0.1416]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn value(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        serde_json::to_writer(&mut self.out, value)
    }

    /// Appends a string.
    ///
    /// ```
    /// use postcode_core::wire::RecordText;
    ///
    /// let mut text = RecordText::new(Vec::new());
    /// text.string("St James's")?;
    /// assert_eq!(text.into_bytes(), br#""St James's""#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Never.
    pub fn string(&mut self, text: &str) -> Result<(), Error> {
        if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            return self.value(text);
        }
        self.out.push(b'"');
        self.raw(text);
        self.out.push(b'"');
        Ok(())
    }

    /// Appends a list.
    ///
    /// ```
    /// use postcode_core::wire::{RecordText, RecordView};
    ///
    /// let mut text = RecordText::of_many(Vec::new());
    /// text.list(std::iter::empty::<RecordView<'_>>())?;
    /// assert_eq!(text.into_bytes(), b"[]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The errors of its items.
    pub fn list(&mut self, items: impl Iterator<Item = impl HasRecords>) -> Result<(), Error> {
        self.is_list = true;
        let mut before = "[";
        for item in items {
            self.raw(std::mem::replace(&mut before, ","));
            item.write(self)?;
        }
        self.raw(if before == "[" { "[]" } else { "]" });
        Ok(())
    }

    fn known(&self, view: &RecordView<'_>) -> Option<&Written> {
        let place = view.areas().set()? as usize % REMEMBERED;
        let written = self.written.get(place)?.as_ref()?;
        (written.shape == view.shape() && written.areas.same_set(view.areas())).then_some(written)
    }

    fn remember(&mut self, view: &RecordView<'_>, parts: [Range<usize>; PARTS]) {
        let Some(set) = view.areas().set() else { return };
        self.written.resize(REMEMBERED, None);
        if let Some(place) = self.written.get_mut(set as usize % REMEMBERED) {
            *place = Some(Written { areas: view.areas().clone(), shape: view.shape(), parts });
        }
    }

    /// Returns the text.
    ///
    /// ```
    /// use postcode_core::wire::RecordText;
    ///
    /// let mut text = RecordText::new(Vec::new());
    /// text.raw("null");
    /// assert_eq!(text.into_bytes(), b"null");
    /// ```
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }
}

impl HasRecords for RecordView<'_> {
    fn write(&self, text: &mut RecordText) -> Result<(), Error> {
        if !self.is_whole() {
            return text.value(self);
        }
        let known = text.known(self).map(|written| written.parts.clone());
        let is_new = known.is_none();
        let mut object = Object { text, before: "{", known, parts: [const { 0..0 }; PARTS] };
        self.entries(&mut object)?;
        let parts = object.parts;
        text.raw("}");
        if is_new && text.is_list {
            text.remember(self, parts);
        }
        Ok(())
    }
}

impl HasRecords for NeighbourView<'_> {
    fn write(&self, text: &mut RecordText) -> Result<(), Error> {
        self.record().write(text)
    }
}

impl<T: HasRecords> HasRecords for BulkItem<T> {
    fn write(&self, text: &mut RecordText) -> Result<(), Error> {
        text.raw("{\"query\":");
        text.string(&self.query)?;
        if let Some(status) = &self.status {
            text.raw(",\"status\":");
            text.string(status)?;
        }
        text.raw(",\"result\":");
        self.result.write(text)?;
        text.raw("}");
        Ok(())
    }
}

impl<T: HasRecords> HasRecords for Option<T> {
    fn write(&self, text: &mut RecordText) -> Result<(), Error> {
        match self {
            Some(it) => it.write(text),
            None => {
                text.raw("null");
                Ok(())
            }
        }
    }
}

impl<T: HasRecords> HasRecords for &T {
    fn write(&self, text: &mut RecordText) -> Result<(), Error> {
        (**self).write(text)
    }
}

impl<T: HasRecords> HasRecords for Vec<T> {
    fn write(&self, text: &mut RecordText) -> Result<(), Error> {
        text.list(self.iter())
    }
}

/// The object of one record.
struct Object<'a> {
    text: &'a mut RecordText,
    /// Comes before the next key.
    before: &'static str,
    /// Where the areas were written before.
    known: Option<[Range<usize>; PARTS]>,
    /// Where they are written now.
    parts: [Range<usize>; PARTS],
}

impl Object<'_> {
    /// Keys of records need no escapes.
    fn key(&mut self, key: &str) {
        let out = &mut self.text.out;
        out.extend_from_slice(std::mem::replace(&mut self.before, ",").as_bytes());
        out.push(b'"');
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
    }
}

impl Sink for Object<'_> {
    type Error = Error;

    fn entry(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.key(key);
        self.text.value(value)
    }

    fn text(&mut self, key: &'static str, text: Option<&str>) -> Result<(), Error> {
        self.key(key);
        match text {
            Some(text) => self.text.string(text),
            None => {
                self.text.raw("null");
                Ok(())
            }
        }
    }

    fn codes(&mut self, codes: CodesView<'_, '_>) -> Result<(), Error> {
        self.key("codes");
        self.before = "{";
        codes.entries(self)?;
        self.text.raw("}");
        Ok(())
    }

    fn areas(
        &mut self,
        part: usize,
        write: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(written) = self.known.as_ref().and_then(|parts| parts.get(part)) {
            self.text.out.extend_from_within(written.clone());
            return Ok(());
        }
        let start = self.text.out.len();
        write(self)?;
        if let Some(place) = self.parts.get_mut(part) {
            *place = start..self.text.out.len();
        }
        Ok(())
    }
}
