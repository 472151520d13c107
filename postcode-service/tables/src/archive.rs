//! Zip files and workbooks, which are read anywhere.

use std::collections::HashSet;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::DeflateDecoder;
use memchr::memmem;
use zip::{CompressionMethod, ZipArchive};

use crate::bounded::{Bounded, Checked, Counted, FREE, RATIO};
use crate::opened::{Bytes, Kind, Opened, invalid};
use crate::options::{Options, Origin};
use crate::packing::Packing;
use crate::shares::Shares;

/// Files in a zip file that are looked at.
const MAX_FILES: usize = 1_000;
/// Bytes that are read to find the list of the files in a zip file. A file in it takes some hundred bytes of memory.
const MAX_FILE_LIST: u64 = 8 << 20;
/// Bytes of a workbook's parts, unpacked.
const MAX_WORKBOOK: u64 = 512 << 20;
/// Bytes of the parts of all workbooks that are being read, unpacked. One client has half at most.
const MAX_ALL_WORKBOOKS: u64 = 1 << 30;

/// Files that a zip file of 64 bits may say that it has.
const MAX_COUNT: u64 = 100_000;
/// The end of a zip file of 64 bits: a record, and a locator that says where the record begins.
const RECORD: &[u8] = b"PK\x06\x06";
const RECORD_LEN: u64 = 56;
const LOCATOR: &[u8] = b"PK\x06\x07";
/// Locators in a zip file that are looked at. A file has one, or two if it holds another zip file.
const MAX_LOCATORS: usize = 1_000;

static WORKBOOKS: Shares = Shares::new(MAX_ALL_WORKBOOKS);

/// Something that can be read anywhere.
pub(crate) trait Place: Read + Seek + Send {}
impl<T: Read + Seek + Send> Place for T {}

/// The content of a zip file or workbook.
pub(crate) enum Content {
    /// A sheet as CSV.
    Sheet(Opened),
    /// The file of that name, which may be packed too.
    Member(Bytes, String),
}

/// Opens a zip file or a workbook.
pub(crate) fn open(mut file: Box<dyn Place>, options: &Options) -> io::Result<Content> {
    let mut start = [0; 4];
    let got = file.read(&mut start)?;
    file.rewind()?;
    if Packing::of(&start[..got]) == Packing::OldWorkbook {
        return workbook(file, Kind::Xls, options).map(Content::Sheet);
    }
    let mut zip = listed(file)?;
    let names: Vec<String> =
        zip.file_names().flatten().map(|name| name.to_string()).take(MAX_FILES).collect();
    if let Some(kind) = names.iter().find_map(|name| part_of_workbook(name)) {
        let bytes = unpacked(&mut zip)?;
        let mut memory = WORKBOOKS.begin(&options.origin);
        if options.origin != Origin::Operator {
            memory.grow(bytes)?;
        }
        return workbook(zip.into_inner(), kind, options).map(Content::Sheet);
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
    Ok(Content::Member(Box::new(Checked::new(Bounded::new(inner, read), crc)), member))
}

/// Returns whether the beginning and the rest of a file are a workbook.
pub(crate) fn is_workbook(file: impl Read + Seek) -> bool {
    // A zip file that is cut off is not a workbook; who reads it says what is wrong.
    ZipArchive::new(file)
        .is_ok_and(|zip| zip.file_names().flatten().any(|name| part_of_workbook(&name).is_some()))
}

fn broken(error: zip::result::ZipError) -> io::Error {
    invalid(&format!("not a whole zip file: {error}"))
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
fn workbook(file: impl Read + Seek, kind: Kind, options: &Options) -> io::Result<Opened> {
    crate::workbook::open(BufReader::new(file), kind, options)
}

#[cfg(not(feature = "workbook"))]
fn workbook(_: impl Read + Seek, _: Kind, _: &Options) -> io::Result<Opened> {
    Err(invalid("a workbook: save it as CSV"))
}

/// Returns the bytes of a workbook's parts, unpacked, within their limit: some parts are held in memory. A part that is
/// longer than the list of files says is an error when it is read.
fn unpacked<R: Read + Seek>(zip: &mut ZipArchive<R>) -> io::Result<u64> {
    let (mut unpacked, mut packed) = (0_u64, 0_u64);
    for n in 0..zip.len() {
        let entry = zip.by_index_raw(n).map_err(broken)?;
        unpacked = unpacked.saturating_add(entry.size());
        packed = packed.saturating_add(entry.compressed_size());
    }
    let most = FREE.max(packed.saturating_mul(RATIO)).min(MAX_WORKBOOK);
    match unpacked > most {
        true => Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("a workbook that unpacks to {unpacked} bytes, more than {most}: save the sheet as CSV"),
        )),
        false => Ok(unpacked),
    }
}

