//! Writes the sections of the codes and names of areas.

use std::collections::HashMap;

use crate::dataset::file::packed_table::{Extent, TableWriter};
use crate::dataset::file::strings::{MAX_STRING, PoolWriter};
use crate::dataset::section::areas::{ALIAS, MAX_CODE, NAME};
use crate::{Error, Result};

/// The areas of one kind, by code.
#[derive(Default)]
pub(crate) struct Dictionary {
    pub(crate) numbers: HashMap<Box<str>, u32>,
    pub(crate) areas: Vec<NamedArea>,
}

pub(crate) struct NamedArea {
    pub(crate) code: Box<str>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) alias: Option<Box<str>>,
}

impl Dictionary {
    pub(crate) fn number(&mut self, code: &str) -> u32 {
        if let Some(&number) = self.numbers.get(code) {
            return number;
        }
        let number = self.areas.len() as u32;
        self.numbers.insert(code.into(), number);
        self.areas.push(NamedArea { code: code.into(), name: None, alias: None });
        number
    }
}

/// Returns an error if the format can't hold a code.
pub(crate) fn check_code(what: impl std::fmt::Display, code: &str) -> Result<()> {
    if code.is_empty() || code.len() > MAX_CODE || code.chars().any(char::is_control) {
        let what = format!("{what} code {code:?}: give 1 to {MAX_CODE} bytes without control characters");
        return Err(Error::invalid(what));
    }
    Ok(())
}

/// Returns an error if the format can't hold a name.
pub(crate) fn check_name(what: impl std::fmt::Display, code: &str, name: &str) -> Result<()> {
    if name.len() > MAX_STRING {
        return Err(Error::invalid(format!("{what} {code}: a name of more than {MAX_STRING} bytes")));
    }
    Ok(())
}

pub(crate) fn write_codes(areas: &[&NamedArea]) -> Vec<u8> {
    let width = areas.iter().map(|area| area.code.len()).max().unwrap_or(0);
    let mut out = Vec::with_capacity(8 + width * areas.len());
    out.extend_from_slice(&(areas.len() as u32).to_le_bytes());
    out.extend_from_slice(&(width as u32).to_le_bytes());
    for area in areas {
        out.extend_from_slice(area.code.as_bytes());
        out.resize(out.len() + width - area.code.len(), 0);
    }
    out
}

/// Writes the table of names. Returns `None` if no area has a name or an alias.
pub(crate) fn write_names(areas: &[&NamedArea], pool: &PoolWriter) -> Option<Vec<u8>> {
    let offset = |text: &Option<Box<str>>| pool.offset(text.as_deref()?).map(i64::from);
    let mut extents = [(NAME, Extent::NONE), (ALIAS, Extent::NONE)];
    for area in areas {
        extents[0].1.see(offset(&area.name));
        extents[1].1.see(offset(&area.alias));
    }
    areas.iter().find(|area| area.name.is_some() || area.alias.is_some())?;
    let mut out = Vec::new();
    let mut table = TableWriter::new(&mut out, areas.len(), &extents);
    for area in areas {
        table.push(offset(&area.name));
        table.push(offset(&area.alias));
    }
    table.finish();
    Some(out)
}
