//! Lines that a mod writes, on their way to the game's log. Who reads them is not known here.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

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

/// The log of one mod: only so many lines in a second, so that a mod cannot hide what others say, or fill a disk.
pub(crate) struct Log {
    sink: Arc<dyn LogSink>,
    most: u32,
    /// The second that runs, the lines of it so far, and those that were dropped.
    since: Instant,
    lines: u32,
    dropped: u64,
}

impl Log {
    pub(crate) fn new(sink: Arc<dyn LogSink>, most: u32) -> Self {
        Self { sink, most, since: Instant::now(), lines: 0, dropped: 0 }
    }

    /// Passes a line on, or drops it.
    pub(crate) fn line(&mut self, level: LogLevel, line: &str) {
        if self.since.elapsed() >= Duration::from_secs(1) {
            self.tell_dropped();
            self.since = Instant::now();
            self.lines = 0;
        }
        if self.lines < self.most {
            self.lines = self.lines.saturating_add(1);
            self.sink.log(level, line);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Says how many lines were dropped, if the second is over in which they were.
    pub(crate) fn begin_frame(&mut self) {
        if self.dropped > 0 && self.since.elapsed() >= Duration::from_secs(1) {
            self.tell_dropped();
        }
    }

    /// Whether lines were dropped of which nothing was said yet.
    pub(crate) fn has_dropped(&self) -> bool {
        self.dropped > 0
    }

    /// Says how many lines were dropped, if any were.
    pub(crate) fn tell_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let line = format!("[{dropped} lines dropped: it logs more than {} in a second]", self.most);
            self.sink.log(LogLevel::Warn, &line);
        }
    }
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
    pub(crate) fn push(&mut self, bytes: &[u8], log: &mut Log) {
        let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            for piece in line.chunks(MAX_BYTES) {
                if self.pending.len().saturating_add(piece.len()) > MAX_BYTES {
                    self.flush(log);
                }
                self.pending.extend_from_slice(piece);
            }
            if lines.peek().is_some() {
                self.pass_on(log);
            }
        }
    }

    /// Passes on what has no line break yet.
    pub(crate) fn flush(&mut self, log: &mut Log) {
        if !self.pending.is_empty() {
            self.pass_on(log);
        }
    }

    fn pass_on(&mut self, log: &mut Log) {
        log.line(self.level, &text::clean_bytes(&self.pending));
        self.pending.clear();
    }
}
