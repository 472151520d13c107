//! The bytes of a file on their way to its rows: unpacked, and in UTF-8 if they come in a wide encoding.

use futures::channel::oneshot;
use futures::stream::StreamExt;
use memchr::memchr2;
use postcode_tables::packed::{Options, Packing};
use postcode_tables::{Encoding, SAMPLE, ToUtf8, foreign};

use super::unpack::{self, Source};
use super::{Error, MAX_ROW};

pub(super) fn too_long(line: u64) -> Error {
    Error::Invalid(format!("line {line}: a row of more than {MAX_ROW} bytes: is a quote left open?"))
}

/// The input that is read and not yet taken.
pub(super) struct Input<'a> {
    source: Source<'a>,
    buffer: Vec<u8>,
    start: usize,
    pub(super) ended: bool,
    /// Bytes that came in, before they were converted.
    read: u64,
    /// Bytes that may come in.
    most: u64,
    converter: Option<ToUtf8>,
}

impl<'a> Input<'a> {
    pub(super) fn new(source: Source<'a>, most: u64) -> Self {
        Self { source, buffer: Vec::new(), start: 0, ended: false, read: 0, most, converter: None }
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Returns the rest of the first [`SAMPLE`] bytes, and whether the file ends with it: the same in whichever pieces the
    /// file comes.
    pub(super) fn sample(&self) -> (&[u8], bool) {
        // What was converted is shorter or longer than it came.
        let most = if self.converter.is_some() { SAMPLE / 2 } else { SAMPLE };
        let end = self.buffer.len().min(most.max(self.start));
        (self.buffer.get(self.start..end).unwrap_or_default(), self.ended && end == self.buffer.len())
    }

    /// Reads until the next so many bytes are there, at most [`MAX_ROW`]. Returns them, and whether the file ends with them:
    /// the same in whichever pieces the file comes.
    pub(super) async fn ahead(&mut self, len: usize) -> Result<(&[u8], bool), Error> {
        while self.rest().len() < len.min(MAX_ROW) && self.more(1).await? {}
        let end = self.rest().len().min(len);
        let whole = self.ended && end == self.rest().len();
        Ok((self.rest().get(..end).unwrap_or_default(), whole))
    }

    pub(super) fn take(&mut self, len: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.rest()[..len]);
        self.start += len;
    }

    /// Bytes of the input that rows were made of.
    pub(super) fn taken(&self) -> u64 {
        match self.converter {
            Some(_) => self.read,
            None => self.read - self.rest().len() as u64,
        }
    }

    /// Reads as much as tells how the file is written, and unpacks it if it is packed.
    pub(super) async fn open(&mut self, options: Options, notes: &mut Vec<String>) -> Result<(), Error> {
        while self.rest().len() < 4 && self.more(1).await? {}
        if Packing::of(self.rest()) != Packing::Plain {
            let begun = bytes::Bytes::from(std::mem::take(&mut self.buffer));
            let rest = std::mem::replace(&mut self.source, futures::stream::empty().boxed());
            let whole = futures::stream::once(async { Ok(begun) }).chain(rest).boxed();
            let (source, said): (_, oneshot::Receiver<_>) = unpack::opened(whole, options);
            *self = Self::new(source, self.most);
            self.fill().await?;
            notes.extend(said.await.unwrap_or_default());
        }
        self.fill().await?;
        match foreign(self.rest()) {
            Some(kind) => Err(Error::Invalid(format!("the file is {kind}"))),
            None => Ok(()),
        }
    }

    async fn fill(&mut self) -> Result<(), Error> {
        while self.rest().len() < SAMPLE && self.more(1).await? {}
        Ok(())
    }

    /// From here on, and what is in the buffer, to UTF-8.
    pub(super) fn convert(&mut self, encoding: Encoding) {
        let mut converter = ToUtf8::new(encoding);
        let raw = self.buffer.split_off(self.start);
        self.buffer.clear();
        self.start = 0;
        converter.convert(&raw, self.ended, &mut self.buffer);
        self.converter = Some(converter);
    }

    /// Where the next line ends.
    pub(super) async fn line(&mut self, line: u64) -> Result<usize, Error> {
        let mut seen = 0;
        loop {
            let new = self.rest().get(seen..).unwrap_or_default();
            match memchr2(b'\n', b'\r', new).map(|end| (new[end], end + 1, new.get(end + 1))) {
                Some((b'\n', end, _)) => return Ok(seen + end),
                Some((_, end, Some(next))) => return Ok(seen + end + usize::from(*next == b'\n')),
                // An LF may follow.
                Some((_, end, None)) if self.ended => return Ok(seen + end),
                Some((_, end, None)) => seen += end - 1,
                None => seen = self.rest().len(),
            }
            if !self.more(line).await? && memchr2(b'\n', b'\r', &self.rest()[seen..]).is_none() {
                return Ok(self.rest().len());
            }
        }
    }

    /// Reads on; false if there is no more.
    pub(super) async fn more(&mut self, line: u64) -> Result<bool, Error> {
        if self.rest().len() > MAX_ROW {
            return Err(too_long(line));
        }
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let bytes = match self.source.next().await {
            Some(bytes) => bytes?,
            None => {
                self.ended = true;
                bytes::Bytes::new()
            }
        };
        self.read += bytes.len() as u64;
        if self.read > self.most {
            let text = format!(
                "unpacks to more than the {} bytes that are taken: send the rows in parts",
                self.most
            );
            return Err(Error::Invalid(text));
        }
        match &mut self.converter {
            Some(converter) => converter.convert(&bytes, self.ended, &mut self.buffer),
            None => self.buffer.extend_from_slice(&bytes),
        }
        Ok(!self.ended)
    }
}
