//! Running a system in a native test, with rows made by hand. It takes the same way as in the game.
#![expect(unsafe_code, reason = "lays out a batch as the game does")]

mod commands;
mod game;
mod imports;
pub(crate) mod jobs;
mod memory;

use std::{
    any::{TypeId, type_name},
    cell::RefCell,
};

pub use commands::{TestCommand, TestValue};
#[cfg(test)]
pub(crate) use game::ASKED;
pub(crate) use game::{query_row, query_ticks};
pub(crate) use imports::answer;
pub use imports::{Importable, Replaced, replace};
pub use jobs::{finish, ticket};
use memory::Memory;
#[cfg(test)]
pub(crate) use memory::block;
use mod_abi::{codec, describe::ModDescription, state::SavedState};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Entity,
    app::App,
    block::Batch,
    component::{Component, Resource},
    config::IntoScheduleConfigs,
    persist,
    reflect::Reflect,
    runtime::Runtime,
    schedule::Update,
};

/// Everything that [`Persist`](crate::Persist) parameters keep, as the host takes it when another version is to follow.
///
/// ```
/// use mod_sdk::{
///     prelude::*,
///     testing::{self, SystemTest},
/// };
///
/// #[derive(Reflect, Default)]
/// struct Visits {
///     count: u32,
/// }
///
/// fn greet(mut visits: Persist<Visits>) {
///     visits.count += 1;
/// }
///
/// SystemTest::new(greet).run();
/// let kept = testing::save_all();
/// assert_eq!(kept.len(), 1);
/// testing::restore_all(&kept); // what the next version does first
/// ```
#[must_use]
pub fn save_all() -> Vec<SavedState> {
    as_the_host_reads(&persist::save_all())
}

/// Takes over what an earlier version kept, as the host gives it.
///
/// # Panics
/// When the bytes are not of the type that this version saves under that name.
pub fn restore_all(states: &[SavedState]) {
    persist::restore_all(states);
}

/// What a mod tells the game about itself.
///
/// ```
/// use mod_sdk::{prelude::*, testing};
///
/// fn look() {}
///
/// let description = testing::describe(|app| {
///     app.add_systems(Update, look);
/// });
/// assert_eq!((description.systems[0].name.as_str(), description.systems[0].schedule.as_str()), ("look", "Update"));
/// ```
#[must_use]
pub fn describe(main: fn(&mut App)) -> ModDescription {
    as_the_host_reads(&Runtime::new(main).describe())
}

/// What the mod keeps as texts, such as schemas, with a meaning.
fn as_the_host_reads<T: DeserializeOwned>(value: &impl Serialize) -> T {
    let read = codec::encode(value).map(|bytes| codec::decode(&bytes));
    match read {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("the game would not understand it: {error}"),
        Err(error) => panic!("{error}"),
    }
}

/// A system with what the game gives it.
///
/// ```
/// use std::time::Duration;
///
/// use mod_sdk::{
///     prelude::*,
///     testing::{SystemTest, TestRows},
/// };
///
/// fn rise(mut balloons: Query<&mut Transform>, time: Res<Time>) {
///     for mut transform in &mut balloons {
///         transform.translation.y += time.delta_secs();
///     }
/// }
///
/// let mut test = SystemTest::new(rise)
///     .query(TestRows::default().column([Transform::IDENTITY]))
///     .resource(Time::for_test(Duration::from_secs(9), Duration::from_secs(2)));
/// test.run();
/// assert_eq!(test.changed::<Transform>(0, 0), [(0, Transform::from_xyz(0.0, 2.0, 0.0))]);
/// ```
#[derive(Debug)]
pub struct SystemTest {
    runtime: Runtime,
    params: Vec<TestRows>,
}

