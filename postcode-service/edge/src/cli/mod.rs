//! The command line that both programs share: reading it, shell completions, man pages, tokens, and
//! the options of a server for authentication and TLS.

mod parse;
mod security;
mod shells;
mod token;

pub use parse::parse;
pub use security::SecurityArgs;
pub use shells::{CompletionsArgs, ManArgs};
pub use token::TokenArgs;
