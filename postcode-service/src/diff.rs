//! Compares two editions: introduced, terminated, moved and re-coded postcodes.

use std::collections::BTreeMap;
use std::fmt;

use postcode_core::dataset::Dataset;
use postcode_core::{AreaKind, Location, Postcode, Record, Status};
use serde::Serialize;

/// One change at a postcode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub postcode: Postcode,
    #[serde(flatten)]
    pub what: What,
}

/// The differences between two datasets.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum What {
    /// Live, and not in the old edition.
    Introduced,
    /// Live again.
    Reintroduced,
    /// No longer in use.
    Terminated,
    /// Terminated, and not known before.
    AddedTerminated,
    /// Not in the new edition.
    Removed,
    /// Elsewhere: how many metres, unless it has gained or lost its place.
    Moved { metres: Option<f64> },
    /// The postcode is in other areas.
    Recoded { areas: Vec<Recoding> },
}

/// An area that is another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recoding {
    #[serde(serialize_with = "kind_name")]
    pub kind: AreaKind,
    /// The old code; `None` if it was missing.
    pub old: Option<String>,
    pub new: Option<String>,
}

fn kind_name<S: serde::Serializer>(kind: &AreaKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.key())
}

/// `AB10 1AB  moved 12 m`
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8}  ", self.postcode.spaced().as_str())?;
        match &self.what {
            What::Introduced => f.write_str("introduced"),
            What::Reintroduced => f.write_str("reintroduced"),
            What::Terminated => f.write_str("terminated"),
            What::AddedTerminated => f.write_str("added, terminated"),
            What::Removed => f.write_str("removed"),
            What::Moved { metres: Some(metres) } => write!(f, "moved {metres:.0} m"),
            What::Moved { metres: None } => f.write_str("gained or lost its place"),
            What::Recoded { areas } => {
                f.write_str("recoded")?;
                areas.iter().try_for_each(|Recoding { kind, old, new }| {
                    let (old, new) = (old.as_deref().unwrap_or("-"), new.as_deref().unwrap_or("-"));
                    write!(f, " {} {old} to {new}", kind.key())
                })
            }
        }
    }
}

/// How many postcodes changed, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    pub introduced: u64,
    pub reintroduced: u64,
    pub terminated: u64,
    pub added_terminated: u64,
    pub removed: u64,
    pub moved: u64,
    pub recoded: u64,
    /// Postcodes by each kind of area that is another.
    pub recoded_by_kind: BTreeMap<String, u64>,
    /// Postcodes without a change.
    pub unchanged: u64,
}

impl Counts {
    /// Returns whether nothing changed.
    pub fn is_same(&self) -> bool {
        *self == Self { unchanged: self.unchanged, ..Self::default() }
    }

    fn count(&mut self, what: &What) {
        match what {
            What::Introduced => self.introduced += 1,
            What::Reintroduced => self.reintroduced += 1,
            What::Terminated => self.terminated += 1,
            What::AddedTerminated => self.added_terminated += 1,
            What::Removed => self.removed += 1,
            What::Moved { .. } => self.moved += 1,
            What::Recoded { areas } => {
                self.recoded += 1;
                for area in areas {
                    *self.recoded_by_kind.entry(area.kind.key().to_owned()).or_default() += 1;
                }
            }
        }
    }
}

/// The comparison of two editions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Their names and fingerprints.
    pub old: Edition,
    pub new: Edition,
    pub counts: Counts,
    /// Kinds of area that only one of the two has; they are not compared.
    pub only_in_old: Vec<String>,
    pub only_in_new: Vec<String>,
}

/// One of the two editions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edition {
    pub edition: String,
    pub fingerprint: String,
    pub live: u64,
    pub terminated: u64,
}

impl Summary {
    /// Returns whether both are the same file, including data that is not compared postcode by
    /// postcode.
    pub fn is_same_file(&self) -> bool {
        self.old.fingerprint == self.new.fingerprint
    }
}

impl Edition {
    fn of(dataset: &Dataset) -> Self {
        let info = dataset.info();
        let (edition, fingerprint) = (info.edition.clone(), info.fingerprint.clone());
        Self { edition, fingerprint, live: info.live, terminated: info.terminated }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (label, edition) in [("old", &self.old), ("new", &self.new)] {
            let Edition { edition, fingerprint, live, terminated } = edition;
            writeln!(
                f,
                "{label}  {edition}: {live} live, {terminated} terminated, fingerprint {fingerprint}"
            )?;
        }
        let counts = &self.counts;
        for (label, count) in [
            ("introduced", counts.introduced),
            ("reintroduced", counts.reintroduced),
            ("terminated", counts.terminated),
            ("added, terminated", counts.added_terminated),
            ("removed", counts.removed),
            ("moved", counts.moved),
            ("recoded", counts.recoded),
        ] {
            writeln!(f, "{label:<28} {count:>9}")?;
        }
        for (kind, count) in &counts.recoded_by_kind {
            writeln!(f, "  {kind:<26} {count:>9}")?;
        }
        write!(f, "{:<28} {:>9}", "unchanged", counts.unchanged)?;
        for (which, kinds) in [("old", &self.only_in_old), ("new", &self.only_in_new)] {
            if !kinds.is_empty() {
                write!(f, "\nonly in the {which} one, not compared: {}", kinds.join(" "))?;
            }
        }
        Ok(())
    }
}

