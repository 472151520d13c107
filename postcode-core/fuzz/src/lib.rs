//! The fuzz targets of postcode-core: functions that must not panic for any bytes.
//!
//! `cargo fuzz` runs them with a nightly toolchain. `tests/it/fuzz_corpora.rs` runs them on stable
//! over the corpora and over mutations of them, so this file may only use crates that both have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a panic is how a fuzz target reports"
)]

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use postcode_core::conformance::Fixture;
use postcode_core::dataset::Dataset;
use postcode_core::remote::Transport;
use postcode_core::wire::compact::{
    self, CompactBody, CompactItem, CompactList, CompactLocated, CompactNeighbours, CompactQueried,
    CompactWrite,
};
use postcode_core::wire::{BulkItem, ErrorBody, Field, Keys, PageBody, PolygonBody, RecordBody, Success};
use postcode_core::{
    Answer, Bfpo, DatasetInfo, ErrorKind, Local, Location, Lookups, Nearest, NearestOutcodes, Outcode,
    OutcodeSummary, Place, PlaceMatch, PlaceQuery, PostalCode, Postcode, PostcodeArea, Region, Remote,
    Result, ScottishPostcode, Sector, Status, TerritoryCode, Within, YearMonth, text,
};

/// Reads texts as postcodes and their parts, and repairs them.
pub fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    round_trip::<Postcode>(&text);
    round_trip::<Outcode>(&text);
    round_trip::<Sector>(&text);
    round_trip::<PostalCode>(&text);
    round_trip::<PostcodeArea>(&text);
    round_trip::<Bfpo>(&text);
    round_trip::<TerritoryCode>(&text);
    round_trip::<YearMonth>(&text);
    if let Ok(postcode) = text.parse::<Postcode>() {
        assert_eq!(postcode.compact().parse(), Ok(postcode));
        assert!(postcode.outcode().contains(postcode) && postcode.sector().contains(postcode));
    }
    if let Ok(repaired) = Postcode::repair(&text) {
        assert_eq!(repaired.is_changed(), text.parse::<Postcode>().is_err(), "{text:?}");
    }
    let _ = Outcode::repair(&text);
}

/// Checks that a parsed value is written so that it parses to the same value again, and that errors
/// can be displayed.
fn round_trip<T: FromStr<Err: Display> + Display + PartialEq + Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string().parse::<T>().ok(), Some(value)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Finds and replaces postcodes in running text.
pub fn text_find(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut end = 0;
    for found in text::find(&text) {
        assert!(found.range.start >= end, "{text:?}: {found:?}");
        let part = text.get(found.range.clone()).expect("a range of whole characters");
        assert_eq!(part.parse(), Ok(found.postcode), "{text:?}");
        end = found.range.end;
    }
    let mut end = 0;
    for found in
        text::Finder::everything().outcodes(true).sectors(true).bfpo(true).territories(true).find(&text)
    {
        assert!(found.range.start >= end && text.get(found.range.clone()).is_some(), "{text:?}: {found:?}");
        end = found.range.end;
    }
    let unchanged = text::replace(&text, |found| text[found.range.clone()].to_owned());
    assert_eq!(unchanged, text);
}

/// Opens, queries and verifies dataset files: the bytes themselves, or alterations of a valid file,
/// with and without corrected checksums.
pub fn dataset(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let file = match kind % 3 {
        0 => rest.to_vec(),
        1 => altered(sound_file(), rest),
        _ => sealed(altered(sound_file(), rest)),
    };
    match Dataset::from_bytes(file) {
        Ok(dataset) => {
            let verified = dataset.verify();
            ask_everything(&Local::new(dataset));
            verified.err().into_iter().for_each(|error| assert_eq!(error.kind(), ErrorKind::Dataset));
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::Dataset),
    }
}

