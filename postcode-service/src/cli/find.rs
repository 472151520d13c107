//! `find`: postcodes in any text, with their positions.

use std::fs::File;
use std::io::{self, BufWriter, Cursor, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use postcode_core::text::{Finder, FoundCode};
use postcode_tables::{Encoding, Utf8Reader};
use serde::Serialize;

use super::format::{Format, Shape, Table};
use super::{exit, output};

/// Bytes that are searched at once.
const CHUNK: usize = 1 << 20;
/// Bytes before the end of a chunk that are searched again, because a postcode may go on in the
/// next one.
const OVERLAP: usize = 4 << 10;

/// Find postcodes in any text, with their positions.
///
/// A postcode is found in any case, with or without its space, and across the end of a line. It must
/// not touch other letters or digits: XSW1A1AA contains no postcode. The postcodes need not exist.
/// Pipe them to `lookup` to check that.
///
/// Lines and columns count from 1, columns in characters. `start` and `end` of --json and --csv are
/// bytes from 0. A line ends at LF, CR or CRLF. Bytes that are not UTF-8 count as spaces. UTF-16 with
/// a mark is read, and its positions are those of the same text in UTF-8 without the mark.
///
/// Exit status: 0 if there are any, 1 if not, 2 for errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postcode-service find letter.txt
  postcode-service find *.eml --csv > found.csv
  pdftotext report.pdf - | postcode-service find --only | sort -u | postcode-service lookup --csv
  postcode-service find --everything < notes.txt")]
pub struct Args {
    /// Text files. - means standard input, which is also read if there is no FILE and it is piped
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the postcodes only, without positions
    #[arg(long, short, conflicts_with_all = ["json", "csv"])]
    only: bool,
    /// Also find outcodes, sectors, BFPO numbers, and postcodes of overseas territories
    #[arg(long, short)]
    everything: bool,
    #[command(flatten)]
    shape: Shape,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Returns the error for [`report`](crate::cli::exit::report).
    pub async fn run(mut self) -> anyhow::Result<()> {
        if self.files.is_empty() {
            if io::stdin().is_terminal() {
                bail!("give a FILE, or - to type a text (see --help)");
            }
            self.files.push("-".into());
        }
        let found = tokio::task::spawn_blocking(move || self.find()).await.context("the search ended")??;
        exit::found(found)
    }

    fn find(&self) -> anyhow::Result<bool> {
        let finder = if self.everything { Finder::everything() } else { Finder::new() };
        let mut out = Lines {
            out: BufWriter::new(io::stdout()),
            format: self.shape.format(),
            only: self.only,
            several: self.files.len() > 1,
            table: Table::new(
                self.shape.format(),
                ["file", "line", "column", "start", "end", "kind", "text", "postcode"],
            ),
            any: false,
        };
        for path in &self.files {
            let name = if path == Path::new("-") {
                "(standard input)".to_owned()
            } else {
                path.display().to_string()
            };
            let read: Box<dyn Read> =
                if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(open(path)?) };
            utf8(read)
                .and_then(|read| search(read, finder, |found| out.add(&name, &found)))
                .with_context(|| name.clone())?;
        }
        out.end()?;
        Ok(out.any)
    }
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).map_err(|e| {
        let advice = match e.kind() {
            io::ErrorKind::NotFound => {
                ". To search a text, give it on standard input: echo TEXT | postcode-service find"
            }
            _ => "",
        };
        anyhow::anyhow!("{}: {e}{advice}", path.display())
    })
}

/// Converts a text that begins with a UTF-16 mark to UTF-8, without the mark. Leaves other texts
/// unchanged.
fn utf8(mut input: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut start = Vec::new();
    // Too short for the mark of UTF-8, which the search ignores.
    input.by_ref().take(2).read_to_end(&mut start)?;
    let marked = Encoding::marked(&start);
    let input = Cursor::new(start).chain(input);
    let Some((encoding, _)) = marked else { return Ok(Box::new(input)) };
    let mut text = Utf8Reader::new(input, Some(encoding))?;
    text.read_exact(&mut [0; '\u{feff}'.len_utf8()])?;
    Ok(Box::new(text))
}

