//! Running a system in a native test, with rows made by hand. It takes the same way as in the game.
#![expect(unsafe_code, reason = "lays out a batch as the game does")]

use std::{any::type_name, cell::RefCell, iter};

use mod_abi::{
    batch::{
        BATCH_HEADER, BLOCK_HEADER, COLUMN_HEADER, ColumnHeader, align_up, batch_header_bytes, block_header_bytes,
        dirty_map_bytes,
    },
    describe::ModDescription,
    state::SavedState,
};

use crate::{
    app::App, block::Batch, component::Resource, config::IntoScheduleConfigs, persist, reflect::Reflect,
    runtime::Runtime, schedule::Update,
};

/// Everything that [`Persist`](crate::Persist) parameters keep, as the host takes it when another version is to follow.
#[must_use]
pub fn save_all() -> Vec<SavedState> {
    persist::save_all()
}

/// Takes over what an earlier version kept, as the host gives it.
///
/// # Panics
/// When the bytes are not of the type that this version saves under that name.
pub fn restore_all(states: &[SavedState]) {
    persist::restore_all(states);
}

/// What a mod tells the game about itself.
#[must_use]
pub fn describe(main: fn(&mut App)) -> ModDescription {
    Runtime::new(main).describe()
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

/// The rows of a query, column by column.
#[derive(Debug, Default)]
pub struct TestRows(Vec<TestColumn>);

#[derive(Debug)]
struct TestColumn {
    stride: usize,
    rows: Vec<Vec<u8>>,
    dirty: Vec<usize>,
    /// Splits the bytes of one row off the front of many.
    split: fn(&mut &[u8]) -> Vec<u8>,
}

impl TestRows {
    /// Adds the column of the query's next term.
    #[must_use]
    pub fn column<T: Reflect>(mut self, rows: impl IntoIterator<Item = T>) -> Self {
        let rows = rows.into_iter().map(|row| encode(&row)).collect();
        self.0.push(TestColumn { stride: T::STRIDE.unwrap_or(0), rows, dirty: Vec::new(), split: split::<T> });
        self
    }
}

impl SystemTest {
    /// The system that calls `function`.
    #[must_use]
    pub fn new<Marker>(function: impl IntoScheduleConfigs<Marker>) -> Self {
        let mut app = App::new();
        app.add_systems(Update, function);
        Self { runtime: Runtime(app), params: Vec::new() }
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

    /// Runs the system. Afterwards the rows are as the game would have them.
    ///
    /// # Panics
    /// When the system does, or when it has another number of parameters that need something of the game.
    pub fn run(&mut self) {
        let needed: Vec<_> = self.runtime.describe().systems.into_iter().map(|system| system.params.len()).collect();
        assert_eq!(
            needed,
            [self.params.len()],
            "the queries and resources that the system needs, and those that are there"
        );
        let mut memory = Memory::new(&self.params);
        let len = memory.len();
        OUT.with_borrow_mut(Vec::clear);
        // SAFETY: the memory is aligned and belongs to this call; its parts were laid out one after the other.
        self.runtime.run(unsafe { Batch::new(memory.words.as_mut_ptr().cast(), len) });
        for (index, rows) in self.params.iter_mut().enumerate() {
            let block = memory.u32(BATCH_HEADER + index * 4);
            for (index, column) in rows.0.iter_mut().enumerate() {
                memory.take_back(block, index, column);
            }
        }
    }

    /// The rows that the last run has changed in a column of a parameter.
    ///
    /// # Panics
    /// When there is no such column, or when it holds another type.
    #[must_use]
    pub fn changed<T: Reflect>(&self, param: usize, column: usize) -> Vec<(usize, T)> {
        let dirty = &self.params[param].0[column].dirty;
        self.rows(param, column).into_iter().enumerate().filter(|(row, _)| dirty.contains(row)).collect()
    }

    /// All rows of a column of a parameter.
    ///
    /// # Panics
    /// When there is no such column, or when it holds another type.
    #[must_use]
    pub fn rows<T: Reflect>(&self, param: usize, column: usize) -> Vec<T> {
        self.params[param].0[column].rows.iter().map(|row| decode(&mut row.as_slice())).collect()
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

/// A batch as the game lays it out.
struct Memory {
    words: Vec<u128>,
}

impl Memory {
    fn new(params: &[TestRows]) -> Self {
        let header = batch_header_bytes(params.len()).expect("few parameters");
        let mut bytes = vec![0; header];
        put(&mut bytes, 4, params.len());
        for (index, rows) in params.iter().enumerate() {
            let start = bytes.len();
            put(&mut bytes, BATCH_HEADER + index * 4, start);
            bytes.extend(block(rows));
        }
        let len = bytes.len();
        put(&mut bytes, 8, len);
        let (words, _) = bytes.as_chunks::<16>();
        Self { words: words.iter().map(|word| u128::from_ne_bytes(*word)).collect() }
    }

    fn len(&self) -> usize {
        self.words.len() * 16
    }

    fn bytes(&self, start: usize, len: usize) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_ne_bytes()).skip(start).take(len).collect()
    }

    fn u32(&self, at: usize) -> usize {
        self.bytes(at, 4).iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    /// Takes over the dirty rows of a column.
    fn take_back(&self, block: usize, index: usize, column: &mut TestColumn) {
        let at = block + BLOCK_HEADER + index * COLUMN_HEADER;
        let header = self.bytes(at, COLUMN_HEADER);
        let header = ColumnHeader::from_bytes(header.as_slice().try_into().expect("a whole header"));
        let dirty = self.bytes(block + header.dirty as usize, dirty_map_bytes(column.rows.len()));
        column.dirty = (0..column.rows.len()).filter(|row| dirty[row / 8] >> (row % 8) & 1 == 1).collect();
        if column.stride > 0 {
            for row in &column.dirty {
                column.rows[*row] = self.bytes(block + header.data as usize + row * column.stride, column.stride);
            }
        } else if !column.dirty.is_empty() {
            let kept = OUT.with_borrow(|kept| kept.iter().rev().find(|(address, _)| *address == header.out).cloned());
            let (_, out) = kept.unwrap_or_default();
            assert_eq!(out.len(), header.out_len as usize);
            let mut bytes = out.as_slice();
            column.dirty.iter().for_each(|row| column.rows[*row] = (column.split)(&mut bytes));
            assert!(bytes.is_empty(), "the system left {} bytes too many", bytes.len());
        }
    }
}

/// A block with the given columns.
pub(crate) fn block(rows: &TestRows) -> Vec<u8> {
    let count = rows.0.first().map_or(0, |column| column.rows.len());
    assert!(rows.0.iter().all(|column| column.rows.len() == count), "all columns should have the same number of rows");
    let mut bytes = vec![0; block_header_bytes(rows.0.len()).expect("few columns")];
    put(&mut bytes, 0, count);
    put(&mut bytes, 4, rows.0.len());
    for (index, column) in rows.0.iter().enumerate() {
        let mut header = ColumnHeader { stride: number(column.stride), ..ColumnHeader::default() };
        if column.stride == 0 {
            let ends = column.rows.iter().scan(0, |end, row| {
                *end += row.len();
                Some(number(*end))
            });
            header.offsets = append(&mut bytes, iter::once(0).chain(ends).flat_map(u32::to_le_bytes));
        }
        header.data = append(&mut bytes, column.rows.iter().flatten().copied());
        header.data_len = number(column.rows.iter().map(Vec::len).sum());
        header.dirty = append(&mut bytes, iter::repeat_n(0, dirty_map_bytes(count)));
        let at = BLOCK_HEADER + index * COLUMN_HEADER;
        bytes[at..at + COLUMN_HEADER].copy_from_slice(&header.to_bytes());
    }
    let len = bytes.len();
    put(&mut bytes, 8, len);
    bytes
}

/// Appends a part and returns where it starts. The next one will be aligned.
fn append(bytes: &mut Vec<u8>, part: impl Iterator<Item = u8>) -> u32 {
    let start = number(bytes.len());
    bytes.extend(part);
    bytes.resize(align_up(bytes.len()).expect("a small batch"), 0);
    start
}

fn number(number: usize) -> u32 {
    u32::try_from(number).expect("a small batch")
}

fn put(bytes: &mut [u8], at: usize, value: usize) {
    bytes[at..at + 4].copy_from_slice(&number(value).to_le_bytes());
}
