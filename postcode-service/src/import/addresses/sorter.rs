//! Addresses in the order of their postcodes, whatever order they come in, in bounded memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, Result, bail};
use postcode_addresses::{Address, order};
use postcode_core::Outcode;

use super::pack;

/// Bytes of one district that are collected before they go to the temporary file.
const PIECE: usize = 64 << 10;
/// Bytes in memory, of all districts, before any go to the temporary file.
const IN_MEMORY: usize = 128 << 20;

/// Collects addresses by postcode district. What does not fit in memory goes to one temporary file, in pieces.
#[derive(Default)]
pub(super) struct Sorter {
    districts: HashMap<Box<str>, District>,
    file: Option<File>,
    written: u64,
    held: usize,
}

#[derive(Default)]
struct District {
    memory: Vec<u8>,
    /// Where its pieces are in the file: offset and length.
    pieces: Vec<(u64, usize)>,
}

impl Sorter {
    /// Adds an address.
    ///
    /// # Errors
    /// If the temporary file can't be written.
    pub(super) fn push(&mut self, address: &Address) -> io::Result<()> {
        let name = address.postcode.split(' ').next().unwrap_or_default();
        if !self.districts.contains_key(name) {
            self.districts.insert(name.into(), District::default());
        }
        let Some(district) = self.districts.get_mut(name) else { return Ok(()) };
        let before = district.memory.len();
        pack::put(address, &mut district.memory);
        self.held += district.memory.len() - before;
        if district.memory.len() >= PIECE && self.held > IN_MEMORY {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(tempfile::tempfile()?),
            };
            file.write_all(&district.memory)?;
            district.pieces.push((self.written, district.memory.len()));
            self.written += district.memory.len() as u64;
            self.held -= district.memory.len();
            district.memory.clear();
        }
        Ok(())
    }

    /// Passes all addresses on: postcodes in their order, and the addresses of each in the order of the street. The next
    /// district is read and sorted while one is passed on.
    ///
    /// # Errors
    /// If the temporary file can't be read, and those of the receiver.
    pub(super) fn drain(self, mut to: impl FnMut(&Address) -> Result<()>) -> Result<()> {
        let Self { districts, mut file, .. } = self;
        let mut order: Vec<(Option<Outcode>, Box<str>, District)> =
            districts.into_iter().map(|(name, district)| (name.parse().ok(), name, district)).collect();
        order.sort_by(|(a, name_a, _), (b, name_b, _)| a.cmp(b).then_with(|| name_a.cmp(name_b)));
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(2);
            let reading = scope.spawn(move || -> Result<()> {
                for (_, name, district) in order {
                    let addresses =
                        district.sorted(file.as_mut()).with_context(|| format!("the addresses of {name}"))?;
                    if sender.send(addresses).is_err() {
                        // The receiver has failed and says why.
                        break;
                    }
                }
                Ok(())
            });
            let passed = receiver.iter().try_for_each(|addresses| addresses.iter().try_for_each(&mut to));
            drop(receiver);
            match reading.join() {
                Ok(read) => passed.and(read),
                Err(_) => bail!("the addresses could not be sorted: the thread for it ended unexpectedly"),
            }
        })
    }
}

impl District {
    /// Returns the addresses of the district in order.
    fn sorted(self, file: Option<&mut File>) -> Result<Vec<Address>> {
        let mut bytes = Vec::with_capacity(
            self.pieces.iter().map(|(_, length)| length).sum::<usize>() + self.memory.len(),
        );
        if let Some(file) = file {
            for (offset, length) in self.pieces {
                file.seek(SeekFrom::Start(offset)).context("the temporary file")?;
                Read::by_ref(file)
                    .take(length as u64)
                    .read_to_end(&mut bytes)
                    .context("the temporary file")?;
            }
        }
        bytes.extend_from_slice(&self.memory);
        let mut addresses = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            addresses.push(pack::take(&mut rest).context("the temporary file is damaged")?);
        }
        addresses.sort_by(|a, b| a.postcode.cmp(&b.postcode));
        for street in addresses.chunk_by_mut(|a, b| a.postcode == b.postcode) {
            order::sort(street);
        }
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_in_the_order_of_postcodes_and_streets() {
        let mut sorter = Sorter::default();
        let address = |postcode: &str, number: &str| Address {
            postcode: postcode.into(),
            building_number: number.into(),
            ..Address::default()
        };
        for (postcode, number) in [
            ("ZE9 9ZZ", "10"),
            ("E10 5AA", "1"),
            ("E1 6AN", "3"),
            ("ZE9 9ZZ", "2"),
            ("E1 1AA", "9"),
            ("E2 0AA", "5"),
        ] {
            sorter.push(&address(postcode, number)).unwrap();
        }
        let mut found = Vec::new();
        sorter
            .drain(|address| {
                found.push(format!("{}:{}", address.postcode, address.building_number));
                Ok(())
            })
            .unwrap();
        let mut postcodes: Vec<postcode_core::Postcode> =
            found.iter().map(|line| line.split(':').next().unwrap().parse().unwrap()).collect();
        assert!(postcodes.is_sorted());
        postcodes.dedup();
        assert_eq!(postcodes.len(), 5);
        assert!(found.ends_with(&["ZE9 9ZZ:2".to_owned(), "ZE9 9ZZ:10".to_owned()]));
    }

    #[test]
    fn pieces_in_the_temporary_file_come_back() {
        let mut sorter = Sorter { held: IN_MEMORY, ..Sorter::default() };
        let count = 3_000_u32;
        for udprn in (0..count).rev() {
            let address = Address {
                postcode: "ZE9 9ZZ".into(),
                udprn: Some(udprn),
                building_number: udprn.to_string(),
                ..Address::default()
            };
            sorter.push(&address).unwrap();
        }
        assert!(sorter.file.is_some());
        let mut next = 0;
        sorter
            .drain(|address| {
                assert_eq!(address.udprn, Some(next));
                next += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(next, count);
    }

    #[test]
    fn error_of_the_receiver_ends_the_sorting() {
        let mut sorter = Sorter::default();
        for postcode in ["E1 1AA", "E2 0AA", "E3 2AA", "E4 6AA", "E5 0AA"] {
            sorter.push(&Address { postcode: postcode.into(), ..Address::default() }).unwrap();
        }
        let error = sorter.drain(|_| bail!("the disk is full")).unwrap_err();
        assert_eq!(error.to_string(), "the disk is full");
    }
}
