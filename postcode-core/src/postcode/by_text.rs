//! What every value here does by its text: `Display`, `FromStr`, `TryFrom<&str>` and serde.

use std::fmt;

/// The beginning of a text, for messages: what was given may be megabytes.
pub(super) struct Excerpt<'a>(pub(super) &'a str);

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
            type Err = $crate::postcode::ParseError;
            fn from_str(s: &str) -> Result<Self, $crate::postcode::ParseError> {
                $parse(s)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = $crate::postcode::ParseError;
            fn try_from(s: &str) -> Result<Self, $crate::postcode::ParseError> {
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
                        let excerpt = $crate::postcode::by_text::Excerpt(s);
                        $parse(s).map_err(|e| E::custom(format_args!("{excerpt}: {e}")))
                    }
                }
                deserializer.deserialize_str(TextVisitor)
            }
        }
    };
}

/// `Debug` as `Postcode(SW1A 1AA)`.
macro_rules! debug_by_text {
    ($($type:ty),*) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }
    )*};
}

pub(super) use {by_text, debug_by_text};
