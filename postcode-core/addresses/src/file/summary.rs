//! The contents of a file of addresses, for people.

use postcode_core::dataset::container::MAJOR;
use serde::Serialize;

use super::layout::{ADDRESSES, DICTIONARIES};
use super::{AddressFile, Metadata};

/// The contents of a file of addresses.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// # use postcode_addresses::lookup::conformance;
/// # let file = conformance::file()?;
/// let summary = file.summary();
/// assert_eq!((summary.metadata.addresses, summary.bytes), (163, file.as_bytes().len() as u64));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Where the file was read from.
    pub origin: String,
    /// The file format's version, `major.minor`.
    pub format: String,
    /// Bytes in all.
    pub bytes: u64,
    /// A hash of the content.
    pub fingerprint: String,
    /// The metadata in the file.
    pub metadata: Metadata,
    /// Different texts in each dictionary.
    pub texts: Vec<(&'static str, u32)>,
    /// The sections of the file in order.
    pub sections: Vec<SectionSummary>,
}

/// One section of a file of addresses.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// # use postcode_addresses::lookup::conformance;
/// # let file = conformance::file()?;
/// for section in file.summary().sections {
///     println!("{}: {} bytes from {}", section.name, section.bytes, section.offset);
/// }
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SectionSummary {
    /// The name.
    pub name: String,
    /// The number in `docs/FORMAT.md`.
    pub id: u32,
    /// The position in the file, in bytes.
    pub offset: u64,
    /// The length in bytes.
    pub bytes: u64,
    /// The XXH3 checksum, in hex.
    pub checksum: String,
}

impl AddressFile {
    /// Returns the contents of the file: sections, dictionaries, sizes.
    ///
    /// ```
    /// # #[cfg(feature = "conformance")] {
    /// # use postcode_addresses::lookup::conformance;
    /// # let file = conformance::file()?;
    /// assert_eq!(file.summary().fingerprint, file.fingerprint());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> Summary {
        let sections = self.container.sections().iter().map(|entry| SectionSummary {
            name: (ADDRESSES.section)(entry.id),
            id: entry.id,
            offset: entry.start as u64,
            bytes: entry.len as u64,
            checksum: format!("{:016x}", entry.checksum),
        });
        Summary {
            origin: self.origin().to_owned(),
            format: format!("{MAJOR}.{}", self.container.minor()),
            bytes: self.as_bytes().len() as u64,
            fingerprint: self.fingerprint().to_owned(),
            metadata: self.metadata.clone(),
            texts: DICTIONARIES
                .into_iter()
                .zip(self.dictionaries.iter().map(super::Dictionary::len))
                .collect(),
            sections: sections.collect(),
        }
    }
}
