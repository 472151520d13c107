//! The program: started, asked, stopped, killed, and started wrongly.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::http::{Failure, Server, program, send};
use postcode_testing::Nobody;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Creates a valid body with a unique email address.
fn ada(postcode: &str) -> Value {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let email = format!("ada{}@example.com", MADE.fetch_add(1, Ordering::Relaxed));
    json!({ "name": "Ada", "email": email, "postcode": postcode, "address_lines": ["1 The Mall"] })
}

fn database(dir: &TempDir) -> String {
    format!("sqlite://{}", dir.path().join("customers.db").display())
}

#[tokio::test]
async fn it_serves_and_ends_cleanly_by_either_signal_and_keeps_the_accounts() {
    let dir = TempDir::new().unwrap();
    let database = database(&dir);
    let options = ["--listen", "127.0.0.1:0", "--database", &database, "--lookup-timeout", "1m"];
    let server = Server::start(&options).await;
    assert!(server.address.starts_with("http://127.0.0.1:") && !server.address.ends_with(":0"));
    let (status, made) = send(&server.address, "POST", "/customers", Some(&ada("sw1a1aa"))).await.unwrap();
    assert_eq!((status, &made["address_status"]), (201, &json!("verified")), "{made}");
    assert_eq!((&made["admin_district"], &made["country"]), (&json!("Westminster"), &json!("England")));
    assert_eq!(
        server.end("TERM").await,
        (Some(0), String::new()),
        "one line on standard output, and status 0"
    );

    let server = Server::start(&options).await;
    let path = format!("/customers/{}", made["id"].as_str().unwrap());
    assert_eq!(send(&server.address, "GET", &path, None).await.unwrap(), (200, made));
    assert_eq!(server.end("INT").await, (Some(0), String::new()));
}

