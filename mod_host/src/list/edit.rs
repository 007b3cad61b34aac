//! Changes of the text. The library that reads it would also write it, but not always as it was: it drops carriage returns, and
//! puts dotted keys together. So what changes is cut out and put in, and nothing else is touched.

use std::ops::Range;

use toml_edit::{DocumentMut, InlineTable, Item, Key, RawString, Table, Value};

use super::ModList;

/// Where a value may stand, going down its path.
enum Place<'a> {
    /// It stands there.
    There(&'a Value),
    /// In an inline table, behind so many keys of the path.
    Inline(&'a InlineTable, usize),
    /// Nowhere yet. The last table that is there, behind so many keys; and the one of the last header, behind so many.
    Nowhere { table: &'a Table, depth: usize, header: usize },
}

impl ModList {
    /// Sets the value at a path. The shape of the document makes sure that there is a place.
    pub(super) fn set(&mut self, path: &[&str], value: &Value) -> bool {
        let text = &self.text;
        let place = find(&self.root, path);
        let changed = match place {
            Some(Place::There(old)) => old.span().and_then(|span| spliced(text, span, &bare(value.clone()))),
            Some(Place::Inline(table, depth)) => table
                .span()
                .zip(path.get(depth..))
                .and_then(|(span, rest)| with_inline(text, span, |inside| set_inside(inside, rest, value))),
            Some(Place::Nowhere { table, depth, header }) => insert(text, path, value, table, depth, header),
            None => None,
        };
        self.replace(changed)
    }

    /// Removes the value at a path.
    pub(super) fn remove(&mut self, path: &[&str]) -> bool {
        let text = &self.text;
        let changed = match find(&self.root, path) {
            Some(Place::There(value)) => value.span().and_then(|span| spliced(text, lines_of(text, span), "")),
            Some(Place::Inline(table, depth)) => table
                .span()
                .zip(path.get(depth..))
                .and_then(|(span, rest)| with_inline(text, span, |inside| remove_inside(inside, rest))),
            Some(Place::Nowhere { .. }) | None => None,
        };
        self.replace(changed)
    }

    /// Takes the new text, if there is one and it can be read as the old one could.
    fn replace(&mut self, text: Option<String>) -> bool {
        // One that has become too large is refused when it is saved, where that can be told.
        let changed = text.and_then(|text| Self::parse(text).ok());
        debug_assert!(changed.is_some(), "a change has a place, and leaves a list that can be read");
        match changed {
            Some(changed) => {
                *self = changed;
                true
            }
            None => false,
        }
    }
}

fn find<'a>(root: &'a Table, path: &[&str]) -> Option<Place<'a>> {
    let (mut table, mut header) = (root, 0_usize);
    for (depth, key) in path.iter().enumerate() {
        let below = depth.saturating_add(1);
        let is_last = below == path.len();
        match table.get(key) {
            Some(Item::Table(next)) if !is_last => {
                table = next;
                if !next.is_dotted() {
                    header = below;
                }
            }
            Some(Item::Value(value)) if is_last => return Some(Place::There(value)),
            Some(Item::Value(Value::InlineTable(inline))) => return Some(Place::Inline(inline, below)),
            None | Some(Item::None) => return Some(Place::Nowhere { table, depth, header }),
            Some(_) => return None,
        }
    }
    None
}

fn insert(text: &str, path: &[&str], value: &Value, table: &Table, depth: usize, header: usize) -> Option<String> {
    let newline = if text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r')) { "\r\n" } else { "\n" };
    let value = bare(value.clone());
    if table.is_dotted() {
        // Tables of dotted keys have no header and may not get one. So it goes before the first line that makes this one.
        let at = line_start(text, first_key(table)?);
        let line = format!("{} = {value}{newline}", dotted(path.get(header..)?));
        return spliced(text, at..at, &line);
    }
    let (name, tables) = path.split_last()?;
    let name = Key::new(*name).to_string();
    if depth == tables.len() && !table.is_implicit() {
        let span = table.span()?;
        let rest = text.get(span.end..)?;
        let at = span.end.checked_add(rest.find('\n').map_or(rest.len(), |end| end.saturating_add(1)))?;
        let before = if text.get(..at)?.ends_with('\n') { "" } else { newline };
        return spliced(text, at..at, &format!("{before}{name} = {value}{newline}"));
    }
    let before = match text {
        "" => String::new(),
        _ if text.ends_with('\n') => newline.to_owned(),
        _ => newline.repeat(2),
    };
    Some(format!("{text}{before}[{}]{newline}{name} = {value}{newline}", dotted(tables)))
}

