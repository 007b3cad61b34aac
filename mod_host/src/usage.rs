//! What an instance did since somebody last asked. Plain numbers, added where the work is done anyway; who asks, and what for, is
//! not known here.

use std::time::Duration;

/// What an instance did since [`Instance::take_usage`](crate::Instance::take_usage) was last called.
///
/// ```
/// # use mod_host::{CompiledMod, HostEngine, Instance, InstanceConfig, Limits, NoHostCalls};
/// # let bytes = std::fs::read("examples/greeter.wasm")?;
/// # let greeter = CompiledMod::new(&HostEngine::shared()?, &bytes, "greeter", &Limits::default())?;
/// # let mut config = InstanceConfig::default();
/// # config.host_functions = ["announce".into()].into();
/// let mut instance = Instance::new(&greeter, config)?;
/// instance.take_usage();
/// let _: Vec<f64> = instance.call("double", &[1.5, 21.0].as_slice(), &mut NoHostCalls)?;
/// let usage = instance.take_usage();
/// assert_eq!(usage.calls, 1);
/// assert!(usage.bytes_in >= 16 && usage.bytes_out >= 16);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The time of its calls, and what else was [spent](crate::Instance::spend) on it. Calls that another mod makes are in
    /// that mod's time, unless they were stopped for their time.
    pub time: Duration,
    /// Calls into the mod, whoever makes them. Its allocator is not counted.
    pub calls: u64,
    /// Bytes that were copied into its memory: batches, arguments, and results of its imports.
    pub bytes_in: u64,
    /// Bytes that were copied out of its memory: results, arguments of its imports, and what the host says that it
    /// [took](crate::Instance::count_taken). What it logs, and what it reads and writes in files, is not counted.
    pub bytes_out: u64,
}

impl Usage {
    pub(crate) fn add_call(&mut self) {
        self.calls = self.calls.saturating_add(1);
    }

    pub(crate) fn add_in(&mut self, bytes: usize) {
        self.bytes_in = self.bytes_in.saturating_add(count(bytes));
    }

    pub(crate) fn add_out(&mut self, bytes: usize) {
        self.bytes_out = self.bytes_out.saturating_add(count(bytes));
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
