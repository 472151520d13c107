//! The promotion that walks by itself: its file, its webhook, and the certificate that it leaves.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use postcode_core::layers::walk::{
    self, Certificate, CertifiedFile, CertifiedSide, Move, Outcome, Used, Walk,
};
use postcode_core::layers::{Guard, Promotion};
use postcode_core::proof::root_of;
use postcode_core::wire::Digest;
use postcode_core::{Connector, PostcodeLookup, redact};
use postcode_edge::webhook::{
    Allow, HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, WebhookGuard,
    WebhookSecrets,
};
use postcode_edge::{MetricsFormat, metric, process_metrics};
use reqwest::Url;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

/// The largest file of a walk, in bytes.
const MAX_WALK_FILE: u64 = 1 << 16;
/// The most moves that wait for the webhook. Further ones are not sent.
const WAITING_MOVES: usize = 64;
/// The time limit of one attempt to send a move.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// The pauses before the second and the third attempt.
const WEBHOOK_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// How long the roots of both sides may take, each.
const ROOT_TIMEOUT: Duration = Duration::from_secs(600);

/// The progress of a walk, for the admin page.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) walk: Walk,
    done: Arc<Mutex<Done>>,
}

#[derive(Debug, Default)]
struct Done {
    moves: Vec<Move>,
    outcome: Option<Outcome>,
    certificate: Written,
}

/// Whether there is a certificate.
#[derive(Clone, Debug, Default)]
pub(crate) enum Written {
    #[default]
    Not,
    Failed(String),
    Text(Arc<str>),
}

impl Progress {
    fn new(walk: Walk) -> Self {
        Self { walk, done: Arc::default() }
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn moves(&self) -> Vec<Move> {
        self.done().moves.clone()
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.done().outcome
    }

    pub(crate) fn certificate(&self) -> Written {
        self.done().certificate.clone()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default()
    }
}

/// A walk as its file describes it.
pub(crate) struct WalkFile {
    walk: Walk,
    webhook: Option<Webhook>,
    certificate: PathBuf,
    signing_key: Option<minisign::SecretKey>,
    /// The file itself, for the certificate.
    path: PathBuf,
}

impl WalkFile {
    /// Reads and checks a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let length = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
        ensure!(length <= MAX_WALK_FILE, "{}: larger than {MAX_WALK_FILE} bytes", path.display());
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text, path).with_context(|| path.display().to_string())
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        // The library's messages end in a line break.
        let said = |error: toml::de::Error| anyhow!("{}", error.to_string().trim_end());
        let mut table: toml::Table = toml::from_str(text).map_err(said)?;
        let mut take = |name: &str| match table.remove(name) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(anyhow!("{name}: give a text")),
        };
        let webhook = [take("webhook")?, take("webhook_secret_file")?];
        let certificate = take("certificate")?.map_or_else(|| PathBuf::from("walk.json"), PathBuf::from);
        let signing_key = take("signing_key")?.map(|path| signing_key(Path::new(&path))).transpose()?;
        let mut list = |name: &str| match table.remove(name) {
            None => Ok(Vec::new()),
            Some(list) => {
                let list: Vec<String> =
                    list.try_into().map_err(|_| anyhow!("{name}: give a list of texts"))?;
                let parsed = list.iter().map(|text| text.parse::<Allow>());
                parsed.collect::<Result<_, _>>().map_err(|error| anyhow!("{name}: {error}"))
            }
        };
        let guard = WebhookGuard::new(list("webhook_allow")?, list("webhook_deny")?);
        let webhook = Webhook::parse(webhook, guard)?;
        let walk: Walk = table.try_into().map_err(said)?;
        walk.check()?;
        ensure!(!certificate.is_dir(), "certificate: {} is a folder", certificate.display());
        Ok(Self { walk, webhook, certificate, signing_key, path: path.to_owned() })
    }

    /// Returns the progress of the walk, for the admin page.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.walk.clone())
    }

    /// Walks, and writes the certificate.
    pub(crate) async fn walk(
        self,
        promotion: Promotion,
        guard: Guard,
        sources: [String; 2],
        progress: Progress,
    ) {
        let (sender, receiver) = mpsc::channel(WAITING_MOVES);
        let sending = tokio::spawn(send(self.webhook.clone(), receiver));
        let tell = |made: &Move| {
            info!(
                cause = ?made.cause, from = %made.from, to = %made.to, share = made.share,
                reason = made.reason, "the walk moved"
            );
            progress.done().moves.push(made.clone());
            if sender.try_send(made.clone()).is_err() {
                warn!("a move of the walk was not sent: too many are waiting");
            }
        };
        let walked = match walk::walk(&promotion, &self.walk, used, tell).await {
            Ok(walked) => walked,
            Err(error) => return error!(%error, "the walk could not be walked"),
        };
        drop(sender);
        info!(outcome = ?walked.outcome, "the walk has ended");
        progress.done().outcome = Some(walked.outcome);
        match self.certify(walked, guard, &sources).await {
            Ok((roots, text)) => {
                progress.done().certificate = Written::Text(text.into());
                info!(certificate = %self.certificate.display(), roots, "the walk is certified");
            }
            Err(error) => {
                let error = format!("{error:#}");
                progress.done().certificate = Written::Failed(error.clone());
                error!(error, "the walk's certificate was not written");
            }
        }
        // Its time limits end it.
        let _ = sending.await;
    }

    /// Writes the certificate and its signature. Returns what the roots say, and its text.
    async fn certify(
        &self,
        walked: walk::Walked,
        guard: Guard,
        sources: &[String; 2],
    ) -> Result<(&'static str, String)> {
        let old = side(&sources[0]).await.with_context(|| redact(&sources[0]))?;
        let new = side(&sources[1]).await.with_context(|| redact(&sources[1]))?;
        let roots = match (old.root, new.root) {
            (Some(old), Some(new)) if old == new => "equal",
            (Some(_), Some(_)) => "different",
            _ => "not known",
        };
        let program = concat!("customers ", env!("CARGO_PKG_VERSION")).to_owned();
        let mut certificate = Certificate::new(program, [old, new], guard, self.walk.clone(), walked);
        let mut files = vec![std::env::current_exe().context("the path of this program")?, self.path.clone()];
        files.extend(sources.iter().filter_map(|source| data_file(source)));
        for path in files {
            let digest = tokio::task::spawn_blocking(move || file(&path)).await??;
            certificate.files.push(digest);
        }
        certificate.check().context("the certificate does not follow from the walk")?;
        let text = certificate.to_text()?;
        if let Some(key) = &self.signing_key {
            let comment = format!("outcome:{:?}", certificate.walked.outcome);
            let signature = minisign::sign(None, key, text.as_bytes(), Some(&comment), None)
                .map_err(|error| anyhow!("the certificate can't be signed: {error}"))?;
            write(&postcode_core::dataset::signature_path(&self.certificate), &signature.into_string())?;
        }
        write(&self.certificate, &text)?;
        Ok((roots, text))
    }
}

