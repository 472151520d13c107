//! The answer root: hashes over all answers of a service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// The most nodes whose children one request may ask for.
pub const MAX_PROOF_NODES: usize = 64;
/// The node that all others are below.
pub const PROOF_ROOT: &str = "root";
/// Query parameter: the nodes whose children are asked for, with commas.
pub const PROOF_OF: &str = "of";

/// A SHA-256, written as 64 hexadecimal digits.
///
/// ```
/// use postcode_core::wire::Digest;
///
/// let digest = Digest([0xab; 32]);
/// assert_eq!(digest.to_string(), "ab".repeat(32));
/// assert_eq!("ab".repeat(32).parse::<Digest>()?, digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid(format!("{:?}: not a hash of 64 hexadecimal digits", short(text)));
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(wrong());
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8).ok_or_else(wrong);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The result of `GET /proof`.
///
/// ```
/// use postcode_core::wire::{Digest, ProofBody, ProofNode};
///
/// let children = vec![("area SW".to_owned(), Digest([1; 32]))];
/// let body = ProofBody { version: 1, root: Digest([0; 32]), nodes: vec![ProofNode { of: "root".to_owned(), children }] };
/// let text = serde_json::to_string(&body)?;
/// assert_eq!(serde_json::from_str::<ProofBody>(&text)?, body);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofBody {
    /// The version of the canonical form. Roots of two versions can't be compared.
    pub version: u32,
    /// The hash of all answers.
    pub root: Digest,
    /// The nodes that were asked for, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<ProofNode>,
}

/// A node of the tree of hashes.
///
/// ```
/// use postcode_core::wire::ProofNode;
///
/// let missing = ProofNode { of: "outcode ZZ9".to_owned(), children: Vec::new() };
/// assert!(missing.children.is_empty()); // there is no such node
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofNode {
    /// The name, such as `root`, `area SW`, `outcode SW1A` or `sector SW1A 1`.
    pub of: String,
    /// The children with their hashes. Empty if there is no such node.
    pub children: Vec<(String, Digest)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_reads_what_it_writes_and_refuses_the_rest() {
        let digest = Digest(std::array::from_fn(|n| n as u8 * 7));
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        for wrong in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"a".repeat(65)] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
