//! What a mod states of itself in its Cargo.toml, under `[package.metadata.mod]`.
//!
//! cargo hands names and versions to macros in variables, but not this table, so it is read from the file.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use mod_abi::codec::Codec;
use proc_macro2::TokenStream;
use quote::quote;
use toml::de::{DeTable, DeValue};

/// The settings of a mod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Manifest {
    /// How the values of its functions become bytes.
    pub(crate) codec: Codec,
}

impl Manifest {
    /// The settings of the crate that is being compiled. A crate that another tool than cargo compiles has none.
    pub(crate) fn of_this_crate() -> Result<Self, String> {
        let Some(path) = path() else { return Ok(Self::default()) };
        let text = fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let manifest = Self::parse(&text)?;
        available(manifest.codec)?;
        Ok(manifest)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let document = DeTable::parse(text).map_err(|error| format!("Cargo.toml: {}", error.message()))?;
        let mut table = document.get_ref();
        for name in ["package", "metadata", "mod"] {
            table = match table.get(name).map(|value| value.get_ref()) {
                Some(DeValue::Table(inner)) => inner,
                Some(_) => return Err(format!("Cargo.toml: `{name}` should be a table")),
                None => return Ok(Self::default()),
            };
        }
        let mut manifest = Self::default();
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("codec", DeValue::String(name)) => manifest.codec = codec(name)?,
                ("codec", _) => return Err(format!("Cargo.toml: {}", unknown_codec())),
                (key, _) => {
                    return Err(format!(
                        "Cargo.toml: `[package.metadata.mod]` has no setting `{key}`; the only one is `codec`"
                    ));
                }
            }
        }
        Ok(manifest)
    }
}

fn codec(name: &str) -> Result<Codec, String> {
    Codec::from_name(name).ok_or_else(|| format!("Cargo.toml: there is no codec \"{name}\"; {}", unknown_codec()))
}

fn unknown_codec() -> String {
    let names = Codec::ALL.map(|codec| format!("\"{codec}\""));
    format!("`codec` should be one of {}", names.join(", "))
}

/// Whether the SDK was built with that codec.
fn available(codec: Codec) -> Result<(), String> {
    let (is_there, feature) = match codec {
        Codec::Bincode => (true, ""),
        Codec::Json => (cfg!(feature = "json"), "json"),
        Codec::NanoserdeJson => (cfg!(feature = "nanoserde"), "nanoserde"),
    };
    if is_there {
        return Ok(());
    }
    Err(format!(
        "Cargo.toml states the codec \"{codec}\", which the SDK has only with its feature `{feature}`: write \
         `mod_sdk = {{ package = \"bevy_mod_sdk\", .., features = [\"{feature}\"] }}`"
    ))
}

/// The file, if there is one.
fn path() -> Option<PathBuf> {
    let folder = env::var_os("CARGO_MANIFEST_DIR")?;
    Some(Path::new(&folder).join("Cargo.toml")).filter(|path| path.is_file())
}

/// Has the compiler note the file as one of the crate's sources: cargo itself does not build a crate anew because of
/// `package.metadata`.
pub(crate) fn tracked() -> Option<TokenStream> {
    path()?;
    Some(quote! {
        const _: &[u8] = ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    })
}

#[cfg(test)]
mod tests {
    use mod_abi::codec::Codec;

    use super::{Manifest, available};

    #[test]
    fn the_codec_is_read() {
        for (text, codec) in [
            ("", Codec::Bincode),
            ("[package]\nname = \"x\"\n", Codec::Bincode),
            ("[package.metadata.docs.rs]\nall-features = true\n", Codec::Bincode),
            ("[package.metadata.mod]\n", Codec::Bincode),
            ("[package.metadata.mod]\ncodec = \"bincode\"\n", Codec::Bincode),
            ("[package.metadata.mod]\ncodec = \"json\" # for JavaScript\n", Codec::Json),
            ("[package]\nmetadata = { mod = { codec = 'nanoserde-json' } }\n", Codec::NanoserdeJson),
            ("package.metadata.mod.codec = \"json\"\n", Codec::Json),
        ] {
            assert_eq!(Manifest::parse(text), Ok(Manifest { codec }), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let known = "`codec` should be one of \"bincode\", \"json\", \"nanoserde-json\"";
        for (text, expected) in [
            ("codec = \"yaml\"", format!("Cargo.toml: there is no codec \"yaml\"; {known}")),
            ("codec = 3", format!("Cargo.toml: {known}")),
            ("codecs = \"json\"", "Cargo.toml: `[package.metadata.mod]` has no setting `codecs`".to_owned()),
        ] {
            let error = Manifest::parse(&format!("[package.metadata.mod]\n{text}\n")).unwrap_err();
            assert!(error.starts_with(&expected), "{text}: {error}");
        }
        let error = Manifest::parse("[package]\nmetadata.mod = \"json\"\n").unwrap_err();
        assert_eq!(error, "Cargo.toml: `mod` should be a table");
        assert!(Manifest::parse("[package").unwrap_err().starts_with("Cargo.toml: "));
    }

    #[test]
    fn a_codec_that_the_sdk_does_not_have_names_its_feature() {
        for (codec, feature, is_there) in [
            (Codec::Json, "json", cfg!(feature = "json")),
            (Codec::NanoserdeJson, "nanoserde", cfg!(feature = "nanoserde")),
        ] {
            match available(codec) {
                Ok(()) => assert!(is_there),
                Err(error) => {
                    assert!(!is_there);
                    assert!(error.contains(&format!("states the codec \"{codec}\"")), "{error}");
                    assert!(error.contains(&format!("features = [\"{feature}\"]")), "{error}");
                }
            }
        }
        assert_eq!(available(Codec::Bincode), Ok(()));
    }
}
