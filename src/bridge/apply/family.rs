//! Parents and children as they will be when a run's commands are carried out.
//!
//! Bevy despawns what hangs on an entity by recursion, one call on the stack for each level, and its hierarchies must not
//! go in circles. So neither comes to be: a chain of linked entities is at most [`MAX_LEVELS`] long.
#![expect(unsafe_code, reason = "reads relationships whose types are only known at run time")]

use std::collections::HashMap;

use bevy_ecs::{
    component::ComponentId,
    entity::{Entity, EntityHashMap, EntityHashSet},
    ptr::Ptr,
    relationship::RelationshipAccessor,
    world::World,
};

use crate::bridge::crossing::Owned;

/// The most levels from the topmost parent down.
const MAX_LEVELS: usize = 256;
/// The most entities that are looked at for one run's commands.
const MAX_STEPS: usize = 8_000_000;

/// Why a relationship is refused.
type Refused = &'static str;

const TOO_DEEP: Refused = "there would be too many levels of parents and children";

/// A relationship, such as `ChildOf`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relation {
    component: ComponentId,
    /// The place of the entity in a value.
    offset: usize,
    /// Whether what hangs on an entity is despawned with it.
    linked: bool,
    allows_itself: bool,
}

impl Relation {
    /// The relationship that a component is, if it is one.
    pub(super) fn of(world: &World, component: ComponentId) -> Option<Self> {
        match *world.components().get_info(component)?.relationship_accessor()? {
            RelationshipAccessor::Relationship {
                entity_field_offset: offset,
                linked_spawn: linked,
                allow_self_referential: allows_itself,
                ..
            } => Some(Self { component, offset, linked, allows_itself }),
            RelationshipAccessor::RelationshipTarget { .. } => None,
        }
    }

    /// The entity that a new value names, if it is a value of this component.
    pub(super) fn parent_in(&self, world: &World, value: &Owned) -> Option<Entity> {
        let Owned::Reflected(value) = value else { return None };
        let info = world.components().get_info(self.component)?;
        if info.type_id() != Some(value.as_any().type_id()) {
            return None;
        }
        // SAFETY: the value is one of this component, and is borrowed.
        Some(unsafe { self.read(Ptr::from(&**value)) })
    }

    /// Whether what hangs on an entity is despawned with it.
    pub(super) fn is_linked(&self) -> bool {
        self.linked
    }

    fn parent_of(&self, world: &World, entity: Entity) -> Option<Entity> {
        let value = world.get_by_id(entity, self.component)?;
        // SAFETY: the value is one of this component, and the World is only read.
        Some(unsafe { self.read(value) })
    }

    /// # Safety
    /// `value` is a value of this component that may be read.
    unsafe fn read(&self, value: Ptr) -> Entity {
        // SAFETY: Bevy states that offset as the place of the entity in values of this component.
        unsafe { *value.byte_add(self.offset).deref::<Entity>() }
    }
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// Relationships that change.
    parents: HashMap<(ComponentId, Entity), Option<Entity>>,
    /// What was hung on an entity, and may have been taken off again.
    children: EntityHashMap<Vec<(ComponentId, Entity)>>,
    steps: usize,
}

impl Family {
    /// Notes that `child` hangs on `parent` from now on.
    pub(super) fn adopt(
        &mut self,
        world: &World,
        relation: Relation,
        child: Entity,
        parent: Entity,
    ) -> Result<(), Refused> {
        if child == parent {
            if !relation.allows_itself {
                return Err("it would belong to itself");
            }
        } else if relation.linked {
            let above = self.levels_above(world, relation, child, parent)?;
            if above + self.levels_below(world, child)? > MAX_LEVELS {
                return Err(TOO_DEEP);
            }
        }
        self.parents.insert((relation.component, child), Some(parent));
        if relation.linked {
            self.children.entry(parent).or_default().push((relation.component, child));
        }
        Ok(())
    }

    /// Notes that an entity loses a component, which may be a relationship.
    pub(super) fn leave(&mut self, component: ComponentId, child: Entity) {
        self.parents.insert((component, child), None);
    }

    /// How many levels there are above a child of `parent`.
    fn levels_above(
        &mut self,
        world: &World,
        relation: Relation,
        child: Entity,
        parent: Entity,
    ) -> Result<usize, Refused> {
        let mut above = parent;
        for level in 1..=MAX_LEVELS {
            self.step(1)?;
            let changed = self.parents.get(&(relation.component, above)).copied();
            match changed.unwrap_or_else(|| relation.parent_of(world, above)) {
                Some(next) if next == child => return Err("it would be its own ancestor"),
                Some(next) if next != above => above = next,
                _ => return Ok(level),
            }
        }
        Err(TOO_DEEP)
    }

    /// How many levels there are from an entity down.
    fn levels_below(&mut self, world: &World, entity: Entity) -> Result<usize, Refused> {
        let mut level = vec![entity];
        for levels in 0..=MAX_LEVELS {
            let mut next = Vec::new();
            for entity in level {
                self.linked(world, entity, &mut next)?;
            }
            if next.is_empty() {
                return Ok(levels);
            }
            level = next;
        }
        Err(TOO_DEEP)
    }

    /// An entity and all that is despawned with it.
    pub(super) fn with_descendants(&mut self, world: &World, entity: Entity) -> Result<Vec<Entity>, Refused> {
        let mut found = Vec::new();
        self.linked(world, entity, &mut found)?;
        let mut all = vec![entity];
        // Nearly always nothing hangs on it.
        if found.is_empty() {
            return Ok(all);
        }
        let mut seen = EntityHashSet::from([entity]);
        let mut at = 1;
        all.extend(found.drain(..).filter(|entity| seen.insert(*entity)));
        while let Some(entity) = all.get(at).copied() {
            self.linked(world, entity, &mut found)?;
            all.extend(found.drain(..).filter(|entity| seen.insert(*entity)));
            at += 1;
        }
        Ok(all)
    }

    /// Adds what hangs on an entity and is despawned with it.
    fn linked(&mut self, world: &World, entity: Entity, out: &mut Vec<Entity>) -> Result<(), Refused> {
        let before = out.len();
        if let Ok(there) = world.get_entity(entity) {
            for component in there.archetype().components() {
                let info = world.components().get_info(*component);
                let accessor = info.and_then(|info| info.relationship_accessor());
                let Some(RelationshipAccessor::RelationshipTarget { iter, linked_spawn: true, relationship, .. }) =
                    accessor
                else {
                    continue;
                };
                let Some(value) = world.get_by_id(entity, *component) else { continue };
                // SAFETY: the value is one of the component that the function belongs to.
                let children = unsafe { iter(value) };
                // Those whose parent changes are gone, or noted below.
                out.extend(children.filter(|child| !self.parents.contains_key(&(*relationship, *child))));
            }
        }
        let noted = self.children.get(&entity).into_iter().flatten();
        let still = noted.filter(|(relation, child)| self.parents.get(&(*relation, *child)) == Some(&Some(entity)));
        out.extend(still.map(|(_, child)| *child));
        self.step(1 + out.len() - before)
    }

    fn step(&mut self, steps: usize) -> Result<(), Refused> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS { Err("its commands move too many entities about") } else { Ok(()) }
    }
}
