//! The whole country in your own process: no file, no server, no key.

use postcode_core::{PostcodeLookupExt, Result, connect};

#[tokio::main]
async fn main() -> Result<()> {
    let postcodes = connect("embedded:").await?;
    for text in ["sw1a1aa", "EH1 1YZ", "AB1 0AA", "BT1 5GS", "SW1A 9ZZ"] {
        let answer = postcodes.get_str(text).await?;
        let district = answer.record().and_then(|record| record.admin_district());
        println!("{text:8} {:11} {}", answer.status(), district.unwrap_or("-"));
    }
    Ok(())
}
