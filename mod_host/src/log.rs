//! Lines that a mod writes, on their way to the game's log. Who reads them is not known here.

use mod_abi::names::LogLevel;

use crate::text::{self, MAX_BYTES};

/// Takes the lines that a mod logs: through `__log`, or through standard output and error under WASI.
///
/// Called in the middle of a call, from whichever thread makes it, so it should return soon and must not call the
/// same instance. [`WasmPluginBuilder::log`](crate::WasmPluginBuilder::log) takes a closure.
///
/// ```
/// use std::sync::Arc;
///
/// use mod_abi::names::LogLevel;
/// use mod_host::{InstanceConfig, LogSink};
///
/// struct Printer;
///
/// impl LogSink for Printer {
///     fn log(&self, level: LogLevel, line: &str) {
///         println!("{level:?}: {line}");
///     }
/// }
///
/// let mut config = InstanceConfig::default();
/// config.log = Arc::new(Printer);
/// ```
pub trait LogSink: Send + Sync {
    /// Takes one line. It has no control characters, no line breaks and at most about 4 KiB.
    fn log(&self, level: LogLevel, line: &str);
}

/// Drops all lines.
pub(crate) struct NoLog;

impl LogSink for NoLog {
    fn log(&self, _: LogLevel, _: &str) {}
}

/// Cuts a stream of bytes into lines.
pub(crate) struct LineBuffer {
    level: LogLevel,
    pending: Vec<u8>,
}

impl LineBuffer {
    pub(crate) const fn new(level: LogLevel) -> Self {
        Self { level, pending: Vec::new() }
    }

    /// Takes bytes and passes on the lines that they complete. A line that is too long is passed on in pieces.
    pub(crate) fn push(&mut self, bytes: &[u8], sink: &dyn LogSink) {
        let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            for piece in line.chunks(MAX_BYTES) {
                if self.pending.len().saturating_add(piece.len()) > MAX_BYTES {
                    self.flush(sink);
                }
                self.pending.extend_from_slice(piece);
            }
            if lines.peek().is_some() {
                self.pass_on(sink);
            }
        }
    }

    /// Passes on what has no line break yet.
    pub(crate) fn flush(&mut self, sink: &dyn LogSink) {
        if !self.pending.is_empty() {
            self.pass_on(sink);
        }
    }

    fn pass_on(&mut self, sink: &dyn LogSink) {
        sink.log(self.level, &text::clean_bytes(&self.pending));
        self.pending.clear();
    }
}