/// Unpacks packed datasets: the bytes themselves, or alterations of the columns of a valid one.
pub fn pack(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let pack = match kind % 3 {
        0 => rest.to_vec(),
        1 => altered(sound_pack(), rest),
        _ => repacked(sound_pack(), rest),
    };
    if let Err(error) = Dataset::unpack(&pack) {
        assert_eq!(error.kind(), ErrorKind::Dataset);
    }
}

/// Parses JSON of the HTTP API, and lists of fields.
pub fn wire(data: &[u8]) {
    if let Ok(body) = serde_json::from_slice::<Success<RecordBody>>(data) {
        let _ = body.result.clone().into_record(Status::Live);
        let _ = body.result.clone().into_record(Status::Terminated);
        let _ = body.result.into_neighbour();
    }
    if let Ok(body) = serde_json::from_slice::<Success<Vec<BulkItem<RecordBody>>>>(data) {
        body.result.into_iter().for_each(|item| drop(item.into_answer()));
    }
    if let Ok(body) = serde_json::from_slice::<ErrorBody>(data)
        && let Some(terminated) = body.terminated
    {
        let _ = terminated.into_record();
    }
    if let Ok(body) = serde_json::from_slice::<PolygonBody>(data) {
        let _ = body.into_region();
    }
    let _ = serde_json::from_slice::<PageBody<RecordBody>>(data);
    let _ = serde_json::from_slice::<Success<OutcodeSummary>>(data);
    let _ = serde_json::from_slice::<Success<Vec<Place>>>(data);
    let _ = serde_json::from_slice::<Success<Vec<PlaceMatch>>>(data);
    let _ = serde_json::from_slice::<Success<ScottishPostcode>>(data);
    let _ = serde_json::from_slice::<DatasetInfo>(data);
    let text = String::from_utf8_lossy(data);
    assert!(Field::list(&text).iter().all(|field| Field::ALL.contains(field)));
    let _ = Keys::list(&text).unknown().count();
}

/// Reads answers in the compact encoding. What was read is written and read again.
pub fn compact(data: &[u8]) {
    let Some((most, bytes)) = data.split_first() else { return };
    let read = match CompactBody::read(bytes, usize::from(*most)) {
        Ok(read) => read,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::Protocol),
    };
    let most = usize::from(*most);
    match &read {
        CompactBody::Bulk(items) => {
            let mut list = CompactList::new();
            for CompactQueried { query, answer } in items {
                list.push(&CompactItem { query, answer: answer.as_ref() })
                    .expect("what was read can be written");
            }
            same_again(list.finish(), most, &read);
        }
        CompactBody::Records(records) => same_again(listed(records).finish(), most, &read),
        CompactBody::Neighbours(found) => same_again(listed(found).finish(), most, &read),
        CompactBody::Located(items) => {
            let mut list = CompactList::new();
            for CompactLocated { query, found } in items {
                list.push(&CompactNeighbours { query, found }).expect("what was read can be written");
            }
            same_again(list.finish(), most, &read);
        }
        CompactBody::Page { records, next, advice } => {
            same_again(listed(records).finish_page(*next, *advice), most, &read);
        }
        _ => {}
    }
}

fn listed<T: CompactWrite>(items: &[T]) -> CompactList<T> {
    let mut list = CompactList::new();
    items.iter().for_each(|item| list.push(item).expect("what was read can be written"));
    list
}

fn same_again(written: Result<Vec<u8>>, most: usize, read: &CompactBody<'_>) {
    let bytes = written.expect("what was read can be written");
    // Sets that no record refers to are not written, so it is no longer than what was read.
    assert_eq!(&CompactBody::read(&bytes, most).expect("what was written can be read"), read);
}

