//! Downloads from a server that behaves badly, and what becomes of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postcode_core::dataset::Dataset;
use postcode_service::fetch::{Fetched, Limits, Located, Product, Publishers};
use postcode_testing::zipped;

use crate::common::program;

/// A request as it came: its path, and its headers in lower case.
#[derive(Clone, Debug)]
struct Asked {
    path: String,
    headers: Vec<String>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The first byte of a `Range`.
    fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// Answers the n-th request, from 0, by writing whatever it likes; then the connection is closed.
type Behaviour = dyn Fn(usize, &Asked, &mut TcpStream) + Send + Sync;

/// A server of one behaviour, on a port of this machine.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn new(behaviour: impl Fn(usize, &Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, behaviour): (_, Arc<Behaviour>) = (asked.clone(), Arc::new(behaviour));
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, behaviour) = (seen.clone(), behaviour.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &seen, &*behaviour));
            }
        });
        Self { address, asked }
    }

    fn at(&self, path: &str) -> Located {
        Located::at(Product::CodePointOpen, &format!("{}{path}", self.address)).unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>, behaviour: &Behaviour) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers = lines.take_while(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        format!("{}: {}", name.to_ascii_lowercase(), value.trim())
    });
    let asked = Asked { path, headers: headers.collect() };
    let n = {
        let mut seen = seen.lock().unwrap();
        seen.push(asked.clone());
        seen.len() - 1
    };
    behaviour(n, &asked, &mut stream);
}

/// Writes an answer with these headers. Errors are ignored, because the client may have gone away.
fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n");
    let _ = stream.write_all(body);
}

fn length(bytes: usize) -> String {
    format!("content-length: {bytes}\r\n")
}

/// A zip that does not pack well, so that it has a length to cut.
fn archive(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(300_000)
    .collect();
    zipped(&[("Data/noise.bin", noise.as_slice()), ("Doc/metadata.txt", b"COPYRIGHT DATE: 20260501")])
}

const TAG: &str = "etag: \"one\"\r\n";

/// Writes an answer to a whole or a partial request, as a good server does.
fn well(stream: &mut TcpStream, asked: &Asked, etag: &str, all: &[u8]) {
    let same = asked.header("if-range").is_none_or(|tag| format!("etag: {tag}\r\n") == etag);
    match asked.from().filter(|from| same && *from < all.len()) {
        Some(from) => {
            let range = format!("content-range: bytes {from}-{}/{}\r\n", all.len() - 1, all.len());
            let headers = format!("{etag}{range}{}", length(all.len() - from));
            answer(stream, "206 Partial Content", &headers, &all[from..]);
        }
        None => answer(stream, "200 OK", &format!("{etag}{}", length(all.len())), all),
    }
}

/// A folder for downloads.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("file.zip")
    }

    async fn limited(&self, located: &Located, limits: Limits) -> Result<Fetched, String> {
        let publishers = Publishers::new(limits).unwrap();
        let fetched = publishers.fetch(located, &self.file(), &mut |_, _| ()).await;
        fetched.map_err(|error| format!("{error:#}"))
    }

    async fn fetch(&self, located: &Located) -> Result<Fetched, String> {
        self.limited(located, limits()).await
    }

    /// Returns the names of the files, except that of the lock.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.ends_with(".lock")).collect();
        names.sort();
        names
    }
}

/// Long enough for a busy machine, and no pauses.
fn limits() -> Limits {
    Limits {
        bytes: 10 << 20,
        time: Duration::from_secs(120),
        stall: Duration::from_secs(60),
        pause: Duration::from_millis(1),
    }
}

