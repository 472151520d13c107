//! The inputs: files, folders and zip files, as a flat list of texts.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use postcode_tables::packed::{self, Packing};
use postcode_tables::{Encoding, Utf8Reader};
use tempfile::TempPath;

use super::geonames_form;

/// Files in an input at most; ONSPD has some 170.
const MAX_TEXTS: usize = 20_000;
/// How deep a folder is looked into.
const MAX_DEPTH: usize = 8;
/// The most bytes of one unpacked text. The largest ONSPD is 1.5 GB; a zip that unpacks to more is
/// not an edition.
pub(super) const MAX_BYTES: u64 = 16 << 30;
/// Bytes of a zip within a zip at most, and of all of them, which are copied to the disk.
const MAX_NESTED: u64 = 4 << 30;
const MAX_ALL_NESTED: u64 = 8 << 30;

/// A text to read.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The name for messages: the path, or `FILE.zip/path/in/it` inside a zip.
    pub(super) display: String,
    /// The path within its input, with `/`; the file's name if the input is that file.
    pub(super) path: String,
    /// Bytes to read, as far as known: packed for `.gz` and `.zst`, unpacked for zip files.
    pub(super) size: u64,
    /// Named as an input, not found within one.
    pub(super) explicit: bool,
    /// The steps that were needed to read it, for people.
    pub(super) said: Option<String>,
    /// The encoding, if the caller knows it.
    encoding: Option<Encoding>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Zipped(Arc<Archive>, usize),
    /// The sheet of a workbook, as CSV.
    Sheet(Arc<TempPath>),
}

/// How inputs are written, as far as the caller knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The encoding of all texts.
    pub(super) encoding: Option<Encoding>,
    /// The sheet of a workbook.
    pub(super) sheet: Option<String>,
}

/// A text, unpacked and in UTF-8.
pub(super) type Reader<'a> = Utf8Reader<Limited<Box<dyn Read + Send + 'a>>>;

#[derive(Debug)]
struct Archive {
    path: PathBuf,
    /// The copy of a zip within a zip, removed after its last use.
    _copy: Option<TempPath>,
}

impl Text {
    /// Returns the last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Returns the name without `.csv`, `.csv.gz` and so on.
    pub(super) fn stem(&self) -> &str {
        let name = self.name();
        name.find('.').map_or(name, |dot| &name[..dot])
    }

    /// Reads it, unpacked and as UTF-8, up to [`MAX_BYTES`].
    pub(super) fn read<T>(&self, then: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> Result<T> {
        let open =
            |path: &Path| File::open(path).with_context(|| format!("{}: can't be opened", self.display));
        match &self.place {
            Place::File(path) => self.unpacked(open(path)?, then),
            Place::Sheet(path) => self.unpacked(open(path)?, then),
            Place::Zipped(archive, index) => {
                let mut zip = open_zip(&archive.path, &self.display)?;
                let entry = zip
                    .by_index(*index)
                    .with_context(|| format!("{}: can't be read from its zip file", self.display))?;
                self.unpacked(entry, then)
            }
        }
    }

    /// Reads through gzip or zstd, if its first bytes say so, and whatever encoding it has.
    fn unpacked<R: Read + Send, T>(
        &self,
        mut raw: R,
        then: impl FnOnce(&mut Reader<'_>) -> Result<T>,
    ) -> Result<T> {
        let cannot = || format!("{}: can't be read", self.display);
        let mut magic = Vec::with_capacity(4);
        raw.by_ref().take(4).read_to_end(&mut magic).with_context(cannot)?;
        let packing = match Packing::of(&magic) {
            packing @ (Packing::Gzip | Packing::Zstd) => packing,
            _ => Packing::Plain,
        };
        let all = io::Cursor::new(magic).chain(raw);
        let unpacked = packed::unpack_file(all, packing).with_context(cannot)?;
        then(&mut Utf8Reader::new(Limited::new(unpacked), self.encoding).with_context(cannot)?)
    }

    /// Returns the first bytes, at most `limit`, unpacked and in UTF-8, and the encoding that they had.
    pub(super) fn start(&self, limit: usize) -> Result<(Vec<u8>, Encoding)> {
        self.read(|reader| {
            let mut bytes = Vec::new();
            reader
                .take(limit as u64)
                .read_to_end(&mut bytes)
                .with_context(|| format!("{}: can't be read", self.display))?;
            Ok((bytes, reader.encoding()))
        })
    }

    /// Reads the whole text, for small files. More than `limit` bytes are an error.
    pub(super) fn whole(&self, limit: usize) -> Result<Vec<u8>> {
        let (bytes, _) = self.start(limit + 1)?;
        ensure!(
            bytes.len() <= limit,
            "{}: more than {limit} bytes: not a list of names and codes",
            self.display
        );
        Ok(bytes)
    }
}

/// Fails past [`MAX_BYTES`], so that a small file can't unpack for ever.
pub(super) struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R> Limited<R> {
    fn new(inner: R) -> Self {
        Self { inner, left: MAX_BYTES }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, format!("unpacks to more than {MAX_BYTES} bytes"))
        })?;
        Ok(read)
    }
}

