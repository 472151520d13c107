//! Tests limits, coverage, unusual rows and the trait, which the other tests do not cover.

use crate::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use crate::{
    Answer, AreaKind, ErrorKind, GridReference, GridSystem, Local, Location, Nearest, Postcode,
    PostcodeLookup, PostcodeLookupExt,
};

fn postcode(text: &str) -> Postcode {
    text.parse().unwrap()
}

fn dataset(codes: &[&str]) -> Dataset {
    let mut metadata = Metadata::new("a few");
    metadata.not_covered = vec!["BT".to_owned()];
    let mut builder = DatasetBuilder::new(metadata);
    codes.iter().for_each(|code| builder.push(&Row::live(postcode(code))).unwrap());
    builder.build().unwrap()
}

#[test]
fn what_is_not_covered_is_not_unknown() {
    let dataset = dataset(&["M1 1AD", "BT2 7AA"]);
    assert_eq!(dataset.get(postcode("BT1 5GS")), Answer::NotCovered);
    assert!(dataset.get(postcode("BT2 7AA")).is_live());
    assert_eq!(dataset.get(postcode("B1 1AA")), Answer::Unknown);
    assert_eq!(dataset.info().not_covered, ["BF", "BT", "BX", "GX", "XX"]);
    assert_eq!((dataset.info().live, dataset.info().terminated), (2, 0));
}

#[test]
fn an_empty_dataset_answers() {
    let dataset = dataset(&[]);
    dataset.verify().unwrap();
    assert_eq!(dataset.get(postcode("M1 1AD")), Answer::Unknown);
    assert_eq!(dataset.autocomplete("", 5).unwrap(), []);
    assert_eq!(dataset.search("M", 5).unwrap(), []);
    assert_eq!(dataset.random(None), None);
    assert_eq!(dataset.iter().count(), 0);
    assert_eq!(dataset.around(Location::new(51.5, 0.0).unwrap(), 5, 25_000.0).unwrap(), []);
}

#[test]
fn rows_that_can_not_be_are_refused() {
    let mut builder = DatasetBuilder::new(Metadata::new("odd"));
    let mut row = Row::live(postcode("M1 1AD"));
    builder.push(&row).unwrap();
    let error = builder.push(&row).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("M1 1AD: given twice"), "{error}");
    row.postcode = postcode("M1 1AE");
    row.quality = Some(0);
    assert!(builder.push(&row).is_err());
    row.quality = None;
    row.grid = Some(GridReference { eastings: u32::MAX, northings: 1, system: GridSystem::Osgb });
    assert!(builder.push(&row).is_err());
    row.grid = None;
    let mut other = DatasetBuilder::new(Metadata::new("other"));
    row.areas.set(other.area(AreaKind::Parish, "E04000001").unwrap());
    assert!(builder.push(&row).unwrap_err().to_string().contains("another builder"));
    assert!(builder.area(AreaKind::Parish, "").is_err());
    assert!(builder.area(AreaKind::Parish, "E0400\0").is_err());
    assert!(builder.area(AreaKind::Parish, &"E".repeat(33)).is_err());
    let long = "x".repeat(70_000);
    assert!(builder.name_area(AreaKind::Parish, "E04000001", Some(&long), None).is_err());
    assert_eq!(builder.len(), 1);
}

#[test]
fn limits_are_checked_before_any_work() {
    let dataset = dataset(&["M1 1AD"]);
    let origin = Location::new(51.5, 0.0).unwrap();
    let kind = |error: Option<crate::Error>| error.map(|error| error.kind());
    let bad = Some(ErrorKind::InvalidInput);
    assert_eq!(kind(dataset.autocomplete("M", 0).err()), bad);
    assert_eq!(kind(dataset.autocomplete(&"M".repeat(257), 1).err()), bad);
    assert_eq!(kind(dataset.search("M", 101).err()), bad);
    assert_eq!(kind(dataset.nearest(&Nearest::to(origin).radius(crate::MAX_RADIUS + 0.1)).err()), bad);
    assert_eq!(kind(dataset.nearest(&Nearest::to(origin).radius(f64::NAN)).err()), bad);
    assert_eq!(kind(dataset.around(origin, 10, crate::MAX_RADIUS * 1.01).err()), bad);
    assert_eq!(kind(dataset.outcodes_around(origin, 0, 1.0).err()), bad);
}

