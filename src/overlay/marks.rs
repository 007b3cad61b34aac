//! Components by which the systems of the panel know its nodes.

use std::sync::Arc;

use bevy_color::Color;
use bevy_ecs::component::Component;

use super::action::Action;

/// What a node does when it is clicked.
#[derive(Component, Debug, Clone)]
#[require(Inside)]
pub(crate) struct Clicked(pub(crate) Action);

/// A part of the panel that the mouse may be over.
#[derive(Component, Debug, Default)]
pub(crate) struct Inside;

/// The list of mods, which scrolls.
#[derive(Component, Debug)]
pub(crate) struct List;

/// What the keyboard would press.
#[derive(Component, Debug)]
pub(crate) struct Cursor;

/// The bar of a mod.
#[derive(Component, Debug)]
pub(crate) struct Bar(pub(crate) Arc<str>);

/// A number: that of one mod, or of all.
#[derive(Component, Debug)]
pub(crate) enum Figure {
    /// Milliseconds of a mod.
    Of(Arc<str>),
    /// Milliseconds of all mods, behind this text.
    All(String),
}

/// The colour of a node over which no mouse is.
#[derive(Component, Debug)]
pub(crate) struct Resting(pub(crate) Color);
