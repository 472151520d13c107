//! Packed tables: gzip, zstd, zip and workbooks, known by their first bytes.

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::archive::{self, Content, Place};
use crate::bounded::{Bounded, Counted};
pub use crate::bounded::{FREE, RATIO};
use crate::opened::invalid;
pub use crate::opened::{Bytes, Opened};
pub use crate::options::{Options, Origin};
pub use crate::packing::{CODINGS, Packing};
use crate::spool::Spool;

/// Bytes of a zip file or workbook that comes as a stream, and is put on disk to be read.
pub const MAX_SPOOLED: u64 = 1 << 30;
/// The window of zstd in a request, as a power of 2: 8 MiB (RFC 9659).
const HTTP_WINDOW: u32 = 23;
/// The window of zstd in a file of the operator: as large as its program's default.
const FILE_WINDOW: u32 = 27;
/// One packing within another: `table.csv.gz` in a zip file.
const MAX_DEPTH: usize = 3;
/// Bytes that are unpacked from brotli at a time.
const BUFFER: usize = 4 << 10;

/// Opens a file, unpacked. Zip files and workbooks are read where they are.
///
/// # Errors
/// If it can't be read, or holds no table.
pub fn open_file(path: &Path, options: &Options) -> io::Result<Opened> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    if matches!(Packing::of(&start), Packing::Zip | Packing::OldWorkbook) {
        file.rewind()?;
        return open_archive(Box::new(file), options, 0);
    }
    open_at(Box::new(Cursor::new(start).chain(file)), options, 0)
}

/// Opens a stream of bytes, unpacked. A zip file or workbook is put on disk for that.
///
/// # Errors
/// If it can't be read, or holds no table. Of the kind [`QuotaExceeded`](ErrorKind::QuotaExceeded) if
/// all those of this program have too many bytes on disk, and [`StorageFull`](ErrorKind::StorageFull) if
/// the disk is nearly full.
pub fn open(reader: impl Read + Send + 'static, options: &Options) -> io::Result<Opened> {
    open_at(Box::new(reader), options, 0)
}

/// Unpacks what is packed in a known way, as `Content-Encoding` says, within the bounds of this module.
///
/// # Errors
/// If the packing is broken at its beginning.
pub fn unpack(reader: impl Read + Send + 'static, packing: Packing) -> io::Result<Bytes> {
    unpack_within(reader, packing, HTTP_WINDOW)
}

/// Unpacks a file or a part of one that is packed with gzip or zstd, within the bounds of this module. Other packings are
/// left unchanged.
///
/// # Errors
/// If the packing is broken at its beginning.
pub fn unpack_file<'a>(
    reader: impl Read + Send + 'a,
    packing: Packing,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    unpack_within(reader, packing, FILE_WINDOW)
}

/// Returns whether a file is a workbook of Excel or OpenDocument.
///
/// # Errors
/// If it can't be read.
pub fn is_workbook(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    Ok(match Packing::of(&start) {
        Packing::OldWorkbook => true,
        Packing::Zip => {
            file.rewind()?;
            archive::is_workbook(file)
        }
        _ => false,
    })
}

/// Unpacks brotli. Refuses the windows of up to a gigabyte that RFC 7932 does not have: those that it has end at 16 MiB.
fn brotli<R: Read>(mut reader: R) -> io::Result<impl Read> {
    let mut first = Vec::new();
    reader.by_ref().take(1).read_to_end(&mut first)?;
    if first.first().is_some_and(|byte| byte & 0x7f == 0x11) {
        return Err(invalid("packed with a larger window than brotli has in RFC 7932"));
    }
    Ok(brotli::Decompressor::new(Cursor::new(first).chain(reader), BUFFER))
}

