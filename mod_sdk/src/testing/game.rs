//! What the game knows of the rows of a test, and answers when the running system asks.

use std::cell::RefCell;

use mod_abi::names::NO_ROW;

use super::{TestRows, memory::map};

thread_local! {
    /// The parameters of the system that runs.
    static PARAMS: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
    /// How often the system has asked what changed.
    #[cfg(test)]
    pub(crate) static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// What is known of the rows of a parameter.
struct Known {
    /// Their entities, if the test has said whose they are.
    entities: Vec<u64>,
    /// For each column which rows changed and which were added.
    ticks: Vec<Vec<u8>>,
}

/// Makes these the parameters that the running system can ask about.
pub(super) fn play(params: &[TestRows]) {
    let known = params.iter().map(|rows| Known {
        entities: rows.entities.iter().map(|entity| entity.to_bits()).collect(),
        ticks: rows
            .columns
            .iter()
            .map(|column| {
                let present = |row: &usize| column.rows[*row].is_some();
                let added = column.added.iter().copied().filter(present);
                let changed = column.changed.iter().copied().filter(present);
                let mut maps = map(rows.len(), changed.chain(added.clone()));
                maps.extend(map(rows.len(), added));
                maps
            })
            .collect(),
    });
    PARAMS.set(known.collect());
}

/// The row of an entity in a parameter.
pub(crate) fn query_row(param: u32, entity: u64) -> u32 {
    PARAMS.with_borrow(|params| {
        let entities = &params[param as usize].entities;
        assert!(
            !entities.is_empty(),
            "a test of a system that looks for entities should say whose the rows are: `TestRows::entities`"
        );
        entities.iter().position(|other| *other == entity).map_or(NO_ROW, |row| row as u32)
    })
}

/// The rows of a column that changed and those that were added.
pub(crate) fn query_ticks(param: u32, column: u32) -> Vec<u8> {
    #[cfg(test)]
    ASKED.set(ASKED.get() + 1);
    PARAMS.with_borrow(|params| params[param as usize].ticks[column as usize].clone())
}
