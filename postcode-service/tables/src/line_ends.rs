//! The ends of lines: LF, CR or CRLF.

/// Returns how many bytes at the start are an empty line: 0 if the first line is not empty, `None` if more bytes are needed to
/// tell.
pub fn blank(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [] | [b'\r'] => None,
        [b'\r', b'\n', ..] => Some(2),
        [b'\n' | b'\r', ..] => Some(1),
        _ => Some(0),
    }
}

/// Returns where the line end of a row begins.
pub fn line_end(row: &[u8]) -> usize {
    match row {
        [rest @ .., b'\r', b'\n'] | [rest @ .., b'\r' | b'\n'] => rest.len(),
        _ => row.len(),
    }
}
