//! Packed input on its way in: a thread unpacks, and what it gives is a stream again.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use bytes::{Buf, Bytes};
use futures::channel::{mpsc, oneshot};
use futures::executor::block_on;
use futures::stream::{self, BoxStream, StreamExt};
use futures::{FutureExt, SinkExt};
use postcode_tables::packed::{self, Opened, Packing};

/// Bytes of a chunk that is unpacked.
const CHUNK: usize = 64 << 10;
/// Chunks on their way to the thread, and from it.
const IN_FLIGHT: usize = 2;

/// Input in pieces.
pub(super) type Source<'a> = BoxStream<'a, io::Result<Bytes>>;

/// Undoes a `Content-Encoding`.
pub(crate) fn decoded(source: Source<'_>, coding: Packing) -> Source<'_> {
    if coding == Packing::Plain {
        return source;
    }
    through(source, move |reader, _| {
        Ok(Opened { reader: packed::unpack(reader, coding)?, said: Vec::new(), name: None })
    })
    .0
}

/// Unpacks what its first bytes say to be packed, or takes a sheet out of a workbook. What was done comes before the first
/// bytes.
pub(super) fn opened(
    source: Source<'_>,
    options: packed::Options,
) -> (Source<'_>, oneshot::Receiver<Vec<String>>) {
    through(source, move |reader, wanted| {
        packed::open(reader, &packed::Options { wanted: Some(wanted), ..options })
    })
}

fn through<'a>(
    source: Source<'a>,
    open: impl FnOnce(FromChannel, Weak<()>) -> io::Result<Opened> + Send + 'static,
) -> (Source<'a>, oneshot::Receiver<Vec<String>>) {
    let (mut raw, from) = mpsc::channel::<io::Result<Bytes>>(IN_FLIGHT);
    let (mut to, unpacked) = mpsc::channel::<io::Result<Bytes>>(IN_FLIGHT);
    let (say, said) = oneshot::channel();
    let mut failed = to.clone();
    let waiting = Arc::new(());
    let wanted = Arc::downgrade(&waiting);
    let work = move || {
        // The reader of workbooks may panic. Then the table must not look complete.
        let done = catch_unwind(AssertUnwindSafe(|| {
            let mut opened = open(FromChannel { chunks: from, rest: Bytes::new() }, wanted)?;
            // Nobody may want to know.
            let _ = say.send(std::mem::take(&mut opened.said));
            loop {
                let mut chunk = Vec::new();
                opened.reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
                if chunk.is_empty() || block_on(to.send(Ok(chunk.into()))).is_err() {
                    return Ok(());
                }
            }
        }));
        let done =
            done.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::InvalidData, "the file is damaged")));
        if let Err(error) = done {
            let _ = block_on(failed.send(Err(error)));
        }
    };
    // It ends when the stream is dropped, because both channels are closed then.
    if let Err(error) = std::thread::Builder::new().name("unpack".to_owned()).spawn(work) {
        return (stream::once(async { Err(error) }).boxed(), said);
    }
    let mut source = source;
    let feed = async move {
        while let Some(chunk) = source.next().await {
            if raw.send(chunk).await.is_err() {
                return;
            }
        }
    };
    let feed = feed.into_stream().filter_map(async |()| None);
    let rest = stream::select(feed, unpacked).map(move |chunk| {
        let _waiting = &waiting;
        chunk
    });
    (rest.boxed(), said)
}

/// Reads the chunks of a channel.
struct FromChannel {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    rest: Bytes,
}

impl Read for FromChannel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match block_on(self.chunks.next()) {
                Some(chunk) => self.rest = chunk?,
                None => return Ok(0),
            }
        }
        let len = buffer.len().min(self.rest.len());
        self.rest.copy_to_slice(buffer.get_mut(..len).unwrap_or_default());
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn reader_that_panics_is_an_error_and_not_the_end_of_the_file() {
        let (bytes, _said) = through(stream::empty().boxed(), |_, _| panic!("a damaged workbook"));
        let all: Vec<_> = block_on(bytes.collect());
        assert!(matches!(&all[..], [Err(error)] if error.to_string().contains("damaged")), "{all:?}");
    }

    #[test]
    fn table_is_wanted_until_its_bytes_are_dropped() {
        let (tell, told) = std::sync::mpsc::channel();
        let (bytes, _said) = through(stream::pending().boxed(), move |mut reader, wanted| {
            tell.send(wanted).map_err(io::Error::other)?;
            reader.read(&mut [0]).map(|_| Opened {
                reader: Box::new(io::empty()),
                said: Vec::new(),
                name: None,
            })
        });
        let wanted = told.recv().unwrap();
        assert!(wanted.upgrade().is_some());
        drop(bytes);
        assert!(wanted.upgrade().is_none());
    }
}
