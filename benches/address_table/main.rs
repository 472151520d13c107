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
    let mut read = 0_u64;
    for postcode in file.postcodes() {
        if file.get(postcode)?.is_some_and(|addresses| addresses.left() == 18) {
            eighteen.push(postcode);
        }
    }
    fastrand::Rng::with_seed(1).shuffle(&mut eighteen);
    eighteen.truncate(20_000);
    anyhow::ensure!(!eighteen.is_empty(), "no postcode has 18 addresses: make more");
    let rounds = 5;
    let mut best = [Duration::MAX; 3];
    for _ in 0..rounds {
        let began = Instant::now();
        for postcode in &eighteen {
            let mut addresses = file.get(*postcode)?.context("a postcode is gone")?;
            while let Some(address) = addresses.next()? {
                read = read.wrapping_add(address.building_number.len() as u64);
            }
        }
        best[0] = best[0].min(began.elapsed());
        let began = Instant::now();
        for postcode in &eighteen {
            read += file.get(*postcode)?.context("a postcode is gone")?.collect()?.len() as u64;
        }
        best[1] = best[1].min(began.elapsed());
        let began = Instant::now();
        let mut text = String::new();
        for postcode in &eighteen {
            let mut addresses = file.get(*postcode)?.context("a postcode is gone")?;
            while let Some(address) = addresses.next()? {
                text.clear();
                address.write_lines(Style::Guide, &mut text);
                read = read.wrapping_add(text.len() as u64);
            }
        }
        best[2] = best[2].min(began.elapsed());
    }
    let count = eighteen.len() as u64;
    writeln!(out, "18 addresses of a postcode at random: decoded in {:.0} ns", per(best[0], count))?;
    writeln!(out, "  decoded into owned values in {:.0} ns", per(best[1], count))?;
    writeln!(out, "  decoded and written as lines in {:.0} ns", per(best[2], count))?;
    let mut numbers = Vec::new();
    for postcode in eighteen.iter().take(10_000) {
        let addresses = file.get(*postcode)?.context("a postcode is gone")?.collect()?;
        numbers.extend(addresses.iter().take(1).filter_map(|address| address.udprn));
    }
    let began = Instant::now();
    for udprn in &numbers {
        anyhow::ensure!(file.find(AddressNumber::Udprn(*udprn))?.len() == 1, "UDPRN {udprn} is not found");
    }
    writeln!(out, "an address by its UDPRN in {:.0} ns", per(began.elapsed(), numbers.len() as u64))?;
    std::hint::black_box((read, digest));
    Ok(())
}