#[test]
fn many_postcodes_at_one_point_come_in_their_order() {
    let mut builder = DatasetBuilder::new(Metadata::new("one point"));
    let location = Location::new(51.501, -0.1419).ok();
    let mut rows = Vec::new();
    for n in 0..2_000u32 {
        let first = postcode("EC1A 0AA").code();
        let mut row = Row::live(Postcode::from_code(first + n).unwrap());
        row.location = location;
        builder.push(&row).unwrap();
        rows.push(row.postcode);
    }
    let dataset = builder.build().unwrap();
    let found = dataset.nearest(&Nearest::to(rows[1_500]).limit(100)).unwrap().unwrap();
    let found: Vec<Postcode> = found.iter().map(|neighbour| neighbour.record.postcode).collect();
    assert_eq!(found, rows[..100]);
    // A radius of zero finds what is exactly there.
    let found = dataset.nearest(&Nearest::to(location.unwrap()).radius(0.0)).unwrap().unwrap();
    assert_eq!(found.len(), 10);
    assert_eq!(found[0].distance, 0.0);
}

#[test]
fn records_outlive_the_dataset_and_keep_their_areas() {
    let mut builder = DatasetBuilder::new(Metadata::new("areas"));
    let mut row = Row::live(postcode("M1 1AD"));
    row.areas.set(builder.area(AreaKind::AdminDistrict, "E08000003").unwrap());
    builder.name_area(AreaKind::AdminDistrict, "E08000003", Some("Manchester"), Some("MAN")).unwrap();
    builder.name_area(AreaKind::Parish, "E04000001", Some("used by none"), None).unwrap();
    builder.push(&row).unwrap();
    let dataset = builder.build().unwrap();
    assert_eq!(dataset.metadata().columns, ["status", "AdminDistrict"]);
    let record = dataset.get(row.postcode).into_record().unwrap();
    drop(dataset);
    let area = record.area(AreaKind::AdminDistrict).unwrap();
    assert_eq!((area.code, area.name, area.alias), (Some("E08000003"), Some("Manchester"), Some("MAN")));
    assert_eq!(record.area(AreaKind::Parish), None);
}

#[tokio::test]
async fn local_answers_through_the_trait_and_can_be_replaced() {
    let local: std::sync::Arc<dyn PostcodeLookup> = std::sync::Arc::new(Local::new(dataset(&["M1 1AD"])));
    let asked = [postcode("M1 1AD"), postcode("M1 1AE"), postcode("BT1 1AA"), postcode("M1 1AD")];
    let answers: Vec<&str> = local.lookup(&asked).await.unwrap().iter().map(Answer::status).collect();
    assert_eq!(answers, ["live", "unknown", "not_covered", "live"]);
    assert_eq!(local.lookup(&[]).await.unwrap(), []);
    let too_many = vec![asked[0]; crate::MAX_BATCH + 1];
    assert_eq!(local.lookup(&too_many).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(local.autocomplete("m1", 5).await.unwrap(), [asked[0]]);
    assert_eq!(local.search("m1", 5).await.unwrap().len(), 1);
    assert_eq!(local.random(None).await.unwrap().unwrap().postcode, asked[0]);
    assert_eq!(local.outcode("M1".parse().unwrap()).await.unwrap().unwrap().northings, 0);
    assert_eq!(local.nearest(&Nearest::to(asked[0])).await.unwrap(), None);

    let local = Local::new(dataset(&["M1 1AD"]));
    let held = local.dataset();
    let old = local.replace(dataset(&["M1 1AE"]));
    assert_eq!(old.info(), held.info());
    assert!(!local.validate("M1 1AD").await.unwrap() && local.validate("M1 1AE").await.unwrap());
    assert!(held.get(asked[0]).is_live());
    assert_ne!(local.info().await.unwrap().fingerprint, held.info().fingerprint);
}

#[test]
fn a_dataset_can_be_shared_between_threads() {
    fn assert_send_sync<T: Send + Sync + 'static>() {}
    assert_send_sync::<Dataset>();
    assert_send_sync::<Local>();
}
