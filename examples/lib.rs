//! Runnable programs, each one file beside this one:
//!
//! | `cargo run --release --example …` | shows |
//! |---|---|
//! | `in_process` | the country in your own process, in ten lines |
//! | `over_http` | the same ten lines against a service |
//! | `side_by_side` | one consumer, three implementations: mock, in-process, HTTP |
//! | `promote` | a library promoted to a service under load, and back, the service killed in between |
//! | `decorator` | an implementation of the trait of your own, around any other |
//! | `text` | postcodes in running text: find, repair, replace |
