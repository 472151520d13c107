//! Writes an invented CSV PAF for the country's real postcodes, to measure imports and look-ups with.
//!
//!     cargo run --release -p examples --example invented_addresses -- --outcodes TQ8,LL48 --manifest m.json > "CSV PAF.csv"
//!
//! Every street, name and organisation is made of parts of words. The rows of a sector follow from its name and the seed
//! alone, so that a part of the country has the same rows as the whole. The manifest has a digest for each sector, by which
//! a test checks what came back without keeping the rows.
//!
//! Limits: no Welsh forms, no island parishes, no ranges of numbers, only plain PO Boxes, and no postcodes of Northern
//! Ireland, which the embedded country does not have. Real addresses are less regular.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, Result, bail};
use postcode_core::dataset::Dataset;
use postcode_core::{Status, UserType};
use sha2::{Digest, Sha256};

const STEMS: &[&str] = &[
    "High", "Station", "Church", "Mill", "Manor", "School", "Grange", "Chapel", "Grove", "Hill", "Castle",
    "Meadow", "Cedar", "Beech", "Oak", "Elm", "Ash", "Willow", "Poplar", "Hawthorn", "Rowan", "Birch",
    "Laurel", "Holly", "Maple", "Lime", "Hazel", "Orchard", "Brook", "River", "Spring", "Bridge", "Forest",
    "Heath", "Moor", "Field", "Abbey", "Priory", "Rectory", "Bishop", "Canon",
];
const BEGINNINGS: &[&str] = &[
    "Al", "Bar", "Bed", "Ben", "Bram", "Brom", "Cal", "Chil", "Clay", "Cot", "Cran", "Dal", "Den", "Dud",
    "Elm", "Fen", "Gar", "Gil", "Har", "Hat", "Hol", "Kel", "Kir", "Lam", "Lin", "Mal", "Mar", "Nor", "Pen",
    "Pres", "Rad", "Rush", "Sel", "Stan", "Sut", "Tad", "Thorn", "Tod", "Up", "Wal", "War", "Wes", "Whit",
    "Wor",
];
const MIDDLES: &[&str] = &["a", "er", "ing", "le", "s", "en", "ter", "ber", "den", "well", "fer", ""];
const ENDS: &[&str] = &[
    "ton", "ham", "ley", "ford", "worth", "field", "bury", "by", "thorpe", "wick", "combe", "dale", "bourne",
    "gate",
];
const DESCRIPTORS: &[&str] = &[
    "Road", "Road", "Road", "Street", "Street", "Close", "Close", "Avenue", "Drive", "Lane", "Way",
    "Crescent", "Court", "Gardens", "Place", "Terrace", "Grove", "Walk", "Hill", "Mews", "Rise", "Square",
    "View", "Row", "Green",
];
const SMALLER: &[&str] =
    &["Court", "Mews", "Place", "Cottages", "Terrace", "Industrial Estate", "Business Park"];
const HOUSES: &[&str] = &[
    "Cottage", "Cottage", "House", "House", "Lodge", "Barn", "Farm", "View", "Villa", "Croft", "Hall", "Mill",
];
const BLOCKS: &[&str] =
    &["House", "Court", "Court", "Lodge", "Mansions", "Point", "Heights", "Apartments", "Tower", "Wharf"];
const TRADES: &[&str] = &[
    "Bakery",
    "Books",
    "Catering",
    "Clinic",
    "Design",
    "Engineering",
    "Flooring",
    "Joinery",
    "Motors",
    "Print",
    "Surgery",
    "Windows",
];
const AREAS_OF_SCOTLAND: &[&str] =
    &["AB", "DD", "DG", "EH", "FK", "G", "HS", "IV", "KA", "KW", "KY", "ML", "PA", "PH", "TD", "ZE"];
/// The letters of delivery point suffixes.
const SUFFIXES: &[u8] = b"ABDEFGHJLNPQRSTUWXYZ";
/// The most addresses of a postcode.
const MOST: usize = 100;
/// UDPRNs kept free for each postcode.
const UDPRNS: u32 = 27;
/// UDPRNs kept free for each sector, because a few postcodes may be large.
const SPARE: u32 = 60;
/// Far UDPRNs are scattered over this many above 50,000,000, which is a prime.
const FAR: u64 = 49_999_991;