/// Where moves are sent, and how they are signed: as the callbacks of jobs.
#[derive(Clone)]
struct Webhook {
    url: String,
    secrets: Arc<WebhookSecrets>,
    guard: Arc<WebhookGuard>,
}

impl Webhook {
    /// Reads a URL and the file with its secret.
    fn parse([url, secret]: [Option<String>; 2], guard: WebhookGuard) -> Result<Option<Self>> {
        let Some(url) = url else {
            ensure!(secret.is_none(), "webhook_secret_file: give webhook too");
            return Ok(None);
        };
        guard.check(&url).map_err(|why| anyhow!("webhook: {}: {why}", redact(&url)))?;
        let path = secret
            .context("webhook: give webhook_secret_file too, the file with the secret that signs it")?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("webhook_secret_file: {path}"))?;
        // The error does not quote the file.
        let secrets =
            text.parse::<WebhookSecrets>().map_err(|why| anyhow!("webhook_secret_file: {path}: {why}"))?;
        ensure!(
            secrets.has(""),
            "webhook_secret_file: {path}: give a line with a secret only, without a tenant"
        );
        Ok(Some(Self { url, secrets: Arc::new(secrets), guard: Arc::new(guard) }))
    }

    fn client(&self) -> Result<reqwest::Client, reqwest::Error> {
        postcode_core::remote::tls_provider();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(self.guard.clone())
            .connect_timeout(WEBHOOK_TIMEOUT)
            .timeout(WEBHOOK_TIMEOUT)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("customers/", env!("CARGO_PKG_VERSION")));
        // Without TLS no certificates of the system are read, which may not have any.
        if self.url.starts_with("http:") { client.tls_certs_only([]).build() } else { client.build() }
    }

    /// Sends a body once, with a signature of now.
    async fn send(&self, client: &reqwest::Client, id: &str, body: &str) -> Result<(), String> {
        let url: Url = self.guard.check(&self.url)?;
        let timestamp = jiff::Timestamp::now().as_second();
        let signature = self.secrets.sign("", id, timestamp, body.as_bytes())?;
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, timestamp)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body.to_owned());
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
    }
}

fn signing_key(path: &Path) -> Result<minisign::SecretKey> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("signing_key: {shown}"))?;
    // The library's errors may quote the file's contents.
    let wrong = || {
        anyhow!(
            "signing_key: {shown}: not a secret key without a password. Make one with `postcode-service key new`"
        )
    };
    let key = minisign::SecretKeyBox::from_string(&text).map_err(|_| wrong())?;
    key.into_unencrypted_secret_key().map_err(|_| wrong())
}

/// The body of a request for a move.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: &'a Move,
}

