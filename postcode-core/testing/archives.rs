//! Packed files, as publishers and spreadsheets make them.

use std::io::{Cursor, Write};

/// Packs bytes with gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// Packs bytes with brotli (RFC 7932), without making them smaller.
pub fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (n, chunk) in bytes.chunks(1 << 16).enumerate() {
        // A window of 64 KiB with the first block; a block that is not the last, its length, and that it is not compressed.
        let header = (chunk.len() as u32 - 1) << 3 | 1 << 19;
        let header = if n == 0 { header << 1 } else { header };
        packed.extend_from_slice(&header.to_le_bytes()[..3]);
        packed.extend_from_slice(chunk);
    }
    // The last block is empty.
    packed.push(if bytes.is_empty() { 6 } else { 3 });
    packed
}

/// Packs files, given by name and content, as a zip.
pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