/// Compares two editions and reports each change in the order of postcodes. A distance below
/// `metres` does not count as moved.
///
/// # Errors
/// Returns the first error of `each`, which stops the comparison.
pub fn compare<E>(
    old: &Dataset,
    new: &Dataset,
    metres: f64,
    mut each: impl FnMut(&Change) -> Result<(), E>,
) -> Result<Summary, E> {
    let has = |dataset: &Dataset, kind: AreaKind| {
        dataset.metadata().columns.iter().any(|column| *column == format!("{kind:?}"))
    };
    let (in_old, in_new) = (|kind| has(old, kind), |kind| has(new, kind));
    let kinds: Vec<AreaKind> =
        AreaKind::ALL.into_iter().filter(|&kind| in_old(kind) && in_new(kind)).collect();
    let only = |one: &dyn Fn(AreaKind) -> bool, other: &dyn Fn(AreaKind) -> bool| {
        let only = AreaKind::ALL.into_iter().filter(|&kind| one(kind) && !other(kind));
        only.map(|kind| kind.key().to_owned()).collect()
    };
    let mut counts = Counts::default();
    let mut tell = |postcode: Postcode, changes: Vec<What>, counts: &mut Counts| {
        counts.unchanged += u64::from(changes.is_empty());
        changes.into_iter().try_for_each(|what| {
            counts.count(&what);
            each(&Change { postcode, what })
        })
    };
    let (mut olds, mut news) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(old), Some(new)) => old.postcode.cmp(&new.postcode),
        };
        let before = if order.is_le() { olds.next() } else { None };
        let after = if order.is_ge() { news.next() } else { None };
        match (before, after) {
            (Some(before), Some(after)) => {
                tell(after.postcode, changes(&before, &after, metres, &kinds), &mut counts)?;
            }
            (Some(before), None) => tell(before.postcode, vec![What::Removed], &mut counts)?,
            (None, Some(after)) => {
                let what = match after.status {
                    Status::Live => What::Introduced,
                    Status::Terminated => What::AddedTerminated,
                };
                tell(after.postcode, vec![what], &mut counts)?;
            }
            (None, None) => break,
        }
    }
    Ok(Summary {
        old: Edition::of(old),
        new: Edition::of(new),
        counts,
        only_in_old: only(&in_old, &in_new),
        only_in_new: only(&in_new, &in_old),
    })
}

fn changes(old: &Record, new: &Record, metres: f64, kinds: &[AreaKind]) -> Vec<What> {
    let mut changes = Vec::new();
    match (old.status, new.status) {
        (Status::Live, Status::Terminated) => changes.push(What::Terminated),
        (Status::Terminated, Status::Live) => changes.push(What::Reintroduced),
        _ => {}
    }
    changes.extend(
        moved(old, new)
            .filter(|moved| moved.is_none_or(|moved| moved >= metres))
            .map(|metres| What::Moved { metres }),
    );
    let areas = kinds.iter().filter_map(|&kind| {
        let (old, new) = (old.area_code(kind), new.area_code(kind));
        let text = |code: Option<&str>| code.map(str::to_owned);
        (old != new).then(|| Recoding { kind, old: text(old), new: text(new) })
    });
    let areas: Vec<_> = areas.collect();
    if !areas.is_empty() {
        changes.push(What::Recoded { areas });
    }
    changes
}

/// Returns how far a postcode moved, by the grid reference if both have one, because ONS has
/// changed its transformation to latitude and longitude. `Some(None)` if only one of the two has a
/// location.
fn moved(old: &Record, new: &Record) -> Option<Option<f64>> {
    if let (Some(old), Some(new)) = (old.grid, new.grid)
        && old.system == new.system
    {
        let metres = |a: u32, b: u32| f64::from(a) - f64::from(b);
        let moved = metres(old.eastings, new.eastings).hypot(metres(old.northings, new.northings));
        return (moved > 0.0).then_some(Some(moved));
    }
    match (old.location, new.location) {
        (None, None) => (old.grid.is_some() != new.grid.is_some()).then_some(None),
        (Some(old), Some(new)) => {
            let moved = about(old, new);
            (moved > 0.0).then_some(Some(moved))
        }
        _ => Some(None),
    }
}

/// Metres between two points that are near one another, good to a few per cent of a per cent.
fn about(a: Location, b: Location) -> f64 {
    const DEGREE: f64 = 111_320.0;
    let north = (a.latitude() - b.latitude()) * DEGREE;
    let east = (a.longitude() - b.longitude()) * DEGREE * a.latitude().to_radians().cos();
    north.hypot(east)
}
