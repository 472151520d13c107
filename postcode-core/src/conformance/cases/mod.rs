//! The cases of the suite, each with the promise of the contract that it checks.

mod any;
mod behaviour;
mod editions;
mod lookup;
mod nearest;
mod places;
mod regions;
mod suite;
mod text;
mod whole;

use futures::future::BoxFuture;

use super::{Outcome, Verdict};
use suite::{Broken, Checked};

pub use editions::check_editions;
pub(super) use suite::Suite;

/// One case.
pub(super) struct Case {
    name: &'static str,
    promise: &'static str,
    run: for<'s> fn(&'s Suite<'s>) -> BoxFuture<'s, Checked>,
}

impl Case {
    pub(super) async fn run<'s>(&self, suite: &'s Suite<'s>) -> Outcome {
        let verdict = match (self.run)(suite).await {
            Ok(()) => Verdict::Pass,
            Err(Broken::NotSupported(message)) => Verdict::NotSupported(message),
            Err(Broken::Fail(message)) => Verdict::Fail(message),
        };
        Outcome { case: self.name, promise: self.promise, verdict }
    }
}

macro_rules! cases {
    ($($room:ident :: $name:ident: $promise:literal,)*) => {
        &[$(Case {
            name: stringify!($name),
            promise: $promise,
            run: |suite| Box::pin($room::$name(suite)),
        }),*]
    };
}

/// Cases for a lookup that is filled with the fixture.
pub(super) const CASES: &[Case] = cases! {
    lookup::each_record: "a live postcode is Live and a terminated one Terminated, with all that is known of it",
    lookup::unknown: "a covered postcode that is not in the data is Unknown, which is not an error",
    lookup::not_covered: "a postcode of an area that the dataset leaves out is NotCovered",
    lookup::order: "as many answers as postcodes, in their order, duplicates each time",
    lookup::empty_batch: "an empty batch is answered with an empty answer",
    lookup::batch_limit: "10,000 postcodes are answered, one more is InvalidInput",
    whole::outcode: "an outcode has a summary of its live postcodes",
    whole::outcode_without_live: "an outcode without live postcodes is None",
    text::autocomplete: "autocomplete: live postcodes that begin with the text, in the order of postcodes",
    text::autocomplete_ignores_case_and_spaces: "autocomplete ignores case and spaces",
    text::autocomplete_of_nonsense: "autocomplete of any text is an answer, maybe an empty one",
    text::autocomplete_limits: "autocomplete: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    text::search: "search finds what postcodes.io finds, in its order",
    text::search_limits: "search: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    nearest::around_points: "nearest to a point: live postcodes within the radius, by distance, at most the limit",
    nearest::ties: "nearest: those at one distance are in the order of postcodes",
    nearest::around_postcodes: "nearest to a live or terminated postcode: around its location, itself included if live",
    nearest::without_origin: "nearest to a postcode that is unknown or has no location is None",
    nearest::nothing_there: "nearest to a point with nothing around is an empty answer, not None",
    nearest::limits: "nearest: a limit outside 1 to 1,000 and a radius outside 0 to 2,000 km are InvalidInput",
    whole::nearest_outcodes: "nearest outcodes: by the distance of their mean locations, within the radius, at most the limit",
    whole::nearest_outcodes_without_origin: "nearest outcodes of an outcode that is unknown or has no location is None",
    whole::nearest_outcodes_limits: "nearest outcodes: a limit outside 1 to 100 and a radius outside 0 to 2,000 km are InvalidInput",
    places::by_code: "place: the place of a code, in any case, or None",
    places::search: "places: by words side by side, else by the beginning, in the order described",
    places::find: "find places: by the beginning, by words, else with typing errors, in the order described",
    places::find_filtered: "find places: within an area, of a kind, or both",
    places::find_limits: "find places: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    places::postcodes: "postcodes of a place: those in its box, in order, in pages; an area is NotSupported",
    places::limits: "places: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    places::random: "random place: some place",
    places::scottish: "a Scottish postcode: its constituency, or None",
    regions::shapes: "within a circle, a box or a polygon: its live postcodes, in their order, maybe none",
    regions::areas: "within an area: the live postcodes that have its code, in any case, of one kind or any",
    regions::outcodes_and_sectors: "within an outcode or a sector: its live postcodes",
    regions::unknown_names: "within an area, outcode or sector without live postcodes is None",
    regions::pages: "within: page after page all are given once, and the last page says so",
    regions::limits: "within: pages outside 1 to 1,000, and regions that make no sense, are InvalidInput",
    regions::outcodes: "outcodes: those with live postcodes that begin with the text, in their order",
    regions::outcodes_limits: "outcodes: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    whole::random: "random: some live postcode with its record",
    whole::random_of_outcode: "random of an outcode: one of its live postcodes, or None",
    whole::info: "info: how many postcodes there are, which areas are left out, and a fingerprint",
    behaviour::twice: "every method only reads: asked twice, it answers the same",
    behaviour::at_once: "calls at the same time don't disturb each other",
    behaviour::dropped: "dropping a call stops it and affects nothing else",
};

/// Cases for a lookup with any data. The suite's fixture is then a sample of its live records.
pub(super) const ANY: &[Case] = cases! {
    any::random_is_found: "random: live postcodes, which lookup answers with the same record",
    any::batches_and_singles: "as many answers as postcodes, in their order, the same as one by one",
    lookup::empty_batch: "an empty batch is answered with an empty answer",
    any::batch_limit: "10,000 postcodes are answered, one more is InvalidInput",
    any::outcode: "the outcode of a live postcode has a summary, with its district",
    any::autocomplete: "autocomplete: what begins with the text, in the order of postcodes, in any case and spacing",
    text::autocomplete_limits: "autocomplete: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    any::search: "search for a whole postcode finds it alone, and for an outcode live postcodes",
    text::search_limits: "search: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    any::nearest: "nearest: by distance and then postcode, within radius and limit, the origin first",
    nearest::limits: "nearest: a limit outside 1 to 1,000 and a radius outside 0 to 2,000 km are InvalidInput",
    regions::regions: "within the outcode, sector, district and surroundings of a postcode: it and others, in order",
    regions::limits: "within: pages outside 1 to 1,000, and regions that make no sense, are InvalidInput",
    regions::outcodes_limits: "outcodes: limits outside 1 to 100 and texts over 256 bytes are InvalidInput",
    any::random_of_outcode: "random of an outcode: one of its live postcodes, or None",
    any::info: "info: an edition, a fingerprint, and areas that are indeed left out",
    behaviour::twice: "every method only reads: asked twice, it answers the same",
    behaviour::at_once: "calls at the same time don't disturb each other",
    behaviour::dropped: "dropping a call stops it and affects nothing else",
};
