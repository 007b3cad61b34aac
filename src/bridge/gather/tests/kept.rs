//! Blocks that stay in the mod's memory: however the World and the mod change between two runs, the mod finds what it would find in
//! a block that is written from nothing.

use bevy_ecs::change_detection::{DetectChangesMut, Tick};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    test_runner::TestCaseError,
};

use super::{
    AppTypeRegistry, Block, Changes, DEFINED, Entity, FIXED, Fixed, Keep, MARKER, Marker, NoGuest, Packed, Read,
    Reflection, SPARSE, Sparse, Splitter, TermDesc, Ticks, VARYING, Varying, World, block_of, encode, insert, piece,
    world,
};

/// Miri is a thousand times slower.
const STEPS: usize = if cfg!(miri) { 12 } else { 60 };

/// What happens between two runs. Entities are chosen by a number that is taken modulo how many there are.
#[derive(Debug, Clone)]
enum Step {
    Spawn {
        count: usize,
        fixed: bool,
        sparse: bool,
        marker: bool,
    },
    Despawn(usize),
    /// The game writes a value, as a system would.
    Write(usize, u64),
    /// To another table, or to another archetype of the same table.
    Move(usize),
    Split(usize),
    RemoveSparse(usize),
    Name(usize, String),
    Define(usize, Packed),
    /// The mod changes a row in the next run, with the mark.
    Change(usize, u64),
    /// The mod writes into a row in the next run, without marking it as changed.
    Scribble(usize),
    /// The mod is stopped in the next run: what it did does not arrive.
    Fail,
    /// The system runs.
    Run,
}

fn step() -> impl Strategy<Value = Step> {
    let at = || any::<usize>();
    let spawn = (1..40_usize, any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(count, fixed, sparse, marker)| Step::Spawn { count, fixed, sparse, marker });
    prop_oneof![
        2 => spawn,
        1 => at().prop_map(Step::Despawn),
        3 => (at(), any::<u64>()).prop_map(|(at, value)| Step::Write(at, value)),
        1 => at().prop_map(Step::Move),
        1 => at().prop_map(Step::Split),
        1 => at().prop_map(Step::RemoveSparse),
        1 => (at(), "[a-z]{0,3}").prop_map(|(at, name)| Step::Name(at, name)),
        1 => (at(), any::<Packed>()).prop_map(|(at, value)| Step::Define(at, value)),
        3 => (at(), any::<u64>()).prop_map(|(at, value)| Step::Change(at, value)),
        2 => at().prop_map(Step::Scribble),
        1 => proptest::strategy::Just(Step::Fail),
        5 => proptest::strategy::Just(Step::Run),
    ]
}

/// A game with a system that runs again and again, and the memory of its mod.
struct Game {
    world: World,
    entities: Vec<Entity>,
    block: Block,
    terms: Vec<TermDesc>,
    memory: Vec<u8>,
    last: Option<Tick>,
    changes: Vec<(usize, u64)>,
    scribbles: Vec<usize>,
    fails: bool,
}

impl Game {
    fn new(terms: Vec<TermDesc>) -> Self {
        let mut world = world();
        let block = block_of(&mut world, &terms, &[]);
        let (entities, memory, changes, scribbles) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { world, entities, block, terms, memory, last: None, changes, scribbles, fails: false }
    }

