//! Bytes that are written in the format of postcard.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use crate::{Error, ErrorKind, Result};

/// Bytes in the format of postcard.
#[derive(Debug, Default)]
pub(super) struct Out(Vec<u8>);

impl Out {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn put(&mut self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        postcard::serialize_with_flavor(value, Bytes(&mut self.0)).map_err(|e| {
            Error::new(ErrorKind::Internal, "an answer could not be written in the compact encoding")
                .with_source(e)
        })
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

struct Bytes<'a>(&'a mut Vec<u8>);

impl Flavor for Bytes<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
