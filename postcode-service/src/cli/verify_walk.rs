//! `verify-walk`: derives the certificate of a walk again.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use postcode_core::dataset::{PublicKey, read_signature};
use postcode_core::layers::walk::{Certificate, CertifiedSide};
use postcode_core::proof::root_of;
use postcode_core::wire::Digest;
use postcode_core::{path_or_url, redact};
use sha2::{Digest as _, Sha256};

/// The largest certificate, in bytes.
const MOST_BYTES: u64 = 16 << 20;

const EXAMPLES: &str = "\
Examples:
  postcode-service verify-walk walk.json
  postcode-service verify-walk walk.json --public-key postcodes.key.pub
  postcode-service verify-walk walk.json --old embedded: --new http://127.0.0.1:8080 --file /usr/bin/customers

It ends with status 1 if one character of the file was changed, if a decision does not follow from the observations, if
the signature is not valid, or if a root or a file is another one.";

/// Derive the certificate of a walk again.
///
/// Checks that the file is as it was written, and derives each decision from the recorded observations.
/// Give a public key to check the signature (FILE.minisig) too, and --old, --new and --file to compute
/// the roots and the digests again.
///
/// Exit status: 0 if it holds, 1 if not, 2 for wrong options.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The certificate: walk.json
    #[arg(env = "POSTCODE_VERIFY_WALK_FILE")]
    file: PathBuf,
    /// A minisign public key, or the path of its file. Without one anybody could have written the
    /// certificate
    #[arg(long, value_name = "KEY", env = "POSTCODE_PUBLIC_KEY")]
    public_key: Option<PublicKey>,
    /// The old implementation: its root is computed again from this source
    #[arg(long, value_name = "PATH|URL")]
    old: Option<String>,
    /// The new implementation
    #[arg(long, value_name = "PATH|URL")]
    new: Option<String>,
    /// A file that took part, such as the program: its digest is computed again. May be given several
    /// times
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Fails with the first check that does not hold.
    pub async fn run(self) -> anyhow::Result<()> {
        let shown = self.file.display().to_string();
        let length = fs::metadata(&self.file).with_context(|| shown.clone())?.len();
        ensure!(length <= MOST_BYTES, "{shown}: larger than {MOST_BYTES} bytes");
        let text = fs::read_to_string(&self.file).with_context(|| shown.clone())?;
        if let Some(key) = &self.public_key {
            let Some(signature) = read_signature(&self.file)? else {
                bail!("{shown}: not signed: there is no {}", signature_name(&self.file));
            };
            key.verify(text.as_bytes(), &signature).with_context(|| shown.clone())?;
        }
        let certificate = Certificate::from_text(&text).with_context(|| shown.clone())?;
        certificate.check().with_context(|| shown.clone())?;
        let mut out = io::stdout().lock();
        let signed = if self.public_key.is_some() {
            "signed"
        } else {
            "not checked for a signature: give --public-key"
        };
        let walked = &certificate.walked;
        writeln!(out, "OK {shown}: {}, {signed}", certificate.program)?;
        for made in &walked.moves {
            let at = i64::try_from(made.at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            let at = at.map(|at| at.to_string()).unwrap_or_default();
            writeln!(out, "  {} {at}  {} to {}: {}", made.revision, made.from, made.to, made.reason)?;
        }
        let seen = &walked.differences;
        writeln!(
            out,
            "outcome {:?}; {} answers compared, {} different",
            walked.outcome, seen.compared, seen.mismatched
        )?;
        writeln!(out, "roots {}", said(&certificate))?;
        for (name, given, certified) in
            [("--old", &self.old, &certificate.old), ("--new", &self.new, &certificate.new)]
        {
            let Some(source) = given else { continue };
            let root = derived(source, certified).await.context(name)?;
            writeln!(out, "{name} {}: root {root}, as certified", redact(source))?;
        }
        for path in &self.files {
            let sha256 = digest(path)?;
            let Some(found) = certificate.files.iter().find(|file| file.sha256 == sha256) else {
                bail!("--file {}: {sha256} is not the digest of a file of this walk", path.display());
            };
            writeln!(out, "--file {}: as certified ({})", path.display(), found.name)?;
        }
        Ok(())
    }
}

fn said(certificate: &Certificate) -> String {
    match (certificate.old.root, certificate.new.root) {
        (Some(old), Some(new)) if old == new => format!("equal: {old}"),
        (Some(old), Some(new)) => format!("different: {old} and {new}"),
        (old, new) => {
            let shown =
                |root: Option<Digest>| root.map_or_else(|| "not known".to_owned(), |root| root.to_string());
            format!("{} and {}", shown(old), shown(new))
        }
    }
}

async fn derived(source: &str, certified: &CertifiedSide) -> anyhow::Result<Digest> {
    let root = root_of(&path_or_url(source)).await?.context("the source has no root of all answers")?;
    match certified.root {
        Some(expected) if expected == root => Ok(root),
        Some(expected) => bail!("the root is {root}, and the certificate says {expected}"),
        None => bail!("the certificate has no root for it"),
    }
}

fn digest(path: &Path) -> anyhow::Result<Digest> {
    let cannot = || format!("--file {}", path.display());
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    let mut file = fs::File::open(path).with_context(cannot)?;
    loop {
        match file.read(&mut buffer).with_context(cannot)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(Digest(hash.finalize().into()))
}

fn signature_name(path: &Path) -> String {
    postcode_core::dataset::signature_path(path).display().to_string()
}
