//! An invented country of addresses: seeded, sorted by postcode, made as it is read.
//!
//! Real addresses are less regular. Bytes an address that are measured with it are a lower bound.

use fastrand::Rng;
use postcode_addresses::{Address, Kind};
use postcode_core::{Outcode, Postcode};

const AREAS: &str = "AB AL B BA BB BD BH BL BN BR BS CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL \
                     GU HA HD HG HP HR HS HU HX IG IP IV KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH \
                     PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE";
const FIRST: [&str; 24] = [
    "Al", "Bar", "Ben", "Bram", "Cal", "Chor", "Cran", "Dal", "Den", "Fen", "Gar", "Hat", "Kel", "Lam",
    "Mal", "Mel", "Nor", "Pen", "Rad", "Row", "Sel", "Tad", "Up", "Win",
];
const SECOND: [&str; 10] = ["a", "er", "ing", "le", "en", "ber", "den", "ham", "fer", ""];
const THIRD: [&str; 14] = [
    "ton", "ley", "ford", "worth", "field", "bury", "by", "wick", "combe", "dale", "hurst", "gate", "mere",
    "don",
];
const STREETS: [&str; 12] = [
    "Road", "Street", "Close", "Avenue", "Drive", "Lane", "Way", "Crescent", "Gardens", "Place", "Terrace",
    "Grove",
];
const HOUSES: [&str; 6] = ["Cottage", "House", "Lodge", "Farm", "Barn", "View"];
const BLOCKS: [&str; 5] = ["House", "Court", "Lodge", "Heights", "Tower"];
const TRADES: [&str; 20] = [
    "Bakery",
    "Books",
    "Carpets",
    "Catering",
    "Clinic",
    "Design",
    "Estates",
    "Flooring",
    "Garage",
    "Insurance",
    "Joinery",
    "Logistics",
    "Motors",
    "Nursery",
    "Pharmacy",
    "Plumbing",
    "Solicitors",
    "Stores",
    "Travel",
    "Windows",
];
const LETTERS: &[u8; 20] = b"ABDEFGHJLNPQRSTUWXYZ";

/// Generates addresses.
pub(crate) struct Country {
    random: Rng,
    uprns: bool,
    udprn: u32,
    far: u64,
    uprn: u64,
    town: String,
    localities: Vec<String>,
    locality: String,
    street: String,
    /// Postcodes that are left on this street.
    left: u32,
    house: u32,
}

impl Country {
    pub(crate) fn new(seed: u64, uprns: bool) -> Self {
        Self {
            random: Rng::with_seed(seed),
            uprns,
            udprn: 0,
            far: 0,
            uprn: 100_000_000_000,
            town: String::new(),
            localities: Vec::new(),
            locality: String::new(),
            street: String::new(),
            left: 0,
            house: 1,
        }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.random.usize(..from.len())]
    }

    fn place(&mut self) -> String {
        [self.pick(&FIRST), self.pick(&SECOND), self.pick(&THIRD)].concat()
    }

    /// Gives each address to `each`, postcode by postcode, until there are `most`.
    pub(crate) fn addresses(
        mut self,
        most: u64,
        mut each: impl FnMut(&Address) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let mut outcodes: Vec<Outcode> = AREAS
            .split(' ')
            .flat_map(|area| (1..=27).filter_map(move |district| format!("{area}{district}").parse().ok()))
            .collect();
        outcodes.sort_unstable();
        let mut address = Address::default();
        let mut made = 0;
        for outcode in outcodes {
            self.town = self.place().to_uppercase();
            for digit in 1..=9 {
                self.localities = (0..self.random.usize(1..4)).map(|_| self.place()).collect();
                for unit in 0..400_usize {
                    if self.random.u32(..6) != 0 {
                        continue;
                    }
                    let letters = [LETTERS[unit / 20], LETTERS[unit % 20]].map(char::from);
                    let text = format!("{outcode} {digit}{}{}", letters[0], letters[1]);
                    let Ok(postcode) = text.parse::<Postcode>() else { continue };
                    made += self.postcode(postcode, &mut address, &mut each)?;
                    if made >= most {
                        return Ok(made);
                    }
                }
            }
        }
        Ok(made)
    }

    fn postcode(
        &mut self,
        postcode: Postcode,
        address: &mut Address,
        each: &mut impl FnMut(&Address) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        if self.left == 0 {
            self.left = self.random.u32(1..4);
            self.house = 1;
            self.street = format!("{} {}", self.place(), self.pick(&STREETS));
            self.locality = match self.random.u32(..10) {
                0..4 => self.localities[self.random.usize(..self.localities.len())].clone(),
                _ => String::new(),
            };
        }
        self.left -= 1;
        address.clear();
        address.postcode.push_str(postcode.spaced().as_str());
        address.post_town.push_str(&self.town);
        address.dependent_locality.push_str(&self.locality);
        address.thoroughfare.push_str(&self.street);
        address.kind = Some(Kind::SmallUser);
        let wanted = 4 + self.random.u32(..29);
        let kind = self.random.u32(..100);
        let block = format!("{} {}", self.place(), self.pick(&BLOCKS));
        let step = if self.random.u32(..4) == 0 { 1 } else { 2 };
        for n in 0..wanted {
            for text in [
                &mut address.organisation,
                &mut address.sub_building,
                &mut address.building_name,
                &mut address.building_number,
                &mut address.delivery_point_suffix,
            ] {
                text.clear();
            }
            match kind {
                // A run of numbers, now and then with a gap, a flat, a name or a business.
                0..70 => {
                    self.house += step * if self.random.u32(..50) == 0 { 2 } else { 1 };
                    match self.random.u32(..100) {
                        0..2 => address.building_name = format!("{}A", self.house),
                        2..4 => address.building_name = format!("{} {}", self.place(), self.pick(&HOUSES)),
                        _ => address.building_number = self.house.to_string(),
                    }
                }
                // A block of flats.
                70..86 => {
                    address.building_name.push_str(&block);
                    address.sub_building = format!("Flat {}", n + 1);
                }
                // Names and farms.
                _ => address.building_name = format!("{} {}", self.place(), self.pick(&HOUSES)),
            }
            if self.random.u32(..100) < 7 {
                let limited = if self.random.bool() { " Ltd" } else { "" };
                address.organisation = format!("{} {}{limited}", self.place(), self.pick(&TRADES));
            }
            address.organisation_indicator = !address.organisation.is_empty();
            let suffix = (n as usize / 20 % 9 + 1, char::from(LETTERS[n as usize % 20]));
            address.delivery_point_suffix = format!("{}{}", suffix.0, suffix.1);
            address.udprn = Some(self.next_udprn());
            address.uprn = self.uprns.then(|| self.next_uprn());
            each(address)?;
        }
        Ok(u64::from(wanted))
    }

    /// 86 of 100 follow each other, with gaps; the others are scattered, as later additions are.
    fn next_udprn(&mut self) -> u32 {
        if self.random.u32(..100) < 86 {
            self.udprn += if self.random.u32(..20) == 0 { self.random.u32(2..10) } else { 1 };
            return self.udprn;
        }
        self.far += 1;
        // A prime and a multiplier that scatters: no number comes twice.
        50_000_000 + (self.far * 30_902_113 % 49_999_991) as u32
    }

    fn next_uprn(&mut self) -> u64 {
        match self.random.u32(..100) {
            0..80 => self.uprn += 1,
            80..95 => self.uprn += u64::from(self.random.u32(2..3_000)),
            _ => return 10_000_000_000 + self.random.u64(..80_000_000_000),
        }
        self.uprn
    }
}
