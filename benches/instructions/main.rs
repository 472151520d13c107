//! The hot paths, each some thousand times over a small dataset, for a program that counts instructions: see
//! `.ci/instructions`. Counts do not depend on how busy the machine is, so that a regression of a few percent shows.

#![allow(clippy::unwrap_used)] // A benchmark that can't continue may panic.

use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use postcode_core::dataset::{Dataset, DatasetBuilder, Metadata, Row};
use postcode_core::wire::{HasRecords, RecordText, RecordView, Shape};
use postcode_core::{
    AreaKind, GridReference, GridSystem, Local, Location, Nearest, Postcode, PostcodeLookup,
};

/// How often each path is taken.
const TIMES: usize = 2_000;

fn main() {
    let dataset = dataset();
    let postcodes: Vec<Postcode> =
        dataset.iter().map(|record| record.postcode).step_by(7).take(TIMES).collect();
    assert_eq!(postcodes.len(), TIMES);
    let texts: Vec<String> = postcodes.iter().map(ToString::to_string).collect();
    parse(&texts);
    get(&dataset, &postcodes);
    location_and_district(&dataset, &postcodes);
    found_location_and_district(&dataset, &postcodes);
    found_in_a_batch(&dataset, &postcodes);
    autocomplete(&dataset, &texts);
    nearest_ten(&dataset, &postcodes);
    record_text(&dataset, &postcodes);
    let lookup: Arc<dyn PostcodeLookup> = Arc::new(Local::new(dataset));
    through_the_trait(&lookup, &postcodes);
    batch_through_the_trait(&lookup, &postcodes);
}

/// Rows 100 m apart, in 40 districts of 25 wards each: no file is needed, and each run has the same.
fn dataset() -> Dataset {
    let mut builder = DatasetBuilder::new(Metadata::new("made for counting"));
    let units = b"ABDEFGHJLNPQRSTUWXYZ";
    for n in 0..16_000u32 {
        let (district, sector, unit) = (n / 400, n / 40 % 10, n % 40);
        let unit = [units[unit as usize / 20], units[unit as usize % 20]].map(char::from);
        let mut row =
            Row::live(format!("LS{} {sector}{}{}", district + 1, unit[0], unit[1]).parse().unwrap());
        let (east, north) = (n % 128, n / 128);
        row.quality = Some(1);
        row.grid = Some(GridReference {
            eastings: 430_000 + east * 100,
            northings: 430_000 + north * 100,
            system: GridSystem::Osgb,
        });
        let location = Location::new(53.7 + f64::from(north) * 0.0009, -1.5 + f64::from(east) * 0.0015);
        row.location = Some(location.unwrap());
        for (kind, number) in [
            (AreaKind::Country, 0),
            (AreaKind::AdminDistrict, district),
            (AreaKind::AdminWard, n / 16),
            (AreaKind::Lsoa21, n / 32),
        ] {
            let code = format!("E{:02}{number:06}", kind as u8);
            builder.name_area(kind, &code, Some(&format!("Area {number} of its kind")), None).unwrap();
            row.areas.set(builder.area(kind, &code).unwrap());
        }
        builder.push(&row).unwrap();
    }
    builder.build().unwrap()
}

#[inline(never)]
fn parse(texts: &[String]) {
    for text in texts {
        black_box(text.parse::<Postcode>()).unwrap();
    }
}

#[inline(never)]
fn get(dataset: &Dataset, postcodes: &[Postcode]) {
    for postcode in postcodes {
        black_box(dataset.get(*postcode));
    }
}

#[inline(never)]
fn location_and_district(dataset: &Dataset, postcodes: &[Postcode]) {
    for postcode in postcodes {
        let answer = dataset.get(*postcode);
        let record = answer.record().unwrap();
        black_box((record.location, record.admin_district()));
    }
}

#[inline(never)]
fn found_location_and_district(dataset: &Dataset, postcodes: &[Postcode]) {
    for postcode in postcodes {
        let record = dataset.find(*postcode).unwrap();
        black_box((record.location(), record.admin_district()));
    }
}

#[inline(never)]
fn found_in_a_batch(dataset: &Dataset, postcodes: &[Postcode]) {
    dataset.find_many(postcodes, |_, record| {
        let record = record.unwrap();
        black_box((record.location(), record.admin_district()));
    });
}

#[inline(never)]
fn autocomplete(dataset: &Dataset, texts: &[String]) {
    for text in texts {
        black_box(dataset.autocomplete(&text[..text.len() - 2], 10)).unwrap();
    }
}

#[inline(never)]
fn nearest_ten(dataset: &Dataset, postcodes: &[Postcode]) {
    for postcode in postcodes.iter().step_by(10) {
        black_box(dataset.nearest(&Nearest::to(*postcode))).unwrap();
    }
}

#[inline(never)]
fn record_text(dataset: &Dataset, postcodes: &[Postcode]) {
    let mut text = RecordText::of_many(Vec::new());
    for postcode in postcodes {
        let answer = dataset.get(*postcode);
        RecordView::new(answer.record().unwrap(), Shape::Compatible).write(&mut text).unwrap();
    }
    black_box(text.len());
}

#[inline(never)]
fn through_the_trait(lookup: &Arc<dyn PostcodeLookup>, postcodes: &[Postcode]) {
    let mut context = Context::from_waker(Waker::noop());
    for postcode in postcodes {
        let mut call = lookup.lookup_one(*postcode);
        match call.as_mut().poll(&mut context) {
            Poll::Ready(answer) => drop(black_box(answer)),
            Poll::Pending => unreachable!("data in memory answers at once"),
        }
    }
}

#[inline(never)]
fn batch_through_the_trait(lookup: &Arc<dyn PostcodeLookup>, postcodes: &[Postcode]) {
    let mut context = Context::from_waker(Waker::noop());
    for batch in postcodes.chunks(100) {
        let mut call = lookup.lookup(batch);
        match call.as_mut().poll(&mut context) {
            Poll::Ready(answers) => drop(black_box(answers)),
            Poll::Pending => unreachable!("data in memory answers at once"),
        }
    }
}
