//! Spans as a flame chart: a panel for each stretch of time, in it the threads, and in those a row for each depth.

use std::{collections::BTreeSet, fmt::Write};

use super::{Panel, Span};

const WIDTH: f64 = 1400.0;
const MARGIN: f64 = 12.0;
const ROW: f64 = 17.0;
const TITLE: f64 = 30.0;
const BETWEEN: f64 = 8.0;
/// The width of a letter, about.
const LETTER: f64 = 6.1;
/// What is narrower is not drawn, unless it is a room.
const NARROW: f64 = 0.6;

/// Rooms in the order of a mod's way, each with a colour.
const COLOURS: [(&str, &str); 19] = [
    ("noticed", "#c9c2f0"),
    ("identify", "#b5a9ee"),
    ("choose", "#a18fe8"),
    ("prepare", "#f5d7a1"),
    ("check", "#f3c26b"),
    ("compile", "#ee9f3c"),
    ("instance", "#e98b5b"),
    ("link", "#e2704a"),
    ("describe", "#d95d5d"),
    ("install", "#e9a8c4"),
    ("bind", "#dd7fa9"),
    ("hand_over", "#cf5f95"),
    ("system", "#b8dcf5"),
    ("gather", "#8fd0a5"),
    ("call", "#5aa9e6"),
    ("import", "#3f7fc1"),
    ("scatter", "#58b57c"),
    ("apply", "#e6cf4e"),
    ("fault", "#d7263d"),
];

pub(super) fn draw(spans: &[Span], panels: &[Panel]) -> String {
    let mut body = String::new();
    let mut top = MARGIN;
    for panel in panels {
        top = draw_panel(&mut body, spans, panel, top) + BETWEEN;
    }
    top = legend(&mut body, spans, panels, top);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top:.0}\" width=\"{WIDTH}\" \
         height=\"{top:.0}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"10\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// Draws a panel and returns where it ends.
fn draw_panel(body: &mut String, spans: &[Span], panel: &Panel, top: f64) -> f64 {
    let scale = (WIDTH - 2.0 * MARGIN) / (panel.end - panel.start);
    let place = |time: f64| MARGIN + (time.clamp(panel.start, panel.end) - panel.start) * scale;
    text(body, MARGIN, top + 14.0, &panel.title, "font-size=\"14\" font-weight=\"bold\"");
    let mut top = top + TITLE;
    let shown = |span: &&Span| {
        let width = place(span.end) - place(span.start);
        span.is_within(panel.start, panel.end) && (span.is_room || width >= NARROW)
    };
    let shown: Vec<&Span> = spans.iter().filter(shown).collect();
    let threads: BTreeSet<&str> = shown.iter().map(|span| &*span.thread).collect();
    // Threads without rooms tell nothing of mods.
    for thread in threads {
        let lane: Vec<_> = shown.iter().filter(|span| &*span.thread == thread).collect();
        if !lane.iter().any(|span| span.is_room) {
            continue;
        }
        text(body, MARGIN, top + 9.0, thread, "fill=\"#666\"");
        top += 13.0;
        // Rows in which nothing wide enough stands are left out.
        let rows: BTreeSet<usize> = lane.iter().map(|span| span.depth).collect();
        for (row, depth) in rows.iter().enumerate() {
            let y = top + row as f64 * ROW;
            for span in lane.iter().filter(|span| span.depth == *depth) {
                let (x, end) = (place(span.start), place(span.end));
                rect(body, x, y, (end - x).max(0.8), colour(span), &span.label, span.length());
            }
        }
        top += rows.len() as f64 * ROW + BETWEEN;
    }
    top
}

fn colour(span: &Span) -> &'static str {
    let room = COLOURS.iter().find(|(room, _)| *room == span.room());
    room.filter(|_| span.is_room).map_or(if span.is_room { "#d0b8a8" } else { "#e9e9e9" }, |(_, colour)| colour)
}

fn rect(body: &mut String, x: f64, y: f64, width: f64, fill: &str, label: &str, length: f64) {
    let height = ROW - 1.0;
    let _ = write!(
        body,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{fill}\" stroke=\"#fff\" \
         stroke-width=\"0.4\"><title>{}: {length:.1} us</title></rect>",
        escaped(label)
    );
    let letters = ((width - 5.0) / LETTER).max(0.0) as usize;
    if letters >= 4 {
        let shown: String = label.chars().take(letters).collect();
        text(body, x + 3.0, y + 12.0, &shown, "");
    }
    body.push('\n');
}

fn text(body: &mut String, x: f64, y: f64, shown: &str, style: &str) {
    let _ = write!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{}</text>", escaped(shown));
}

fn legend(body: &mut String, spans: &[Span], panels: &[Panel], top: f64) -> f64 {
    let is_shown = |span: &&Span| panels.iter().any(|panel| span.is_within(panel.start, panel.end));
    let rooms: BTreeSet<&str> = spans.iter().filter(|span| span.is_room).filter(is_shown).map(Span::room).collect();
    let known = COLOURS.iter().filter(|(room, _)| rooms.contains(room)).copied();
    let mut x = MARGIN;
    for (room, fill) in known.chain([("Bevy", "#e9e9e9")]) {
        let _ = write!(body, "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"12\" height=\"12\" fill=\"{fill}\"/>");
        text(body, x + 16.0, top + 10.0, room, "");
        x += 30.0 + room.len() as f64 * LETTER;
    }
    body.push('\n');
    top + 24.0
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
