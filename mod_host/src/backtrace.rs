//! Where in its code a mod was when a call ended early: what the engine noted, as names and lines for people. What went
//! wrong is not known here.

use std::{fmt, sync::Arc};

use wasmtime::{FrameInfo, WasmBacktrace};

use crate::{lines::Lines, text};

/// The most frames that a backtrace holds.
const MAX_FRAMES: usize = 64;
/// What the engine is asked for: one more, to know whether there are others.
pub(crate) const ENGINE_FRAMES: usize = MAX_FRAMES + 1;
/// The most names in one line.
const MAX_NAMES: usize = 8;

/// The functions of a mod that were running when a call ended early, innermost first.
///
/// It has names if the module has a name section, which `strip = true` removes, and files and lines if it was built with
/// line tables (`debug = "line-tables-only"`). Shown it has several lines, like a backtrace of Rust:
///
/// ```text
///    0: orchard_wind::gust
///              at orchard_wind/src/lib.rs:31
///    1: orchard_wind::blow
///              at orchard_wind/src/lib.rs:24
/// ```
///
/// All of it is clean text: whatever the mod calls its functions and files, there are no control characters. At most
/// 64 frames are kept. Clones share them.
///
/// ```
/// use mod_host::{CallError, PluginError, WasmPluginBuilder};
///
/// # let module = wat::parse_str(r#"(module (memory (export "memory") 1)
/// #     (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 16)) (func (export "__free_buffer") (param i64))
/// #     (func $pick unreachable) (func $harvest (export "__harvest") (param i64) (result i64) (call $pick) (i64.const 0)))"#)?;
/// let mut plugin = WasmPluginBuilder::from_bytes("orchard", module).finish()?;
/// let Err(PluginError::Call(error)) = plugin.call_function::<()>("harvest") else { unreachable!() };
/// let backtrace = error.backtrace().ok_or("there is one")?;
/// assert_eq!(backtrace.frames()[0].function.as_deref(), Some("pick"));
/// assert_eq!(backtrace.to_string(), "   0: pick\n   1: harvest\n");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModBacktrace(Option<Arc<Frames>>);

#[derive(Debug, PartialEq, Eq)]
struct Frames {
    frames: Vec<StackFrame>,
    /// Whether there are more.
    cut: bool,
}

/// A function of a mod in the middle of a call, in a [`ModBacktrace`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackFrame {
    /// Its name, as its author wrote it, if the module has names.
    pub function: Option<String>,
    /// Its index in the module.
    pub index: u32,
    /// Where it was, if the module has line tables. In code of a library that was inlined, where the mod called it.
    pub location: Option<SourceLocation>,
    /// How often it stands here in a row, because it called itself.
    pub times: u32,
}

/// A line in the source code of a mod.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceLocation {
    /// The file, without the folders of whoever built the mod: `orchard_wind/src/lib.rs`, `glam-0.32.1/src/vec3.rs`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Whether the file is the mod's own, and not of the standard library or of a crate from elsewhere. Told by its path: what
    /// is built where the compiler runs has a relative one.
    pub own: bool,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl ModBacktrace {
    /// What the engine noted in an error. `lines` are those of the mod.
    pub(crate) fn of(error: &wasmtime::Error, lines: Option<&Lines>) -> Self {
        let noted = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
        let mut frames: Vec<StackFrame> = Vec::new();
        for info in noted.iter().take(MAX_FRAMES) {
            let frame = StackFrame::new(info, lines);
            match frames.last_mut() {
                Some(last) if last.index == frame.index && last.location == frame.location => {
                    last.times = last.times.saturating_add(1);
                }
                _ => frames.push(frame),
            }
        }
        let cut = noted.len() > MAX_FRAMES;
        Self((!frames.is_empty()).then(|| Arc::new(Frames { frames, cut })))
    }

    /// The frames, innermost first.
    #[must_use]
    pub fn frames(&self) -> &[StackFrame] {
        self.0.as_ref().map_or(&[], |frames| &frames.frames)
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether there were more frames than are kept. Those that are missing are the outermost.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.0.as_ref().is_some_and(|frames| frames.cut)
    }

    /// The line that tells most: the innermost one of the mod's own files, else the innermost that is known of a function
    /// outside of Rust's standard library and the SDK.
    #[must_use]
    pub fn location(&self) -> Option<&SourceLocation> {
        let own = self.frames().iter().find(|frame| frame.location.as_ref().is_some_and(|location| location.own));
        let other = || self.frames().iter().find(|frame| frame.location.is_some() && !frame.is_of_libraries());
        own.or_else(other).and_then(|frame| frame.location.as_ref())
    }

    /// In parentheses, to stand at the end of a line.
    pub(crate) fn in_brief(&self) -> InBrief<'_> {
        InBrief { frames: self.frames(), location: self.location() }
    }

    /// [`ModBacktrace::in_brief`] for an error whose text says where.
    pub(crate) fn names(&self) -> InBrief<'_> {
        InBrief { frames: self.frames(), location: None }
    }
}

