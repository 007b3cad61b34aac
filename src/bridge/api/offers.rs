//! What mods can do with a type of the game, and why not.

use std::sync::Arc;

use bevy_ecs::{
    reflect::{ReflectEvent, ReflectMessage},
    world::World,
};
use bevy_reflect::{ReflectFromReflect, TypeInfo, TypeRegistration, TypeRegistry, std_traits::ReflectDefault};
use mod_abi::MAX_DEPTH;
use mod_host::{ModAccess, OfferedType};

use crate::bridge::{
    grant::{Access, Permissions},
    messages::GameMessages,
    permit::{Permits, forbidden_to_send, is_resource},
    schema::schema_of,
    types::{BoundType, bind_whole},
};

/// Looks at types of one World.
pub(super) struct Offers<'a> {
    pub(super) world: &'a World,
    pub(super) permits: &'a Permits,
    pub(super) permissions: &'a Permissions,
    pub(super) registry: &'a TypeRegistry,
}

/// Whether mods can do something; if not, why.
type Verdict = Result<(), String>;

/// Not, if there is a reason.
fn unless(reason: Option<&str>) -> Verdict {
    reason.map_or(Ok(()), |reason| Err(reason.to_owned()))
}

impl Offers<'_> {
    /// A component, if the World knows the type as one.
    pub(super) fn component(&self, registration: &TypeRegistration) -> Option<OfferedType> {
        let ty = self.bound(registration).filter(|ty| !self.is_resource(ty))?;
        Some(self.data(registration, &ty, || unless(self.permits.forbidden_component(self.world, &ty))))
    }

    /// A resource, if the World knows the type as one.
    pub(super) fn resource(&self, registration: &TypeRegistration) -> Option<OfferedType> {
        let ty = self.bound(registration).filter(|ty| self.is_resource(ty))?;
        Some(self.data(registration, &ty, || unless(self.permits.forbidden_resource(self.world, &ty))))
    }

    /// A component or a resource. `may_change` says whether mods may insert and remove it.
    fn data(&self, registration: &TypeRegistration, ty: &BoundType, may_change: impl Fn() -> Verdict) -> OfferedType {
        let read = || self.granted(Access::Read, registration);
        let write = || self.granted(Access::Write, registration);
        offer(
            registration,
            [
                (ModAccess::Filter, read()),
                (ModAccess::Read, read().and_then(|()| self.crosses(registration))),
                (
                    ModAccess::Write,
                    unless(ty.read_only)
                        .and_then(|()| read())
                        .and_then(|()| write())
                        .and_then(|()| self.crosses(registration)),
                ),
                (ModAccess::Insert, may_change().and_then(|()| write()).and_then(|()| self.is_built(registration))),
                (ModAccess::Remove, may_change().and_then(|()| write()).and_then(|()| self.crosses(registration))),
            ],
        )
    }

    /// A message, if the game offers it to be read or its type says that it is one.
    pub(super) fn message(&self, registration: &TypeRegistration) -> Option<OfferedType> {
        let messages = self.world.get_resource::<GameMessages>();
        let is_read = messages.is_some_and(|messages| messages.offers(registration.type_id()));
        let is_written = registration.contains::<ReflectMessage>();
        if !is_read && !is_written {
            return None;
        }
        let info = registration.type_info();
        let short = info.type_path_table().short_path();
        let read = if is_read { Ok(()) } else { Err(format!("the game lacks `app.add_mod_message::<{short}>()`")) };
        let write = if is_written { Ok(()) } else { Err("its type lacks `#[reflect(Message)]`".to_owned()) };
        let forbidden = || unless(forbidden_to_send(info.type_path()));
        let (read, write) = (
            read.and_then(|()| self.granted(Access::Read, registration)),
            write.and_then(|()| forbidden()).and_then(|()| self.granted(Access::Send, registration)),
        );
        Some(offer(
            registration,
            [
                (ModAccess::Read, read.and_then(|()| self.crosses(registration))),
                (ModAccess::Write, write.and_then(|()| self.is_built(registration))),
            ],
        ))
    }

    /// An event, if its type says that it is one.
    pub(super) fn event(&self, registration: &TypeRegistration) -> Option<OfferedType> {
        registration.contains::<ReflectEvent>().then(|| {
            let read = self.granted(Access::Read, registration);
            let forbidden = unless(forbidden_to_send(registration.type_info().type_path()));
            let send = forbidden.and_then(|()| self.granted(Access::Send, registration));
            offer(
                registration,
                [
                    (ModAccess::Observe, read.and_then(|()| self.crosses(registration))),
                    (ModAccess::Trigger, send.and_then(|()| self.is_built(registration))),
                ],
            )
        })
    }

    /// Whether the game lets all mods do something with a type.
    fn granted(&self, access: Access, registration: &TypeRegistration) -> Verdict {
        let granted = self.permissions.allows(access, registration.type_info().type_path());
        if granted { Ok(()) } else { Err(format!("this game does not let all mods {} it", access.verb())) }
    }

    fn bound(&self, registration: &TypeRegistration) -> Option<Arc<BoundType>> {
        bind_whole(self.world, registration, self.registry)
    }

    fn is_resource(&self, ty: &BoundType) -> bool {
        let info = self.world.components().get_info(ty.component);
        info.is_some_and(|info| is_resource(self.world, info))
    }

    /// Whether values cross, or at least some of their fields.
    fn crosses(&self, registration: &TypeRegistration) -> Verdict {
        let info = registration.type_info();
        match schema_of(info, self.registry) {
            Err(reason) if !self.crosses_in_part(info, 0) => Err(reason.to_string()),
            _ => Ok(()),
        }
    }

    fn crosses_in_part(&self, info: &TypeInfo, depth: usize) -> bool {
        let part = |part: Option<&'static TypeInfo>| part.is_some_and(|part| self.crosses_in_part(part, depth + 1));
        if depth >= MAX_DEPTH {
            return false;
        }
        if schema_of(info, self.registry).is_ok() {
            return true;
        }
        match info {
            TypeInfo::Struct(info) => info.iter().any(|field| part(field.type_info())),
            // Of unnamed fields a mod names the first ones.
            TypeInfo::TupleStruct(info) => info.field_at(0).is_some_and(|field| part(field.type_info())),
            _ => false,
        }
    }

    /// Whether values can be made of what a mod sends.
    fn is_built(&self, registration: &TypeRegistration) -> Verdict {
        self.crosses(registration)?;
        let is_whole = schema_of(registration.type_info(), self.registry).is_ok();
        match is_whole {
            true if registration.contains::<ReflectFromReflect>() || registration.contains::<ReflectDefault>() => {
                Ok(())
            }
            false if registration.contains::<ReflectDefault>() => Ok(()),
            true => Err("its type lacks `FromReflect`, by which a value is built from its parts".to_owned()),
            false => Err("not all of it can cross, and its type lacks `#[reflect(Default)]` for the rest".to_owned()),
        }
    }
}

fn offer<const N: usize>(registration: &TypeRegistration, verdicts: [(ModAccess, Verdict); N]) -> OfferedType {
    let mut offer = OfferedType::default();
    registration.type_info().type_path().clone_into(&mut offer.path);
    for (access, verdict) in verdicts {
        match verdict {
            Ok(()) => offer.can.push(access),
            Err(reason) => {
                offer.cannot.insert(access, reason);
            }
        }
    }
    offer
}
