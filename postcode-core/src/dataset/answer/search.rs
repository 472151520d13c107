//! Searches by incomplete postcodes: autocomplete, and the search of postcodes.io.

use std::ops::Range;

use crate::dataset::Dataset;
use crate::dataset::Inner;
use crate::dataset::section::keys::{CODES, Scan, first};
use crate::matching::prefix::{beginning, codes, is_space};
use crate::postcode::{PER_OUTCODE, UNITS};
use crate::query::check;
use crate::{Outcode, Postcode, Record, Result};

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !is_space(*c)).collect()
}

/// Returns two words of letters, digits and `_` that are separated by white space.
fn two_words(text: &str) -> Option<String> {
    let mut words = text.split(is_space).filter(|word| !word.is_empty());
    let (one, two) = (words.next()?, words.next()?);
    let is_word = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (words.next().is_none() && is_word(one) && is_word(two)).then(|| format!("{one} {two}"))
}

/// Parses an outcode as postcodes.io does, which requires a digit.
fn as_outcode(text: &str) -> Option<Outcode> {
    Outcode::from_bytes(text.as_bytes()).filter(|_| text.bytes().any(|b| b.is_ascii_digit()))
}

/// Returns the code of the first possible postcode whose spaced form is not less than the text, in
/// byte order.
fn spaced_from(text: &str) -> u32 {
    first(CODES, |code| Postcode::from_code(code).is_none_or(|postcode| postcode.spaced().as_str() >= text))
}

/// Returns live rows from one code up to another.
fn live<'a>(inner: &'a Inner, from: u32, end: u32) -> impl Iterator<Item = (u32, Postcode)> + 'a {
    inner
        .keys
        .scan(&inner.bytes, from)
        .take_while(move |(_, postcode)| postcode.code() < end)
        .filter(|(row, _)| inner.rows.is_live(&inner.bytes, *row))
}

impl Dataset {
    /// Returns the first live postcodes that begin with a text: see
    /// [`PostcodeLookup::autocomplete`](crate::PostcodeLookup::autocomplete).
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// assert_eq!(dataset.autocomplete("sw1a 2", 10)?, ["SW1A 2AA".parse()?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit out of range or a text that is
    /// too long.
    pub fn autocomplete(&self, prefix: &str, limit: usize) -> Result<Vec<Postcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        let Some(prefix) = beginning(prefix) else { return Ok(Vec::new()) };
        let mut found = Vec::with_capacity(limit.min(16));
        for codes in codes(prefix.as_bytes()) {
            self.live_codes(codes, limit, &mut found);
        }
        Ok(found)
    }

    /// Returns the first outcodes with live postcodes that begin with a text: see
    /// [`PostcodeLookup::outcodes`](crate::PostcodeLookup::outcodes).
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// assert_eq!(dataset.outcodes_from("s", 10)?, ["SW1A".parse()?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit out of range or a text that is
    /// too long.
    pub fn outcodes_from(&self, prefix: &str, limit: usize) -> Result<Vec<Outcode>> {
        check::limit(limit)?;
        check::text(prefix)?;
        let prefix = without_spaces(prefix).to_uppercase();
        let (inner, data) = (self.inner(), &*self.inner().bytes);
        let count = inner.keys.outcode_count();
        // Outcodes are in the order of their texts.
        let start = first(count, |n| {
            let outcode = inner.keys.outcode_entry(data, n).and_then(|entry| entry.outcode());
            outcode.is_none_or(|outcode| outcode.text().as_str() >= prefix.as_str())
        });
        Ok((start..count)
            .filter_map(|n| inner.keys.outcode_entry(data, n))
            .filter_map(|entry| Some((entry.live, entry.outcode()?)))
            .take_while(|(_, outcode)| outcode.text().starts_with(&prefix))
            .filter(|(live, _)| *live > 0)
            .map(|(_, outcode)| outcode)
            .take(limit)
            .collect())
    }

    /// Adds live postcodes with codes in a range, until there are `limit`. Outcodes without live
    /// postcodes are skipped.
    fn live_codes(&self, codes: Range<u32>, limit: usize, found: &mut Vec<Postcode>) {
        let (inner, data) = (self.inner(), &*self.inner().bytes);
        let mut add = |codes: Range<u32>| {
            let free = limit.saturating_sub(found.len());
            found.extend(live(inner, codes.start, codes.end).map(|(_, postcode)| postcode).take(free));
            found.len() < limit
        };
        if codes.end.saturating_sub(codes.start) <= UNITS {
            // A sector or less: there is not much that could be skipped.
            add(codes);
            return;
        }
        for n in inner.keys.outcode_from(data, codes.start / PER_OUTCODE)..inner.keys.outcode_count() {
            let Some(entry) = inner.keys.outcode_entry(data, n) else { break };
            let start = entry.code.saturating_mul(PER_OUTCODE);
            if start >= codes.end {
                break;
            }
            let part = start.max(codes.start)..codes.end.min(start.saturating_add(PER_OUTCODE));
            if entry.live > 0 && !add(part) {
                break;
            }
        }
    }

    /// Returns live postcodes for a partial text: see
    /// [`PostcodeLookup::search`](crate::PostcodeLookup::search).
    ///
    /// ```
    /// # use postcode_core::Location;
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # for (text, latitude, longitude) in [("SW1A 1AA", 51.50101, -0.14159), ("SW1A 2AA", 51.50354, -0.12767), ("M1 1AE", 53.48116, -2.23217)] {
    /// #     let mut row = Row::live(text.parse()?);
    /// #     row.location = Some(Location::new(latitude, longitude)?);
    /// #     builder.push(&row)?;
    /// # }
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let dataset = builder.build()?;
    /// let found = dataset.search("SW1A 2", 10)?;
    /// assert_eq!(found[0].postcode.to_string(), "SW1A 2AA");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a limit out of range or a text that is
    /// too long.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<Record>> {
        check::limit(limit)?;
        check::text(query)?;
        let upper = query.to_uppercase();
        let text = upper.trim_matches(is_space);
        let compact = without_spaces(text);
        // The windows of postcodes.io. Each is tried only if the previous ones contain no match.
        let mut kept = Vec::new();
        if as_outcode(text).is_some() {
            kept = self.window(spaced_from(&format!("{text} ")), limit, &compact);
        }
        if kept.is_empty()
            && let Some(words) = two_words(text)
        {
            kept = self.window(spaced_from(&words), limit, &compact);
        }
        if kept.is_empty() {
            let window = self.compact_window(text.as_bytes(), limit);
            kept = window.into_iter().filter(|postcode| contains(*postcode, &compact)).collect();
        }
        if let Some(&exact) = kept.iter().find(|postcode| postcode.compact().as_str() == compact) {
            kept = vec![exact];
        }
        Ok(kept.into_iter().filter_map(|postcode| self.get(postcode).live()).collect())
    }

    /// Returns those of the next `limit` live postcodes from a code on that contain the text.
    fn window(&self, from: u32, limit: usize, compact: &str) -> Vec<Postcode> {
        let mut window = Vec::new();
        self.live_codes(from..CODES, limit, &mut window);
        window.into_iter().filter(|postcode| contains(*postcode, compact)).collect()
    }

    /// Returns the first live postcodes whose form without a space is not less than the text,
    /// ordered by that form.
    fn compact_window(&self, text: &[u8], limit: usize) -> Vec<Postcode> {
        let (inner, data) = (self.inner(), &*self.inner().bytes);
        let count = inner.keys.outcode_count();
        let family_of = |n: u32| inner.keys.outcode_entry(data, n)?.outcode().map(family);
        let mut n = first(count, |n| {
            // Nothing in the family sorts after `9ZZ`, since letters sort after digits.
            family_of(n).is_none_or(|root| [root.text().as_bytes(), b"9ZZ"].concat().as_slice() >= text)
        });
        let mut found = Vec::new();
        while n < count && found.len() < limit {
            let Some(root) = family_of(n) else { break };
            let mut streams = Vec::new();
            while n < count && family_of(n) == Some(root) {
                if let Some(entry) = inner.keys.outcode_entry(data, n).filter(|entry| entry.live > 0)
                    && let Some(outcode) = entry.outcode()
                {
                    streams.push(Stream::new(inner, outcode, text));
                }
                n += 1;
            }
            merge(&mut streams, limit, &mut found);
        }
        found
    }
}

