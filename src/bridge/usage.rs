//! What a mod used: counted where it is used, and taken at the frame boundary. Who takes it, and who looks at it, is not known here.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use mod_host::Usage;

/// What a mod used in one frame, from one frame boundary ([`MaintainMods`](crate::MaintainMods)) to the next. All of its systems,
/// observers, start-up systems and hooks count, and what the game calls. What was done before the mod was installed, such as
/// compiling it, does not.
///
/// [`ModRegistry::usage`](crate::ModRegistry::usage) has that of the last frame.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn find_the_slowest(mods: Res<ModRegistry>) {
///     let used = mods.iter().filter_map(|info| Some((mods.usage(&info.id)?, info.id)));
///     if let Some((usage, id)) = used.max_by_key(|(usage, _)| usage.time) {
///         info!("{id} took {:?} for {} calls in the last frame", usage.time, usage.calls);
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModUsage {
    /// The time that its systems took: to gather their rows, to call the mod, to store what it wrote, and to carry out its
    /// commands. It also has the time of other mods that it calls.
    pub time: Duration,
    /// Calls into the mod: one for each run of a system or an observer, and those by name.
    pub calls: u64,
    /// Bytes that were copied into its memory: rows, arguments and answers.
    pub bytes_in: u64,
    /// Bytes that were copied out of its memory: rows that it wrote, commands, arguments and results.
    pub bytes_out: u64,
    /// Commands that were carried out for it.
    pub commands: u64,
    /// Times that it failed, or could not be loaded.
    pub faults: u64,
}

/// What a mod used since the last frame boundary. All of its versions and instances count together.
///
/// The numbers are shared, but not contended: the token in the access of a mod's systems keeps those apart who add.
#[derive(Debug, Default)]
pub(crate) struct UsageCounters {
    nanos: AtomicU64,
    calls: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    commands: AtomicU64,
    faults: AtomicU64,
}

impl UsageCounters {
    /// Adds what an instance did.
    pub(crate) fn add(&self, usage: Usage) {
        let Usage { time, calls, bytes_in, bytes_out, .. } = usage;
        add(&self.nanos, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        add(&self.calls, calls);
        add(&self.bytes_in, bytes_in);
        add(&self.bytes_out, bytes_out);
    }

    /// Adds commands that were carried out.
    pub(crate) fn add_commands(&self, commands: usize) {
        add(&self.commands, u64::try_from(commands).unwrap_or(u64::MAX));
    }

    /// Adds a fault.
    pub(crate) fn add_fault(&self) {
        add(&self.faults, 1);
    }

    /// Takes everything away. Nothing of the mod runs meanwhile.
    pub(crate) fn take(&self) -> ModUsage {
        let take = |number: &AtomicU64| {
            let value = number.load(Ordering::Relaxed);
            number.store(0, Ordering::Relaxed);
            value
        };
        ModUsage {
            time: Duration::from_nanos(take(&self.nanos)),
            calls: take(&self.calls),
            bytes_in: take(&self.bytes_in),
            bytes_out: take(&self.bytes_out),
            commands: take(&self.commands),
            faults: take(&self.faults),
        }
    }
}

/// Not `fetch_add`, which costs ten times as much: nobody else adds meanwhile.
fn add(number: &AtomicU64, amount: u64) {
    number.store(number.load(Ordering::Relaxed).saturating_add(amount), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_gone() {
        let counters = UsageCounters::default();
        counters.add_commands(2);
        counters.add_commands(3);
        counters.add_fault();
        assert_eq!(counters.take(), ModUsage { commands: 5, faults: 1, ..ModUsage::default() });
        assert_eq!(counters.take(), ModUsage::default());
    }
}