/// The findings while listing inputs.
struct Listing<'a> {
    texts: Vec<Text>,
    known: &'a Known,
    /// Bytes of zips within zips so far, and at most.
    nested: u64,
    most_nested: u64,
}

/// Lists all texts of the inputs, in the given order, within folders and zip files by path.
pub(super) fn list(inputs: &[PathBuf], known: &Known) -> Result<Vec<Text>> {
    list_at_most(inputs, known, MAX_ALL_NESTED)
}

fn list_at_most(inputs: &[PathBuf], known: &Known, most_nested: u64) -> Result<Vec<Text>> {
    let mut listing = Listing { texts: Vec::new(), known, nested: 0, most_nested };
    for input in inputs {
        let before = listing.texts.len();
        let about = std::fs::metadata(input)
            .with_context(|| format!("{}: no such input, or it can't be read", input.display()))?;
        if about.is_dir() {
            folder(input, "", 0, &mut listing)?;
        } else if about.is_file() {
            let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
            file(input, &name, true, &mut listing)?;
        } else {
            bail!("{}: neither a file nor a folder", input.display());
        }
        listing.texts[before..].sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(listing.texts)
}

fn folder(path: &Path, within: &str, depth: usize, listing: &mut Listing<'_>) -> Result<()> {
    ensure!(depth <= MAX_DEPTH, "{}: folders more than {MAX_DEPTH} deep: give one of them", path.display());
    let cannot = || format!("{}: the folder can't be read", path.display());
    for entry in std::fs::read_dir(path).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let inner = if within.is_empty() { name } else { format!("{within}/{name}") };
        // Follows a link to a file, not to a folder: that could be a circle.
        let kind = entry.file_type().with_context(cannot)?;
        if kind.is_dir() {
            folder(&entry.path(), &inner, depth + 1, listing)?;
        } else if interesting(&inner) && entry.path().is_file() {
            file(&entry.path(), &inner, false, listing)?;
        }
    }
    Ok(())
}

fn file(path: &Path, within: &str, explicit: bool, listing: &mut Listing<'_>) -> Result<()> {
    let display = path.display().to_string();
    let mut opened = File::open(path).with_context(|| format!("{display}: can't be opened"))?;
    let mut magic = [0; 4];
    let got = opened.read(&mut magic).with_context(|| format!("{display}: can't be read"))?;
    let packing = Packing::of(&magic[..got]);
    let is_archive = matches!(packing, Packing::Zip | Packing::OldWorkbook);
    if is_archive && packed::is_workbook(path).with_context(|| format!("{display}: can't be read"))? {
        // In the folder of an edition workbooks are guides.
        return if explicit { sheet(path, within, listing) } else { Ok(()) };
    }
    if packing == Packing::Zip {
        let archive = Arc::new(Archive { path: path.to_owned(), _copy: None });
        let prefix = if explicit { String::new() } else { format!("{within}/") };
        return zipped(&archive, &display, &prefix, false, listing);
    }
    let size = opened.seek(SeekFrom::End(0)).unwrap_or(0);
    let place = Place::File(path.to_owned());
    let (path, encoding) = (within.to_owned(), listing.known.encoding);
    add(listing, Text { display, path, size, explicit, said: None, encoding, place })
}

