//! The files that may hold mods, and whether any of them is on its way. What happens to them is not known here.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use crate::lifecycle::registry::{FileRecord, Stage};

/// The mods' files, by their names as they are shown.
///
/// Most of the time nothing happens to any of them, and there may be hundreds. So it is kept whether one may be on its way:
/// whoever borrows them to change them says so by that, and the frame boundary looks whether all have come to rest.
#[derive(Debug, Default)]
pub(crate) struct Files {
    by_name: BTreeMap<String, FileRecord>,
    may_move: bool,
}

impl Files {
    /// Whether one may be on its way.
    pub(crate) fn may_move(&self) -> bool {
        self.may_move
    }

    /// Looks whether all have come to rest, so that there is nothing to do for them until one is changed.
    pub(crate) fn settle_down(&mut self) {
        let rests = |file: &FileRecord| {
            !file.reading && matches!(file.stage, Stage::Waiting(_) | Stage::Refused | Stage::Settled)
        };
        self.may_move = !self.by_name.values().all(rests);
    }
}

impl Deref for Files {
    type Target = BTreeMap<String, FileRecord>;

    fn deref(&self) -> &Self::Target {
        &self.by_name
    }
}

impl DerefMut for Files {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.may_move = true;
        &mut self.by_name
    }
}
