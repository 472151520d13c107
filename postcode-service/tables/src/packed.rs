//! Packed tables: gzip, zstd, zip and workbooks, known by their first bytes.

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zip::{CompressionMethod, ZipArchive};

pub use crate::opened::{Bytes, Opened};
use crate::opened::{Kind, invalid};
use crate::spool::Spool;

/// So many times as large as it was packed may a table be; a small one may always be [`FREE`] bytes.
pub const RATIO: u64 = 200;
/// Bytes that any table may unpack to.
pub const FREE: u64 = 64 << 20;
/// Bytes of a zip file or workbook that comes as a stream, and is put on disk to be read.
pub const MAX_SPOOLED: u64 = 1 << 30;
/// Files in a zip file that are looked at.
const MAX_FILES: usize = 1_000;
/// The window of zstd in a request, as a power of 2: 8 MiB (RFC 9659).
const HTTP_WINDOW: u32 = 23;
/// The window of zstd in a file: as large as its program's default.
const FILE_WINDOW: u32 = 27;
/// The codings of requests that are read, as `Accept-Encoding` lists them.
pub const CODINGS: &str = "gzip, deflate, br, zstd";
/// One packing within another: `table.csv.gz` in a zip file.
const MAX_DEPTH: usize = 3;
/// Bytes that are unpacked from brotli at a time.
const BUFFER: usize = 4 << 10;

/// How something is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
    /// zlib (RFC 1950), which HTTP calls `deflate`.
    Zlib,
    /// Zstandard (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Brotli,
    /// A zip file, which a newer workbook is, too.
    Zip,
    /// A workbook of Excel as it was until 2003.
    OldWorkbook,
}

impl Packing {
    /// Returns how something is packed that begins with these bytes. Four are enough. Of zlib and brotli no beginning is
    /// certain, so they are never found.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Self::OldWorkbook,
            _ => Self::Plain,
        }
    }

    /// Returns the packing that the values of `Content-Encoding` name, which may be lists. It is one
    /// at most: nobody packs a file twice in good faith.
    ///
    /// # Errors
    /// Returns the first coding if it is not known, or not the only one.
    pub fn of_codings<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Self, String> {
        let lists: Vec<_> = values.map(String::from_utf8_lossy).collect();
        let mut codings = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
        let Some(first) = codings.next() else { return Ok(Self::Plain) };
        Self::of_coding(first).filter(|_| codings.next().is_none()).ok_or_else(|| first.to_owned())
    }

    /// Returns the packing that HTTP calls so in `Content-Encoding`.
    fn of_coding(coding: &str) -> Option<Self> {
        Some(match &*coding.trim().to_ascii_lowercase() {
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Zlib,
            "br" => Self::Brotli,
            "zstd" => Self::Zstd,
            "identity" | "" => Self::Plain,
            _ => return None,
        })
    }
}

/// Options for packed input.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The sheet of a workbook; the first visible one with anything in it if not given.
    pub sheet: Option<String>,
    /// The file of a zip file; its only table if not given.
    pub member: Option<String>,
}

/// Something that can be read anywhere.
trait Place: Read + Seek + Send {}
impl<T: Read + Seek + Send> Place for T {}

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
        return archive(Box::new(file), options, 0);
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
            // A zip file that is cut off is not a workbook; who reads it says what is wrong.
            ZipArchive::new(file)
                .is_ok_and(|zip| zip.file_names().flatten().any(|name| part_of_workbook(&name).is_some()))
        }
        _ => false,
    })
}

/// Returns the kind of workbook that has a part of this name.
fn part_of_workbook(name: &str) -> Option<Kind> {
    match name {
        "xl/workbook.xml" => Some(Kind::Xlsx),
        "xl/workbook.bin" => Some(Kind::Xlsb),
        "content.xml" => Some(Kind::Ods),
        _ => None,
    }
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
    Ok(Box::new(Bounded { inner: unpacked, packed: read, given: 0 }))
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
            let mut opened = open_at(unpack_within(whole, packing, FILE_WINDOW)?, options, depth + 1)?;
            let name = if packing == Packing::Gzip { "gzip" } else { "zstd" };
            opened.said.insert(0, format!("unpacked ({name})"));
            Ok(opened)
        }
        Packing::Zip | Packing::OldWorkbook => {
            let mut spooled = Spool::new();
            let copied = io::copy(&mut whole.take(MAX_SPOOLED + 1), &mut spooled)?;
            if copied > MAX_SPOOLED {
                return Err(invalid(&format!(
                    "more than {MAX_SPOOLED} bytes in a zip file: unpack it first"
                )));
            }
            spooled.rewind()?;
            archive(Box::new(spooled), options, depth)
        }
    }
}

