//! Access control: bearer tokens and client certificates, each with scopes, from one file.

mod file;
mod scope;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue, Request, StatusCode};
use jiff::Timestamp;

pub use file::{Entry, Fingerprint, NewToken, Tokens, revoke};
pub use scope::{Need, Rule, Scope, Scopes};

use crate::{Caller, Peer, TrustedProxy};

/// The tokens that a server knows. Without a tokens file everyone may do everything. Cheap to
/// clone.
#[derive(Clone, Debug, Default)]
pub struct Access(Option<Arc<Known>>);

#[derive(Debug)]
struct Known {
    path: PathBuf,
    tokens: ArcSwap<Tokens>,
}

/// The sender of a request: an entry of the tokens file. Stored in the extensions of every request
/// that needed a scope.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Entry>);

impl Identity {
    /// Returns the id of its token or certificate.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Puts it into the extensions of its request, also as the [`Caller`] that limits count by.
    pub fn mark(self, extensions: &mut Extensions) {
        extensions.insert(Caller(self.id().into()));
        extensions.insert(self);
    }

    /// Returns the tenant in its token, if any.
    pub fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }
}

impl Access {
    /// Creates access rules that allow everything.
    pub fn open() -> Self {
        Self(None)
    }

    /// Allows callers what a tokens file says.
    ///
    /// # Errors
    /// The file can't be read, or a line of it is wrong.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let tokens = Tokens::read(path)?;
        if tokens.is_empty() {
            tracing::warn!(path = %path.display(), "the tokens file is empty, so every request that needs a scope is refused");
        }
        let (path, tokens) = (path.to_owned(), ArcSwap::from_pointee(tokens));
        Ok(Self(Some(Arc::new(Known { path, tokens }))))
    }

    /// Tells whether callers must prove who they are.
    pub fn is_closed(&self) -> bool {
        self.0.is_some()
    }

    /// Reads the file again and returns how many tokens it has. Requests that have begun keep their
    /// scopes.
    ///
    /// # Errors
    /// The file can't be read, or a line of it is wrong. The tokens are then as they were.
    pub fn reload(&self) -> Result<usize, String> {
        let Some(known) = &self.0 else { return Ok(0) };
        let tokens = Tokens::read(&known.path)?;
        let count = tokens.len();
        known.tokens.store(Arc::new(tokens));
        Ok(count)
    }

    /// Identifies the sender of a request, so that limits count by caller and not by address. A
    /// request without valid proof is unchanged: [`authorise`](Self::authorise) decides about it.
    pub fn identify<B>(&self, request: &mut Request<B>) {
        let Some(known) = &self.0 else { return };
        if let Ok(entry) = known.entry(request.headers(), request.extensions()) {
            Identity(entry).mark(request.extensions_mut());
        }
    }

    /// Decides whether a request may use a route. Returns the caller, if the route needs one.
    ///
    /// `need` is `None` for a route that the program's table does not list. Such a route is denied.
    ///
    /// # Errors
    /// The reason for a refusal, ready to be answered.
    pub fn authorise(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
        need: Option<Need>,
    ) -> Result<Option<Identity>, Denied> {
        let Some(known) = &self.0 else { return Ok(None) };
        let scope = match need {
            Some(Need::Nothing) => return Ok(None),
            Some(Need::Scope(scope)) => scope,
            None => return Err(Denied::Unlisted),
        };
        let entry = known.entry(headers, extensions)?;
        if !entry.scopes.has(scope) {
            return Err(Denied::Scope(scope));
        }
        Ok(Some(Identity(entry)))
    }
}

impl Known {
    /// Returns the valid entry that a request proves to belong to.
    fn entry(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<Arc<Entry>, Denied> {
        let tokens = self.tokens.load();
        let entry = match bearer(headers)? {
            Some(token) => tokens.of_token(token).ok_or(Denied::Invalid)?,
            None => {
                let peer = extensions.get::<Peer>();
                let certificate = peer.and_then(|peer| Fingerprint::parse(peer.identity.as_deref()?));
                certificate
                    .and_then(|certificate| tokens.of_certificate(&certificate))
                    .ok_or(Denied::Missing)?
            }
        };
        if entry.expires.is_some_and(|expires| expires <= Timestamp::now()) {
            return Err(Denied::Expired);
        }
        Ok(entry.clone())
    }
}

/// Returns the token of a request.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Denied::Malformed);
    }
    let text = value.to_str().map_err(|_| Denied::Malformed)?.trim();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Denied::Malformed),
    }
}

/// Why a request may not use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// There is neither a token nor a known client certificate.
    Missing,
    /// The `Authorization` header does not hold one bearer token.
    Malformed,
    /// No such token is known.
    Invalid,
    /// The token was valid once.
    Expired,
    /// The token lacks this scope.
    Scope(Scope),
    /// The program's table does not list the route.
    Unlisted,
}