#[tokio::test]
async fn file_that_is_cut_off_again_and_again_is_continued_where_it_broke_off() {
    let all = archive(1);
    let whole = all.clone();
    let server = Server::new(move |_, asked, stream| {
        let from = asked.from().unwrap_or(0);
        let until = whole.len().min(from + 100_000);
        let headers = match asked.from() {
            Some(_) => {
                assert_eq!(asked.header("if-range"), Some("\"one\""));
                format!("{TAG}content-range: bytes {from}-{}/{}\r\n", whole.len() - 1, whole.len())
            }
            None => TAG.to_owned(),
        };
        let status = if asked.from().is_some() { "206 Partial Content" } else { "200 OK" };
        answer(stream, status, &(headers + &length(whole.len() - from)), &whole[from..until]);
    });
    let bench = Bench::new();
    let fetched = bench.fetch(&server.at("/file")).await.unwrap();
    assert_eq!((fetched.bytes, fetched.unchanged), (all.len() as u64, false));
    assert_eq!(std::fs::read(bench.file()).unwrap(), all);
    let from: Vec<Option<usize>> = server.asked().iter().map(Asked::from).collect();
    assert_eq!(from[0], None);
    assert!(from.len() >= 4 && from[1..].iter().all(Option::is_some), "{from:?}");
    assert_eq!(bench.names(), ["file.zip", "file.zip.json"]);
}

#[tokio::test]
async fn download_that_was_given_up_is_continued_by_the_next_run() {
    let all = archive(2);
    let whole = all.clone();
    let server = Server::new(move |n, asked, stream| match n {
        0 => answer(stream, "200 OK", &format!("{TAG}{}", length(whole.len())), &whole[..200_000]),
        1..=5 => answer(stream, "503 Service Unavailable", "", b""),
        _ => well(stream, asked, TAG, &whole),
    });
    let bench = Bench::new();
    let error = bench.fetch(&server.at("/file")).await.unwrap_err();
    assert!(error.contains("503") && error.contains("run the command again to continue"), "{error}");
    assert!(error.contains("osdatahub.os.uk"), "the page to open: {error}");
    assert!(!bench.file().exists());
    assert_eq!(bench.names(), ["file.zip.part", "file.zip.part.json"]);
    let got = std::fs::metadata(bench.0.path().join("file.zip.part")).unwrap().len();
    assert!(got > 0, "something came");
    bench.fetch(&server.at("/file")).await.unwrap();
    assert_eq!(server.asked().last().unwrap().from(), Some(got as usize));
    assert_eq!(std::fs::read(bench.file()).unwrap(), all);
}

#[tokio::test]
async fn server_without_ranges_is_asked_for_the_whole_file_again() {
    let all = archive(3);
    let whole = all.clone();
    let server = Server::new(move |n, _, stream| {
        let sent = if n == 0 { &whole[..150_000] } else { &whole[..] };
        answer(stream, "200 OK", &format!("{TAG}{}", length(whole.len())), sent);
    });
    let bench = Bench::new();
    bench.fetch(&server.at("/file")).await.unwrap();
    assert_eq!(std::fs::read(bench.file()).unwrap(), all);
    assert!(server.asked()[1].from().is_some());
}

#[tokio::test]
async fn file_that_changes_on_the_way_is_never_mixed() {
    let (old, new) = (archive(4), archive(5));
    let (first, second) = (old.clone(), new.clone());
    let other = "etag: \"two\"\r\n";
    // A good server answers If-Range with the whole of the new file.
    let server = Server::new(move |n, asked, stream| match n {
        0 => answer(stream, "200 OK", &format!("{TAG}{}", length(first.len())), &first[..150_000]),
        _ => well(stream, asked, other, &second),
    });
    let bench = Bench::new();
    bench.fetch(&server.at("/file")).await.unwrap();
    assert_eq!(std::fs::read(bench.file()).unwrap(), new);
    // A bad one continues with the new file, and says so by its tag, its length, or its place only.
    for lie in 0..3 {
        let (first, second) = (old.clone(), new.clone());
        let server = Server::new(move |n, asked, stream| match (n, asked.from()) {
            (0, _) => answer(stream, "200 OK", &format!("{TAG}{}", length(first.len())), &first[..150_000]),
            (1, Some(from)) => {
                let etag = if lie == 0 { other } else { TAG };
                let total = if lie == 1 { second.len() + 1 } else { second.len() };
                let start = if lie == 2 { from - 1 } else { from };
                let range = format!("content-range: bytes {start}-{}/{total}\r\n", total - 1);
                let headers = format!("{etag}{range}{}", length(second.len() - from));
                answer(stream, "206 Partial Content", &headers, &second[from..]);
            }
            _ => well(stream, asked, other, &second),
        });
        let bench = Bench::new();
        bench.fetch(&server.at("/file")).await.unwrap();
        assert_eq!(std::fs::read(bench.file()).unwrap(), new, "lie {lie}");
    }
}

