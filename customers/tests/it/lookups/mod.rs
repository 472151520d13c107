//! Lookups to test customers with: a small country, and the ways in which a lookup can fail.
#![allow(dead_code, unreachable_pub)] // Each test program uses what it needs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use postcode_core::{
    Answer, AreaKind, Areas, DatasetInfo, Error, ErrorKind, Location, MockPostcodeLookup, Nearest,
    NearestOutcodes, Neighbour, Outcode, OutcodeSummary, OwnedArea, Page, Place, PlaceMatch, PlacePostcodes,
    PlaceQuery, Postcode, PostcodeLookup, Record, Result, ScottishPostcode, Within,
};
use tokio::sync::Notify;

fn named(name: &str) -> OwnedArea {
    OwnedArea { name: Some(name.into()), ..OwnedArea::default() }
}

fn answer(postcode: Postcode) -> Answer {
    let place = |mut record: Record, names: [&str; 3], (latitude, longitude)| {
        let [district, region, country] = names;
        record.location = Some(Location::new(latitude, longitude).unwrap());
        record.areas = Areas::owned([
            (AreaKind::AdminDistrict, named(district)),
            (AreaKind::Region, named(region)),
            (AreaKind::Country, named(country)),
        ]);
        record
    };
    match postcode.to_string().as_str() {
        "SW1A 1AA" => Answer::Live(place(
            Record::live(postcode),
            ["Westminster", "London", "England"],
            (51.501009, -0.141588),
        )),
        "M1 1AE" => Answer::Live(place(
            Record::live(postcode),
            ["Manchester", "North West", "England"],
            (53.479_05, -2.231_876),
        )),
        // As on Jersey: live, and neither location nor region.
        "JE2 3AB" => Answer::Live(Record::live(postcode)),
        "DN55 1PT" => Answer::Terminated(place(
            Record::terminated(postcode),
            ["Doncaster", "Yorkshire and The Humber", "England"],
            (53.52, -1.13),
        )),
        "BT1 5GS" => Answer::NotCovered,
        _ => Answer::Unknown,
    }
}

/// Creates a mock that knows five postcodes.
pub fn country() -> MockPostcodeLookup {
    let mut mock = MockPostcodeLookup::new();
    mock.expect_lookup().returning(|postcodes| Ok(postcodes.iter().copied().map(answer).collect()));
    mock
}

/// The ways in which a [`Switch`] treats its lookup.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    Answers,
    Fails(ErrorKind),
    /// Never answers.
    Hangs,
    /// Answers once released.
    Waits,
    /// Fails for any batch that holds `M1 1AE`.
    Stumbles,
    /// Leaves the last answer out.
    Truncates,
    /// Knows Northern Ireland too.
    KnowsAll,
    /// Answers like an edition in which `SW1A 1AA` is terminated.
    Terminates,
    /// Answers like data that covers no area.
    CoversNothing,
}

/// The mock, with a lookup in front of it that can be made to fail.
#[derive(Debug)]
pub struct Switch {
    mode: Mutex<Mode>,
    pub calls: AtomicUsize,
    pub called: Notify,
    pub release: Notify,
    edition: Mutex<String>,
    inner: MockPostcodeLookup,
}

impl Switch {
    pub fn new(mode: Mode) -> Self {
        Self {
            mode: Mutex::new(mode),
            calls: AtomicUsize::new(0),
            called: Notify::new(),
            release: Notify::new(),
            edition: Mutex::new("first".into()),
            inner: country(),
        }
    }

    /// Answers as another edition of the dataset from now on.
    pub fn publish(&self, edition: &str) {
        *self.edition.lock().unwrap() = edition.into();
    }

    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl PostcodeLookup for Switch {
    async fn lookup(&self, postcodes: &[Postcode]) -> Result<Vec<Answer>> {
        let mode = *self.mode.lock().unwrap();
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.called.notify_one();
        match mode {
            Mode::Answers => self.inner.lookup(postcodes).await,
            Mode::Fails(kind) => Err(Error::new(kind, "switched off")),
            Mode::Hangs => std::future::pending().await,
            Mode::Waits => {
                self.release.notified().await;
                self.inner.lookup(postcodes).await
            }
            Mode::Stumbles if postcodes.contains(&"M1 1AE".parse().unwrap()) => {
                Err(Error::new(ErrorKind::Internal, "stumbled"))
            }
            Mode::Stumbles => self.inner.lookup(postcodes).await,
            Mode::Truncates => {
                let mut answers = self.inner.lookup(postcodes).await?;
                answers.pop();
                Ok(answers)
            }
            Mode::CoversNothing => Ok(vec![Answer::NotCovered; postcodes.len()]),
            Mode::Terminates => {
                let mut answers = self.inner.lookup(postcodes).await?;
                for (postcode, answer) in postcodes.iter().zip(&mut answers) {
                    if postcode.to_string() == "SW1A 1AA" {
                        *answer = Answer::Terminated(Record::terminated(*postcode));
                    }
                }
                Ok(answers)
            }
            Mode::KnowsAll => {
                Ok(postcodes.iter().map(|&postcode| Answer::Live(Record::live(postcode))).collect())
            }
        }
    }
    async fn outcode(&self, outcode: Outcode) -> Result<Option<OutcodeSummary>> {
        self.inner.outcode(outcode).await
    }
    async fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        self.inner.autocomplete(prefix, limit).await
    }
    async fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        self.inner.search(query, limit).await
    }
    async fn nearest(&self, query: &Nearest) -> Result<Option<Vec<Neighbour>>> {
        self.inner.nearest(query).await
    }
    async fn within(&self, query: &Within) -> Result<Option<Page>> {
        self.inner.within(query).await
    }
    async fn outcodes(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        self.inner.outcodes(prefix, limit).await
    }
    async fn random(&self, outcode: Option<Outcode>) -> Result<Option<Record>> {
        self.inner.random(outcode).await
    }
    async fn nearest_outcodes(&self, query: &NearestOutcodes) -> Result<Option<Vec<OutcodeSummary>>> {
        self.inner.nearest_outcodes(query).await
    }
    async fn place(&self, code: &str) -> Result<Option<Place>> {
        self.inner.place(code).await
    }
    async fn places(&self, query: &str, limit: usize) -> Result<Vec<Place>> {
        self.inner.places(query, limit).await
    }
    async fn find_places(&self, query: &PlaceQuery) -> Result<Vec<PlaceMatch>> {
        self.inner.find_places(query).await
    }
    async fn place_postcodes(
        &self,
        code: &str,
        after: Option<Postcode>,
        limit: usize,
    ) -> Result<Option<PlacePostcodes>> {
        self.inner.place_postcodes(code, after, limit).await
    }
    async fn random_place(&self) -> Result<Option<Place>> {
        self.inner.random_place().await
    }
    async fn scottish_postcode(&self, postcode: Postcode) -> Result<Option<ScottishPostcode>> {
        self.inner.scottish_postcode(postcode).await
    }
    async fn info(&self) -> Result<DatasetInfo> {
        Ok(DatasetInfo::new(self.edition.lock().unwrap().clone()))
    }
}
