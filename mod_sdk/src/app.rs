//! The mod as its main function puts it together.

use std::ops::Range;

use crate::{
    config::{IntoScheduleConfigs, Node, Order},
    schedule::ScheduleLabel,
    system::BoxedSystem,
};

/// What a mod adds to the game. The function marked with [`#[mod_main]`](crate::mod_main) fills it.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # fn hello() {}
/// # fn drift() {}
/// # fn settle() {}
/// # fn report() {}
/// fn weather(app: &mut App) {
///     app.add_systems(Startup, hello).add_systems(Update, ((drift, settle).chain(), report.after(settle)));
/// }
/// # weather(&mut App::new());
/// ```
#[derive(Debug, Default)]
pub struct App {
    pub(crate) systems: Vec<Scheduled>,
    pub(crate) orders: Vec<(Range<usize>, Order)>,
}

/// A system with its place.
#[derive(Debug)]
pub(crate) struct Scheduled {
    pub(crate) system: BoxedSystem,
    pub(crate) schedule: &'static str,
    /// Indices of the systems that run earlier, as far as chains say so.
    pub(crate) after: Vec<usize>,
}

impl App {
    /// A mod that does nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds systems to one of the game's schedules.
    pub fn add_systems<Marker>(
        &mut self,
        schedule: impl ScheduleLabel,
        systems: impl IntoScheduleConfigs<Marker>,
    ) -> &mut Self {
        self.add(schedule.name(), systems.into_configs().0);
        self
    }

    /// Calls a function that adds a part of the mod.
    pub fn add_plugins(&mut self, plugin: impl FnOnce(&mut Self)) -> &mut Self {
        plugin(self);
        self
    }

    /// Adds the systems of a node and tells which they are.
    fn add(&mut self, schedule: &'static str, node: Node) -> Range<usize> {
        let start = self.systems.len();
        match node {
            Node::System(system) => self.systems.push(Scheduled { system, schedule, after: Vec::new() }),
            Node::Group { members, chained } => {
                let mut previous = start..start;
                for member in members {
                    let current = self.add(schedule, member);
                    if chained && !current.is_empty() {
                        self.systems[current.clone()].iter_mut().for_each(|later| later.after.extend(previous.clone()));
                        previous = current;
                    }
                }
            }
            Node::Ordered { inner, order } => {
                let range = self.add(schedule, *inner);
                self.orders.push((range, order));
            }
        }
        start..self.systems.len()
    }
}