/// Reads the list of the files in a zip file.
fn listed(mut file: Box<dyn Place>) -> io::Result<ZipArchive<Metered>> {
    check_count(&mut file)?;
    let left = Arc::new(AtomicU64::new(MAX_FILE_LIST));
    let zip = ZipArchive::new(Metered { inner: file, left: left.clone() }).map_err(|error| {
        match left.load(Ordering::Relaxed) {
            0 => too_many_files(),
            _ => broken(error),
        }
    })?;
    left.store(u64::MAX, Ordering::Relaxed);
    Ok(zip)
}

fn too_many_files() -> io::Error {
    invalid("a zip file with too many files: unpack it first")
}

/// Checks how many files a zip file of 64 bits says that it has, because memory for all of them is taken at once. One of
/// 32 bits has 65,535 at most.
fn check_count(file: &mut (impl Read + Seek)) -> io::Result<()> {
    let number = |bytes: &[u8], at: usize| -> Option<u64> {
        Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
    };
    // No record is looked for farther from the end.
    let start = file.seek(SeekFrom::End(0))?.saturating_sub(MAX_FILE_LIST);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(MAX_FILE_LIST).read_to_end(&mut tail)?;
    let locators: Vec<usize> = memmem::find_iter(&tail, LOCATOR).take(MAX_LOCATORS + 1).collect();
    if locators.len() > MAX_LOCATORS {
        return Err(invalid("not a whole zip file"));
    }
    // A record counts if it ends where a locator begins.
    let ends: HashSet<u64> = locators.iter().map(|at| start + *at as u64).collect();
    for at in memmem::find_iter(&tail, RECORD) {
        let record = tail.get(at..).unwrap_or_default();
        let end = number(record, 4).and_then(|size| size.checked_add(start + at as u64 + 12));
        if end.is_some_and(|end| ends.contains(&end))
            && number(record, 32).is_some_and(|files| files > MAX_COUNT)
        {
            return Err(too_many_files());
        }
    }
    for at in locators {
        let Some(at) = number(&tail, at + 8) else { continue };
        file.seek(SeekFrom::Start(at))?;
        let mut record = Vec::new();
        file.take(RECORD_LEN).read_to_end(&mut record)?;
        if record.starts_with(RECORD) && number(&record, 32).is_some_and(|files| files > MAX_COUNT) {
            return Err(too_many_files());
        }
    }
    file.rewind()
}

/// Fails when more bytes are read than are left.
struct Metered {
    inner: Box<dyn Place>,
    left: Arc<AtomicU64>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
        match read as u64 > left {
            true => Err(io::Error::from(ErrorKind::FileTooLarge)),
            false => Ok(read),
        }
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use postcode_testing::zipped;

    use super::*;

    fn opened(zip: Vec<u8>) -> io::Result<()> {
        open(Box::new(Cursor::new(zip)), &Options::default()).map(drop)
    }

    /// Returns the last entry of the list of a zip file as it would be with so many files, in 64 bits.
    fn with_count(zip: &[u8], files: u64, before: &[u8]) -> Vec<u8> {
        let end = zip.len() - 22;
        let list = u32::from_le_bytes(zip[end + 16..end + 20].try_into().unwrap());
        let mut large = zip[..end].to_vec();
        let at = large.len() as u64;
        large.extend(RECORD);
        large.extend((44 + before.len() as u64).to_le_bytes());
        large.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        large.extend([files.to_le_bytes(), files.to_le_bytes()].concat());
        large.extend([(end as u64 - u64::from(list)).to_le_bytes(), u64::from(list).to_le_bytes()].concat());
        large.extend(before);
        large.extend(LOCATOR);
        large.extend([&[0; 4][..], &at.to_le_bytes(), &[1, 0, 0, 0]].concat());
        large.extend([&b"PK\x05\x06"[..], &[0; 4], &[0xff; 12], &[0; 2]].concat());
        large
    }

    #[test]
    fn zip_file_that_says_it_has_many_files_is_refused_before_memory_is_taken() {
        let zip = zipped(&[("table.csv", b"postcode\n")]);
        opened(with_count(&zip, 1, b"")).unwrap();
        for count in [MAX_COUNT + 1, u64::MAX] {
            let error = opened(with_count(&zip, count, b"")).unwrap_err().to_string();
            assert!(error.contains("too many files"), "{error}");
        }
    }

    #[test]
    fn zip_file_with_a_long_list_of_files_is_refused() {
        let names: Vec<String> = (0..70_000).map(|n| format!("{n:0120}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        let error = opened(zipped(&files)).unwrap_err().to_string();
        assert!(error.contains("too many files"), "{error}");
        let error = opened(zipped(&files[..2_000])).unwrap_err().to_string();
        assert!(error.contains("a zip file of 1000 files"), "{error}");
    }
}
