//! Looks at where jobs are kept: a file, or PostgreSQL.

use std::path::Path;
use std::time::Duration;

use postcode_edge::cli::Configuration;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use super::finding::Finding;
use crate::jobs::Url;

/// How long a database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds by which the clocks may differ.
const SKEW: f64 = 5.0;

pub(super) async fn look(configuration: &Configuration, redact: fn(&str) -> String) -> Vec<Finding> {
    let Some(text) = configuration.get("jobs") else {
        return vec![file(configuration, Path::new("postcode-jobs.db"), "the default, without --jobs")];
    };
    match text.parse::<Url>() {
        _ if text == "none" => vec![Finding::good("jobs", "off")],
        Ok(Url::Sqlite(path)) => vec![file(configuration, &path, "--jobs")],
        Ok(Url::Postgres(url)) => postgres(&url, redact).await,
        Err(why) => vec![Finding::fault("jobs", why, "The server does not start with this")],
    }
}

fn file(configuration: &Configuration, path: &Path, origin: &str) -> Finding {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let shown = path.display();
    // Creating a file tests permissions, quotas and read-only file systems at once.
    if let Err(error) = tempfile::tempfile_in(folder) {
        return Finding::fault(
            "jobs",
            format!("{shown} ({origin}): nothing can be written to {}: {error}", folder.display()),
            "Give --jobs sqlite:///PATH in a folder that the server's user may write, or --jobs none",
        );
    }
    let percent = rustix::fs::statvfs(folder).ok().map(|about| about.f_bavail * 100 / about.f_blocks.max(1));
    let least = configuration.get("min-free-disk").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    match percent {
        Some(percent) if percent < least => Finding::fault(
            "jobs",
            format!("{shown} ({origin}): {percent} % of the disk are free, and --min-free-disk is {least}"),
            "New jobs are answered 507. Free some space, or move the file",
        ),
        Some(percent) => {
            Finding::good("jobs", format!("{shown} ({origin}): {percent} % of the disk are free"))
        }
        None => Finding::good("jobs", format!("{shown} ({origin})")),
    }
}

async fn postgres(url: &str, redact: fn(&str) -> String) -> Vec<Finding> {
    let shown = redact(url);
    match tokio::time::timeout(PATIENCE, asked(url)).await {
        Err(_) => vec![Finding::fault(
            "PostgreSQL",
            format!("{shown} does not answer within {} s", PATIENCE.as_secs()),
            "Check the host, the port, and firewalls between",
        )],
        Ok(Err(error)) => vec![Finding::fault("PostgreSQL", format!("{shown}: {error}"), advice(&error))],
        Ok(Ok(Answer { version, may_create, seconds })) => {
            let mut findings = vec![if may_create {
                Finding::good("PostgreSQL", format!("{shown}: {version}"))
            } else {
                Finding::fault(
                    "PostgreSQL",
                    format!("{shown}: {version}: this user may not create tables there"),
                    "The server makes its tables at the first start: GRANT CREATE ON SCHEMA public TO the user",
                )
            }];
            let ours = jiff::Timestamp::now().as_duration().as_secs_f64();
            let skew = (ours - seconds).abs();
            if skew > SKEW {
                findings.push(Finding::fault(
                    "clocks",
                    format!("this machine and PostgreSQL differ by {skew:.0} seconds"),
                    "Workers would take each other for dead: run a time service on both",
                ));
            }
            findings
        }
    }
}

struct Answer {
    version: String,
    may_create: bool,
    seconds: f64,
}

async fn asked(url: &str) -> Result<Answer, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let mut database = PgConnection::connect_with(&options).await?;
    let query = "SELECT 'PostgreSQL ' || current_setting('server_version'), \
                 coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), \
                 extract(epoch FROM clock_timestamp())::float8";
    let (version, may_create, seconds) = sqlx::query_as(query).fetch_one(&mut database).await?;
    database.close().await?;
    Ok(Answer { version, may_create, seconds })
}

fn advice(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some("28P01" | "28000") => "Check the user and the password, and pg_hba.conf of the server",
            Some("3D000") => "Make the database first: createdb NAME",
            Some("53300") => "Too many connections: raise max_connections, or stop some clients",
            _ => "The message is PostgreSQL's",
        },
        sqlx::Error::Tls(_) => "Check the certificate: ?sslmode= and ?sslrootcert= say what is demanded",
        _ => "Check the host and the port, and that PostgreSQL listens there",
    }
}
