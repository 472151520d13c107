//! Short texts on the stack: the parts of a postcode, without allocation.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A short text of at most `N` bytes, `Copy` and on the stack. It derefs to `&str`.
///
/// ```
/// use postcode_core::Postcode;
///
/// let postcode: Postcode = "SW1A 1AA".parse()?;
/// let incode = postcode.incode();
/// assert_eq!(incode, "1AA");
/// assert_eq!(incode.to_lowercase(), "1aa");
/// # Ok::<(), postcode_core::ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Text<N> {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    /// Appends an ASCII character, or returns false if the text is full.
    #[cfg(any(feature = "dataset", feature = "http"))]
    pub(crate) fn try_push(&mut self, byte: u8) -> bool {
        let free = self.bytes.get_mut(usize::from(self.len)).filter(|_| byte.is_ascii());
        let has_room = free.is_some();
        if let Some(place) = free {
            *place = byte;
            self.len += 1;
        }
        has_room
    }

    /// Takes the first `len` of these bytes, which are ASCII.
    pub(super) fn of(bytes: [u8; N], len: usize) -> Self {
        Self { bytes, len: len.min(N) as u8 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let at = usize::from(self.len);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }

    pub(super) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    /// Returns the characters.
    ///
    /// ```
    /// use postcode_core::Postcode;
    ///
    /// let postcode: Postcode = "sw1a1aa".parse()?;
    /// assert_eq!(postcode.spaced().as_str(), "SW1A 1AA");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl<const N: usize> std::ops::Deref for Text<N> {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<str> for Text<N> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

// Compares only the characters: the bytes after `len` are left over from longer texts.
impl<const N: usize> PartialEq for Text<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<const N: usize> Eq for Text<N> {}

impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<const N: usize> PartialOrd for Text<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for Text<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