/// A generator of numbers that follows from a name (SplitMix64).
struct Dice(u64);

impl Dice {
    fn of(seed: u64, name: &str) -> Self {
        // FNV-1a.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `most`.
    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % (most.max(1) as u64)).unwrap_or_default()
    }

    /// Returns whether something of this many in a thousand happens.
    fn happens(&mut self, in_thousand: usize) -> bool {
        self.below(1000) < in_thousand
    }

    fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }

    fn place(&mut self) -> String {
        [self.one(BEGINNINGS), self.one(MIDDLES), self.one(ENDS)].concat()
    }

    fn organisation(&mut self) -> String {
        let ltd = if self.happens(400) { " Ltd" } else { "" };
        format!("{} {}{ltd}", self.place(), self.one(TRADES))
    }

    fn house(&mut self) -> String {
        let name = if self.happens(600) { self.one(STEMS).to_owned() } else { self.place() };
        format!("{name} {}", self.one(HOUSES))
    }
}

/// The columns of an address that are not the same for its whole sector.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Premises {
    number: String,
    name: String,
    sub: String,
    po_box: String,
    organisation: String,
}

/// A street of a sector.
#[derive(Default)]
struct Street {
    dependent_locality: String,
    double_dependent_locality: String,
    thoroughfare: String,
    dependent_thoroughfare: String,
    /// The next number.
    number: usize,
    /// Postcodes that are still on it.
    left: usize,
}

struct Sector {
    name: String,
    postcodes: Vec<(String, bool)>,
    /// Postcodes of sectors before this one, for the UDPRNs.
    before: u32,
    /// Sectors before this one.
    index: u32,
}

struct Written {
    name: String,
    rows: Vec<u8>,
    count: usize,
    digest: String,
}

/// Makes the rows of a sector.
fn rows(sector: &Sector, seed: u64) -> Written {
    let outcode = sector.name.split(' ').next().unwrap_or_default();
    let mut town_dice = Dice::of(seed, &format!("town {outcode}"));
    let town = town_dice.place().to_uppercase();
    let urban = town_dice.happens(750);
    let area: String = outcode.chars().take_while(char::is_ascii_alphabetic).collect();
    let scottish = AREAS_OF_SCOTLAND.contains(&area.as_str());
    let mut dice = Dice::of(seed, &sector.name);
    let localities: Vec<String> = (0..1 + dice.below(4)).map(|_| dice.place()).collect();
    let mut street = Street::default();
    let count_of_postcodes = u32::try_from(sector.postcodes.len()).unwrap_or_default();
    let first = UDPRNS * sector.before + SPARE * sector.index;
    let mut near = first;
    let near_end = near + UDPRNS * count_of_postcodes + SPARE;
    let (mut far, far_end) = (u64::from(first), u64::from(near_end));
    let mut out = String::new();
    let mut count = 0;
    for (postcode, large) in &sector.postcodes {
        if street.left == 0 {
            street = next_street(&mut dice, urban, &localities);
        }
        street.left -= 1;
        let mut seen = std::collections::HashSet::new();
        let mut at = 0;
        for premises in draw(&mut dice, &mut street, *large, urban, scottish) {
            if at == MOST {
                break;
            }
            if !seen.insert(premises.clone()) {
                continue;
            }
            let udprn = if near + 1 < near_end && !dice.happens(140) {
                near += 1;
                u64::from(near)
            } else if far + 1 < far_end {
                far += 1;
                // The factor has no divisor in common with the prime, so that no number comes twice.
                50_000_000 + far * 30_902_113 % FAR
            } else {
                // The sector has no number left.
                break;
            };
            let suffix = if *large {
                "1A".to_owned()
            } else {
                format!("{}{}", at / SUFFIXES.len() % 9 + 1, char::from(SUFFIXES[at % SUFFIXES.len()]))
            };
            let Premises { number, name, sub, po_box, organisation } = premises;
            let boxed = !po_box.is_empty();
            let thoroughfare = if boxed { "" } else { &street.thoroughfare };
            let dependent = if boxed { "" } else { &street.dependent_thoroughfare };
            let (kind, indicator) =
                if *large { ("L", "") } else { ("S", if organisation.is_empty() { "" } else { "Y" }) };
            let _ = write!(
                out,
                "{postcode},{town},{},{},{thoroughfare},{dependent},{number},{name},{sub},{po_box},,{organisation},{udprn:08},{kind},{indicator},{suffix}\r\n",
                street.dependent_locality, street.double_dependent_locality
            );
            at += 1;
            count += 1;
        }
    }
    let mut sorted: Vec<&str> = out.lines().collect();
    sorted.sort_unstable();
    let mut digest = String::new();
    for byte in Sha256::digest(sorted.join("\n").as_bytes()) {
        let _ = write!(digest, "{byte:02x}");
    }
    Written { name: sector.name.clone(), rows: out.into_bytes(), count, digest }
}

