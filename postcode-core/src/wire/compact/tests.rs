//! Checks that what is written reads back as the JSON does, and that other bytes are refused.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::AreaSource;
use crate::wire::{BulkItem, NeighbourView, PageBody, RecordBody, RecordView, Shape};
use crate::{
    Answer, Approximate, Areas, ErrorKind, GridReference, GridSystem, Location, Neighbour, OwnedArea,
    Postcode, Record, Status, UserType, YearMonth,
};

/// A source whose sets share areas, some of which JSON does not carry whole.
#[derive(Debug)]
struct FewSets(Vec<String>);

impl AreaSource for FewSets {
    fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>> {
        let text = |salt: u32| {
            let at = (set % 7 * 31 + kind as u32 * 7 + salt) as usize;
            self.0.get(at % (self.0.len() + 2)).map(String::as_str)
        };
        (!(set + kind as u32).is_multiple_of(5)).then(|| Area {
            code: text(0),
            name: text(1),
            alias: text(2),
        })
    }
}

fn areas() -> impl Strategy<Value = Areas> {
    let names = ["Ynys Môn", "\"Tyne\" \\ Wear", "a\u{1}b\tc", "", "E09000033"];
    let source: Arc<dyn AreaSource> = Arc::new(FewSets(names.map(str::to_owned).to_vec()));
    let text = || prop::option::of(any::<String>().prop_map(String::into_boxed_str));
    let area = (prop::sample::select(AreaKind::ALL.to_vec()), (text(), text(), text()));
    let owned = prop::collection::vec(area, 0..8).prop_map(|areas| {
        Areas::owned(
            areas.into_iter().map(|(kind, (code, name, alias))| (kind, OwnedArea { code, name, alias })),
        )
    });
    prop_oneof![
        1 => Just(Areas::NONE),
        3 => (0..20_u32).prop_map(move |set| Areas::shared(source.clone(), set)),
        1 => owned,
    ]
}

fn location() -> impl Strategy<Value = Location> {
    let new = |(latitude, longitude)| Location::new(latitude, longitude).unwrap();
    prop_oneof![
        (-90.0..=90.0_f64, -180.0..=180.0_f64),
        Just((-0.0, 5e-324)),
        Just((57.149_606_000_000_004, -2.096_916)),
    ]
    .prop_map(new)
}

fn record() -> impl Strategy<Value = Record> {
    let month =
        || prop::option::of((1900..=2200_u16, 1..=12_u8).prop_map(|(y, m)| YearMonth::new(y, m).unwrap()));
    let grid = (any::<u32>(), any::<u32>(), any::<bool>()).prop_map(|(eastings, northings, irish)| {
        let system = if irish { GridSystem::Irish } else { GridSystem::Osgb };
        GridReference { eastings, northings, system }
    });
    let postcode = prop::sample::select(vec!["SW1A 1AA", "M1 1AE", "BT1 5GS", "GIR 0AA", "NPT 1AA"]);
    let user_type = prop::sample::select(vec![UserType::Small, UserType::Large]);
    let first = (postcode, any::<bool>(), any::<Option<u8>>(), prop::option::of(user_type));
    let place = (
        prop::option::of(grid),
        prop::option::of(location()),
        prop::option::of((location(), any::<String>())),
    );
    (first, place, (month(), month(), any::<Option<u16>>(), areas())).prop_map(|(first, place, rest)| {
        let mut record = Record::live(first.0.parse().unwrap());
        record.status = if first.1 { Status::Live } else { Status::Terminated };
        (record.quality, record.user_type) = (first.2, first.3);
        (record.grid, record.location) = (place.0, place.1);
        record.approximate = place
            .2
            .filter(|_| record.location.is_none())
            .map(|(location, source)| Approximate { location, source: source.into() });
        (record.introduced, record.terminated, record.deprivation_rank, record.areas) = rest;
        record
    })
}

/// Returns a record as the JSON carries it.
fn through_json(record: &Record) -> Record {
    let json = serde_json::to_string(&RecordView::new(record, Shape::Extended)).unwrap();
    serde_json::from_str::<RecordBody>(&json).unwrap().into_record(Status::Live).unwrap()
}

/// Returns the answers in both encodings.
fn both(items: &[(String, Option<Answer>)]) -> (Vec<u8>, String) {
    let mut list = CompactList::new();
    for (query, answer) in items {
        list.push(&CompactItem { query, answer: answer.as_ref() }).unwrap();
    }
    let bulk = |(query, answer): &(String, Option<Answer>)| {
        serde_json::to_string(&BulkItem::new(query, answer.as_ref(), Shape::Extended)).unwrap()
    };
    let json = format!("[{}]", items.iter().map(bulk).collect::<Vec<_>>().join(","));
    (list.finish().unwrap(), json)
}

