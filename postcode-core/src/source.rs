//! Parses source URLs, with errors that say how to write them.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::{Url, form_urlencoded};

use crate::{Error, Result};

/// The forms of a URL, for every error that lists them.
const FORMS: &str = "embedded:, file:/path/uk.postcodes, http://host:port, https://host, unix:/run/postcode.sock or \
     replica:http://host:port";

/// A source URL split into its parts, with unchecked options.
#[derive(Debug)]
pub(crate) struct SourceUrl {
    pub(crate) source: Source,
    /// The parameters of the query, decoded, in order.
    pub(crate) options: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) enum Source {
    Embedded,
    #[cfg_attr(
        not(feature = "dataset"),
        allow(dead_code, reason = "for the dataset file, not in this build")
    )]
    File(PathBuf),
    /// `http:` or `https:`, without query and fragment.
    Http(Box<Url>),
    #[cfg_attr(
        not(any(feature = "http", test)),
        expect(dead_code, reason = "for the HTTP client, not in this build")
    )]
    Unix(PathBuf),
    /// A copy of the data of a service, which is `Http` or `Unix`.
    #[cfg_attr(not(feature = "replica"), allow(dead_code, reason = "for the replica, not in this build"))]
    Replica(Box<Source>),
}

impl Source {
    pub(crate) fn scheme(&self) -> &str {
        match self {
            Self::Embedded => "embedded",
            Self::File(_) => "file",
            Self::Http(url) => url.scheme(),
            Self::Unix(_) => "unix",
            Self::Replica(_) => "replica",
        }
    }
}

impl SourceUrl {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
            return Err(without_scheme(text));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "embedded" => {
                let (rest, options) = split_options(rest);
                if !rest.is_empty() {
                    return Err(Error::invalid(format!(
                        "{}: embedded: takes nothing after the colon; for a file write file:/path/uk.postcodes",
                        shown(text)
                    )));
                }
                Ok(Self { source: Source::Embedded, options })
            }
            "file" => {
                let (path, options) = path("file", "/path/uk.postcodes", rest)?;
                Ok(Self { source: Source::File(path), options })
            }
            "unix" => {
                let (path, options) = path("unix", "/run/postcode.sock", rest)?;
                Ok(Self { source: Source::Unix(path), options })
            }
            scheme @ ("http" | "https") => http(scheme, rest, text),
            "replica" => replica(rest),
            _ => Err(unknown_scheme(scheme, rest, text)),
        }
    }

    /// Returns an error if there are options, for sources that have none.
    pub(crate) fn no_options(&self) -> Result<()> {
        match self.options.first() {
            None => Ok(()),
            Some((name, _)) => {
                let scheme = self.source.scheme();
                Err(Error::invalid(format!("unknown option {name:?}: {scheme}: takes no options")))
            }
        }
    }
}

/// Returns whether the text is a scheme (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn split_options(rest: &str) -> (&str, Vec<(String, String)>) {
    match rest.split_once('?') {
        None => (rest, Vec::new()),
        Some((rest, query)) => (rest, form_urlencoded::parse(query.as_bytes()).into_owned().collect()),
    }
}

/// Returns the path of `scheme:path`, `scheme:///path` or `scheme://localhost/path`,
/// percent-decoded.
fn path(scheme: &str, example: &str, rest: &str) -> Result<(PathBuf, Vec<(String, String)>)> {
    let (path, options) = split_options(rest);
    let path = match path.strip_prefix("//") {
        None => path,
        Some(after) => match after.find('/').map(|at| after.split_at(at)) {
            Some(("" | "localhost", path)) => path,
            _ if after.is_empty() => "",
            _ => {
                return Err(Error::invalid(format!(
                    "{scheme}://{}: a name after // is another machine, and only files of this one can be \
                     opened; write {scheme}:{example} or {scheme}:relative/path",
                    redact(after)
                )));
            }
        },
    };
    if path.is_empty() {
        return Err(Error::invalid(format!("{scheme}: has no path: write {scheme}:{example}")));
    }
    let bytes = percent_decode_str(path).collect::<Vec<u8>>();
    if bytes.contains(&0) {
        return Err(Error::invalid(format!("{scheme}:{path}: a path can't hold a NUL (%00)")));
    }
    Ok((native(bytes).map_err(|why| Error::invalid(format!("{scheme}:{path}: {why}")))?, options))
}

#[cfg(unix)]
fn native(bytes: Vec<u8>) -> Result<PathBuf, &'static str> {
    use std::os::unix::ffi::OsStringExt;
    Ok(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn native(bytes: Vec<u8>) -> Result<PathBuf, &'static str> {
    String::from_utf8(bytes).map(PathBuf::from).map_err(|_| "a path must be UTF-8 here")
}

fn http(scheme: &str, rest: &str, text: &str) -> Result<SourceUrl> {
    if !rest.starts_with("//") {
        return Err(Error::invalid(format!(
            "{}: {scheme}: needs two slashes: write {scheme}://{}",
            shown(text),
            redact(rest.trim_start_matches('/'))
        )));
    }
    let mut url = Url::parse(text)
        .map_err(|e| Error::invalid(format!("{}: {e}: write {scheme}://host:port", shown(text))))?;
    if url.fragment().is_some() {
        return Err(Error::invalid(format!("{}: a base URL has no #fragment: remove it", shown(text))));
    }
    let options = url.query_pairs().into_owned().collect();
    url.set_query(None);
    Ok(SourceUrl { source: Source::Http(Box::new(url)), options })
}

