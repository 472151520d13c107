//! The same postcodes in other stores.

use std::collections::HashMap;

use fst::{Automaton, IntoStreamer, Streamer};
use postcode_core::dataset::Dataset;
use postcode_core::{Location, Postcode};
use redb::{Database, ReadableDatabase, TableDefinition};
use rusqlite::{Connection, OptionalExtension};

const TABLE: TableDefinition<'_, &str, (f64, f64, u32)> = TableDefinition::new("postcodes");

pub(crate) struct Stores {
    pub(crate) hash_map: HashMap<Postcode, Location>,
    pub(crate) fast_map: HashMap<Postcode, Location, foldhash::fast::FixedState>,
    pub(crate) sorted: Vec<(Postcode, Location)>,
    /// From a text to the place and the number of the district.
    pub(crate) by_text: HashMap<String, (Location, u32)>,
    pub(crate) districts: Vec<String>,
    /// From a text to a number.
    pub(crate) fst: fst::Map<Vec<u8>>,
    redb: Database,
    sqlite: Connection,
}

impl Stores {
    pub(crate) fn of(dataset: &Dataset) -> Self {
        let (mut sorted, mut by_text) = (Vec::new(), HashMap::new());
        let (mut districts, mut numbers) = (Vec::new(), HashMap::<String, u32>::new());
        for record in dataset.iter() {
            let Some(place) = record.location else { continue };
            let district = record.admin_district().unwrap_or_default();
            let number = *numbers.entry(district.to_owned()).or_insert_with(|| {
                districts.push(district.to_owned());
                districts.len() as u32 - 1
            });
            sorted.push((record.postcode, place));
            by_text.insert(record.postcode.to_string(), (place, number));
        }
        let keys = sorted.iter().enumerate().map(|(n, (postcode, _))| (postcode.to_string(), n as u64));
        let fst = fst::Map::from_iter(keys).unwrap();
        let redb = Database::builder().create_with_backend(redb::backends::InMemoryBackend::new()).unwrap();
        let writing = redb.begin_write().unwrap();
        {
            let mut table = writing.open_table(TABLE).unwrap();
            for (postcode, place) in &sorted {
                let text = postcode.to_string();
                let row = (place.latitude(), place.longitude(), by_text[&text].1);
                table.insert(text.as_str(), row).unwrap();
            }
        }
        writing.commit().unwrap();
        let sqlite = sqlite_of(&sorted, &by_text);
        Self {
            hash_map: sorted.iter().copied().collect(),
            fast_map: sorted.iter().copied().collect(),
            sorted,
            by_text,
            districts,
            fst,
            redb,
            sqlite,
        }
    }

    /// Checks that all give the same answers. Otherwise their times could not be compared.
    pub(crate) fn agree(&self, dataset: &Dataset, postcodes: &[Postcode]) {
        for postcode in postcodes {
            let (text, place) = (postcode.to_string(), dataset.location(*postcode));
            assert_eq!(self.hash_map.get(postcode).copied(), place, "{text}");
            assert_eq!(self.fast_map.get(postcode).copied(), place, "{text}");
            assert_eq!(self.by_text.get(&text).map(|row| row.0), place, "{text}");
            assert_eq!(self.fst.get(&text).is_some(), place.is_some(), "{text}");
            let place = place.map(|place| (place.latitude(), place.longitude()));
            assert_eq!(self.redb(&text).map(|row| (row.0, row.1)), place, "{text}");
            assert_eq!(self.sqlite(&text).map(|row| (row.0, row.1)), place, "{text}");
        }
    }

    pub(crate) fn redb(&self, text: &str) -> Option<(f64, f64, u32)> {
        let reading = self.redb.begin_read().unwrap();
        Some(reading.open_table(TABLE).unwrap().get(text).unwrap()?.value())
    }

    pub(crate) fn sqlite(&self, text: &str) -> Option<(f64, f64, u32)> {
        let question = "SELECT latitude, longitude, district FROM postcodes WHERE postcode = ?";
        let mut question = self.sqlite.prepare_cached(question).unwrap();
        question.query_row([text], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional().unwrap()
    }

    /// Returns the numbers of the first postcodes that begin with a text. They may be terminated.
    pub(crate) fn completions(&self, prefix: &str, limit: usize) -> Vec<u64> {
        let mut stream = self.fst.search(fst::automaton::Str::new(prefix).starts_with()).into_stream();
        let mut found = Vec::new();
        while let Some((_, number)) = stream.next().filter(|_| found.len() < limit) {
            found.push(number);
        }
        found
    }
}

fn sqlite_of(sorted: &[(Postcode, Location)], by_text: &HashMap<String, (Location, u32)>) -> Connection {
    let sqlite = Connection::open_in_memory().unwrap();
    let table = "CREATE TABLE postcodes (postcode TEXT PRIMARY KEY, latitude REAL, longitude REAL, district INTEGER) \
                 WITHOUT ROWID; BEGIN";
    sqlite.execute_batch(table).unwrap();
    {
        let mut insert = sqlite.prepare("INSERT INTO postcodes VALUES (?, ?, ?, ?)").unwrap();
        for (postcode, place) in sorted {
            let text = postcode.to_string();
            let district = by_text[&text].1;
            insert.execute((&text, place.latitude(), place.longitude(), district)).unwrap();
        }
    }
    sqlite.execute_batch("COMMIT").unwrap();
    sqlite
}

/// Returns a place on a sphere of the earth's mean radius, in metres.
pub(crate) fn xyz(place: Location) -> [f64; 3] {
    const EARTH: f64 = 6_371_008.8;
    let (north, outward) = place.latitude().to_radians().sin_cos();
    let (east, front) = place.longitude().to_radians().sin_cos();
    [EARTH * outward * front, EARTH * outward * east, EARTH * north]
}
