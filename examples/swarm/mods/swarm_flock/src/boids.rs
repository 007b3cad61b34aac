//! The flock itself: who swims where in the next moment. Knows nothing of the game.

use mod_sdk::glam::Vec2;

/// How far a creature sees, and the side of a cell of the grid, in pixels.
const SIGHT: f32 = 36.0;
/// Nearer than this is too near.
const ELBOW: f32 = 15.0;
/// How many others a creature heeds. More would look the same and cost more.
const HEEDED: u32 = 18;
/// How far from the edge creatures turn back.
const MARGIN: f32 = 70.0;
/// The slowest and the fastest that a creature swims, in pixels per second.
const SPEEDS: (f32, f32) = (46.0, 118.0);

/// One creature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Boid {
    pub(crate) at: Vec2,
    pub(crate) velocity: Vec2,
    pub(crate) family: u32,
}

/// A place that creatures swim away from, or to, and from how far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) at: Vec2,
    pub(crate) reach: f32,
}

/// Everything around the flock that matters to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// Half of the arena's size. Its middle is at zero.
    pub(crate) half: Vec2,
    pub(crate) wind: Vec2,
    pub(crate) dangers: Vec<Place>,
    pub(crate) lures: Vec<Place>,
    /// Seconds since the game began: the currents change with it.
    pub(crate) now: f32,
    /// What the player set.
    pub(crate) speed: f32,
    pub(crate) company: f32,
}

/// The creatures, sorted into the cells of a grid. Keeps its memory from frame to frame.
#[derive(Debug, Default)]
pub(crate) struct Flock {
    boids: Vec<Boid>,
    /// Where the boids of each cell begin in `order`.
    starts: Vec<u32>,
    order: Vec<u32>,
    columns: usize,
    rows: usize,
}

impl Flock {
    /// Takes the creatures as they are now.
    pub(crate) fn set(&mut self, boids: impl Iterator<Item = Boid>, half: Vec2) {
        self.boids.clear();
        self.boids.extend(boids);
        self.columns = (half.x * 2.0 / SIGHT).ceil().clamp(1.0, 512.0) as usize;
        self.rows = (half.y * 2.0 / SIGHT).ceil().clamp(1.0, 512.0) as usize;
        let cells = self.columns * self.rows;
        self.starts.clear();
        self.starts.resize(cells + 1, 0);
        for boid in &self.boids {
            let cell = cell(boid.at, half, self.columns, self.rows);
            self.starts[cell + 1] += 1;
        }
        for cell in 0..cells {
            self.starts[cell + 1] += self.starts[cell];
        }
        self.order.clear();
        self.order.resize(self.boids.len(), 0);
        let mut next = self.starts.clone();
        for (index, boid) in self.boids.iter().enumerate() {
            let place = &mut next[cell(boid.at, half, self.columns, self.rows)];
            self.order[*place as usize] = index as u32;
            *place += 1;
        }
    }

    /// What becomes of the creature with that index after `dt` seconds.
    pub(crate) fn after(&self, index: usize, dt: f32, around: &Surroundings) -> Boid {
        let boid = self.boids[index];
        let mut push = self.company(boid, around) + edge(boid.at, around.half) + current(boid, around.now);
        push += around.wind * 0.6;
        let mut haste = 1.0;
        for place in &around.lures {
            let way = place.at - boid.at;
            let distance = way.length();
            if distance < place.reach && distance > 1.0 {
                // Drawn near, and then around it.
                let near = 1.0 - distance / place.reach;
                push += (way / distance) * 70.0 * (1.0 - near) + way.perp() / distance * 90.0 * near;
            }
        }
        for place in &around.dangers {
            let way = boid.at - place.at;
            let distance = way.length();
            if distance < place.reach && distance > 0.001 {
                let near = 1.0 - distance / place.reach;
                push += way / distance * 900.0 * near;
                haste = f32::max(haste, 1.0 + 0.9 * near);
            }
        }
        let velocity = boid.velocity + push * dt;
        let (slowest, fastest) = (SPEEDS.0 * around.speed, SPEEDS.1 * around.speed * haste);
        let velocity = match velocity.length() {
            length if length > 0.001 => velocity * (length.clamp(slowest, fastest) / length),
            _ => Vec2::new(slowest, 0.0),
        };
        let at = (boid.at + velocity * dt).clamp(-around.half, around.half);
        Boid { at, velocity, ..boid }
    }

