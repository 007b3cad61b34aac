//! What the mod tells the game about itself.

use std::{collections::HashSet, iter};

use mod_abi::describe::{InitialResource, ModDescription, ObserverDesc, OrderDesc, OrderTarget, SystemDesc};

pub use crate::types::Types;
use crate::{
    app::{App, Scheduled},
    config::{Order, Target},
};

/// The description of a mod, whose types go into `types`.
///
/// # Panics
/// When the order of the systems names one that is not there.
pub(crate) fn describe(app: &App, types: &mut Types) -> ModDescription<String> {
    let mut names = HashSet::new();
    let mut systems: Vec<SystemDesc> = app
        .systems
        .iter()
        .map(|Scheduled { system, schedule, after, conditions }| SystemDesc {
            name: unique(&mut names, system.name()),
            schedule: schedule.clone(),
            params: system.params(types),
            order: after.iter().map(|index| OrderDesc::After(OrderTarget::System(*index as u32))).collect(),
            conditions: conditions.iter().map(|condition| condition.describe(types)).collect(),
        })
        .collect();
    for (range, order) in &app.orders {
        for index in range.clone() {
            add_order(app, &mut systems, index, order);
        }
    }
    let observers = app.observers.iter().map(|observer| ObserverDesc {
        name: unique(&mut names, observer.system.name()),
        event: (observer.event)(types),
        params: observer.system.params(types),
    });
    let observers = observers.collect();
    let resources = app
        .resources
        .iter()
        .map(|initial| InitialResource { ty: (initial.index)(types), value: initial.value.clone() });
    let resources = resources.collect();
    for index in &app.types {
        let _ = index(types);
    }
    ModDescription { types: types.describe(), systems, observers, resources }
}

/// Gives the system at `index` its place. Towards systems of the mod it is always the later one that states it.
fn add_order(app: &App, systems: &mut [SystemDesc], index: usize, order: &Order) {
    let mut add = |system: usize, order: OrderDesc| {
        if !systems[system].order.contains(&order) {
            systems[system].order.push(order);
        }
    };
    let target = match &order.target {
        Target::Function { .. } => {
            for other in others(app, index, order) {
                let (earlier, later) = if order.after { (other, index) } else { (index, other) };
                add(later, OrderDesc::After(OrderTarget::System(earlier as u32)));
            }
            return;
        }
        Target::Named(name) => OrderTarget::Named((*name).to_owned()),
        Target::Set(name) => OrderTarget::Set((*name).to_owned()),
    };
    add(index, if order.after { OrderDesc::After(target) } else { OrderDesc::Before(target) });
}

/// The systems of this mod that `order` means, as seen from the system `index`.
fn others(app: &App, index: usize, order: &Order) -> Vec<usize> {
    let Target::Function { id, path } = order.target else { return Vec::new() };
    let this = &app.systems[index];
    let others: Vec<_> = (0..app.systems.len())
        .filter(|other| {
            *other != index && app.systems[*other].system.id == id && app.systems[*other].schedule == this.schedule
        })
        .collect();
    assert!(
        !others.is_empty(),
        "`{}` should run {} `{path}`, but `{}` has no such system of this mod",
        this.system.path,
        if order.after { "after" } else { "before" },
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
