//! Runs the fuzz targets on stable: each over its corpus, and over mutations of it.

#[path = "../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

fn replay(name: &str, rounds: usize, target: fn(&[u8])) {
    replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name), rounds, target);
}

#[test]
fn lines_of_mutated_texts_do_not_panic() {
    replay("address_lines", 3_000, targets::address_lines);
}

#[test]
fn mutated_files_are_an_error_or_addresses() {
    replay("address_files", 2_000, targets::address_files);
}
