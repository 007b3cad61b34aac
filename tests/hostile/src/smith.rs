//! Modules that nobody would write, with and without the contract. What is done with them is not known here.

use arbitrary::{Arbitrary, Unstructured};
use wasm_smith::{Config, Module};

use crate::{dice::Dice, graft, watch};

/// What a module may import: `i` is an `i32`, `l` an `i64`, and what follows the colon is returned.
const ENV: &[(&str, &str)] = &[
    ("__getrandom", "ii:i"),
    ("__log", "iii:"),
    ("__panic", "ii:"),
    ("__entity_reserve", ":l"),
    ("__query_row", "il:i"),
    ("__job_state", "l:i"),
    ("__job_take", "l:l"),
    ("__job_cancel", "l:"),
    ("__double", "l:l"),
    ("__store", "l:l"),
    ("__work", "l:l"),
    ("__query_ticks", "l:l"),
    ("__type_index", "l:l"),
    ("__world_prepare", "l:l"),
    ("__world_query", "l:l"),
];
/// What nobody offers, and what is of another type.
const WRONG: &[(&str, &str)] = &[("__stranger", "l:l"), ("__log", "l:l"), ("__double", "i:i"), ("__getrandom", ":")];
const WASI: &[(&str, &str)] = &[
    ("args_get", "ii:i"),
    ("args_sizes_get", "ii:i"),
    ("clock_res_get", "ii:i"),
    ("clock_time_get", "ili:i"),
    ("environ_get", "ii:i"),
    ("environ_sizes_get", "ii:i"),
    ("fd_close", "i:i"),
    ("fd_fdstat_get", "ii:i"),
    ("fd_filestat_get", "ii:i"),
    ("fd_prestat_dir_name", "iii:i"),
    ("fd_prestat_get", "ii:i"),
    ("fd_read", "iiii:i"),
    ("fd_readdir", "iiili:i"),
    ("fd_seek", "ilii:i"),
    ("fd_write", "iiii:i"),
    ("path_filestat_get", "iiiii:i"),
    ("path_open", "iiiiillii:i"),
    ("path_rename", "iiiiii:i"),
    ("poll_oneoff", "iiii:i"),
    ("proc_exit", "i:"),
    ("random_get", "ii:i"),
    ("sched_yield", ":i"),
];
/// Functions of another mod.
const BEES: &[(&str, &str)] = &[("__count", "l:l"), ("__sting", "l:l")];
/// What a module may export, apart from a memory.
const EXPORTS: &[(&str, &str)] = &[
    ("__mod_describe", "l:l"),
    ("__mod_run", "l:l"),
    ("__mod_save", "l:l"),
    ("__mod_restore", "l:l"),
    ("_initialize", ":"),
    ("__f0", "l:l"),
    ("__f1", "l:l"),
    ("__f2", "l:l"),
];
const ALLOCATOR: &[(&str, &str)] = &[("__alloc_buffer", "i:i"), ("__free_buffer", "l:")];

/// A function type in the text format.
fn function(ty: &str) -> String {
    let word = |letter: char| if letter == 'i' { " i32" } else { " i64" };
    let (params, results) = ty.split_once(':').unwrap_or((ty, ""));
    let words = |letters: &str| letters.chars().map(word).collect::<String>();
    format!("(param{}) (result{})", words(params), words(results))
}

/// A module that only says what may be imported.
fn imports(dice: &mut Dice) -> Vec<u8> {
    let mut text = String::new();
    for (module, names) in [("env", ENV), ("wasi_snapshot_preview1", WASI), ("mod:bees", BEES)] {
        if dice.chance(60) {
            for (name, ty) in names {
                if dice.chance(50) {
                    text += &format!("(import \"{module}\" \"{name}\" (func {}))", function(ty));
                }
            }
        }
    }
    if dice.chance(3) {
        let (name, ty) = *dice.pick(WRONG);
        text += &format!("(import \"env\" \"{name}\" (func {}))", function(ty));
    }
    wat::parse_str(format!("(module {text})")).expect("the text is right")
}

/// A module that only says what is exported.
fn exports(with_allocator: bool, dice: &mut Dice) -> Vec<u8> {
    let mut text = format!("(memory (export \"memory\") {} {})", dice.below(4), 4 + dice.below(80));
    let allocator = if with_allocator { ALLOCATOR } else { &[] };
    for (name, ty) in EXPORTS.iter().filter(|_| dice.chance(70)).chain(allocator) {
        text += &format!("(func (export \"{name}\") {} unreachable)", function(ty));
    }
    wat::parse_str(format!("(module {text})")).expect("the text is right")
}

/// A module. `None` when wasm-smith has none for these dice.
#[must_use]
pub fn module(dice: &mut Dice) -> Option<Vec<u8>> {
    let len = 256 << dice.below(7);
    let entropy = dice.bytes(len);
    let mut entropy = Unstructured::new(&entropy);
    let mut config = Config::arbitrary(&mut entropy).ok()?;
    // Within what mods may use, or beyond it.
    if dice.chance(85) {
        config.gc_enabled = false;
        config.threads_enabled = false;
        config.memory64_enabled = false;
        config.exceptions_enabled = false;
        config.max_memories = 1;
        config.max_tags = 0;
        // Among references are those to values of the host, which mods do not have.
        config.reference_types_enabled = dice.chance(20);
    }
    if dice.chance(80) {
        config.max_memory32_bytes = config.max_memory32_bytes.min(1 << 21);
        config.max_table_elements = config.max_table_elements.min(2_000);
    }
    config.max_instructions = 20 + dice.below(400);
    config.max_funcs = config.max_funcs.min(60);
    config.generate_custom_sections = dice.chance(20);
    config.allow_start_export = dice.chance(70);
    config.disallow_traps &= dice.chance(50);
    config.allow_invalid_funcs = dice.chance(5);
    let (contract, own_allocator) = (dice.chance(85), dice.chance(20));
    if contract {
        config.available_imports = Some(imports(dice));
        config.exports = Some(exports(own_allocator, dice));
        // The one that is exported comes on top.
        config.max_memories = 0;
    }
    // What panics here is not ours.
    let module = watch::excused(|| Module::new(config, &mut entropy).map(|module| module.to_bytes()))?.ok()?;
    if !contract {
        return Some(module);
    }
    let mut module = if own_allocator {
        module
    } else {
        let address = if dice.chance(80) { *dice.pick(&[16, 1024, 65_536]) } else { dice.number() as u32 };
        graft::allocator(&module, address).unwrap_or(module)
    };
    let codec = *dice.pick(&["bincode", "json", "bincode", "nanoserde-json"]);
    if dice.chance(97) {
        let text = format!("abi: 3\nid: smith\nversion: 1.0.0\ncodec: {codec}\noptional: bees *\n");
        graft::custom(&mut module, "bevy_mod", text.as_bytes());
    }
    if dice.chance(20) {
        let text = format!("export {codec} f0 (u8)->u8\nimport {codec} double (f64)->f64\n");
        graft::custom(&mut module, "bevy_mod_functions", text.as_bytes());
    }
    Some(module)
}