fn next_street(dice: &mut Dice, urban: bool, localities: &[String]) -> Street {
    let dependent_locality =
        if dice.happens(420) { localities[dice.below(localities.len())].clone() } else { String::new() };
    let double_dependent_locality =
        if !dependent_locality.is_empty() && dice.happens(40) { dice.place() } else { String::new() };
    let thoroughfare = if dice.happens(if urban { 985 } else { 850 }) {
        let name = if dice.happens(450) { dice.one(STEMS).to_owned() } else { dice.place() };
        format!("{name} {}", dice.one(DESCRIPTORS))
    } else {
        String::new()
    };
    let dependent_thoroughfare = if !thoroughfare.is_empty() && dice.happens(45) {
        format!("{} {}", dice.one(STEMS), dice.one(SMALLER))
    } else {
        String::new()
    };
    Street {
        dependent_locality,
        double_dependent_locality,
        thoroughfare,
        dependent_thoroughfare,
        number: 1,
        left: 1 + dice.below(3),
    }
}

/// Draws the premises of a postcode: a run of numbers, blocks of flats, or names.
fn draw(dice: &mut Dice, street: &mut Street, large: bool, urban: bool, scottish: bool) -> Vec<Premises> {
    let numbered = !street.thoroughfare.is_empty();
    let mut list = Vec::new();
    if large {
        let po_box = if dice.happens(550) { (1 + dice.below(99_999)).to_string() } else { String::new() };
        let number =
            if numbered && po_box.is_empty() { (1 + dice.below(300)).to_string() } else { String::new() };
        let name = if po_box.is_empty() && !numbered { dice.house() } else { String::new() };
        return vec![Premises {
            number,
            name,
            po_box,
            organisation: dice.organisation(),
            ..Premises::default()
        }];
    }
    let wanted = 1 + dice.below(15) + dice.below(15) + if dice.happens(200) { dice.below(45) } else { 0 };
    let kind = dice.below(100);
    if numbered && kind < 70 {
        let step = if dice.happens(750) { 2 } else { 1 };
        let mut number = street.number + if step == 2 { dice.below(2) } else { 0 };
        while list.len() < wanted {
            match dice.below(1000) {
                0..20 => {}
                20..35 => list.push(Premises {
                    name: format!("{number}{}", dice.one(&["A", "B", "C"])),
                    ..Premises::default()
                }),
                35..50 => {
                    for flat in 0..2 + dice.below(3) {
                        let sub = if scottish {
                            format!("Flat {}/{}", flat / 2, flat % 2 + 1)
                        } else {
                            format!("Flat {}", flat + 1)
                        };
                        list.push(Premises { number: number.to_string(), sub, ..Premises::default() });
                    }
                }
                50..95 => list.push(Premises {
                    number: number.to_string(),
                    organisation: dice.organisation(),
                    ..Premises::default()
                }),
                95..110 => list.push(Premises {
                    number: number.to_string(),
                    name: dice.house(),
                    ..Premises::default()
                }),
                _ => list.push(Premises { number: number.to_string(), ..Premises::default() }),
            }
            number += step;
        }
        street.number = if number < 400 { number } else { 1 };
    } else if urban && kind < 86 {
        while list.len() < wanted {
            let name = format!("{} {}", dice.place(), dice.one(BLOCKS));
            let number =
                if numbered && dice.happens(300) { (1 + dice.below(200)).to_string() } else { String::new() };
            let word = dice.one(&["Flat", "Flat", "Apartment"]);
            for flat in 1..=4 + dice.below(45) {
                list.push(Premises {
                    number: number.clone(),
                    name: name.clone(),
                    sub: format!("{word} {flat}"),
                    ..Premises::default()
                });
            }
        }
    } else {
        for _ in 0..(wanted * 2 / 3).max(1) {
            let name = if dice.happens(850) { dice.house() } else { format!("Unit {}", 1 + dice.below(30)) };
            let number =
                if numbered && dice.happens(300) { (1 + dice.below(200)).to_string() } else { String::new() };
            let organisation = if dice.happens(280) { dice.organisation() } else { String::new() };
            list.push(Premises { number, name, organisation, ..Premises::default() });
        }
    }
    list
}

