//! TLS on the listener: who trusts whom, certificates replaced while connections are open, and
//! clients that stall.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which clippy takes for production")]

use std::io::Read;
use std::path::{Path, PathBuf};

use postcode_core::{PostcodeLookupExt, Remote};
use postcode_edge::{NewToken, Scope, certificate_fingerprint};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};

use crate::program::{Server, dataset, program, text};

/// A private authority, and certificates that it has signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), issuer.pem()).unwrap();
        Self { issuer, folder: folder.to_owned() }
    }

    /// Writes NAME.pem and NAME.key.
    fn signs(&self, name: &str, of: &[&str], usage: ExtendedKeyUsagePurpose) {
        let of: Vec<String> = of.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(of).unwrap();
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

const SERVER: ExtendedKeyUsagePurpose = ExtendedKeyUsagePurpose::ServerAuth;
const CLIENT: ExtendedKeyUsagePurpose = ExtendedKeyUsagePurpose::ClientAuth;

struct Secured {
    folder: tempfile::TempDir,
    server: Server,
}

impl Secured {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let authority = Authority::new(folder.path(), "ca");
        authority.signs("server", &["127.0.0.1"], SERVER);
        authority.signs("known", &["billing.example"], CLIENT);
        authority.signs("unknown", &["other.example"], CLIENT);
        let tokens = folder.path().join("tokens");
        let new = || NewToken { scopes: vec![Scope::Lookup, Scope::Dataset], ..NewToken::default() };
        let (_, token) = new().add_to(&tokens).unwrap();
        std::fs::write(folder.path().join("token"), token.unwrap()).unwrap();
        let certificate = Some(certificate_fingerprint(&folder.path().join("known.pem")).unwrap());
        NewToken { certificate, id: Some("billing".into()), ..new() }.add_to(&tokens).unwrap();
        let data = dataset(&folder.path().join("uk.postcodes"), "one");
        let (cert, key, ca, tokens) =
            (path("server.pem"), path("server.key"), path("ca.pem"), path("tokens"));
        let usual = [
            "--listen",
            "127.0.0.1:0",
            "--jobs",
            "none",
            "--data",
            &data,
            "--tokens",
            &tokens,
            "--tls-cert",
            &cert,
            "--tls-key",
            &key,
            "--tls-client-ca",
            &ca,
        ];
        let server = Server::start(&[&usual[..], more].concat());
        assert!(server.address.starts_with("https://127.0.0.1:"), "{}", server.address);
        Self { folder, server }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Returns the URL with options whose values are files of the folder.
    fn url(&self, options: &[(&str, &str)]) -> String {
        let options = options.iter().map(|(name, file)| format!("{name}={}", self.path(file)));
        format!("{}?timeout=20s&deadline=30s&{}", self.server.address, options.collect::<Vec<_>>().join("&"))
    }
}

const CA: (&str, &str) = ("ca_file", "ca.pem");
const TOKEN: (&str, &str) = ("token_file", "token");

fn lookup(source: &str) -> (Option<i32>, String) {
    let output = program().args(["lookup", "AB10 1AB", "--source", source]).output().unwrap();
    (output.status.code(), text(&output.stderr))
}

#[test]
fn client_proves_itself_by_token_or_certificate_over_tls() {
    let secured = Secured::start(&[]);
    let ask = |options: &[(&str, &str)]| lookup(&secured.url(options));
    let with = |name| {
        [
            CA,
            ("client_cert", name),
            ("client_key", if name == "known.pem" { "known.key" } else { "unknown.key" }),
        ]
    };
    assert_eq!(ask(&[CA, TOKEN]).0, Some(0));
    assert_eq!(ask(&with("known.pem")).0, Some(0));
    for (options, says) in [
        (vec![CA], "needs a token"),
        (with("unknown.pem").to_vec(), "needs a token"),
        (vec![TOKEN], "no secure connection"),
        (vec![CA, ("client_cert", "known.pem")], "belong together"),
        (vec![CA, ("token_file", "no-such-file")], "token_file="),
        (vec![CA, ("client_cert", "known.pem"), ("client_key", "ca.pem")], "not a certificate and its key"),
    ] {
        let (status, said) = ask(&options);
        assert_eq!(status, Some(2), "{options:?}: {said}");
        assert!(said.contains(says), "{options:?}: {said}");
    }
    let plain = secured.server.address.replace("https:", "http:");
    assert_eq!(lookup(&plain).0, Some(2), "there is no plain HTTP beside it");
    let (status, said) = lookup(&format!("{plain}?ca_file={}", secured.path("ca.pem")));
    assert!(status == Some(2) && said.contains("does not use TLS"), "{said}");
    assert_eq!(secured.server.end("TERM").0, Some(0));
}

#[tokio::test]
async fn replica_and_new_certificate_are_served_and_no_connection_is_dropped() {
    let mut secured = Secured::start(&[]);
    let replica = format!(
        "replica:{}",
        secured.url(&[CA, TOKEN, ("dir", "copy")]).replace("timeout=20s&deadline=30s&", "")
    );
    let copy = postcode_core::connect(&replica).await.unwrap();
    assert!(copy.get_str("AB10 1AB").await.unwrap().is_live());

    let before = Remote::new(&secured.url(&[CA, TOKEN])).unwrap();
    before.info_of().await;
    let other = Authority::new(secured.folder.path(), "ca2");
    other.signs("server", &["127.0.0.1"], SERVER);
    secured.server.signal("HUP");
    secured.server.logs("the certificates were read again");
    // This client does not trust the new certificate. It still works because its connection is
    // open.
    before.info_of().await;
    let (old, new) = (secured.url(&[CA, TOKEN]), secured.url(&[("ca_file", "ca2.pem"), TOKEN]));
    let strict = |url: &str| Remote::builder(url).retries(0).build().unwrap();
    strict(&new).info_of().await;
    let refused = postcode_core::PostcodeLookup::info(&strict(&old)).await.unwrap_err();
    assert!(refused.to_string().contains("no secure connection"), "{refused}");

    // Invalid files change nothing.
    std::fs::write(secured.folder.path().join("server.key"), "no key").unwrap();
    secured.server.signal("HUP");
    secured.server.logs("the old ones stay");
    strict(&new).info_of().await;
    drop((before, copy));
    assert_eq!(secured.server.end("TERM").0, Some(0));
}

#[tokio::test]
async fn client_certificate_that_is_replaced_is_shown_without_a_restart() {
    let secured = Secured::start(&[]);
    let put = |name: &str, file: &str| std::fs::copy(secured.path(name), secured.path(file)).unwrap();
    put("unknown.pem", "mine.pem");
    put("unknown.key", "mine.key");
    let url = secured.url(&[CA, ("client_cert", "mine.pem"), ("client_key", "mine.key")]);
    let remote = Remote::builder(&url).retries(0).build().unwrap();
    let ask = async || postcode_core::PostcodeLookup::info(&remote).await;
    assert!(ask().await.unwrap_err().to_string().contains("token"));
    // Both files are looked at once a second. Between the two copies they don't fit together, and the old ones stay.
    put("known.pem", "mine.pem");
    assert!(ask().await.unwrap_err().to_string().contains("token"));
    put("known.key", "mine.key");
    let mut tries = 0;
    while ask().await.is_err() {
        tries += 1;
        assert!(tries < 600, "the new certificate is not shown");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

trait InfoOf {
    async fn info_of(&self);
}

impl InfoOf for Remote {
    async fn info_of(&self) {
        let info = postcode_core::PostcodeLookup::info(self).await.unwrap();
        assert_eq!(info.edition, "one");
    }
}

#[test]
fn client_that_stalls_in_the_handshake_keeps_nobody_waiting_and_is_cut_off() {
    let secured = Secured::start(&["--header-timeout", "1s"]);
    let address = secured.server.address.strip_prefix("https://").unwrap();
    let mut stalled: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    assert_eq!(lookup(&secured.url(&[CA, TOKEN])).0, Some(0));
    for stream in &mut stalled {
        // The end comes without a byte from either side.
        assert!(matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_)));
    }
    assert_eq!(secured.server.end("TERM").0, Some(0));
}

#[test]
fn server_with_half_of_the_tls_options_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let authority = Authority::new(folder.path(), "ca");
    authority.signs("server", &["127.0.0.1"], SERVER);
    authority.signs("other", &["127.0.0.1"], SERVER);
    let (cert, key, other, ca) = (path("server.pem"), path("server.key"), path("other.key"), path("ca.pem"));
    let socket = format!("unix:{}", path("socket"));
    for (arguments, says) in [
        (
            vec!["--listen", &*socket, "--tls-cert", &cert, "--tls-key", &key],
            "a Unix socket does not speak TLS",
        ),
        (vec!["--tls-cert", &cert], "--tls-key"),
        (vec!["--tls-key", &key], "--tls-cert"),
        (vec!["--tls-cert", &cert, "--tls-key", &other], "can't be used together"),
        (vec!["--tls-cert", &cert, "--tls-key", &ca], "no private key"),
        (vec!["--tls-cert", &key, "--tls-key", &key], "no certificate"),
        (vec!["--tls-cert", &cert, "--tls-key", &key, "--tls-client-ca", &ca], "--tokens"),
    ] {
        let listen = if arguments.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] };
        let output =
            program().args(["serve", "--jobs", "none"]).args(listen).args(&arguments).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert!(!said.contains("PRIVATE"), "{said}");
    }
}
