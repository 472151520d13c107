//! The frame of the file: header, table of sections, checksums. `docs/FORMAT.md` is the reference.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::dataset::file::bytes::{u16_at, u32_at, u64_at};
use crate::{Error, ErrorKind, Result};

/// Marks the file as binary. Any transfer that converts line endings breaks it (the idea comes from
/// PNG's signature).
pub(crate) const MAGIC: [u8; 8] = *b"\x89UKPC\r\n\x1a";
/// Increased when an old reader would misread the file.
pub const MAJOR: u16 = 1;
/// Returns the minor version, which increases when something is added that an old reader can skip.
/// A file has the lowest version that has all its sections, so that the same content always gives
/// the same bytes.
fn minor(entries: &[Entry]) -> u16 {
    let has = |added: &[u32]| entries.iter().any(|entry| added.contains(&entry.id));
    let before = section::AREA_CODES + crate::AreaKind::ParliamentaryConstituencyBefore as u32;
    match () {
        () if has(&[section::SCOTTISH_SETS]) => 3,
        () if has(&[section::WIDER_PLACES, section::APPROXIMATE, before]) => 2,
        () if has(&[section::PLACES, section::SCOTTISH_POSTCODES]) => 1,
        () => 0,
    }
}

/// A kind of file with this frame.
#[derive(Debug)]
pub struct Family {
    /// The first bytes.
    pub magic: [u8; 8],
    /// The name in errors, such as `a postcode dataset`.
    pub name: &'static str,
    /// The advice if a file is of another kind.
    pub advice: &'static str,
    /// Returns the name of a section.
    pub section: fn(u32) -> String,
}

/// The file of postcodes.
pub(crate) static POSTCODES: Family = Family {
    magic: MAGIC,
    name: "a postcode dataset",
    advice: "import one with `postcode-service import`",
    section: section::name,
};

/// The first bytes of a file of addresses, so that giving one for the other is explained.
pub const ADDRESSES_MAGIC: [u8; 8] = *b"\x89UKAD\r\n\x1a";

/// Bytes of the header.
pub const HEADER: usize = 64;
/// Bytes of an entry of the table of sections.
pub const ENTRY: usize = 32;
/// Sections begin at multiples of this.
pub const ALIGN: usize = 64;
/// More sections than any version writes. A larger number means damage.
const MAX_SECTIONS: u32 = 4096;

/// The sections of this version. Numbers never change.
pub(crate) mod section {
    /// JSON: edition, source, attribution, counts.
    pub(crate) const METADATA: u32 = 1;
    /// Ranked bitmap of sectors: from sector code to sector number.
    pub(crate) const SECTOR_INDEX: u32 = 2;
    /// Sorted sector codes.
    pub(crate) const SECTORS: u32 = 3;
    /// Ranked bitmap of units, one line per sector: from unit to row.
    pub(crate) const UNITS: u32 = 4;
    /// One entry per outcode.
    pub(crate) const OUTCODES: u32 = 5;
    /// Packed table, one row per postcode.
    pub(crate) const ROWS: u32 = 6;
    /// Packed table, one row per distinct combination of areas.
    pub(crate) const AREA_SETS: u32 = 7;
    /// Names and aliases.
    pub(crate) const STRINGS: u32 = 8;
    /// Packed tables of the spatial index.
    pub(crate) const BANDS: u32 = 9;
    /// See [`BANDS`].
    pub(crate) const CELLS: u32 = 10;
    /// See [`BANDS`].
    pub(crate) const CELL_ROWS: u32 = 11;
    /// Packed table, one row per populated place.
    pub(crate) const PLACES: u32 = 12;
    /// Packed table, one row per postcode of the Scottish Postcode Directory.
    pub(crate) const SCOTTISH_POSTCODES: u32 = 13;
    /// Packed table, one row per outcode: its approximate position.
    pub(crate) const APPROXIMATE: u32 = 14;
    /// Islands and areas, in the format of [`PLACES`].
    pub(crate) const WIDER_PLACES: u32 = 16;
    /// Packed table, one row per distinct combination of areas of the Scottish Postcode Directory.
    pub(crate) const SCOTTISH_SETS: u32 = 17;
    /// Plus the number of a [`ScottishArea`](crate::ScottishArea): its codes, in the format of
    /// [`AREA_CODES`].
    pub(crate) const SCOTTISH_CODES: u32 = AREA_CODES + 64;
    /// Plus the number of a [`ScottishArea`](crate::ScottishArea): its names.
    pub(crate) const SCOTTISH_NAMES: u32 = AREA_NAMES + 64;
    /// Plus the number of an area kind: its codes.
    pub(crate) const AREA_CODES: u32 = 0x100;
    /// Plus the number of an area kind: packed table of its names and aliases.
    pub(crate) const AREA_NAMES: u32 = 0x200;

