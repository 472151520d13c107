//! The areas of postcodes: distinct combinations, and a dictionary of codes and names for each
//! kind.

use crate::dataset::file::bytes::u32_at;
use crate::dataset::file::format::{Entry, Frame, damaged, section};
use crate::dataset::file::packed_table::{Column, PackedTable};
use crate::dataset::file::strings;
use crate::dataset::section::keys::first;
use crate::{Area, AreaKind, Result};

pub(crate) const KINDS: usize = AreaKind::ALL.len();
/// The column of the area sets that has no area.
pub(crate) const DEPRIVATION_RANK: u16 = 0x100;
/// Columns of the name tables.
pub(crate) const NAME: u16 = 0;
pub(crate) const ALIAS: u16 = 1;
/// The longest code, in bytes.
pub(crate) const MAX_CODE: usize = 32;
/// The size of the count and width before the codes of a kind.
pub(crate) const CODES_HEADER: usize = 8;

/// Area sets and dictionaries.
#[derive(Debug)]
pub(crate) struct AreaTables {
    pub(crate) sets: PackedTable,
    deprivation_rank: Column,
    pub(crate) pool: Entry,
    pub(crate) kinds: [Option<Kind>; KINDS],
}

/// The dictionary of one kind, and its column in the area sets.
#[derive(Debug)]
pub(crate) struct Kind {
    column: Column,
    pub(crate) codes: Entry,
    pub(crate) count: u32,
    /// The bytes of each code; shorter ones are padded with NUL.
    pub(crate) width: usize,
    pub(crate) names: PackedTable,
    name: Column,
    alias: Column,
}

impl AreaTables {
    pub(crate) fn read(frame: &Frame, data: &[u8], origin: &str) -> Result<Self> {
        let sets = table(frame, data, section::AREA_SETS, origin)?;
        let pool = *frame.require(section::STRINGS, origin)?;
        let mut kinds = [const { None }; KINDS];
        for (n, kind) in kinds.iter_mut().enumerate() {
            if let Some(codes) = frame.find(section::AREA_CODES + n as u32) {
                *kind = Some(Kind::read(frame, data, *codes, sets.column(n as u16), origin)?);
            }
        }
        Ok(Self { deprivation_rank: sets.column(DEPRIVATION_RANK), sets, pool, kinds })
    }

    #[inline]
    pub(crate) fn deprivation_rank(&self, data: &[u8], set: u32) -> Option<u16> {
        if self.deprivation_rank.is_absent() {
            return None;
        }
        u16::try_from(self.sets.get_u32(data, set, self.deprivation_rank)?).ok()
    }

    /// Returns the number of an area in the dictionary of its kind.
    pub(crate) fn number(&self, data: &[u8], set: u32, kind: AreaKind) -> Option<u32> {
        let column = self.kinds.get(kind as usize)?.as_ref()?.column;
        self.sets.get_u32(data, set, column)
    }

    /// Returns whether areas of a kind have names.
    pub(crate) fn has_names(&self, kind: AreaKind) -> bool {
        self.kinds.get(kind as usize).and_then(Option::as_ref).is_some_and(|kind| !kind.name.is_absent())
    }

    /// Returns how many areas of a kind there are.
    pub(crate) fn count(&self, kind: AreaKind) -> u32 {
        self.kinds.get(kind as usize).and_then(Option::as_ref).map_or(0, |kind| kind.count)
    }

    /// Returns the number of the area with this code in the dictionary of its kind.
    pub(crate) fn find(&self, data: &[u8], kind: AreaKind, code: &str) -> Option<u32> {
        let kind = self.kinds.get(kind as usize)?.as_ref()?;
        let number = first(kind.count, |n| kind.code(data, n).is_none_or(|other| other >= code));
        (kind.code(data, number)? == code).then_some(number)
    }

