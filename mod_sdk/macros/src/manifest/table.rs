//! Tables of a Cargo.toml, read with every mistake noted at its line. What the keys mean is not known here.

use std::ops::Range;

use mod_abi::Identity;
use toml::de::{DeTable, DeValue};

use super::Problem;
use crate::nearest::nearest;

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t str,
    pub(super) value: &'t DeValue<'t>,
    /// Where the key stands in the file.
    pub(super) place: Range<usize>,
    /// The key with the tables that it stands in, for messages.
    pub(super) name: String,
}

/// The text of a file, and what is wrong with it.
pub(super) struct Reader<'f> {
    text: &'f str,
    problems: Vec<Problem>,
}

impl<'f> Reader<'f> {
    pub(super) fn new(text: &'f str) -> Self {
        Self { text, problems: Vec::new() }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes what is wrong at `place`.
    pub(super) fn problem(&mut self, place: Range<usize>, message: impl std::fmt::Display) {
        self.add(&place, &message, false);
    }

    /// Notes what functions cannot be compiled with.
    pub(super) fn problem_of_functions(&mut self, place: Range<usize>, message: impl std::fmt::Display) {
        self.add(&place, &message, true);
    }

    fn add(&mut self, place: &Range<usize>, message: &dyn std::fmt::Display, is_of_functions: bool) {
        let line = self.text.bytes().take(place.start).filter(|byte| *byte == b'\n').count() + 1;
        self.problems.push(Problem { text: format!("Cargo.toml:{line}: {message}"), is_of_functions });
    }

    /// All entries of a table in the order of the file, whatever their names.
    pub(super) fn all<'t>(&self, table: &'t DeTable<'t>, name: &str) -> Vec<Entry<'t>> {
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref(),
                value: value.get_ref(),
                place: key.span(),
                name: format!("{name}.{}", key.get_ref()),
            })
            .collect();
        entries.sort_by_key(|entry| entry.place.start);
        entries
    }

    /// The entries of a table that has no other keys than these.
    pub(super) fn entries<'t>(&mut self, table: &'t DeTable<'t>, name: &str, known: &[&str]) -> Vec<Entry<'t>> {
        let (entries, unknown): (Vec<_>, Vec<_>) =
            self.all(table, name).into_iter().partition(|entry| known.contains(&entry.key));
        for Entry { key, place, .. } in unknown {
            let hint = nearest(key, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let keys = known.join("`, `");
            self.problem(place, format!("`{name}` has no key `{key}`{hint} (the keys are `{keys}`)"));
        }
        entries
    }

    /// The table in an entry.
    pub(super) fn table<'t>(&mut self, entry: &Entry<'t>) -> Option<&'t DeTable<'t>> {
        let table = entry.value.as_table();
        if table.is_none() {
            self.problem(entry.place.clone(), format!("`{}` should be a table", entry.name));
        }
        table
    }

    /// The text in an entry.
    pub(super) fn text(&mut self, entry: &Entry<'_>) -> Option<String> {
        let text = entry.value.as_str().map(str::to_owned);
        if text.is_none() {
            self.problem(entry.place.clone(), format!("`{}` should be a text", entry.name));
        }
        text
    }

    /// The texts in an entry, each with its place.
    pub(super) fn texts(&mut self, entry: &Entry<'_>) -> Vec<(String, Range<usize>)> {
        let Some(items) = entry.value.as_array() else {
            self.problem(entry.place.clone(), format!("`{}` should be a list of texts", entry.name));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => self.problem(item.span(), format!("`{}` should be a list of texts", entry.name)),
            }
        }
        texts
    }

    /// The truth in an entry.
    pub(super) fn truth(&mut self, entry: &Entry<'_>) -> Option<bool> {
        let truth = entry.value.as_bool();
        if truth.is_none() {
            self.problem(entry.place.clone(), format!("`{}` should be `true` or `false`", entry.name));
        }
        truth
    }

    /// The id in an entry.
    pub(super) fn id(&mut self, entry: &Entry<'_>) -> Option<String> {
        let id = self.text(entry)?;
        self.checked_id(&id, entry.place.clone()).then_some(id)
    }

    /// Whether a text can be an id.
    pub(super) fn checked_id(&mut self, id: &str, place: Range<usize>) -> bool {
        let is_id = Identity::from_file_name(id).is_ok();
        if !is_id {
            self.problem(place, format!("{id:?} should be 1 to 64 ASCII letters, digits, `_` or `-`"));
        }
        is_id
    }
}