    /// Returns the name that errors and `inspect` use.
    pub(crate) fn name(id: u32) -> String {
        let known = match id {
            METADATA => "metadata",
            SECTOR_INDEX => "sector index",
            SECTORS => "sectors",
            UNITS => "units",
            OUTCODES => "outcodes",
            ROWS => "rows",
            AREA_SETS => "area sets",
            STRINGS => "strings",
            BANDS => "spatial bands",
            CELLS => "spatial cells",
            CELL_ROWS => "spatial rows",
            PLACES => "places",
            WIDER_PLACES => "islands and areas",
            SCOTTISH_POSTCODES => "Scottish postcodes",
            APPROXIMATE => "approximate positions",
            SCOTTISH_SETS => "Scottish area sets",
            SCOTTISH_CODES => "codes of Scottish parliamentary constituencies",
            SCOTTISH_NAMES => "names of Scottish parliamentary constituencies",
            _ => "",
        };
        let kind = |base: u32| crate::AreaKind::ALL.get(id.wrapping_sub(base) as usize);
        let scottish = |base: u32| crate::ScottishArea::ALL.get(id.wrapping_sub(base) as usize);
        match (known, kind(AREA_CODES), kind(AREA_NAMES), scottish(SCOTTISH_CODES), scottish(SCOTTISH_NAMES))
        {
            ("", Some(kind), ..) => format!("codes of {kind:?}"),
            ("", _, Some(kind), ..) => format!("names of {kind:?}"),
            ("", _, _, Some(area), _) => format!("codes of {area:?} (Scotland)"),
            ("", _, _, _, Some(area)) => format!("names of {area:?} (Scotland)"),
            ("", ..) => format!("number {id} (unknown to this version)"),
            (known, ..) => known.to_owned(),
        }
    }
}

/// Creates the error of a damaged file: which file, where in it, what is wrong, and what to do.
pub(crate) fn damaged(origin: &str, place: &str, at: usize, what: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Dataset,
        format!("{origin}: {place}, byte {at}: {what}; the dataset is damaged, copy or import it again"),
    )
}

/// One entry of the table of sections.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The number.
    pub id: u32,
    /// Where it begins in the file.
    pub start: usize,
    /// The length in bytes.
    pub len: usize,
    /// The checksum.
    pub checksum: u64,
}

impl Entry {
    pub(crate) fn of<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        data.get(self.start..self.start + self.len).unwrap_or_default()
    }
}

/// Header and table of sections, checked.
#[derive(Debug)]
pub(crate) struct Frame {
    family: &'static Family,
    pub(crate) minor: u16,
    pub(crate) entries: Vec<Entry>,
    /// Hex of a hash over the numbers and checksums of the sections.
    pub(crate) fingerprint: String,
}

impl Frame {
    pub(crate) fn read(data: &[u8], origin: &str, family: &'static Family) -> Result<Self> {
        let header = |at, what: String| damaged(origin, "header", at, what);
        let other = |what: String| Error::new(ErrorKind::Dataset, format!("{origin}: {what}"));
        let start = data.get(..MAGIC.len().min(data.len())).unwrap_or_default();
        let Family { name, advice, .. } = family;
        if data.is_empty() {
            return Err(other(format!("the file is empty, so it is not {name}: {advice}")));
        }
        if !family.magic.starts_with(start) {
            return Err(other(match start {
                _ if start == MAGIC => format!("a postcode dataset, and not {name}: {advice}"),
                _ if start == ADDRESSES_MAGIC => {
                    format!("a file of addresses, and not {name}: give it with `--addresses`")
                }
                _ => format!("not {name}: {advice}"),
            }));
        }
        let Some(head) = data.get(..HEADER) else {
            return Err(header(data.len(), format!("the file ends within its {HEADER}-byte header")));
        };
        let (Some(major), Some(minor)) = (u16_at(head, 8), u16_at(head, 10)) else {
            return Err(header(8, "no version".into()));
        };
        if major != MAJOR {
            return Err(other(format!(
                "format version {major}.{minor}, and this program reads {MAJOR}.x: {}",
                if major > MAJOR { "use a newer program" } else { "import the dataset again" }
            )));
        }
        let word = |at| u64_at(head, at).unwrap_or_default();
        if word(56) != xxh3_64(&head[..56]) {
            return Err(header(56, "its checksum is wrong".into()));
        }
        let count = u32_at(head, 12).unwrap_or_default();
        if count > MAX_SECTIONS {
            return Err(header(12, format!("{count} sections")));
        }
        let table_len = count as usize * ENTRY;
        let Some(table) = data.get(HEADER..HEADER + table_len) else {
            return Err(damaged(origin, "table of sections", data.len(), "the file ends within it"));
        };
        if word(24) != xxh3_64(table) {
            return Err(damaged(origin, "table of sections", HEADER, "its checksum is wrong"));
        }
        let mut entries = Vec::with_capacity(count as usize);
        let mut hashed = Vec::with_capacity(count as usize * 12);
        let mut floor = (HEADER + table_len) as u64;
        for (n, row) in table.chunks_exact(ENTRY).enumerate() {
            let at = HEADER + n * ENTRY;
            let id = u32_at(row, 0).unwrap_or_default();
            let [start, len, checksum] = [8, 16, 24].map(|at| u64_at(row, at).unwrap_or_default());
            let end = start.checked_add(len).filter(|_| start >= floor && start % ALIGN as u64 == 0);
            let Some(end) = end.filter(|&end| end <= word(16)) else {
                return Err(damaged(
                    origin,
                    "table of sections",
                    at,
                    format!("{} lies outside", (family.section)(id)),
                ));
            };
            floor = end;
            if data.len() as u64 <= end && (data.len() as u64) < word(16) {
                return Err(damaged(
                    origin,
                    &format!("section {}", (family.section)(id)),
                    data.len(),
                    format!("the file ends here, and should have {} bytes", word(16)),
                ));
            }
            // Both are at most the length of the file, which is in memory.
            entries.push(Entry { id, start: start as usize, len: len as usize, checksum });
            hashed.extend_from_slice(&row[..4]);
            hashed.extend_from_slice(&row[24..32]);
        }
        if data.len() as u64 != word(16) {
            let what = format!("the file has {} bytes and should have {}", data.len(), word(16));
            return Err(header(16, what));
        }
        Ok(Self { family, minor, entries, fingerprint: format!("{:032x}", xxh3_128(&hashed)) })
    }

