//! Addresses in the order of their postcodes, whatever order they come in, in bounded memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Context as _, Result, bail};
use postcode_addresses::{Address, order};
use postcode_core::Outcode;

use super::pack;

/// Bytes of one district that are collected before they go to the temporary file.
const PIECE: usize = 64 << 10;
/// Bytes in memory, of all districts, before any go to the temporary file.
const IN_MEMORY: usize = 128 << 20;
/// Addresses that are passed on at once, and those of the last postcode.
const AT_ONCE: usize = 1_024;
/// Bytes of a record in front of the address: its length, and its postcode.
const HEAD: usize = 12;

/// Collects addresses by postcode district. What does not fit in memory goes to one temporary file, in pieces.
#[derive(Default)]
pub(super) struct Sorter {
    names: HashMap<Box<str>, usize>,
    districts: Vec<District>,
    /// The district of the previous address: files often come sorted.
    last: (String, usize),
    file: Option<File>,
    written: u64,
    held: usize,
}

#[derive(Default)]
struct District {
    /// Records: length of the rest, postcode, address.
    memory: Vec<u8>,
    /// Where its pieces are in the file: offset and length.
    pieces: Vec<(u64, usize)>,
}

/// Returns a postcode as a number that sorts within its district as the text does.
fn key(postcode: &str) -> [u8; 8] {
    let mut key = [0; 8];
    let length = postcode.len().min(8);
    key[..length].copy_from_slice(&postcode.as_bytes()[..length]);
    key
}

impl Sorter {
    /// Adds an address.
    ///
    /// # Errors
    /// If the temporary file can't be written.
    pub(super) fn push(&mut self, address: &Address) -> io::Result<()> {
        let name = address.postcode.split(' ').next().unwrap_or_default();
        if self.districts.is_empty() || self.last.0 != name {
            let at = match self.names.get(name) {
                Some(at) => *at,
                None => {
                    self.names.insert(name.into(), self.districts.len());
                    self.districts.push(District::default());
                    self.districts.len() - 1
                }
            };
            name.clone_into(&mut self.last.0);
            self.last.1 = at;
        }
        let Some(district) = self.districts.get_mut(self.last.1) else { return Ok(()) };
        let start = district.memory.len();
        district.memory.extend([0; HEAD]);
        pack::put(address, &mut district.memory);
        let added = district.memory.len() - start;
        let head = &mut district.memory[start..start + HEAD];
        head[..4].copy_from_slice(&u32::try_from(added - 4).unwrap_or_default().to_le_bytes());
        head[4..].copy_from_slice(&key(&address.postcode));
        self.held += added;
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
    /// ones are read and sorted while some are passed on.
    ///
    /// # Errors
    /// If the temporary file can't be read, and those of the receiver.
    pub(super) fn drain(self, mut to: impl FnMut(&Address) -> Result<()>) -> Result<()> {
        let Self { names, mut districts, mut file, .. } = self;
        let mut order: Vec<(Option<Outcode>, Box<str>, District)> = names
            .into_iter()
            .filter_map(|(name, at)| Some((name.parse().ok(), name, std::mem::take(districts.get_mut(at)?))))
            .collect();
        order.sort_by(|(a, name_a, _), (b, name_b, _)| a.cmp(b).then_with(|| name_a.cmp(name_b)));
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(4);
            // What was passed on comes back, so that its memory is used again.
            let (back, used) = sync_channel(8);
            let reading = scope.spawn(move || -> Result<()> {
                let mut batches = Batches { sender, used, batch: Batch::default() };
                for (_, name, district) in order {
                    let sent = district
                        .pass_on(file.as_mut(), &mut batches)
                        .with_context(|| format!("the addresses of {name}"))?;
                    if !sent {
                        // The receiver has failed and says why.
                        return Ok(());
                    }
                }
                batches.send();
                Ok(())
            });
            let passed = receiver.iter().try_for_each(|batch: Batch| {
                batch.addresses[..batch.len].iter().try_for_each(&mut to)?;
                // The other side may have ended.
                let _ = back.try_send(batch);
                Ok(())
            });
            drop(receiver);
            match reading.join() {
                Ok(read) => passed.and(read),
                Err(_) => bail!("the addresses could not be sorted: the thread for it ended unexpectedly"),
            }
        })
    }
}

/// Some addresses. Those after `len` are kept for their memory.
#[derive(Default)]
struct Batch {
    addresses: Vec<Address>,
    len: usize,
}

impl Batch {
    /// Returns the place of one more address.
    fn next(&mut self) -> &mut Address {
        if self.len == self.addresses.len() {
            self.addresses.push(Address::default());
        }
        self.len += 1;
        &mut self.addresses[self.len - 1]
    }
}

/// The way to the receiver.
struct Batches {
    sender: SyncSender<Batch>,
    used: Receiver<Batch>,
    batch: Batch,
}

impl Batches {
    /// Sends the batch on. Returns whether the receiver still takes them.
    fn send(&mut self) -> bool {
        let next = Batch { len: 0, ..self.used.try_recv().unwrap_or_default() };
        self.sender.send(std::mem::replace(&mut self.batch, next)).is_ok()
    }
}

impl District {
    /// Sends the addresses of the district on in order. Returns whether the receiver still takes them.
    fn pass_on(self, file: Option<&mut File>, batches: &mut Batches) -> Result<bool> {
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
        drop(self.memory);
        const DAMAGED: &str = "the temporary file is damaged";
        let mut order: Vec<(u64, usize)> = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let head: &[u8; HEAD] = bytes.get(at..).and_then(<[u8]>::first_chunk).context(DAMAGED)?;
            let [a, b, c, d, key @ ..] = *head;
            order.push((u64::from_be_bytes(key), at + HEAD));
            at += 4 + u32::from_le_bytes([a, b, c, d]) as usize;
        }
        // Those of one postcode keep the order in which they came.
        order.sort_unstable();
        for street in order.chunk_by(|(a, _), (b, _)| a == b) {
            let start = batches.batch.len;
            for (_, at) in street {
                let mut rest = bytes.get(*at..).context(DAMAGED)?;
                pack::take(&mut rest, batches.batch.next()).context(DAMAGED)?;
            }
            let len = batches.batch.len;
            order::sort(&mut batches.batch.addresses[start..len]);
            if len >= AT_ONCE && !batches.send() {
                return Ok(false);
            }
        }
        Ok(true)
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
