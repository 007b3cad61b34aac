//! The asset of a mod: its bytes, not judged.

use std::sync::Arc;

use bevy_asset::{Asset, AssetLoader, AsyncReadExt, LoadContext, io::Reader};
use bevy_reflect::TypePath;
use thiserror::Error;

/// The content of a mod's `.wasm` file.
#[derive(Debug, Clone, Asset, TypePath)]
pub struct ModFile {
    /// The bytes, as they were read.
    pub bytes: Arc<[u8]>,
}

/// Loads `.wasm` files as [`ModFile`]s. What is in a file is judged later, so that a broken mod is one clear error and
/// not a failed asset.
#[derive(Debug, Clone, TypePath)]
pub struct ModFileLoader {
    /// The most bytes that are read of a file.
    pub max_bytes: usize,
}

/// A mod's file that could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModFileError {
    /// Reading failed.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is larger than mods may be.
    #[error(
        "it is larger than the {max_bytes} bytes that a mod may have: build it in release and without debug information, or raise \
         `file_bytes` in the game's limits"
    )]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
}

impl AssetLoader for ModFileLoader {
    type Asset = ModFile;
    type Settings = ();
    type Error = ModFileError;

    async fn load(
        &self,
        reader: &mut dyn Reader,
        (): &(),
        _context: &mut LoadContext<'_>,
    ) -> Result<ModFile, ModFileError> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let read = reader.read(&mut chunk).await?;
            if read == 0 {
                return Ok(ModFile { bytes: bytes.into() });
            }
            bytes.extend_from_slice(&chunk[..read]);
            if bytes.len() > self.max_bytes {
                return Err(ModFileError::TooLarge { max_bytes: self.max_bytes });
            }
        }
    }

    fn extensions(&self) -> &[&str] {
        &["wasm"]
    }
}
