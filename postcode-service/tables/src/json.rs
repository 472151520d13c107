//! Objects of JSON, one after the other, out of an array or standing alone.

mod members;
mod numbers;

use std::fmt;

pub use members::{Member, Members, members};
pub use numbers::{may_have_nan, without_nan};

/// Finds one object after another in JSON that is an array of objects, or objects with nothing but space between them.
/// [`within`](Self::within) makes one for an array that is a part of something larger.
///
/// It only finds where objects end. Whether they are JSON is for others to say.
#[derive(Clone, Debug, Default)]
pub struct ObjectScanner {
    at: usize,
    start: Option<usize>,
    depth: usize,
    string: bool,
    escaped: bool,
    /// Arrays around the objects that have begun and not ended.
    open: usize,
    /// Whether the text begins in the middle of an array: its brackets say nothing then.
    part: bool,
    /// How the rows of an array begin that is a part of something larger.
    within: Option<Opening>,
}

/// How a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A brace: it is an object.
    Object,
    /// A bracket: it is an array.
    Array,
}

impl Opening {
    fn byte(self) -> u8 {
        match self {
            Self::Object => b'{',
            Self::Array => b'[',
        }
    }
}

/// How far [`ObjectScanner::scan`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes are needed.
    More,
    /// An object is whole. It begins at the first number, after brackets, commas and spaces, and ends before the second.
    Object(usize, usize),
    /// There is no further object; so many bytes of brackets and spaces are left.
    End(usize),
    /// The array ends, and something larger goes on with the bracket at that place. The text after it is not looked at.
    Rest(usize),
}

/// The text is something else than objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Between objects stands something that is neither bracket, comma nor space.
    NotAnObject,
    /// The text ends within an object.
    CutOff,
    /// The text ends within the array.
    Unclosed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnObject => "not an array of JSON objects",
            Self::CutOff => "a JSON object without its end: the file ends in it",
            Self::Unclosed => "an array without its end: is the file cut off?",
        })
    }
}

impl std::error::Error for Fault {}

impl ObjectScanner {
    /// Creates a scanner for a part of an array, which need not have its brackets.
    pub fn of_part() -> Self {
        Self { part: true, ..Self::default() }
    }

    /// Creates a scanner for the rows of an array whose bracket is not in the text. If the text is only a `part` of it, it
    /// may end before the array does.
    pub fn within(rows: Opening, part: bool) -> Self {
        Self { part, within: Some(rows), open: 1, ..Self::default() }
    }

    /// Forgets the object, to begin another.
    pub fn next_object(&mut self) {
        *self = Self { open: self.open, part: self.part, within: self.within, ..Self::default() };
    }

    /// Looks for the end of the object that begins in `bytes`. After [`Step::More`] call it again with the same bytes and
    /// those that follow; `ended` says that none follow.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn scan(&mut self, bytes: &[u8], ended: bool) -> Result<Step, Fault> {
        for (at, &byte) in bytes.iter().enumerate().skip(self.at) {
            self.at = at + 1;
            let Some(start) = self.start else {
                let opening = self.within.map_or(b'{', Opening::byte);
                match byte {
                    b']' if self.within.is_some() => {
                        self.open = 0;
                        return Ok(Step::Rest(at));
                    }
                    _ if byte == opening => (self.start, self.depth) = (Some(at), 1),
                    b'[' if self.within.is_none() => self.open += 1,
                    b']' if self.open > 0 => self.open -= 1,
                    b']' if !self.part => return Err(Fault::NotAnObject),
                    b']' | b',' => {}
                    // Of a byte-order mark.
                    0xef | 0xbb | 0xbf if at < 3 => {}
                    _ if byte.is_ascii_whitespace() => {}
                    _ => return Err(Fault::NotAnObject),
                }
                continue;
            };
            if self.string {
                (self.string, self.escaped) = (self.escaped || byte != b'"', !self.escaped && byte == b'\\');
                continue;
            }
            match byte {
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            if self.depth == 0 {
                return Ok(Step::Object(start, at + 1));
            }
        }
        match (ended, self.start) {
            (false, _) => Ok(Step::More),
            (true, Some(_)) => Err(Fault::CutOff),
            (true, None) if self.open > 0 && !self.part => Err(Fault::Unclosed),
            (true, None) => Ok(Step::End(bytes.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str, size: usize) -> Result<Vec<&str>, Fault> {
        let (mut start, mut scanner, mut found) = (0, ObjectScanner::default(), Vec::new());
        let mut seen = 0;
        loop {
            seen = (seen + size).min(text.len());
            loop {
                match scanner.scan(&text.as_bytes()[start..seen], seen == text.len())? {
                    Step::More => break,
                    Step::Object(from, to) => {
                        found.push(&text[start + from..start + to]);
                        start += to;
                        scanner.next_object();
                    }
                    Step::End(_) | Step::Rest(_) => return Ok(found),
                }
            }
        }
    }

    #[test]
    fn objects_are_found_in_arrays_and_alone() {
        let text = "[\n {\"a\":\"}\\\"{\",\"b\":[{}]},\n {}\n]\n";
        for size in [1, 3, 99] {
            assert_eq!(objects(text, size).unwrap(), ["{\"a\":\"}\\\"{\",\"b\":[{}]}", "{}"]);
        }
        assert_eq!(objects("{\"a\":\"\\\\\"}{}", 2).unwrap().len(), 2);
        assert_eq!(objects("[1,{}]", 9), Err(Fault::NotAnObject));
        assert_eq!(objects("[{\"a\":", 9), Err(Fault::CutOff));
        assert_eq!(objects("[]", 9).unwrap(), [""; 0]);
    }

    #[test]
    fn array_that_is_cut_off_is_an_error_and_a_part_of_one_is_not() {
        for size in [1, 9] {
            assert_eq!(objects("[{\"a\":1},", size), Err(Fault::Unclosed));
            assert_eq!(objects("[{\"a\":1}\n", size), Err(Fault::Unclosed));
            assert_eq!(objects("{\"a\":1}]", size), Err(Fault::NotAnObject));
        }
        let mut part = ObjectScanner::of_part();
        assert_eq!(part.scan(b",{}", true), Ok(Step::Object(1, 3)));
        part.next_object();
        assert_eq!(part.scan(b"]\n", true), Ok(Step::End(2)));
    }

    #[test]
    fn rows_of_an_array_within_something_larger_end_with_it() {
        for (rows, text, first) in [
            (Opening::Object, &b" {\"a\":[1]},{}],\"b\":[{}]}"[..], (1, 10)),
            (Opening::Array, b"[[1],\"]\"],[]],\"b\":1}", (0, 9)),
        ] {
            let mut scanner = ObjectScanner::within(rows, false);
            assert_eq!(scanner.scan(text, true), Ok(Step::Object(first.0, first.1)));
            scanner.next_object();
            let Ok(Step::Object(_, len)) = scanner.scan(&text[first.1..], true) else { panic!() };
            scanner.next_object();
            assert_eq!(scanner.scan(&text[first.1 + len..], true), Ok(Step::Rest(0)));
        }
        let cut = |part| ObjectScanner::within(Opening::Object, part).scan(b" , ", true);
        assert_eq!((cut(false), cut(true)), (Err(Fault::Unclosed), Ok(Step::End(3))));
        let mixed = ObjectScanner::within(Opening::Object, false).scan(b"[{}]", true);
        assert_eq!(mixed, Err(Fault::NotAnObject));
    }
}
