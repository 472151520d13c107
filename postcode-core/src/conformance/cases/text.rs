//! Cases for `autocomplete` and `search`.

use super::suite::{Checked, Suite, equal, refused};
use crate::{MAX_LIMIT, MAX_QUERY, PostcodeLookup};

/// Partial texts for every way that a search can go: outcode, two words, neither.
const TEXTS: &[&str] = &[
    "M",
    "M1",
    "M11",
    "M1 1",
    "M11A",
    "M1 1A",
    "M1 1AD",
    "M11AD",
    "M9",
    "S",
    "SE1",
    "SE1 ",
    "SW1A",
    "SW1A 2",
    "E",
    "EH",
    "EH1 1",
    "LS",
    "LS9",
    "LS9 0",
    "LS9 1F",
    "LS99",
    "JE2",
    "NPT",
    "AB1",
    "AB10",
    "GIR",
    "ZE",
    "1",
    "0",
    "9",
    "1AA",
    "AA",
    "ZZ",
    "A A",
    "M1 1AD M1",
    "Z",
];

/// Other texts that a user may type.
const NONSENSE: &[&str] = &[
    " ",
    "\t\n",
    "%",
    "/",
    "?q=1&limit=2",
    "..",
    "%2F%00",
    "\0",
    "M1\0",
    "é",
    "ß",
    "№",
    "ＭＩ",
    "\u{feff}M1",
    "M1\u{85}",
    "M1\u{a0}1AD",
    "'; DROP TABLE postcodes; --",
    "M_1 1",
    "\u{1f4ee}",
    "null",
    "-1",
    "SW1A1AA9",
];

const LIMITS: [usize; 4] = [1, 2, 10, MAX_LIMIT];

pub(super) async fn autocomplete(suite: &Suite<'_>) -> Checked {
    for text in TEXTS.iter().chain(&[""]) {
        for limit in LIMITS {
            let got = suite.lookup.autocomplete(text, limit).await?;
            equal((text, limit), &got, &suite.reference.autocomplete(text, limit).await?)?;
        }
    }
    Ok(())
}

pub(super) async fn autocomplete_ignores_case_and_spaces(suite: &Suite<'_>) -> Checked {
    for text in ["m1 1ad", "M11AD", " m 1 1 a d ", "sw1a", "S W1A", "ls9 0", "Ls90"] {
        let got = suite.lookup.autocomplete(text, 10).await?;
        equal(text, &got, &suite.reference.autocomplete(text, 10).await?)?;
    }
    Ok(())
}

pub(super) async fn autocomplete_of_nonsense(suite: &Suite<'_>) -> Checked {
    let longest = "x".repeat(MAX_QUERY);
    for text in NONSENSE.iter().copied().chain([longest.as_str()]) {
        let got = suite.lookup.autocomplete(text, 10).await?;
        equal(text, &got, &suite.reference.autocomplete(text, 10).await?)?;
    }
    Ok(())
}

pub(super) async fn autocomplete_limits(suite: &Suite<'_>) -> Checked {
    for limit in [0, MAX_LIMIT + 1, usize::MAX] {
        refused(("M1", limit), suite.lookup.autocomplete("M1", limit).await)?;
    }
    refused("257 bytes", suite.lookup.autocomplete(&"x".repeat(MAX_QUERY + 1), 10).await)?;
    // 129 characters, but too many bytes.
    refused("258 bytes", suite.lookup.autocomplete(&"é".repeat(129), 10).await)
}

pub(super) async fn search(suite: &Suite<'_>) -> Checked {
    for text in TEXTS.iter().chain(NONSENSE) {
        for limit in LIMITS {
            let got = suite.lookup.search(text, limit).await?;
            equal((text, limit), &got, &suite.reference.search(text, limit).await?)?;
        }
    }
    Ok(())
}

pub(super) async fn search_limits(suite: &Suite<'_>) -> Checked {
    for limit in [0, MAX_LIMIT + 1, usize::MAX] {
        refused(("M1", limit), suite.lookup.search("M1", limit).await)?;
    }
    refused("257 bytes", suite.lookup.search(&"x".repeat(MAX_QUERY + 1), 10).await)
}