fn contains(postcode: Postcode, compact: &str) -> bool {
    postcode.compact().contains(compact)
}

/// Returns the family of an outcode: outcodes whose postcodes interleave when sorted without
/// spaces, such as `M1` and `M10` to `M19` (M1 1AD is `M11AD` and M11 1AA is `M111AA`). Families
/// follow one another in the order of outcodes.
fn family(outcode: Outcode) -> Outcode {
    let text = outcode.text();
    match text.as_bytes() {
        [root @ .., before, last] if before.is_ascii_digit() && last.is_ascii_digit() => {
            Outcode::from_bytes(&[root, &[*before]].concat()).unwrap_or(outcode)
        }
        _ => outcode,
    }
}

/// The live postcodes of one outcode from a text on, in the order of their compact forms.
struct Stream<'a> {
    inner: &'a Inner,
    scan: Scan<'a>,
    end: u32,
    head: Option<Postcode>,
}

impl<'a> Stream<'a> {
    fn new(inner: &'a Inner, outcode: Outcode, text: &[u8]) -> Self {
        let start = outcode.code().saturating_mul(PER_OUTCODE);
        let below = first(PER_OUTCODE, |n| {
            Postcode::from_code(start.saturating_add(n))
                .is_none_or(|postcode| postcode.compact().as_bytes() >= text)
        });
        let end = start.saturating_add(PER_OUTCODE);
        let scan = inner.keys.scan(&inner.bytes, start.saturating_add(below));
        let mut stream = Self { inner, scan, end, head: None };
        stream.advance();
        stream
    }

    fn advance(&mut self) {
        let (inner, end) = (self.inner, self.end);
        self.head = self
            .scan
            .by_ref()
            .take_while(|(_, postcode)| postcode.code() < end)
            .find(|(row, _)| inner.rows.is_live(&inner.bytes, *row))
            .map(|(_, postcode)| postcode);
    }
}

/// Merges the streams in the order of compact forms. There are at most eleven streams.
fn merge(streams: &mut [Stream<'_>], limit: usize, found: &mut Vec<Postcode>) {
    while found.len() < limit {
        let heads = streams.iter_mut().filter_map(|stream| Some((stream.head?.compact(), stream)));
        let Some((_, stream)) = heads.min_by(|a, b| a.0.as_str().cmp(b.0.as_str())) else { return };
        found.extend(stream.head);
        stream.advance();
    }
}
