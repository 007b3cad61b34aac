//! What a mod imports, looked up and compared before anything is linked: all that is wrong is told at once.

mod env;
mod mods;

use std::collections::HashMap;

use mod_abi::{
    Direction, FunctionDesc,
    codec::Codec,
    names::{ENTITY_RESERVE, GETRANDOM, IMPORT_MODULE, JOB_CANCEL, JOB_STATE, JOB_TAKE, LOG, PANIC, QUERY_ROW, symbol},
};
use wasmtime::{Extern, ExternType, Func, FuncType, Module, Store};

pub(crate) use self::env::{NoRandom, random};
use crate::{
    error::LoadError,
    fault::instantiate,
    function::{DIFFERS_IN_NANOSERDE, differs_in_nanoserde},
    host_function::HostFunctionDesc,
    linker::RawImports,
    manifest::{MAX_PROBLEMS, Manifest, signature},
    mod_call::in_words_of_mods,
    nearest::{hint, nearest},
    preview1,
    state::State,
    text,
};

/// What every host offers in `env`.
const RAW: [&str; 8] = [ENTITY_RESERVE, GETRANDOM, JOB_CANCEL, JOB_STATE, JOB_TAKE, LOG, PANIC, QUERY_ROW];

/// What is said of imports that only a browser has.
const FOR_BROWSERS: &str =
    ", which only browsers have: switch the feature for JavaScript off in the crate that wants it";

/// Everything that `module` imports, in its order.
pub(crate) fn link(store: &mut Store<State>, module: &Module, raw: &RawImports) -> Result<Vec<Extern>, LoadError> {
    trace_room!("link", id = store.data().holdings.compiled.manifest().identity.id);
    let functions = store.data().host_functions.clone();
    // Names that are imported as something else are looked up too, to tell what they are.
    let nothing = FuncType::try_new(store.engine(), [], []).map_err(|error| instantiate(&error.into()))?;
    let names = functions.iter().map(|function| function.name.as_str());
    let indices: HashMap<&str, usize> = names.zip(0..).collect();
    // Each function is made once, however often a mod imports it.
    let mut made: HashMap<(&str, &str), Func> = HashMap::new();
    let mut externs = Vec::new();
    let mut problems = Problems::default();
    for import in module.imports() {
        let key = (import.module(), import.name());
        let ty = import.ty();
        let func = match made.get(&key) {
            Some(func) => Some(*func),
            None => {
                offered(store, key, ty.func().unwrap_or(&nothing), &indices).map_err(|error| instantiate(&error))?
            }
        };
        match (func, &ty) {
            (Some(func), ExternType::Func(ty)) if func.matches_ty(&*store, ty) => {
                made.insert(key, func);
                externs.push(Extern::Func(func));
            }
            (Some(func), _) => problems.add(|| mismatch(key, &ty, &func.ty(&*store))),
            (None, _) => match (raw.get(store, key), ty.func()) {
                (Some(Extern::Func(defined)), wanted) if !wanted.is_some_and(|ty| defined.matches_ty(&*store, ty)) => {
                    problems.add(|| mismatch(key, &ty, &defined.ty(&*store)));
                }
                // The engine compares what is no function.
                (Some(defined), _) => externs.push(defined),
                (None, _) => problems.add(|| missing(key, &ty, &indices)),
            },
        }
    }
    compare_types(store.data().holdings.compiled.manifest(), &functions, &mut problems);
    problems.into_result().map(|()| externs)
}

/// What the mod states of the functions that it imports, against what they are.
fn compare_types(manifest: &Manifest, functions: &[HostFunctionDesc], problems: &mut Problems) {
    let of_host = |stated: &&FunctionDesc| stated.direction == Direction::Import && stated.mod_id.is_none();
    let stated = manifest.functions.iter().filter(of_host);
    for stated in stated.filter(|stated| manifest.host_functions.contains(&stated.name)) {
        let offered = functions.iter().find(|offered| offered.name == stated.name);
        let Some(signature) = offered.and_then(|offered| offered.signature) else { continue };
        let (offered, name) = (signature(manifest.codec), full_name((IMPORT_MODULE, &symbol(&stated.name))));
        if manifest.codec == Codec::NanoserdeJson && differs_in_nanoserde(&offered) {
            problems.add(|| format!("the mod calls `{name}` in `{}`, {DIFFERS_IN_NANOSERDE}", manifest.codec));
        }
        // To the mod it is the other side that takes and returns.
        if let Some(difference) = offered.difference(&stated.signature, manifest.codec) {
            problems.add(|| format!("`{name}` {}", text::clean(&in_words_of_mods(&difference))));
        }
    }
}

/// What is wrong, up to a number of sentences.
#[derive(Default)]
struct Problems {
    listed: Vec<String>,
    unlisted: usize,
}

impl Problems {
    fn add(&mut self, problem: impl FnOnce() -> String) {
        if self.listed.len() < MAX_PROBLEMS {
            self.listed.push(problem());
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    fn into_result(self) -> Result<(), LoadError> {
        let Self { listed: mut problems, unlisted } = self;
        if unlisted > 0 {
            problems.push(format!("and {unlisted} more"));
        }
        if problems.is_empty() { Ok(()) } else { Err(LoadError::Imports { problems }) }
    }
}

fn offered(
    store: &mut Store<State>,
    (module, name): (&str, &str),
    ty: &FuncType,
    indices: &HashMap<&str, usize>,
) -> wasmtime::Result<Option<Func>> {
    match module {
        IMPORT_MODULE => env::function(store, name, indices),
        #[cfg(feature = "wasi")]
        preview1::MODULE => match crate::wasi::function(store, name)? {
            Some(func) => Ok(Some(func)),
            None => preview1::function(store, name, ty),
        },
        #[cfg(not(feature = "wasi"))]
        preview1::MODULE => preview1::function(store, name, ty),
        _ => mods::function(store, module, name),
    }
}

fn full_name((module, name): (&str, &str)) -> String {
    text::clean(&format!("{module}.{name}"))
}

fn mismatch(key: (&str, &str), wanted: &ExternType, offered: &FuncType) -> String {
    let (name, wanted) = (full_name(key), kind(wanted));
    format!("`{name}` is {}, but the mod wants {wanted}", function_kind(offered))
}

fn missing((module, name): (&str, &str), wanted: &ExternType, indices: &HashMap<&str, usize>) -> String {
    let nearest = match (module, name.strip_prefix("__")) {
        (IMPORT_MODULE, Some(bare)) => {
            let raw = RAW.iter().filter_map(|name| name.strip_prefix("__"));
            nearest(bare, indices.keys().copied().chain(raw)).map(|name| symbol(&name))
        }
        (preview1::MODULE, _) => nearest(name, preview1::NAMES.iter().copied()),
        _ => None,
    };
    // What wasm-bindgen leaves in a module that its own tool has not finished.
    let of_browser = module.starts_with("__wbindgen") || module == "wbg";
    let why = if of_browser { FOR_BROWSERS } else { "" };
    format!("`{}` ({}){}{why}", full_name((module, name)), kind(wanted), hint(nearest.as_deref()))
}

fn kind(ty: &ExternType) -> String {
    match ty {
        ExternType::Func(ty) => function_kind(ty),
        ExternType::Global(_) => "a global".to_owned(),
        ExternType::Table(_) => "a table".to_owned(),
        ExternType::Memory(_) => "a memory".to_owned(),
        ExternType::Tag(_) => "a tag".to_owned(),
    }
}

fn function_kind(ty: &FuncType) -> String {
    text::clean(&format!("a function {}", signature(ty.params(), ty.results())))
}
