//! Where a new mod finds the SDK.

use std::{
    fs,
    path::{Path, PathBuf},
};

use thiserror::Error;
use toml_edit::{DocumentMut, InlineTable, Value};

/// The SDK's package.
const PACKAGE: &str = "bevy_mod_sdk";

/// A folder without the SDK.
#[derive(Debug, Error)]
#[error("{} holds no {PACKAGE}: `--sdk` should be the folder `mod_sdk` of bevy_wasm_mods, or the repository", .0.display())]
pub(crate) struct SdkError(PathBuf);

/// Where it is.
#[derive(Debug)]
pub(crate) enum Sdk {
    /// In a folder.
    Folder(PathBuf),
    /// In the crate registry.
    Published,
}

impl Sdk {
    /// The SDK in a folder that was told, or else the one from whose repository this tool was built, if that is still there.
    pub(crate) fn find(told: Option<&Path>) -> Result<Self, SdkError> {
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        match told {
            Some(told) => of_folder(told).ok_or_else(|| SdkError(told.to_owned())),
            None => Ok(built_from.and_then(of_folder).unwrap_or(Self::Published)),
        }
    }

    /// The dependency as it stands in a Cargo.toml.
    pub(crate) fn dependency(&self) -> String {
        let mut table = InlineTable::new();
        table.insert("package", PACKAGE.into());
        match self {
            // Paths that are no text cannot stand in a Cargo.toml at all.
            Self::Folder(folder) => table.insert("path", folder.to_string_lossy().into_owned().into()),
            Self::Published => table.insert("version", env!("CARGO_PKG_VERSION").into()),
        };
        Value::InlineTable(table).to_string().trim().to_owned()
    }

    /// The versions with which the repository's own mods are built, which are there without a network when the repository has
    /// been built.
    pub(crate) fn lock(&self) -> Option<String> {
        match self {
            Self::Folder(folder) => fs::read_to_string(folder.join("../examples/mods/Cargo.lock")).ok(),
            Self::Published => None,
        }
    }
}

fn of_folder(folder: &Path) -> Option<Sdk> {
    let holds_sdk = |folder: &PathBuf| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let manifest = text.parse::<DocumentMut>().unwrap_or_default();
        manifest.get("package").and_then(|package| package.get("name")?.as_str()).is_some_and(|name| name == PACKAGE)
    };
    let found = [folder.to_owned(), folder.join("mod_sdk")].into_iter().find(holds_sdk)?;
    Some(Sdk::Folder(found.canonicalize().unwrap_or(found)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Sdk;

    #[test]
    fn the_sdk_is_found_in_its_folder_and_in_the_repository() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for folder in [own.clone(), own.join("..")] {
            let Ok(Sdk::Folder(found)) = Sdk::find(Some(&folder)) else { panic!("no SDK in {folder:?}") };
            assert!(found.ends_with("mod_sdk"), "{found:?}");
        }
        assert!(matches!(Sdk::find(None), Ok(Sdk::Folder(_))), "this tool is in the repository");
        let error = Sdk::find(Some(Path::new("/"))).expect_err("no SDK").to_string();
        assert!(error.contains("`--sdk` should be the folder `mod_sdk`"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_a_version() {
        let published = Sdk::Published.dependency();
        assert!(published.starts_with("{ package = \"bevy_mod_sdk\", version = \""), "{published}");
    }
}