impl StackFrame {
    fn new(info: &FrameInfo, lines: Option<&Lines>) -> Self {
        Self {
            function: info.func_name().map(text::demangled).filter(|name| !name.is_empty()),
            index: info.func_index(),
            location: lines.and_then(|lines| {
                let offset = info.module_offset()?;
                // The engine names the begin of a function that fails at once, where no line begins yet.
                lines.find(offset).or_else(|| if info.func_offset()? == 0 { lines.find_near(offset) } else { None })
            }),
            times: 1,
        }
    }

    fn name(&self) -> String {
        self.function.clone().unwrap_or_else(|| format!("function {}", self.index))
    }

    /// Whether it is of Rust's standard library or of the SDK, or the contract's own way in: what is around the code of every
    /// mod in Rust, and in the middle of every panic.
    fn is_of_libraries(&self) -> bool {
        let name = self.function.as_deref().unwrap_or_default();
        // `<alloc::vec::Vec<T> as ..>::..`
        let name = name.trim_start_matches(['<', '&']);
        let libraries = ["core::", "alloc::", "std::", "__rust", "rust_", "mod_sdk::", "mod_abi::", "__mod_"];
        libraries.iter().any(|start| name.starts_with(start))
    }
}

impl fmt::Display for ModBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, frame) in self.frames().iter().enumerate() {
            write!(f, "{place:4}: {}", frame.name())?;
            if frame.times > 1 {
                write!(f, " ({} times)", frame.times)?;
            }
            writeln!(f)?;
            if let Some(location) = &frame.location {
                writeln!(f, "             at {location}")?;
            }
        }
        if self.is_cut() { writeln!(f, "      ... and more that are not kept") } else { Ok(()) }
    }
}

/// ` (in pick < harvest, at src/lib.rs:3)`, or nothing.
pub(crate) struct InBrief<'a> {
    frames: &'a [StackFrame],
    location: Option<&'a SourceLocation>,
}

impl fmt::Display for InBrief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Functions of recursion stand once. Numbers alone tell nobody anything, nor does what all mods have.
        let mut names: Vec<String> = Vec::new();
        let frames = || self.frames.iter().filter(|frame| !frame.is_of_libraries());
        let is_named = frames().any(|frame| frame.function.is_some());
        for frame in frames().filter(|_| is_named) {
            let name = frame.name();
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
        let more = if names.len() > MAX_NAMES { " < ..." } else { "" };
        names.truncate(MAX_NAMES);
        match (names.is_empty(), self.location) {
            (true, None) => Ok(()),
            (true, Some(location)) => write!(f, " (at {location})"),
            (false, None) => write!(f, " (in {}{more})", names.join(" < ")),
            (false, Some(location)) => write!(f, " (in {}{more}, at {location})", names.join(" < ")),
        }
    }
}
