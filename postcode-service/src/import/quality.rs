//! Positional quality: how a postcode's grid reference was found.

use super::row::digits;

/// ONSPD's `osgrdind`, 1 (within the building of the matched address nearest to the postcode's
/// mean) to 9 (none).
pub(super) fn of_onspd(cell: &[u8]) -> Option<u8> {
    digits(cell).filter(|quality| (1..=9).contains(quality)).map(|quality| quality as u8)
}

/// Code-Point Open's positional quality indicator: the same scale in tens, 10 to 90 (Code-Point
/// Open technical specification).
pub(super) fn of_code_point_open(cell: &[u8]) -> Option<u8> {
    let tens = digits(cell).filter(|quality| quality % 10 == 0)?;
    (1..=9).contains(&(tens / 10)).then_some((tens / 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scales_are_one() {
        assert_eq!(
            (of_onspd(b"1"), of_onspd(b"9"), of_onspd(b"0"), of_onspd(b"10")),
            (Some(1), Some(9), None, None)
        );
        assert_eq!(of_code_point_open(b"10"), Some(1));
        assert_eq!(of_code_point_open(b"90"), Some(9));
        assert_eq!(
            (of_code_point_open(b"15"), of_code_point_open(b"0"), of_code_point_open(b"100")),
            (None, None, None)
        );
    }
}
