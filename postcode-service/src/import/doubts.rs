//! Reasons not to publish an edition: probable errors in it that have not been accepted.

use std::collections::BTreeMap;
use std::fmt;

use postcode_core::dataset::Dataset;
use postcode_core::{AreaKind, Status};
use serde::Serialize;

use super::coverage::{Coverage, has_names, is_pseudo};
use super::garbled::Wrong;

/// Findings of a kind that are kept one by one; those past them are counted.
const KEPT: u64 = 1_000;
/// Findings that an error lists.
const LISTED: usize = 20;
/// Live postcodes that may be without a name, and out of how many: ONS's own lists lack a code now
/// and then (in those of November 2025 `E40000010`).
const NAMELESS: (u64, u64) = (2, 1_000);
/// Codes that a finding names.
const EXAMPLES: usize = 5;

/// A kind of doubt, as `--accept` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// Markedly fewer postcodes, filled columns or names in a country than in the edition before.
    Losses,
    /// A column that ONS fills in every row is empty in all of them.
    Empty,
    /// Names are missing for codes in use.
    Unnamed,
    /// Text in a wrong encoding.
    Garbled,
    /// A byte-order mark within the data.
    Bom,
    /// A column that seems to hold a status, dates or positions is not understood.
    Unread,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Losses => "losses",
            Self::Empty => "empty",
            Self::Unnamed => "unnamed",
            Self::Garbled => "garbled",
            Self::Bom => "bom",
            Self::Unread => "unread",
        })
    }
}

/// A probable error and its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    pub doubt: Doubt,
    /// The description in one sentence, as `Display` prints it.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line number from 1, the header included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The code of a country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Finding {
    pub(super) fn new(doubt: Doubt, text: String) -> Self {
        Self { doubt, text, file: None, line: None, column: None, code: None, country: None }
    }

    /// Creates a doubt about a text in a file.
    pub(super) fn of_text(wrong: Wrong, (file, line): (&str, u64), column: &str, text: &str) -> Self {
        let (doubt, what) = match wrong {
            Wrong::Encoding => (Doubt::Garbled, "in a wrong encoding"),
            Wrong::ByteOrderMark => (Doubt::Bom, "a byte-order mark within the data"),
        };
        let shown: String = text.chars().take(60).map(|c| if c == '\u{feff}' { '·' } else { c }).collect();
        let mut finding = Self::new(doubt, format!("{file}:{line}: {column} \"{shown}\": {what}"));
        (finding.file, finding.line) = (Some(file.to_owned()), Some(line));
        finding.column = Some(column.to_owned());
        finding
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// All findings, up to a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// The first of each kind.
    pub kept: Vec<Finding>,
    /// How many there are of each kind.
    pub counts: BTreeMap<Doubt, u64>,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.doubt).or_default();
        *count += 1;
        if *count <= KEPT {
            self.kept.push(finding);
        }
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    /// Returns the kinds of doubt among them that are not accepted, in order.
    pub(super) fn not_accepted(&self, accepted: &[Doubt]) -> Vec<Doubt> {
        self.counts.keys().copied().filter(|doubt| !accepted.contains(doubt)).collect()
    }

    /// Returns the message why an edition with these doubts is not published, and how to publish
    /// it.
    pub(super) fn refusal(&self, doubts: &[Doubt]) -> String {
        let of = |finding: &&Finding| doubts.contains(&finding.doubt);
        let count: u64 = doubts.iter().filter_map(|doubt| self.counts.get(doubt)).sum();
        let mut message = format!("{count} doubts about this edition, nothing was published:");
        for finding in self.kept.iter().filter(of).take(LISTED) {
            message.push_str(&format!("\n  {finding} ({})", finding.doubt));
        }
        if count > LISTED as u64 {
            message.push_str("\n  … --report FILE keeps them all");
        }
        let accept: String = doubts.iter().map(|doubt| format!(" --accept {doubt}")).collect();
        message.push_str(&format!("\nif all is as it should be, publish with{accept}"));
        message
    }
}

/// Which kinds of area the input has names for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    /// Lists of names in the input.
    pub(super) lists: usize,
    pub(super) kinds: [bool; AreaKind::ALL.len()],
    pub(super) scottish: bool,
}

/// Finds codes of live postcodes without a name, if the input has lists of names. Without any list
/// an edition has codes only, on purpose.
pub(super) fn unnamed(dataset: &Dataset, coverage: &Coverage, listed: &Listed) -> Vec<Finding> {
    if listed.lists == 0 {
        return Vec::new();
    }
    // By kind: postcodes concerned, and by code as far as there is a list.
    let mut postcodes = [0u64; AreaKind::ALL.len()];
    let mut codes: BTreeMap<(AreaKind, String), u64> = BTreeMap::new();
    for record in dataset.iter().filter(|record| record.status == Status::Live) {
        for (kind, area) in record.areas.iter().filter(|(kind, area)| has_names(*kind) && area.name.is_none())
        {
            let Some(code) = area.code.filter(|code| !is_pseudo(code)) else { continue };
            postcodes[kind as usize] += 1;
            if listed.kinds[kind as usize] {
                *codes.entry((kind, code.to_owned())).or_default() += 1;
            }
        }
    }
    let scottish: Vec<String> = dataset
        .iter_scottish()
        .filter(|entry| entry.scottish_parliamentary_constituency.is_none())
        .filter_map(|entry| entry.codes.scottish_parliamentary_constituency)
        .collect();
    let of_kind = |kind: AreaKind| {
        let codes = codes.keys().filter(|(other, _)| *other == kind).map(|(_, code)| code.clone()).collect();
        (kind.key().to_owned(), postcodes[kind as usize], codes, listed.kinds[kind as usize])
    };
    let kinds = AreaKind::ALL.into_iter().map(of_kind);
    let distinct: std::collections::BTreeSet<String> = scottish.iter().cloned().collect();
    let scotland = (
        "scottish_parliamentary_constituency".to_owned(),
        scottish.len() as u64,
        distinct.into_iter().collect::<Vec<_>>(),
        listed.scottish,
    );
    let tolerable = |postcodes: u64| postcodes <= NAMELESS.0 && postcodes * NAMELESS.1 <= coverage.live();
    kinds
        .chain([scotland])
        .filter(|(_, postcodes, ..)| !tolerable(*postcodes))
        .map(|(column, postcodes, codes, has_list)| nameless(column, postcodes, &codes, has_list))
        .collect()
}

fn nameless(column: String, postcodes: u64, codes: &[String], has_list: bool) -> Finding {
    let text = if has_list {
        let some = codes.iter().take(EXAMPLES).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if codes.len() > EXAMPLES { ", …" } else { "" };
        let count = codes.len();
        format!("{column}: no name for {count} codes that {postcodes} live postcodes have: {some}{more}")
    } else {
        format!(
            "{column}: no list of names among those of the input, and {postcodes} live postcodes have a code"
        )
    };
    let mut finding = Finding::new(Doubt::Unnamed, text);
    finding.column = Some(column);
    finding.code = codes.first().cloned();
    finding
}
