//! The numbers of the sections. `docs/FORMAT.md` is the reference.

use postcode_core::dataset::container::{ADDRESSES_MAGIC, Family};

/// The file of addresses, for the frame that it shares with the file of postcodes.
pub(super) static ADDRESSES: Family = Family {
    magic: ADDRESSES_MAGIC,
    name: "a file of addresses",
    advice: "import one with `postcode-service import … --out uk.addresses`",
    section: section_name,
};

/// The minor version of the format that this program writes.
pub(super) const MINOR: u16 = 0;

/// JSON.
pub(super) const METADATA: u32 = 1;
/// Ranked bitmap: from the code of a sector to its number.
pub(super) const SECTOR_INDEX: u32 = 2;
/// Packed table, one row per sector: its code, and where its first block begins.
pub(super) const SECTORS: u32 = 3;
/// Ranked bitmap, one line per sector: from a unit to a row.
pub(super) const UNITS: u32 = 4;
/// Packed table, one row per postcode: where its block begins, counted from its sector's first.
pub(super) const OFFSETS: u32 = 5;
/// The blocks.
pub(super) const BLOCKS: u32 = 6;
/// Packed table, one row per outcode with streets: the outcode, and where its block begins.
pub(super) const STREETS: u32 = 7;
/// Plus the number of a dictionary: packed table, where each text begins.
pub(super) const TEXT_OFFSETS: u32 = 16;
/// Plus the number of a dictionary: the texts.
pub(super) const TEXTS: u32 = 32;
/// Plus the number of a kind of numbers: packed table of the ranges of their high bits.
pub(super) const NUMBER_RANGES: u32 = 48;
/// Plus the number of a kind of numbers: packed table of low bits and rows.
pub(super) const NUMBERS: u32 = 64;

/// The dictionaries, by number.
pub(super) const DICTIONARIES: [&str; 5] =
    ["post towns", "localities", "streets", "buildings", "organisations"];
/// Numbers of the dictionaries.
pub(super) const TOWNS: usize = 0;
/// See [`TOWNS`].
pub(super) const LOCALITIES: usize = 1;
/// See [`TOWNS`].
pub(super) const THOROUGHFARES: usize = 2;
/// See [`TOWNS`].
pub(super) const BUILDINGS: usize = 3;
/// See [`TOWNS`].
pub(super) const ORGANISATIONS: usize = 4;

/// The numbers of addresses by which they are found, by their place in the file.
pub(super) const KINDS_OF_NUMBERS: [&str; 3] = ["UDPRN", "UMPRN", "UPRN"];

/// Returns the name that errors and `inspect` use.
fn section_name(id: u32) -> String {
    let of = |names: &[&str], base: u32, what: &str| {
        let name = names.get(id.checked_sub(base)? as usize)?;
        Some(format!("{what}{name}"))
    };
    let known = match id {
        METADATA => "metadata",
        SECTOR_INDEX => "sector index",
        SECTORS => "sectors",
        UNITS => "units",
        OFFSETS => "offsets of blocks",
        BLOCKS => "blocks",
        STREETS => "streets of outcodes",
        _ => "",
    };
    let known = Some(known.to_owned()).filter(|known| !known.is_empty());
    known
        .or_else(|| of(&DICTIONARIES, TEXT_OFFSETS, "offsets of "))
        .or_else(|| of(&DICTIONARIES, TEXTS, ""))
        .or_else(|| of(&KINDS_OF_NUMBERS, NUMBER_RANGES, "ranges of "))
        .or_else(|| of(&KINDS_OF_NUMBERS, NUMBERS, ""))
        .unwrap_or_else(|| format!("number {id} (unknown to this version)"))
}
