//! How much one request may ask for.

use postcode_core::{MAX_NEIGHBOURS, MAX_PAGE, MAX_RADIUS};

/// How much one request may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Items in one bulk request.
    pub max_batch: usize,
    /// Bytes of a request's body.
    pub max_body: usize,
    /// Bytes of rows in one request to enrich them.
    pub max_upload: u64,
    /// The most transfers at once: downloads of the dataset file and of regions as lines, and
    /// uploads of rows. Others are answered 503 at once.
    pub max_downloads: usize,
    /// Metres from a point, where postcodes.io does not say how far. At most [`MAX_RADIUS`].
    pub max_radius: f64,
    /// The most neighbours in one answer. At most [`MAX_NEIGHBOURS`].
    pub max_nearest: usize,
    /// Postcodes in one page of a region. At most [`MAX_PAGE`].
    pub max_page: usize,
    /// Postcodes in one answer to bulk reverse geocoding.
    pub max_records: usize,
    /// The most requests for postcodes of regions at once. They take turns. Others are answered 503
    /// at once.
    pub max_regions: usize,
    /// The most bytes of long responses in transmission at once. Others are answered 503.
    pub max_answers: u64,
    /// Whether parameters that no route has are refused, without `?strict=true`.
    pub strict: bool,
}

/// The limits of postcodes.io, 100 items and 100 KiB; eight downloads; otherwise those of the
/// trait.
impl Default for Limits {
    fn default() -> Self {
        Self {
            max_batch: 100,
            max_body: 100 * 1024,
            max_upload: 1 << 30,
            max_downloads: 8,
            max_radius: MAX_RADIUS,
            max_nearest: MAX_NEIGHBOURS,
            max_page: MAX_PAGE,
            max_records: 10_000,
            max_regions: 64,
            max_answers: 256 << 20,
            strict: false,
        }
    }
}
