//! The contract of [`AddressLookup`] as a suite that any implementation can be checked with, over an invented file.

use std::io::Cursor;

use postcode_core::dataset::{Dataset, DatasetBuilder, Row};
use postcode_core::{ErrorKind, Location, Nearest, Postcode, Result};

use super::{
    AddressAnswer, AddressLookup, AddressNumber, MAX_ADDRESS_BATCH, MAX_ADDRESS_PAGE, MAX_ADDRESS_RADIUS,
};
use crate::file::{AddressFile, AddressWriter, Metadata};
use crate::{Address, Dataset as Source, Geographic, Kind, Point};

/// A postcode of a street.
const STREET: &str = "ZE9 9AA";
/// A postcode of a large Multiple Residence.
const HALL: &str = "ZE9 9AD";
/// A live postcode without addresses.
const BARE: &str = "ZE9 9AE";
/// A terminated postcode without addresses.
const GONE: &str = "ZE9 9AF";
/// A postcode that never was.
const NEVER: &str = "ZE9 9ZZ";
/// A live postcode in an outcode without addresses.
const ELSEWHERE: &str = "AB1 0AA";

/// Returns the addresses of the fixture, which are invented.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// use postcode_addresses::lookup::conformance;
///
/// assert_eq!(conformance::addresses().len(), 163);
/// # }
/// ```
pub fn addresses() -> Vec<Address> {
    let mut all = Vec::new();
    for number in 1..=12_u32 {
        all.push(Address {
            building_number: number.to_string(),
            organisation: if number == 7 { "Example Bakery Ltd".into() } else { String::new() },
            organisation_indicator: number == 7,
            thoroughfare: "Ash Road".into(),
            post_town: "EXAMPLETON".into(),
            postcode: STREET.into(),
            udprn: Some(1_000 + number),
            uprn: Some(100_000_000_000 + u64::from(number)),
            kind: Some(Kind::SmallUser),
            point: (number == 12).then_some(Point {
                grid: None,
                geographic: Some(Geographic { latitude: 60.1, longitude: -1.2 }),
            }),
            ..Address::default()
        });
    }
    let hall = Address {
        building_name: "Oak Hall".into(),
        thoroughfare: "Elm Lane".into(),
        post_town: "EXAMPLETON".into(),
        postcode: HALL.into(),
        udprn: Some(52_000_001),
        uprn: Some(200_000_000_001),
        kind: Some(Kind::SmallUser),
        ..Address::default()
    };
    all.push(hall.clone());
    for room in 1..=150_u32 {
        all.push(Address {
            sub_building: format!("Room {room}"),
            umprn: Some(60_000_000 + room),
            dataset: Source::MultipleResidence,
            ..hall.clone()
        });
    }
    all
}

/// Returns the streets of the fixture, which are invented.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// use postcode_addresses::lookup::conformance;
///
/// assert!(conformance::streets().iter().all(|street| street.dataset.is_approximate()));
/// # }
/// ```
pub fn streets() -> Vec<Address> {
    let street = |name: &str| Address {
        thoroughfare: name.into(),
        dependent_locality: "Exampleton".into(),
        postcode: "ZE9".into(),
        dataset: Source::OpenRoads,
        ..Address::default()
    };
    ["Ash Road", "Elm Lane", "Oak Road"].map(street).into()
}

/// Returns the file of the fixture.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// use postcode_addresses::lookup::conformance;
///
/// conformance::file()?.verify()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// None, unless the fixture is broken.
pub fn file() -> Result<AddressFile> {
    let metadata =
        Metadata { attribution: "Invented by the tests".into(), ..Metadata::new("invented addresses") };
    let mut writer = AddressWriter::new(Cursor::new(Vec::new()), metadata)?;
    for address in streets().into_iter().chain(addresses()) {
        writer.push(&address)?;
    }
    AddressFile::from_bytes(writer.finish()?.0.into_inner())
}