#[tokio::test]
async fn part_without_a_strong_validator_is_not_continued() {
    let all = archive(6);
    let whole = all.clone();
    let server = Server::new(move |n, asked, stream| {
        assert_eq!(asked.from(), None, "a weak tag can't tell whether the bytes are the same");
        let sent = if n == 0 { &whole[..150_000] } else { &whole[..] };
        answer(stream, "200 OK", &format!("etag: W/\"x\"\r\n{}", length(whole.len())), sent);
    });
    let bench = Bench::new();
    bench.fetch(&server.at("/file")).await.unwrap();
    assert_eq!((std::fs::read(bench.file()).unwrap(), server.asked().len()), (all, 2));
}

#[tokio::test]
async fn web_page_with_status_200_is_refused_and_leaves_nothing() {
    let html = b"<!doctype html><title>Sign in</title>".as_slice();
    for (kind, says) in [
        ("content-type: text/html; charset=utf-8\r\n", "a web page"),
        ("content-type: application/zip\r\n", "not a zip file"),
    ] {
        let server = Server::new(move |_, _, stream| {
            answer(stream, "200 OK", &format!("{kind}{}", length(html.len())), html)
        });
        let bench = Bench::new();
        let error = bench.fetch(&server.at("/file")).await.unwrap_err();
        assert!(error.contains(says), "{error}");
        assert_eq!((bench.names(), server.asked().len()), (Vec::new(), 1));
    }
}

#[tokio::test]
async fn length_that_is_a_lie_is_found_out() {
    let all = archive(7);
    // Announces less than there is: what comes is not a whole zip file.
    let whole = all.clone();
    let server = Server::new(move |_, _, stream| answer(stream, "200 OK", &length(200_000), &whole));
    let bench = Bench::new();
    let error = bench.fetch(&server.at("/file")).await.unwrap_err();
    assert!(error.contains("not a whole zip file"), "{error}");
    assert_eq!(bench.names(), Vec::<String>::new());
    // Announces more than is ever sent.
    let whole = all.clone();
    let server = Server::new(move |_, asked, stream| {
        let from = asked.from().unwrap_or(0).min(whole.len());
        let total = whole.len() + 1_000;
        let range = format!("{TAG}content-range: bytes {from}-{}/{total}\r\n", total - 1);
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        answer(stream, status, &(range + &length(total - from)), &whole[from..]);
    });
    let error = bench.fetch(&server.at("/file")).await.unwrap_err();
    assert!(error.contains("given up"), "{error}");
    assert!(!bench.file().exists());
    // Says nothing of the length, and closes in the middle.
    let whole = all;
    let server = Server::new(move |_, _, stream| answer(stream, "200 OK", "", &whole[..100_000]));
    let bench = Bench::new();
    let error = bench.fetch(&server.at("/file")).await.unwrap_err();
    assert!(error.contains("not a whole zip file"), "{error}");
    assert_eq!(bench.names(), Vec::<String>::new());
}

#[tokio::test]
async fn damaged_file_does_not_replace_the_old_one() {
    let good = archive(8);
    let mut bad = good.clone();
    bad[150_000] ^= 1;
    let first = good.clone();
    let server = Server::new(move |n, asked, stream| {
        well(stream, asked, &format!("etag: \"{n}\"\r\n"), if n == 0 { &first } else { &bad });
    });
    let bench = Bench::new();
    bench.fetch(&server.at("/file")).await.unwrap();
    let error = bench.fetch(&server.at("/file")).await.unwrap_err();
    assert!(error.contains("Data/noise.bin: damaged"), "{error}");
    assert_eq!(std::fs::read(bench.file()).unwrap(), good);
    assert_eq!(bench.names(), ["file.zip", "file.zip.json"]);
}

