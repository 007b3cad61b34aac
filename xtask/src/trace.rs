//! A picture of a trace: `cargo xtask trace FILE` reads what `bevy/trace_chrome` has written and draws how mods were loaded and
//! what one frame did, because a picture in the documentation should be one that anybody can make again.

mod svg;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde::Deserialize;

use crate::files::{At, FileError};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TraceError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{file} is no trace: {source}")]
    Json { file: String, source: serde_json::Error },
    #[error("the trace has no {0}; it should be of a game with the features `trace` and `bevy/trace_chrome`")]
    Nothing(&'static str),
}

/// An event of a Chrome trace, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Event {
    ph: String,
    #[serde(default)]
    name: String,
    /// The module that opened the span.
    #[serde(default)]
    cat: String,
    #[serde(default)]
    tid: u64,
    /// In microseconds.
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    args: Arguments,
}

/// What an event says beside its name. The name of a thread is one.
#[derive(Debug, Default, Deserialize)]
struct Arguments {
    #[serde(default)]
    name: String,
}

/// A span that was opened and closed.
#[derive(Debug, Clone)]
struct Span {
    label: String,
    /// Whether it is one of this project's rooms.
    is_room: bool,
    thread: Arc<str>,
    depth: usize,
    /// In microseconds.
    start: f64,
    end: f64,
}

impl Span {
    fn length(&self) -> f64 {
        self.end - self.start
    }

    /// The name without fields.
    fn room(&self) -> &str {
        self.label.split(' ').next().unwrap_or_default()
    }

    fn is_within(&self, start: f64, end: f64) -> bool {
        self.end > start && self.start < end
    }
}

/// A stretch of time, and what it shows.
struct Panel {
    title: String,
    start: f64,
    end: f64,
}

/// Draws `file` into `out`, and returns what to tell.
pub(crate) fn draw(file: &Path, out: &Path) -> Result<Vec<String>, TraceError> {
    let text = fs::read_to_string(file).at(file)?;
    let json = |source| TraceError::Json { file: file.display().to_string(), source };
    // A game that was stopped has not closed the list.
    let events = serde_json::from_str(&text);
    let events = events.or_else(|_| serde_json::from_str(&format!("{}]", text.trim_end().trim_end_matches(','))));
    let spans = spans(events.map_err(json)?);
    let loading = loading(&spans)?;
    let frame = frame(&spans, loading.end)?;
    let panels = [loading, frame];
    fs::write(out, svg::draw(&spans, &panels)).at(out)?;
    Ok(panels.iter().map(|panel| panel.title.clone()).chain([format!("drawn to {}", out.display())]).collect())
}

/// The spans of all threads. Those that never ended are left out.
fn spans(mut events: Vec<Event>) -> Vec<Span> {
    events.sort_by(|a, b| a.ts.total_cmp(&b.ts));
    let names = events.iter().filter(|event| event.ph == "M" && event.name == "thread_name");
    let names: BTreeMap<u64, Arc<str>> = names.map(|event| (event.tid, event.args.name.as_str().into())).collect();
    let mut open: BTreeMap<u64, Vec<(String, String, f64)>> = BTreeMap::new();
    let mut spans = Vec::new();
    for Event { ph, name, cat, tid, ts, .. } in events {
        let stack = open.entry(tid).or_default();
        match ph.as_str() {
            "B" => stack.push((name, cat, ts)),
            "E" => {
                if let Some((name, cat, start)) = stack.pop() {
                    let is_room = ["bevy_wasm_mods", "mod_host"].iter().any(|ours| cat.starts_with(ours));
                    let thread = names.get(&tid).map_or_else(|| format!("thread {tid}").into(), Arc::clone);
                    spans.push(Span { label: label(&name), is_room, thread, depth: stack.len(), start, end: ts });
                }
            }
            _ => {}
        }
    }
    spans
}

/// A span's name and the values of its fields: `call orchard_wind blow`.
fn label(name: &str) -> String {
    // Bevy's log may have coloured the fields.
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let Some((room, fields)) = plain.split_once(": ") else { return plain };
    let fields = fields.strip_prefix("name=").filter(|name| !name.starts_with('"')).unwrap_or(fields);
    let values: Vec<_> = fields.split('"').skip(1).step_by(2).collect();
    if fields.is_empty() {
        room.to_owned()
    } else if values.is_empty() {
        format!("{room} {fields}")
    } else {
        format!("{room} {}", values.join(" "))
    }
}

