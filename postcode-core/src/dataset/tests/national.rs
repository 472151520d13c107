//! Tests the whole country: every row can be read back, and the size of the file.

use super::shared::{national_builder, national_rows};
use crate::dataset::Dataset;
use crate::{Answer, AreaKind, Postcode};

#[test]
fn every_postcode_of_the_country_comes_back() {
    let Some(rows) = national_rows(|_| true) else { return };
    let start = std::time::Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uk.postcodes");
    let written =
        national_builder(&rows).write_to(&path, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    println!("built and written in {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let dataset = Dataset::open(&path).unwrap();
    println!("opened in {:?}", start.elapsed());
    assert_eq!(dataset.info(), written.info());
    let bytes = dataset.as_bytes().len();
    println!("{bytes} bytes, {:.2} a postcode", bytes as f64 / rows.len() as f64);
    let start = std::time::Instant::now();
    dataset.verify().unwrap();
    println!("verified in {:?}", start.elapsed());

    let postcodes: Vec<Postcode> = rows.iter().map(|(row, _)| row.postcode).collect();
    let mut answers = Vec::new();
    let start = std::time::Instant::now();
    dataset.get_many(&postcodes, &mut answers);
    println!("read in order at {:?} a postcode", start.elapsed() / rows.len() as u32);
    for ((row, district), answer) in rows.iter().zip(&answers) {
        let record = answer.record().unwrap();
        assert_eq!((record.postcode, record.status), (row.postcode, row.status));
        assert_eq!((record.grid, record.location), (row.grid, row.location), "{}", row.postcode);
        assert_eq!((record.quality, record.user_type), (row.quality, row.user_type));
        assert_eq!(record.area_code(AreaKind::AdminDistrict).unwrap_or_default(), district);
    }
    let mut iterated = dataset.iter();
    assert!(answers.iter().all(|answer| iterated.next().as_ref() == answer.record()));
    assert_eq!(iterated.next(), None);

    for unknown in ["ZY99 9ZZ", "A0 0AA", "SW1A 1AZ", "M1 1ZZ", "GIR 0AB"] {
        let expected = rows.iter().any(|(row, _)| row.postcode.to_string() == unknown);
        assert_eq!(dataset.get(unknown.parse().unwrap()) != Answer::Unknown, expected, "{unknown}");
    }

    let mut seed = fastrand::Rng::with_seed(7);
    let random: Vec<Postcode> = (0..1_000_000).map(|_| postcodes[seed.usize(..postcodes.len())]).collect();
    let start = std::time::Instant::now();
    let live = random.iter().filter(|postcode| dataset.get(**postcode).is_live()).count();
    println!("random, one by one: {:?} a postcode ({live} live)", start.elapsed() / random.len() as u32);
    answers.clear();
    answers.reserve(random.len());
    let start = std::time::Instant::now();
    dataset.get_many(&random, &mut answers);
    println!("random, in batches: {:?} a postcode", start.elapsed() / random.len() as u32);
}
