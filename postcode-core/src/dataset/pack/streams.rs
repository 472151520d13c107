//! Encodes columns of numbers as streams of bytes that compress well.

/// Maps numbers near zero of either sign to small numbers.
#[inline]
pub(crate) fn zigzag(n: i32) -> u32 {
    ((n << 1) ^ (n >> 31)) as u32
}

#[inline]
pub(crate) fn unzigzag(n: u32) -> i32 {
    (n >> 1) as i32 ^ -((n & 1) as i32)
}

/// Writes byte streams one after the other, each after its length.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes numbers of which most are small: all low bytes first, then the other bytes of the
    /// larger numbers.
    pub(crate) fn numbers(&mut self, numbers: &[u32]) {
        let mut planes: [Vec<u8>; 4] = Default::default();
        for n in numbers {
            for (plane, byte) in planes.iter_mut().zip(n.to_le_bytes()) {
                plane.push(byte);
            }
        }
        for plane in planes {
            // A plane of zeros is left out.
            self.bytes(if plane.iter().any(|&byte| byte != 0) { &plane } else { &[] });
        }
    }
}

/// Reads the streams of a [`Writer`].
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let len = u32::from_le_bytes(*len) as usize;
        let (bytes, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    pub(crate) fn numbers(&mut self) -> Option<Numbers<'a>> {
        let planes = [self.bytes()?, self.bytes()?, self.bytes()?, self.bytes()?];
        let count = planes.iter().map(|plane| plane.len()).max().unwrap_or(0);
        let whole = planes.iter().all(|plane| plane.is_empty() || plane.len() == count);
        whole.then_some(Numbers { planes, next: 0 })
    }
}

/// Returns the numbers of a stream, one after the other, and zeros after its end.
pub(crate) struct Numbers<'a> {
    planes: [&'a [u8]; 4],
    next: usize,
}

impl Numbers<'_> {
    #[inline]
    pub(crate) fn next(&mut self) -> u32 {
        let n = self.next;
        self.next += 1;
        // Not `map`, which is not inlined here.
        let [a, b, c, d] = &self.planes;
        let byte = |plane: &[u8]| plane.get(n).copied().unwrap_or(0);
        u32::from_le_bytes([byte(a), byte(b), byte(c), byte(d)])
    }
}