impl Denied {
    /// Returns the HTTP status: 401 if a valid token would help, 403 if another one would.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Scope(_) | Self::Unlisted => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// Returns the stable name of the error.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_required",
            Self::Malformed | Self::Invalid => "token_invalid",
            Self::Expired => "token_expired",
            Self::Scope(_) | Self::Unlisted => "scope_missing",
        }
    }

    /// Returns the value of `WWW-Authenticate` (RFC 6750, section 3).
    pub fn challenge(self) -> HeaderValue {
        let value = match self {
            Self::Missing => "Bearer realm=\"postcode\"".to_owned(),
            Self::Malformed => "Bearer realm=\"postcode\", error=\"invalid_request\"".to_owned(),
            Self::Invalid | Self::Expired => "Bearer realm=\"postcode\", error=\"invalid_token\"".to_owned(),
            Self::Scope(scope) => {
                format!("Bearer realm=\"postcode\", error=\"insufficient_scope\", scope=\"{scope}\"")
            }
            Self::Unlisted => "Bearer realm=\"postcode\", error=\"insufficient_scope\"".to_owned(),
        };
        // Names of scopes are letters and colons.
        HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

/// Returns the message for the client.
impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("This needs a token. Send one as Authorization: Bearer TOKEN"),
            Self::Malformed => f.write_str(
                "The Authorization header is not valid. Send it once, as Authorization: Bearer TOKEN",
            ),
            Self::Invalid => {
                f.write_str("The token is not valid. Check it, or ask the operator for another one")
            }
            Self::Expired => f.write_str("The token has expired. Ask the operator for another one"),
            Self::Scope(scope) => {
                write!(f, "The token lacks the scope {scope}. Ask the operator for one that has it")
            }
            Self::Unlisted => f.write_str("No token gives access to this route. Please report this as a bug"),
        }
    }
}

/// Returns the value of a header that says for whom a request speaks, such as `Postcode-Tenant`.
///
/// Without a tokens file the header is trusted: a proxy in front sets it. With one, a caller speaks
/// only for the name in its token (`bound`). A trusted proxy whose own token has no name may speak
/// for anyone.
///
/// # Errors
/// Fails if the header appears twice, or names another.
pub fn speaks_for(
    headers: &HeaderMap,
    name: &'static str,
    caller: Option<&Identity>,
    bound: Option<&str>,
    trusted_proxy: bool,
) -> Result<Option<HeaderValue>, Claim> {
    let mut values = headers.get_all(name).iter();
    let given = values.next();
    // With two of them, a client behind a proxy that appends could choose.
    if values.next().is_some() {
        return Err(Claim::Twice(name));
    }
    let own = bound.map(HeaderValue::from_str).transpose().map_err(|_| Claim::NotYours(name))?;
    match (caller, own, given) {
        (None, _, given) => Ok(given.cloned()),
        (Some(_), own, None) => Ok(own),
        (Some(_), Some(own), Some(given)) if own == given => Ok(Some(own)),
        (Some(_), None, Some(given)) if trusted_proxy => Ok(Some(given.clone())),
        _ => Err(Claim::NotYours(name)),
    }
}

/// Tells whether a request came through a proxy that may say for whom it speaks.
pub fn is_from_trusted_proxy(extensions: &Extensions) -> bool {
    extensions.get::<TrustedProxy>().is_some()
}

