//! Which components and resources a mod knows, and under which names the game knows them.

use mod_abi::describe::TypeRole;

use crate::Reflect;

/// A component of the game or of the mod's own.
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
/// A mod that needs only some fields of a struct names those with `partial`; the game keeps the others. With `define` the
/// component is the mod's own, and other mods know it by its path: the id of the mod, `::`, and the name of the type.
/// It outlives a new version of the mod. Fields that the version adds then start as in `Default`, if the type has one.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Component)]
/// #[component(path = "orchard::Bee", partial)]
/// struct Bee {
///     age: f32,
/// }
///
/// #[derive(Component, Default)]
/// #[component(define)]
/// struct Nectar {
///     litres: f32,
/// }
///
/// #[derive(Component)]
/// #[component(define, storage = "SparseSet")] // for components that come and go often
/// struct Tired;
/// # assert!(Nectar::PATH.ends_with("::Nectar"));
/// ```
///
/// Rows of numbers are used where they stand, without a copy, when the struct's memory is its bytes. Rust may reorder
/// the fields of a struct; `#[repr(C)]` keeps them in order, which is worth a thought for components that thousands of
/// entities have. Everything else is decoded, which is slower and otherwise the same.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Component`",
    label = "not a component",
    note = "derive `Component` for a type that entities have in the game, or that is the mod's own"
)]
pub trait Component: Reflect {
    /// The name of the type in the game.
    const PATH: &'static str;

    /// Whose type it is, and how much of it the mod knows.
    #[doc(hidden)]
    fn role() -> TypeRole {
        TypeRole::Mirror
    }
}

/// A resource of the game or, with `define`, of the mod's own. The settings are those of a [`Component`].
///
/// A resource of the mod's own comes into the World by [`App::init_resource`](crate::App::init_resource),
/// [`App::insert_resource`](crate::App::insert_resource) or a command.
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
/// #[derive(Resource, Default)]
/// #[resource(define)]
/// struct Record {
///     points: u64,
/// }
///
/// fn count(mut score: ResMut<Score>, mut record: ResMut<Record>) {
///     score.points += 1;
///     record.points = record.points.max(score.points);
/// }
///
/// # fn plugin(app: &mut App) {
/// app.init_resource::<Record>().add_systems(Update, count);
/// # }
/// # mod_sdk::testing::describe(plugin);
/// ```
///
/// # Settings
///
/// What players can set about a mod stands in its Cargo.toml (see [`mod_main`](crate::mod_main)), and comes to it in a resource of its own:
///
/// ```toml
/// [package.metadata.mod.settings.appetite]
/// type = "float"
/// default = 1.5
/// max = 10
///
/// [package.metadata.mod.settings.pace]
/// type = "choice"
/// default = "slow"
/// choices = ["slow", "very-fast"]
/// ```
///
/// ```
/// # use mod_sdk::prelude::*;
/// #[derive(Resource)]
/// #[resource(settings)]
/// struct Settings {
///     appetite: f32,
///     pace: Pace,
/// }
///
/// #[derive(Reflect)]
/// enum Pace {
///     Slow,
///     VeryFast,
/// }
///
/// fn hunt(settings: Res<Settings>) {
///     if settings.is_changed() {
///         info!("the appetite is {} now", settings.appetite);
///     }
/// }
/// ```
///
/// The game inserts it before the mod's first system runs, start-up included, and replaces it when the player changes something.
/// Mods only read it. Names and types of the fields are checked against Cargo.toml when the mod is compiled; in a native test
/// `Settings::default()` has the defaults.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Resource`",
    label = "not a resource",
    note = "derive `Resource` for a type of which the game has one value, or the mod defines one"
)]
pub trait Resource: Reflect {
    /// The name of the type in the game.
    const PATH: &'static str;

    /// Whose type it is, and how much of it the mod knows.
    #[doc(hidden)]
    fn role() -> TypeRole {
        TypeRole::Mirror
    }
}
