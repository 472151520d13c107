//! Runs each test on both databases: on a separate file, and on a separate PostgreSQL database if
//! there is a server.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use postcode_core::{Local, Lookups, PostcodeLookup};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::jobs::{self, Callbacks, Jobs};
use postcode_service::worker::{self, Workers};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::jobs::common::{Answer, send};

const SERVER: &str = "postgres://postgres@127.0.0.1:5432";

/// A database that is gone when the test is.
pub enum Database {
    File(tempfile::TempDir),
    Server(String),
}

impl Database {
    pub fn file() -> Option<Self> {
        Some(Self::File(tempfile::tempdir().unwrap()))
    }

    /// Returns the server's database; `None` without a server, which fails in CI.
    pub fn server() -> Option<Self> {
        let name = format!("jobs_{}", uuid::Uuid::now_v7().simple());
        match execute(format!("CREATE DATABASE {name}")) {
            Ok(()) => Some(Self::Server(name)),
            Err(error) => {
                postcode_testing::skip(format_args!("no PostgreSQL at {SERVER}: {error}"));
                None
            }
        }
    }

    /// Runs a statement in this database's dialect.
    pub async fn execute_in(&self, sqlite: &str, postgres: &str) {
        use sqlx::{AssertSqlSafe, Connection, Executor};
        match self {
            Self::File(_) => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url()).await.unwrap();
                connection.execute(AssertSqlSafe(sqlite.to_owned())).await.unwrap();
            }
            Self::Server(_) => {
                let mut connection = sqlx::PgConnection::connect(&self.url()).await.unwrap();
                connection.execute(AssertSqlSafe(postgres.to_owned())).await.unwrap();
            }
        }
    }

    /// Returns the virtual time and its epoch.
    pub async fn clock(&self) -> (i64, i64) {
        use sqlx::Connection;
        let statement = "SELECT now, epoch FROM job_clock";
        match self {
            Self::File(_) => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::query_as(statement).fetch_one(&mut connection).await.unwrap()
            }
            Self::Server(_) => {
                let mut connection = sqlx::PgConnection::connect(&self.url()).await.unwrap();
                sqlx::query_as(statement).fetch_one(&mut connection).await.unwrap()
            }
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::File(dir) => format!("sqlite://{}", dir.path().join("jobs.db").display()),
            Self::Server(name) => format!("{SERVER}/{name}"),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Server(name) = self
            && let Err(error) = execute(format!("DROP DATABASE {name} WITH (FORCE)"))
        {
            println!("{name} stays: {error}");
        }
    }
}

/// Runs a statement on a separate thread: a test's runtime can't wait in a drop.
fn execute(statement: String) -> Result<(), String> {
    let executed = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            use sqlx::{Connection, Executor};
            let url = format!("{SERVER}/postgres");
            let connected = sqlx::PgConnection::connect(&url).await;
            let mut connection = connected.map_err(|e| e.to_string())?;
            let statement = sqlx::AssertSqlSafe(statement);
            connection.execute(statement).await.map(drop).map_err(|e| e.to_string())
        })
    });
    executed.join().unwrap()
}

/// A server without sockets, its workers not yet at work.
pub struct Bench {
    pub api: Api,
    pub jobs: Jobs,
    pub lookup: Arc<dyn Lookups>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
    // Dropped last.
    pub database: Database,
}

impl Bench {
    pub async fn new(database: Database) -> Self {
        Self::with(database, jobs::Limits::default(), None).await
    }

    pub async fn with(database: Database, limits: jobs::Limits, callbacks: Option<Callbacks>) -> Self {
        Self::over(Arc::new(Local::embedded().unwrap()), database, limits, callbacks).await
    }

    /// Creates one over other data.
    pub async fn over(
        lookup: Arc<dyn Lookups>,
        database: Database,
        limits: jobs::Limits,
        callbacks: Option<Callbacks>,
    ) -> Self {
        let jobs = Jobs::new(database.url().parse().unwrap(), false, limits, callbacks);
        jobs.open().await.unwrap();
        let edition = Edition::of(lookup.clone()).await.unwrap();
        let api = Api::with_jobs(edition, Limits::default(), jobs.clone());
        Self { api, jobs, lookup, stop: watch::Sender::new(false), workers: Vec::new(), database }
    }

    pub fn work(&mut self, count: usize) {
        let lookup = self.lookup.clone();
        self.work_by(count, lookup);
    }

    pub fn work_by(&mut self, count: usize, lookup: Arc<dyn PostcodeLookup>) {
        let source: worker::Source = Arc::new(move || lookup.clone());
        let workers = Workers { count, presumed_dead: Duration::from_secs(4), source };
        self.workers.push(tokio::spawn(worker::run(self.jobs.clone(), workers, self.stop.subscribe())));
    }

    pub async fn end(mut self) {
        self.rest().await;
    }

    /// Stops the workers.
    pub async fn rest(&mut self) {
        self.stop.send_replace(true);
        for worker in self.workers.drain(..) {
            worker.await.unwrap();
        }
    }

    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(&self.api, request.body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    /// Submits CSV; the job's id.
    pub async fn csv(&self, query: &str, headers: &[(&str, &str)], rows: impl Into<Body>) -> String {
        let headers = [&[("content-type", "text/csv")], headers].concat();
        let answer = self.ask(Method::POST, &format!("/jobs{query}"), &headers, rows).await;
        id(&answer)
    }

    /// Waits until the job has ended, and returns it.
    pub async fn ended(&self, id: &str) -> Value {
        loop {
            let job = self.get(&format!("/jobs/{id}?wait=10s")).await.json()["result"].take();
            if ["succeeded", "failed", "cancelled"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
        }
    }
}

pub fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
    let id = answer.json()["result"]["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/jobs/{id}"));
    id
}
