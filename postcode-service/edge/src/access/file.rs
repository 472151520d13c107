//! The tokens file: a line for each token or client certificate.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::scope::{Scope, Scopes};

/// The beginning of every token, so that people and secret scanners recognise it.
const PREFIX: &str = "pct_";
/// The longest id and tenant, in bytes.
const LONGEST_NAME: usize = 64;
/// Bytes of a tokens file at most.
const LONGEST_FILE: u64 = 16 << 20;
const TOKEN: &str = "sha256:";
const CERTIFICATE: &str = "cert-sha256:";

/// The SHA-256 of a token or of a client certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of these bytes: a token's text, or a certificate in DER.
    ///
    /// A plain hash is right for a token. It is 256 random bits, so it can't be guessed from its
    /// hash. A slow hash (bcrypt, Argon2) protects passwords, which people choose, and would cost
    /// every request milliseconds.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        (text.len() == 64).then_some(())?;
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(Self(bytes))
    }

    fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Shows nothing: the hash of a token is not for logs.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Token(Fingerprint),
    Certificate(Fingerprint),
}

/// A line of the file: a token or certificate and its rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of the token. It is not secret.
    pub id: String,
    proof: Proof,
    /// The scopes that the caller has.
    pub scopes: Scopes,
    /// The tenant whose jobs the caller sees.
    pub tenant: Option<String>,
    /// The time when it expires.
    pub expires: Option<Timestamp>,
}

impl Entry {
    /// Tells whether it is a client certificate and not a token.
    pub fn is_certificate(&self) -> bool {
        matches!(self.proof, Proof::Certificate(_))
    }

    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let id = words.next().unwrap_or_default();
        check_name("the id", id)?;
        let proof = words.next().ok_or("after the id comes sha256:… or cert-sha256:…")?;
        let proof = match (proof.strip_prefix(TOKEN), proof.strip_prefix(CERTIFICATE)) {
            (Some(hex), _) => Fingerprint::parse(hex).map(Proof::Token),
            (_, Some(hex)) => Fingerprint::parse(hex).map(Proof::Certificate),
            _ => None,
        };
        // Don't quote the text: the operator may have put the token itself there.
        let proof = proof.ok_or("after the id comes sha256: or cert-sha256: with 64 hexadecimal digits")?;
        let mut entry =
            Self { id: id.to_owned(), proof, scopes: Scopes::default(), tenant: None, expires: None };
        let mut seen = Vec::new();
        for word in words {
            let (name, value) = word.split_once('=').ok_or("write scopes=…, tenant=… or expires=…")?;
            if seen.contains(&name) {
                return Err(format!("{name}= is given twice"));
            }
            seen.push(name);
            match name {
                "scopes" => entry.scopes = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "tenant" => {
                    check_name("the tenant", value)?;
                    entry.tenant = Some(value.to_owned());
                }
                "expires" => {
                    let time = value.parse().map_err(|_| {
                        format!("expires={value:?} is not a time. Write it like 2027-01-31T00:00:00Z")
                    })?;
                    entry.expires = Some(time);
                }
                _ => return Err(format!("{name:?} is not a setting. Write scopes=…, tenant=… or expires=…")),
            }
        }
        if entry.scopes == Scopes::default() {
            return Err("there are no scopes. Write scopes=lookup, for example".to_owned());
        }
        Ok(entry)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.proof {
            Proof::Token(hash) => write!(f, "{} {TOKEN}{hash}", self.id)?,
            Proof::Certificate(hash) => write!(f, "{} {CERTIFICATE}{hash}", self.id)?,
        }
        write!(f, " scopes={}", self.scopes)?;
        if let Some(tenant) = &self.tenant {
            write!(f, " tenant={tenant}")?;
        }
        if let Some(expires) = self.expires {
            write!(f, " expires={expires}")?;
        }
        Ok(())
    }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.@".contains(&b);
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    Err(format!("{what} is not 1 to {LONGEST_NAME} letters, digits, or any of - _ . @"))
}

/// The tokens of a file.
#[derive(Debug, Default)]
pub struct Tokens {
    by_id: HashMap<String, Arc<Entry>>,
    by_certificate: HashMap<Fingerprint, Arc<Entry>>,
}

