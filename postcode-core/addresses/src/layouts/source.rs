//! The files of an input: a folder, a zip file, or single files, as a list of texts.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{Error, Result};

/// The most files that an input may have. AddressBase Premium by tiles has some 11,000.
const MAX_FILES: usize = 50_000;
/// How deep a folder is looked into.
const MAX_DEPTH: usize = 8;
/// The most bytes of one unpacked file. The largest supply in one file has 20 GB.
const MAX_BYTES: u64 = 64 << 30;

/// A file, perhaps in a zip file.
///
/// ```
/// use postcode_addresses::layouts::layouts;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().to_owned();
/// let files = layouts(&[folder])?; // each a `Text` with its layout
/// assert!(files.is_empty()); // an empty folder
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The path for messages. A file in a zip file has the zip file's path in front.
    pub display: String,
    /// The path within the input, with `/` between folders.
    pub path: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Zipped(PathBuf, usize),
}

impl Text {
    /// Returns the last part of the path, without `.gz` and `.zst`.
    ///
    /// ```
    /// use postcode_addresses::layouts::layouts;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let row = "UPRN,X_COORDINATE,Y_COORDINATE,LATITUDE,LONGITUDE\n1,358260.66,172796.50,51.4526038,-2.6020703\n";
    /// # std::fs::write(folder.path().join("osopenuprn.csv"), row)?;
    /// # let folder = folder.path().to_owned();
    /// let (file, layout) = &layouts(&[folder])?[0];
    /// assert_eq!((file.name(), layout.as_str()), ("osopenuprn.csv", "OS Open UPRN"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name)
    }

    /// Calls a function with a reader of the unpacked bytes.
    ///
    /// ```
    /// use postcode_addresses::layouts::layouts;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let row = "UPRN,X_COORDINATE,Y_COORDINATE,LATITUDE,LONGITUDE\n1,358260.66,172796.50,51.4526038,-2.6020703\n";
    /// # std::fs::write(folder.path().join("osopenuprn.csv"), row)?;
    /// # let inputs = [folder.path().to_owned()];
    /// let (file, _) = &layouts(&inputs)?[0];
    /// let mut text = String::new();
    /// file.read(|reader| Ok(reader.read_to_string(&mut text)))??;
    /// assert_eq!(text.lines().count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file can't be opened, and those of the function.
    pub fn read<T>(&self, then: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        let failed = |source| Error::Read { file: self.display.clone(), source };
        match &self.place {
            Place::File(path) => {
                let file = File::open(path).map_err(failed)?;
                unpacked(file, then).map_err(failed)?
            }
            Place::Zipped(path, index) => {
                let mut archive = open_zip(path)?;
                let entry = archive.by_index(*index).map_err(|error| zip_error(path, &error))?;
                unpacked(entry, then).map_err(failed)?
            }
        }
    }

    /// Returns the first bytes, unpacked.
    ///
    /// ```
    /// use postcode_addresses::layouts::layouts;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let row = "UPRN,X_COORDINATE,Y_COORDINATE,LATITUDE,LONGITUDE\n1,358260.66,172796.50,51.4526038,-2.6020703\n";
    /// # std::fs::write(folder.path().join("osopenuprn.csv"), row)?;
    /// # let inputs = [folder.path().to_owned()];
    /// let (file, _) = &layouts(&inputs)?[0];
    /// assert_eq!(file.start(4)?, b"UPRN");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn start(&self, most: usize) -> Result<Vec<u8>> {
        self.read(|reader| {
            let mut bytes = Vec::new();
            let read = reader.take(most as u64).read_to_end(&mut bytes);
            read.map_err(|source| Error::Read { file: self.display.clone(), source })?;
            Ok(bytes)
        })
    }
}

/// Calls a function with a reader, unpacked if its first bytes say that it is packed.
fn unpacked<T>(mut raw: impl Read, then: impl FnOnce(&mut dyn Read) -> Result<T>) -> io::Result<Result<T>> {
    let mut magic = Vec::with_capacity(4);
    raw.by_ref().take(4).read_to_end(&mut magic)?;
    let all = io::Cursor::new(magic.clone()).chain(raw);
    Ok(match *magic {
        [0x1f, 0x8b, ..] => then(&mut MultiGzDecoder::new(BufReader::new(all)).take(MAX_BYTES)),
        [0x28, 0xb5, 0x2f, 0xfd] => then(&mut zstd::stream::read::Decoder::new(all)?.take(MAX_BYTES)),
        _ => then(&mut all.take(MAX_BYTES)),
    })
}

fn zip_error(path: &Path, error: &ZipError) -> Error {
    Error::Zip { file: path.display().to_string(), why: error.to_string() }
}

fn open_zip(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let file = File::open(path).map_err(|source| Error::Read { file: path.display().to_string(), source })?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| zip_error(path, &error))
}

/// Lists the files of the inputs, each a folder, a zip file or a file.
///
/// # Errors
/// If an input can't be read, or a zip file is not whole.
pub(super) fn list(inputs: &[PathBuf]) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    for input in inputs {
        let failed = |source| Error::Read { file: input.display().to_string(), source };
        let kind = std::fs::metadata(input).map_err(failed)?;
        if kind.is_dir() {
            folder(input, "", 0, &mut texts).map_err(failed)??;
        } else {
            let name = input.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            file(input.clone(), name, &mut texts)?;
        }
    }
    texts.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.display.cmp(&b.display)));
    Ok(texts)
}

fn folder(path: &Path, within: &str, depth: usize, texts: &mut Vec<Text>) -> io::Result<Result<()>> {
    if depth > MAX_DEPTH {
        return Ok(Ok(()));
    }
    let mut entries = std::fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Hidden files and what unpackers leave are not data.
        if name.starts_with('.') || name == "__MACOSX" {
            continue;
        }
        let inside = if within.is_empty() { name } else { format!("{within}/{name}") };
        let kind = std::fs::metadata(entry.path())?;
        let listed = if kind.is_dir() {
            folder(&entry.path(), &inside, depth + 1, texts)?
        } else {
            file(entry.path(), inside, texts)
        };
        if listed.is_err() {
            return Ok(listed);
        }
    }
    Ok(Ok(()))
}

fn file(path: PathBuf, inside: String, texts: &mut Vec<Text>) -> Result<()> {
    let display = path.display().to_string();
    if is_zip(&path).map_err(|source| Error::Read { file: display.clone(), source })? {
        let mut archive = open_zip(&path)?;
        for index in 0..archive.len().min(MAX_FILES) {
            let entry = archive.by_index_raw(index).map_err(|error| zip_error(&path, &error))?;
            if entry.is_file() {
                let name = entry.name().map_err(|error| zip_error(&path, &error))?.replace('\\', "/");
                texts.push(Text {
                    display: format!("{display}/{name}"),
                    path: name,
                    place: Place::Zipped(path.clone(), index),
                });
            }
        }
    } else {
        texts.push(Text { display, path: inside, place: Place::File(path) });
    }
    texts.truncate(MAX_FILES);
    Ok(())
}

fn is_zip(path: &Path) -> io::Result<bool> {
    let mut magic = Vec::with_capacity(4);
    File::open(path)?.take(4).read_to_end(&mut magic)?;
    Ok(matches!(*magic, [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6]))
}