#[tokio::test]
async fn it_serves_on_a_unix_socket_and_takes_over_one_that_is_left_behind() {
    let dir = TempDir::new().unwrap();
    let (database, socket) = (database(&dir), dir.path().join("customers.sock"));
    let listen = format!("unix:{}", socket.display());
    let options = ["--listen", &listen, "--database", &database];
    let mut server = Server::start(&options).await;
    assert_eq!(server.address, listen);
    assert_eq!(send(&listen, "GET", "/ready", None).await.unwrap().0, 200);

    // The address is in use, and the first program still works.
    let second = program(&["serve", "--listen", &listen, "--database", &database]).output().await.unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another server listens"), "{second:?}");
    assert_eq!(send(&listen, "GET", "/ready", None).await.unwrap().0, 200);

    server.child.kill().await.unwrap();
    assert!(socket.exists());
    let server = Server::start(&options).await;
    assert_eq!(send(&listen, "GET", "/ready", None).await.unwrap().0, 200);
    assert_eq!(server.end("TERM").await.0, Some(0));
    assert!(!socket.exists());

    std::fs::write(&socket, "precious").unwrap();
    let refused = program(&["serve", "--listen", &listen, "--database", &database]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not a socket"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
}

#[tokio::test]
async fn without_a_postcode_service_accounts_are_pending_and_with_one_resolved() {
    let dir = TempDir::new().unwrap();
    let database = database(&dir);
    let nobody = Nobody::new();
    let away = ["--postcodes", &nobody.url()];
    let options = ["--listen", "127.0.0.1:0", "--database", &database];
    let server = Server::start(&[&options[..], &away].concat()).await;
    let mut paths = Vec::new();
    for postcode in ["SW1A 1AA", "DN55 1PT", "SW1A 9ZZ"] {
        let (status, made) = send(&server.address, "POST", "/customers", Some(&ada(postcode))).await.unwrap();
        assert_eq!((status, &made["address_status"]), (201, &json!("pending")));
        paths.push(format!("/customers/{}", made["id"].as_str().unwrap()));
    }
    assert_eq!(server.end("TERM").await.0, Some(0));

    let server = Server::start(&options).await;
    for (path, status) in paths.iter().zip(["verified", "terminated", "unknown"]) {
        loop {
            let (_, customer) = send(&server.address, "GET", path, None).await.unwrap();
            if customer["address_status"] != "pending" {
                assert_eq!(customer["address_status"], status, "{customer}");
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(server.end("TERM").await.0, Some(0));
}

#[tokio::test]
async fn killed_in_the_middle_of_a_burst_every_account_that_was_answered_for_is_there() {
    let dir = TempDir::new().unwrap();
    let database = database(&dir);
    let options = ["--listen", "127.0.0.1:0", "--database", &database];
    let mut answered: Vec<Value> = Vec::new();
    for round in 1..=3 {
        let mut server = Server::start(&options).await;
        let created = Arc::new(AtomicUsize::new(0));
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (address, created) = (server.address.clone(), created.clone());
            clients.spawn(async move {
                let mut mine = Vec::new();
                while let Ok((status, made)) =
                    send(&address, "POST", "/customers", Some(&ada("M1 1AE"))).await
                {
                    // On a busy machine the database may be too busy: then none was made.
                    if status == 503 {
                        continue;
                    }
                    assert_eq!(status, 201, "{made}");
                    mine.push(made);
                    created.fetch_add(1, Ordering::SeqCst);
                }
                mine
            });
        }
        while created.load(Ordering::SeqCst) < 30 * round {
            tokio::task::yield_now().await;
        }
        server.child.kill().await.unwrap();
        answered.extend(clients.join_all().await.into_iter().flatten());
    }

    let server = Server::start(&options).await;
    let (mut listed, mut path) = (Vec::new(), "/customers?limit=100".to_owned());
    loop {
        let (_, page) = send(&server.address, "GET", &path, None).await.unwrap();
        listed.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/customers?limit=100&cursor={cursor}"),
            None => break,
        }
    }
    assert!(answered.len() >= 180);
    for made in &answered {
        // The district may have been looked up after the answer.
        let same =
            |customer: &&Value| ["id", "email", "created_at"].iter().all(|key| customer[key] == made[key]);
        assert_eq!(listed.iter().filter(same).count(), 1, "{made}");
    }
    // Some were stored without an answer: at most those in flight at each kill.
    assert!(listed.len() <= answered.len() + 3 * 8, "{} {}", listed.len(), answered.len());
    assert_eq!(server.end("TERM").await.0, Some(0));
}

#[tokio::test]
async fn a_half_sent_header_and_an_idle_connection_do_not_keep_it_from_ending() {
    let dir = TempDir::new().unwrap();
    let database = database(&dir);
    // A drain far longer than a test may take: it must end earlier, by itself.
    let options = ["--listen", "127.0.0.1:0", "--database", &database, "--drain", "1h"];
    let server = Server::start(&options).await;
    let authority = server.address.trim_start_matches("http://").to_owned();
    let mut half = TcpStream::connect(&authority).await.unwrap();
    half.write_all(b"GET /customers HTTP/1.1\r\nhost: loc").await.unwrap();
    let _silent = TcpStream::connect(&authority).await.unwrap();
    let mut idle = TcpStream::connect(&authority).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert_eq!(server.end("TERM").await.0, Some(0));
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_it_ends() {
    let dir = TempDir::new().unwrap();
    let database = database(&dir);
    let server = Server::start(&["--listen", "127.0.0.1:0", "--database", &database, "--drain", "1h"]).await;
    let mut slow = TcpStream::connect(server.address.trim_start_matches("http://")).await.unwrap();
    let body = ada("SW1A 1AA").to_string();
    let head = format!(
        "POST /customers HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is in flight.
    let mut answer = [0; 25];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.signal("TERM");
    // It has received the signal once it accepts no more.
    while TcpStream::connect(server.address.trim_start_matches("http://")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    slow.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created") && answer.contains("\"SW1A 1AA\""), "{answer}");
    assert_eq!(server.end("TERM").await.0, Some(0));
}

#[tokio::test]
async fn what_can_not_be_is_said_and_the_status_is_not_0() -> Result<(), Failure> {
    let dir = TempDir::new()?;
    let database = database(&dir);
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let taken = taken.local_addr()?.to_string();
    let no_folder = format!("sqlite://{}/no/such/folder.db", dir.path().display());
    let wrong: [(&[&str], &str); 9] = [
        (&["--listen", &taken], "in use"),
        (&["--listen", "nonsense"], "write HOST:PORT"),
        (&["--listen", "unix:"], "unix: has no path"),
        (&["--database", "mysql://localhost/db"], "\"mysql\" is not supported"),
        (&["--database", &no_folder], "unable to open"),
        (&["--postcodes", "gopher://localhost"], "gopher"),
        (&["--lookup-timeout", "0s"], "give 1ms to 1h"),
        (&["--connections", "0"], "--connections"),
        (&["--unknown"], "--unknown"),
    ];
    let good = ["serve", "--listen", "127.0.0.1:0", "--database", database.as_str()];
    for (options, reason) in wrong {
        // Repeating an option would be a different error.
        let rest = good[1..].chunks(2).filter(|pair| !options.contains(&pair[0])).flatten();
        let arguments: Vec<&str> = ["serve"].iter().chain(rest).chain(options).copied().collect();
        let output = program(&arguments).output().await?;
        let stderr = String::from_utf8(output.stderr)?;
        assert!(output.status.code().is_some_and(|code| code > 0), "{options:?}");
        assert!(stderr.contains(reason), "{options:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert_eq!(output.stdout, b"", "{options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn help_shows_every_option_its_variable_and_examples() {
    let output = program(&["serve", "--help"]).output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for part in [
        "--listen",
        "CUSTOMERS_LISTEN",
        "--postcodes",
        "CUSTOMERS_POSTCODES",
        "--database",
        "DATABASE_URL",
        "--lookup-timeout",
        "CUSTOMERS_LOOKUP_TIMEOUT",
        "Examples:",
        "embedded:",
        "sqlite://customers.db",
        "postgres://",
        "--require-if-match",
        "CUSTOMERS_REQUIRE_IF_MATCH",
        "--host",
        "CUSTOMERS_HOST",
        "--request-timeout",
        "CUSTOMERS_REQUEST_TIMEOUT",
        "--max-exports",
        "CUSTOMERS_MAX_EXPORTS",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[tokio::test]
async fn log_that_nobody_reads_keeps_no_answer_waiting() {
    let dir = TempDir::new().unwrap();
    // Standard error is a pipe of some ten kilobytes that is not read; each statement of the
    // database is a line.
    let database = database(&dir);
    let mut child = program(&["serve", "--listen", "127.0.0.1:0", "--database", &database])
        .env("RUST_LOG", "trace")
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = tokio::io::BufReader::new(child.stdout.take().unwrap());
    tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line).await.unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
    for _ in 0..500 {
        assert_eq!(send(&address, "GET", "/customers?q=nobody", None).await.unwrap().0, 200);
    }
    postcode_testing::signal(child.id().unwrap(), "TERM");
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn what_config_show_prints_is_a_file_that_can_be_used() {
    let dir = TempDir::new().unwrap();
    let shown = program(&["config", "show"]).output().await.unwrap();
    assert!(shown.status.success());
    let file = dir.path().join("customers.toml");
    std::fs::write(&file, shown.stdout).unwrap();
    let checked = program(&["config", "check", file.to_str().unwrap()]).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&checked.stderr), "");
    assert_eq!(String::from_utf8_lossy(&checked.stdout), "The configuration can be used.\n");
}

#[tokio::test]
async fn errors_of_the_command_line_and_of_the_environment_show_no_password() {
    const SECRET: &str = "s3 'cr@et";
    let urls = ["postgre", "postgres", "http", "gopher", "replica:http", "sqlite"]
        .map(|scheme| format!("{scheme}://user:{SECRET}@127.0.0.1:port/x"));
    let more = [format!("user:{SECRET}@db"), "postgres://127.0.0.1:port/x?password=s3 'cr@et".to_owned()];
    let options = [
        ("--database", "DATABASE_URL"),
        ("--postcodes", "CUSTOMERS_POSTCODES"),
        ("--promote-to", "CUSTOMERS_PROMOTE_TO"),
        ("--listen", "CUSTOMERS_LISTEN"),
        ("--admin", "CUSTOMERS_ADMIN"),
        ("--stage", "CUSTOMERS_STAGE"),
        ("--explain-with", "CUSTOMERS_EXPLAIN_WITH"),
        ("--walk", "CUSTOMERS_WALK"),
        ("--addresses", "CUSTOMERS_ADDRESSES"),
        ("--drain", "CUSTOMERS_DRAIN"),
        ("--no-such-option", ""),
        ("", ""),
    ];
    let dir = TempDir::new().unwrap();
    for url in urls.iter().chain(&more) {
        for (option, variable) in options {
            let mut tries = vec![program(&["serve", url]), program(&["serve", &format!("{option}={url}")])];
            if !variable.is_empty() {
                let mut by_variable = program(&["serve"]);
                by_variable.env(variable, url);
                tries.push(by_variable);
            }
            for mut command in tries {
                command.current_dir(dir.path()).env("CUSTOMERS_LISTEN", "127.0.0.1:0");
                if variable == "CUSTOMERS_LISTEN" {
                    command.env(variable, url);
                }
                if ["--admin", "--stage", "--explain-with", "--walk"].contains(&option) {
                    command.env("CUSTOMERS_PROMOTE_TO", "embedded:");
                }
                let output = command.output().await.unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.code().is_some_and(|code| code > 0), "{option} {url}: {said}");
                assert!(!said.contains("cr@et") && !said.contains("s3"), "{option} {url}: {said}");
            }
        }
    }
}
