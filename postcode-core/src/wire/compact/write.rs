//! Writes compact answers.

use std::marker::PhantomData;

use super::layout::{AnswerLayout, Form, ItemLayout, NeighbourLayout, PageLayout, RecordLayout};
use super::out::Out;
use super::table::Tables;
use crate::{Answer, Neighbour, Postcode, Record, Result};

/// An item of an answer: of a bulk lookup, a record, a neighbour, or an item of bulk reverse geocoding.
///
/// ```
/// use postcode_core::wire::compact::{CompactBody, CompactList, CompactWrite};
/// use postcode_core::{Record, Result};
///
/// fn encoded<T: CompactWrite>(items: &[T]) -> Result<Vec<u8>> {
///     let mut list = CompactList::new();
///     items.iter().try_for_each(|item| list.push(item))?;
///     list.finish()
/// }
///
/// let records = [Record::live("SW1A 1AA".parse()?), Record::live("M1 1AE".parse()?)];
/// let bytes = encoded(&records)?;
/// let CompactBody::Records(read) = CompactBody::read(&bytes, 2)? else { panic!("another form") };
/// assert_eq!(read, records);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CompactWrite: sealed::Item {}

/// An item of a bulk lookup.
///
/// ```
/// use postcode_core::wire::compact::{CompactBody, CompactItem, CompactList};
///
/// let mut list = CompactList::new();
/// list.push(&CompactItem { query: "nonsense", answer: None })?;
/// let bytes = list.finish()?;
/// let CompactBody::Bulk(items) = CompactBody::read(&bytes, 1)? else { panic!("another form") };
/// assert_eq!((items[0].query, &items[0].answer), ("nonsense", &None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CompactItem<'a> {
    /// The text of the query, as it was sent.
    pub query: &'a str,
    /// `None` if the text is not a postcode.
    pub answer: Option<&'a Answer>,
}

/// An item of bulk reverse geocoding.
///
/// ```
/// use postcode_core::wire::compact::{CompactBody, CompactList, CompactNeighbours};
/// use postcode_core::{Neighbour, Record};
///
/// let found = [Neighbour::new(Record::live("SW1A 1AA".parse()?), 12.5)];
/// let mut list = CompactList::new();
/// list.push(&CompactNeighbours { query: r#"{"longitude":-0.1416,"latitude":51.501}"#, found: &found })?;
/// let bytes = list.finish()?;
/// let CompactBody::Located(items) = CompactBody::read(&bytes, 1)? else { panic!("another form") };
/// assert_eq!(items[0].found, found);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CompactNeighbours<'a> {
    /// The query, as JSON.
    pub query: &'a str,
    /// The postcodes around it. None found is `null` in JSON.
    pub found: &'a [Neighbour],
}

impl<T: sealed::Item> CompactWrite for T {}

#[expect(private_interfaces, reason = "only CompactWrite is public")]
mod sealed {
    use super::*;

    pub trait Item {
        const FORM: Form;

        fn write(&self, lists: &mut Lists) -> Result<()>;
    }

    impl Item for CompactItem<'_> {
        const FORM: Form = Form::Bulk;

        fn write(&self, lists: &mut Lists) -> Result<()> {
            let Self { query, answer } = *self;
            let record = answer.and_then(Answer::record);
            let set = record.map_or(Ok(0), |record| lists.tables.place(&record.areas))?;
            let postcode = record.map(|record| record.postcode.compact());
            let answer = match (answer, record, &postcode) {
                (_, Some(record), Some(postcode)) => {
                    AnswerLayout::Found(RecordLayout::of(record, postcode, set))
                }
                (Some(Answer::NotCovered), ..) => AnswerLayout::NotCovered,
                (Some(_), ..) => AnswerLayout::Unknown,
                (None, ..) => AnswerLayout::Invalid,
            };
            lists.items.put(&ItemLayout { query, answer })
        }
    }

    impl Item for Record {
        const FORM: Form = Form::Records;

        fn write(&self, lists: &mut Lists) -> Result<()> {
            let set = lists.tables.place(&self.areas)?;
            lists.items.put(&RecordLayout::of(self, &self.postcode.compact(), set))
        }
    }

    impl Item for Neighbour {
        const FORM: Form = Form::Neighbours;

        fn write(&self, lists: &mut Lists) -> Result<()> {
            let Self { record, distance } = self;
            let set = lists.tables.place(&record.areas)?;
            let postcode = record.postcode.compact();
            let record = RecordLayout::of(record, &postcode, set);
            lists.items.put(&NeighbourLayout { distance: *distance, record })
        }
    }

    impl Item for CompactNeighbours<'_> {
        const FORM: Form = Form::Located;

        fn write(&self, lists: &mut Lists) -> Result<()> {
            lists.items.put(self.query)?;
            lists.items.put(&self.found.len())?;
            self.found.iter().try_for_each(|neighbour| Item::write(neighbour, lists))
        }
    }
}

