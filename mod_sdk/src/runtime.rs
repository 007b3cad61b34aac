//! The mod's systems, built once by its main function: they are described, and then run.

use mod_abi::describe::ModDescription;

use crate::{
    app::App,
    block::Batch,
    describe::{Types, describe},
    outbox::{self, Outbox},
};

/// The mod's systems, and what the last call has left.
#[derive(Debug)]
pub(crate) struct Runtime {
    app: App,
    outbox: Outbox,
}

impl Runtime {
    pub(crate) fn new(main: fn(&mut App)) -> Self {
        let mut app = App::new();
        main(&mut app);
        Self::of(app)
    }

    pub(crate) fn of(app: App) -> Self {
        Self { app, outbox: Outbox::default() }
    }

    /// Describes the mod. From then on, its types have the numbers that they have there.
    pub(crate) fn describe(&mut self) -> ModDescription<String> {
        self.outbox.types = Types::default();
        describe(&self.app, &mut self.outbox.types)
    }

    /// Runs the system or the observer that `batch` names, and returns its commands.
    pub(crate) fn run(&mut self, batch: Batch<'_>) -> &[u8] {
        let Self { app: App { systems, observers, .. }, outbox } = self;
        let (index, count) = (batch.system(), systems.len());
        let system = match index.checked_sub(count) {
            None => systems.get_mut(index).map(|scheduled| &mut scheduled.system),
            Some(index) => observers.get_mut(index).map(|observer| &mut observer.system),
        };
        match system {
            Some(system) => outbox::run(outbox, || system.run(batch)),
            None => panic!(
                "the game's batch is malformed: system {index} of {count}, behind which {} observers stand",
                observers.len()
            ),
        }
        outbox.bytes()
    }

    /// The commands of the last call.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }
}

#[cfg(test)]
mod tests;