    fn pick(&self, at: usize) -> Option<Entity> {
        self.entities.get(at.checked_rem(self.entities.len())?).copied()
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        // Each step is a system of its own.
        self.world.increment_change_tick();
        let target = match step {
            Step::Despawn(at) | Step::Write(at, _) | Step::Move(at) | Step::Split(at) | Step::RemoveSparse(at) => {
                self.pick(*at)
            }
            Step::Name(at, _) | Step::Define(at, _) => self.pick(*at),
            _ => None,
        };
        match (step, target) {
            (Step::Run, _) => return self.run(),
            (Step::Fail, _) => self.fails = true,
            (Step::Change(at, value), _) => self.changes.push((*at, *value)),
            (Step::Scribble(at), _) => self.scribbles.push(*at),
            (Step::Spawn { count, fixed, sparse, marker }, _) => {
                for number in 0..*count as u64 {
                    let mut entity = self.world.spawn_empty();
                    if *fixed {
                        entity.insert(Fixed { flag: true, place: [number as f32, 2.0], wide: number });
                    }
                    if *sparse {
                        entity.insert(Sparse(1, number as u32));
                    }
                    if *marker {
                        entity.insert(Marker);
                    }
                    self.entities.push(entity.id());
                }
            }
            (Step::Despawn(_), Some(entity)) => {
                self.world.despawn(entity);
                self.entities.retain(|other| *other != entity);
            }
            (Step::Write(_, value), Some(entity)) => {
                if let Some(mut fixed) = self.world.get_mut::<Fixed>(entity) {
                    fixed.wide = *value;
                }
                if let Some(mut sparse) = self.world.get_mut::<Sparse>(entity) {
                    sparse.1 = *value as u32;
                }
            }
            (Step::Move(_), Some(entity)) => {
                let has = self.world.get::<Marker>(entity).is_some();
                let mut entity = self.world.entity_mut(entity);
                if has {
                    entity.remove::<Marker>()
                } else {
                    entity.insert(Marker)
                };
            }
            (Step::Split(_), Some(entity)) => {
                self.world.entity_mut(entity).insert(Splitter);
            }
            (Step::RemoveSparse(_), Some(entity)) => {
                self.world.entity_mut(entity).remove::<Sparse>();
            }
            (Step::Name(_, name), Some(entity)) => {
                self.world.entity_mut(entity).insert(Varying { name: name.clone(), mood: None });
            }
            (Step::Define(_, value), Some(entity)) => {
                let piece = piece(&self.world, "model::Defined", value);
                insert(&mut self.world, entity, vec![piece]).expect("nothing panics");
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the batch for a run, into what the last one left.
    fn gather(&mut self) -> Tick {
        let this_run = self.world.increment_change_tick();
        let registry = self.world.resource::<AppTypeRegistry>().clone();
        let registry = registry.read();
        let reflection = Reflection { types: &registry, assets: None };
        let cell = self.world.as_unsafe_world_cell();
        let ticks = Ticks { last_run: this_run, this_run };
        // SAFETY: the cell comes from a `&mut World`.
        unsafe {
            let len = self.block.measure(cell, reflection, ticks, 1 << 24).expect("it fits");
            let keep = match self.last.take() {
                Some(last) if len == self.memory.len() => Keep::since(last, this_run),
                _ => Keep::Begin,
            };
            // What is not kept may hold anything.
            if keep == Keep::Begin {
                self.memory = vec![0xa5; len];
            }
            self.block.write(cell, reflection, keep, &mut self.memory).expect("it can be read");
        }
        this_run
    }

    /// A run of the system: what it finds is what a block that begins from nothing holds.
    fn run(&mut self) -> Result<(), TestCaseError> {
        let this_run = self.gather();
        let registry = self.world.resource::<AppTypeRegistry>().clone();
        let registry = registry.read();
        let reflection = Reflection { types: &registry, assets: None };
        let mut expected = Vec::new();
        let mut fresh = block_of(&mut self.world, &self.terms, &[]);
        fresh.read(&self.world, reflection, None, 1 << 24, &mut expected).expect("it can be read");
        let cell = self.world.as_unsafe_world_cell();
        let rows = self.block.selection.rows;
        let (mut found, expected) =
            (Read { rows, bytes: std::mem::take(&mut self.memory) }, Read { rows, bytes: expected });
        prop_assert_eq!(found.bytes.len(), expected.bytes.len());
        for column in 0..self.terms.len() {
            let header = found.header(column);
            prop_assert_eq!(header, expected.header(column));
            for row in 0..rows {
                prop_assert_eq!(found.row(column, row), expected.row(column, row), "row {} of column {}", row, column);
                prop_assert_eq!(found.present(column, row), expected.present(column, row));
                if header.dirty != 0 {
                    prop_assert_eq!(found.bytes[header.dirty as usize + row], 0);
                }
            }
        }

        // The mod's turn.
        for (column, term) in self.terms.iter().enumerate() {
            let TermDesc::Write(ty) = term else { continue };
            let header = found.header(column);
            let stride = header.stride as usize;
            let place = |row: usize| header.data as usize + row * stride;
            for at in self.scribbles.iter().filter_map(|at| at.checked_rem(rows)) {
                found.bytes[place(at)..place(at + 1)].fill(0xcc);
                found.bytes[header.dirty as usize + at] |= 2;
            }
            for (at, value) in self.changes.iter().filter_map(|(at, value)| Some((at.checked_rem(rows)?, value))) {
                let new = match *ty {
                    FIXED => encode(&Fixed { flag: false, place: [1.0, 3.0], wide: *value }),
                    _ => encode::<Packed>(&(*value as u32, true, 7)),
                };
                found.bytes[place(at)..place(at + 1)].copy_from_slice(&new);
                found.bytes[header.dirty as usize + at] |= 1;
            }
        }
        self.changes.clear();
        self.scribbles.clear();
        if !std::mem::take(&mut self.fails) {
            let mut changes = Changes::default();
            // SAFETY: as above; nothing of the World has changed.
            unsafe {
                changes.check(&self.block, &found.bytes, cell, &NoGuest, reflection).expect("it is valid");
                changes.apply(&self.block, &found.bytes, cell, this_run).expect("it was checked");
            }
            self.last = Some(this_run);
        }
        self.memory = found.bytes;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 256 }, ..Default::default() })]

    #[test]
    fn a_kept_block_is_what_a_fresh_one_would_be(steps in vec(step(), 0..STEPS), which in 0..4_usize) {
        let terms = match which {
            0 => vec![TermDesc::Write(FIXED)],
            1 => vec![TermDesc::Entity, TermDesc::Write(FIXED), TermDesc::ReadOptional(SPARSE), TermDesc::Has(MARKER)],
            // What varies moves the columns behind it.
            2 => vec![TermDesc::ReadOptional(VARYING), TermDesc::Write(FIXED), TermDesc::ReadOptional(DEFINED)],
            _ => vec![TermDesc::Read(FIXED), TermDesc::Write(DEFINED)],
        };
        let mut game = Game::new(terms);
        for step in &steps {
            game.step(step)?;
        }
        game.step(&Step::Run)?;
        game.step(&Step::Run)?;
    }
}

#[test]
fn rows_that_have_not_changed_are_not_written() {
    let mut game = Game::new(vec![TermDesc::Write(FIXED)]);
    game.step(&Step::Spawn { count: 100, fixed: true, sparse: false, marker: false }).unwrap();
    game.run().unwrap();
    // As no mod may do it, to see what is written.
    let header = Read { rows: 0, bytes: game.memory.clone() }.header(0);
    let rows = header.data as usize..(header.data + header.data_len) as usize;
    game.memory[rows.clone()].fill(0x11);
    let changed = game.entities[50];
    game.world.get_mut::<Fixed>(changed).expect("it has one").set_changed();
    game.gather();
    let written = game.memory[rows].chunks(header.stride as usize).filter(|row| **row != [0x11; 17]).count();
    assert!((1..=32).contains(&written), "{written} rows were written for one that has changed");
}
