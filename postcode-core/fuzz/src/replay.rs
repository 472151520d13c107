//! Runs a fuzz target on stable: over its corpus, and over mutations of it that are the same each
//! time.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a helper of tests")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// Pieces that matter to one parser or another.
const PIECES: [&str; 30] = [
    "SW1A 1AA",
    "M1 1AE",
    "BT1 5GS",
    "\"",
    "\"\"",
    ",",
    ";",
    "\n",
    "\r\n",
    "\0",
    "{",
    "}",
    "[",
    "]",
    "\\u0000",
    "null",
    "-1",
    "1e400",
    "18446744073709551616",
    "%",
    "%00",
    "%F0%9F%98%80",
    "&",
    "=",
    "é",
    "\u{feff}",
    "\u{2028}",
    "[0]",
    "NaN",
    "0x7f.1",
];

/// Runs `target` over each file of `corpus`, and over `rounds` mutations. Shows an input that makes
/// it panic.
///
/// # Panics
/// Panics if the target does, or if the corpus is empty.
pub fn replay(corpus: &Path, rounds: usize, target: fn(&[u8])) {
    let mut seeds: Vec<Vec<u8>> = std::fs::read_dir(corpus)
        .unwrap_or_else(|e| panic!("{}: {e}", corpus.display()))
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{}: no corpus", corpus.display());
    // Folders are not sorted.
    seeds.sort();
    seeds.iter().for_each(|seed| run(target, seed));
    let mut rng = fastrand::Rng::with_seed(10);
    for _ in 0..rounds {
        let mut input = rng.choice(&seeds).cloned().unwrap_or_default();
        for _ in 0..rng.usize(1..=6) {
            mutate(&mut input, &seeds, &mut rng);
        }
        run(target, &input);
    }
}

fn run(target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        println!("the input: {:?}", input.escape_ascii().to_string());
        resume_unwind(panic);
    }
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut fastrand::Rng) {
    let at = rng.usize(..=input.len());
    match rng.u8(..8) {
        0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
        1 if at < input.len() => input[at] = rng.u8(..),
        2 => input.truncate(at),
        3 => {
            let end = (at + rng.usize(..=16)).min(input.len());
            input.drain(at..end);
        }
        4 => {
            let piece = rng.choice(PIECES).unwrap_or_default();
            input.splice(at..at, piece.bytes());
        }
        5 => {
            let end = (at + rng.usize(..=64)).min(input.len());
            let part = input[at..end].repeat(rng.usize(1..=20));
            input.splice(at..at, part);
        }
        6 => {
            let other = rng.choice(seeds).map(Vec::as_slice).unwrap_or_default();
            let from = rng.usize(..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => input.insert(at, rng.u8(..)),
    }
    // Repeated repetition grows fast; input from outside has a limit too.
    input.truncate(64 << 10);
}