#[derive(Default)]
struct Options {
    seed: u64,
    outcodes: Option<Vec<String>>,
    rows: Option<usize>,
    manifest: Option<String>,
}

fn options() -> Result<Options> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--seed" => options.seed = value.parse().context("--seed: a whole number")?,
            "--outcodes" => options.outcodes = Some(value.split(',').map(str::to_uppercase).collect()),
            "--rows" => options.rows = Some(value.parse().context("--rows: a whole number")?),
            "--manifest" => options.manifest = Some(value),
            _ => bail!("{name}: not an option. Options: --seed, --outcodes, --rows, --manifest"),
        }
    }
    Ok(options)
}

/// Returns the sectors of the country. Their UDPRNs follow from their place among all.
fn sectors(options: &Options) -> Result<Vec<Sector>> {
    let country = Dataset::embedded()?;
    let mut groups: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for record in country.iter().filter(|record| record.status == Status::Live) {
        let large = record.user_type == Some(UserType::Large);
        groups
            .entry(record.postcode.sector().to_string())
            .or_default()
            .push((record.postcode.to_string(), large));
    }
    let (mut before, mut index) = (0, 0);
    let mut sectors = Vec::new();
    for (name, postcodes) in groups {
        let count = u32::try_from(postcodes.len()).unwrap_or_default();
        let outcode = name.split(' ').next().unwrap_or_default();
        if options.outcodes.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| wanted == outcode)) {
            sectors.push(Sector { name, postcodes, before, index });
        }
        before += count;
        index += 1;
    }
    Ok(sectors)
}

fn main() -> Result<()> {
    let options = options()?;
    let sectors = sectors(&options)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut done: Vec<(String, usize, String)> = Vec::new();
    let mut total = 0;
    std::thread::scope(|scope| -> Result<()> {
        // Each thread has every so-manyth sector, and they are taken in turn, so that the order is that of the country.
        let mut made = Vec::new();
        for thread in 0..threads {
            let (sender, receiver) = sync_channel(8);
            let mine = sectors.iter().skip(thread).step_by(threads);
            let seed = options.seed;
            scope.spawn(move || {
                mine.map(|sector| rows(sector, seed)).try_for_each(|written| sender.send(written))
            });
            made.push(receiver);
        }
        for at in 0..sectors.len() {
            let Ok(Written { name, rows, count, digest }) = made[at % threads].recv() else { break };
            out.write_all(&rows)?;
            total += count;
            done.push((name, count, digest));
            if options.rows.is_some_and(|most| total >= most) {
                break;
            }
        }
        drop(made);
        Ok(())
    })?;
    out.flush()?;
    if let Some(path) = &options.manifest {
        let mut json = format!(
            "{{\n \"seed\": {},\n \"rows\": {total},\n \"sectors\": {},\n \"per_sector\": {{\n",
            options.seed,
            done.len()
        );
        for (at, (name, count, digest)) in done.iter().enumerate() {
            let comma = if at + 1 < done.len() { "," } else { "" };
            let _ = writeln!(json, "  \"{name}\": {{\"rows\": {count}, \"sha256\": \"{digest}\"}}{comma}");
        }
        json.push_str(" }\n}\n");
        std::fs::write(path, json).with_context(|| path.clone())?;
    }
    eprintln!("{total} rows of {} sectors", done.len());
    Ok(())
}
