//! The JSON and the routes of the HTTP API, shared by client and server so that they can't diverge.
//!
//! The API is that of postcodes.io. Additions of this project are sent only when the client asks
//! for them with [`EXTENDED`]. So a client of postcodes.io sees nothing new, and a postcodes.io
//! server, which ignores unknown parameters, answers as usual. The client recognises the kind of
//! server from the answer.
//!
//! [`Record`](crate::Record), [`Neighbour`](crate::Neighbour) and [`Answer`](crate::Answer) serialise in the extended
//! shape. [`RecordView`] writes either, and [`RecordText`] writes many at once, several times faster.

mod answer;
pub mod compact;
mod error;
mod filter;
mod keys;
pub mod path;
mod position;
mod proof;
mod record;
mod record_body;
#[cfg(test)]
mod record_tests;
mod record_text;
mod region;
mod value;

pub use answer::{BulkItem, BulkQuery, Success};
pub use error::{ErrorBody, TerminatedBody, code};
pub use filter::{Field, FilteredView};
pub use keys::Keys;
pub use position::PositionBody;
pub use proof::{Digest, MAX_PROOF_NODES, PROOF_OF, PROOF_ROOT, ProofBody, ProofNode};
pub use record::{NeighbourView, RecordView, Shape};
pub use record_body::{CodesBody, RecordBody};
pub use record_text::{HasRecords, RecordText};
pub use region::{MultiPolygonBody, PageBody, PolygonBody};

/// Query parameter that requests the [extended](Shape::Extended) shape: `?extended=true`.
pub const EXTENDED: &str = "extended";
/// Query parameter of autocomplete: `?order=prefix` requests the postcodes that begin with the
/// text, in order, instead of the results of postcodes.io.
pub const ORDER: &str = "order";
/// The value of [`ORDER`].
pub const ORDER_PREFIX: &str = "prefix";

/// Query parameter of the search for places: only those in the county, district, region or country
/// with this name.
pub const WITHIN: &str = "within";
/// Query parameter of the search for places: only those of this kind, such as `Town`.
pub const LOCAL_TYPE: &str = "type";

/// Query parameter of the plan of a fleet: answer as soon as its revision is above this one.
pub const NEWER_THAN: &str = "newer_than";

/// Response header: the fingerprint of the dataset that answered. A client that sends several
/// requests for one batch compares it, so that all answers come from one edition.
pub const EDITION_HEADER: &str = "postcode-edition";
/// Request header: the fingerprint that the client demands. If the data has another one, the answer is
/// 412 with the code `edition_moved`.
pub const IF_EDITION_HEADER: &str = "if-edition";
/// Request header: how many milliseconds the caller still waits. A server rejects work that is too
/// late.
pub const DEADLINE_HEADER: &str = "postcode-deadline-ms";
/// Request header: why the client asks. The only value is [`COMPARISON`].
pub const PURPOSE_HEADER: &str = "postcode-purpose";
/// Value of [`PURPOSE_HEADER`]: the answer is compared with another one, and nobody waits for it. A busy
/// server refuses such requests first.
pub const COMPARISON: &str = "comparison";
/// Request and response header of W3C Trace Context: the trace that the request belongs to.
pub const TRACE_HEADER: &str = "traceparent";
/// Request and response header: the id under which both sides log the request.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// Response header of the dataset file (RFC 9530): the SHA-256 of the whole file, even if only a
/// range is sent.
pub const REPR_DIGEST_HEADER: &str = "repr-digest";
