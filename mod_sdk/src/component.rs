//! Which types of the game a mod mirrors, and under which names the game knows them.

use crate::Reflect;

/// A component of the game, as the mod knows it.
///
/// The path is the game's type path, or the short one where it is unambiguous; without the attribute it is the
/// struct's own name. The fields have to agree with the game's, which is checked when the mod is loaded.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Component, Clone, Copy)]
/// #[component(path = "orchard::Velocity")]
/// struct Velocity(Vec3);
///
/// #[derive(Component)]
/// struct Frozen;
/// # assert_eq!((Velocity::PATH, Frozen::PATH), ("orchard::Velocity", "Frozen"));
/// ```
///
/// Rows of numbers are used where they stand, without a copy, when the struct's memory is its bytes. Rust may reorder
/// the fields of a struct; `#[repr(C)]` keeps them in order, which is worth a thought for components that thousands of
/// entities have. Everything else is decoded, which is slower and otherwise the same.
pub trait Component: Reflect {
    /// The name of the type in the game.
    const PATH: &'static str;
}

/// A resource of the game, as the mod knows it.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Resource)]
/// #[resource(path = "orchard::Score")]
/// struct Score {
///     points: u64,
/// }
///
/// fn count(mut score: ResMut<Score>) {
///     score.points += 1;
/// }
/// ```
pub trait Resource: Reflect {
    /// The name of the type in the game.
    const PATH: &'static str;
}
