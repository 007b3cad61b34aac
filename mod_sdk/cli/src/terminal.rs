//! Everything that people read: lines, warnings and what turns while something takes its time. The only place that prints.
//!
//! Mods are written by strangers, so text of theirs goes through [`visible`] on its way.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mod_host::ModAccess;

/// How long something may take before it is shown that it goes on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Prints a line. One that nobody reads any more is no error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a text as it is.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a warning.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "warning: {text}");
}

/// Prints an error.
pub(crate) fn error(text: &str) {
    let _ = writeln!(io::stderr(), "error: {text}");
}

/// Shows that something goes on, from a second after its start until it is dropped, and on terminals alone.
#[derive(Debug)]
pub(crate) struct Spinner {
    bar: ProgressBar,
    /// Dropped to say that it is over.
    _over: Sender<()>,
}

/// Begins something that may take a while.
pub(crate) fn spinner(what: &str) -> Spinner {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style());
    bar.set_message(what.to_owned());
    let (over, is_over) = mpsc::channel::<()>();
    let shown = bar.clone();
    thread::spawn(move || {
        if is_over.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Standard error, if it is a terminal.
            shown.set_draw_target(ProgressDrawTarget::stderr());
            shown.enable_steady_tick(Duration::from_millis(100));
        }
    });
    Spinner { bar, _over: over }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} ({elapsed})").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Whether a terminal would obey it, or it would hide or turn what stands beside it.
fn is_unseen(c: char) -> bool {
    let hides = matches!(
        c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    c.is_control() || hides
}

/// `text` on one line, with everything escaped that is not seen.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The same for a text of JSON, in its own escapes. Its lines stay.
pub(crate) fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unseen(c) {
            // All of these are below U+10000.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// A number of bytes for people.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// A number of things: `1 system`, `3 systems`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// The verb for an access, as in "mods cannot `read` it".
pub(crate) fn verb(access: ModAccess) -> &'static str {
    match access {
        ModAccess::Filter => "ask about",
        ModAccess::Read => "read",
        ModAccess::Write => "write",
        ModAccess::Insert => "insert",
        ModAccess::Remove => "remove",
        ModAccess::Observe => "observe",
        ModAccess::Trigger => "trigger",
        _ => "use",
    }
}

#[cfg(test)]
mod tests {
    use super::{count, size, visible, visible_json};

    #[test]
    fn nothing_of_a_text_reaches_the_terminal_as_a_command() {
        for (text, expected) in [
            ("plain grüße 🦀", "plain grüße 🦀"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("two\nlines", "two\\nlines"),
            ("a\u{202e}b\u{9b}c", "a\\u{202e}b\\u{9b}c"),
        ] {
            assert_eq!(visible(text), expected);
        }
        let json = visible_json("{\n \"a\": \"\u{9b}\u{202e}\"\n}");
        assert_eq!(json, "{\n \"a\": \"\\u009b\\u202e\"\n}");
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!([size(12), size(54_497), size(3 << 20)], ["12 bytes", "53.2 KiB", "3.0 MiB"]);
        assert_eq!([count(1, "system"), count(0, "system")], ["1 system", "0 systems"]);
    }
}
