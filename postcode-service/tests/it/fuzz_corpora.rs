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
fn query_strings_mutated_are_no_failure_of_the_server() {
    replay("query_strings", 5_000, targets::query_strings);
}

#[test]
fn json_bodies_mutated_are_no_failure_of_the_server() {
    replay("json_bodies", 3_000, targets::json_bodies);
}

#[test]
fn job_bodies_mutated_are_no_failure_of_the_server() {
    replay("job_bodies", 500, targets::job_bodies);
}

#[test]
fn forms_mutated_are_no_failure_of_the_server() {
    replay("forms", 3_000, targets::forms);
}

#[test]
fn polygons_mutated_are_no_failure_of_the_server() {
    replay("polygons", 3_000, targets::polygons);
}

#[test]
fn enrich_of_mutated_csv_is_the_same_in_any_pieces() {
    replay("enrich_csv", 2_000, targets::enrich_csv);
}

#[test]
fn enrich_of_mutated_ndjson_is_the_same_in_any_pieces() {
    replay("enrich_ndjson", 2_000, targets::enrich_ndjson);
}

#[test]
fn import_of_mutated_files_is_an_error_or_a_sound_dataset() {
    replay("import", 300, targets::import);
}

#[test]
fn callback_urls_mutated_never_lead_inside() {
    replay("callback_urls", 20_000, targets::callback_urls);
}
