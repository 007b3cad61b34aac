//! The components and resources of the games in these tests.

use bevy::{
    prelude::{Component, Entity, Reflect, Resource},
    reflect::std_traits::ReflectDefault,
};

/// One number.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Default)]
pub(crate) struct Health {
    pub(crate) value: f32,
}

/// Rows of varying size.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(crate) struct Lettering {
    pub(crate) text: String,
    pub(crate) tags: Vec<String>,
}

/// Padding in memory, none on the wire.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(crate) struct Mixed {
    pub(crate) flag: bool,
    pub(crate) level: u8,
    pub(crate) weight: f64,
}

/// In a sparse set, with a leaf that has invalid bit patterns.
#[derive(Component, Reflect, Debug, Clone, PartialEq)]
#[component(storage = "SparseSet")]
pub(crate) struct Target {
    pub(crate) entity: Entity,
    pub(crate) since: std::time::Duration,
}

/// A marker.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(crate) struct Frozen;

/// May not be written.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[component(immutable)]
pub(crate) struct Rank {
    pub(crate) value: u32,
}

/// Never used unless a test does.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(crate) struct Unmet {
    pub(crate) value: f32,
}

/// Two types of one short path.
pub(crate) mod twin {
    use bevy::prelude::{Component, Reflect};

    #[derive(Component, Reflect, Debug, Default)]
    pub(crate) struct Frozen;
}

/// A resource.
#[derive(Resource, Reflect, Debug, Default, Clone, PartialEq)]
pub(crate) struct Score {
    pub(crate) points: u64,
}
