//! Tests points against a polygon of many corners, by examining only a few edges for each point.
//!
//! The latitudes of the polygon are divided into slabs. An edge that goes through a slab lies
//! between two meridians, which are close together because slabs are low. Edges to the east of a
//! point are counted by a binary search, those to the west are skipped, and only those that may
//! touch the point's meridian are examined. They are examined with the same arithmetic as in
//! [`Region::surrounds`](crate::Region::surrounds), so the answers are exactly the same.

use crate::Location;
use crate::query::{Edge, Side, in_edges, side};

/// The number of slabs. The more there are, the fewer edges are examined.
const SLABS: usize = 512;
/// Up to this many corners every edge is examined, which is as fast.
const FEW: usize = 24;
/// In degrees, a tenth of a millimetre: far more than the error of the arithmetic.
const MARGIN: f64 = 1e-9;

/// A polygon with an index that is built as points need it.
pub(crate) struct PolygonIndex {
    /// The edges of its rings.
    all: Vec<Edge>,
    /// The parallels between which its corners lie.
    latitude: (f64, f64),
    /// The southern edge of the slabs and their height. Unused without slabs.
    south: f64,
    north: f64,
    height: f64,
    slabs: Vec<Option<Slab>>,
    /// Edges examined so far.
    edges: u64,
}

/// The edges of a slab, each given by its number.
struct Slab {
    /// Edges that end in the slab or touch its border.
    ending: Vec<u16>,
    /// Edges that go through the slab, westernmost first, each with a meridian to its west.
    through: Vec<(f64, u16)>,
    /// A binary tree over these edges, in heap order. Each node has a meridian to the east of all
    /// edges below it.
    east: Vec<f64>,
}

impl PolygonIndex {
    /// Creates an index of the edges of a polygon's rings, for points that are mostly between two
    /// parallels.
    pub(crate) fn new(edges: impl Iterator<Item = Edge>, between: (f64, f64)) -> Self {
        let all: Vec<Edge> = edges.collect();
        let latitudes = all.iter().map(|(_, corner)| corner.latitude());
        let latitude =
            (latitudes.clone().fold(f64::INFINITY, f64::min), latitudes.fold(f64::NEG_INFINITY, f64::max));
        let (south, north) = (latitude.0.max(between.0), latitude.1.min(between.1));
        let height = (north - south) / SLABS as f64;
        let useful = all.len() > FEW && all.len() <= usize::from(u16::MAX) && height > 0.0;
        let slabs = if useful { (0..SLABS).map(|_| None).collect() } else { Vec::new() };
        Self { all, latitude, south, north, height, slabs, edges: 0 }
    }

    /// Returns how many edges have been examined so far, including those for building the index.
    pub(crate) fn edges(&self) -> u64 {
        self.edges
    }

    /// Returns whether a point lies in the polygon or on an edge.
    pub(crate) fn surrounds(&mut self, at: Location) -> bool {
        let (x, y) = (at.longitude(), at.latitude());
        if y < self.latitude.0 || y > self.latitude.1 {
            self.edges += 1;
            return false;
        }
        if self.slabs.is_empty() || y < self.south || y > self.north {
            self.edges += self.all.len() as u64;
            return in_edges(self.all.iter().copied(), at);
        }
        // The northernmost parallel belongs to the last slab.
        let n = (((y - self.south) / self.height) as usize).min(SLABS - 1);
        if self.slabs[n].is_none() {
            self.edges += self.all.len() as u64;
            self.slabs[n] = Some(self.slab(n));
        }
        let Some(slab) = &self.slabs[n] else { return in_edges(self.all.iter().copied(), at) };
        let to_the_west = slab.through.partition_point(|(west, _)| *west <= x);
        let mut crossings = slab.through.len() - to_the_west;
        let (mut on, mut edges) = (false, 1);
        let mut look = |edge: u16| {
            edges += 1;
            match self.all.get(usize::from(edge)).map_or(Side::Elsewhere, |(from, to)| side(*from, *to, at)) {
                Side::On => on = true,
                Side::East => crossings += 1,
                Side::Elsewhere => {}
            }
        };
        slab.ending.iter().for_each(|edge| look(*edge));
        slab.near(1, 0..slab.east.len() / 2, to_the_west, x, &mut look);
        self.edges += edges;
        on || crossings % 2 == 1
    }

    fn slab(&self, n: usize) -> Slab {
        let low = self.south + self.height * n as f64 - MARGIN;
        let high = self.south + self.height * (n + 1) as f64 + MARGIN;
        let (mut ending, mut through) = (Vec::new(), Vec::new());
        for (corner, (from, to)) in (0..=u16::MAX).zip(&self.all) {
            let (bottom, top) = (from.latitude().min(to.latitude()), from.latitude().max(to.latitude()));
            if top < low || bottom > high {
                continue;
            }
            if bottom >= low || top <= high {
                ending.push(corner);
                continue;
            }
            let slope = (to.longitude() - from.longitude()) / (to.latitude() - from.latitude());
            let at = |latitude: f64| from.longitude() + (latitude - from.latitude()) * slope;
            let (one, other) = (at(low), at(high));
            through.push((one.min(other) - MARGIN, one.max(other) + MARGIN, corner));
        }
        through.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let leaves = through.len().next_power_of_two();
        let mut east = vec![f64::NEG_INFINITY; 2 * leaves];
        for (n, (_, farthest, _)) in through.iter().enumerate() {
            east[leaves + n] = *farthest;
        }
        for n in (1..leaves).rev() {
            east[n] = east[2 * n].max(east[2 * n + 1]);
        }
        Slab { ending, through: through.into_iter().map(|(west, _, corner)| (west, corner)).collect(), east }
    }
}

