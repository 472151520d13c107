//! The command line that both programs share: options, environment and configuration file, the log,
//! security, tokens, health, completions and man pages.

mod config;
mod file;
mod log;
mod origin;
mod ping;
mod program;
mod security;
mod shells;
pub mod supervisor;
mod token;
mod variables;

pub use config::ConfigArgs;
pub use log::LogArgs;
pub use ping::PingArgs;
pub use program::{Configuration, Program, version};
pub use security::SecurityArgs;
pub use shells::{CompletionsArgs, ManArgs};
pub use token::TokenArgs;
