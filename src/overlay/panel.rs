//! What the systems of the panel share: how it was added, whether it is open, and where its cursor stands.

use std::time::Duration;

use bevy_ecs::{reflect::ReflectResource, resource::Resource};
use bevy_input::keyboard::KeyCode;
use bevy_reflect::{Reflect, std_traits::ReflectDefault};
use bevy_text::FontSource;

use super::{edit::Edit, model::Spot};

/// The panel of [`ModsOverlayPlugin`](crate::ModsOverlayPlugin).
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn shoot(panel: Res<ModsOverlay>, keys: Res<ButtonInput<KeyCode>>) {
///     // What the panel uses the game does not see; the rest it may leave alone while the player looks at mods.
///     if !panel.is_open && keys.just_pressed(KeyCode::Space) {
///         info!("bang");
///     }
/// }
///
/// /// An entry in the game's own menu.
/// fn show_mods(mut panel: ResMut<ModsOverlay>) {
///     panel.is_open = true;
/// }
/// ```
#[derive(Resource, Reflect, Debug, Clone, Default)]
#[reflect(Resource, Default)]
pub struct ModsOverlay {
    /// Whether the player sees it. The game may open and close it.
    pub is_open: bool,
    /// The font of the panel. A game without Bevy's feature `default_font` has to bring one.
    pub font: FontSource,
}

/// How the plugin was added.
#[derive(Resource, Debug, Clone, Copy)]
pub(crate) struct OverlayConfig {
    pub(super) key: KeyCode,
    pub(super) full_bar: Duration,
}

/// What the panel knows of itself from frame to frame.
#[derive(Resource, Debug, Clone, Default)]
pub(crate) struct Panel {
    /// What the keyboard would press, if it is there.
    pub(super) cursor: Option<Spot>,
    /// The text that is being written.
    pub(super) edit: Option<Edit>,
    /// What the last thing that was asked for met with.
    pub(super) refusal: Option<String>,
}
