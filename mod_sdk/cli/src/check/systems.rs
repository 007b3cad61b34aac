//! Systems and observers: when they run, what they read and write, and their order.

use std::collections::HashSet;

use mod_abi::{
    Identity,
    describe::{ConditionTest, EventDesc, ModDescription, OrderDesc, OrderTarget, ParamDesc, SystemDesc},
};
use mod_host::{GameApi, ModAccess, nearest};

use super::{
    found::Findings,
    queries, states,
    types::{Kind, Types},
};

/// The most systems of one mod, and places in the order of one.
const MAX_SYSTEMS: usize = 1024;
/// The most parameters of one system.
const MAX_PARAMS: usize = 32;
/// The most conditions of one system.
const MAX_CONDITIONS: usize = 32;

pub(super) fn check(description: &ModDescription, identity: &Identity, api: &GameApi, findings: &mut Findings) {
    let types = Types { api, description, identity };
    for (what, number) in [("systems", description.systems.len()), ("observers", description.observers.len())] {
        if number > MAX_SYSTEMS {
            findings.problem(format!("{number} {what} are more than the {MAX_SYSTEMS} that a mod may have"));
        }
    }
    let mut names = HashSet::new();
    for (index, system) in description.systems.iter().enumerate().take(MAX_SYSTEMS) {
        if named(&system.name, index, findings) {
            if !names.insert(&system.name) {
                findings
                    .problem(format!("two systems are called `{}`; each should have a name of its own", system.name));
            }
            check_system(system, &types, findings);
        }
    }
    if let Some(name) = circle(&description.systems) {
        findings
            .problem(format!("`{name}` should run after another system of the mod, which should itself run after it"));
    }
    for (index, observer) in description.observers.iter().enumerate().take(MAX_SYSTEMS) {
        let by = &observer.name;
        if !named(by, description.systems.len().saturating_add(index), findings) {
            continue;
        }
        let events = observer.params.iter().filter(|param| matches!(param, ParamDesc::Event)).count();
        if events != 1 || observer.params.first() != Some(&ParamDesc::Event) {
            findings
                .problem(format!("`{by}`: the event is the first parameter of every observer, and of nothing else"));
        }
        let (index, kind, access) = match observer.event {
            EventDesc::Event(index) => (index, Kind::Event, ModAccess::Observe),
            EventDesc::Add(index)
            | EventDesc::Insert(index)
            | EventDesc::Discard(index)
            | EventDesc::Remove(index)
            | EventDesc::Despawn(index) => (index, Kind::Component, ModAccess::Filter),
        };
        types.used(Some(by), index, kind, access, findings);
        check_params(by, &observer.params, &types, findings);
    }
}