impl Tokens {
    /// Reads a file.
    ///
    /// # Errors
    /// The path and the line that is wrong, and how to write it. No part of a hash or token is
    /// shown.
    pub fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&text_of(path)?).map_err(|why| format!("{}: {why}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Self::default();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| is_entry(line)) {
            let entry = Entry::parse(line).map_err(|why| format!("line {number}: {why}"))?;
            let entry = Arc::new(entry);
            if let Proof::Certificate(hash) = entry.proof
                && tokens.by_certificate.insert(hash, entry.clone()).is_some()
            {
                return Err(format!("line {number}: the certificate of {:?} is given twice", entry.id));
            }
            if let Some(before) = tokens.by_id.insert(entry.id.clone(), entry) {
                return Err(format!("line {number}: the id {:?} is given twice", before.id));
            }
        }
        Ok(tokens)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Returns the entries, by id.
    pub fn entries(&self) -> Vec<&Entry> {
        let mut entries: Vec<_> = self.by_id.values().map(|entry| &**entry).collect();
        entries.sort_by(|one, other| one.id.cmp(&other.id));
        entries
    }

    /// Returns the entry that a token belongs to. The comparison takes the same time for every
    /// token.
    pub(super) fn of_token(&self, token: &str) -> Option<&Arc<Entry>> {
        let given = Fingerprint::of(token.as_bytes());
        // The id is not secret, so how long it takes to find it may be seen.
        let entry = self.by_id.get(token.strip_prefix(PREFIX)?.rsplit_once('_')?.0)?;
        matches!(entry.proof, Proof::Token(hash) if hash.is(&given)).then_some(entry)
    }

    pub(super) fn of_certificate(&self, certificate: &Fingerprint) -> Option<&Arc<Entry>> {
        self.by_certificate.get(certificate)
    }
}

fn is_entry(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn text_of(path: &Path) -> Result<String, String> {
    let read = || {
        if fs::metadata(path)?.len() > LONGEST_FILE {
            return Err(io::Error::other(format!("the file is longer than {LONGEST_FILE} bytes")));
        }
        fs::read_to_string(path)
    };
    read().map_err(|e| format!("{}: {e}", path.display()))
}

/// The settings of a new token.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// The id of the token. A random one if not given.
    pub id: Option<String>,
    /// The scopes of the token.
    pub scopes: Vec<Scope>,
    /// The tenant whose jobs it sees.
    pub tenant: Option<String>,
    /// The time when it expires.
    pub expires: Option<Timestamp>,
    /// A client certificate that takes the place of a token.
    pub certificate: Option<Fingerprint>,
}

impl NewToken {
    /// Adds it to the file, which is created if it is missing. Returns the entry, and the token,
    /// which is stored nowhere. There is no token for a certificate.
    ///
    /// # Errors
    /// The error says what is wrong with the entry or the file. The file is then unchanged.
    pub fn add_to(self, path: &Path) -> Result<(Entry, Option<String>), String> {
        if let Some(tenant) = &self.tenant {
            check_name("the tenant", tenant)?;
        }
        let id = self.id.map_or_else(|| random().map(|bytes| hex(&bytes[..4])), Ok)?;
        check_name("the id", &id)?;
        let token = match self.certificate {
            Some(_) => None,
            None => Some(format!("{PREFIX}{id}_{}", hex(&random()?))),
        };
        let proof = match (&token, self.certificate) {
            (Some(token), _) => Proof::Token(Fingerprint::of(token.as_bytes())),
            (None, Some(certificate)) => Proof::Certificate(certificate),
            (None, None) => return Err("there is neither a token nor a certificate".to_owned()),
        };
        let (tenant, expires) = (self.tenant, self.expires);
        let entry = Entry { id, proof, scopes: self.scopes.into_iter().collect(), tenant, expires };
        edit(path, true, |text| {
            let line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Ok(format!("{text}{line}{entry}\n"))
        })?;
        Ok((entry, token))
    }
}

/// Removes an entry from the file.
///
/// # Errors
/// There is no such id, or the file can't be read or written. The file is then as it was.
pub fn revoke(path: &Path, id: &str) -> Result<(), String> {
    edit(path, false, |text| {
        let is_it = |line: &&str| is_entry(line) && line.split_whitespace().next() == Some(id);
        if !text.lines().any(|line| is_it(&line)) {
            return Err(format!("{}: there is no token {id:?}. See `token list`", path.display()));
        }
        Ok(text.lines().filter(|line| !is_it(line)).map(|line| format!("{line}\n")).collect())
    })
}