/// The tables, and the items that refer to them.
#[derive(Debug, Default)]
struct Lists {
    tables: Tables,
    items: Out,
}

/// Writes an answer item by item. All items have one type, which is the form of the answer.
///
/// ```
/// use postcode_core::wire::compact::{CompactBody, CompactList};
/// use postcode_core::{Neighbour, Record};
///
/// let neighbour = Neighbour::new(Record::live("SW1A 1AA".parse()?), 12.5);
/// let mut list = CompactList::new();
/// list.push(&neighbour)?;
/// let bytes = list.finish()?;
/// let CompactBody::Neighbours(found) = CompactBody::read(&bytes, 1)? else { panic!("another form") };
/// assert_eq!(found, [neighbour]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CompactList<T> {
    lists: Lists,
    count: usize,
    items: PhantomData<fn(T)>,
}

impl<T> Default for CompactList<T> {
    fn default() -> Self {
        Self { lists: Lists::default(), count: 0, items: PhantomData }
    }
}

impl<T: CompactWrite> CompactList<T> {
    /// Creates an empty answer.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::compact::CompactList;
    ///
    /// assert!(CompactList::<Record>::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an item.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::compact::{CompactBody, CompactList};
    ///
    /// let mut list = CompactList::new();
    /// list.push(&Record::live("SW1A 1AA".parse()?))?;
    /// list.push(&Record::terminated("AB1 0AA".parse()?))?;
    /// let bytes = list.finish()?;
    /// let CompactBody::Records(records) = CompactBody::read(&bytes, 2)? else { panic!("another form") };
    /// assert_eq!(records[1].postcode, "AB1 0AA".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal), which does not occur for items of this crate.
    pub fn push(&mut self, item: &T) -> Result<()> {
        self.count += 1;
        item.write(&mut self.lists)
    }

    /// Returns how many bytes have been written, without those that [`finish`](Self::finish) adds.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::compact::CompactList;
    ///
    /// let mut list = CompactList::new();
    /// let before = list.len();
    /// list.push(&Record::live("SW1A 1AA".parse()?))?;
    /// assert!(list.len() > before);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn len(&self) -> usize {
        self.lists.tables.len() + self.lists.items.len()
    }

    /// Returns whether there is no item.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::compact::CompactList;
    ///
    /// let mut list = CompactList::new();
    /// assert!(list.is_empty());
    /// list.push(&Record::live("SW1A 1AA".parse()?))?;
    /// assert!(!list.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the bytes of the answer.
    ///
    /// ```
    /// use postcode_core::Neighbour;
    /// use postcode_core::wire::compact::{CompactBody, CompactList};
    ///
    /// let bytes = CompactList::<Neighbour>::new().finish()?;
    /// assert_eq!(CompactBody::read(&bytes, 10)?, CompactBody::Neighbours(Vec::new()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(self) -> Result<Vec<u8>> {
        self.ended(T::FORM, None)
    }

    fn ended(self, form: Form, page: Option<PageLayout<'_>>) -> Result<Vec<u8>> {
        // The rest is a few numbers, and the text of a page.
        let mut out = Out::with_capacity(self.len() + 64);
        out.put(&form)?;
        self.lists.tables.append_to(&mut out)?;
        out.put(&self.count)?;
        out.append(&self.lists.items);
        page.map_or(Ok(()), |page| out.put(&page))?;
        Ok(out.into_bytes())
    }
}

impl CompactList<Record> {
    /// Returns the bytes of a page of a region: its records, the cursor of the next page, and advice about
    /// an empty page.
    ///
    /// ```
    /// use postcode_core::Record;
    /// use postcode_core::wire::compact::{CompactBody, CompactList};
    ///
    /// let record = Record::live("SW1A 1AA".parse()?);
    /// let mut list = CompactList::new();
    /// list.push(&record)?;
    /// let bytes = list.finish_page(Some(record.postcode), None)?;
    /// let next = Some(record.postcode);
    /// assert_eq!(CompactBody::read(&bytes, 1)?, CompactBody::Page { records: vec![record], next, advice: None });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish_page(self, next: Option<Postcode>, advice: Option<&str>) -> Result<Vec<u8>> {
        let next = next.map(Postcode::compact);
        self.ended(Form::Page, Some(PageLayout { next: next.as_deref(), advice }))
    }
}
