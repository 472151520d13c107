//! Lookups to test customers with: a small country, and the ways in which a lookup can fail.
#![allow(dead_code, unreachable_pub)] // Each test program uses what it needs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use postcode_core::layers::Around;
use postcode_core::layers::call::{Call, Info, LookupCall};
use postcode_core::{
    Answer, AreaKind, Areas, DatasetInfo, Error, ErrorKind, Location, MockPostcodeLookup, OwnedArea,
    Postcode, PostcodeLookup, Record, Result, layer,
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
    mock.expect_lookup_one().returning(|postcode| Ok(answer(postcode)));
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

impl Around for Switch {
    type Inner = MockPostcodeLookup;

    async fn around<C: Call<MockPostcodeLookup>>(&self, call: C) -> Result<C::Reply> {
        call.on(&self.inner).await
    }

    async fn around_lookup<C: LookupCall<MockPostcodeLookup>>(&self, call: C) -> Result<C::Reply> {
        let mode = *self.mode.lock().unwrap();
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.called.notify_one();
        let postcodes = call.postcodes();
        match mode {
            Mode::Answers => call.on(&self.inner).await,
            Mode::Fails(kind) => Err(Error::new(kind, "switched off")),
            Mode::Hangs => std::future::pending().await,
            Mode::Waits => {
                self.release.notified().await;
                call.on(&self.inner).await
            }
            Mode::Stumbles if postcodes.contains(&"M1 1AE".parse().unwrap()) => {
                Err(Error::new(ErrorKind::Internal, "stumbled"))
            }
            Mode::Stumbles => call.on(&self.inner).await,
            Mode::Truncates => {
                let mut answers = self.inner.lookup(postcodes).await?;
                answers.pop();
                C::reply_all(answers)
            }
            Mode::CoversNothing => C::reply_all(vec![Answer::NotCovered; postcodes.len()]),
            Mode::Terminates => {
                let mut answers = self.inner.lookup(postcodes).await?;
                for (postcode, answer) in postcodes.iter().zip(&mut answers) {
                    if postcode.to_string() == "SW1A 1AA" {
                        *answer = Answer::Terminated(Record::terminated(*postcode));
                    }
                }
                C::reply_all(answers)
            }
            Mode::KnowsAll => {
                C::reply_all(postcodes.iter().map(|&postcode| Answer::Live(Record::live(postcode))).collect())
            }
        }
    }

    async fn around_info(&self, _: Info<'_>) -> Result<DatasetInfo> {
        Ok(DatasetInfo::new(self.edition.lock().unwrap().clone()))
    }
}

layer!([] Switch: PostcodeLookup);
