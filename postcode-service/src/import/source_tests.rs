use postcode_testing::zipped as zip;

use super::*;

#[test]
fn zips_within_zips_have_a_limit_together_over_all_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let inner = zip(&[("ONSPD.csv", b"pcds\nAB1 0AA\n")]);
    let inputs: Vec<PathBuf> = ["a.zip", "b.zip"].map(|name| folder.path().join(name)).into();
    for input in &inputs {
        std::fs::write(input, zip(&[("one.zip", &inner), ("two.zip", &inner)])).unwrap();
    }
    let most = 4 * inner.len() as u64;
    assert_eq!(list_at_most(&inputs, &Known::default(), most).unwrap().len(), 4);
    let error = list_at_most(&inputs, &Known::default(), most - 1).unwrap_err().to_string();
    assert!(
        error.contains("b.zip/two.zip: with it") && error.contains(&format!("{} bytes", most - 1)),
        "{error}"
    );
}