/// Where the first key of a table of dotted keys stands.
fn first_key(table: &Table) -> Option<usize> {
    let start = |(name, item): (&str, &Item)| match item {
        Item::Value(_) => table.key(name)?.span().map(|span| span.start),
        Item::Table(inner) if inner.is_dotted() => first_key(inner),
        _ => None,
    };
    table.iter().filter_map(start).min()
}

/// Changes an inline table. As a document of its own, it keeps all of its spaces and comments.
fn with_inline(text: &str, span: Range<usize>, change: impl FnOnce(&mut InlineTable) -> Option<()>) -> Option<String> {
    const KEY: &str = "it = ";
    let mut alone: DocumentMut = [KEY, text.get(span.clone())?].concat().parse().ok()?;
    change(alone.get_mut("it")?.as_inline_table_mut()?)?;
    let changed = alone.to_string();
    spliced(text, span, changed.strip_prefix(KEY)?.trim_end())
}

fn set_inside(table: &mut InlineTable, path: &[&str], value: &Value) -> Option<()> {
    let (name, rest) = path.split_first()?;
    if table.is_empty() && table.trailing().as_str().is_some_and(|inside| inside.trim().is_empty()) {
        table.set_trailing("");
    }
    if rest.is_empty() {
        // In its place, so that comments around it stay.
        if let Some(old) = table.get_mut(name) {
            let decor = old.decor().clone();
            *old = value.clone();
            *old.decor_mut() = decor;
        } else {
            table.insert(*name, value.clone());
        }
        return Some(());
    }
    if !table.contains_key(name) {
        table.insert(*name, InlineTable::new().into());
    }
    set_inside(table.get_mut(name)?.as_inline_table_mut()?, rest, value)
}

fn remove_inside(table: &mut InlineTable, path: &[&str]) -> Option<()> {
    let (name, rest) = path.split_first()?;
    if rest.is_empty() {
        let place = table.iter().position(|(key, _)| key == *name)?;
        let (key, _) = table.remove_entry(name)?;
        let before = key.leaf_decor().prefix().and_then(RawString::as_str).unwrap_or_default();
        if let Some((comments, _)) = before.rsplit_once('\n').filter(|(before, _)| before.contains('#')) {
            hand_on(table, place, comments);
        }
        return Some(());
    }
    remove_inside(table.get_mut(name)?.as_inline_table_mut()?, rest)
}

/// Gives comments above an entry that goes, or behind the one before it, to the next entry or to the end of the table.
fn hand_on(table: &mut InlineTable, place: usize, comments: &str) {
    let before = |rest: &str| {
        let newline = if rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n') { "" } else { "\n" };
        [comments, newline, rest].concat()
    };
    let next = table.iter().nth(place).map(|(key, _)| key.to_owned());
    if let Some(mut key) = next.and_then(|next| table.key_mut(&next)) {
        let prefix = before(key.leaf_decor().prefix().and_then(RawString::as_str).unwrap_or_default());
        key.leaf_decor_mut().set_prefix(prefix);
    } else {
        let trailing = before(table.trailing().as_str().unwrap_or_default());
        table.set_trailing(trailing);
    }
}

/// A value without what stands around it.
fn bare(mut value: Value) -> String {
    value.decor_mut().clear();
    value.to_string().trim().to_owned()
}

fn dotted(path: &[&str]) -> String {
    let keys: Vec<_> = path.iter().map(|key| Key::new(*key).to_string()).collect();
    keys.join(".")
}

/// The whole lines that hold a value with its key. They hold no other one.
fn lines_of(text: &str, value: Range<usize>) -> Range<usize> {
    let rest = text.get(value.end..).unwrap_or_default();
    let end = rest.find('\n').map_or(text.len(), |end| value.end.saturating_add(end).saturating_add(1));
    line_start(text, value.start)..end
}

/// A mark of the byte order belongs to no line.
fn line_start(text: &str, byte: usize) -> usize {
    let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    text.get(..byte).and_then(|before| before.rfind('\n')).map_or(first, |end| end.saturating_add(1))
}

fn spliced(text: &str, span: Range<usize>, new: &str) -> Option<String> {
    Some([text.get(..span.start)?, new, text.get(span.end..)?].concat())
}
