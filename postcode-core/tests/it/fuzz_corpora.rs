//! Runs the fuzz targets on stable: each over its corpus, and over mutations of it.

#[path = "../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

fn replay(name: &str, rounds: usize, target: fn(&[u8])) {
    replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name), rounds, target);
}

#[test]
fn parse_of_mutated_texts_does_not_panic() {
    replay("parse", 20_000, targets::parse);
}

#[test]
fn text_find_in_mutated_texts_does_not_panic() {
    replay("text_find", 5_000, targets::text_find);
}

#[test]
fn dataset_of_mutated_bytes_is_an_error_or_answers() {
    replay("dataset", 1_000, targets::dataset);
}

#[test]
fn pack_of_mutated_bytes_is_an_error_or_a_dataset() {
    replay("pack", 500, targets::pack);
}

#[test]
fn wire_of_mutated_json_does_not_panic() {
    replay("wire", 5_000, targets::wire);
}

#[test]
fn compact_of_mutated_bytes_is_an_error_or_reads_back() {
    replay("compact", 5_000, targets::compact);
}

#[test]
fn remote_with_mutated_replies_does_not_panic() {
    replay("remote", 2_000, targets::remote);
}
