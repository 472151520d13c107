//! Postcodes as people write them: in letters, in forms, on scanned paper.

use postcode_core::{PostalCode, Postcode, text};

fn main() {
    let letter = "Please move me from sw1a1aa to 12 High Street, EH1 1YZ. (Not to AB10!)";
    for found in text::find(letter) {
        println!("at {:?}: {}", found.range, found.postcode);
    }
    println!("{}", text::replace(letter, |_| "[postcode]"));

    // Repairs only when asked; otherwise the error says what is wrong, and where.
    for typed in ["SWIA OAA", "M1 1AE", "M1 1AC"] {
        match (typed.parse::<Postcode>(), Postcode::repair(typed)) {
            (Ok(postcode), _) => println!("{typed:9} is {postcode}"),
            (Err(error), Ok(repaired)) => println!("{typed:9} {error}; repaired: {}", repaired.value),
            (Err(error), Err(_)) => println!("{typed:9} {error}"),
        }
    }

    // Everything that people enter in a postcode field, with its kind.
    for typed in ["SW1A", "SW1A 1", "SW", "BFPO 801", "FIQQ 1ZZ", "GIR 0AA"] {
        match typed.parse::<PostalCode>() {
            Ok(code) => println!("{typed:9} {code:?}"),
            Err(error) => println!("{typed:9} {error}"),
        }
    }
}
