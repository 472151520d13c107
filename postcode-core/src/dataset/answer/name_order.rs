//! Sorts names in lists by letters first, and by accents and case only between equal ones.

use crate::matching::place_name::without_accent;

/// A key that sorts names the way `en_US.UTF-8` does for names of British areas: spaces and punctuation before digits
/// before letters, letters regardless of accents and case; where those are equal, plain before accented
/// letters and small before capital ones.
pub(crate) fn key(name: &str) -> (String, Vec<u8>) {
    let mut letters = String::with_capacity(name.len());
    let mut marks = Vec::with_capacity(name.len());
    for c in name.chars() {
        let lower = c.to_lowercase().next().unwrap_or(c);
        let plain = without_accent(lower);
        letters.push(plain);
        marks.push(u8::from(plain != lower) * 2 + u8::from(c != lower));
    }
    (letters, marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_come_last() {
        let mut names = [
            "Ynys Môn",
            "Yoxford",
            "ynys",
            "Ynys mon",
            "St. Ives",
            "St Ives",
            "Staines",
            "Ash",
            "Ashby",
            "1 Ward",
        ];
        names.sort_by_key(|name| key(name));
        let expected = [
            "1 Ward",
            "Ash",
            "Ashby",
            "St Ives",
            "St. Ives",
            "Staines",
            "ynys",
            "Ynys mon",
            "Ynys Môn",
            "Yoxford",
        ];
        assert_eq!(names, expected);
    }
}
