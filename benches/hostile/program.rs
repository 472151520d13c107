//! The two programs that can be attacked, and what an attack has to know of them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use benches::open_loop::Ask;

use crate::mixes::{BOTH, CUSTOMERS, Mix, SERVICE};
use crate::server;

/// How long an import of accounts may take.
const IMPORT: Duration = Duration::from_secs(900);

/// A program that serves HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// `postcode-service`.
    Service,
    /// `customers`.
    Customers,
}

impl Program {
    /// Returns the arguments that make it serve on a free port, and keep its data in a folder.
    pub(crate) fn arguments(self, folder: &Path) -> Vec<String> {
        let file = |name: &str| format!("sqlite://{}", folder.join(name).display());
        let kept = match self {
            Self::Service => ["--jobs".to_owned(), file("jobs.db")],
            Self::Customers => ["--database".to_owned(), file("customers.db")],
        };
        ["serve", "--listen", "127.0.0.1:0"].map(str::to_owned).into_iter().chain(kept).collect()
    }

    /// Returns the cheapest path.
    pub(crate) fn ping(self) -> &'static str {
        match self {
            Self::Service => "/ping",
            Self::Customers => "/health",
        }
    }

    /// Returns the path that takes JSON.
    pub(crate) fn json(self) -> &'static str {
        match self {
            Self::Service => "/postcodes",
            Self::Customers => "/customers",
        }
    }

    /// Returns the path that takes an HTML form.
    pub(crate) fn form(self) -> &'static str {
        match self {
            Self::Service => "/postcodes",
            Self::Customers => "/new",
        }
    }

    /// Returns a path that does not exist, below one that may take long.
    pub(crate) fn unrouted(self) -> &'static str {
        match self {
            Self::Service => "/jobs/x/y",
            Self::Customers => "/imports/x/y",
        }
    }

    /// Returns all mixes of hostile connections, in the order in which they are measured.
    pub(crate) fn mixes(self) -> impl Iterator<Item = &'static Mix> {
        let own = match self {
            Self::Service => SERVICE,
            Self::Customers => CUSTOMERS,
        };
        BOTH.iter().chain(own)
    }

    /// Returns the requests of honest clients.
    pub(crate) fn asks(self) -> Vec<Ask> {
        let paths: &[&str] = match self {
            Self::Service => {
                &["/postcodes/SW1A1AA", "/postcodes/M11AE", "/postcodes/EH11YZ", "/postcodes/CF101BH"]
            }
            Self::Customers => {
                &["/postcodes/SW1A1AA", "/customers?limit=10", "/postcodes?prefix=M1", "/customers?limit=1"]
            }
        };
        paths.iter().copied().map(Ask::get).collect()
    }

    /// Fills the program: `customers` with this many accounts, all at one postcode, which is the most work for a search
    /// around it.
    pub(crate) fn fill(self, address: SocketAddr, accounts: usize) -> Result<()> {
        if self == Self::Service || accounts == 0 {
            return Ok(());
        }
        eprintln!("{accounts} accounts …");
        let mut file = String::from("name,email,postcode,address_line_1\n");
        for n in 0..accounts {
            let _ = writeln!(file, "Account {n},account{n}@example.org,SW1A 1AA,{n} Hostile Road");
        }
        let answer = server::ask(address, "POST /imports", "text/csv", &file)?;
        let place = answer
            .lines()
            .find_map(|line| line.strip_prefix("location: "))
            .with_context(|| format!("the import of accounts was refused: {answer}"))?;
        let began = Instant::now();
        while began.elapsed() < IMPORT {
            let import = server::ask(address, &format!("GET {place}"), "", "")?;
            if import.contains("\"succeeded\"") {
                let created = format!("\"created\":{accounts}");
                ensure!(import.contains(&created), "not all accounts were created: {import}");
                return Ok(());
            }
            ensure!(!import.contains("\"cancelled\""), "the import of accounts was cancelled: {import}");
            std::thread::sleep(Duration::from_millis(500));
        }
        bail!("the import of {accounts} accounts takes longer than {IMPORT:?}")
    }
}