#[tokio::test]
async fn file_larger_than_the_limit_is_refused_announced_or_not() {
    let small = Limits { bytes: 100_000, ..limits() };
    for announced in [true, false] {
        let server = Server::new(move |_, _, stream| {
            let headers = if announced { length(200_000_000) } else { String::new() };
            let mut endless = b"PK\x03\x04".to_vec();
            endless.resize(2_000_000, 0);
            answer(stream, "200 OK", &headers, &endless);
        });
        let bench = Bench::new();
        let error = bench.limited(&server.at("/file"), small).await.unwrap_err();
        assert!(error.contains("more than 100000 bytes"), "{error}");
        assert_eq!((bench.names(), server.asked().len()), (Vec::new(), 1));
    }
}

#[tokio::test]
async fn server_that_stalls_is_asked_again() {
    let all = archive(9);
    let whole = all.clone();
    let server = Server::new(move |n, asked, stream| {
        if n > 0 {
            return well(stream, asked, TAG, &whole);
        }
        answer(stream, "200 OK", &format!("{TAG}{}", length(whole.len())), &whole[..120_000]);
        // Until the client goes away.
        let _ = std::io::copy(stream, &mut std::io::sink());
    });
    let bench = Bench::new();
    let impatient = Limits { stall: Duration::from_millis(300), ..limits() };
    let mut fetched = bench.limited(&server.at("/file"), impatient).await;
    while fetched.is_err() {
        // A busy machine may take that long for an answer. What came is kept.
        fetched = bench.limited(&server.at("/file"), impatient).await;
    }
    assert_eq!(std::fs::read(bench.file()).unwrap(), all);
    assert!(server.asked().len() > 1);
}

#[tokio::test]
async fn redirects_are_followed_a_few_times_and_to_http_only() {
    let all = archive(10);
    let whole = all.clone();
    let server = Server::new(move |_, asked, stream| match asked.path.as_str() {
        "/moved" => answer(stream, "302 Found", "location: /file\r\ncontent-length: 0\r\n", b""),
        "/loop" => answer(stream, "302 Found", "location: /loop\r\ncontent-length: 0\r\n", b""),
        "/away" => answer(stream, "302 Found", "location: ftp://127.0.0.1/x\r\ncontent-length: 0\r\n", b""),
        "/file" => well(stream, asked, TAG, &whole),
        _ => answer(stream, "404 Not Found", &length(0), b""),
    });
    let bench = Bench::new();
    bench.fetch(&server.at("/moved")).await.unwrap();
    assert_eq!(std::fs::read(bench.file()).unwrap(), all);
    for (path, says) in [("/loop", "redirect"), ("/away", "redirect"), ("/nothing", "404")] {
        let bench = Bench::new();
        let before = server.asked().len();
        let error = bench.fetch(&server.at(path)).await.unwrap_err();
        assert!(error.contains(says), "{path}: {error}");
        assert!(server.asked().len() - before < 10, "{path}");
        assert_eq!(bench.names(), Vec::<String>::new());
    }
    for address in ["file:///etc/passwd", "ftp://127.0.0.1/x", "nonsense"] {
        assert!(Located::at(Product::Onspd, address).is_err(), "{address}");
    }
}

#[tokio::test]
async fn unchanged_file_is_not_downloaded_again_and_a_changed_one_is() {
    let (old, new) = (archive(11), archive(12));
    let (first, second) = (old.clone(), new.clone());
    let server = Server::new(move |n, asked, stream| match n {
        0 => well(stream, asked, TAG, &first),
        1 => {
            assert_eq!(asked.header("if-none-match"), Some("\"one\""));
            answer(stream, "304 Not Modified", TAG, b"");
        }
        _ => well(stream, asked, "etag: \"two\"\r\n", &second),
    });
    let bench = Bench::new();
    let once = bench.fetch(&server.at("/file")).await.unwrap();
    let again = bench.fetch(&server.at("/file")).await.unwrap();
    assert_eq!(again, Fetched { unchanged: true, ..once });
    assert_eq!(std::fs::read(bench.file()).unwrap(), old);
    let changed = bench.fetch(&server.at("/file")).await.unwrap();
    assert!(!changed.unchanged);
    assert_eq!(std::fs::read(bench.file()).unwrap(), new);
    // Without the file, its note says nothing.
    std::fs::remove_file(bench.file()).unwrap();
    bench.fetch(&server.at("/file")).await.unwrap();
    assert_eq!(server.asked().last().unwrap().header("if-none-match"), None);
}

