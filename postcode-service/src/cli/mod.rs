//! The subcommands, one file each: `Args` with its options, and `run`.

mod asking;
pub mod autocomplete;
pub mod diff;
pub mod distance;
pub mod enrich;
pub mod exit;
pub mod import;
pub mod info;
pub mod inspect;
mod interrupt;
pub mod lookup;
pub mod nearest;
pub mod outcode;
mod output;
pub mod pack;
pub mod places;
pub mod random;
pub mod scotland;
pub mod search;
pub mod serve;
mod source;
pub mod validate;
pub mod verify;
pub mod within;
