//! Tests that packing for the binary restores the same bytes.

use super::shared::recorded_builder;
use crate::ErrorKind;
use crate::dataset::{Dataset, DatasetBuilder, Metadata};

#[test]
fn a_dataset_with_all_columns_comes_back_byte_by_byte() {
    let Some(builder) = recorded_builder() else { return };
    let dataset = builder.build().unwrap();
    let pack = dataset.pack().unwrap();
    assert!(pack.len() * 2 < dataset.as_bytes().len());
    assert!(Dataset::unpack(&pack).unwrap().as_bytes() == dataset.as_bytes());
}

#[test]
fn an_empty_dataset_comes_back() {
    let dataset = DatasetBuilder::new(Metadata::new("empty")).build().unwrap();
    let pack = dataset.pack().unwrap();
    assert!(Dataset::unpack(&pack).unwrap().as_bytes() == dataset.as_bytes());
}

#[test]
fn a_damaged_pack_is_an_error() {
    let Some(builder) = recorded_builder() else { return };
    let pack = builder.build().unwrap().pack().unwrap();
    let mut rng = fastrand::Rng::with_seed(3);
    for n in 0..400 {
        let mut altered = pack.clone();
        if n % 4 == 0 {
            altered.truncate(rng.usize(..pack.len()));
        } else {
            let at = rng.usize(..if n % 2 == 0 { 64 } else { pack.len() });
            altered[at] ^= 1 << rng.u8(..8);
        }
        match Dataset::unpack(&altered) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Dataset),
            Ok(dataset) => assert!(dataset.pack().unwrap() == pack),
        }
    }
}
