//! The mixes of hostile connections.

use crate::attack::Attack::{self, *};

/// Hostile connections of one or several kinds.
#[derive(Debug)]
pub(crate) struct Mix {
    /// The name in the table and in `--mixes`.
    pub(crate) name: &'static str,
    /// A description of what the connections do.
    pub(crate) about: &'static str,
    /// The kinds, and their shares of the connections.
    pub(crate) parts: &'static [(Attack, usize)],
}

/// The mixes for both programs, which are measured first.
pub(crate) const BOTH: &[Mix] = &[
    Mix { name: "idle", about: "connect and say nothing", parts: &[(Idle, 1)] },
    Mix { name: "kept-alive", about: "ask once and keep the connection", parts: &[(KeptAlive, 1)] },
    Mix { name: "slow-headers", about: "one header line a second, without end", parts: &[(SlowHeaders, 1)] },
    Mix { name: "slow-bodies", about: "one byte of a body a second", parts: &[(SlowBodies, 1)] },
    Mix { name: "garbage", about: "random bytes on new connections, 4,500 a second", parts: &[(Garbage, 1)] },
    Mix {
        name: "new-connections",
        about: "one request a connection, 1,000 a second",
        parts: &[(NewConnections, 1)],
    },
];

/// The mixes for `postcode-service` alone.
pub(crate) const SERVICE: &[Mix] = &[
    Mix { name: "bulk", about: "100 postcodes a request, 200 requests a second", parts: &[(Bulk, 1)] },
    Mix {
        name: "bulk-places",
        about: "100 points with 1,000 neighbours each, 8 requests a second",
        parts: &[(BulkPlaces, 1)],
    },
    Mix {
        name: "polygons",
        about: "polygons of 900 corners and no area, 8 a second",
        parts: &[(Polygons, 1)],
    },
    Mix { name: "forms", about: "forms of 90 kB in 3,000 fields, 20 a second", parts: &[(Forms, 1)] },
    Mix {
        name: "unrouted-posts",
        about: "POST /jobs/x/y with a body that does not come",
        parts: &[(UnroutedPosts, 1)],
    },
    Mix { name: "slow-readers", about: "large answers that are not read", parts: &[(SlowReaders, 1)] },
    Mix { name: "long-paths", about: "paths of 15 kB below /jobs, 2,000 a second", parts: &[(LongPaths, 1)] },
    Mix {
        name: "small-pools",
        about: "slow uploads to /enrich and /jobs, slow downloads of /dataset",
        parts: &[(Uploads, 3), (JobUploads, 3), (Downloads, 3)],
    },
    Mix {
        name: "mixed",
        about: "slow headers, slow bodies, garbage and bulk at once",
        parts: &[(SlowHeaders, 3), (SlowBodies, 3), (Garbage, 1), (Bulk, 2)],
    },
    Mix {
        name: "mixed-gentle",
        about: "slow headers, slow bodies and a few bulk requests",
        parts: &[(SlowHeaders, 4), (SlowBodies, 4), (Bulk, 1)],
    },
];

/// The mixes for `customers` alone.
pub(crate) const CUSTOMERS: &[Mix] = &[
    Mix { name: "near", about: "all accounts around one postcode, 8 requests a second", parts: &[(Near, 1)] },
    Mix { name: "search", about: "a text that no account has, 8 requests a second", parts: &[(Search, 1)] },
    Mix { name: "creations", about: "one new account a request, 200 a second", parts: &[(Creations, 1)] },
    Mix { name: "imports", about: "slow uploads to /imports", parts: &[(Imports, 1)] },
    Mix { name: "forms", about: "forms of 90 kB in 3,000 fields, 20 a second", parts: &[(Forms, 1)] },
    Mix {
        name: "unrouted-posts",
        about: "POST /imports/x/y with a body that does not come",
        parts: &[(UnroutedPosts, 1)],
    },
    Mix {
        name: "long-paths",
        about: "paths of 15 kB below /imports, 2,000 a second",
        parts: &[(LongPaths, 1)],
    },
    Mix {
        name: "mixed",
        about: "slow headers, slow bodies, garbage, searches and creations at once",
        parts: &[(SlowHeaders, 3), (SlowBodies, 3), (Garbage, 1), (Near, 1), (Creations, 1)],
    },
];