/// Replaces the file in one step. The new file is the owner's alone (0600), and the owner stays the
/// same.
fn edit(
    path: &Path,
    create: bool,
    change: impl FnOnce(&str) -> Result<String, String>,
) -> Result<(), String> {
    let cannot = |e: io::Error| format!("{}: {e}", path.display());
    // A symbolic link stays one.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
    // Two concurrent edits would lose one of them.
    let lock = File::open(&folder).map_err(cannot)?;
    lock.lock().map_err(cannot)?;
    let there = fs::metadata(&target);
    let text = match &there {
        Ok(_) => text_of(&target)?,
        Err(e) if create && e.kind() == io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(format!("{}: {e}", path.display())),
    };
    // An unreadable file is not made worse, and no id is given twice.
    Tokens::parse(&text).map_err(|why| format!("{}: {why}", path.display()))?;
    let text = change(&text)?;
    Tokens::parse(&text).map_err(|why| format!("{}: {why}", path.display()))?;
    // Temporary files are readable by their owner only.
    let mut new = tempfile::Builder::new().prefix(".tokens-").tempfile_in(&folder).map_err(cannot)?;
    new.write_all(text.as_bytes()).map_err(cannot)?;
    #[cfg(unix)]
    if let Ok(there) = there {
        use std::os::unix::fs::MetadataExt;
        let made = new.as_file().metadata().map_err(cannot)?;
        if (made.uid(), made.gid()) != (there.uid(), there.gid()) {
            std::os::unix::fs::fchown(new.as_file(), Some(there.uid()), Some(there.gid())).map_err(cannot)?;
        }
    }
    new.as_file().sync_all().map_err(cannot)?;
    new.persist(&target).map_err(|e| cannot(e.error))?;
    lock.sync_all().map_err(cannot)
}

fn random() -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| format!("the system gives no random numbers: {e}"))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(scopes: &[Scope]) -> NewToken {
        NewToken { scopes: scopes.to_vec(), ..NewToken::default() }
    }

    #[test]
    fn token_that_was_added_is_found_and_its_text_is_stored_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let (entry, token) = NewToken { tenant: Some("acme".into()), ..new(&[Scope::Lookup, Scope::Jobs]) }
            .add_to(&path)
            .unwrap();
        let token = token.unwrap();
        let (_, other) =
            NewToken { id: Some("with_under_score".into()), ..new(&[Scope::Admin]) }.add_to(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&token) && !text.contains(&token[token.len() - 64..]), "{text}");
        let tokens = Tokens::read(&path).unwrap();
        assert_eq!(tokens.of_token(&token).map(|found| &**found), Some(&entry));
        assert_eq!(tokens.of_token(&other.unwrap()).unwrap().id, "with_under_score");
        let mut wrong = token.clone();
        let last = wrong.pop().unwrap();
        wrong.push(if last == '0' { '1' } else { '0' });
        for none in ["", "pct_", "pct__", &wrong, &token[1..], &format!("{token} ")] {
            assert!(tokens.of_token(none).is_none());
        }
        assert!(!format!("{tokens:?}").contains(&entry.to_string()[..40]), "hashes are not for logs");
    }

    #[cfg(unix)]
    #[test]
    fn tokens_file_is_for_its_owner_only_and_keeps_comments() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        fs::write(&path, "# who has what\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let (entry, _) = new(&[Scope::Lookup]).add_to(&path).unwrap();
        let (kept, _) = new(&[Scope::Lookup]).add_to(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(revoke(&path, "nobody").unwrap_err().contains("no token \"nobody\""));
        revoke(&path, &entry.id).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("# who has what\n{kept}\n"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn two_edits_at_once_lose_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| new(&[Scope::Lookup]).add_to(&path).unwrap());
            }
        });
        assert_eq!(Tokens::read(&path).unwrap().len(), 8);
    }

    #[test]
    fn line_that_is_wrong_is_named_and_not_quoted() {
        let hash = "0".repeat(64);
        for (line, says) in [
            ("a".to_owned(), "after the id"),
            (format!("a sha256:{}", &hash[1..]), "64 hexadecimal digits"),
            (format!("a {hash}"), "64 hexadecimal digits"),
            (format!("a sha256:{hash}"), "no scopes"),
            (format!("a sha256:{hash} scopes="), "not a scope"),
            (format!("a sha256:{hash} scopes=lookup,all"), "\"all\" is not a scope"),
            (format!("a sha256:{hash} scopes=lookup scopes=jobs"), "given twice"),
            (format!("a sha256:{hash} scopes=lookup expires=soon"), "not a time"),
            (format!("a sha256:{hash} scopes=lookup tenant=a/b"), "the tenant"),
            (format!("ä sha256:{hash} scopes=lookup"), "the id"),
            (format!("a sha256:{hash} lookup"), "write scopes="),
            (format!("b sha256:{hash} scopes=lookup\nb sha256:{hash} scopes=lookup"), "\"b\" is given twice"),
        ] {
            let error = Tokens::parse(&format!("# first\n\n{line}")).unwrap_err();
            assert!(error.starts_with("line ") && error.contains(says), "{line}: {error}");
            assert!(!error.contains(&hash[..32]), "{error}");
        }
    }
}
