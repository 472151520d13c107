//! Tests places and the Scottish Postcode Directory beyond the conformance suite.

use crate::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use crate::{ErrorKind, Place, PlaceQuery, Postcode, ScottishArea, ScottishPostcode};

const CONSTITUENCY: ScottishArea = ScottishArea::ScottishParliamentaryConstituency;

fn postcode(text: &str) -> Postcode {
    text.parse().unwrap()
}

fn place(code: &str, name: &str) -> Place {
    Place::new(code, name, "Town")
}

fn scottish(text: &str, constituency: Option<&str>) -> ScottishPostcode {
    ScottishPostcode::new(postcode(text), None, constituency.map(str::to_owned))
}

#[test]
fn a_dataset_without_them_says_so_and_is_of_the_old_version() {
    let mut builder = DatasetBuilder::new(Metadata::new("postcodes only"));
    builder.push(&Row::live(postcode("M1 1AD"))).unwrap();
    let dataset = builder.build().unwrap();
    assert_eq!(dataset.summary().format, "1.0");
    for error in [
        dataset.place("osgb1").unwrap_err(),
        dataset.places("x", 1).unwrap_err(),
        dataset.find_places(&PlaceQuery::new("x")).unwrap_err(),
        dataset.place_postcodes("osgb1", None, 1).unwrap_err(),
        dataset.random_place().unwrap_err(),
        dataset.scottish_postcode(postcode("M1 1AD")).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.message().contains("postcodes only") && error.message().contains("import"), "{error}");
    }
    // Invalid input is reported first.
    assert_eq!(dataset.places("x", 0).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!((dataset.iter_places().count(), dataset.iter_scottish().count()), (0, 0));
    assert_eq!((dataset.info().places, dataset.info().scottish_postcodes), (0, 0));
}

#[test]
fn one_of_each_takes_no_bits_and_is_found() {
    let mut builder = DatasetBuilder::new(Metadata::new("one of each"));
    builder.push_place(&place("OSGB1", "Stirling")).unwrap();
    builder.push_scottish(&scottish("FK8 1AA", None)).unwrap();
    builder.name_scottish_area(CONSTITUENCY, "S16000074", "used by none").unwrap();
    let dataset = builder.build().unwrap();
    dataset.verify().unwrap();
    assert_eq!(dataset.summary().format, "1.1");
    assert_eq!((dataset.info().places, dataset.info().scottish_postcodes), (1, 1));
    assert_eq!(dataset.place("osgb1").unwrap(), Some(place("osgb1", "Stirling")));
    assert_eq!(dataset.places("stir", 1).unwrap().len(), 1);
    let entry = dataset.scottish_postcode(postcode("FK8 1AA")).unwrap().unwrap();
    assert_eq!((entry.scottish_parliamentary_constituency, entry.codes), (None, Default::default()));
    assert!(dataset.summary().sections.iter().all(|section| !section.name.contains("constituencies")));
}

#[test]
fn islands_and_areas_are_beside_the_places() {
    let mut builder = DatasetBuilder::new(Metadata::new("islands"));
    builder.push(&Row::live(postcode("M1 1AD"))).unwrap();
    builder.push_place(&place("osgb1", "Stirling")).unwrap();
    builder.push_wider_place(&Place::new("osgb2", "Stirling", "UnitaryAuthority")).unwrap();
    let mut island = Place::new("OSGB3", "Great Britain", "Island");
    (island.latitude, island.longitude) = (Some(54.0), Some(-2.0));
    (island.min_eastings, island.max_eastings) = (Some(0), Some(650_000));
    builder.push_wider_place(&island).unwrap();
    assert!(builder.push_wider_place(&place("osgb3", "x")).unwrap_err().message().contains("given twice"));
    let dataset = builder.build().unwrap();
    dataset.verify().unwrap();
    assert_eq!(dataset.summary().format, "1.2");
    assert_eq!((dataset.info().places, dataset.iter_wider_places().count()), (1, 2));
    assert_eq!(dataset.place("osgb3").unwrap(), None);
    let found = dataset.find_places(&PlaceQuery::new("stirling")).unwrap();
    assert_eq!(found.iter().map(|it| it.place.code.as_str()).collect::<Vec<_>>(), ["osgb1", "osgb2"]);
    for (code, said) in [("osgb2", "has no box"), ("osgb3", "is 650000 by 500 m large")] {
        let error = dataset.place_postcodes(code, None, 1).unwrap_err();
        assert!(error.kind() == ErrorKind::NotSupported && error.message().contains(said), "{error}");
    }
    let none = dataset.place_postcodes("osgb1", None, 1).unwrap().unwrap();
    assert_eq!((none.total, none.postcodes), (0, vec![]), "a place without a location");
    #[cfg(feature = "embedded")]
    assert_eq!(Dataset::unpack(&dataset.pack().unwrap()).unwrap().as_bytes(), dataset.as_bytes());
}

