//! Makes what is measured: the contenders, and the modules of their mods. Nothing is run here.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use wit_component::ComponentEncoder;

use crate::Outcome;

const TARGET: &str = "wasm32-unknown-unknown";

/// The id that is in our guests, and the digits at its end.
const ID: &str = "id: peers_guest_000";
const DIGITS: usize = 3;

/// The folder of this workspace.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// Where a contender's binary is.
pub(crate) fn binary(name: &str) -> PathBuf {
    folder().join("target/release").join(name)
}

/// Builds all contenders in one go, so that they share one Bevy with one set of features.
pub(crate) fn contenders() -> Outcome {
    cargo(&folder(), &["build", "--release", "--workspace", "--exclude", "peers", "--target-dir", "target"])
}

fn cargo(folder: &Path, arguments: &[&str]) -> Outcome {
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(folder).status()?;
    status.success().then_some(()).ok_or_else(|| format!("`cargo {}` failed", arguments.join(" ")).into())
}

/// The mods of all contenders, by names such as `ours_move`.
pub(crate) struct Mods(BTreeMap<String, Vec<u8>>);

/// Builds all mods.
pub(crate) fn mods() -> Outcome<Mods> {
    let folder = folder();
    stage_interfaces(&folder)?;
    let guests = folder.join("guests");
    let built = folder.join("target/guests");
    let built_text = built.to_string_lossy();
    cargo(&guests, &["build", "--release", "--examples", "--target", TARGET, "--target-dir", &built_text])?;
    let mut mods = BTreeMap::new();
    for (path, name) in files(&built.join(TARGET).join("release/examples"), "wasm")? {
        let module = fs::read(path)?;
        // Cargo also keeps a file with a hash in its name.
        if name.contains('-') {
            continue;
        }
        let module = if name.starts_with("wasvy_") { component(&module, &name)? } else { module };
        mods.insert(name, module);
    }
    for (path, name) in files(&guests.join("lua"), "lua")? {
        mods.insert(format!("lua_{name}"), fs::read(path)?);
    }
    Ok(Mods(mods))
}

/// The interface files of wasvy stand in its crate. Its guest finds them in `target/wit`.
fn stage_interfaces(folder: &Path) -> Outcome {
    let output =
        Command::new(env!("CARGO")).args(["metadata", "--format-version", "1"]).current_dir(folder).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo does not say what there is")?;
    let wasvy = packages.iter().find(|package| package["name"] == "wasvy").ok_or("there should be wasvy")?;
    let manifest = wasvy["manifest_path"].as_str().ok_or("wasvy should have a manifest")?;
    let staged = folder.join("target/wit");
    fs::create_dir_all(&staged)?;
    for (path, name) in files(&Path::new(manifest).with_file_name("wit"), "wit")? {
        fs::copy(path, staged.join(name).with_extension("wit"))?;
    }
    Ok(())
}

/// Files with this extension and their names without it.
fn files(folder: &Path, extension: &str) -> Outcome<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|other| other == extension)
            && let Some(name) = path.file_stem()
        {
            let name = name.to_string_lossy().into_owned();
            found.push((path, name));
        }
    }
    Ok(found)
}

fn component(module: &[u8], name: &str) -> Outcome<Vec<u8>> {
    let encoded = ComponentEncoder::default().validate(true).module(module).and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| format!("{name}: {error:#}").into())
}

impl Mods {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Writes a mod so often into `folder`, which is made anew.
    pub(crate) fn write(&self, name: &str, count: usize, folder: &Path) -> Outcome {
        fs::create_dir_all(folder)?;
        if count == 0 {
            return Ok(());
        }
        let bytes = self.0.get(name).ok_or_else(|| format!("there is no mod {name}"))?;
        let extension = if name.starts_with("lua_") { "lua" } else { "wasm" };
        for number in 0..count {
            let bytes = if name.starts_with("ours_") { renamed(bytes, number)? } else { bytes.clone() };
            fs::write(folder.join(format!("mod_{number:03}.{extension}")), bytes)?;
        }
        Ok(())
    }
}

/// Our module under another id of the same length, so that there can be many of it.
fn renamed(module: &[u8], number: usize) -> Outcome<Vec<u8>> {
    let new = format!("{}{number:0DIGITS$}", &ID[..ID.len() - DIGITS]);
    let mut module = module.to_vec();
    // It stands in the custom section; a copy in the data does no harm.
    let places: Vec<usize> = (0..module.len()).filter(|at| module[*at..].starts_with(ID.as_bytes())).collect();
    if places.is_empty() {
        return Err(format!("the module should state `{ID}`").into());
    }
    for at in places {
        module[at..at + new.len()].copy_from_slice(new.as_bytes());
    }
    Ok(module)
}