impl Slab {
    /// Returns the edges among the first `end` that may touch a meridian, below a node of the tree.
    fn near(
        &self,
        node: usize,
        leaves: std::ops::Range<usize>,
        end: usize,
        x: f64,
        look: &mut impl FnMut(u16),
    ) {
        if leaves.start >= end || self.east.get(node).is_none_or(|east| *east < x) {
            return;
        }
        if leaves.len() == 1 {
            if let Some((_, corner)) = self.through.get(leaves.start) {
                look(*corner);
            }
            return;
        }
        let middle = leaves.start + leaves.len() / 2;
        self.near(2 * node, leaves.start..middle, end, x, look);
        self.near(2 * node + 1, middle..leaves.end, end, x, look);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_CORNERS;
    use crate::query::edges;

    const BETWEEN: (f64, f64) = (49.8, 60.9);

    fn at(latitude: f64, longitude: f64) -> Location {
        Location::new(latitude, longitude).unwrap()
    }

    /// Generates polygons of every kind: random ones, stars, combs, ones that repeat corners or
    /// retrace their own path, flat ones, and corners on the same grid as the points.
    fn polygon(rng: &mut fastrand::Rng) -> Vec<Location> {
        let corners = if rng.bool() { rng.usize(3..60) } else { rng.usize(3..=MAX_CORNERS) };
        let (size, middle) =
            (10_f64.powf(rng.f64() * 4.0 - 3.0), (49.0 + 12.0 * rng.f64(), 6.0 * rng.f64() - 6.0));
        let grid = 10_f64.powi(rng.i32(0..7));
        let kind = rng.u8(..6);
        let mut all: Vec<Location> = (0..corners)
            .map(|n| {
                let share = n as f64 / corners as f64;
                let (north, east) = match kind {
                    0 => (rng.f64() - 0.5, rng.f64() - 0.5),
                    1 => {
                        let (turn, far) =
                            (share * 17.0 * std::f64::consts::TAU, if n % 2 == 0 { 0.5 } else { 0.1 });
                        (far * turn.sin(), far * turn.cos())
                    }
                    2 => (if n % 2 == 0 { -0.5 } else { 0.5 }, share - 0.5),
                    3 => (share - 0.5, if n % 2 == 0 { -0.5 } else { 0.5 }),
                    4 => (0.0, rng.f64() - 0.5),
                    _ => (share - 0.5, (share - 0.5) * 0.9),
                };
                let snap = |degrees: f64| (degrees * grid).round() / grid;
                at(
                    snap(middle.0 + size * north).clamp(-90.0, 90.0),
                    snap(middle.1 + size * east).clamp(-180.0, 180.0),
                )
            })
            .collect();
        if rng.u8(..4) == 0 {
            all.extend(all.clone().into_iter().rev());
            all.truncate(MAX_CORNERS);
        }
        all
    }

    #[test]
    fn index_of_any_polygon_answers_as_all_its_edges_do() {
        let mut rng = fastrand::Rng::with_seed(5);
        let (mut inside, mut asked) = (0, 0);
        for _ in 0..400 {
            let corners = polygon(&mut rng);
            let mut index = PolygonIndex::new(edges(&corners), BETWEEN);
            for _ in 0..60 {
                let corner = corners[rng.usize(..corners.len())];
                let other = corners[rng.usize(..corners.len())];
                let share = rng.f64();
                let micro = |degrees: f64| (degrees * 1e6).round() / 1e6;
                let between = |one: f64, other: f64| one + (other - one) * share;
                let point = match rng.u8(..5) {
                    0 => corner,
                    1 => at(corner.latitude(), other.longitude()),
                    2 => at(
                        between(corner.latitude(), other.latitude()),
                        between(corner.longitude(), other.longitude()),
                    ),
                    3 => at(micro(corner.latitude()), micro(other.longitude())),
                    _ => at(
                        micro(between(corner.latitude(), other.latitude())),
                        micro(between(other.longitude(), corner.longitude())),
                    ),
                };
                let due = in_edges(edges(&corners), point);
                assert_eq!(index.surrounds(point), due, "{point:?} in {corners:?}");
                inside += usize::from(due);
                asked += 1;
            }
        }
        assert!(inside > asked / 20 && inside < asked, "{inside} of {asked}");
    }

    #[test]
    fn polygon_that_goes_back_on_its_own_path_costs_few_edges_for_each_point() {
        let (south, north) = BETWEEN;
        let mut rng = fastrand::Rng::with_seed(6);
        let half = MAX_CORNERS / 2;
        let zigzag = |upright: bool| -> Vec<Location> {
            let there = (0..half).map(|n| {
                let (along, across) = (n as f64 / half as f64, f64::from(n % 2 == 0));
                let (y, x) = if upright { (across, along) } else { (along, across) };
                at(south + (north - south) * y, 10.0 * x - 8.0)
            });
            let there: Vec<_> = there.collect();
            there.iter().chain(there.iter().rev()).copied().collect()
        };
        for corners in [zigzag(true), zigzag(false)] {
            let mut index = PolygonIndex::new(edges(&corners), BETWEEN);
            let points = 200_000;
            for _ in 0..points {
                let point = at(south + (north - south) * rng.f64(), 10.0 * rng.f64() - 8.0);
                assert!(!index.surrounds(point));
            }
            // Building the slabs, and then a few edges for each point instead of a thousand.
            let prepared = (SLABS * corners.len()) as u64;
            assert!(index.edges() < prepared + 24 * points, "{} edges", index.edges());
        }
    }
}
