//! Counts of an import's rows that are not postcodes.

/// The numbers of imported rows that are not postcodes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    pub(super) places: u64,
    pub(super) scottish_postcodes: u64,
    /// Outcodes from GeoNames.
    pub(super) outcodes: u64,
}
