//! The code that the macros write: thin, and all of it calls into `mod_sdk::__private`.

pub(crate) mod asset;
pub(crate) mod bundle;
pub(crate) mod function;
pub(crate) mod main;
pub(crate) mod mirror;
pub(crate) mod settings;
pub(crate) mod states;
