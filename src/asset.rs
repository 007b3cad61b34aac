//! Where mods come from: files in an asset folder, as Bevy assets.
//!
//! Gives bytes and tells when they change; must not know what the bytes mean or what is done with them.

mod folder;
mod loader;
#[cfg(feature = "hot_reload")]
mod snapshot;
#[cfg(feature = "hot_reload")]
mod watcher;

#[cfg(feature = "hot_reload")]
pub(crate) use folder::is_mod_path;
pub(crate) use folder::list_mods;
pub use loader::{ModFile, ModFileError, ModFileLoader};
#[cfg(feature = "hot_reload")]
pub(crate) use watcher::{FileChange, Watcher};
