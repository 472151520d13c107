//! The fuzz targets of postcode-addresses: functions that must not panic for any bytes.
//!
//! `cargo fuzz` runs them with a nightly toolchain. `tests/it/fuzz_corpora.rs` runs them on stable over the corpora and over
//! mutations of them, so this file may only use crates that both have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a panic is how a fuzz target reports"
)]

use std::sync::atomic::AtomicBool;

use postcode_addresses::elements::Elements;
use postcode_addresses::layouts::{self, Options};
use postcode_addresses::{Address, Style, format, order};

/// Reads text as elements and as lines, and writes it in all styles.
pub fn address_lines(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut addresses: Vec<Address> = text.lines().map(format::parse).collect();
    addresses
        .extend(text.lines().filter_map(|line| serde_json::from_str::<Elements>(line).ok()?.try_into().ok()));
    for address in &mut addresses {
        for style in Style::ALL {
            for most in [1, 3, 9] {
                assert!(address.lines(style, most).len() <= most);
            }
        }
        format::title_case_address(address);
        let _ = address.single_line();
    }
    order::sort(&mut addresses);
    assert!(addresses.windows(2).all(|pair| {
        let child =
            pair.iter().any(|address| address.dataset == postcode_addresses::Dataset::MultipleResidence);
        child || order::compare(&pair[0], &pair[1]).is_le()
    }));
}

/// Reads a folder of publishers' files. The bytes are the files, with a line of `===` and the name in front of each.
pub fn address_files(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let marker = b"===";
    let mut rest = data;
    let mut number = 0;
    while let Some(at) = rest.windows(marker.len()).position(|window| window == marker) {
        rest = &rest[at + marker.len()..];
        let end = rest.windows(marker.len()).position(|window| window == marker).unwrap_or(rest.len());
        let file = &rest[..end];
        let split = file.iter().position(|&byte| byte == b'\n').unwrap_or(file.len());
        let name: String = String::from_utf8_lossy(&file[..split])
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '.' | '_' | '-'))
            .take(60)
            .collect();
        number += 1;
        let name = if name.trim_matches(['.', ' ']).is_empty() { format!("{number}.csv") } else { name };
        std::fs::write(folder.path().join(name), file.get(split + 1..).unwrap_or_default()).unwrap();
        if number > 12 {
            break;
        }
    }
    let mut addresses = 0;
    let inputs = [folder.path().to_owned()];
    let read = layouts::read(&inputs, &Options::default(), &AtomicBool::new(false), &mut |address| {
        assert!(!address.texts().iter().any(|text| text.chars().any(char::is_control)), "{address:?}");
        addresses += 1;
        Ok(())
    });
    if let Ok(report) = read {
        assert_eq!(report.total(), addresses);
        assert!(report.total() > 0);
    }
}
