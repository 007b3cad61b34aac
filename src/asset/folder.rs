//! Which files of the mod folder are mods: `*.wasm` in it, and `<id>/mod.wasm` one level below.

use std::path::{Path, PathBuf};

use bevy_asset::{
    AssetServer,
    io::{AssetReaderError, AssetSourceId, ErasedAssetReader},
};
use bevy_tasks::futures_lite::StreamExt;
use tracing::warn;

/// Whether a path, seen from the mod folder, is that of a mod.
pub(crate) fn is_mod_path(path: &Path) -> bool {
    let mut parts = path.components();
    let is_wasm = path.extension().is_some_and(|extension| extension == "wasm");
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), None, _) => is_wasm,
        (Some(_), Some(file), None) => file.as_os_str() == "mod.wasm",
        _ => false,
    }
}

/// Lists the mods in `folder` of the default asset source, in the order of their names. Works for any source that can
/// list directories. A folder that does not exist has no mods.
pub(crate) async fn list_mods(server: AssetServer, folder: PathBuf) -> Result<Vec<PathBuf>, String> {
    let source = server.get_source(AssetSourceId::Default).map_err(|error| error.to_string())?;
    let reader = source.reader();
    let mut mods = Vec::new();
    for path in entries(reader, &folder).await? {
        let inside = path.strip_prefix(&folder).unwrap_or(&path);
        if is_mod_path(inside) {
            mods.push(path);
        } else if reader.is_directory(&path).await.unwrap_or(false) {
            let file = path.join("mod.wasm");
            match entries(reader, &path).await {
                Ok(entries) if entries.contains(&file) => mods.push(file),
                Ok(_) => {}
                Err(error) => warn!("{} cannot be read: {error}", path.display()),
            }
        }
    }
    mods.sort();
    Ok(mods)
}

async fn entries(reader: &dyn ErasedAssetReader, folder: &Path) -> Result<Vec<PathBuf>, String> {
    match reader.read_directory(folder).await {
        Ok(stream) => Ok(stream.collect().await),
        Err(AssetReaderError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_mod_path;

    #[test]
    fn mods_are_files_or_folders_with_one() {
        let check = |path: &str, expected| assert_eq!(is_mod_path(Path::new(path)), expected, "{path}");
        check("wind.wasm", true);
        check("wind/mod.wasm", true);
        check("wind/other.wasm", false);
        check("wind/deep/mod.wasm", false);
        check("readme.txt", false);
        check("wasm", false);
        check("", false);
    }
}
