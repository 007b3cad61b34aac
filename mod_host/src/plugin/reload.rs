//! A new version of a plugin takes over, or the same one starts anew.

use std::path::Path;

use mod_abi::state::carry_over;

use super::{PluginError, WasmPlugin, builder::read};
use crate::instance::Instance;

impl<C: 'static> WasmPlugin<C> {
    /// Takes another version of the plugin over. What the running one keeps (`Persist` in a plugin in Rust) goes with it,
    /// matched by field names; what no longer fits is returned, a sentence for each. A plugin that cannot be called any more
    /// keeps nothing. Handles to functions have to be looked up again, and handles to the host's values and tickets of jobs
    /// mean nothing to the new version.
    ///
    /// # Errors
    /// As [`WasmPluginBuilder::finish`](super::WasmPluginBuilder::finish), and when a version fails to hand over what it
    /// keeps. The plugin that ran so far goes on, unless it is the one that failed.
    pub fn reload(&mut self, bytes: &[u8]) -> Result<Vec<String>, PluginError> {
        let compiled = self.recipe.compile(bytes)?;
        let mut instance = self.recipe.start(&compiled)?;
        let losses = self.hand_over(&mut instance)?;
        (self.compiled, self.instance) = (compiled, instance);
        Ok(losses)
    }

    /// [`WasmPlugin::reload`] from a file.
    ///
    /// # Errors
    /// As [`WasmPlugin::reload`], and when the file cannot be read.
    pub fn reload_file(&mut self, path: impl AsRef<Path>) -> Result<Vec<String>, PluginError> {
        self.reload(&read(path.as_ref())?)
    }

    /// Starts the plugin anew, without anything of what it was: also one that cannot be called any more.
    ///
    /// # Errors
    /// When it fails to start. The plugin stays as it is.
    pub fn restart(&mut self) -> Result<(), PluginError> {
        self.instance = self.recipe.start(&self.compiled)?;
        Ok(())
    }

    /// A plugin that failed before has nothing to hand over that could be trusted.
    fn hand_over(&mut self, next: &mut Instance) -> Result<Vec<String>, PluginError> {
        if self.instance.is_poisoned() {
            return Ok(Vec::new());
        }
        let carried = carry_over(&self.instance.save()?, &next.save()?);
        if !carried.states.is_empty() {
            next.restore(&carried.states)?;
        }
        Ok(carried.losses)
    }
}
