//! Repairs characters that scanners and fingers confuse, if only one reading makes sense.

use super::error::Wanted;
use super::typed::Typed;
use super::{Outcode, Postcode, PostcodeArea, grammar, rules};

/// A value that was parsed from a text with possibly confused characters.
///
/// See [`Postcode::repair`].
///
/// ```
/// use postcode_core::Postcode;
///
/// let repaired = Postcode::repair("SWIA 1AA")?;
/// assert_eq!(repaired.value.to_string(), "SW1A 1AA");
/// assert!(repaired.is_changed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repaired<T> {
    /// The repaired value.
    pub value: T,
    changes: [Change; 7],
    len: u8,
}

impl<T> Repaired<T> {
    /// Returns the changed characters, from left to right. Empty if the text was already valid.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let repaired = Postcode::repair("SWIA 1AA")?;
    /// assert_eq!(repaired.changes().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn changes(&self) -> &[Change] {
        &self.changes[..usize::from(self.len)]
    }

    /// Returns whether any character was changed.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// assert!(Postcode::repair("SWIA 1AA")?.is_changed());
    /// assert!(!Postcode::repair("SW1A 1AA")?.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_changed(&self) -> bool {
        self.len > 0
    }

    pub(super) fn new(value: T) -> Self {
        Self { value, changes: [Change { at: 0, from: '\0', to: '\0' }; 7], len: 0 }
    }
}

/// One character that a repair changed.
///
/// ```
/// use postcode_core::{Change, Postcode};
///
/// let repaired = Postcode::repair("SWIA 1AA")?;
/// assert_eq!(repaired.changes(), [Change { at: 2, from: 'I', to: '1' }]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The position, as a byte offset into the text.
    pub at: usize,
    /// The character as it was written.
    pub from: char,
    /// The character as it was read.
    pub to: char,
}

