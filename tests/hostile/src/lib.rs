//! Tries to bring the host down, without an end: generated modules, damaged mods, descriptions that lie, bytes that are nothing.
//!
//! `cargo xtask hostile` runs it, and the tests of this package for some seconds. Everything of a case comes from one number,
//! its seed. In reading order: `dice` (chance), `mutate` (damage), `seeds` (where it begins), `smith` with `graft` and `damaged`
//! (modules), `host` (a module on all ways through `mod_host`), `descriptions` and `game` (a mod in a game), `leaks`, `soak` (a long game), `watch`
//! (what went wrong meanwhile), `campaign` (one case after the other).

pub mod campaign;
pub mod damaged;
/// What the fuzzers feed. It stands with them, and needs nothing but the contract.
#[path = "../../../fuzz/src/lib.rs"]
pub mod decoders;
pub mod descriptions;
pub mod dice;
pub mod game;
pub mod graft;
pub mod host;
pub mod leaks;
pub mod mutate;
pub mod seeds;
pub mod smith;
pub mod soak;
pub mod watch;

/// The repository.
#[must_use]
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(".".as_ref()).to_owned()
}
