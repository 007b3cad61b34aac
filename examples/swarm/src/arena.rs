//! The words that the game and its mods share: what a creature is, and what is around it. What happens with all of it is
//! up to the mods.
//!
//! Knows no window and no renderer, so that a test can play the game without them.

use bevy::{
    ecs::reflect::{ReflectComponent, ReflectResource},
    prelude::{App, Component, Reflect, Resource, Vec2, Vec3},
    reflect::std_traits::ReflectDefault,
};

/// A creature: what the game draws as one. Creatures of mods are no others.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component, Default)]
#[type_path = "swarm"]
pub(crate) struct Creature {
    /// Creatures of a family keep together.
    pub(crate) family: u32,
    /// How large it is drawn: 1 is usual.
    pub(crate) size: f32,
}

/// How fast it swims and where to, in pixels per second. The game only draws it; mods do the swimming.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component, Default)]
#[type_path = "swarm"]
pub(crate) struct Velocity(pub(crate) Vec2);

/// How it looks.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component, Default)]
#[type_path = "swarm"]
pub(crate) struct Tint {
    /// Red, green and blue, linear, from 0 to 1.
    pub(crate) color: Vec3,
    /// How bright it is: 1 is usual.
    pub(crate) glow: f32,
}

/// What creatures should flee from, when they see it from this far. Mods put it on, and mods flee.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component, Default)]
#[type_path = "swarm"]
pub(crate) struct Danger {
    /// In pixels.
    pub(crate) reach: f32,
}

/// What creatures should come to, when they see it from this far.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component, Default)]
#[type_path = "swarm"]
pub(crate) struct Lure {
    /// In pixels.
    pub(crate) reach: f32,
}

/// Where all this happens.
#[derive(Resource, Reflect, Debug, Clone, Copy)]
#[reflect(Resource, Default)]
#[type_path = "swarm"]
pub(crate) struct Arena {
    /// Half of its size, in pixels. Its middle is at zero.
    pub(crate) half: Vec2,
    /// How many creatures there should be.
    pub(crate) creatures: u32,
}

impl Default for Arena {
    fn default() -> Self {
        Self { half: Vec2::new(640.0, 360.0), creatures: 3000 }
    }
}

/// The weather, as a mod makes it. Without one it stays as it is.
#[derive(Resource, Reflect, Debug, Clone, Copy)]
#[reflect(Resource, Default)]
#[type_path = "swarm"]
pub(crate) struct Weather {
    /// Where the wind blows to, and how hard, in pixels per second.
    pub(crate) wind: Vec2,
    /// From 0 to 1.
    pub(crate) rain: f32,
    /// From 0 at night to 1 at noon.
    pub(crate) light: f32,
}

impl Default for Weather {
    fn default() -> Self {
        Self { wind: Vec2::ZERO, rain: 0.0, light: 0.8 }
    }
}

/// The mouse.
#[derive(Resource, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Resource, Default)]
#[type_path = "swarm"]
pub(crate) struct Pointer {
    /// In pixels from the middle of the arena, up is positive.
    pub(crate) at: Vec2,
    /// Whether it is over the window.
    pub(crate) is_there: bool,
    /// Whether its left button is held.
    pub(crate) is_down: bool,
}

/// Adds the arena with so many creatures to be.
pub(crate) fn plugin(creatures: u32) -> impl Fn(&mut App) {
    move |app| {
        app.insert_resource(Arena { creatures, ..Arena::default() })
            .init_resource::<Weather>()
            .init_resource::<Pointer>();
    }
}
