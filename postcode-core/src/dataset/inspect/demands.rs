//! How thoroughly a file is checked before it is used, and the key that must have signed it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use minisign_verify::Signature;

use crate::dataset::Dataset;
use crate::{Error, ErrorKind, Result};

/// The most bytes that are read of a signature or a public key. Each has about 300.
const LONGEST: u64 = 8 * 1024;

/// How thoroughly a dataset file is checked when it is opened.
///
/// The names `full`, `checksums` and `off` are used in URLs: `file:/data/uk.postcodes?verify=full`.
///
/// ```
/// use postcode_core::dataset::Verify;
///
/// assert_eq!("full".parse::<Verify>()?, Verify::Full);
/// assert_eq!(Verify::default().name(), "checksums");
/// # Ok::<(), postcode_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Everything that [`Dataset::verify`] checks: every byte, and that the parts fit together.
    Full,
    /// Every byte against its checksum. Finds any accidental damage, and takes a fraction of the time of
    /// [`Full`](Self::Full).
    #[default]
    Checksums,
    /// Only header, table of sections and structure. A damaged file may give wrong answers.
    Off,
}

impl Verify {
    const NAMES: [(Self, &'static str); 3] =
        [(Self::Full, "full"), (Self::Checksums, "checksums"), (Self::Off, "off")];

    /// Returns the name in URLs and options: `full`, `checksums` or `off`.
    ///
    /// ```
    /// use postcode_core::dataset::Verify;
    ///
    /// assert_eq!(Verify::Off.name(), "off");
    /// ```
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(verify, _)| *verify == self).map_or("", |(_, name)| *name)
    }
}

impl fmt::Display for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Verify {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::NAMES.iter().find(|(_, name)| *name == text);
        let wrong = || Error::invalid(format!("verify: {text:?} is not valid: write full, checksums or off"));
        known.map(|(verify, _)| *verify).ok_or_else(wrong)
    }
}

/// A public key with which dataset files are signed: Ed25519, in the format of
/// [minisign](https://jedisct1.github.io/minisign/).
///
/// Parsed from the key itself (`RWQ…`, 56 characters) or from the path of a file that contains it.
///
/// [`verify`](Self::verify) checks a signature:
///
/// ```
/// use postcode_core::dataset::PublicKey;
///
/// let key: PublicKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
/// assert!("RWQ".parse::<PublicKey>().is_err());
/// assert!(key.verify(b"any bytes", "not a signature").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(minisign_verify::PublicKey);

impl PublicKey {
    /// Verifies a signature, the text of a `.minisig` file, over these bytes. Returns its trusted
    /// comment.
    ///
    /// ```
    /// use postcode_core::dataset::PublicKey;
    ///
    /// let key: PublicKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
    /// let signature = "untrusted comment: signature from minisign secret key
    /// RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
    /// trusted comment: timestamp:1633700835\tfile:test\tprehashed
    /// wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==";
    ///
    /// assert!(key.verify(b"test", signature)?.contains("file:test"));
    /// assert!(key.verify(b"other bytes", signature).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) if the signature is invalid, was made with another key, or is for other
    /// bytes.
    pub fn verify(&self, bytes: &[u8], signature: &str) -> Result<String> {
        let wrong =
            |why: String| Error::new(ErrorKind::Dataset, format!("the signature is not valid: {why}"));
        let signature = Signature::decode(signature).map_err(|e| wrong(e.to_string()))?;
        self.0.verify(bytes, &signature, false).map_err(|e| wrong(e.to_string()))?;
        Ok(signature.trusted_comment().to_owned())
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // In the query of a URL a plus sign means a space. A key has no spaces.
        let key = text.trim().replace(' ', "+");
        if let Ok(key) = minisign_verify::PublicKey::from_base64(&key) {
            return Ok(Self(key));
        }
        let wrong = |why: String| {
            Error::invalid(format!(
                "{text:?}: not a public key: {why}. Give the key itself (RWQ…, 56 characters) or the path of its file"
            ))
        };
        let read = read_text(Path::new(text)).map_err(|e| wrong(e.to_string()))?;
        let key = minisign_verify::PublicKey::decode(&read)
            .or_else(|_| minisign_verify::PublicKey::from_base64(read.trim()));
        key.map(Self).map_err(|e| wrong(e.to_string()))
    }
}

/// Returns the path of a dataset file's signature: the file's path with `.minisig` appended.
///
/// ```
/// use std::path::Path;
/// use postcode_core::dataset::signature_path;
///
/// let path = signature_path(Path::new("/data/uk.postcodes"));
/// assert_eq!(path, Path::new("/data/uk.postcodes.minisig"));
/// ```
pub fn signature_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