/// A zip file or a workbook.
fn archive(mut file: Box<dyn Place>, options: &Options, depth: usize) -> io::Result<Opened> {
    let mut start = [0; 4];
    let got = file.read(&mut start)?;
    file.rewind()?;
    if Packing::of(&start[..got]) == Packing::OldWorkbook {
        return workbook(file, Kind::Xls, options);
    }
    let broken = |error: zip::result::ZipError| invalid(&format!("not a whole zip file: {error}"));
    let mut zip = ZipArchive::new(file).map_err(broken)?;
    let names: Vec<String> =
        zip.file_names().flatten().map(|name| name.to_string()).take(MAX_FILES).collect();
    if let Some(kind) = names.iter().find_map(|name| part_of_workbook(name)) {
        bound(&mut zip).map_err(broken)?;
        return workbook(zip.into_inner(), kind, options);
    }
    if let Some(kind) = document(&names) {
        return Err(invalid(&format!("{kind}: give the table as CSV, or as a workbook")));
    }
    let member = member(&names, options.member.as_deref())?;
    let index = zip.index_for_name(&member).ok_or_else(|| invalid("not a whole zip file"))?;
    let entry = zip.by_index(index).map_err(broken)?;
    if entry.encrypted() {
        return Err(invalid(&format!("{member}: needs a password: unpack it first")));
    }
    let (method, packed, crc) = (entry.compression(), entry.compressed_size(), entry.crc32());
    let begin = entry.data_start().ok_or_else(|| invalid("not a whole zip file"))?;
    drop(entry);
    let mut file = zip.into_inner();
    file.seek(SeekFrom::Start(begin))?;
    let read = Arc::new(AtomicU64::new(0));
    let raw = BufReader::new(Counted { inner: file.take(packed), read: read.clone() });
    let inner: Bytes = match method {
        CompressionMethod::Stored => Box::new(raw),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(raw)),
        other => return Err(invalid(&format!("{member}: packed with {other}: unpack it first"))),
    };
    let checked =
        Checked { inner: Bounded { inner, packed: read, given: 0 }, crc: flate2::Crc::new(), wanted: crc };
    let mut opened = open_at(Box::new(checked), options, depth + 1)?;
    opened.said.insert(0, format!("unpacked ({member} of a zip file)"));
    opened.name.get_or_insert(member);
    Ok(opened)
}

/// Names the kind of a document that consists of these files and is not a workbook.
fn document(names: &[String]) -> Option<&'static str> {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    match () {
        () if has("word/document.xml") => Some("a Word document"),
        () if has("ppt/presentation.xml") => Some("a PowerPoint presentation"),
        () if has("Index/Document.iwa") || has("index.apxl") => {
            Some("a document of Numbers, Pages or Keynote")
        }
        () => None,
    }
}

/// The file of a zip file that is meant.
fn member(names: &[String], wanted: Option<&str>) -> io::Result<String> {
    let visible = |name: &&String| {
        !name.ends_with('/') && !name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX")
    };
    let files: Vec<&String> = names.iter().filter(visible).collect();
    let table = |name: &&&String| {
        const ENDS: [&str; 10] = ["csv", "tsv", "tab", "json", "jsonl", "ndjson", "xlsx", "xls", "gz", "zst"];
        let end = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        ENDS.contains(&&*end)
    };
    let tables: Vec<&&String> = files.iter().filter(table).collect();
    let found = match (wanted, &*files, &*tables) {
        (Some(wanted), ..) => files.iter().find(|name| name.as_str() == wanted).copied(),
        (None, [one], _) => Some(*one),
        (None, _, [one]) => Some(**one),
        _ => None,
    };
    found.cloned().ok_or_else(|| {
        let some: Vec<String> = files.iter().take(10).map(|name| format!("{name:?}")).collect();
        invalid(&format!(
            "a zip file of {} files ({}): unpack it and give the one that is meant",
            files.len(),
            some.join(", ")
        ))
    })
}

#[cfg(feature = "workbook")]
fn workbook(file: Box<dyn Place>, kind: Kind, options: &Options) -> io::Result<Opened> {
    crate::workbook::open(BufReader::new(file), kind, options.sheet.as_deref())
}

#[cfg(not(feature = "workbook"))]
fn workbook(_: Box<dyn Place>, _: Kind, _: &Options) -> io::Result<Opened> {
    Err(invalid("a workbook: save it as CSV"))
}

/// The parts of a workbook unpack to no more than they may: some are held in memory.
fn bound(zip: &mut ZipArchive<Box<dyn Place>>) -> zip::result::ZipResult<()> {
    let (mut unpacked, mut packed) = (0_u64, 0_u64);
    for n in 0..zip.len() {
        let entry = zip.by_index_raw(n)?;
        unpacked = unpacked.saturating_add(entry.size());
        packed = packed.saturating_add(entry.compressed_size());
    }
    let most = FREE.max(packed.saturating_mul(RATIO)).min(MAX_WORKBOOK);
    match unpacked > most {
        true => Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("a workbook that unpacks to {unpacked} bytes, more than {most}: save the sheet as CSV"),
        )
        .into()),
        false => Ok(()),
    }
}

/// Bytes of a workbook's parts, unpacked.
const MAX_WORKBOOK: u64 = 512 << 20;

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Fails where a small file unpacks to too much.
struct Bounded<'a> {
    inner: Box<dyn Read + Send + 'a>,
    packed: Arc<AtomicU64>,
    given: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.given += read as u64;
        let most = FREE.max(self.packed.load(Ordering::Relaxed).saturating_mul(RATIO));
        if self.given > most {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                format!("unpacks to more than {RATIO} times its size, as no table does: unpack it first"),
            ));
        }
        Ok(read)
    }
}

/// Compares with the checksum of the zip file at the end.
struct Checked {
    inner: Bounded<'static>,
    crc: flate2::Crc,
    wanted: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.crc.update(buffer.get(..read).unwrap_or_default());
        if read == 0 && !buffer.is_empty() && self.crc.sum() != self.wanted {
            return Err(invalid("damaged: its checksum in the zip file is another"));
        }
        Ok(read)
    }
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

    #[test]
    fn codings_of_http_have_names() {
        assert_eq!(Packing::of_coding(" GZIP"), Some(Packing::Gzip));
        assert_eq!(Packing::of_coding("deflate"), Some(Packing::Zlib));
        assert_eq!(Packing::of_coding("br"), Some(Packing::Brotli));
        assert_eq!(Packing::of_coding("compress"), None);
    }
}