fn unpack_within<'a>(
    reader: impl Read + Send + 'a,
    packing: Packing,
    window: u32,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let read = Arc::new(AtomicU64::new(0));
    let raw = BufReader::new(Counted { inner: reader, read: read.clone() });
    let unpacked: Box<dyn Read + Send + 'a> = match packing {
        Packing::Gzip => Box::new(MultiGzDecoder::new(raw)),
        Packing::Zlib => Box::new(ZlibDecoder::new(raw)),
        Packing::Brotli => Box::new(brotli(raw)?),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
            decoder.window_log_max(window)?;
            Box::new(decoder)
        }
        _ => return Ok(Box::new(raw)),
    };
    Ok(Box::new(Bounded::new(unpacked, read)))
}

/// Unpacks the body of a request, as `Content-Encoding` says.
///
/// # Errors
/// [`FileTooLarge`](ErrorKind::FileTooLarge) if it unpacks to more than `most` bytes; another kind if
/// it is broken, cut off, or needs a window of more than 8 MiB, which RFC 9659 forbids.
pub fn unpack_body(packed: &[u8], packing: Packing, most: usize) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let most = most as u64;
    let read = match packing {
        Packing::Gzip => MultiGzDecoder::new(packed).take(most + 1).read_to_end(&mut unpacked),
        Packing::Zlib => ZlibDecoder::new(packed).take(most + 1).read_to_end(&mut unpacked),
        Packing::Brotli => brotli(packed)?.take(most + 1).read_to_end(&mut unpacked),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            decoder.window_log_max(HTTP_WINDOW)?;
            decoder.take(most + 1).read_to_end(&mut unpacked)
        }
        _ => {
            let mut plain = packed;
            plain.by_ref().take(most + 1).read_to_end(&mut unpacked)
        }
    }?;
    match read as u64 > most {
        true => Err(io::Error::new(ErrorKind::FileTooLarge, format!("unpacks to more than {most} bytes"))),
        false => Ok(unpacked),
    }
}

fn open_at(mut reader: Bytes, options: &Options, depth: usize) -> io::Result<Opened> {
    let mut start = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut start)?;
    let packing = Packing::of(&start);
    let whole = Cursor::new(start).chain(reader);
    if packing != Packing::Plain && depth == MAX_DEPTH {
        return Err(invalid("packed too many times over: unpack it first"));
    }
    match packing {
        Packing::Plain | Packing::Zlib | Packing::Brotli => {
            Ok(Opened { reader: Box::new(whole), said: Vec::new(), name: None })
        }
        Packing::Gzip | Packing::Zstd => {
            let window = if options.origin == Origin::Operator { FILE_WINDOW } else { HTTP_WINDOW };
            let mut opened = open_at(unpack_within(whole, packing, window)?, options, depth + 1)?;
            let name = if packing == Packing::Gzip { "gzip" } else { "zstd" };
            opened.said.insert(0, format!("unpacked ({name})"));
            Ok(opened)
        }
        Packing::Zip | Packing::OldWorkbook => {
            let mut spooled = Spool::new(options);
            let copied = io::copy(&mut whole.take(MAX_SPOOLED + 1), &mut spooled)?;
            if copied > MAX_SPOOLED {
                return Err(invalid(&format!(
                    "more than {MAX_SPOOLED} bytes in a zip file: unpack it first"
                )));
            }
            spooled.rewind()?;
            open_archive(Box::new(spooled), options, depth)
        }
    }
}

