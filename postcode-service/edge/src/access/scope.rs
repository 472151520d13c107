//! The scopes of tokens, and the scope that a route needs.

use std::fmt;
use std::str::FromStr;

/// A permission that a token can hold. Each route of both programs needs one of them, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Look postcodes up, one by one and in bulk.
    Lookup,
    /// Look addresses up.
    Addresses,
    /// Submit jobs, watch them and fetch their results.
    Jobs,
    /// Download the dataset file, as replicas do.
    Dataset,
    /// Read `/metrics`.
    Metrics,
    /// Read customers: list, show, export, and the reports of imports.
    CustomersRead,
    /// Create, change, delete, restore and import customers.
    CustomersWrite,
    /// Erase customers for good.
    CustomersErase,
    /// See and move the stage of a promotion, and change the plan of a fleet.
    Admin,
    /// Follow the plan of a fleet, and report to it.
    Fleet,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 10] = [
        Self::Lookup,
        Self::Addresses,
        Self::Jobs,
        Self::Dataset,
        Self::Metrics,
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::CustomersErase,
        Self::Admin,
        Self::Fleet,
    ];

    /// Returns its name, as it is written in a tokens file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Addresses => "addresses",
            Self::Jobs => "jobs",
            Self::Dataset => "dataset",
            Self::Metrics => "metrics",
            Self::CustomersRead => "customers:read",
            Self::CustomersWrite => "customers:write",
            Self::CustomersErase => "customers:erase",
            Self::Admin => "admin",
            Self::Fleet => "fleet",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("{text:?} is not a scope. The scopes are {names}")
        })
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u16);

impl Scopes {
    /// Tells whether the scope is in the set.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Returns the scopes in the set.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u8))
    }
}

/// `lookup,jobs`
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(scope.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The scope that a caller needs to use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No scope: health checks, and pages without data.
    Nothing,
    /// A token or a client certificate with this scope.
    Scope(Scope),
}

/// A row of a program's table of routes.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The route, as the router has it.
    pub route: &'static str,
    /// The need of `GET` and `HEAD`.
    pub reads: Need,
    /// The need of every other method.
    pub writes: Need,
}

impl Rule {
    /// Makes a row for a route on which reading and changing need different scopes.
    pub const fn new(route: &'static str, reads: Need, writes: Need) -> Self {
        Self { route, reads, writes }
    }

    /// Returns what a request needs by a table. `None` means that the table does not list the
    /// route: it is refused.
    pub fn find(table: &[Self], route: &str, method: &http::Method) -> Option<Need> {
        let rule = table.iter().find(|rule| rule.route == route)?;
        let reads = matches!(*method, http::Method::GET | http::Method::HEAD);
        Some(if reads { rule.reads } else { rule.writes })
    }
}
