//! The places where a lookup can be, what each was measured to cost, and how many processes use it.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// A place where a lookup can be.
///
/// [`of_url`](Self::of_url) finds it, [`is_in_process`](Self::is_in_process) and [`as_str`](Self::as_str) describe it:
///
/// ```
/// use postcode_core::layers::advice::Place;
///
/// assert_eq!(Place::of_url("http://127.0.0.1:8080"), Some(Place::Tcp));
/// assert!(Place::File.is_in_process());
/// assert_eq!(Place::Unix.as_str(), "unix");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The data inside of the program.
    Embedded,
    /// A mapped file.
    File,
    /// A copy of a service's file.
    Replica,
    /// A service on this machine, over a Unix socket.
    Unix,
    /// A service over TCP.
    Tcp,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 5] = [Self::Embedded, Self::File, Self::Replica, Self::Unix, Self::Tcp];

    /// Returns the place that the URL of a source names, by its scheme in lower case. `None` if the scheme is unknown.
    ///
    /// ```
    /// use postcode_core::layers::advice::Place;
    ///
    /// assert_eq!(Place::of_url("replica:http://127.0.0.1:8080"), Some(Place::Replica));
    /// assert_eq!(Place::of_url("/data/uk.postcodes"), None); // a path has no scheme
    /// ```
    pub fn of_url(url: &str) -> Option<Self> {
        let scheme = url.split_once(':')?.0;
        Some(match scheme {
            "embedded" => Self::Embedded,
            "file" => Self::File,
            "replica" => Self::Replica,
            "unix" => Self::Unix,
            "http" | "https" => Self::Tcp,
            _ => return None,
        })
    }

    /// Returns whether calls are answered in the caller's process.
    ///
    /// ```
    /// use postcode_core::layers::advice::Place;
    ///
    /// assert!(Place::Replica.is_in_process()); // the copy answers
    /// assert!(!Place::Unix.is_in_process());
    /// ```
    pub fn is_in_process(self) -> bool {
        matches!(self, Self::Embedded | Self::File | Self::Replica)
    }

    /// Returns the name in JSON.
    ///
    /// ```
    /// use postcode_core::layers::advice::Place;
    ///
    /// let names = Place::ALL.map(Place::as_str);
    /// assert_eq!(names, ["embedded", "file", "replica", "unix", "tcp"]);
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::File => "file",
            Self::Replica => "replica",
            Self::Unix => "unix",
            Self::Tcp => "tcp",
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The measured cost of one kind of call.
///
/// ```
/// use postcode_core::layers::advice::WorkCost;
///
/// let mut cost = WorkCost::default();
/// (cost.items, cost.cpu_us) = (100.0, 250.0);
/// assert_eq!(cost.cpu_us / cost.items, 2.5); // for each postcode of a batch
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkCost {
    /// The method.
    pub method: String,
    /// Items in the answer, on average.
    pub items: f64,
    /// The time that half of the calls don't exceed, in microseconds.
    pub p50_us: f64,
    /// The time that 99 % of the calls don't exceed, in microseconds.
    pub p99_us: f64,
    /// Processor time of caller and service for a call, in microseconds.
    pub cpu_us: f64,
}

/// The memory of a process that uses a place, in bytes.
///
/// ```
/// use postcode_core::layers::advice::Memory;
///
/// let mapped = Memory { private: 8e6, shared: 48e6, service: 0.0 };
/// let processes = 4.0;
/// assert_eq!(processes * mapped.private + mapped.shared, 80e6); // all on one machine
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The memory of each process.
    pub private: f64,
    /// The memory of a mapped file, which all processes of a machine share.
    pub shared: f64,
    /// The memory of the service.
    pub service: f64,
}

/// The measured costs of one place on this machine.
///
/// ```
/// use postcode_core::layers::advice::{Memory, Place, PlaceCosts, WorkCost};
///
/// let lookup = WorkCost { method: "lookup_one".to_owned(), items: 1.0, p50_us: 0.3, p99_us: 0.9, cpu_us: 0.3 };
/// let memory = Memory { private: 80e6, ..Memory::default() };
/// let costs = PlaceCosts { place: Place::Embedded, works: vec![lookup], cold_us: 0.5, memory, measured: true };
/// assert!(costs.place.is_in_process());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaceCosts {
    /// The place.
    pub place: Place,
    /// The costs of calls, one after another.
    pub works: Vec<WorkCost>,
    /// How much longer a call takes after a pause of 2 ms, in microseconds: caches and threads are cold then.
    pub cold_us: f64,
    /// The memory.
    pub memory: Memory,
    /// Whether the costs were measured here, and not derived from another place.
    pub measured: bool,
}

/// The processes that ask, and the prices.
///
/// ```
/// use postcode_core::layers::advice::Deployment;
///
/// let deployment = Deployment { processes: 4.0, machines: 3.0, cores: 8.0, ..Deployment::default() };
/// assert_eq!(deployment.processes * deployment.machines, 12.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deployment {
    /// Processes like this one on each machine.
    pub processes: f64,
    /// Machines.
    pub machines: f64,
    /// Cores of a machine.
    pub cores: f64,
    /// The longest p99 that callers accept, in microseconds.
    pub max_p99_us: Option<f64>,
    /// The price of a core for an hour, in any currency.
    pub core_hour: f64,
    /// The price of a GiB of memory for an hour.
    pub gib_hour: f64,
    /// The share of the price below which a gain does not count, 0 to 1: predictions have errors.
    pub margin: f64,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            processes: 1.0,
            machines: 1.0,
            cores: 1.0,
            max_p99_us: None,
            core_hour: 0.04,
            gib_hour: 0.005,
            margin: 0.25,
        }
    }
}
