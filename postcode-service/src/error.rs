//! The error of the tools: import, fetch, prove, and the tools for assistants.

use std::fmt;
use std::io;

/// The reason why a tool failed.
///
/// Decide by [`kind`](Self::kind), show the `Display`, and log the [`source`](std::error::Error::source) chain. `{:#}`
/// writes both.
///
/// ```
/// # #[cfg(feature = "import")] {
/// use postcode_service::ErrorKind;
/// use postcode_service::import::{Import, Stop};
///
/// let error = Import::new("/nowhere/ONSPD.zip", "uk.postcodes").run(&Stop::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Io);
/// assert!(error.to_string().contains("/nowhere/ONSPD.zip"));
/// # }
/// ```
pub struct Error {
    kind: ErrorKind,
    cause: anyhow::Error,
}

/// The kinds of failure that a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option or the content of an input is not as it must be.
    Input,
    /// There are doubts about an edition, which nobody accepted. `Error::refused` has the report.
    Refused,
    /// The caller stopped it. Nothing was published.
    Interrupted,
    /// A file can't be read or written.
    Io,
    /// A publisher did not send what was asked for.
    Download,
    /// A lookup or a dataset failed. The source chain has its [`postcode_core::Error`].
    Lookup,
}

/// The result of a call that fails with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, cause: anyhow::Error) -> Self {
        Self { kind, cause }
    }

    /// Creates an error from its cause. It has the kind that the cause shows, or else this one.
    pub(crate) fn of(otherwise: ErrorKind) -> impl Fn(anyhow::Error) -> Self {
        move |cause| {
            let kind = if cause.chain().any(|cause| cause.is::<postcode_core::Error>()) {
                ErrorKind::Lookup
            } else if cause.chain().any(|cause| cause.is::<io::Error>()) {
                ErrorKind::Io
            } else {
                otherwise
            };
            Self::new(kind, cause)
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the cause, if it is of this type.
    #[cfg(feature = "import")]
    pub(crate) fn cause<T: fmt::Display + fmt::Debug + Send + Sync + 'static>(&self) -> Option<&T> {
        self.cause.downcast_ref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.kind, self.cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, anyhow};

    #[test]
    fn kind_is_that_of_the_cause() {
        let of = Error::of(ErrorKind::Input);
        assert_eq!(of(anyhow!("no input")).kind(), ErrorKind::Input);
        let full = Err::<(), _>(io::Error::other("disk full")).context("uk.postcodes: can't be written");
        let full = of(full.unwrap_err());
        assert_eq!(
            (full.kind(), format!("{full:#}").as_str()),
            (ErrorKind::Io, "uk.postcodes: can't be written: disk full")
        );
        let dataset = postcode_core::Error::new(postcode_core::ErrorKind::Dataset, "damaged");
        assert_eq!(of(anyhow!(dataset).context("--previous")).kind(), ErrorKind::Lookup);
    }
}