/// Returns the postcode data next to the fixture.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// use postcode_addresses::lookup::conformance;
///
/// assert!(conformance::postcodes()?.get("ZE9 9AA".parse()?).is_live());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// None, unless the fixture is broken.
pub fn postcodes() -> Result<Dataset> {
    let mut builder = DatasetBuilder::new(postcode_core::dataset::Metadata::new("invented postcodes"));
    for (text, latitude) in [(STREET, 60.1), (HALL, 60.1005), (BARE, 60.2), (ELSEWHERE, 57.1)] {
        let mut row = Row::live(postcode(text)?);
        row.location = Some(Location::new(latitude, -1.2)?);
        builder.push(&row)?;
    }
    builder.push(&Row::terminated(postcode(GONE)?))?;
    builder.build()
}

fn postcode(text: &str) -> Result<Postcode> {
    text.parse().map_err(|e| postcode_core::Error::invalid(format!("{text}: {e}")))
}

/// Runs the suite over a lookup of the fixture: [`file()`] with [`postcodes()`] next to it. Returns what is wrong.
///
/// ```
/// # #[cfg(feature = "conformance")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_addresses::{LocalAddresses, lookup::conformance};
/// # let addresses = LocalAddresses::new(conformance::file()?).with_postcodes(std::sync::Arc::new(postcode_core::Local::new(conformance::postcodes()?)));
/// let wrong = conformance::suite(&addresses).await?; // yours here
/// assert!(wrong.is_empty(), "{wrong:?}");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "conformance"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// The first error that the lookup returns where it owes an answer.
pub async fn suite(lookup: &dyn AddressLookup) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut expect = |what: &str, holds: bool| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let all = addresses();
    let of = |text: &str| all.iter().filter(|address| address.postcode == text).cloned().collect::<Vec<_>>();
    let (street, hall) = (of(STREET), of(HALL));

    let texts = [BARE, STREET, HALL, NEVER, STREET, GONE, ELSEWHERE];
    let asked = texts.iter().map(|text| postcode(text)).collect::<Result<Vec<_>>>()?;
    let answers = lookup.addresses(&asked).await?;
    let statuses: Vec<&str> = answers.iter().map(AddressAnswer::status).collect();
    expect(
        "answers come position by position, and the four are told apart",
        statuses == ["no_addresses", "found", "found", "unknown", "found", "no_addresses", "not_covered"],
    );
    expect("all addresses of a street", answers.get(1).is_some_and(|answer| answer.addresses() == street));
    let first = answers.get(2);
    expect(
        "the first page of a large postcode, and how many there are",
        first.is_some_and(|answer| {
            answer.addresses() == &hall[..MAX_ADDRESS_PAGE] && answer.total() == hall.len()
        }),
    );
    expect("no answers for no postcodes", lookup.addresses(&[]).await?.is_empty());
    let many = vec![asked[1]; MAX_ADDRESS_BATCH + 1];
    let kind = |error: postcode_core::Error| error.kind();
    expect(
        "a batch that is too large is invalid input",
        lookup.addresses(&many).await.map_err(kind).err() == Some(ErrorKind::InvalidInput),
    );

    let mut paged = Vec::new();
    while paged.len() < hall.len() {
        let page = lookup.address_page(asked[2], paged.len(), 40).await?;
        if page.addresses().is_empty() {
            break;
        }
        paged.extend_from_slice(page.addresses());
    }
    expect("pages follow each other", paged == hall);
    let beyond = lookup.address_page(asked[2], hall.len(), 40).await?;
    expect(
        "a page beyond the last one is empty",
        matches!(&beyond, AddressAnswer::Found(page) if page.addresses.is_empty() && page.total == hall.len()),
    );
    let page = lookup.address_page(asked[0], 0, 1).await?;
    expect("a page of a postcode without addresses", page == AddressAnswer::NoAddresses);
    for limit in [0, MAX_ADDRESS_PAGE + 1] {
        let error = lookup.address_page(asked[2], 0, limit).await.map_err(kind).err();
        expect("a limit out of range is invalid input", error == Some(ErrorKind::InvalidInput));
    }

    let numbers = [
        AddressNumber::Udprn(1_007),
        AddressNumber::Udprn(2),
        AddressNumber::Udprn(52_000_001),
        AddressNumber::Umprn(60_000_149),
        AddressNumber::Uprn(100_000_000_003),
        AddressNumber::Uprn(200_000_000_001),
    ];
    let found = lookup.addresses_by_number(&numbers).await?;
    let one = |n: usize| vec![all[n].clone()];
    expect(
        "numbers find their address, and a household only its own",
        found == [one(6), Vec::new(), one(12), one(12 + 149), one(2), one(12)],
    );
    expect("no addresses for no numbers", lookup.addresses_by_number(&[]).await?.is_empty());

    let at = Location::new(60.1, -1.2)?;
    let near = lookup.nearest_addresses(&Nearest::to(at).radius(500.0).limit(13)).await?.unwrap_or_default();
    expect("as many addresses as asked for around a point", near.len() == 13);
    expect("the nearest come first", near.windows(2).all(|pair| pair[0].distance <= pair[1].distance));
    let nearest: Vec<&Address> = near.iter().take(12).map(|it| &it.address).collect();
    expect("those of the nearest postcode come first", nearest == street.iter().collect::<Vec<_>>());
    let unknown = lookup.nearest_addresses(&Nearest::to(asked[3]).radius(100.0)).await?;
    expect("nothing is near a postcode that is not known", unknown.is_none());
    let far = Nearest::to(at).radius(MAX_ADDRESS_RADIUS + 1.0);
    let error = lookup.nearest_addresses(&far).await.map_err(kind).err();
    expect("a radius out of range is invalid input", error == Some(ErrorKind::InvalidInput));

    let outcode = asked[1].outcode();
    let streets = streets();
    let some = lookup.streets(outcode, 1, 1).await?.unwrap_or_default();
    expect("a page of streets", (some.addresses.as_slice(), some.total) == (&streets[1..2], streets.len()));
    let every = lookup.streets(outcode, 0, MAX_ADDRESS_PAGE).await?.unwrap_or_default();
    expect("all streets", every.addresses == streets);
    let beyond = lookup.streets(outcode, streets.len(), 1).await?;
    expect("a page beyond the last street is empty", beyond.is_some_and(|page| page.addresses.is_empty()));
    let none = lookup.streets(asked[6].outcode(), 0, 1).await?;
    expect("no streets of an outcode that the data does not have", none.is_none());
    let error = lookup.streets(outcode, 0, 0).await.map_err(kind).err();
    expect("a limit of streets out of range is invalid input", error == Some(ErrorKind::InvalidInput));

    let coverage = lookup.address_coverage().await?;
    expect("the edition", coverage.edition == "invented addresses");
    expect("the attribution", coverage.attribution == "Invented by the tests");
    expect("how many", (coverage.addresses, coverage.postcodes) == (all.len() as u64, 2));
    expect("the areas", coverage.areas == ["ZE"]);
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lookup::LocalAddresses;

    #[tokio::test]
    async fn lookup_in_this_process_keeps_the_contract() {
        let postcodes = postcode_core::Local::new(postcodes().unwrap());
        let local = LocalAddresses::new(file().unwrap()).with_postcodes(Arc::new(postcodes));
        assert_eq!(suite(&local).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn without_postcode_data_there_are_no_locations_and_a_missing_postcode_is_unknown() {
        let local = LocalAddresses::new(file().unwrap());
        let bare = local.addresses(&[postcode(BARE).unwrap(), postcode(ELSEWHERE).unwrap()]).await.unwrap();
        assert_eq!(bare, [AddressAnswer::Unknown, AddressAnswer::NotCovered]);
        let near = local.nearest_addresses(&Nearest::to(Location::new(60.1, -1.2).unwrap())).await;
        assert_eq!(near.unwrap_err().kind(), ErrorKind::NotSupported);
    }
}
