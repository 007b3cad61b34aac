//! The settings that a mod reads: a resource of its own, which only the host writes.
//!
//! Knows what a mod declares and what its resource looks like; must not know where the values come from.

use std::collections::HashMap;

use bevy_asset::AssetServer;
use bevy_ecs::{component::ComponentId, reflect::AppTypeRegistry, resource::Resource, world::World};
use mod_abi::{
    Schema, SettingDesc, SettingValue,
    describe::{DefinitionKind, ModDescription, TypeRole},
};
use thiserror::Error;

use crate::bridge::{
    definitions,
    insert::{self, Piece},
    value::Reflection,
};

/// Settings that a mod wants otherwise than it declares them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Two types that hold them.
    #[error("its settings are defined twice, as `{first}` and as `{second}`; one resource holds all of them")]
    Twice {
        /// The path of the first.
        first: String,
        /// The path of the second.
        second: String,
    },
    /// A type that has no named fields.
    #[error("`{path}` cannot hold its settings: it should be a struct with a named field for each")]
    NoFields {
        /// The type's path.
        path: String,
    },
    /// A field that means no setting.
    #[error(
        "`{path}` has the field `{field}`, but the mod declares no such setting{}",
        nearest.as_ref().map(|name| format!(" (it declares `{name}`)")).unwrap_or_default()
    )]
    Unknown {
        /// The type's path.
        path: String,
        /// The field.
        field: String,
        /// A setting of a similar name.
        nearest: Option<String>,
    },
    /// A field that cannot hold the values of its setting.
    #[error("the field `{field}` of `{path}` is \"{found}\", but for its setting it should be {expected}")]
    Field {
        /// The type's path.
        path: String,
        /// The field.
        field: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
}

/// How a mod wants its settings.
#[derive(Debug, Clone)]
pub(crate) struct SettingsLayout {
    path: String,
    /// The setting and the shape of each field.
    fields: Vec<(SettingDesc, Schema)>,
}

/// The longest text of a mod in a message.
const MAX_TEXT: usize = 128;

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

impl SettingsLayout {
    /// The layout that a mod describes, if it wants its settings, compared with what it declares.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub(crate) fn find(description: &ModDescription, declared: &[SettingDesc]) -> Result<Option<Self>, SettingsError> {
        let is_settings =
            |role: &TypeRole| matches!(role, TypeRole::Definition(of) if of.kind == DefinitionKind::Settings);
        let mut all = description.types.iter().filter(|ty| is_settings(&ty.role));
        let Some(ty) = all.next() else { return Ok(None) };
        let path = || shortened(&ty.path);
        if let Some(second) = all.next() {
            return Err(SettingsError::Twice { first: path(), second: shortened(&second.path) });
        }
        let Schema::Struct(fields) = &ty.schema else { return Err(SettingsError::NoFields { path: path() }) };
        let bind = |(field, schema): &(String, Schema)| {
            let Some(setting) = SettingDesc::of_field(field, declared) else {
                let names = declared.iter().map(|setting| setting.name.as_str());
                let nearest = mod_host::nearest(field, names);
                return Err(SettingsError::Unknown { path: path(), field: shortened(field), nearest });
            };
            setting.check_field(schema).map_err(|expected| SettingsError::Field {
                path: path(),
                field: shortened(field),
                found: shortened(&schema.to_string()),
                expected,
            })?;
            Ok((setting.clone(), schema.clone()))
        };
        let fields = fields.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Some(Self { path: ty.path.clone(), fields }))
    }

    /// Writes the resource, unless it has these values already. The mod's types have to be in place.
    ///
    /// # Errors
    /// When a setting does not take its value, or code of the game panicked.
    pub(crate) fn write(
        &self,
        world: &mut World,
        value_of: impl Fn(&SettingDesc) -> SettingValue,
    ) -> Result<(), String> {
        let Some(bound) = definitions::find(world, &self.path) else { return Ok(()) };
        let mut bytes = Vec::new();
        for (setting, schema) in &self.fields {
            setting.encode_field(&value_of(setting), schema, &mut bytes)?;
        }
        let component = bound.component;
        let is_there = world.get_resource_by_id(component).is_some();
        let written = world.get_resource_or_init::<WrittenSettings>().0.get(&component) == Some(&bytes);
        if is_there && written {
            return Ok(());
        }
        let types = world.get_resource_or_init::<AppTypeRegistry>().clone();
        let value = {
            let types = types.read();
            let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
            bound.crossing.build(&bytes, reflection).map_err(|error| error.to_string())?
        };
        let piece = Piece::new(world, component, value).ok_or("its resource is of another type")?;
        insert::insert_resource(world, piece)?;
        world.get_resource_or_init::<WrittenSettings>().0.insert(component, bytes);
        Ok(())
    }
}

/// What was last written into the resources that hold settings, so that systems see only real changes.
#[derive(Debug, Default, Resource)]
struct WrittenSettings(HashMap<ComponentId, Vec<u8>>);
