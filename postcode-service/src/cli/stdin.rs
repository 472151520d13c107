//! Texts from the command line and from standard input, which is read if nothing is given and it is
//! not a terminal.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};

use anyhow::{Context, bail};
use tokio::io::{BufReader, Stdin};

use super::lines::{Lines, Unread};

/// Texts that are handled together.
const BATCH: usize = 1_000;

/// A text of the command line, or all lines of standard input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    Text(String),
    Lines,
}

/// Returns the inputs that the arguments name. Without arguments it is standard input, unless a
/// person would have to notice that the program waits for it.
pub(super) fn inputs(name: &str, arguments: Vec<String>) -> anyhow::Result<Vec<Input>> {
    if arguments.is_empty() {
        if io::stdin().is_terminal() {
            bail!("give a {name}, or - to type one a line (see --help)");
        }
        return Ok(vec![Input::Lines]);
    }
    let input = |text| if text == "-" { Input::Lines } else { Input::Text(text) };
    Ok(arguments.into_iter().map(input).collect())
}

/// The texts in batches. From a terminal each line is a batch, so that it is answered at once.
pub(super) struct Batches {
    inputs: VecDeque<Input>,
    lines: Option<Lines<BufReader<Stdin>>>,
    size: usize,
}

impl Batches {
    pub(super) fn new(inputs: Vec<Input>) -> Self {
        let typed = inputs.contains(&Input::Lines) && io::stdin().is_terminal();
        Self { inputs: inputs.into(), lines: None, size: if typed { 1 } else { BATCH } }
    }

    /// Returns the next texts, or `None` at the end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Vec<Result<String, Unread>>>> {
        let mut batch = Vec::new();
        while batch.len() < self.size {
            if let Some(lines) = &mut self.lines {
                match lines.next().await.context("standard input")? {
                    Some(line) => batch.push(line),
                    None => self.lines = None,
                }
                continue;
            }
            match self.inputs.pop_front() {
                Some(Input::Text(text)) => batch.push(Ok(text)),
                Some(Input::Lines) => {
                    let input = BufReader::with_capacity(64 * 1024, tokio::io::stdin());
                    self.lines = Some(Lines::new(input));
                }
                None => break,
            }
        }
        Ok(if batch.is_empty() { None } else { Some(batch) })
    }
}
