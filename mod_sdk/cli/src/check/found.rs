//! What a check has found, each once and in its order.

use std::collections::HashSet;

/// What stands in a mod's way, and what a file cannot tell.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<String>,
    notes: Vec<String>,
    seen: HashSet<String>,
}

impl Findings {
    /// Adds something for which the game would refuse the mod.
    pub(super) fn problem(&mut self, text: String) {
        if self.seen.insert(text.clone()) {
            self.problems.push(text);
        }
    }

    /// Adds something that is known only when both run.
    pub(super) fn note(&mut self, text: String) {
        if self.seen.insert(text.clone()) {
            self.notes.push(text);
        }
    }

    /// For what the game would refuse it.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What is not known.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }
}