/// Gives the client answers that our server would not give: one byte chooses the status, one the
/// kind of content.
pub fn remote(data: &[u8]) {
    let [status, kind, body @ ..] = data else { return };
    let kinds = ["application/json", "application/json; charset=utf-8", "text/html", "", compact::MEDIA_TYPE];
    let statuses = [200, 200, 200, 404, 400, 503, 429, 304, 500, 201];
    let answers = Answers {
        status: statuses[usize::from(*status) % statuses.len()],
        kind: kinds[usize::from(*kind) % kinds.len()],
        body: Bytes::copy_from_slice(body),
    };
    let built = Remote::builder("http://fuzz.example?retries=0")
        .timeout(Duration::from_secs(5))
        .transport(answers)
        .build();
    ask_everything(&built.expect("the URL is right"));
}

#[derive(Debug)]
struct Answers {
    status: u16,
    kind: &'static str,
    body: Bytes,
}

#[async_trait]
impl Transport for Answers {
    async fn send(&self, _: http::Request<Bytes>, _: usize) -> Result<http::Response<Bytes>> {
        let response = http::Response::builder().status(self.status).header("content-type", self.kind);
        Ok(response.body(self.body.clone()).expect("the head is right"))
    }
}

/// Makes every kind of call. Answers must have the right number, and errors an expected kind.
fn ask_everything(lookup: &dyn Lookups) {
    // Timers of the client need a runtime, but nothing waits for them.
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
    });
    let _entered = runtime.enter();
    futures::executor::block_on(async {
        let postcodes = some_postcodes();
        if let Ok(answers) = lookup.lookup(postcodes).await {
            assert_eq!(answers.len(), postcodes.len());
            let records = answers.iter().filter_map(Answer::record);
            records.for_each(|record| {
                assert!(record.areas.iter().count() <= postcode_core::AreaKind::ALL.len())
            });
        }
        let at = |latitude, longitude| Location::new(latitude, longitude).expect("on the earth");
        let mut regions = vec![
            Region::circle(at(57.1, -2.1), 50_000.0),
            Region::Box { south_west: at(-90.0, -180.0), north_east: at(90.0, 180.0) },
            Region::Polygon(vec![at(50.0, -6.0), at(59.0, -6.0), at(59.0, 2.0)]),
            Region::area("S12000033"),
        ];
        for postcode in postcodes.iter().take(4) {
            let _ = lookup.nearest(&Nearest::to(*postcode).limit(10)).await;
            let _ = lookup.nearest_outcodes(&NearestOutcodes::to(postcode.outcode()).limit(3)).await;
            let _ = lookup.outcode(postcode.outcode()).await;
            let _ = lookup.random(Some(postcode.outcode())).await;
            let _ = lookup.scottish_postcode(*postcode).await;
            regions.extend([Region::Outcode(postcode.outcode()), Region::Sector(postcode.sector())]);
        }
        for region in regions {
            let within = Within::of(region).limit(20);
            if let Ok(Some(page)) = lookup.within(&within).await
                && let Some(next) = page.next
            {
                let _ = lookup.within(&within.after(next)).await;
            }
        }
        let _ = lookup.nearest(&Nearest::to(at(57.1, -2.1)).limit(20)).await;
        for text in ["A", "M1", "AB10 1A", "1AB", "z"] {
            assert!(lookup.autocomplete(text, 5).await.map_or(0, |found| found.len()) <= 5);
            let _ = lookup.search(text, 5).await;
            let _ = lookup.outcodes(text, 5).await;
            let _ = lookup.places(text, 5).await;
            let _ = lookup.find_places(&PlaceQuery::new(text)).await;
        }
        for code in ["osgb0", "osgb4000000074551019"] {
            let _ = lookup.place(code).await;
            let _ = lookup.place_postcodes(code, None, 5).await;
        }
        let _ = (lookup.random(None).await, lookup.random_place().await, lookup.info().await);
    });
}

fn some_postcodes() -> &'static [Postcode] {
    static SOME: OnceLock<Vec<Postcode>> = OnceLock::new();
    SOME.get_or_init(|| {
        let fixture = Fixture::small();
        let known = fixture.records().map(|record| record.postcode).take(20);
        known.chain(["ZY1 1ZZ", "BT1 5GS", "M1 1AD"].map(|text| text.parse().expect("a postcode"))).collect()
    })
}