/// The rows of a query, column by column, in the order of its terms: those that match, because filters are not looked at.
///
/// ```
/// use mod_sdk::{
///     prelude::*,
///     testing::{SystemTest, TestRows},
/// };
/// # #[derive(Component, Clone, Copy, PartialEq, Debug)] struct Health(f32);
/// # #[derive(Component)] struct Frozen;
///
/// fn thaw(mut bees: Query<(Ref<Transform>, Option<&mut Health>, Has<Frozen>)>, time: Res<Time>) {
///     for (place, health, is_frozen) in &mut bees {
///         if let Some(mut health) = health
///             && is_frozen
///             && place.is_changed()
///         {
///             health.0 += time.delta_secs();
///         }
///     }
/// }
///
/// let rows = TestRows::default()
///     .column([Transform::IDENTITY; 3])
///     .changed([0, 1])
///     .optional_column([Some(Health(1.0)), None, Some(Health(3.0))])
///     .has::<Frozen>([true, true, false]);
/// # let second = std::time::Duration::from_secs(1);
/// let mut test = SystemTest::new(thaw).query(rows).resource(Time::for_test(second, second));
/// test.run();
/// assert_eq!(test.changed::<Health>(0, 1), [(0, Health(2.0))]);
/// ```
#[derive(Debug, Default)]
pub struct TestRows {
    columns: Vec<TestColumn>,
    entities: Vec<Entity>,
}

#[derive(Debug)]
struct TestColumn {
    stride: usize,
    rows: Vec<Option<Vec<u8>>>,
    /// Whether rows may be missing.
    optional: bool,
    /// Whether the rows that are there have bytes, if only an empty run of them.
    has_data: bool,
    changed: Vec<usize>,
    added: Vec<usize>,
    dirty: Vec<usize>,
    /// Splits the bytes of one row off the front of many.
    split: fn(&mut &[u8]) -> Vec<u8>,
}

impl TestColumn {
    fn new<T: Reflect>(rows: Vec<Option<Vec<u8>>>, optional: bool, has_data: bool) -> Self {
        let stride = if has_data { T::STRIDE.unwrap_or(0) } else { 0 };
        let (changed, added, dirty) = (Vec::new(), Vec::new(), Vec::new());
        Self { stride, rows, optional, has_data, changed, added, dirty, split: split::<T> }
    }
}

impl TestRows {
    /// Adds the column of the query's next term. If it holds entities, [`Query::get`](crate::Query::get) finds the rows by
    /// them.
    #[must_use]
    pub fn column<T: Reflect>(mut self, rows: impl IntoIterator<Item = T>) -> Self {
        let rows: Vec<_> = rows.into_iter().map(|row| Some(encode(&row))).collect();
        if TypeId::of::<T>() == TypeId::of::<Entity>() {
            self.entities = rows.iter().flatten().map(|row| decode(&mut row.as_slice())).collect();
        }
        self.columns.push(TestColumn::new::<T>(rows, false, true));
        self
    }

    /// Adds the column of the query's next term, which is an `Option`.
    #[must_use]
    pub fn optional_column<T: Component>(mut self, rows: impl IntoIterator<Item = Option<T>>) -> Self {
        let rows = rows.into_iter().map(|row| row.map(|row| encode(&row))).collect();
        self.columns.push(TestColumn::new::<T>(rows, true, true));
        self
    }

    /// Adds the column of the query's next term, which is a `Has<T>`.
    #[must_use]
    pub fn has<T: Component>(mut self, rows: impl IntoIterator<Item = bool>) -> Self {
        let rows = rows.into_iter().map(|has| has.then(Vec::new)).collect();
        self.columns.push(TestColumn::new::<T>(rows, true, false));
        self
    }

    /// Marks rows of the column that was added last as changed since the system last ran, whenever it runs. Until then no
    /// row is.
    ///
    /// # Panics
    /// When there is no column.
    #[must_use]
    pub fn changed(mut self, rows: impl IntoIterator<Item = usize>) -> Self {
        self.last_column().changed.extend(rows);
        self
    }

    /// Marks rows of the column that was added last as added, and by that as changed, since the system last ran, whenever
    /// it runs. Until then no row is.
    ///
    /// # Panics
    /// When there is no column.
    #[must_use]
    pub fn added(mut self, rows: impl IntoIterator<Item = usize>) -> Self {
        self.last_column().added.extend(rows);
        self
    }

    /// Says whose the rows are, for a query that looks for given entities and does not fetch their ids.
    #[must_use]
    pub fn entities(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        self.entities = entities.into_iter().collect();
        self
    }

    fn last_column(&mut self) -> &mut TestColumn {
        self.columns.last_mut().expect("a column of which rows are to be marked")
    }

