//! Listings near a place: the same answers as a naive computation, whatever the circle.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;

use crate::databases::{Database, on_both};
use customers::{AddressKind, AddressStatus, Cursor, Customer, Customers, Filter, NewAddress, NewCustomer};
use postcode_core::{Answer, Location, MockPostcodeLookup, Postcode, Record};

/// A fixed sequence, so that each run asks the same.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Places many customers at few locations, few at many, and some at none.
fn location(postcode: Postcode) -> Option<Location> {
    let text = postcode.compact().to_string();
    let hash = text.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = Random(hash);
    random.below(2);
    let (latitude, longitude) = match random.below(10) {
        0 => return None,
        1..=4 => random.of(&[(51.501009, -0.141588), (53.479_05, -2.231_876), (60.15, -1.14)]),
        5 | 6 => (51.5 + random.below(1000) as f64 / 1e5, -0.14 + random.below(1000) as f64 / 1e5),
        _ => (49.9 + random.below(11_000) as f64 / 1e3, -7.5 + random.below(9_000) as f64 / 1e3),
    };
    Some(Location::new(latitude, longitude).unwrap())
}

fn lookup() -> MockPostcodeLookup {
    let mut mock = MockPostcodeLookup::new();
    mock.expect_lookup().returning(|postcodes| {
        let answer = |&postcode: &Postcode| {
            let terminated = postcode.to_string().ends_with('A');
            let mut record = if terminated { Record::terminated(postcode) } else { Record::live(postcode) };
            record.location = location(postcode);
            if terminated { Answer::Terminated(record) } else { Answer::Live(record) }
        };
        Ok(postcodes.iter().map(answer).collect())
    });
    mock
}

fn postcode(random: &mut Random) -> Postcode {
    let letters = b"ABDEFGHJLN";
    let text = format!(
        "{}{} {}{}{}",
        random.of(&["M", "SW", "EH", "N"]),
        1 + random.below(3),
        1 + random.below(9),
        random.of(letters) as char,
        random.of(letters) as char
    );
    text.parse().unwrap()
}

/// Computes the same answer from all accounts.
fn naive(all: &[Customer], filter: &Filter, centre: Location, radius: f64) -> Vec<(Customer, f64)> {
    let distance = |customer: &Customer| {
        let addresses = customer.addresses.iter().filter(|address| {
            filter.outcode.is_none_or(|outcode| address.postcode.outcode() == outcode)
                && filter.status.is_none_or(|status| address.check.status == status)
        });
        let distances = addresses.filter_map(|address| {
            let at = Location::new(address.check.latitude?, address.check.longitude?).unwrap();
            Some(centre.distance(at)).filter(|distance| *distance <= radius)
        });
        distances.min_by(f64::total_cmp)
    };
    all.iter()
        .filter(|customer| {
            filter.name.as_ref().is_none_or(|name| customer.name.to_lowercase().contains(name))
        })
        .filter_map(|customer| Some((customer.clone(), distance(customer)?)))
        .collect()
}

async fn all(customers: &Customers, filter: &Filter, random: &mut Random) -> Vec<(Customer, f64)> {
    let (mut found, mut from): (_, Option<Cursor>) = (Vec::new(), None);
    loop {
        let limit = random.of(&[1, 2, 7, 100, 1000]);
        let page = customers.search(filter, limit, from).await.unwrap();
        assert!(page.items.len() <= limit && (page.next.is_none() || page.items.len() == limit));
        let distances = page.distances.into_iter().chain(std::iter::repeat(f64::NAN));
        found.extend(page.items.into_iter().zip(distances));
        match page.next {
            Some(next) => from = Some(next),
            None => return found,
        }
    }
}

async fn search_near_finds_what_a_naive_computation_finds(database: Database) {
    let customers = Customers::new(database.open().await, Arc::new(lookup()));
    let mut random = Random(4);
    let mut postcodes = Vec::new();
    for n in 0..400 {
        let mut one = || {
            let one = postcode(&mut random);
            postcodes.push(one);
            one.to_string()
        };
        let main = one();
        let mut addresses = Vec::new();
        for _ in 0..n % 3 {
            addresses.push(NewAddress {
                id: None,
                kind: AddressKind::Delivery,
                postcode: one(),
                address_lines: vec!["1 High Street".into()],
                valid_from: None,
                valid_to: None,
                ..NewAddress::default()
            });
        }
        let new = NewCustomer {
            name: format!("{} {n}", if n % 2 == 0 { "Even" } else { "Odd" }),
            email: format!("c{n}@example.com"),
            postcode: main,
            address_lines: vec!["1 High Street".into()],
            addresses: Some(addresses),
            ..NewCustomer::default()
        };
        let made = customers.create(new).await.unwrap();
        if n % 17 == 0 {
            customers.delete(made.id).await.unwrap();
        }
    }
    for deleted in [false, true] {
        let everybody: Vec<Customer> = all(&customers, &Filter { deleted, ..Filter::default() }, &mut random)
            .await
            .into_iter()
            .map(|(customer, _)| customer)
            .collect();
        assert_eq!(everybody.len(), if deleted { 24 } else { 376 });
        for _ in 0..60 {
            let around = random.of(&postcodes);
            let Some(centre) = location(around) else { continue };
            let exactly = location(random.of(&postcodes)).map_or(0.0, |other| centre.distance(other));
            let radius = match random.below(6) {
                0 => 0.0,
                // To the edge and no farther, and a hair less than that.
                1 => exactly.min(customers::MAX_RADIUS),
                2 => (exactly - 1e-8).clamp(0.0, customers::MAX_RADIUS),
                3 => random.below(3_000) as f64,
                4 => customers::MAX_RADIUS,
                _ => random.below(500_000) as f64,
            };
            let filter = Filter {
                near: Some((around, radius)),
                outcode: random.of(&[None, None, Some("M1"), Some("SW2")]).map(|text| text.parse().unwrap()),
                status: random.of(&[
                    None,
                    None,
                    Some(AddressStatus::Verified),
                    Some(AddressStatus::Terminated),
                ]),
                name: random.of(&[None, None, Some("even")]).map(str::to_owned),
                deleted,
                ..Filter::default()
            };
            let found = all(&customers, &filter, &mut random).await;
            assert_eq!(found, naive(&everybody, &filter, centre, radius), "{filter:?}");
        }
    }
}

on_both! { crate::databases::Database::Memory;
    search_near_finds_what_a_naive_computation_finds,
}
