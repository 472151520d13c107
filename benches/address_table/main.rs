//! Writes a file of invented addresses, and prints its bytes an address and the times of reading it.
//!
//!     cargo run --release -p benches --bin address_table -- 1000000 [--uprn] [--keep uk.addresses]

mod country;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use country::Country;
use postcode_addresses::AddressNumber;
use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
use postcode_addresses::format::Style;
use postcode_core::Postcode;

/// Measure a file of invented addresses.
#[derive(Parser)]
struct Args {
    /// How many addresses
    #[arg(default_value_t = 1_000_000)]
    addresses: u64,
    /// Give each address a UPRN too
    #[arg(long)]
    uprn: bool,
    /// Keep the file here
    #[arg(long)]
    keep: Option<PathBuf>,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn per(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count.max(1) as f64
}

/// Processor time of this thread, where the system tells it, so that other programs on the machine count less.
fn processor() -> Duration {
    // The system counts up to the last switch to another thread.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    static BEGAN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    spent.map_or_else(|| BEGAN.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// The least processor time of some rounds, and the last result.
fn best(mut work: impl FnMut() -> anyhow::Result<u64>) -> anyhow::Result<(Duration, u64)> {
    const ROUNDS: usize = 9;
    let mut best = (Duration::MAX, 0);
    for _ in 0..ROUNDS {
        let began = processor();
        let result = work()?;
        best = (best.0.min(processor().saturating_sub(began)), result);
    }
    Ok(best)
}

/// Reads a byte at a random place of the file, whose value leads to the next.
fn walk(bytes: &[u8], steps: u64) -> u64 {
    let mut at = 0_u64;
    for step in 0..steps {
        let mixed = (at ^ step).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        at = mixed.wrapping_add(u64::from(bytes[(mixed % bytes.len() as u64) as usize]));
    }
    at
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let folder = tempfile::tempdir()?;
    let path = args.keep.clone().unwrap_or_else(|| folder.path().join("invented.addresses"));
    let began = Instant::now();
    let mut digest = 0_u64;
    let country = || Country::new(args.seed, args.uprn);
    let made = country().addresses(args.addresses, |address| {
        digest = digest.wrapping_add(u64::from(address.udprn.unwrap_or_default()));
        Ok(())
    })?;
    let generating = began.elapsed();
    let began = Instant::now();
    let mut writer = AddressWriter::new(std::fs::File::create(&path)?, Metadata::new("invented"))?;
    country().addresses(args.addresses, |address| Ok(writer.push(address)?))?;
    let (file, metadata) = writer.finish()?;
    file.sync_all()?;
    let writing = began.elapsed();

    let began = Instant::now();
    let file = AddressFile::open(&path)?;
    let opening = began.elapsed();
    let began = Instant::now();
    file.verify_checksums()?;
    let checksums = began.elapsed();
    let began = Instant::now();
    file.verify()?;
    let verifying = began.elapsed();

    let mut out = std::io::stdout().lock();
    let bytes = file.as_bytes().len() as f64;
    writeln!(
        out,
        "{made} addresses in {} postcodes: {:.2} bytes each",
        metadata.postcodes,
        bytes / made as f64
    )?;
    for section in file.summary().sections {
        writeln!(out, "  {:28}{:8.3} bytes an address", section.name, section.bytes as f64 / made as f64)?;
    }
    writeln!(out, "generating {generating:.1?}; generating and writing {writing:.1?}")?;
    writeln!(out, "open {opening:.1?}, checksums {checksums:.1?}, verify {verifying:.1?}")?;

    // Postcodes of exactly 18 addresses, far from each other.
    let mut eighteen: Vec<Postcode> = Vec::new();
    for postcode in file.postcodes() {
        if file.get(postcode)?.is_some_and(|addresses| addresses.left() == 18) {
            eighteen.push(postcode);
        }
    }
    fastrand::Rng::with_seed(1).shuffle(&mut eighteen);
    eighteen.truncate(20_000);
    anyhow::ensure!(!eighteen.is_empty(), "no postcode has 18 addresses: make more");
    let get = |postcode: &Postcode| file.get(*postcode)?.context("a postcode is gone");
    let decoded = best(|| {
        eighteen.iter().try_fold(0, |mut read, postcode| {
            let mut addresses = get(postcode)?;
            while let Some(address) = addresses.next()? {
                read += address.building_number.len() as u64;
            }
            Ok(read)
        })
    })?;
    let owned = best(|| {
        eighteen.iter().try_fold(0, |read, postcode| Ok(read + get(postcode)?.collect()?.len() as u64))
    })?;
    let written = best(|| {
        let mut text = String::new();
        eighteen.iter().try_fold(0, |mut read, postcode| {
            let mut addresses = get(postcode)?;
            while let Some(address) = addresses.next()? {
                text.clear();
                address.write_lines(Style::Guide, &mut text);
                read += text.len() as u64;
            }
            Ok(read)
        })
    })?;
    let count = eighteen.len() as u64;
    // What the machine takes for ten reads far from each other, one after the other, now.
    let walked = best(|| Ok(walk(file.as_bytes(), 10 * count)))?;
    let times = |time: Duration| format!("{:.1} times that", per(time, count) / per(walked.0, count));
    writeln!(
        out,
        "processor time, the least of nine rounds over {count} postcodes of 18 addresses at random:"
    )?;
    writeln!(out, "  ten dependent reads of the file at random: {:.0} ns", per(walked.0, count))?;
    for (what, (time, _)) in [
        ("decoded", decoded),
        ("decoded into owned values", owned),
        ("decoded and written as lines", written),
    ] {
        writeln!(out, "  {what}: {:.0} ns, {}", per(time, count), times(time))?;
    }
    let mut numbers = Vec::new();
    for postcode in eighteen.iter().take(10_000) {
        let addresses = file.get(*postcode)?.context("a postcode is gone")?.collect()?;
        numbers.extend(addresses.iter().take(1).filter_map(|address| address.udprn));
    }
    let found = best(|| {
        for udprn in &numbers {
            anyhow::ensure!(
                file.find(AddressNumber::Udprn(*udprn))?.len() == 1,
                "UDPRN {udprn} is not found"
            );
        }
        Ok(numbers.len() as u64)
    })?;
    let (time, count) = found;
    writeln!(out, "  an address by its UDPRN: {:.0} ns", per(time, count))?;
    std::hint::black_box((decoded.1, owned.1, written.1, walked.1, digest));
    Ok(())
}