fn sound() -> &'static Dataset {
    static SOUND: OnceLock<Dataset> = OnceLock::new();
    SOUND.get_or_init(|| Fixture::small().dataset().expect("the fixture is a dataset"))
}

fn sound_file() -> &'static [u8] {
    sound().as_bytes()
}

fn sound_pack() -> &'static [u8] {
    static PACK: OnceLock<Vec<u8>> = OnceLock::new();
    PACK.get_or_init(|| sound().pack().expect("the fixture can be packed"))
}

/// Alters one byte for every five bytes of `edits`: four choose the byte, more often at the
/// beginning of a section, and one the change.
fn altered(sound: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut file = sound.to_vec();
    let starts: Vec<usize> = sections(sound).map(|section| section.start).collect();
    for edit in edits.chunks_exact(5).take(64) {
        let [a, b, c, d, value] = *edit else { continue };
        let far = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let at = match (d % 2, starts.get(far % starts.len().max(1))) {
            (0, Some(start)) => start + usize::from(d / 2),
            _ => far,
        };
        let len = file.len();
        if let Some(byte) = file.get_mut(at % len.max(1)) {
            *byte = if value < 8 { *byte ^ (1 << value) } else { value };
        }
    }
    file
}

/// Returns the sections in the table of a valid file (docs/FORMAT.md), or nothing for other files.
fn sections(file: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let number = |at: usize| {
        let bytes = file.get(at..at + 8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let first = number(64 + 8).filter(|first| (64..file.len()).contains(first));
    let rows = (64..first.unwrap_or(64)).step_by(32);
    rows.map_while(move |row| {
        let (start, len) = (number(row + 8)?, number(row + 16)?);
        let end = start.checked_add(len).filter(|end| start > 0 && *end <= file.len())?;
        Some(start..end)
    })
}

/// Returns the file with correct checksums, as an attacker would make it.
fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    use xxhash_rust::xxh3::xxh3_64;
    let sound: Vec<_> = sections(sound_file()).collect();
    let table = 64..64 + 32 * sound.len();
    for (n, section) in sound.into_iter().enumerate() {
        let sum = xxh3_64(&file[section]);
        file[64 + 32 * n + 24..][..8].copy_from_slice(&sum.to_le_bytes());
    }
    let sum = xxh3_64(&file[table]);
    file[24..32].copy_from_slice(&sum.to_le_bytes());
    let sum = xxh3_64(&file[..56]);
    file[56..64].copy_from_slice(&sum.to_le_bytes());
    file
}

/// Alters the compressed parts of a pack, and compresses them again.
fn repacked(sound: &[u8], edits: &[u8]) -> Vec<u8> {
    // Magic and fingerprint; then the parts: length unpacked, length packed, bytes.
    let (head, mut rest) = sound.split_at(24);
    let (mut pack, mut edits) = (head.to_vec(), edits);
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let len = u32::from_le_bytes(*len) as usize;
        let Some((size, after)) = after.split_first_chunk::<4>() else { break };
        let Some((packed, after)) = after.split_at_checked(u32::from_le_bytes(*size) as usize) else { break };
        let plain = zstd::bulk::decompress(packed, len).expect("a sound pack");
        let half = edits.len() / 2;
        let (now, later) = edits.split_at(half - half % 5);
        let plain = altered(&plain, now);
        let packed = zstd::bulk::compress(&plain, 1).expect("compression in memory");
        for number in [plain.len(), packed.len()] {
            pack.extend_from_slice(&u32::try_from(number).expect("a small pack").to_le_bytes());
        }
        pack.extend_from_slice(&packed);
        (rest, edits) = (after, later);
    }
    pack
}
