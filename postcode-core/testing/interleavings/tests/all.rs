//! The models, each as a test. They are in the library so that the unit tests of the files it includes are not run under loom.

#[test]
fn budget_pays_for_no_more_than_it_holds() {
    postcode_interleavings::budget_pays_for_no_more_than_it_holds();
}

#[test]
fn phase_is_never_seen_with_a_time_before_it_began() {
    postcode_interleavings::phase_is_never_seen_with_a_time_before_it_began();
}
