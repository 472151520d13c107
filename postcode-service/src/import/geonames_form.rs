//! How files of GeoNames are recognised.

/// Columns, between tabs: country, postal code, place, six of areas, latitude, longitude, accuracy.
pub(super) const COLUMNS: usize = 12;
const COUNTRIES: [&[u8]; 4] = [b"GB", b"GG", b"IM", b"JE"];

/// Returns whether a line of GeoNames is about the British Isles (`Some(true)`) or another country
/// (`Some(false)`); `None` if it is not a line of GeoNames.
pub(super) fn is_line(line: &[u8]) -> Option<bool> {
    let mut cells = line.split(|c| *c == b'\t');
    let country = cells.next().filter(|cell| cell.len() == 2 && cell.iter().all(u8::is_ascii_uppercase))?;
    // A line end cut off may take the last, empty, cell with it.
    matches!(cells.count() + 1, 11 | COLUMNS).then(|| COUNTRIES.contains(&country))
}

/// Returns whether a file has a name of GeoNames. Other `.txt` files are not read.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.strip_suffix(".TXT").is_some_and(|stem| {
        let country = stem.trim_end_matches("_FULL").rsplit('_').next().unwrap_or_default();
        COUNTRIES.contains(&country.as_bytes())
    })
}
