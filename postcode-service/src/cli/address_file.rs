//! Describes, compares and exports files of addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use postcode_addresses::Address;
use postcode_addresses::file::{AddressFile, Summary};
use postcode_addresses::lookup::wire::AddressBody;
use postcode_core::Postcode;
use serde::Serialize;

use super::output;
use crate::destination;

/// Writes the contents of a file for people.
pub(super) fn describe(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let metadata = &summary.metadata;
    let yes = |is: bool| if is { "yes" } else { "no" };
    writeln!(out, "{}", summary.origin)?;
    let facts: [(&str, String); 12] = [
        ("edition", metadata.edition.clone()),
        ("sources", metadata.sources.join(", ")),
        ("licence", metadata.licence.clone()),
        ("licensee", metadata.licensee.clone()),
        ("may be passed on", yes(metadata.may_be_passed_on).to_owned()),
        ("attribution", metadata.attribution.clone()),
        ("format", summary.format.clone()),
        ("fingerprint", summary.fingerprint.clone()),
        ("bytes", summary.bytes.to_string()),
        ("addresses", metadata.addresses.to_string()),
        ("postcodes", format!("{} in {} outcodes", metadata.postcodes, metadata.outcodes)),
        ("areas", metadata.areas.join(" ")),
    ];
    for (name, value) in facts {
        writeln!(out, "  {name:18}{}", if value.is_empty() { "-" } else { &value })?;
    }
    let numbers = [
        ("UDPRN", metadata.udprns),
        ("UMPRN", metadata.umprns),
        ("UPRN", metadata.uprns),
        ("location", metadata.points),
    ];
    for (name, count) in numbers {
        writeln!(out, "  with {name:13}{count}")?;
    }
    for (dataset, count) in &metadata.datasets {
        writeln!(out, "  from {dataset:13}{count}")?;
    }
    for (dictionary, count) in &summary.texts {
        writeln!(out, "  {dictionary:18}{count}")?;
    }
    for section in &summary.sections {
        writeln!(out, "  section {:3} {:28}{:>12} bytes", section.id, section.name, section.bytes)?;
    }
    Ok(())
}

/// Writes all addresses as lines of JSON.
pub(super) fn export(file: &AddressFile, out: &Path, licensed: bool) -> Result<()> {
    ensure!(
        licensed || file.metadata().may_be_passed_on,
        "{}: its licence is not known to allow copies. If yours does, give --licensed",
        file.origin()
    );
    let cannot = || format!("{}: can't be written", out.display());
    let written = destination::begin(out)?;
    let mut count = 0_u64;
    {
        let mut lines = BufWriter::new(written.as_file());
        for postcode in file.postcodes() {
            let Some(mut addresses) = file.get(postcode)? else { continue };
            while let Some(address) = addresses.next()? {
                output::json(&mut lines, &AddressBody::from(address)).with_context(cannot)?;
                count += 1;
            }
        }
        lines.flush().with_context(cannot)?;
    }
    destination::publish(written, out)?;
    eprintln!("{count} addresses. {}", file.metadata().attribution);
    Ok(())
}

/// An address that is in one file only, or another one in each.
#[derive(Debug, Serialize)]
pub(super) struct Change<'a> {
    change: &'static str,
    postcode: &'a str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} {} {}", self.change, self.postcode, self.id)?;
        for (sign, line) in [("-", &self.old), ("+", &self.new)] {
            if let Some(line) = line {
                write!(f, "  {sign} {line}")?;
            }
        }
        Ok(())
    }
}

/// How many addresses changed.
#[derive(Debug, Default, Serialize)]
pub(super) struct Changes {
    added: u64,
    removed: u64,
    changed: u64,
    same: u64,
}

impl Changes {
    pub(super) fn is_same(&self) -> bool {
        self.added + self.removed + self.changed == 0
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "added {}, removed {}, changed {}, the same {}",
            self.added, self.removed, self.changed, self.same
        )
    }
}

/// Tells the addresses of a postcode apart: by their numbers, or without any by their text.
fn id(address: &Address) -> String {
    match (address.umprn, address.udprn, address.uprn) {
        (Some(umprn), ..) => format!("umprn:{umprn}"),
        (None, Some(udprn), _) => format!("udprn:{udprn}"),
        (None, None, Some(uprn)) => format!("uprn:{uprn}"),
        (None, None, None) => address.single_line(),
    }
}

/// Compares the addresses of both files, postcode by postcode. One that moved to another postcode is removed and added.
pub(super) fn compare(
    old: &AddressFile,
    new: &AddressFile,
    mut each: impl FnMut(&Change<'_>) -> io::Result<()>,
) -> Result<Changes> {
    let mut changes = Changes::default();
    let (mut left, mut right) = (old.postcodes().peekable(), new.postcodes().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (None, None) => return Ok(changes),
            (Some(one), None) | (None, Some(one)) => *one,
            (Some(one), Some(other)) => *one.min(other),
        };
        left.next_if_eq(&next);
        right.next_if_eq(&next);
        let (before, after) = (of(old, next)?, of(new, next)?);
        let text = next.spaced();
        let change = |change, id: &String, old, new| Change {
            change,
            postcode: text.as_str(),
            id: id.clone(),
            old,
            new,
        };
        for (id, address) in &before {
            match after.get(id) {
                Some(other) if other == address => changes.same += 1,
                Some(other) => {
                    changes.changed += 1;
                    each(&change("changed", id, Some(address.single_line()), Some(other.single_line())))?;
                }
                None => {
                    changes.removed += 1;
                    each(&change("removed", id, Some(address.single_line()), None))?;
                }
            }
        }
        for (id, address) in after.iter().filter(|(id, _)| !before.contains_key(*id)) {
            changes.added += 1;
            each(&change("added", id, None, Some(address.single_line())))?;
        }
    }
}

fn of(file: &AddressFile, postcode: Postcode) -> Result<BTreeMap<String, Address>> {
    let addresses = match file.get(postcode)? {
        Some(addresses) => addresses.collect()?,
        None => Vec::new(),
    };
    Ok(addresses.into_iter().map(|address| (id(&address), address)).collect())
}
