//! Cases for `place`, `places`, `random_place` and `scottish_postcode`.

use super::suite::{Checked, Suite, equal, holds, postcode, refused};
use crate::{ErrorKind, MAX_LIMIT, MAX_QUERY, PlaceQuery, PostcodeLookup, Result};

/// Names, parts of names, and texts that are neither.
const TEXTS: &[&str] = &[
    "newport",
    "NEWPORT",
    " Newport ",
    "newport pagnell",
    "pagnell newport",
    "pagnell",
    "new",
    "newp",
    "bridge",
    "bridge of",
    "bridge allan",
    "allan",
    "of",
    "groes",
    "llwyn y groes",
    "Llwyn-y-groes",
    "llwyn-y",
    "dre goch",
    "dre-gôch",
    "gôch",
    "goch",
    "taobh a' chaolais",
    "taobh a chaolais",
    "kilbride",
    "kilb",
    "east",
    "ca",
    "carn",
    "cym",
    "st johns",
    "st john's",
    "St John’s",
    "brough",
    "b",
    "n",
    "'",
    "-",
    "--",
    "",
    " ",
    "\t\n\u{feff}",
    "%",
    "_",
    "a & b",
    "\0",
    "ÿ",
    "../places",
    "?q=1&limit=2",
    "\u{1f4ee}",
];

pub(super) async fn by_code(suite: &Suite<'_>) -> Checked {
    for place in suite.fixture.places() {
        equal(&place.code, &suite.lookup.place(&place.code).await?, &Some(place.clone()))?;
        let upper = place.code.to_uppercase();
        equal(&upper, &suite.lookup.place(&upper).await?, &Some(place.clone()))?;
    }
    let longest = "x".repeat(MAX_QUERY);
    for code in ["osgb9999", "", " ", ".", "..", "/", "osgb1001/", " osgb1001", "%", "é", "\0", &longest] {
        equal(code, &suite.lookup.place(code).await?, &None)?;
    }
    refused("257 bytes", suite.lookup.place(&"x".repeat(MAX_QUERY + 1)).await)
}

pub(super) async fn search(suite: &Suite<'_>) -> Checked {
    for text in TEXTS {
        for limit in [1, 2, 10, MAX_LIMIT] {
            let got = suite.lookup.places(text, limit).await?;
            equal((text, limit), &got, &suite.reference.places(text, limit).await?)?;
        }
    }
    Ok(())
}

/// Texts as people type them, right and wrong.
const TYPED: &[&str] = &[
    "newp",
    "new port",
    "newportpag",
    "newport pag",
    "pag newp",
    "neport",
    "enwport",
    "newpotr pagnel",
    "caernafon",
    "carnarvn",
    "llwynygroes",
    "llywn y groes",
    "dre go\u{302}ch",
    "drego",
    "bridge allen",
    "saint johns",
    "st. john",
    "inis lith",
    "isle leith",
    "orkny",
    "ork",
    "leid",
    "bruogh",
    "kilbrdie",
    "xyzzy",
];

pub(super) async fn find(suite: &Suite<'_>) -> Checked {
    for text in TEXTS.iter().chain(TYPED) {
        for limit in [1, 3, MAX_LIMIT] {
            let query = PlaceQuery::new(*text).limit(limit);
            let got = suite.lookup.find_places(&query).await?;
            equal(&query, &got, &suite.reference.find_places(&query).await?)?;
        }
    }
    Ok(())
}

pub(super) async fn find_filtered(suite: &Suite<'_>) -> Checked {
    for text in ["n", "newport", "brough", "leith", "neport", "b"] {
        for within in [None, Some("orkney"), Some("great-britain"), Some("Edinburgh"), Some(""), Some("\0")] {
            for local_type in [None, Some("town"), Some("Suburban area"), Some("ISLAND"), Some(""), Some("x")]
            {
                let query = PlaceQuery {
                    within: within.map(str::to_owned),
                    local_type: local_type.map(str::to_owned),
                    ..PlaceQuery::new(text)
                };
                let got = suite.lookup.find_places(&query).await?;
                equal(&query, &got, &suite.reference.find_places(&query).await?)?;
            }
        }
    }
    Ok(())
}

pub(super) async fn find_limits(suite: &Suite<'_>) -> Checked {
    let long = "x".repeat(MAX_QUERY + 1);
    let newport = || PlaceQuery::new("newport");
    for query in [
        newport().limit(0),
        newport().limit(MAX_LIMIT + 1),
        newport().limit(usize::MAX),
        PlaceQuery::new(&long),
        newport().within(&long),
        newport().local_type(&long),
    ] {
        refused(&query, suite.lookup.find_places(&query).await)?;
    }
    Ok(())
}

pub(super) async fn postcodes(suite: &Suite<'_>) -> Checked {
    let answer = |answer: Result<_>| answer.map_err(|error| error.kind());
    let longest = "x".repeat(MAX_QUERY);
    let places = suite.fixture.places().chain(suite.fixture.wider_places()).map(|place| place.code.as_str());
    for code in places.chain(["OSGB1014", "osgb9999", "", "..", "/", "é", "\0", &longest]) {
        for limit in [1, 10, MAX_LIMIT] {
            for after in [None, Some("LS9 0AA"), Some("LS9 1LN"), Some("ZE1 0AA")] {
                let after = after.map(postcode).transpose()?;
                let got = answer(suite.lookup.place_postcodes(code, after, limit).await);
                let due = answer(suite.reference.place_postcodes(code, after, limit).await);
                // An area has no box, which is not a fault of the implementation.
                if got == Err(ErrorKind::NotSupported) && due != got {
                    suite.lookup.place_postcodes(code, after, limit).await?;
                }
                equal((code, after, limit), &got, &due)?;
            }
        }
    }
    refused("257 bytes", suite.lookup.place_postcodes(&"x".repeat(MAX_QUERY + 1), None, 10).await)?;
    refused("0", suite.lookup.place_postcodes("osgb1014", None, 0).await)?;
    refused("101", suite.lookup.place_postcodes("osgb1014", None, MAX_LIMIT + 1).await)
}

pub(super) async fn limits(suite: &Suite<'_>) -> Checked {
    for limit in [0, MAX_LIMIT + 1, usize::MAX] {
        refused(("newport", limit), suite.lookup.places("newport", limit).await)?;
    }
    refused("257 bytes", suite.lookup.places(&"x".repeat(MAX_QUERY + 1), 10).await)
}

pub(super) async fn random(suite: &Suite<'_>) -> Checked {
    for _ in 0..5 {
        let got = suite.lookup.random_place().await?;
        let known = got.as_ref().is_some_and(|got| suite.fixture.places().any(|place| place == got));
        holds(known, || format!("{got:?}, which is not one of the places"))?;
    }
    Ok(())
}

pub(super) async fn scottish(suite: &Suite<'_>) -> Checked {
    for entry in suite.fixture.scottish() {
        let got = suite.lookup.scottish_postcode(entry.postcode).await?;
        equal(entry.postcode, &got, &Some(entry.clone()))?;
    }
    for text in ["M1 1AD", "EH1 1AB", "ZE1 0AA", "BT1 1AA", "GIR 0AA"] {
        equal(text, &suite.lookup.scottish_postcode(postcode(text)?).await?, &None)?;
    }
    Ok(())
}
