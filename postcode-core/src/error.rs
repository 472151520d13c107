//! The error type.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The result of every fallible call of this crate.
///
/// ```
/// use postcode_core::{Location, Result};
///
/// fn location(text: &str) -> Result<Location> {
///     let (latitude, longitude) = text.split_once(',').unwrap_or((text, ""));
///     let number = |text: &str| text.trim().parse().unwrap_or(f64::NAN);
///     Location::new(number(latitude), number(longitude))
/// }
///
/// assert_eq!(location("51.501, -0.1416")?.latitude(), 51.501);
/// assert!(location("somewhere").is_err());
/// # Ok::<(), postcode_core::Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Arc<dyn StdError + Send + Sync>;

/// The reason why a lookup, a connection or a dataset failed.
///
/// Decide by [`kind`](Error::kind) and [`is_transient`](Error::is_transient), show the `Display`,
/// and log the [`source`](StdError::source) chain. "Not found" is never an error here: it is an
/// answer. A clone shares its source, so that one failed call can answer all callers that waited
/// for it.
///
/// ```
/// use postcode_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Unavailable, "the service at http://127.0.0.1:9 refused the connection");
/// assert!(error.is_transient());
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    persistent: bool,
    source: Option<Source>,
}

/// The kinds of failure that a caller can act on.
///
/// ```
/// use postcode_core::{Error, ErrorKind};
///
/// assert_eq!(Error::invalid("limit: give 1 to 100").kind(), ErrorKind::InvalidInput);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request can't be answered as asked: a limit, a coordinate or a name out of range.
    /// Asking again does not help.
    InvalidInput,
    /// This implementation, or the server behind it, does not support the operation.
    NotSupported,
    /// A dataset file is missing, truncated, altered, or of another format.
    Dataset,
    /// Nothing answered: connection refused or reset, name not resolved, or service shutting down.
    Unavailable,
    /// No answer in time. The work may have been done or not; every lookup is idempotent.
    Timeout,
    /// The server, or a bulkhead in this process, has too many calls.
    Overloaded,
    /// The response does not follow the protocol: another server, a proxy's page, truncated JSON.
    Protocol,
    /// A bug or fault in the implementation.
    Internal,
    /// The data has another edition than the caller [demands](crate::unit::at_edition). Ask for the
    /// edition again, and begin the work anew.
    EditionMoved,
}

impl ErrorKind {
    /// Returns the stable name, which is the `code` in the error bodies of the HTTP API.
    ///
    /// ```
    /// use postcode_core::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::Timeout.code(), "timeout");
    /// ```
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::NotSupported => "not_supported",
            Self::Dataset => "dataset",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Protocol => "protocol",
            Self::Internal => "internal",
            Self::EditionMoved => "edition_moved",
        }
    }

    /// Returns the kind with this [`code`](Self::code), if there is one.
    ///
    /// ```
    /// use postcode_core::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::from_code("timeout"), Some(ErrorKind::Timeout));
    /// assert_eq!(ErrorKind::from_code("late"), None);
    /// ```
    pub fn from_code(code: &str) -> Option<Self> {
        use ErrorKind::*;
        [
            InvalidInput,
            NotSupported,
            Dataset,
            Unavailable,
            Timeout,
            Overloaded,
            Protocol,
            Internal,
            EditionMoved,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }
}

impl Error {
    /// Creates an error. The message should say what was wrong, with which input, and what to do.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Timeout, "no answer within 2 s");
    /// assert!(error.is_transient());
    /// ```
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            retry_after: None,
            request_id: None,
            persistent: false,
            source: None,
        }))
    }

    /// Creates an error of kind [`ErrorKind::InvalidInput`].
    ///
    /// ```
    /// use postcode_core::Error;
    ///
    /// let error = Error::invalid("limit: 0 is too small, give 1 to 100");
    /// assert!(!error.is_transient());
    /// ```
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// Adds the cause.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// use std::error::Error as _;
    ///
    /// let cause = std::io::Error::other("connection reset");
    /// let error = Error::new(ErrorKind::Unavailable, "the service is down").with_source(cause);
    /// assert!(error.source().is_some());
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Adds how long the server asked us to wait.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// use std::time::Duration;
    ///
    /// let wait = Some(Duration::from_secs(1));
    /// let error = Error::new(ErrorKind::Overloaded, "too many requests").with_retry_after(wait);
    /// assert_eq!(error.retry_after(), wait);
    /// ```
    #[must_use]
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.0.retry_after = after;
        self
    }

    /// Adds the id under which the server logged the request.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Internal, "a bug").with_request_id(Some("7f3a".to_owned()));
    /// assert_eq!(error.request_id(), Some("7f3a"));
    /// ```
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    /// Adds the place of the error before the message: `GET http://host/postcodes/…: `.
    #[cfg(feature = "http")]
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.0.message = format!("{place}: {}", self.0.message).into();
        self
    }

    /// Adds a remark after the message.
    #[cfg(any(feature = "dataset", feature = "http"))]
    pub(crate) fn and(mut self, remark: impl fmt::Display) -> Self {
        self.0.message = format!("{} {remark}", self.0.message).into();
        self
    }

    /// Marks the error as already retried enough, so that an outer layer does not retry it again.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Timeout, "no answer in three attempts").into_persistent();
    /// assert!(error.is_persistent() && !error.is_transient());
    /// ```
    #[must_use]
    pub fn into_persistent(mut self) -> Self {
        self.0.persistent = true;
        self
    }

    /// Returns the kind of failure.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// let advice = |error: &Error| match error.kind() {
    ///     ErrorKind::Overloaded => "try again in a moment",
    ///     kind => kind.code(),
    /// };
    /// assert_eq!(advice(&Error::new(ErrorKind::Overloaded, "full")), "try again in a moment");
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message, without kind and cause.
    ///
    /// ```
    /// use postcode_core::Error;
    ///
    /// assert_eq!(Error::invalid("limit: give 1 to 100").message(), "limit: give 1 to 100");
    /// ```
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns whether the same call may succeed later: the kind is `Unavailable`, `Timeout` or
    /// `Overloaded`, and the retries are not used up yet.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// assert!(Error::new(ErrorKind::Unavailable, "down").is_transient());
    /// assert!(!Error::new(ErrorKind::InvalidInput, "wrong").is_transient());
    /// ```
    pub fn is_transient(&self) -> bool {
        use ErrorKind::*;
        !self.0.persistent && matches!(self.0.kind, Unavailable | Timeout | Overloaded)
    }

    /// Returns whether the retries of the implementation are used up.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// assert!(!Error::new(ErrorKind::Timeout, "late").is_persistent());
    /// ```
    pub fn is_persistent(&self) -> bool {
        self.0.persistent
    }

    /// Returns how long the server asked us to wait (`Retry-After`, RFC 9110 section 10.2.3).
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::new(ErrorKind::Overloaded, "full").retry_after(), None);
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the id under which the server logged the request, to quote in a report.
    ///
    /// ```
    /// use postcode_core::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::new(ErrorKind::Internal, "a bug").request_id(), None);
    /// ```
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(id) = &self.0.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut s = f.debug_struct("Error");
        s.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(after) = &self.0.retry_after {
            s.field("retry_after", after);
        }
        if let Some(id) = &self.0.request_id {
            s.field("request_id", id);
        }
        if self.0.persistent {
            s.field("persistent", &true);
        }
        if let Some(source) = &self.0.source {
            s.field("source", source);
        }
        s.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}
