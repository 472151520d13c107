//! Both modes are equal: the country in this process and the same country over HTTP give equal
//! answers to 100,000 random postcodes (live, terminated, unknown and malformed), and to all other
//! questions.
#![allow(clippy::unwrap_used)] // In a test it is the failure.

use std::sync::Arc;

use postcode_core::conformance::{AnyCall, differential};
use postcode_core::{
    Local, Location, Nearest, NearestOutcodes, Postcode, PostcodeLookup, PostcodeLookupExt, Status, connect,
};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Address, Frontend, Listener, Options, run};

/// Starts a service over that lookup. Returns its address.
async fn serve(lookup: Arc<dyn PostcodeLookup>, listen: &str) -> String {
    let options = Options::default();
    let api = Api::new(Edition::of(lookup).await.unwrap(), Limits { max_batch: 1_000, ..Limits::default() });
    let listener = Listener::bind(&listen.parse::<Address>().unwrap()).await.unwrap();
    let url = listener.url().unwrap();
    tokio::spawn(run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()));
    url
}

struct Country {
    live: Vec<Postcode>,
    terminated: Vec<Postcode>,
    rng: fastrand::Rng,
}

impl Country {
    fn one(&mut self, terminated: bool) -> Postcode {
        let from = if terminated { &self.terminated } else { &self.live };
        from[self.rng.usize(..from.len())]
    }

    /// Returns a postcode that is live, terminated, or a real one with another unit, mostly
    /// unknown. Some are in Northern Ireland.
    fn postcode(&mut self) -> Postcode {
        match self.rng.u8(..10) {
            0..4 => self.one(false),
            4..6 => self.one(true),
            6 => format!("BT{} {}AA", self.rng.u8(1..90), self.rng.u8(..10)).parse().unwrap(),
            _ => {
                let letters = b"ABDEFGHJLNPQRSTUWXYZ";
                let mut letter = || char::from(letters[self.rng.usize(..letters.len())]);
                let unit = [letter(), letter()];
                let sector = self.one(false).sector();
                format!("{sector}{}{}", unit[0], unit[1]).parse().unwrap()
            }
        }
    }

    /// Returns a text that is not a postcode, or nearly one.
    fn text(&mut self) -> String {
        let mut text: Vec<char> = self.one(false).to_string().chars().collect();
        for _ in 0..self.rng.u8(..4) {
            let at = self.rng.usize(..=text.len());
            match self.rng.u8(..4) {
                0 if at < text.len() => drop(text.remove(at)),
                1 => text.insert(at, char::from(self.rng.u8(0..128))),
                2 => text.insert(at, self.rng.char(..)),
                _ => text.truncate(at),
            }
        }
        text.into_iter().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_answers_are_equal() {
    let local = Arc::new(Local::embedded().unwrap());
    let dataset = local.dataset();
    let (live, terminated): (Vec<_>, Vec<_>) =
        dataset.iter().partition(|record| record.status == Status::Live);
    let postcodes =
        |records: Vec<postcode_core::Record>| records.iter().map(|record| record.postcode).collect();
    let mut country = Country {
        live: postcodes(live),
        terminated: postcodes(terminated),
        rng: fastrand::Rng::with_seed(2),
    };

    let folder = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}", folder.path().join("postcode.sock").display());
    let patient = "timeout=60s&deadline=60s";
    let remotes = [
        connect(&format!("{}?{patient}", serve(local.clone(), "127.0.0.1:0").await)).await.unwrap(),
        connect(&format!("{}?{patient}&batch=1000", serve(local.clone(), &socket).await)).await.unwrap(),
    ];

    let mut calls = Vec::new();
    let mut asked = 0;
    while asked < 90_000 {
        let many = country.rng.usize(1..2_000);
        calls.push(AnyCall::Lookup((0..many).map(|_| country.postcode()).collect()));
        asked += many;
    }
    for _ in 0..500 {
        let text = country.text();
        let limit = country.rng.usize(..103);
        calls.push(AnyCall::Autocomplete(text.clone(), limit));
        calls.push(AnyCall::Search(text, limit));
        calls.push(AnyCall::Outcode(country.postcode().outcode()));
        let origin = country.postcode();
        let radius = f64::from(country.rng.u32(..21_000));
        calls.push(AnyCall::Nearest(Nearest::to(origin).limit(limit).radius(radius)));
        let near = Location::new(49.0 + 12.0 * country.rng.f64(), -9.0 + 12.0 * country.rng.f64()).unwrap();
        calls.push(AnyCall::Nearest(Nearest::to(near).limit(limit).radius(radius)));
    }
    for far in [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (51.5, 179.999)] {
        calls.push(AnyCall::Nearest(Nearest::to(Location::new(far.0, far.1).unwrap())));
    }
    for _ in 0..200 {
        let (limit, radius) = (country.rng.usize(..103), f64::from(country.rng.u32(..26_000)));
        let query = NearestOutcodes::to(country.postcode().outcode());
        calls.push(AnyCall::NearestOutcodes(query.limit(limit).radius(radius)));
        let near = Location::new(49.0 + 12.0 * country.rng.f64(), -9.0 + 12.0 * country.rng.f64()).unwrap();
        calls.push(AnyCall::NearestOutcodes(NearestOutcodes::to(near).limit(limit).radius(radius)));
        // The embedded data has neither: both say so.
        calls.push(AnyCall::Places(country.text(), limit));
        calls.push(AnyCall::Place(country.text()));
        calls.push(AnyCall::Scottish(country.postcode()));
    }
    calls.push(AnyCall::Info);

    for remote in &remotes {
        let differences = differential(&*local, &**remote, calls.clone()).await;
        assert!(differences.is_empty(), "{} differ, the first:\n{}", differences.len(), differences[0]);
    }
    // Text, whole or not, through the convenient call, which parses it first.
    for n in 0..10_000 {
        let text = country.text();
        let (one, other) = (local.get_str(&text).await, remotes[n % 2].get_str(&text).await);
        match (one, other) {
            (Ok(one), Ok(other)) => assert_eq!(one, other, "{text:?}"),
            (Err(one), Err(other)) => assert_eq!(one.kind(), other.kind(), "{text:?}"),
            (one, other) => panic!("{text:?}: {one:?} and {other:?}"),
        }
    }
    println!("{asked} postcodes, {} other questions and 10000 texts over TCP and a Unix socket", calls.len());
}