/// Reads the signature next to a dataset file, or `None` if the file has no signature.
///
/// ```
/// use std::path::Path;
/// use postcode_core::dataset::read_signature;
///
/// assert_eq!(read_signature(Path::new("/nowhere/uk.postcodes"))?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Dataset`](ErrorKind::Dataset) if the signature can't be read.
pub fn read_signature(file: &Path) -> Result<Option<String>> {
    let path = signature_path(file);
    match read_text(&path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => {
            let what = format!("{}: the signature can't be read: {e}", path.display());
            Err(Error::new(ErrorKind::Dataset, what).with_source(e))
        }
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// The checks that a dataset file must pass before it is used.
///
/// Set by [`verify`](Self::verify) and [`public_key`](Self::public_key). [`check`](Self::check) applies them to an open
/// dataset, [`Dataset::open_checked`] to a file.
///
/// ```
/// use postcode_core::dataset::{Demands, Verify};
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # let dataset = builder.build()?;
///
/// let demands = Demands::default().verify(Verify::Full);
/// demands.check(&dataset, None)?;
/// let signed = demands.public_key(Some("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?));
/// assert!(signed.check(&dataset, None).is_err()); // the signature is missing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demands {
    /// How thoroughly it is checked.
    pub verify: Verify,
    /// The key that must have signed it.
    pub public_key: Option<PublicKey>,
}

impl Demands {
    /// Sets how thoroughly the file is checked.
    ///
    /// ```
    /// use postcode_core::dataset::{Demands, Verify};
    ///
    /// assert_eq!(Demands::default().verify, Verify::Checksums);
    /// assert_eq!(Demands::default().verify(Verify::Full).verify, Verify::Full);
    /// ```
    #[must_use]
    pub fn verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// Demands a signature with this key.
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Demands, Metadata};
    ///
    /// let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
    /// let signed = Demands::default().public_key(Some(key));
    /// let unsigned_dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
    /// let error = signed.check(&unsigned_dataset, None).unwrap_err();
    /// assert!(error.to_string().contains("the file is not signed"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn public_key(mut self, key: Option<PublicKey>) -> Self {
        self.public_key = key;
        self
    }

    /// Applies an option of a URL. Returns false if it is not one of these.
    pub(crate) fn take(&mut self, name: &str, value: &str) -> Result<bool> {
        match name {
            "verify" => self.verify = value.parse()?,
            "public_key" => self.public_key = Some(value.parse()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Applies the options of a URL that takes no others.
    pub(crate) fn with_options(self, scheme: &str, options: &[(String, String)]) -> Result<Self> {
        let mut demands = self;
        for (n, (name, value)) in options.iter().enumerate() {
            if options.iter().take(n).any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(format!("option {name:?} is given twice: give it once")));
            }
            if !demands.take(name, value)? {
                let what = format!("unknown option {name:?}: {scheme}: takes verify and public_key");
                return Err(Error::invalid(what));
            }
        }
        Ok(demands)
    }

    /// Checks an open dataset and its signature.
    ///
    /// ```
    /// use postcode_core::dataset::{DatasetBuilder, Demands, Metadata, Verify};
    ///
    /// let dataset = DatasetBuilder::new(Metadata::new("made by hand")).build()?;
    /// assert!(Demands::default().verify(Verify::Full).check(&dataset, None).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Dataset`](ErrorKind::Dataset) with what is wrong.
    pub fn check(&self, dataset: &Dataset, signature: Option<&str>) -> Result<()> {
        self.check_signature(dataset.as_bytes(), dataset.origin(), signature)?;
        match self.verify {
            Verify::Full => dataset.verify(),
            Verify::Checksums => dataset.verify_checksums(),
            Verify::Off => Ok(()),
        }
    }

    /// Checks the signature over these bytes, if one is demanded.
    pub(crate) fn check_signature(&self, bytes: &[u8], origin: &str, signature: Option<&str>) -> Result<()> {
        let Some(key) = &self.public_key else { return Ok(()) };
        let signature = signature.ok_or_else(|| {
            let what = format!(
                "{origin}: the file is not signed, and a signature is demanded: sign it with `postcode-service \
                 sign`, or copy its .minisig file too"
            );
            Error::new(ErrorKind::Dataset, what)
        })?;
        key.verify(bytes, signature).map(drop).map_err(|e| e.and(format_args!("({origin})")))
    }
}

impl Dataset {
    /// Opens a dataset file and checks it as demanded, including its signature. Reads the whole
    /// file, except with [`Verify::Off`] and no public key.
    ///
    /// ```
    /// use postcode_core::dataset::{Dataset, DatasetBuilder, Demands, Metadata, Verify};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("uk.postcodes");
    /// # DatasetBuilder::new(Metadata::new("made by hand")).write_to(&path, &mut |_| std::ops::ControlFlow::Continue(()))?;
    ///
    /// let dataset = Dataset::open_checked(&path, &Demands::default().verify(Verify::Full))?;
    /// assert_eq!(dataset.info().edition, "made by hand");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`open`](Self::open) and [`verify`](Self::verify);
    /// [`Dataset`](ErrorKind::Dataset) if a demanded signature is missing or invalid.
    pub fn open_checked(path: impl AsRef<Path>, demands: &Demands) -> Result<Self> {
        let path = path.as_ref();
        let dataset = Self::open(path)?;
        let signature = match demands.public_key {
            Some(_) => read_signature(path)?,
            None => None,
        };
        demands.check(&dataset, signature.as_deref())?;
        Ok(dataset)
    }
}