    pub(crate) fn area<'a>(&self, data: &'a [u8], set: u32, kind: AreaKind) -> Option<Area<'a>> {
        let number = self.number(data, set, kind)?;
        self.kinds.get(kind as usize)?.as_ref()?.area(data, &self.pool, number)
    }

    /// Returns the name of the area of a kind in a set.
    #[inline]
    pub(crate) fn name_in<'a>(&self, data: &'a [u8], set: u32, kind: AreaKind) -> Option<&'a str> {
        let kind = self.kinds.get(kind as usize)?.as_ref()?;
        kind.name(data, &self.pool, self.sets.get_u32(data, set, kind.column)?)
    }

    /// Returns the code of the area of a kind in a set.
    pub(crate) fn code_in<'a>(&self, data: &'a [u8], set: u32, kind: AreaKind) -> Option<&'a str> {
        let kind = self.kinds.get(kind as usize)?.as_ref()?;
        let number = self.sets.get_u32(data, set, kind.column)?;
        if number < kind.count { kind.code(data, number) } else { None }
    }

    pub(crate) fn name<'a>(&self, data: &'a [u8], number: u32, kind: AreaKind) -> Option<&'a str> {
        self.kinds.get(kind as usize)?.as_ref()?.name(data, &self.pool, number)
    }
}

impl Kind {
    pub(crate) fn read(
        frame: &Frame,
        data: &[u8],
        codes: Entry,
        column: Column,
        origin: &str,
    ) -> Result<Self> {
        let section = codes.of(data);
        let (count, width) = (u32_at(section, 0), u32_at(section, 4));
        let (Some(count), Some(width)) = (count, width.filter(|&width| width as usize <= MAX_CODE)) else {
            return Err(damaged(origin, &place(codes.id), codes.start, "no count and width"));
        };
        if codes.len as u64 != CODES_HEADER as u64 + u64::from(count) * u64::from(width) {
            let what = format!("{} bytes do not hold {count} codes of {width} bytes", codes.len);
            return Err(damaged(origin, &place(codes.id), codes.start, what));
        }
        let names = codes.id - section::AREA_CODES + section::AREA_NAMES;
        let names = match frame.find(names) {
            Some(_) => table(frame, data, names, origin)?,
            None => PackedTable::EMPTY,
        };
        if names.rows() != 0 && names.rows() != count {
            let what = format!("{} names for {count} codes", names.rows());
            return Err(damaged(origin, &place(codes.id), codes.start, what));
        }
        let (name, alias) = (names.column(NAME), names.column(ALIAS));
        Ok(Self { column, codes, count, width: width as usize, names, name, alias })
    }

    fn code<'a>(&self, data: &'a [u8], number: u32) -> Option<&'a str> {
        let start = CODES_HEADER + number as usize * self.width;
        let code = self.codes.of(data).get(start..start + self.width)?;
        let len = code.iter().position(|&b| b == 0).unwrap_or(code.len());
        std::str::from_utf8(&code[..len]).ok().filter(|code| !code.is_empty())
    }

    #[inline]
    fn name<'a>(&self, data: &'a [u8], pool: &Entry, number: u32) -> Option<&'a str> {
        strings::get(pool, data, self.names.get_u32(data, number, self.name)?)
    }

    /// Returns what is wrong with the dictionary, if anything.
    pub(crate) fn fault(&self, data: &[u8], pool: &Entry) -> Option<String> {
        let mut before = None;
        for number in 0..self.count {
            let code = self.code(data, number);
            if code <= before {
                return Some(format!("code {number} is not a code, or not in order"));
            }
            before = code;
            for column in [self.name, self.alias] {
                if let Some(value) = self.names.get(data, number, column)
                    && u32::try_from(value).ok().and_then(|at| strings::get(pool, data, at)).is_none()
                {
                    return Some(format!("code {number} has a name that is not a string"));
                }
            }
        }
        None
    }

    pub(crate) fn area<'a>(&self, data: &'a [u8], pool: &Entry, number: u32) -> Option<Area<'a>> {
        if number >= self.count {
            return None;
        }
        let string = |column| strings::get(pool, data, self.names.get_u32(data, number, column)?);
        Some(Area { code: self.code(data, number), name: string(self.name), alias: string(self.alias) })
    }
}

fn place(id: u32) -> String {
    format!("section {}", section::name(id))
}

/// Returns a packed table that every dataset must have.
pub(crate) fn table(frame: &Frame, data: &[u8], id: u32, origin: &str) -> Result<PackedTable> {
    let entry = frame.require(id, origin)?;
    PackedTable::read(data, entry.start, entry.len, origin, &place(id))
}
