//! Handles of assets as paths: what a `Handle<T>` of the game is to a mod.

use bevy_asset::io::AssetSourceId;
use bevy_asset::{AssetId, AssetPath, AssetServer, LoadedUntypedAsset, ReflectHandle, UntypedHandle};
use bevy_reflect::{PartialReflect, Reflect, TypeInfo, TypeRegistry};

use crate::bridge::value::ValueError;

/// Whether values of a type cross as the path of an asset.
pub(crate) fn is_handle(info: &TypeInfo, types: &TypeRegistry) -> bool {
    has_handle_path(info) && types.get_type_data::<ReflectHandle>(info.type_id()).is_some()
}

/// A cheap look at the type's name, before the registry is asked.
pub(crate) fn has_handle_path(info: &TypeInfo) -> bool {
    info.type_path().starts_with("bevy_asset::handle::Handle<")
}

/// The path that a handle was loaded from, or "" if it was made otherwise.
pub(crate) fn path_of(value: &dyn PartialReflect, types: &TypeRegistry) -> Option<String> {
    let value = value.try_as_reflect()?;
    let handle = types.get_type_data::<ReflectHandle>(value.as_any().type_id())?;
    let handle = handle.downcast_handle_untyped(value.as_any())?;
    Some(handle.path().map_or_else(String::new, ToString::to_string))
}

/// The handle for a path that a mod states. "" is the default handle, of no asset.
///
/// Only the game's own assets can be named: the path stays in the default source and inside its folder.
pub(crate) fn load(
    path: &str,
    info: &TypeInfo,
    types: &TypeRegistry,
    assets: Option<&AssetServer>,
) -> Result<Box<dyn Reflect>, ValueError> {
    let refused = |reason: &'static str| ValueError::AssetPath { path: path.chars().take(200).collect(), reason };
    let handle = types.get_type_data::<ReflectHandle>(info.type_id());
    let handle = handle.ok_or_else(|| ValueError::Unexpected(info.type_path().to_owned()))?;
    let type_id = handle.asset_type_id();
    if path.is_empty() {
        let uuid = AssetId::<LoadedUntypedAsset>::DEFAULT_UUID;
        return Ok(handle.typed(UntypedHandle::Uuid { type_id, uuid }));
    }
    let parsed = AssetPath::try_parse(path).map_err(|_| refused("it is no path"))?;
    if *parsed.source() != AssetSourceId::Default {
        return Err(refused("it names another source than the game's assets"));
    }
    if parsed.is_unapproved() {
        return Err(refused("it leads out of the game's assets"));
    }
    let assets = assets.ok_or_else(|| refused("this game loads no assets"))?;
    // To ask again for an asset that could not be loaded would load it again, in each frame in which a mod writes the value.
    if let Some(known) = assets.get_path_and_type_id_handle(&parsed, type_id) {
        return Ok(handle.typed(known));
    }
    Ok(handle.typed(assets.load_builder().load_erased(type_id, parsed.into_owned())))
}
