//! Boids with a neighbour grid: one source for the mod and for the native system that it is measured against.

/// Where a boid is, and where it flies to.
type Boid = ([f32; 2], [f32; 2]);

/// The side of the square that the boids live in, and of one cell of the grid: how far a boid sees.
const WORLD: f32 = 200.0;
const CELL: f32 = 2.0;
const CELLS: usize = (WORLD / CELL) as usize;

/// A flock, with the memory that a step needs.
#[derive(Default)]
pub(crate) struct Flock {
    boids: Vec<Boid>,
    next: Vec<Boid>,
    /// Where the boids of each cell start in `order`.
    starts: Vec<u32>,
    order: Vec<u32>,
}

fn cell_of([x, y]: [f32; 2]) -> (usize, usize) {
    let of = |at: f32| ((at / CELL) as usize).min(CELLS - 1);
    (of(x), of(y))
}

impl Flock {
    pub(crate) fn clear(&mut self) {
        self.boids.clear();
    }

    pub(crate) fn extend(&mut self, boids: impl Iterator<Item = Boid>) {
        self.boids.extend(boids);
    }

    pub(crate) fn boids(&self) -> impl Iterator<Item = Boid> {
        self.boids.iter().copied()
    }

    fn sort_into_cells(&mut self) {
        self.starts.clear();
        self.starts.resize(CELLS * CELLS + 1, 0);
        for (place, _) in &self.boids {
            let (x, y) = cell_of(*place);
            self.starts[y * CELLS + x + 1] += 1;
        }
        for cell in 0..CELLS * CELLS {
            self.starts[cell + 1] += self.starts[cell];
        }
        self.order.clear();
        self.order.resize(self.boids.len(), 0);
        for (index, (place, _)) in self.boids.iter().enumerate().rev() {
            let (x, y) = cell_of(*place);
            let end = &mut self.starts[y * CELLS + x + 1];
            *end -= 1;
            self.order[*end as usize] = index as u32;
        }
        // The ends have become starts, one cell on.
        self.starts.remove(0);
        self.starts.push(self.boids.len() as u32);
    }

    /// Separation, alignment and cohesion among the boids of the nine cells around each.
    pub(crate) fn step(&mut self, dt: f32) {
        self.sort_into_cells();
        self.next.clear();
        for (place, velocity) in &self.boids {
            let (mut apart, mut heading, mut centre, mut count) = ([0.0; 2], [0.0; 2], [0.0; 2], 0.0_f32);
            let (column, row) = cell_of(*place);
            for y in row.saturating_sub(1)..=(row + 1).min(CELLS - 1) {
                let first = y * CELLS + column.saturating_sub(1);
                let last = y * CELLS + (column + 1).min(CELLS - 1);
                let cells = self.starts[first] as usize..self.starts[last + 1] as usize;
                for other in &self.order[cells] {
                    let (other_place, other_velocity) = self.boids[*other as usize];
                    let (dx, dy) = (place[0] - other_place[0], place[1] - other_place[1]);
                    let distance = dx * dx + dy * dy;
                    if distance > 0.0 && distance < CELL * CELL {
                        apart[0] += dx / distance;
                        apart[1] += dy / distance;
                        heading[0] += other_velocity[0];
                        heading[1] += other_velocity[1];
                        centre[0] += other_place[0];
                        centre[1] += other_place[1];
                        count += 1.0;
                    }
                }
            }
            let mut new = *velocity;
            if count > 0.0 {
                for axis in 0..2 {
                    let to_heading = heading[axis] / count - velocity[axis];
                    let to_centre = centre[axis] / count - place[axis];
                    new[axis] += (apart[axis] * 0.5 + to_heading * 0.3 + to_centre * 0.2) * dt;
                }
            }
            let speed = (new[0] * new[0] + new[1] * new[1]).sqrt().max(0.001);
            let limit = (speed.clamp(1.0, 4.0)) / speed;
            new = [new[0] * limit, new[1] * limit];
            let at = |axis: usize| (place[axis] + new[axis] * dt).rem_euclid(WORLD);
            self.next.push(([at(0), at(1)], new));
        }
        std::mem::swap(&mut self.boids, &mut self.next);
    }
}
