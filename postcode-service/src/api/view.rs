//! How a request wants its postcode objects.

use postcode_core::wire::{Keys, NeighbourView, RecordView, Shape};
use postcode_core::{Neighbour, Record};

use super::params::Params;

/// The shape, and with `?extended=true` the keys of `?filter=`. The compatible GET routes pass over
/// a filter, as postcodes.io does.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) shape: Shape,
    only: Option<Keys>,
}

impl View {
    /// All keys of postcodes.io.
    pub(super) const COMPATIBLE: Self = Self { shape: Shape::Compatible, only: None };
    /// All keys.
    pub(super) const EXTENDED: Self = Self { shape: Shape::Extended, only: None };

    pub(super) fn of(params: &Params) -> Self {
        let shape = params.shape();
        let only = params.get("filter").filter(|_| shape == Shape::Extended);
        Self { shape, only: only.map(|list| Keys::list(&list)) }
    }

    /// Applies the filter to the compatible shape too: for routes that postcodes.io does not have.
    pub(super) fn of_our_own(params: &Params) -> Self {
        Self { shape: params.shape(), only: params.get("filter").map(|list| Keys::list(&list)) }
    }

    pub(super) fn only(&self) -> Option<&Keys> {
        self.only.as_ref()
    }

    pub(super) fn record<'a>(&'a self, record: &'a Record) -> RecordView<'a> {
        RecordView::new(record, self.shape).only(self.only())
    }

    pub(super) fn neighbour<'a>(&'a self, neighbour: &'a Neighbour) -> NeighbourView<'a> {
        NeighbourView::new(neighbour, self.shape).only(self.only())
    }
}