/// An edition of ONSPD with rows for two districts, in the layout of the publisher.
fn edition(month: &str, rows: usize) -> Vec<u8> {
    let mut text = "pcds,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,oslaua,ctry\n".to_owned();
    for n in 0..rows {
        let letter = |n: usize| char::from(b"ABDEFGHJLNPQRSTUWXYZ"[n % 20]);
        let letters = format!("{}{}", letter(n / 20), letter(n));
        text.push_str(&format!(
            "AB10 {}{letters},198001,,0,394251,806376,1,S12000033,S92000003\n",
            1 + n / 400
        ));
    }
    let table = format!("Data/ONSPD_{month}_UK.csv");
    let names = "LAD25CD,LAD25NM\nS12000033,Aberdeen City\n";
    let countries = "CTRY25CD,CTRY25NM\nS92000003,Scotland\n";
    zipped(&[
        (table.as_str(), text.as_bytes()),
        ("Documents/LA_UA names and codes UK as at 04_25.csv", names.as_bytes()),
        ("Documents/Country names and codes UK as at 08_12.csv", countries.as_bytes()),
    ])
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = program().args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The catalogue, the file of its newest item, and nothing else.
fn publisher(editions: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Server {
    let id = "0123456789abcdef0123456789abcdef";
    Server::new(move |n, asked, stream| {
        if asked.path.starts_with("/sharing/rest/search?") {
            assert!(asked.path.contains("owner%3AONSGeography_data"), "{}", asked.path);
            let item = |id: &str, owner: &str, month: &str| {
                let title = format!("ONS Postcode Directory ({month}) for the UK");
                serde_json::json!({ "id": id, "owner": owner, "title": title, "type": "CSV Collection" })
            };
            let list = serde_json::json!({ "results": [
                item("11111111111111111111111111111111", "ONSGeography_data", "August 2025"),
                item("22222222222222222222222222222222", "somebody", "May 2099"),
                item(id, "ONSGeography_data", "November 2025"),
            ] });
            let list = list.to_string();
            return answer(stream, "200 OK", &length(list.len()), list.as_bytes());
        }
        assert_eq!(asked.path, format!("/sharing/rest/content/items/{id}/data"));
        let file = editions(n);
        let etag = format!("etag: \"{}\"\r\n", file.len());
        match asked.header("if-none-match") {
            Some(tag) if etag.contains(tag) => answer(stream, "304 Not Modified", &etag, b""),
            _ => well(stream, asked, &etag, &file),
        }
    })
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn fetch_finds_the_newest_edition_and_imports_it() {
    let server = publisher(|_| edition("NOV_2025", 300));
    let folder = tempfile::tempdir().unwrap();
    let (downloads, out) =
        (text(&folder.path().join("downloads")), text(&folder.path().join("uk.postcodes")));
    let catalogue = format!("{}/sharing/rest/search", server.address);
    let common = ["fetch", "onspd", "--catalogue", &catalogue, "--folder", &downloads];
    let (status, said, why) = run(&[&common[..], &["--out", &out]].concat());
    assert_eq!(status, Some(0), "{said}{why}");
    let dataset = Dataset::open(&out).unwrap();
    assert_eq!((dataset.info().live, &*dataset.info().edition), (300, "ONSPD November 2025"));
    let source = &dataset.info().source;
    assert!(
        source.starts_with("ONS Postcode Directory (November 2025) for the UK from http://127.0.0.1"),
        "{source}"
    );
    assert!(source.contains("/content/items/0123456789abcdef0123456789abcdef/data (sha256 "), "{source}");
    // Only the download, by an address of one's own.
    let address =
        format!("{}/sharing/rest/content/items/0123456789abcdef0123456789abcdef/data", server.address);
    let other = text(&folder.path().join("other"));
    let (status, _, why) = run(&["fetch", "nspl", "--from", &address, "--folder", &other]);
    assert_eq!(status, Some(0), "{why}");
    assert!(why.contains("to import: postcode-service import") && why.contains("nspl.zip"), "{why}");
    for (arguments, status, says) in [
        (&["fetch", "open-names", "--out", &out][..], 1, "a dataset needs postcodes"),
        (&["fetch", "onspd", "nspl", "--out", &out], 1, "made of one of"),
        (&["fetch", "onspd", "open-names", "--from", &address], 1, "onspd=URL"),
        (&["fetch", "onspd", "--from", "file:///etc/passwd"], 1, "only http and https"),
        (&["fetch", "scottish-postcode-directory"], 1, "https://www.nrscotland.gov.uk/"),
        (&["fetch", "onspd", "--catalogue", &address], 1, "https://geoportal.statistics.gov.uk/"),
        (&["fetch", "paf"], 2, "invalid value"),
    ] {
        let (ended, _, why) = run(arguments);
        assert_eq!(ended, Some(status), "{arguments:?}: {why}");
        assert!(why.contains(says), "{arguments:?}: {why}");
    }
}

#[test]
fn data_update_publishes_a_new_edition_to_a_running_service_and_refuses_a_bad_one() {
    // The first, the same, one with fewer postcodes than may be, and a better one.
    let current = Arc::new(Mutex::new(edition("AUG_2025", 300)));
    let served = current.clone();
    let server = publisher(move |_| served.lock().unwrap().clone());
    let folder = tempfile::tempdir().unwrap();
    let out = text(&folder.path().join("uk.postcodes"));
    let catalogue = format!("{}/sharing/rest/search", server.address);
    let downloads = text(&folder.path().join("downloads"));
    let update = |more: &[&str]| {
        let common =
            ["data", "update", "onspd", "--catalogue", &catalogue, "--folder", &downloads, "--out", &out];
        run(&[&common[..], more].concat())
    };
    let (status, said, why) = update(&[]);
    assert_eq!(status, Some(0), "{said}{why}");
    assert!(said.contains("send SIGHUP to the service"), "{said}");
    let first = Dataset::open(&out).unwrap().info().fingerprint.clone();
    let (status, said, _) = update(&[]);
    assert!(status == Some(0) && said.contains("is the newest edition"), "{said}");

    let service = crate::program::Server::start(&["--listen", "127.0.0.1:0", "--data", &out]);
    let pid = service.process().to_string();
    let reload = ["--pid", &pid, "--service", &service.address];
    *current.lock().unwrap() = edition("NOV_2025", 200);
    let (status, said, why) = update(&reload);
    assert_eq!(status, Some(1), "{said}{why}");
    assert!(why.contains("--accept losses"), "{why}");
    assert_eq!(Dataset::open(&out).unwrap().info().fingerprint, first, "the old file stays");

    *current.lock().unwrap() = edition("NOV_2025", 310);
    let (status, said, why) = update(&reload);
    assert_eq!(status, Some(0), "{said}{why}");
    let introduced = said.lines().rev().find(|line| line.starts_with("introduced")).unwrap_or_default();
    assert!(introduced.ends_with(" 10"), "{said}");
    assert!(said.contains("the service serves it"), "{said}");
    assert_eq!(Dataset::open(&out).unwrap().info().live, 310);
    // These are refused before anything is downloaded.
    let asked = server.asked().len();
    let own = std::process::id().to_string();
    let (status, _, why) = update(&["--pid", &own]);
    assert!(status == Some(1) && why.contains("and not postcode-service"), "{why}");
    std::fs::write(format!("{out}.minisig"), "x").unwrap();
    let (status, _, why) = update(&[]);
    assert!(status == Some(1) && why.contains("is signed"), "{why}");
    assert_eq!(server.asked().len(), asked);
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains(".next")).collect();
    assert!(left.is_empty(), "{left:?}");
}