/// A code and where it is.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Place<'t> {
    line: u64,
    column: u64,
    start: u64,
    end: u64,
    kind: &'static str,
    text: &'t str,
    postcode: String,
}

/// Finds codes in a text of any length, with memory for a chunk of it.
fn search(
    mut input: impl Read,
    finder: Finder,
    mut each: impl FnMut(Place<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut window = Vec::new();
    let mut position = Position { offset: 0, line: 1, column: 1, after_cr: false };
    // Codes that end before this offset of the window are given already.
    let mut done = 0;
    loop {
        let before = window.len();
        let read = input.by_ref().take(CHUNK as u64).read_to_end(&mut window)?;
        let last = read == 0;
        let cut = if last { window.len() } else { cut(&window, before) };
        let text = lossless(&window[..cut]);
        let mut at = position;
        let mut reached = 0;
        for FoundCode { range, code } in finder.find(&text).filter(|found| found.range.end > done) {
            at.advance(&text[reached..range.start]);
            reached = range.start;
            each(Place {
                line: at.line,
                column: at.column,
                start: at.offset,
                end: position.offset + range.end as u64,
                kind: code.kind_name(),
                text: &text[range],
                postcode: code.text().as_str().to_owned(),
            })?;
        }
        if last {
            return Ok(());
        }
        let keep = text.floor_char_boundary(cut.saturating_sub(OVERLAP));
        position.advance(&text[..keep]);
        done = cut - keep;
        window.drain(..keep);
    }
}

/// Returns where to end the search of a window: after its last line or word, because the rest may
/// go on.
fn cut(window: &[u8], new: usize) -> usize {
    let whole = |is: fn(&u8) -> bool| window[new..].iter().rposition(is).map(|at| new + at + 1);
    whole(|byte| *byte == b'\n').or_else(|| whole(u8::is_ascii_whitespace)).unwrap_or({
        // A word of a megabyte. Don't cut a character.
        let mut at = window.len();
        while at > 0 && window.len() - at < 4 && window[at - 1] & 0xc0 == 0x80 {
            at -= 1;
        }
        at.saturating_sub(1)
    })
}

/// Returns the text with a space for each byte that is not UTF-8, so that positions stay.
fn lossless(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| ' '));
    }
    text
}

#[derive(Clone, Copy)]
struct Position {
    offset: u64,
    line: u64,
    column: u64,
    /// Whether the text before ends with CR, so that an LF is a part of the same line end.
    after_cr: bool,
}

impl Position {
    fn advance(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.offset += text.len() as u64;
        let text = if self.after_cr { text.strip_prefix('\n').unwrap_or(text) } else { text };
        match memchr::memrchr2(b'\n', b'\r', text.as_bytes()) {
            None => self.column += text.chars().count() as u64,
            Some(end) => {
                let paired = memchr::memmem::find_iter(text.as_bytes(), "\r\n").count();
                let ends = memchr::memchr2_iter(b'\n', b'\r', text.as_bytes()).count();
                self.line += (ends - paired) as u64;
                self.column = 1 + text[end + 1..].chars().count() as u64;
            }
        }
        self.after_cr = text.ends_with('\r');
    }
}

struct Lines {
    out: BufWriter<io::Stdout>,
    format: Format,
    only: bool,
    several: bool,
    table: Table,
    any: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    place: &'a Place<'a>,
}