/// Parses a replica. The scheme is checked before the rest is parsed, so that replicas can't nest.
fn replica(rest: &str) -> Result<SourceUrl> {
    let service = rest.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match service.as_deref() {
        Some("http" | "https" | "unix") => {
            let SourceUrl { source, options } = SourceUrl::parse(rest)?;
            Ok(SourceUrl { source: Source::Replica(Box::new(source)), options })
        }
        _ => Err(Error::invalid(format!(
            "replica:{}: a replica needs the URL of a service: write replica:http://host:port or replica:unix:/run/postcode.sock",
            redact(rest)
        ))),
    }
}

fn without_scheme(text: &str) -> Error {
    let (quoted, plain) = (shown(text), redact(text));
    if text.is_empty() {
        Error::invalid(format!("no source: write {FORMS}"))
    } else if text.eq_ignore_ascii_case("embedded") {
        Error::invalid(format!("{quoted} has no scheme: write embedded:"))
    } else if text.starts_with(['/', '.', '~', '\\']) || text.ends_with(".postcodes") {
        Error::invalid(format!("{quoted} has no scheme: for a dataset file write file:{plain}"))
    } else if host_and_port(text) {
        Error::invalid(format!("{quoted} has no scheme: for a service write http://{plain}"))
    } else {
        Error::invalid(format!(
            "{quoted} has no scheme: write file:{plain} for a dataset file or http://{plain} for a service; \
             allowed are {FORMS}"
        ))
    }
}

fn unknown_scheme(scheme: &str, rest: &str, text: &str) -> Error {
    if rest.contains('@') && !rest.starts_with('/') {
        // `user:password@host`, of which nothing may be shown.
        return Error::invalid(format!(
            "no scheme before a user and a password: write http://user:password@host; allowed are {FORMS}"
        ));
    }
    if starts_with_port(rest) {
        let (quoted, plain) = (shown(text), redact(text));
        return Error::invalid(format!("{quoted} has no scheme: for a service write http://{plain}"));
    }
    if scheme.len() == 1 {
        let (quoted, plain) = (shown(text), redact(text));
        return Error::invalid(format!("{quoted} has no scheme: for a dataset file write file:{plain}"));
    }
    Error::invalid(format!("unknown scheme {scheme:?}: write {FORMS}"))
}

/// Returns whether the text is `127.0.0.1:8080` or `[::1]:8080`, with or without a path.
fn host_and_port(text: &str) -> bool {
    let host = text.split(['/', '?']).next().unwrap_or_default();
    host.starts_with('[') || host.rsplit_once(':').is_some_and(|(_, port)| starts_with_port(port))
}

fn starts_with_port(text: &str) -> bool {
    let port = text.split(['/', '?']).next().unwrap_or_default();
    !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit())
}

/// Returns the text in quotes, for an error.
fn shown(text: &str) -> String {
    format!("{:?}", redact(text))
}

/// Returns the URL of a text that people type where [`connect`](crate::connect) needs a URL: the path
/// of a file becomes `file:PATH`, and everything else stays as it is.
///
/// A text without a known scheme is a path if it has a `/` or ends with `.postcodes`, or if there is
/// such a file. A name with a colon, such as `localhost:8080`, is a path only if it begins with `/`
/// or `.`.
///
/// ```
/// use postcode_core::path_or_url;
///
/// assert_eq!(path_or_url("data/uk.postcodes"), "file:data/uk.postcodes");
/// assert_eq!(path_or_url("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
/// ```
#[must_use]
pub fn path_or_url(text: &str) -> String {
    // `?` would begin options, and `%` an escape. In a path they mean nothing.
    const SPECIAL: &AsciiSet = &CONTROLS.add(b'%').add(b'?');
    let scheme = text.split_once(':').is_some_and(|(scheme, _)| {
        let known = ["embedded", "file", "http", "https", "unix", "replica"];
        known.iter().any(|known| scheme.eq_ignore_ascii_case(known))
    });
    let looks = text.starts_with(['/', '.']) || text.ends_with(".postcodes") || !text.contains(':');
    let path = looks && (text.contains('/') || text.ends_with(".postcodes") || Path::new(text).is_file());
    if path && !scheme { format!("file:{}", utf8_percent_encode(text, SPECIAL)) } else { text.to_owned() }
}

/// Returns a URL, or a text that should be one, without secrets and truncated.
///
/// Hides everything before the last `@`, where a password may be, and the query.
///
/// ```
/// use postcode_core::redact;
///
/// assert_eq!(redact("http://user:secret@host:8080?token=secret"), "http://…@host:8080?…");
/// ```
#[must_use]
pub fn redact(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut shown = match text.rsplit_once('@') {
        Some((before, after)) => match before.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://…@{after}"),
            None => format!("…@{after}"),
        },
        None => text.to_owned(),
    };
    if let Some(at) = shown.find('?') {
        shown.truncate(at);
        shown.push_str("?…");
    }
    if let Some((at, _)) = shown.char_indices().nth(LONGEST) {
        shown.truncate(at);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::path_or_url;

    #[test]
    fn path_or_url_of_path_is_a_file_url_and_of_url_is_itself() {
        for (text, expected) in [
            ("/data/uk.postcodes", "file:/data/uk.postcodes"),
            ("./uk", "file:./uk"),
            ("uk.postcodes", "file:uk.postcodes"),
            ("/data/100%?.postcodes", "file:/data/100%25%3F.postcodes"),
            ("embedded:", "embedded:"),
            ("file:/data/uk.postcodes?verify=full", "file:/data/uk.postcodes?verify=full"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("unix:/run/postcode.sock", "unix:/run/postcode.sock"),
            ("replica:http://h/", "replica:http://h/"),
            ("localhost:8080", "localhost:8080"),
            ("user:secret@host/x", "user:secret@host/x"),
            ("embedded", "embedded"),
            ("", ""),
        ] {
            assert_eq!(path_or_url(text), expected, "{text}");
        }
    }
}