    pub(crate) fn find(&self, id: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Returns a section that every dataset must have.
    pub(crate) fn require(&self, id: u32, origin: &str) -> Result<&Entry> {
        self.find(id).ok_or_else(|| {
            damaged(origin, "table of sections", HEADER, format!("no {}", (self.family.section)(id)))
        })
    }

    /// Compares every section with its checksum. Bytes between sections have no checksum, and must
    /// be zero.
    pub(crate) fn verify(&self, data: &[u8], origin: &str) -> Result<()> {
        let mut end = HEADER + self.entries.len() * ENTRY;
        let ends = std::iter::once(Entry { id: 0, start: data.len(), len: 0, checksum: xxh3_64(&[]) });
        for entry in self.entries.iter().copied().chain(ends) {
            let padding = data.get(end..entry.start).unwrap_or_default();
            if let Some(at) = padding.iter().position(|byte| *byte != 0) {
                return Err(damaged(origin, "padding", end + at, "a byte between sections is not zero"));
            }
            end = entry.start + entry.len;
            if xxh3_64(entry.of(data)) != entry.checksum {
                let place = format!("section {}", (self.family.section)(entry.id));
                return Err(damaged(origin, &place, entry.start, "its checksum is wrong"));
            }
        }
        Ok(())
    }
}

/// Writes sections one after the other, then the table and header in front of them.
pub(crate) struct FrameWriter {
    data: Vec<u8>,
    entries: Vec<Entry>,
    sections: usize,
}

impl FrameWriter {
    /// Creates a writer for exactly this many sections and about this many bytes.
    pub(crate) fn new(sections: usize, capacity: usize) -> Self {
        let mut data = Vec::with_capacity(capacity + HEADER + sections * (ENTRY + ALIGN));
        data.resize(HEADER + sections * ENTRY, 0);
        Self { data, entries: Vec::with_capacity(sections), sections }
    }

    /// Adds a section. `fill` appends its bytes.
    pub(crate) fn section(&mut self, id: u32, fill: impl FnOnce(&mut Vec<u8>)) {
        self.data.resize(self.data.len().next_multiple_of(ALIGN), 0);
        let start = self.data.len();
        fill(&mut self.data);
        let body = &self.data[start..];
        self.entries.push(Entry { id, start, len: body.len(), checksum: xxh3_64(body) });
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        debug_assert_eq!(self.sections, self.entries.len());
        let head = head(&POSTCODES, minor(&self.entries), &self.entries, self.data.len() as u64);
        self.data[..head.len()].copy_from_slice(&head);
        self.data
    }
}

/// Returns the header and the table of sections of a file of this length.
pub fn head(family: &Family, minor: u16, entries: &[Entry], len: u64) -> Vec<u8> {
    let mut table = Vec::with_capacity(entries.len() * ENTRY);
    for entry in entries {
        table.extend_from_slice(&u64::from(entry.id).to_le_bytes());
        table.extend_from_slice(&(entry.start as u64).to_le_bytes());
        table.extend_from_slice(&(entry.len as u64).to_le_bytes());
        table.extend_from_slice(&entry.checksum.to_le_bytes());
    }
    let mut head = Vec::with_capacity(HEADER + table.len());
    head.extend_from_slice(&family.magic);
    head.extend_from_slice(&MAJOR.to_le_bytes());
    head.extend_from_slice(&minor.to_le_bytes());
    head.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    head.extend_from_slice(&len.to_le_bytes());
    head.extend_from_slice(&xxh3_64(&table).to_le_bytes());
    head.resize(56, 0);
    let checksum = xxh3_64(&head);
    head.extend_from_slice(&checksum.to_le_bytes());
    head.extend_from_slice(&table);
    head
}