#[test]
fn what_can_not_be_is_refused() {
    let mut builder = DatasetBuilder::new(Metadata::new("odd"));
    builder.push_place(&place("osgb1", "Stirling")).unwrap();
    let mut refused = |place: &Place| {
        let error = builder.push_place(place).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        error.to_string()
    };
    assert!(refused(&place("osgb1", "Stirling")).contains("given twice"));
    assert!(refused(&place("OSGB1", "Stirling")).contains("given twice"));
    for code in ["", "osgb 2", "osgb/2", "é", &"x".repeat(33)] {
        assert!(refused(&place(code, "x")).contains("letters and digits"), "{code}");
    }
    for name in ["", "a\0b", &"x".repeat(70_000)] {
        assert!(refused(&place("osgb2", name)).contains("a text"));
    }
    let mut odd = place("osgb2", "x");
    odd.eastings = u32::MAX;
    assert!(refused(&odd).contains("off the grid"));
    odd.eastings = 0;
    odd.latitude = Some(91.0);
    assert!(refused(&odd).contains("out of range"));
    odd.latitude = Some(1.0);
    assert!(refused(&odd).contains("without the other"));
    builder.push_scottish(&scottish("FK8 1AA", None)).unwrap();
    assert!(builder.push_scottish(&scottish("FK8 1AA", None)).unwrap_err().to_string().contains("twice"));
    assert!(builder.push_scottish(&scottish("FK8 1AB", Some(""))).is_err());
    assert!(builder.name_scottish_area(CONSTITUENCY, "S16000074", &"x".repeat(70_000)).is_err());
}

#[test]
fn the_same_places_give_the_same_bytes_and_a_pack_of_them_unpacks() {
    let dataset = |order: &[usize]| -> Dataset {
        let mut builder = DatasetBuilder::new(Metadata::new("order"));
        for &n in order {
            builder.push(&Row::live(postcode(["M1 1AD", "M1 1AE", "FK8 1AA"][n]))).unwrap();
            builder.push_place(&place(&format!("osgb{n}"), ["Stirling", "Brough", "Hoy"][n])).unwrap();
            let code = ["S16000076", "S16000074", "S16000075"][n];
            builder.push_scottish(&scottish(["FK8 1AA", "AB10 1AB", "G2 8AE"][n], Some(code))).unwrap();
            builder.name_scottish_area(CONSTITUENCY, code, &format!("Constituency {n}")).unwrap();
        }
        builder.build().unwrap()
    };
    let (one, other) = (dataset(&[0, 1, 2]), dataset(&[2, 0, 1]));
    assert_eq!(one.as_bytes(), other.as_bytes());
    one.verify().unwrap();
    let entry = one.scottish_postcode(postcode("AB10 1AB")).unwrap().unwrap();
    assert_eq!(entry.scottish_parliamentary_constituency.as_deref(), Some("Constituency 1"));
    assert_eq!(entry.codes.scottish_parliamentary_constituency.as_deref(), Some("S16000074"));
    #[cfg(feature = "embedded")]
    assert_eq!(Dataset::unpack(&one.pack().unwrap()).unwrap().as_bytes(), one.as_bytes());
}

#[cfg(feature = "conformance")]
#[test]
fn postcodes_of_a_place_found_in_small_steps_are_those_found_at_once() {
    let dataset = crate::conformance::Fixture::small().dataset().unwrap();
    let mut steps = 0;
    for place in dataset.iter_places() {
        let Ok(Some(mut search)) = crate::dataset::PlaceSearch::of(&dataset, &place.code, None, 5) else {
            continue;
        };
        while !search.step(1) {
            steps += 1;
        }
        let page = search.finish().unwrap();
        assert_eq!(Some(page), dataset.place_postcodes(&place.code, None, 5).unwrap(), "{}", place.code);
    }
    assert!(steps > 10, "{steps} steps");
}
