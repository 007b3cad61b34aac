//! What a mod states of itself in its Cargo.toml: the package's name, version and so on, and `[package.metadata.mod]`.
//!
//! cargo hands the first to macros in variables, but not that table, so it is read from the file. `table` reads any
//! table and knows its lines, `needs` the mods and the game that a mod needs, `settings` what players can set.

mod needs;
mod settings;
mod table;
#[cfg(test)]
mod tests;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use mod_abi::{ABI_VERSION, Identity, codec::Codec};
use proc_macro2::TokenStream;
use quote::quote;
use toml::de::{DeTable, DeValue};

use self::table::{Entry, Reader};

/// What a table is called in messages.
const TABLE: &str = "package.metadata.mod";
/// The folder of mods of a game that does not choose another one.
const FOLDER: &str = "mods";
const KEYS: &[&str] =
    &["id", "name", "game", "dependencies", "incompatible", "after", "before", "settings", "codec", "folder"];

/// The mod, as its Cargo.toml states it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Manifest {
    /// How the values of its functions become bytes.
    pub(crate) codec: Codec,
    /// The folder of mods inside the game's assets.
    pub(crate) folder: String,
    /// Who it is.
    pub(crate) identity: Identity,
}

/// Something that is wrong with a Cargo.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// A sentence with file and line.
    pub(crate) text: String,
    /// Whether functions cannot be compiled because of it. All others concern only the mod as a whole.
    pub(crate) is_of_functions: bool,
}

impl Manifest {
    /// The crate that is being compiled. One that another tool than cargo compiles has no table.
    pub(crate) fn of_this_crate() -> (Self, Vec<Problem>) {
        let (mut manifest, mut problems) = match path().map(|path| (fs::read_to_string(&path), path)) {
            None => (Self::of_package(package()), Vec::new()),
            Some((Ok(text), _)) => Self::parse(&text, package()),
            Some((Err(error), path)) => {
                let text = format!("{} cannot be read: {error}", path.display());
                (Self::of_package(package()), vec![Problem { text, is_of_functions: true }])
            }
        };
        let missing = available(manifest.codec).err();
        problems.extend(missing.map(|text| Problem { text, is_of_functions: true }));
        if problems.is_empty() {
            match Identity::parse(manifest.identity.to_string().as_bytes()) {
                // Texts of the package may have been cut to what an identity may hold.
                Ok(identity) => manifest.identity = identity,
                Err(error) => {
                    let text = format!("this crate cannot be a mod of ABI {ABI_VERSION}: {error}");
                    problems.push(Problem { text, is_of_functions: false });
                }
            }
        }
        (manifest, problems)
    }

    /// Why functions of that mod cannot be imported: only mods that this one states as dependencies are sure to be there, or
    /// to fit if they are.
    pub(crate) fn why_not_callable(&self, id: &str) -> Option<String> {
        // Without a file nobody could write it down. The host asks again.
        path()?;
        needs::why_not_callable(&self.identity, id)
    }

    fn of_package(identity: Identity) -> Self {
        let codec = Codec::default();
        let folder = FOLDER.to_owned();
        Self { codec, folder, identity: Identity { codec: codec.name().to_owned(), ..identity } }
    }

    fn parse(text: &str, package: Identity) -> (Self, Vec<Problem>) {
        let mut manifest = Self::of_package(package);
        let mut reader = Reader::new(text);
        let document = DeTable::parse(text).map_err(|error| {
            let place = error.span().unwrap_or_default();
            reader.problem_of_functions(place, error.message());
        });
        let table = document.as_ref().ok().and_then(|document| metadata(document.get_ref(), &mut reader));
        if let Some(table) = table {
            manifest.read(table, &mut reader);
        }
        (manifest, reader.into_problems())
    }

    fn read(&mut self, table: &DeTable<'_>, reader: &mut Reader<'_>) {
        let entries = reader.entries(table, TABLE, KEYS);
        let identity = &mut self.identity;
        // The others are compared with it.
        for entry in entries.iter().filter(|entry| entry.key == "id") {
            identity.id = reader.id(entry).unwrap_or_else(|| identity.id.clone());
        }
        for entry in &entries {
            match entry.key {
                "name" => identity.name = reader.text(entry),
                "game" => identity.game = needs::game(entry, reader),
                "settings" => identity.settings = settings::read(entry, reader),
                "codec" => self.codec = codec(entry, reader),
                "folder" => self.folder = folder(entry, reader),
                _ => {}
            }
        }
        identity.dependencies = needs::dependencies(&entries, &identity.id, reader);
        (identity.load_after, identity.load_before) = needs::order(&entries, &identity.id, reader);
        identity.codec = self.codec.name().to_owned();
    }
}

/// The table of the mod, if there is one.
fn metadata<'t>(document: &'t DeTable<'t>, reader: &mut Reader<'_>) -> Option<&'t DeTable<'t>> {
    let mut table = document;
    for name in ["package", "metadata", "mod"] {
        let value = table.get(name)?;
        let DeValue::Table(inner) = value.get_ref() else {
            reader.problem_of_functions(value.span(), format!("`{name}` should be a table"));
            return None;
        };
        table = inner;
    }
    Some(table)
}

fn codec(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Codec {
    let names = Codec::ALL.map(|codec| format!("\"{codec}\"")).join(", ");
    let message = match entry.value {
        DeValue::String(name) => match Codec::from_name(name) {
            Some(codec) => return codec,
            None => format!("there is no codec \"{name}\"; `codec` should be one of {names}"),
        },
        _ => format!("`codec` should be one of {names}"),
    };
    reader.problem_of_functions(entry.place.clone(), message);
    Codec::default()
}

fn folder(entry: &Entry<'_>, reader: &mut Reader<'_>) -> String {
    let Some(folder) = reader.text(entry) else { return FOLDER.to_owned() };
    if let Some(wrong) = wrong_path(&folder) {
        reader.problem(
            entry.place.clone(),
            format!("`{}` should be a folder inside the game's assets: {wrong}", entry.name),
        );
    }
    folder
}

/// Why a text is no path inside of a folder, in the form that asset paths have on every platform.
pub(crate) fn wrong_path(path: &str) -> Option<&'static str> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    if path.is_empty() {
        Some("it is empty")
    } else if path.contains(['\\', ':']) {
        Some("folders are parted by `/`, and it names no source and no drive")
    } else if !path.split('/').all(is_part) {
        Some("it should have no empty parts, no `.` and no `..`")
    } else {
        None
    }
}

/// What cargo states of the package.
fn package() -> Identity {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let text = |name: &str| Some(variable(name)).filter(|text| !text.trim().is_empty());
    let authors = variable("CARGO_PKG_AUTHORS");
    Identity {
        abi: ABI_VERSION,
        id: variable("CARGO_PKG_NAME"),
        version: variable("CARGO_PKG_VERSION"),
        description: text("CARGO_PKG_DESCRIPTION"),
        homepage: text("CARGO_PKG_HOMEPAGE"),
        authors: authors.split(':').filter(|author| !author.is_empty()).map(str::to_owned).collect(),
        ..Identity::default()
    }
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
