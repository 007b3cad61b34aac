//! The mod's systems, built once by its main function: they are described, and then run.

use mod_abi::describe::ModDescription;

use crate::{app::App, block::Batch, describe::describe};

/// The mod's systems.
#[derive(Debug)]
pub(crate) struct Runtime(pub(crate) App);

impl Runtime {
    pub(crate) fn new(main: fn(&mut App)) -> Self {
        let mut app = App::new();
        main(&mut app);
        Self(app)
    }

    pub(crate) fn describe(&self) -> ModDescription {
        describe(&self.0)
    }

    /// Runs the system that `batch` names.
    pub(crate) fn run(&mut self, batch: Batch<'_>) {
        let systems = self.0.systems.len();
        match self.0.systems.get_mut(batch.system()) {
            Some(scheduled) => scheduled.system.run(batch),
            None => panic!("the game's batch is malformed: system {} of {systems}", batch.system()),
        }
    }
}

#[cfg(test)]
mod tests;
