//! Checks that records can be read back after they are written.

use std::sync::Arc;

use super::record::*;
use super::record_body::*;
use super::{BulkItem, HasRecords, Keys, RecordText};
use crate::model::AreaSource;
use crate::{
    Answer, Approximate, Area, AreaKind, Areas, ErrorKind, GridReference, GridSystem, Location, Neighbour,
    OwnedArea, Record, Status, UserType, YearMonth,
};

/// Returns a record in which every field and every area has a different value.
fn full(status: Status) -> Record {
    let mut record = Record::live("AB10 1AB".parse().unwrap());
    record.status = status;
    record.quality = Some(1);
    record.user_type = Some(UserType::Large);
    record.grid = Some(GridReference { eastings: 394_235, northings: 806_529, system: GridSystem::Osgb });
    record.location = Some(Location::new(57.149606, -2.096916).unwrap());
    record.introduced = Some(YearMonth::new(2011, 9).unwrap());
    record.terminated = (status == Status::Terminated).then(|| YearMonth::new(2020, 12).unwrap());
    record.deprivation_rank = Some(3888);
    record.areas = Areas::owned(AreaKind::ALL.into_iter().enumerate().map(|(i, kind)| {
        let alias = matches!(kind, AreaKind::Ccg | AreaKind::Nuts).then(|| format!("A{i}").into());
        let name = (kind != AreaKind::OutputArea21).then(|| format!("Name {i}").into());
        (kind, OwnedArea { code: Some(format!("S{i:08}").into()), name, alias })
    }));
    record
}

fn read(json: &str) -> Record {
    serde_json::from_str::<RecordBody>(json).unwrap().into_record(Status::Live).unwrap()
}

#[test]
fn the_extended_shape_carries_a_whole_record() {
    for status in [Status::Live, Status::Terminated] {
        let record = full(status);
        let json = serde_json::to_string(&RecordView::new(&record, Shape::Extended)).unwrap();
        assert_eq!(read(&json), record);
        assert_eq!(serde_json::to_string(&record).unwrap(), json);
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
        let mut about = record;
        let location = about.location.take().unwrap();
        about.approximate = Some(Approximate { location, source: "GeoNames".into() });
        let json = serde_json::to_value(RecordView::new(&about, Shape::Extended)).unwrap();
        assert_eq!(json["position"]["kind"], "approximate");
        assert!(json["longitude"].is_null() && json["latitude"].is_null());
        assert_eq!(read(&json.to_string()), about);
    }
    let empty = Record::live("BT1 5GS".parse().unwrap());
    let json = serde_json::to_string(&RecordView::new(&empty, Shape::Extended)).unwrap();
    assert_eq!(read(&json), empty);
}

#[test]
fn the_compatible_shape_has_the_42_keys_and_29_codes() {
    let record = full(Status::Live);
    let json = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 42);
    assert_eq!(json["codes"].as_object().unwrap().len(), 29);
    assert_eq!(json["parliamentary_constituency_2024"], "Name 5");
    assert_eq!(json["codes"]["nuts"], "A12");
    assert_eq!(json["codes"]["lau2"], "S00000012");
    assert_eq!(json["date_of_introduction"], "201109");
}

#[test]
fn the_shapes_agree_on_what_they_share() {
    let record = full(Status::Live);
    let compatible = serde_json::to_value(RecordView::new(&record, Shape::Compatible)).unwrap();
    let extended = serde_json::to_value(RecordView::new(&record, Shape::Extended)).unwrap();
    for (key, value) in compatible.as_object().unwrap().iter().filter(|(key, _)| *key != "codes") {
        assert_eq!(&extended[key], value, "{key}");
    }
    for (key, value) in compatible["codes"].as_object().unwrap() {
        assert_eq!(&extended["codes"][key], value, "codes.{key}");
    }
}

#[test]
fn what_makes_no_sense_is_a_protocol_error() {
    for json in [
        r#"{"postcode":"nonsense"}"#,
        r#"{"postcode":"AB10 1AB","status":"asleep"}"#,
        r#"{"postcode":"AB10 1AB","latitude":999.0,"longitude":0.0}"#,
        r#"{"postcode":"AB10 1AB","date_of_introduction":"yesterday"}"#,
        r#"{"postcode":"JE2 3AB","position":{"kind":"approximate","longitude":0.0,"latitude":99.0}}"#,
    ] {
        let body: RecordBody = serde_json::from_str(json).unwrap();
        assert_eq!(body.into_record(Status::Live).unwrap_err().kind(), ErrorKind::Protocol, "{json}");
    }
}

#[test]
fn an_area_without_code_or_name_is_no_area() {
    let record = read(r#"{"postcode":"AB10 1AB","country":"Scotland","codes":{}}"#);
    assert_eq!(
        record.area(AreaKind::Country),
        Some(Area { code: None, name: Some("Scotland"), alias: None })
    );
    assert_eq!(record.area(AreaKind::Region), None);
}

/// A source with few sets, so that records share them. Some names need escapes, some are missing.
#[derive(Debug)]
struct FewSets(Vec<String>);

impl AreaSource for FewSets {
    fn area(&self, set: u32, kind: AreaKind) -> Option<Area<'_>> {
        let text = |salt: u32| {
            let at = (set * 31 + kind as u32 * 7 + salt) as usize;
            self.0.get(at % (self.0.len() + 2)).map(String::as_str)
        };
        (!(set + kind as u32).is_multiple_of(5)).then(|| Area {
            code: text(0),
            name: text(1),
            alias: text(2),
        })
    }
}

#[test]
fn text_is_what_serde_json_writes() {
    let names = ["Ynys Môn", "\"Tyne\" \\ Wear", "Bo'ness", "a\u{1}b\tc", "", "E09000033"];
    let sources: [Arc<dyn AreaSource>; 2] = std::array::from_fn(|n| {
        Arc::new(FewSets(names[n..].iter().map(|name| (*name).into()).collect())) as _
    });
    let mut random = fastrand::Rng::with_seed(5);
    let (mut text, mut expected) = (RecordText::of_many(Vec::new()), Vec::new());
    for _ in 0..2_000 {
        let mut record = full(if random.bool() { Status::Live } else { Status::Terminated });
        match random.u8(..8) {
            0 => record.areas = Areas::NONE,
            1 => {}
            _ => record.areas = Areas::shared(sources[random.usize(..2)].clone(), random.u32(..130)),
        }
        if random.bool() {
            record.location = None;
        }
        let shape = if random.bool() { Shape::Extended } else { Shape::Compatible };
        let answer = Answer::from(record.clone());
        let item = BulkItem::new("say \"AB10 1AB\"", Some(&answer), shape);
        let only = Keys::list("postcode,codes,admin_ward");
        let neighbour = Neighbour::new(record, 12.5);
        let views = vec![
            NeighbourView::new(&neighbour, shape),
            NeighbourView::new(&neighbour, shape).only(random.bool().then_some(&only)),
        ];
        item.write(&mut text).unwrap();
        views.write(&mut text).unwrap();
        serde_json::to_writer(&mut expected, &item).unwrap();
        serde_json::to_writer(&mut expected, &views).unwrap();
    }
    assert_eq!(String::from_utf8(text.into_bytes()).unwrap(), String::from_utf8(expected).unwrap());
}
