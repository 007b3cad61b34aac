//! Events: what happens, and who hears of it at once.

use mod_abi::describe::TypeRole;

use crate::{entity::Entity, reflect::Reflect};

/// Something that happens at a moment, for which [observers](crate::App::add_observer) wait and which
/// [`Commands::trigger`](crate::Commands::trigger) makes happen.
///
/// `#[event(path = "..")]` names one of the game's. `#[event(define)]` makes it the mod's own, which other mods know as
/// `<this mod's id>::<the type's name>`.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Event)]
/// #[event(path = "orchard::Harvested")]
/// struct Harvested {
///     apples: u32,
/// }
///
/// #[derive(Event)]
/// #[event(define)]
/// struct Feast;
///
/// fn celebrate(harvested: On<Harvested>, mut commands: Commands) {
///     if harvested.apples > 100 {
///         commands.trigger(Feast);
///     }
/// }
/// # mod_sdk::testing::describe(|app| { app.add_observer(celebrate); });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an `Event`",
    label = "not an event",
    note = "derive `Event`, or `EntityEvent` for what happens to one entity"
)]
pub trait Event: Reflect {
    /// The name of the type in the game.
    const PATH: &'static str;

    /// Whose type it is, and how much of it the mod knows.
    #[doc(hidden)]
    fn role() -> TypeRole {
        TypeRole::Mirror
    }
}

/// An event about one entity: that in the field `entity`, or in the one marked with `#[event_target]`.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(EntityEvent)]
/// #[event(path = "orchard::Sting")]
/// struct Sting {
///     by: Entity,
///     #[event_target]
///     victim: Entity,
/// }
/// # let (by, victim) = (Entity::from_bits(7), Entity::from_bits(8));
/// # assert_eq!(Sting { by, victim }.event_target(), victim);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not about an entity",
    label = "not an event about an entity",
    note = "derive `EntityEvent` for a struct with a field `entity`, or one marked with `#[event_target]`"
)]
pub trait EntityEvent {
    /// The entity.
    fn event_target(&self) -> Entity;
}