    /// Separation from everybody, alignment and cohesion with the family.
    fn company(&self, boid: Boid, around: &Surroundings) -> Vec2 {
        let (mut apart, mut heading, mut centre) = (Vec2::ZERO, Vec2::ZERO, Vec2::ZERO);
        let (mut family, mut heeded) = (0_u32, 0_u32);
        let (column, row) = column_and_row(boid.at, around.half, self.columns, self.rows);
        'cells: for y in row.saturating_sub(1)..=(row + 1).min(self.rows - 1) {
            let first = y * self.columns + column.saturating_sub(1);
            let last = y * self.columns + (column + 1).min(self.columns - 1);
            for other in &self.order[self.starts[first] as usize..self.starts[last + 1] as usize] {
                let other = &self.boids[*other as usize];
                let way = boid.at - other.at;
                let square = way.length_squared();
                if square >= SIGHT * SIGHT || square <= 0.0 {
                    continue;
                }
                if square < ELBOW * ELBOW {
                    apart += way / square;
                }
                if other.family == boid.family {
                    heading += other.velocity;
                    centre += other.at;
                    family += 1;
                }
                heeded += 1;
                if heeded == HEEDED {
                    break 'cells;
                }
            }
        }
        let mut push = apart * 420.0;
        if family > 0 {
            let count = family as f32;
            push += ((heading / count - boid.velocity) * 2.4 + (centre / count - boid.at) * 1.5) * around.company;
        }
        push
    }
}

/// Where a place is in a grid of so many columns and rows. What is outside is in the cell next to it.
fn column_and_row(at: Vec2, half: Vec2, columns: usize, rows: usize) -> (usize, usize) {
    let cell = ((at + half) / SIGHT).max(Vec2::ZERO);
    ((cell.x as usize).min(columns - 1), (cell.y as usize).min(rows - 1))
}

fn cell(at: Vec2, half: Vec2, columns: usize, rows: usize) -> usize {
    let (column, row) = column_and_row(at, half, columns, rows);
    row * columns + column
}

/// Back from the edge, the harder the nearer it is.
fn edge(at: Vec2, half: Vec2) -> Vec2 {
    let over = (at.abs() - (half - MARGIN)).max(Vec2::ZERO) / MARGIN;
    -at.signum() * over * 260.0
}

/// Slow currents, in which each family has its own way.
fn current(boid: Boid, now: f32) -> Vec2 {
    let own = boid.family as f32 * 1.7;
    let turn = (boid.at.x * 0.0052 + own + now * 0.11).sin() + (boid.at.y * 0.0071 - own * 0.6 - now * 0.07).cos();
    Vec2::from_angle(turn * std::f32::consts::PI * 0.8 + own) * 34.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Vec2 = Vec2::new(640.0, 360.0);

    fn still() -> Surroundings {
        Surroundings { half: HALF, speed: 1.0, company: 1.0, ..Surroundings::default() }
    }

    fn boid(x: f32, y: f32, velocity: Vec2) -> Boid {
        Boid { at: Vec2::new(x, y), velocity, family: 0 }
    }

    fn step(boids: &[Boid], around: &Surroundings) -> Vec<Boid> {
        let mut flock = Flock::default();
        flock.set(boids.iter().copied(), around.half);
        (0..boids.len()).map(|index| flock.after(index, 1.0 / 60.0, around)).collect()
    }

    #[test]
    fn those_too_near_part_and_those_apart_come_together() {
        let swim = |gap: f32| {
            let mut boids = vec![boid(0.0, 0.0, Vec2::Y * 60.0), boid(gap, 0.0, Vec2::Y * 60.0)];
            for _ in 0..20 {
                boids = step(&boids, &still());
            }
            (boids[1].at - boids[0].at).length()
        };
        assert!(swim(4.0) > 5.0, "{}", swim(4.0));
        assert!(swim(30.0) < 29.5, "{}", swim(30.0));
    }

    #[test]
    fn a_danger_is_fled_from_and_a_lure_is_not() {
        let place = Place { at: Vec2::new(50.0, 0.0), reach: 120.0 };
        let one = [boid(0.0, 0.0, Vec2::X * 60.0)];
        let calm = step(&one, &still())[0].velocity.x;
        let fled = step(&one, &Surroundings { dangers: vec![place], ..still() })[0].velocity.x;
        let lured = step(&one, &Surroundings { lures: vec![place], ..still() })[0].velocity.x;
        assert!(fled < calm && calm < lured, "{fled} {calm} {lured}");
    }

    #[test]
    fn nobody_leaves_the_arena_and_everybody_swims() {
        let mut boids: Vec<Boid> =
            (0..300).map(|n| boid((n * 97 % 1280) as f32 - 640.0, (n * 57 % 720) as f32 - 360.0, Vec2::ZERO)).collect();
        for _ in 0..240 {
            boids = step(&boids, &Surroundings { wind: Vec2::new(200.0, 0.0), ..still() });
        }
        for Boid { at, velocity, .. } in boids {
            assert!(at.abs().cmple(HALF).all() && at.is_finite(), "{at}");
            assert!((SPEEDS.0 - 0.1..SPEEDS.1 + 0.1).contains(&velocity.length()), "{velocity}");
        }
    }

    #[test]
    fn places_that_cannot_be_are_in_some_cell() {
        let lost = [boid(f32::NAN, 1e30, Vec2::ZERO), boid(-1e30, -5.0, Vec2::X)];
        assert_eq!(step(&lost, &still()).len(), 2);
    }
}
