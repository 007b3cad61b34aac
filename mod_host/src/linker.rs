//! Imports that the host defines on wasmtime's own linker, behind the feature `unstable-linker`.
//!
//! What is defined there is not checked by this crate: a function that waits, allocates what a plugin asks for or panics
//! does so in the middle of the call. Names that this crate offers itself cannot be replaced.

use std::sync::Arc;

use wasmtime::{Engine, Extern, Linker, Store};

use crate::{error::LoadError, fault::instantiate, state::State};

/// UNSTABLE: defines imports on wasmtime's linker. It is called for each instance that is made.
#[cfg_attr(not(feature = "unstable-linker"), expect(unreachable_pub, reason = "only that feature names it outside"))]
pub type LinkerHook = Arc<dyn Fn(&mut Linker<State>) -> wasmtime::Result<()> + Send + Sync>;

/// What the host has defined.
pub(crate) struct RawImports(Option<Linker<State>>);

impl RawImports {
    pub(crate) fn new(engine: &Engine, hook: Option<&LinkerHook>) -> Result<Self, LoadError> {
        let Some(hook) = hook else { return Ok(Self(None)) };
        let mut linker = Linker::new(engine);
        hook(&mut linker).map_err(|error| instantiate(&error))?;
        Ok(Self(Some(linker)))
    }

    pub(crate) fn get(&self, store: &mut Store<State>, (module, name): (&str, &str)) -> Option<Extern> {
        self.0.as_ref()?.get(store, module, name).ok()
    }
}