/// A sheet of a workbook, which is written as CSV to the disk: it is read twice.
fn sheet(path: &Path, within: &str, listing: &mut Listing<'_>) -> Result<()> {
    let display = path.display().to_string();
    let options = packed::Options { sheet: listing.known.sheet.clone(), ..packed::Options::default() };
    let mut opened =
        packed::open_file(path, &options).with_context(|| format!("{display}: can't be read"))?;
    let mut copy = tempfile::NamedTempFile::new().context("a temporary file for a sheet of a workbook")?;
    let size =
        io::copy(&mut opened.reader, &mut copy).with_context(|| format!("{display}: can't be read"))?;
    copy.flush().context("a temporary file for a sheet of a workbook")?;
    let place = Place::Sheet(Arc::new(copy.into_temp_path()));
    let said = Some(format!("{display}: {}", opened.said.join(", ")));
    // The sheet was written here, in UTF-8.
    let encoding = Some(Encoding::Utf8);
    add(listing, Text { display, path: within.to_owned(), size, explicit: true, said, encoding, place })
}

fn zipped(
    archive: &Arc<Archive>,
    display: &str,
    prefix: &str,
    nested: bool,
    listing: &mut Listing<'_>,
) -> Result<()> {
    let mut zip = open_zip(&archive.path, display)?;
    ensure!(zip.len() <= MAX_TEXTS, "{display}: more than {MAX_TEXTS} files in the zip: not an edition");
    for index in 0..zip.len() {
        let mut entry = zip
            .by_index(index)
            .with_context(|| format!("{display}: file {index} of the zip can't be read"))?;
        // Names are only compared and shown. Nothing is ever unpacked to their path. So a name in a
        // wrong encoding does not matter.
        let inner = entry.name().unwrap_or_else(|_| String::from_utf8_lossy(entry.name_raw()));
        let inner = inner.replace('\\', "/");
        let hidden = inner.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
        if entry.is_dir() || hidden || !interesting(&inner) {
            continue;
        }
        let path = format!("{prefix}{inner}");
        let display = format!("{display}/{inner}");
        if has_extension(&inner, "zip") {
            ensure!(!nested, "{display}: zip files in zip files in zip files: unpack the outer ones");
            let mut copy =
                tempfile::NamedTempFile::new().context("a temporary file for a zip within a zip")?;
            let copied = io::copy(&mut entry.by_ref().take(MAX_NESTED + 1), &mut copy)
                .with_context(|| format!("{display}: can't be read from its zip file"))?;
            ensure!(copied <= MAX_NESTED, "{display}: unpacks to more than {MAX_NESTED} bytes");
            listing.nested += copied;
            ensure!(
                listing.nested <= listing.most_nested,
                "{display}: with it the zips within zips unpack to more than {} bytes: unpack them and give \
                 the folder of one edition",
                listing.most_nested
            );
            let copy = copy.into_temp_path();
            let inner = Arc::new(Archive { path: copy.to_path_buf(), _copy: Some(copy) });
            zipped(&inner, &display, &format!("{path}/"), true, listing)?;
            continue;
        }
        let size = entry.size();
        let place = Place::Zipped(Arc::clone(archive), index);
        let encoding = listing.known.encoding;
        add(listing, Text { display, path, size, explicit: false, said: None, encoding, place })?;
    }
    Ok(())
}

fn add(listing: &mut Listing<'_>, text: Text) -> Result<()> {
    ensure!(listing.texts.len() < MAX_TEXTS, "more than {MAX_TEXTS} files: give the folder of one edition");
    listing.texts.push(text);
    Ok(())
}

fn open_zip(path: &Path, display: &str) -> Result<zip::ZipArchive<BufReader<File>>> {
    let file = File::open(path).with_context(|| format!("{display}: can't be opened"))?;
    zip::ZipArchive::new(BufReader::new(file))
        .with_context(|| format!("{display}: not a whole zip file: was the download cut off?"))
}

/// Returns whether a file in a folder or zip may be data: a table, packed or not, or metadata. The
/// rest is guides and spreadsheets.
fn interesting(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    has_extension(name, "csv")
        || has_extension(name, "zip")
        || name.eq_ignore_ascii_case("metadata.txt")
        || geonames_form::is_name(name)
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