fn named(name: &str, index: usize, findings: &mut Findings) -> bool {
    let is_name = is_name(name);
    if !is_name {
        findings.problem(format!(
            "system number {index} is called {name:?}; a name has 1 to 128 letters, digits, `_` or `:`"
        ));
    }
    is_name
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

fn check_system(system: &SystemDesc, types: &Types<'_>, findings: &mut Findings) {
    let by = &system.name;
    if let Err(problem) = states::schedule(&system.schedule, types.api) {
        findings.problem(format!("`{by}`: {problem}"));
    }
    if system.conditions.len() > MAX_CONDITIONS {
        let number = system.conditions.len();
        findings
            .problem(format!("`{by}`: {number} run conditions are more than the {MAX_CONDITIONS} that a mod may have"));
    }
    for condition in system.conditions.iter().take(MAX_CONDITIONS) {
        match &condition.test {
            ConditionTest::InState(value) => {
                if let Err(problem) = states::find(value, types.api) {
                    findings.problem(format!("`{by}`: a run condition cannot be tested: {problem}"));
                }
            }
            ConditionTest::ResourceExists(index) => {
                types.used(Some(by), *index, Kind::Resource, ModAccess::Filter, findings);
            }
            ConditionTest::OnTimer(_) => {}
        }
    }
    if system.order.len() > MAX_SYSTEMS {
        let number = system.order.len();
        findings.problem(format!(
            "`{by}`: {number} places in its order are more than the {MAX_SYSTEMS} that a mod may have"
        ));
    }
    for order in system.order.iter().take(MAX_SYSTEMS) {
        check_order(system, order, types, findings);
    }
    if system.params.contains(&ParamDesc::Event) {
        findings.problem(format!("`{by}`: the event is the first parameter of every observer, and of nothing else"));
    }
    check_params(by, &system.params, types, findings);
}

fn check_order(system: &SystemDesc, order: &OrderDesc, types: &Types<'_>, findings: &mut Findings) {
    let by = &system.name;
    let (direction, target) = match order {
        OrderDesc::After(target) => ("after", target),
        OrderDesc::Before(target) => ("before", target),
    };
    match target {
        OrderTarget::System(index) => {
            let systems = &types.description.systems;
            let other = usize::try_from(*index).ok().and_then(|index| systems.get(index));
            let reason = match other {
                None => "does not exist",
                Some(other) if other.schedule != system.schedule => "runs in another schedule",
                Some(_) => return,
            };
            findings.problem(format!("`{by}` should run {direction} system number {index}, which {reason}"));
        }
        OrderTarget::Named(name) => {
            let is_well_formed = |(id, system): (&str, &str)| Identity::from_file_name(id).is_ok() && is_name(system);
            if !name.split_once("::").is_some_and(is_well_formed) {
                findings.problem(format!(
                    "`{by}` should run {direction} {name:?}, which is no name of a system: it should be a mod's id, `::`, and a name"
                ));
            }
        }
        OrderTarget::Set(name) => {
            let sets = || types.api.sets.iter().map(|set| set.name.as_str());
            if !sets().any(|set| set == name) {
                let near = nearest(name, sets()).map(|near| format!(" (it offers `{near}`)")).unwrap_or_default();
                findings.problem(format!(
                    "`{by}` should run {direction} the set `{name}`, which this game does not offer to mods{near}"
                ));
            }
        }
    }
}

fn check_params(by: &str, params: &[ParamDesc], types: &Types<'_>, findings: &mut Findings) {
    if params.len() > MAX_PARAMS {
        findings
            .problem(format!("`{by}`: {} parameters are more than the {MAX_PARAMS} that a mod may have", params.len()));
    }
    let params = params.get(..MAX_PARAMS).unwrap_or(params);
    for param in params {
        let (index, kind, access) = match param {
            ParamDesc::Query(query) => {
                queries::check(by, query, types, findings);
                continue;
            }
            ParamDesc::Resource(of) | ParamDesc::OptionalResource(of) => {
                (of.ty, Kind::Resource, if of.write { ModAccess::Write } else { ModAccess::Read })
            }
            ParamDesc::MessageReader(index) => (*index, Kind::Message, ModAccess::Read),
            ParamDesc::MessageWriter(index) => (*index, Kind::Message, ModAccess::Write),
            ParamDesc::Commands => {
                findings.note("what its commands spawn, insert, remove and trigger".to_owned());
                continue;
            }
            ParamDesc::World => {
                findings.note("what it asks the World for".to_owned());
                continue;
            }
            ParamDesc::Event => continue,
        };
        types.used(Some(by), index, kind, access, findings);
    }
    queries::check_aliasing(by, params, types, findings);
}

/// A system of a mod that should run after itself, by whatever way.
fn circle(systems: &[SystemDesc]) -> Option<&str> {
    let mut waits_for: Vec<HashSet<usize>> = vec![HashSet::new(); systems.len()];
    for (index, system) in systems.iter().enumerate() {
        for order in system.order.iter().take(MAX_SYSTEMS) {
            let (OrderDesc::After(target) | OrderDesc::Before(target)) = order;
            let OrderTarget::System(other) = target else { continue };
            let Some(other) = usize::try_from(*other).ok().filter(|other| *other < systems.len()) else { continue };
            let (first, second) = if matches!(order, OrderDesc::Before(_)) { (index, other) } else { (other, index) };
            waits_for.get_mut(second)?.insert(first);
        }
    }
    let mut done: HashSet<usize> = HashSet::new();
    loop {
        let ready: Vec<_> = (0..systems.len())
            .filter(|system| {
                !done.contains(system) && waits_for.get(*system).is_some_and(|waits| waits.is_subset(&done))
            })
            .collect();
        if ready.is_empty() {
            let left = (0..systems.len()).find(|system| !done.contains(system))?;
            return systems.get(left).map(|system| system.name.as_str());
        }
        done.extend(ready);
    }
}
