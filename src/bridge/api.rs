//! What this World offers to mods, found in its registry and in what the game has named: the parts of a [`GameApi`].
//!
//! Asks the rooms that decide for mods, and decides nothing itself. Must not know schedules, settings or files.

mod offers;
mod types;

use bevy_ecs::{
    reflect::{AppTypeRegistry, ReflectComponent},
    world::World,
};
use bevy_reflect::{TypeInfo, TypeRegistration, TypeRegistry};
use mod_abi::Schema;
use mod_host::{Codec, GameApi, HostFunctionDesc, OfferedFunction, OfferedSet, OfferedState, OutputDesc};

use self::{offers::Offers, types::Types};
use crate::bridge::{
    bind::order::ModSets,
    grant::{Access, Permissions},
    host::HostFunctions,
    permit::Permits,
    states::ModStates,
};

/// What a game lets its mods do.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    /// All of them.
    pub(crate) permissions: Permissions,
    /// Single ones.
    pub(crate) single: Vec<Permissions>,
}

impl Granted {
    /// Whether there may be a mod that may do something.
    fn to_some(&self, access: Access, path: &str) -> bool {
        std::iter::once(&self.permissions).chain(&self.single).any(|permissions| permissions.allows(access, path))
    }
}

/// All that is found in the World: everything but the game's identity and its schedules.
///
/// Components with `#[reflect(Component)]` are registered with the World if it has not met them, as they are when a mod
/// names them.
pub(crate) fn describe(world: &mut World, granted: &Granted) -> GameApi {
    let registry = world.get_resource_or_init::<AppTypeRegistry>().clone();
    meet_components(world, &registry.read());
    let permits = Permits::new(world);
    let registry = registry.read();
    let mut api = GameApi::default();
    let mut types = Types::new(&registry);

    let offers = Offers { world, permits: &permits, permissions: &granted.permissions, registry: &registry };
    for registration in by_path(&registry) {
        let info = registration.type_info();
        let lists = [
            offers.component(registration).map(|offer| (&mut api.components, offer)),
            offers.resource(registration).map(|offer| (&mut api.resources, offer)),
            offers.message(registration).map(|offer| (&mut api.messages, offer)),
            offers.event(registration).map(|offer| (&mut api.events, offer)),
        ];
        for (list, offer) in lists.into_iter().flatten() {
            list.push(offer);
            types.add(info);
        }
    }
    if let Some(states) = world.get_resource::<ModStates>() {
        let is_granted = |info: &TypeInfo| granted.to_some(Access::Read, info.type_path());
        for (info, values) in states.offered().filter(|(info, _)| is_granted(info)) {
            types.add(info);
            api.states.push(state(info, &values));
        }
    }
    let names = world.get_resource::<ModSets>().into_iter().flat_map(ModSets::names);
    api.sets.extend(names.map(|name| {
        let mut set = OfferedSet::default();
        name.clone_into(&mut set.name);
        set
    }));
    let functions = world.get_resource::<HostFunctions>().into_iter().flat_map(HostFunctions::of_game);
    let functions = functions.filter(|(desc, ..)| granted.to_some(Access::Call, &desc.name));
    api.functions.extend(functions.map(|(desc, takes, returns)| function(desc, takes, returns)));
    api.states.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    api.sets.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    api.functions.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    api.types = types.finish();
    api
}

/// In the order of their paths, so that each run of a game gives its components the same ids.
fn meet_components(world: &mut World, registry: &TypeRegistry) {
    for component in by_path(registry).filter_map(|registration| registration.data::<ReflectComponent>()) {
        component.register_component(world);
    }
}

/// The types that a path means, in the order of their paths.
fn by_path(registry: &TypeRegistry) -> impl Iterator<Item = &TypeRegistration> {
    let path = |registration: &TypeRegistration| registration.type_info().type_path();
    let mut all: Vec<_> = registry.iter().collect();
    all.sort_unstable_by_key(|registration| path(registration));
    // Two versions of one crate have types of one path.
    let is_meant = move |one: &&TypeRegistration| {
        registry.get_with_type_path(path(one)).is_some_and(|meant| meant.type_id() == one.type_id())
    };
    all.into_iter().filter(is_meant)
}

fn state(info: &TypeInfo, values: &[&str]) -> OfferedState {
    let mut state = OfferedState::default();
    info.type_path().clone_into(&mut state.path);
    state.values = values.iter().map(|value| (*value).to_owned()).collect();
    state
}

fn function(desc: &HostFunctionDesc, takes: &str, returns: OutputDesc) -> OfferedFunction {
    let mut function = OfferedFunction::default();
    function.name.clone_from(&desc.name);
    function.args = desc.signature.and_then(|signature| match signature(Codec::Bincode).args.as_slice() {
        // Several arguments are a tuple.
        [Some(Schema::Tuple(items))] if items.len() != 1 => items.iter().map(types::statable).collect(),
        args => args.iter().map(|arg| arg.as_ref().and_then(types::statable)).collect(),
    });
    function.takes = Some(takes.to_owned());
    function.returns = Some(returns.type_name.to_owned());
    function.ticket = returns.ticket;
    function
}
