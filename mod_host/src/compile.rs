//! From bytes to a compiled mod. How it is run is not known here.

use std::sync::Arc;

use wasmtime::Module;

use crate::{
    budget::Meter, engine::HostEngine, error::LoadError, limits::Limits, lines::Lines, manifest::Manifest, text,
};

/// A mod that has been checked and compiled. Clones are the same mod and cost nothing.
///
/// ```
/// use mod_host::{CompiledMod, HostEngine, Limits};
///
/// let bytes = std::fs::read("examples/greeter.wasm")?;
/// let compiled = CompiledMod::new(&HostEngine::shared()?, &bytes, "greeter", &Limits::default())?;
/// assert_eq!(compiled.manifest().exports, ["double", "greet"]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CompiledMod {
    module: Module,
    manifest: Arc<Manifest>,
    meter: Meter,
    /// Where its code comes from, for backtraces.
    lines: Option<Arc<Lines>>,
}

impl CompiledMod {
    /// Checks and compiles a file. `file_stem` is its name without the extension, for mods that state no identity.
    ///
    /// Takes tens of milliseconds for a mod of usual size, and a few where it is found in the engine's
    /// [cache](crate::EngineConfig::cache): call it on a thread that may wait.
    ///
    /// # Errors
    /// Those of [`Manifest::read`], and [`LoadError::Compile`].
    pub fn new(engine: &HostEngine, bytes: &[u8], file_stem: &str, limits: &Limits) -> Result<Self, LoadError> {
        // What is too large is not even hashed.
        let place = if bytes.len() <= limits.file_bytes { engine.find(bytes) } else { None };
        let (place, found) = place.unzip();
        let (manifest, module) = match found.flatten() {
            Some(module) => (Manifest::read_valid(bytes, file_stem, limits)?, module),
            None => {
                let manifest = Manifest::read(bytes, file_stem, limits)?;
                trace_room!("compile", id = manifest.identity.id);
                let module = engine.compile(bytes, place);
                let reason = |error| LoadError::Compile { reason: text::clean(&format!("{error:#}")) };
                (manifest, module.map_err(reason)?)
            }
        };
        let manifest = Arc::new(manifest);
        let lines = Lines::read(bytes).map(Arc::new);
        Ok(Self { module, manifest, meter: engine.meter(), lines })
    }

    /// Who the mod is and what crosses its border.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What ends calls of its instances.
    pub(crate) fn meter(&self) -> Meter {
        self.meter
    }

    pub(crate) fn lines(&self) -> Option<&Lines> {
        self.lines.as_deref()
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }
}