/// From the first mod that is prepared until the last one that is installed after it.
fn loading(spans: &[Span]) -> Result<Panel, TraceError> {
    let of = |room: &'static str| spans.iter().filter(move |span| span.is_room && span.room() == room);
    let start = of("prepare").map(|span| span.start).min_by(f64::total_cmp).ok_or(TraceError::Nothing("`prepare`"))?;
    let end = of("install").map(|span| span.end).max_by(f64::total_cmp).ok_or(TraceError::Nothing("`install`"))?;
    let title = format!("Loading {} mods: {:.1} ms", of("install").count(), (end - start) / 1e3);
    Ok(Panel { title, start, end })
}

/// A usual frame after `since`: the one in the middle of those in which the most systems of mods ran.
fn frame(spans: &[Span], since: f64) -> Result<Panel, TraceError> {
    let is_system = |span: &&Span| span.is_room && span.room() == "system";
    let systems: Vec<&Span> = spans.iter().filter(is_system).collect();
    let frames = spans.iter().filter(|span| !span.is_room && span.label == "main app" && span.start > since);
    let counted =
        frames.map(|frame| (systems.iter().filter(|system| system.is_within(frame.start, frame.end)).count(), frame));
    let counted: Vec<_> = counted.collect();
    let most = counted.iter().map(|(count, _)| *count).max().ok_or(TraceError::Nothing("frame"))?;
    let mut best: Vec<_> = counted.into_iter().filter(|(count, _)| *count == most).map(|(_, frame)| frame).collect();
    best.sort_by(|a, b| a.length().total_cmp(&b.length()));
    let frame = best.get(best.len() / 2).ok_or(TraceError::Nothing("frame"))?;
    // The rest of the frame is the game's.
    let systems = systems.iter().filter(|system| system.is_within(frame.start, frame.end));
    let (start, end) =
        systems.fold((frame.end, frame.start), |(start, end), system| (start.min(system.start), end.max(system.end)));
    let (start, end) = ((start - 5.0).max(frame.start), (end + 5.0).min(frame.end));
    let title = format!("{most} systems of mods in a frame: {:.0} us of {:.0} us", end - start, frame.length());
    Ok(Panel { title, start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(ph: &str, name: &str, cat: &str, tid: u64, ts: f64) -> Event {
        let (ph, name, cat) = (ph.to_owned(), name.to_owned(), cat.to_owned());
        Event { ph, name, cat, tid, ts, args: Arguments::default() }
    }

    #[test]
    fn labels_have_no_colours_and_no_names_of_fields() {
        assert_eq!(label("schedule"), "schedule");
        assert_eq!(label("main app: "), "main app");
        assert_eq!(label("call: id=\"wind\" function=\"blow\""), "call wind blow");
        assert_eq!(label("call: \u{1b}[3mid\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"wind\""), "call wind");
        assert_eq!(label("schedule: name=Update"), "schedule Update");
    }

    #[test]
    fn spans_are_nested_by_thread() {
        let main = Event { args: Arguments { name: "main".to_owned() }, ..event("M", "thread_name", "", 1, 0.0) };
        let events = vec![
            main,
            event("B", "system: name=\"wind::blow\"", "bevy_wasm_mods::bridge", 1, 0.0),
            event("B", "schedule", "bevy_ecs", 2, 1.0),
            event("B", "call: id=\"wind\"", "mod_host::call", 1, 2.0),
            event("E", "", "", 1, 3.0),
            event("E", "", "", 2, 4.0),
            event("E", "", "", 1, 5.0),
            event("B", "never closed", "", 1, 6.0),
        ];
        let spans = spans(events);
        let seen: Vec<_> =
            spans.iter().map(|s| (s.label.as_str(), s.depth, &*s.thread, s.length(), s.is_room)).collect();
        let expected = [
            ("call wind", 1, "main", 1.0, true),
            ("schedule", 0, "thread 2", 3.0, false),
            ("system wind::blow", 0, "main", 5.0, true),
        ];
        assert_eq!(seen, expected);
    }
}