fn open_archive(file: Box<dyn Place>, options: &Options, depth: usize) -> io::Result<Opened> {
    let (reader, member) = match archive::open(file, options)? {
        Content::Sheet(opened) => return Ok(opened),
        Content::Member(reader, member) => (reader, member),
    };
    let mut opened = open_at(reader, options, depth + 1)?;
    opened.said.insert(0, format!("unpacked ({member} of a zip file)"));
    opened.name.get_or_insert(member);
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use postcode_testing::{brotli, gzip, zipped};

    use super::*;

    const TABLE: &[u8] = b"postcode,n\nM1 1AE,1\n";

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        open(Cursor::new(bytes), &Options::default())?.reader.read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn packed_tables_are_unpacked() {
        for packed in [
            TABLE.to_vec(),
            gzip(TABLE),
            zstd::encode_all(TABLE, 0).unwrap(),
            zipped(&[("in/table.csv", TABLE)]),
            zipped(&[("__MACOSX/._t.csv", b"x"), ("t.csv.gz", &gzip(TABLE)), ("read me.txt", b"x")]),
            gzip(&zipped(&[("table", TABLE)])),
            [gzip(&TABLE[..5]), gzip(&TABLE[5..])].concat(),
        ] {
            assert_eq!(read(packed).unwrap(), TABLE);
        }
    }

    #[test]
    fn what_is_broken_or_too_much_is_refused() {
        let says = |bytes: Vec<u8>, text: &str| {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        says(zipped(&[("a.csv", TABLE), ("b.csv", TABLE)]), "2 files (\"a.csv\", \"b.csv\")");
        says(zipped(&[]), "0 files");
        says(b"PK\x03\x04nonsense".to_vec(), "not a whole zip file");
        says(
            zipped(&[("word/document.xml", b"x"), ("a.csv", TABLE)]),
            "a Word document: give the table as CSV",
        );
        says(zipped(&[("Index/Document.iwa", b"x")]), "a document of Numbers");
        let zeros = vec![0; FREE as usize + (1 << 20)];
        says(gzip(&zeros), "more than 200 times");
        says(zstd::encode_all(&*zeros, 0).unwrap(), "more than 200 times");
        says(zipped(&[("a.csv", &zeros)]), "more than 200 times");
        let mut cut = gzip(TABLE);
        cut.truncate(cut.len() - 9);
        assert!(read(cut).is_err());
        let mut damaged = zipped(&[("a.csv", &TABLE.repeat(3))]);
        let at = damaged.windows(5).position(|window| window == b"a.csv").unwrap();
        damaged[at + 9] ^= 0x10;
        assert!(read(damaged).is_err());
        says((0..5).fold(TABLE.to_vec(), |bytes, _| gzip(&bytes)), "too many times");
    }

    #[test]
    fn bodies_are_unpacked_within_a_bound() {
        let deflated = {
            let mut packed = Vec::new();
            let mut encoder = flate2::read::ZlibEncoder::new(TABLE, flate2::Compression::fast());
            encoder.read_to_end(&mut packed).unwrap();
            packed
        };
        for (packed, packing) in [
            (TABLE.to_vec(), Packing::Plain),
            (gzip(TABLE), Packing::Gzip),
            (deflated, Packing::Zlib),
            (zstd::encode_all(TABLE, 0).unwrap(), Packing::Zstd),
            (brotli(TABLE), Packing::Brotli),
        ] {
            assert_eq!(unpack_body(&packed, packing, TABLE.len()).unwrap(), TABLE);
            let error = unpack_body(&packed, packing, TABLE.len() - 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::FileTooLarge);
            if packing != Packing::Plain {
                assert!(unpack_body(&packed[..packed.len() - 3], packing, 100).is_err(), "cut off");
                assert!(unpack_body(TABLE, packing, 100).is_err(), "something else");
            }
        }
    }

    #[test]
    fn brotli_is_unpacked_within_the_ratio_and_without_large_windows() {
        let mut packed = Vec::new();
        let zeros = vec![0; FREE as usize + (1 << 20)];
        let mut encoder = ::brotli::CompressorReader::new(&*zeros, 1 << 16, 1, 22);
        encoder.read_to_end(&mut packed).unwrap();
        let mut out = Vec::new();
        let error = unpack(Cursor::new(packed), Packing::Brotli).unwrap().read_to_end(&mut out).unwrap_err();
        assert!(error.to_string().contains("more than 200 times"), "{error}");
        let large = [0x11, 30, 3];
        for error in
            [unpack(Cursor::new(large), Packing::Brotli).err(), unpack_body(&large, Packing::Brotli, 9).err()]
        {
            assert!(error.unwrap().to_string().contains("larger window"));
        }
    }
}
