//! Traits that every value implements by its text: `Display`, `FromStr`, `TryFrom<&str>` and serde.

use std::fmt;

use super::{Bfpo, Outcode, ParseError, PostalCode, Postcode, PostcodeArea, Sector, TerritoryCode, explain};

/// The beginning of a text, for messages: the input may be megabytes long.
struct Excerpt<'a>(&'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(40) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

macro_rules! by_text {
    ($type:ty, $text:ident, $parse:path, $expecting:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.$text())
            }
        }

        impl std::str::FromStr for $type {
            type Err = ParseError;
            fn from_str(s: &str) -> Result<Self, ParseError> {
                $parse(s)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = ParseError;
            fn try_from(s: &str) -> Result<Self, ParseError> {
                $parse(s)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.$text())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct TextVisitor;
                impl serde::de::Visitor<'_> for TextVisitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, s: &str) -> Result<$type, E> {
                        let excerpt = Excerpt(s);
                        $parse(s).map_err(|e| E::custom(format_args!("{excerpt}: {e}")))
                    }
                }
                deserializer.deserialize_str(TextVisitor)
            }
        }
    };
}

/// Implements `Debug` like `Postcode(SW1A 1AA)`.
macro_rules! debug_by_text {
    ($($type:ty),*) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }
    )*};
}

by_text!(Postcode, spaced, explain::postcode, "a postcode such as \"SW1A 1AA\"");
by_text!(Outcode, text, explain::outcode, "an outcode such as \"SW1A\"");
by_text!(Sector, text, explain::sector, "a postcode sector such as \"SW1A 1\"");
by_text!(PostcodeArea, code, explain::area, "a postcode area such as \"SW\"");
by_text!(Bfpo, text, explain::bfpo, "a BFPO number such as \"BFPO 801\"");
by_text!(TerritoryCode, text, explain::territory, "an overseas territory's code such as \"FIQQ 1ZZ\"");
by_text!(
    PostalCode,
    text,
    explain::postal_code,
    "a UK postal code such as \"SW1A 1AA\", \"SW1A\" or \"BFPO 801\""
);
debug_by_text!(Postcode, Outcode, Sector, PostcodeArea, Bfpo, TerritoryCode);