/// Sends moves to the webhook, one after the other.
async fn send(webhook: Option<Webhook>, mut moves: mpsc::Receiver<Move>) {
    let Some(webhook) = webhook else {
        while moves.recv().await.is_some() {}
        return;
    };
    let client = match webhook.client() {
        Ok(client) => client,
        Err(error) => return error!(%error, "no HTTP client for the webhook"),
    };
    while let Some(made) = moves.recv().await {
        let timestamp =
            i64::try_from(made.at_ms).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        let timestamp = timestamp.unwrap_or_default().to_string();
        let event = Event { kind: "promotion.moved", timestamp, data: &made };
        let Ok(body) = serde_json::to_string(&event) else { continue };
        // The same at each attempt, so that a receiver can drop duplicates.
        let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
        let mut pauses = WEBHOOK_PAUSES.iter();
        while let Err(error) = webhook.send(&client, &id, &body).await {
            let revision = made.revision;
            warn!(revision, error, "a move of the walk was not taken by the webhook");
            let Some(pause) = pauses.next() else { break };
            tokio::time::sleep(*pause).await;
        }
    }
}

fn used() -> Used {
    let text = process_metrics(MetricsFormat::Prometheus);
    Used {
        cpu_seconds: metric(&text, "process_cpu_seconds_total"),
        memory_bytes: metric(&text, "process_resident_memory_bytes"),
    }
}

async fn side(source: &str) -> Result<CertifiedSide> {
    let info = Connector::new(source)?.connect().await?.info().await?;
    let root = match tokio::time::timeout(ROOT_TIMEOUT, root_of(source)).await {
        Ok(Ok(root)) => root,
        Ok(Err(error)) => {
            warn!(source = redact(source), %error, "no root of all answers");
            None
        }
        Err(_) => None,
    };
    Ok(CertifiedSide { source: redact(source), edition: info.edition, fingerprint: info.fingerprint, root })
}

/// Returns the path of a dataset file that is a source.
fn data_file(source: &str) -> Option<PathBuf> {
    let rest = source.strip_prefix("file:")?;
    let path = rest.split('?').next().unwrap_or(rest);
    let path = path.strip_prefix("//localhost").or_else(|| path.strip_prefix("//")).unwrap_or(path);
    Some(PathBuf::from(path)).filter(|path| path.is_file())
}

fn file(path: &Path) -> Result<CertifiedFile> {
    let cannot = || path.display().to_string();
    let (mut hash, mut buffer, mut bytes) = (Sha256::new(), vec![0; 1 << 16], 0);
    let mut open = std::fs::File::open(path).with_context(cannot)?;
    loop {
        match open.read(&mut buffer).with_context(cannot)? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(CertifiedFile { name, bytes, sha256: Digest(hash.finalize().into()) })
}

/// Writes a file as a whole, or not at all.
fn write(path: &Path, text: &str) -> Result<()> {
    let mut partial = path.to_owned().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = std::fs::File::create(&partial).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    });
    written.with_context(|| format!("{}: can't be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<WalkFile> {
        WalkFile::parse(text, Path::new("walk.toml"))
    }

    const STEP: &str = "[[step]]\nstage = \"shadow\"\nshare = \"20%\"\ncompared = 1000\nat_least = \"10m\"\n";

    #[test]
    fn walk_file_has_steps_and_where_to_write_and_tell() {
        let file = parse(&format!("chance = 0.02\n{STEP}")).unwrap();
        assert_eq!(file.certificate, Path::new("walk.json"));
        assert_eq!((file.walk.chance, file.walk.steps.len()), (0.02, 1));
        assert_eq!(file.walk.steps[0].share, Some(0.2));
        for (text, says) in [
            (format!("webhok = \"https://hooks.example\"\n{STEP}"), "webhok"),
            (format!("webhook = 1\n{STEP}"), "webhook: give a text"),
            (format!("webhook = \"https://hooks.example\"\n{STEP}"), "webhook_secret_file"),
            (format!("signing_key = \"/nowhere\"\n{STEP}"), "signing_key"),
            (format!("{STEP}cals = 3\n"), "cals"),
            ("chance = 1\n".to_owned() + STEP, "chance"),
            (String::new(), "step"),
        ] {
            let error = parse(&text).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn webhook_goes_to_the_public_internet_and_what_is_allowed_and_has_a_secret() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        std::fs::write(&secret, text).unwrap();
        let with = |lines: &str| parse(&format!("{lines}\nwebhook_secret_file = {secret:?}\n{STEP}"));
        for good in [
            "webhook = \"https://hooks.example/x\"",
            "webhook = \"http://127.0.0.1:9/x\"\nwebhook_allow = [\"127.0.0.0/8\"]",
        ] {
            assert!(with(good).is_ok(), "{good}");
        }
        for (bad, says) in [
            ("webhook = \"http://10.0.0.1/\"", "public internet"),
            ("webhook = \"http://localhost/\"", "public internet"),
            ("webhook = \"https://hooks.example/\"\nwebhook_deny = [\"hooks.example\"]", "public internet"),
            ("webhook = \"ftp://hooks.example/\"", "http://"),
            ("webhook = \"https://hooks.example/\"\nwebhook_deny = [\"a b\"]", "webhook_deny"),
            ("webhook_deny = []", "give webhook too"),
        ] {
            let error = with(bad).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(error.contains(says) && !error.contains("MfKQ9"), "{bad}: {error}");
        }
        std::fs::write(&secret, format!("acme {text}")).unwrap();
        let error = with("webhook = \"https://hooks.example/x\"").err().unwrap();
        assert!(format!("{error:#}").contains("without a tenant"), "{error:#}");
    }
}