    /// The number of rows.
    fn len(&self) -> usize {
        self.columns.first().map_or(self.entities.len(), |column| column.rows.len())
    }
}

impl SystemTest {
    /// The system that calls `function`.
    #[must_use]
    pub fn new<Marker>(function: impl IntoScheduleConfigs<Marker>) -> Self {
        let mut app = App::new();
        app.add_systems(Update, function);
        Self { runtime: Runtime::of(app), params: Vec::new() }
    }

    /// Gives the next parameter, a query, its rows.
    #[must_use]
    pub fn query(mut self, rows: TestRows) -> Self {
        self.params.push(rows);
        self
    }

    /// Gives the next parameter, a `Res` or `ResMut`, its resource.
    #[must_use]
    pub fn resource<T: Resource>(self, resource: T) -> Self {
        self.query(TestRows::default().column([resource]))
    }

    /// Gives the next parameter, an `Option<Res>` or `Option<ResMut>`, no resource.
    #[must_use]
    pub fn without_resource<T: Resource>(self) -> Self {
        self.query(TestRows::default().column::<T>([]))
    }

    /// Runs the system. Afterwards the rows are as the game would have them.
    ///
    /// # Panics
    /// When the system does, or when it has another number of parameters that need something of the game.
    pub fn run(&mut self) {
        let description = self.runtime.describe();
        let systems = description.systems.iter().map(|system| system.params.len());
        let observers = description.observers.iter().map(|observer| observer.params.len());
        let needed: Vec<_> = systems.chain(observers).collect();
        assert_eq!(
            needed,
            [self.params.len()],
            "the queries and resources that the system needs, and those that are there"
        );
        let mut memory = Memory::new(&self.params);
        let len = memory.len();
        OUT.with_borrow_mut(Vec::clear);
        game::play(&self.params);
        // SAFETY: the memory is aligned and belongs to this call; its parts were laid out one after the other.
        self.runtime.run(unsafe { Batch::new(memory.start(), len) });
        memory.finish(&mut self.params);
    }

    /// The rows that the last run has changed in a column of a parameter.
    ///
    /// # Panics
    /// When there is no such column, or when it holds another type.
    #[must_use]
    pub fn changed<T: Reflect>(&self, param: usize, column: usize) -> Vec<(usize, T)> {
        let dirty = &self.params[param].columns[column].dirty;
        let rows = self.optional_rows(param, column).into_iter().enumerate();
        rows.filter(|(row, _)| dirty.contains(row)).filter_map(|(row, value)| Some((row, value?))).collect()
    }

    /// All rows of a column of a parameter. Those that an optional column does not have are left out.
    ///
    /// # Panics
    /// When there is no such column, or when it holds another type.
    #[must_use]
    pub fn rows<T: Reflect>(&self, param: usize, column: usize) -> Vec<T> {
        self.optional_rows(param, column).into_iter().flatten().collect()
    }

    /// All rows of a column of a parameter, `None` for those that an optional column does not have.
    ///
    /// # Panics
    /// When there is no such column, or when it holds another type.
    #[must_use]
    pub fn optional_rows<T: Reflect>(&self, param: usize, column: usize) -> Vec<Option<T>> {
        let rows = self.params[param].columns[column].rows.iter();
        rows.map(|row| row.as_ref().map(|row| decode(&mut row.as_slice()))).collect()
    }
}

thread_local! {
    /// The rows of varying size that the system left last, by their addresses: those of a native build do not fit into
    /// the header.
    static OUT: RefCell<Vec<(u32, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

/// Remembers what a column left at `address`.
pub(crate) fn keep_out(address: u32, out: &[u8]) {
    OUT.with_borrow_mut(|kept| kept.push((address, out.to_owned())));
}

fn split<T: Reflect>(bytes: &mut &[u8]) -> Vec<u8> {
    encode(&decode::<T>(bytes))
}

fn decode<T: Reflect>(bytes: &mut &[u8]) -> T {
    T::read(bytes).unwrap_or_else(|error| panic!("a row is no {}: {error}", type_name::<T>()))
}

fn encode<T: Reflect>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.write(&mut bytes);
    bytes
}
