//! The size of an answer.

use std::any::Any;
use std::io;

use serde::Serialize;

use crate::{
    Answer, Neighbour, Outcode, OutcodeSummary, Page, Place, PlaceMatch, PlacePostcodes, Postcode, Record,
};

/// An answer is weighed by at most this many of its items.
const WEIGHED: usize = 16;

/// Calls `$then` with the items of a reply that is one of these lists.
macro_rules! lists {
    ($reply:ident, $then:expr, $($list:ty => $items:expr),* $(,)?) => {
        $(if let Some(list) = $reply.downcast_ref::<$list>() {
            let items: fn(&$list) -> &[_] = $items;
            return $then(items(list));
        })*
    };
}

macro_rules! all_lists {
    ($reply:ident, $then:expr) => {
        lists! {
            $reply, $then,
            Answer => std::slice::from_ref,
            Vec<Answer> => |list| list,
            Option<Vec<Neighbour>> => |list| list.as_deref().unwrap_or_default(),
            Vec<Postcode> => |list| list,
            Vec<Record> => |list| list,
            Option<Page> => |page| page.as_ref().map_or(&[], |page| &page.records),
            Option<OutcodeSummary> => |one| one.as_slice(),
            Option<Vec<OutcodeSummary>> => |list| list.as_deref().unwrap_or_default(),
            Vec<Outcode> => |list| list,
            Option<Record> => |one| one.as_slice(),
            Option<Place> => |one| one.as_slice(),
            Vec<Place> => |list| list,
            Vec<PlaceMatch> => |list| list,
            Option<PlacePostcodes> => |page| page.as_ref().map_or(&[], |page| &page.postcodes),
        }
    };
}

/// Returns the number of items in a reply. One that is not a list counts as one.
pub(super) fn items(reply: &dyn Any) -> usize {
    fn len<T>(items: &[T]) -> usize {
        items.len()
    }
    all_lists!(reply, len);
    1
}

/// Returns the bytes of a reply as JSON, estimated from its first items. 0 for a type that is not weighed.
pub(super) fn bytes(reply: &dyn Any) -> u64 {
    fn weigh<T: Serialize>(items: &[T]) -> u64 {
        let some = &items[..items.len().min(WEIGHED)];
        let mut bytes = Bytes(0);
        // It fails only if the writer does, and this one does not.
        let _ = serde_json::to_writer(&mut bytes, some);
        bytes.0 * items.len() as u64 / some.len().max(1) as u64
    }
    all_lists!(reply, weigh);
    0
}

/// A writer that only counts.
struct Bytes(u64);

impl io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