impl Lines {
    fn add(&mut self, file: &str, place: &Place<'_>) -> io::Result<()> {
        self.any = true;
        let out = &mut self.out;
        if self.only {
            return writeln!(out, "{}", place.postcode);
        }
        let Place { line, column, start, end, kind, text, postcode } = place;
        match self.format {
            Format::Json => output::json(out, &Line { file, place }),
            Format::Csv => {
                let [line, column, start, end] = [line, column, start, end].map(ToString::to_string);
                self.table.row(out, [file, &line, &column, &start, &end, kind, text, postcode])
            }
            Format::Plain | Format::Terminal => {
                let paint = self.format.paint();
                if self.several {
                    write!(out, "{}:", paint.faint(file))?;
                }
                writeln!(out, "{} {}", paint.faint(&format!("{line}:{column}:")), paint.bold(postcode))
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if self.format == Format::Csv {
            self.table.flush(&mut self.out)?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads as little at once as it likes.
    struct Pieces<'t>(&'t [u8]);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.0.len().min(buffer.len()).min(7);
            buffer[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }

    fn found(text: &[u8]) -> Vec<(u64, u64, u64, u64, String)> {
        let mut all = Vec::new();
        search(Pieces(text), Finder::new(), |place| {
            all.push((place.line, place.column, place.start, place.end, place.postcode));
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn positions_are_lines_characters_and_bytes() {
        let text = "Café, sw1a1aa\nand EH1\n1YZ.".as_bytes();
        assert_eq!(found(text), [(1, 7, 7, 14, "SW1A 1AA".to_owned()), (2, 5, 19, 26, "EH1 1YZ".to_owned())]);
        assert_eq!(found(b"\xa0M1 1AE\xff"), [(1, 2, 1, 7, "M1 1AE".to_owned())]);
        assert!(found(b"").is_empty() && found(b"XSW1A1AA").is_empty());
    }

    #[test]
    fn line_ends_at_lf_cr_or_crlf() {
        let lines = |text: &str| found(text.as_bytes()).iter().map(|at| (at.0, at.1)).collect::<Vec<_>>();
        assert_eq!(lines("a\rb M1 1AE\r\nM1\r1AF\n\rM1 1AG"), [(2, 3), (3, 1), (6, 1)]);
        let mut position = Position { offset: 0, line: 1, column: 1, after_cr: false };
        for part in ["a\r", "", "\nb\r", "\n", "\n"] {
            position.advance(part);
        }
        assert_eq!((position.line, position.column, position.offset), (4, 1, 7));
    }

    #[test]
    fn utf_16_with_a_mark_is_found_in() {
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let text: Vec<u8> = "\u{feff}é M1 1AE".encode_utf16().flat_map(bytes).collect();
            let mut all = Vec::new();
            let text = utf8(Box::new(Cursor::new(text))).unwrap();
            search(text, Finder::new(), |place| {
                all.push((place.column, place.start, place.postcode));
                Ok(())
            })
            .unwrap();
            assert_eq!(all, [(3, 3, "M1 1AE".to_owned())]);
        }
        let mut same = Vec::new();
        utf8(Box::new(Cursor::new(b"\xff"))).unwrap().read_to_end(&mut same).unwrap();
        assert_eq!(same, b"\xff");
    }

    #[test]
    fn postcode_at_the_border_of_chunks_is_found_once() {
        // Every position of a postcode around the end of the first chunk, across lines too.
        for gap in [" ", "\n", "   "] {
            for shift in 0..16 {
                let mut text = "x".repeat(79) + "\n";
                text = text.repeat(CHUNK / 80);
                text.truncate(CHUNK - shift);
                text += " SW1A";
                text += gap;
                text += "1AA next\nM1 1AE";
                let found: Vec<String> = found(text.as_bytes()).into_iter().map(|found| found.4).collect();
                assert_eq!(found, ["SW1A 1AA", "M1 1AE"], "{gap:?} {shift}");
            }
        }
    }

    #[test]
    fn word_longer_than_a_chunk_hides_nothing_after_it() {
        let text = "é".repeat(CHUNK) + " SW1A 1AA";
        assert_eq!(found(text.as_bytes()).len(), 1);
    }
}