fn answer() -> impl Strategy<Value = Option<Answer>> {
    prop_oneof![
        6 => record().prop_map(|record| Some(record.into())),
        1 => Just(Some(Answer::Unknown)),
        1 => Just(Some(Answer::NotCovered)),
        1 => Just(None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bulk_answers_read_as_those_in_json(items in prop::collection::vec((any::<String>(), answer()), 0..40)) {
        let (bytes, json) = both(&items);
        let CompactBody::Bulk(read) = CompactBody::read(&bytes, items.len()).unwrap() else { panic!() };
        let from_json: Vec<BulkItem<RecordBody>> = serde_json::from_str(&json).unwrap();
        assert_eq!(read.len(), from_json.len());
        for (read, item) in read.into_iter().zip(from_json) {
            assert_eq!(read.query, item.query);
            match item.status.as_deref() {
                Some("invalid") => assert_eq!(read.answer, None),
                _ => assert_eq!(read.answer, item.into_answer().unwrap()),
            }
        }
    }

    #[test]
    fn neighbours_read_back_to_the_last_bit(
        found in prop::collection::vec((record(), any::<f64>().prop_filter("finite", |it| it.is_finite())), 0..20)
    ) {
        let found: Vec<_> = found.into_iter().map(|(record, metres)| Neighbour::new(record, metres)).collect();
        let (mut list, mut located) = (CompactList::new(), CompactList::new());
        found.iter().for_each(|neighbour| list.push(neighbour).unwrap());
        for found in [&found[..], &[]] {
            located.push(&CompactNeighbours { query: "{\"limit\":1}", found }).unwrap();
        }
        let as_json = |neighbour: &Neighbour| {
            let json = serde_json::to_string(&NeighbourView::new(neighbour, Shape::Extended)).unwrap();
            serde_json::from_str::<Neighbour>(&json).unwrap()
        };
        let expected: Vec<_> = found.iter().map(as_json).collect();
        let bits = |found: &[Neighbour]| found.iter().map(|it| it.distance.to_bits()).collect::<Vec<_>>();
        let bytes = list.finish().unwrap();
        let CompactBody::Neighbours(read) = CompactBody::read(&bytes, found.len()).unwrap() else { panic!() };
        assert_eq!((&read, bits(&read)), (&expected, bits(&found)));
        let bytes = located.finish().unwrap();
        let CompactBody::Located(read) = CompactBody::read(&bytes, found.len().max(2)).unwrap() else { panic!() };
        assert_eq!((read.len(), read[0].query), (2, "{\"limit\":1}"));
        assert_eq!((&read[0].found, &read[1].found), (&expected, &Vec::new()));
    }

    #[test]
    fn pages_read_back(records in prop::collection::vec(record(), 0..20), advice in any::<Option<String>>()) {
        let next = records.last().map(|record| record.postcode);
        let mut list = CompactList::new();
        records.iter().for_each(|record| list.push(record).unwrap());
        let bytes = list.finish_page(next, advice.as_deref()).unwrap();
        let expected: Vec<_> = records.iter().map(through_json).collect();
        let page = CompactBody::Page { records: expected, next, advice: advice.as_deref() };
        assert_eq!(CompactBody::read(&bytes, records.len()).unwrap(), page);
        let json = PageBody::new(records, next);
        assert_eq!(json.next, next);
    }

    /// Whatever is changed, it is an answer or a protocol error.
    #[test]
    fn altered_bytes_are_refused_or_read(
        items in prop::collection::vec((any::<String>(), answer()), 0..10),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let (mut bytes, _) = both(&items);
        assert!(CompactBody::read(&bytes[..end.index(bytes.len())], items.len()).is_err(), "cut off");
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Err(error) = CompactBody::read(&bytes, items.len()) {
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.to_string().contains("the compact answer has "), "{error}");
        }
    }
}

fn postcodes(count: usize) -> Vec<(String, Option<Answer>)> {
    let names = ["Westminster", "St James's", "E09000033"].map(str::to_owned).to_vec();
    let source: Arc<dyn AreaSource> = Arc::new(FewSets(names));
    let sectors = "ABDEFGHJLN".chars().flat_map(|a| "ABDEFGHJLN".chars().map(move |b| (a, b)));
    let answers = sectors.take(count).enumerate().map(|(n, (a, b))| {
        let postcode: Postcode = format!("SW1A 1{a}{b}").parse().unwrap();
        let mut record = Record::live(postcode);
        record.areas = Areas::shared(source.clone(), n as u32 % 3);
        (postcode.to_string(), Some(record.into()))
    });
    answers.collect()
}

#[test]
fn each_set_and_each_area_is_written_once() {
    let (one, _) = both(&postcodes(3));
    let (many, json) = both(&postcodes(100));
    let each = (many.len() - one.len()) / 97;
    assert!(each <= 32, "{each} bytes for each more record");
    assert!(many.len() * 20 < json.len(), "{} of {}", many.len(), json.len());
    let CompactBody::Bulk(items) = CompactBody::read(&many, 100).unwrap() else { panic!() };
    let areas = |n: usize| items[n].answer.as_ref().unwrap().record().unwrap().areas.identity();
    assert_eq!(areas(0), areas(99));
    assert_ne!(areas(0), areas(1));
}

#[test]
fn answers_that_are_not_bounded_by_the_request_are_refused() {
    let (bytes, _) = both(&postcodes(100));
    let error = |bytes: &[u8], most| {
        let error = CompactBody::read(bytes, most).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        error.to_string()
    };
    assert!(error(&bytes, 99).contains("100 items, and at most 99"));
    assert!(error(&bytes, 2).contains("3 sets of areas, and at most 2"));
    assert!(error(&[&*bytes, &[0]].concat(), 100).contains("bytes after its end"));
    assert!(error(&[], 1).contains("an end before it is complete"));
    assert!(error(&[9], 1).contains("not of this format"));
    // Lengths and counts beyond the end: of areas, of sets, of a text, of items.
    assert!(error(&[1, 0xff, 0xff, 0xff, 0xff, 0x0f], 1).contains("4294967295 areas"));
    assert!(error(&[1, 1, 1, 0xff, 0xff, 0x7f], 1).contains("an end before"));
    assert!(error(&[1, 0, 1, 1, 0, 5], 1).contains("no area 5"));
    assert!(error(&[1, 0, 1, 65], 1).contains("65 areas in a set"));
    // Not UTF-8.
    assert!(error(&[1, 1, 1, 1, 0xff, 0, 0, 0, 0], 1).contains("not of this format"));
}

/// A long text that many sets refer to would take far more memory than the answer has bytes.
#[test]
fn texts_that_multiply_are_refused() {
    let mut bytes = vec![1, 1, 1, 0xff, 0x7f];
    bytes.extend([b'a'; 0x3fff]);
    bytes.extend([0, 0, 2]);
    let set: Vec<u8> = std::iter::once(30).chain((0..30).flat_map(|kind| [kind, 0])).collect();
    bytes.extend(set.repeat(2));
    bytes.push(0);
    let error = CompactBody::read(&bytes, 2).unwrap_err();
    assert!(error.to_string().contains("more names and codes"), "{error}");
}

#[test]
fn kinds_of_a_later_version_are_skipped() {
    let mut record = Record::live("SW1A 1AA".parse().unwrap());
    let area = OwnedArea { code: Some("E12000007".into()), ..OwnedArea::default() };
    record.areas = Areas::owned([(AreaKind::Region, area)]);
    let mut list = CompactList::new();
    list.push(&record).unwrap();
    let mut bytes = list.finish().unwrap();
    let entry = [1, 1, AreaKind::Region as u8, 0];
    let at = bytes.windows(4).position(|window| window == entry).unwrap();
    bytes[at + 2] = 200;
    let CompactBody::Records(read) = CompactBody::read(&bytes, 1).unwrap() else { panic!() };
    assert_eq!(read, [Record::live(record.postcode)]);
}

#[test]
fn accept_is_read_by_its_weights() {
    for (accept, compact) in [
        ("application/vnd.postcode.v1+postcard", true),
        ("application/vnd.postcode.v1+postcard, application/json;q=0.5", true),
        ("application/json, application/vnd.postcode.v1+postcard", true),
        ("APPLICATION/VND.POSTCODE.V1+POSTCARD; q=0.2", true),
        ("application/vnd.postcode.v1+postcard;q=0", false),
        ("application/vnd.postcode.v1+postcard;q=no", false),
        ("application/vnd.postcode.v1+postcard;q=0.1, application/json", false),
        ("application/vnd.postcode.v2+postcard, application/json;q=0.5", false),
        ("*/*", false),
        ("application/*", false),
        ("", false),
    ] {
        assert_eq!(accepts([accept]), compact, "{accept}");
    }
    assert!(accepts(["application/json;q=0.9", MEDIA_TYPE]));
    assert!(!accepts([]));
}
