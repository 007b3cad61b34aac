//! What the mod tells the game about itself.

use std::{collections::HashSet, iter};

use mod_abi::describe::{ModDescription, SystemDesc, TypeDesc, TypeIndex};

use crate::{
    app::{App, Scheduled},
    config::Order,
    reflect::Reflect,
};

/// The types that a mod mirrors, each stated once.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Types(Vec<TypeDesc>);

impl Types {
    /// The index of `T`, which the game knows as `path`.
    pub(crate) fn index<T: Reflect>(&mut self, path: &str) -> TypeIndex {
        let ty = TypeDesc { path: path.to_owned(), schema: T::schema() };
        let index = self.0.iter().position(|known| *known == ty).unwrap_or_else(|| {
            self.0.push(ty);
            self.0.len() - 1
        });
        index as TypeIndex
    }

    /// The path of a type.
    pub(crate) fn path(&self, index: TypeIndex) -> &str {
        &self.0[index as usize].path
    }

    pub(crate) fn into_inner(self) -> Vec<TypeDesc> {
        self.0
    }
}

/// The description of a mod. Its functions are left out: the game sees them in the module itself.
///
/// # Panics
/// When the order of the systems names one that is not there.
pub(crate) fn describe(app: &App) -> ModDescription {
    let mut types = Types::default();
    let mut names = HashSet::new();
    let mut systems: Vec<SystemDesc> = app
        .systems
        .iter()
        .map(|Scheduled { system, schedule, after }| SystemDesc {
            name: unique(&mut names, system.name()),
            schedule: (*schedule).to_owned(),
            params: system.params(&mut types),
            after: after.iter().map(|index| *index as u32).collect(),
        })
        .collect();
    for (range, order) in &app.orders {
        for index in range.clone() {
            for other in others(app, index, order) {
                let (earlier, later) = if order.after { (other, index) } else { (index, other) };
                systems[later].after.push(earlier as u32);
            }
        }
    }
    for system in &mut systems {
        system.after.sort_unstable();
        system.after.dedup();
    }
    ModDescription { types: types.into_inner(), systems, ..ModDescription::default() }
}

/// The systems that `order` means, as seen from the system `index`.
fn others(app: &App, index: usize, order: &Order) -> Vec<usize> {
    let this = &app.systems[index];
    let others: Vec<_> = (0..app.systems.len())
        .filter(|other| {
            *other != index
                && app.systems[*other].system.id == order.other
                && app.systems[*other].schedule == this.schedule
        })
        .collect();
    assert!(
        !others.is_empty(),
        "`{}` should run {} `{}`, but `{}` has no such system of this mod",
        this.system.path,
        if order.after { "after" } else { "before" },
        order.path,
        this.schedule,
    );
    others
}

/// `name`, or the first of `name_2`, `name_3`, ... that is not taken.
fn unique(taken: &mut HashSet<String>, name: String) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
    let free = iter::once(name.clone()).chain(numbered).find(|candidate| taken.insert(candidate.clone()));
    free.unwrap_or(name)
}