/// Why a header that says for whom a request speaks is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The header appears more than once.
    Twice(&'static str),
    /// The token does not allow to speak for that name.
    NotYours(&'static str),
}

impl Claim {
    /// Returns the HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Twice(_) => StatusCode::BAD_REQUEST,
            Self::NotYours(_) => StatusCode::FORBIDDEN,
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(name) => write!(f, "The header {name} appears more than once. Send it once"),
            Self::NotYours(name) => {
                write!(f, "The header {name} does not match your token. Leave the header out")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(folder: &tempfile::TempDir, new: NewToken) -> (Access, HeaderMap) {
        let path = folder.path().join("tokens");
        let (_, token) = new.add_to(&path).unwrap();
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, format!("bearer {token}").parse().unwrap());
        }
        (Access::from_file(&path).unwrap(), headers)
    }

    fn lookup() -> NewToken {
        NewToken { scopes: vec![Scope::Lookup], tenant: Some("acme".into()), ..NewToken::default() }
    }

    #[test]
    fn request_with_the_scope_is_let_in_and_others_are_told_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let (access, headers) = access(&folder, lookup());
        let ask = |headers: &HeaderMap, need| access.authorise(headers, &Extensions::new(), need);
        let needs = |scope| Some(Need::Scope(scope));
        let caller = ask(&headers, needs(Scope::Lookup)).unwrap().unwrap();
        assert_eq!(caller.tenant(), Some("acme"));
        let mut request = Request::new(());
        *request.headers_mut() = headers.clone();
        access.identify(&mut request);
        assert_eq!(request.extensions().get::<Caller>().map(|caller| &*caller.0), Some(caller.id()));
        assert_eq!(ask(&headers, needs(Scope::Jobs)).unwrap_err(), Denied::Scope(Scope::Jobs));
        assert_eq!(ask(&headers, None).unwrap_err(), Denied::Unlisted);
        let none = HeaderMap::new();
        assert_eq!(ask(&none, needs(Scope::Lookup)).unwrap_err(), Denied::Missing);
        assert!(ask(&none, Some(Need::Nothing)).unwrap().is_none());
        for (value, denied) in
            [("Basic eDp5", Denied::Malformed), ("Bearer x", Denied::Invalid), ("Bearer", Denied::Malformed)]
        {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(ask(&headers, needs(Scope::Lookup)).unwrap_err(), denied, "{value}");
        }
        let mut twice = headers.clone();
        twice.append(AUTHORIZATION, headers[AUTHORIZATION].clone());
        assert_eq!(ask(&twice, needs(Scope::Lookup)).unwrap_err(), Denied::Malformed);
        assert!(Access::open().authorise(&none, &Extensions::new(), needs(Scope::Admin)).unwrap().is_none());
    }

    #[test]
    fn token_that_expired_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let past = Some("2020-01-01T00:00:00Z".parse().unwrap());
        let (access, headers) = access(&folder, NewToken { expires: past, ..lookup() });
        let answer = access.authorise(&headers, &Extensions::new(), Some(Need::Scope(Scope::Lookup)));
        assert_eq!(answer.unwrap_err(), Denied::Expired);
    }

    #[test]
    fn certificate_takes_the_place_of_a_token() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Fingerprint::of(b"certificate");
        let (access, none) = access(&folder, NewToken { certificate: Some(certificate), ..lookup() });
        let mut extensions = Extensions::new();
        let shows = |certificate: Fingerprint| Peer {
            identity: Some(certificate.to_string().into()),
            ..Peer::default()
        };
        extensions.insert(shows(certificate));
        let need = Some(Need::Scope(Scope::Lookup));
        assert!(access.authorise(&none, &extensions, need).unwrap().is_some());
        extensions.insert(shows(Fingerprint::of(b"another")));
        assert_eq!(access.authorise(&none, &extensions, need).unwrap_err(), Denied::Missing);
    }

    #[test]
    fn reload_takes_the_new_file_and_keeps_the_old_if_it_is_bad() {
        let folder = tempfile::tempdir().unwrap();
        let (access, headers) = access(&folder, lookup());
        let path = folder.path().join("tokens");
        let allowed =
            || access.authorise(&headers, &Extensions::new(), Some(Need::Scope(Scope::Lookup))).is_ok();
        let good = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, "nonsense\n").unwrap();
        assert!(access.reload().unwrap_err().contains("line 1"));
        assert!(allowed());
        std::fs::write(&path, "# nobody\n").unwrap();
        assert_eq!(access.reload(), Ok(0));
        assert!(!allowed());
        std::fs::write(&path, good).unwrap();
        assert_eq!(access.reload(), Ok(1));
        assert!(allowed());
    }

    #[test]
    fn header_that_names_somebody_is_believed_only_where_it_may_be() {
        const NAME: &str = "postcode-tenant";
        let folder = tempfile::tempdir().unwrap();
        let (access, headers) = access(&folder, lookup());
        let need = Some(Need::Scope(Scope::Lookup));
        let caller = access.authorise(&headers, &Extensions::new(), need).unwrap().unwrap();
        let with = |values: &[&str]| {
            HeaderMap::from_iter(values.iter().map(|value| (NAME.parse().unwrap(), value.parse().unwrap())))
        };
        let mut twice = with(&["a"]);
        twice.append(NAME, "b".parse().unwrap());
        let said = |headers: &HeaderMap, caller, bound, trusted| {
            let said = speaks_for(headers, NAME, caller, bound, trusted)?;
            Ok(said.map(|value| value.to_str().unwrap().to_owned()))
        };
        let (acme, none) = (Some("acme".to_owned()), with(&[]));
        assert_eq!(
            said(&with(&["acme"]), None, None, false),
            Ok(acme.clone()),
            "no tokens: the proxy says it"
        );
        assert_eq!(said(&none, None, None, false), Ok(None));
        let caller = Some(&caller);
        assert_eq!(said(&none, caller, Some("acme"), false), Ok(acme.clone()));
        assert_eq!(said(&with(&["acme"]), caller, Some("acme"), false), Ok(acme.clone()));
        for trusted in [false, true] {
            assert_eq!(said(&with(&["other"]), caller, Some("acme"), trusted), Err(Claim::NotYours(NAME)));
        }
        assert_eq!(said(&with(&["acme"]), caller, None, false), Err(Claim::NotYours(NAME)));
        assert_eq!(said(&with(&["acme"]), caller, None, true), Ok(acme));
        for caller in [None, caller] {
            assert_eq!(said(&twice, caller, None, true), Err(Claim::Twice(NAME)));
        }
    }
}
