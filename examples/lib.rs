//! Runnable programs, each in one file next to this one:
//!
//! | `cargo run --release --example …` | shows |
//! |---|---|
//! | `in_process` | the country in your own process, in ten lines |
//! | `over_http` | the same ten lines against a service |
//! | `side_by_side` | one consumer, three implementations: mock, in-process, HTTP |
//! | `promote` | moving from a library to a service under load, and back, with the service killed in between |
//! | `fleet` | fifty processes under load that follow one plan, and step back together |
//! | `decorator` | your own implementation of the trait, around any other |
//! | `text` | postcodes in running text: find, repair, replace |
