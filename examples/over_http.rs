//! The same ten lines against a service, on this or any other machine:
//!
//!     cargo run --release -p postcode-service -- serve
//!     cargo run --release --example over_http http://127.0.0.1:8080

use postcode_core::{PostcodeLookupExt, Result, connect};

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or("http://127.0.0.1:8080".into());
    let postcodes = connect(&url).await?;
    for text in ["sw1a1aa", "EH1 1YZ", "AB1 0AA", "BT1 5GS", "SW1A 9ZZ"] {
        let answer = postcodes.get_str(text).await?;
        let district = answer.record().and_then(|record| record.admin_district());
        println!("{text:8} {:11} {}", answer.status(), district.unwrap_or("-"));
    }
    Ok(())
}
