//! The fuzz targets on stable: each over its corpus, and over mutations of it.

#[path = "../../../postcode-core/fuzz/src/replay.rs"]
mod replay;
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

fn replay(name: &str, rounds: usize, target: fn(&[u8])) {
    replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name), rounds, target);
}

#[test]
fn cursors_mutated_are_read_back_or_refused() {
    replay("cursors", 20_000, targets::cursors);
}

#[test]
fn import_of_mutated_csv_does_not_panic() {
    replay("import_csv", 1_500, targets::import_csv);
}

#[test]
fn customer_bodies_mutated_are_no_failure_of_the_server() {
    replay("customer_bodies", 3_000, targets::customer_bodies);
}

#[test]
fn customer_queries_mutated_are_no_failure_of_the_server() {
    replay("customer_queries", 3_000, targets::customer_queries);
}