/// The kind of character allowed in a place: one of these letters, or a digit.
#[derive(Clone, Copy)]
enum Place {
    Digit,
    Letter(&'static rules::Letters),
}

use Place::{Digit, Letter};

const FIRST: Place = Letter(&rules::FIRST);
const SECOND: Place = Letter(&rules::SECOND);
const UNIT: Place = Letter(&rules::UNIT);

/// The formats of outcodes.
const SHAPES: [&[Place]; 6] = [
    &[FIRST, Digit],
    &[FIRST, Digit, Digit],
    &[FIRST, Digit, Letter(&rules::THIRD)],
    &[FIRST, SECOND, Digit],
    &[FIRST, SECOND, Digit, Digit],
    &[FIRST, SECOND, Digit, Letter(&rules::FOURTH)],
];

/// Returns how a character reads in a place. A 1 is read as the letter `one`.
fn read_as(place: Place, c: u8, one: u8) -> Option<u8> {
    match place {
        Digit => match c {
            b'0'..=b'9' => Some(c),
            b'O' | b'Q' | b'D' => Some(b'0'),
            b'I' | b'L' => Some(b'1'),
            b'Z' => Some(b'2'),
            b'S' => Some(b'5'),
            b'G' => Some(b'6'),
            b'B' => Some(b'8'),
            _ => None,
        },
        Letter(letters) => {
            let likely = match c {
                b'0' => b'O',
                b'1' => one,
                b'2' => b'Z',
                b'5' => b'S',
                b'6' => b'G',
                b'8' => b'B',
                b'I' if !letters.has(b'I') => b'L',
                _ => c,
            };
            letters.has(likely).then_some(likely)
        }
    }
}

/// Reads an outcode and, if `bytes` continues, an incode. Returns the best reading in an area that
/// is in use, unless another is as good.
fn best<T: Copy + PartialEq>(
    bytes: &[u8],
    outcode_len: usize,
    value: impl Fn(&[u8]) -> Option<T>,
) -> Option<(T, [u8; 7])> {
    // Codes of digits only are those of other countries.
    if !bytes.iter().any(u8::is_ascii_alphabetic) {
        return None;
    }
    let mut best: Option<((bool, usize), T, [u8; 7])> = None;
    let mut tied = false;
    let mut consider = |reading: [u8; 7]| {
        let reading_of = &reading[..bytes.len()];
        let Some(value) = value(reading_of) else { return };
        let changes = reading_of.iter().zip(bytes).filter(|(a, b)| a != b).count();
        let outcode = &reading[..outcode_len];
        if !is_in_use(outcode) {
            return;
        }
        let rank = (has_leading_zero(outcode), changes);
        match &best {
            Some((other, same, _)) if *other == rank => tied |= *same != value,
            Some((other, ..)) if *other < rank => {}
            _ => {
                best = Some((rank, value, reading));
                tied = false;
            }
        }
    };
    let incode = [Digit, UNIT, UNIT];
    let (outcode, rest) = bytes.split_at(outcode_len);
    let read = |shape: &[Place], one| {
        let mut reading = [0; 7];
        for ((to, c), place) in reading.iter_mut().zip(bytes).zip(shape.iter().chain(&incode)) {
            *to = read_as(*place, *c, one)?;
        }
        Some(reading)
    };
    for shape in SHAPES.iter().filter(|shape| shape.len() == outcode_len) {
        for one in [b'I', b'L'] {
            read(shape, one).map(&mut consider);
        }
    }
    if rules::LETTERS_ONLY.iter().any(|letters| letters.as_slice() == outcode) {
        let mut reading = [0; 7];
        reading[..outcode_len].copy_from_slice(outcode);
        let mut whole = true;
        for (i, c) in rest.iter().enumerate() {
            match read_as(incode[i], *c, b'L') {
                Some(to) => reading[outcode_len + i] = to,
                None => whole = false,
            }
        }
        if whole {
            consider(reading);
        }
    }
    best.filter(|_| !tied).map(|(_, value, reading)| (value, reading))
}

/// Returns an outcode's area and its district.
fn split(outcode: &[u8]) -> (&[u8], &[u8]) {
    outcode.split_at(outcode.iter().take_while(|c| c.is_ascii_alphabetic()).count())
}

/// Returns whether the area of an outcode is in use.
fn is_in_use(outcode: &[u8]) -> bool {
    rules::LETTERS_ONLY.iter().any(|letters| letters.as_slice() == outcode)
        || PostcodeArea::of(split(outcode).0).is_some()
}

/// Returns whether the district of an outcode has a superfluous 0.
fn has_leading_zero(outcode: &[u8]) -> bool {
    matches!(split(outcode).1, [b'0', b'0'..=b'9'])
}

fn repaired<T>(typed: &Typed, value: T, reading: &[u8]) -> Repaired<T> {
    let mut repaired = Repaired::new(value);
    for (i, (before, after)) in typed.bytes().iter().zip(reading).enumerate() {
        if before != after {
            let (at, from) = typed.written(i);
            repaired.changes[usize::from(repaired.len)] = Change { at, from, to: char::from(*after) };
            repaired.len += 1;
        }
    }
    repaired
}

/// Repairs a text that is not a postcode.
pub(super) fn postcode(typed: &Typed) -> Option<Repaired<Postcode>> {
    let bytes = typed.of(Wanted::Postcode).ok()?;
    let outcode_len = bytes.len().checked_sub(3).filter(|len| (2..=4).contains(len))?;
    typed.separated_only_at(Some(outcode_len), Wanted::Postcode).ok()?;
    let assemble = |reading: &[u8]| {
        let (outcode, incode) = reading.split_last_chunk::<3>()?;
        grammar::assemble(outcode, *incode).ok()
    };
    let (value, reading) = best(bytes, outcode_len, assemble)?;
    Some(repaired(typed, value, &reading))
}

/// Repairs a text that is not an outcode.
pub(super) fn outcode(typed: &Typed) -> Option<Repaired<Outcode>> {
    let bytes = typed.of(Wanted::Outcode).ok()?;
    if !(2..=4).contains(&bytes.len()) {
        return None;
    }
    typed.separated_only_at(None, Wanted::Outcode).ok()?;
    let (value, reading) = best(bytes, bytes.len(), Outcode::from_bytes)?;
    Some(repaired(typed, value, &reading))
}

/// Letters and digits that look alike, each way.
const ALIKE: [(u8, u8); 9] = [
    (b'0', b'O'),
    (b'1', b'I'),
    (b'1', b'L'),
    (b'I', b'L'),
    (b'2', b'Z'),
    (b'5', b'S'),
    (b'6', b'G'),
    (b'8', b'B'),
    (b'0', b'Q'),
];

/// Returns the postcodes in areas in use that differ from this one by one such character of the outcode.
pub(super) fn look_alikes(postcode: Postcode) -> Vec<Postcode> {
    let outcode = postcode.outcode().text();
    if is_in_use(outcode.as_bytes()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, written) in outcode.as_bytes().iter().enumerate() {
        let meant = ALIKE.iter().filter_map(|pair| match pair {
            (other, c) | (c, other) if c == written => Some(*other),
            _ => None,
        });
        for meant in meant {
            let mut reading = outcode.as_bytes().to_vec();
            reading[at] = meant;
            let changed = Outcode::from_bytes(&reading).filter(|_| is_in_use(&reading)).and_then(|outcode| {
                let within = postcode.code() % super::packed::PER_OUTCODE;
                Postcode::from_code(outcode.code() * super::packed::PER_OUTCODE + within)
            });
            found.extend(changed);
        }
    }
    found
}
