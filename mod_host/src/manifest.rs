//! What a file says about itself, read and judged before any of its code runs. The engine is not known here.

use std::collections::{BTreeMap, BTreeSet};

mod functions;
mod mods;
mod versions;

use mod_abi::{
    ABI_VERSION, FunctionDesc, Identity,
    codec::Codec,
    names::{
        ALLOC_BUFFER, DESCRIBE, FREE_BUFFER, FUNCTIONS_SECTION, GETRANDOM, IDENTITY_SECTION, IMPORT_MODULE, INITIALIZE,
        JOB_TAKE, LOG, MEMORY, PANIC, RESTORE, RUN, SAVE, is_reserved,
    },
};
use wasmparser::{
    CompositeInnerType, FuncType, Parser, Payload, ValType, ValidPayload, Validator,
    types::{EntityType, Types, TypesRef},
};

use crate::{engine::FEATURES, error::LoadError, limits::Limits, mod_call::ModImport, text};

/// Bytes of a page of linear memory.
const PAGE: u64 = 64 << 10;
/// The most problems that one error lists.
pub(crate) const MAX_PROBLEMS: usize = 64;

/// Who a mod is and what crosses its border, read from the file.
///
/// ```
/// use mod_host::{Limits, Manifest};
///
/// let bytes = std::fs::read("examples/greeter.wasm")?;
/// let manifest = Manifest::read(&bytes, "greeter", &Limits::default())?;
/// assert_eq!(manifest.host_functions, ["announce"]);
/// assert_eq!(manifest.functions[0].to_string(), "export bincode greet (str)->str");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Name, version and origin.
    pub identity: Identity,
    /// Whether the file states its identity. If not, it is made from the file's name.
    pub stated_identity: bool,
    /// The host functions that the mod imports, without leading underscores: sorted, each once. The raw ones
    /// (`__getrandom`, `__log`, `__job_take`, ...) are not among them, nor are imports of another type, which cannot be linked.
    pub host_functions: Vec<String>,
    /// The functions of other mods that the mod imports: sorted, each once. All of those mods are among the dependencies that
    /// it states.
    pub mod_functions: Vec<ModImport>,
    /// The functions that can be called by name, without leading underscores: sorted, without reserved names.
    pub exports: Vec<String>,
    /// How the values of the mod's functions become bytes.
    pub codec: Codec,
    /// What the mod states of its functions, exports and imports alike. It need not state any.
    pub functions: Vec<FunctionDesc>,
    /// Whether the mod can describe its systems.
    pub describes: bool,
    /// Whether the mod can run systems.
    pub runs_systems: bool,
}

impl Manifest {
    /// Reads and checks a file. `file_stem` is its name without the extension, for mods that state no identity.
    ///
    /// # Errors
    /// When the file is larger than [`Limits::file_bytes`], not a valid core module, built for another version of
    /// the contract or codec, states its identity badly or twice, has versions that are none (all of them in
    /// one error), calls mods that it does not state as dependencies (all in one error), or lacks exports that the contract needs (all of those in one error).
    pub fn read(bytes: &[u8], file_stem: &str, limits: &Limits) -> Result<Self, LoadError> {
        Self::read_and(Functions::Validate, bytes, file_stem, limits)
    }

    /// The same of a module that is known to be valid, because it was compiled from these very bytes. The code of its functions
    /// is nearly all of it, and is not looked at once more.
    pub(crate) fn read_valid(bytes: &[u8], file_stem: &str, limits: &Limits) -> Result<Self, LoadError> {
        Self::read_and(Functions::AreValid, bytes, file_stem, limits)
    }

    fn read_and(functions_are: Functions, bytes: &[u8], file_stem: &str, limits: &Limits) -> Result<Self, LoadError> {
        trace_room!("check", file = file_stem);
        // A later version of the contract may allow features that this host cannot validate, so it is asked first.
        let sections = Sections::read(bytes, limits)?;
        let (identity, stated_identity) = identity(&sections.identities, file_stem)?;
        let functions = functions::read(&sections.functions)?;
        let codec = functions::codec(&identity, stated_identity, &functions)?;
        let types = functions_are.types(bytes)?;
        let types = types.as_ref();

        let host_functions = host_functions(types);
        let exports = Exports::read(types);
        let mod_functions = mods::imports(types);
        exports.check(!host_functions.is_empty() || !mod_functions.is_empty(), limits)?;
        mods::check(&identity, &mod_functions)?;
        Ok(Self {
            identity,
            stated_identity,
            host_functions,
            mod_functions,
            codec,
            functions,
            describes: exports.contract.contains_key(DESCRIBE),
            runs_systems: exports.contract.contains_key(RUN),
            exports: exports.callable,
        })
    }

    /// Reads who a mod is, and nothing else: what has to be known of all mods before it is decided which of them run
    /// ([`resolve`](crate::resolve())). Takes no longer than reading the file does.
    ///
    /// # Errors
    /// When the file is larger than [`Limits::file_bytes`], not a core module, built for another version of the contract,
    /// states its identity badly or twice, or has versions that are none. Whatever else is wrong with it shows later.
    pub fn read_identity(bytes: &[u8], file_stem: &str, limits: &Limits) -> Result<Identity, LoadError> {
        identity(&Sections::read(bytes, limits)?.identities, file_stem).map(|(identity, _)| identity)
    }
}

/// What is known of the code of a module's functions.
enum Functions {
    Validate,
    AreValid,
}

impl Functions {
    fn types(&self, bytes: &[u8]) -> Result<Types, LoadError> {
        let mut validator = Validator::new_with_features(FEATURES);
        if matches!(self, Self::Validate) {
            return validator.validate_all(bytes).map_err(|error| invalid(&error));
        }
        let mut parser = Parser::new(0);
        parser.set_features(FEATURES);
        for payload in parser.parse_all(bytes) {
            let valid = payload.and_then(|payload| validator.payload(&payload));
            if let ValidPayload::End(types) = valid.map_err(|error| invalid(&error))? {
                return Ok(types);
            }
        }
        Err(LoadError::Invalid { reason: "it has no end".to_owned() })
    }
}

fn invalid(error: &wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Invalid { reason: text::clean(&error.to_string()) }
}

/// What the contract says in custom sections.
#[derive(Default)]
struct Sections<'a> {
    identities: Vec<&'a [u8]>,
    functions: Vec<&'a [u8]>,
}

impl<'a> Sections<'a> {
    fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, LoadError> {
        if bytes.len() > limits.file_bytes {
            return Err(LoadError::TooLarge { bytes: bytes.len(), limit: limits.file_bytes });
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWasm);
        }
        // The second half of the version is the layer: 0 for modules, 1 for components.
        if bytes.get(6..8) == Some(&[1, 0]) {
            return Err(LoadError::Component);
        }
        let mut sections = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let Payload::CustomSection(section) = payload.map_err(|error| invalid(&error))? else { continue };
            match section.name() {
                IDENTITY_SECTION => sections.identities.push(section.data()),
                FUNCTIONS_SECTION => sections.functions.push(section.data()),
                _ => {}
            }
        }
        Ok(sections)
    }
}

fn identity(sections: &[&[u8]], file_stem: &str) -> Result<(Identity, bool), LoadError> {
    let identity = match sections {
        [] => Identity::from_file_name(file_stem)
            .map_err(|_| LoadError::FileName { file_stem: text::clean(file_stem) })?,
        [section] => {
            let source = |source| LoadError::Identity { source };
            let found = Identity::parse_abi(section).map_err(source)?;
            if found != ABI_VERSION {
                return Err(LoadError::AbiVersion { found });
            }
            let identity = Identity::parse(section).map_err(source)?;
            versions::check(&identity)?;
            identity
        }
        more => return Err(LoadError::DuplicateIdentity { count: more.len() }),
    };
    Ok((identity, !sections.is_empty()))
}

/// Imports of other types are the linker's to report, with all others that are wrong.
fn host_functions(types: TypesRef<'_>) -> Vec<String> {
    let mut names = BTreeSet::new();
    for (module, name, entity) in types.core_imports().into_iter().flatten() {
        let raw = matches!(name, GETRANDOM | JOB_TAKE | LOG | PANIC);
        if let Some(bare) = name.strip_prefix("__")
            && module == IMPORT_MODULE
            && !raw
            && text::is_clean(bare)
            && function_type(types, entity).is_some_and(crosses)
        {
            names.insert(bare.to_owned());
        }
    }
    names.into_iter().collect()
}

fn function_type<'a>(types: TypesRef<'a>, entity: EntityType) -> Option<&'a FuncType> {
    let (EntityType::Func(id) | EntityType::FuncExact(id)) = entity else { return None };
    match &types.get(id)?.composite_type.inner {
        CompositeInnerType::Func(ty) => Some(ty),
        _ => None,
    }
}

/// Whether a function takes a buffer and returns one.
fn crosses(ty: &FuncType) -> bool {
    ty.params() == [ValType::I64] && ty.results() == [ValType::I64]
}

/// A signature as it stands in error messages.
pub(crate) fn signature<T: ToString>(
    params: impl IntoIterator<Item = T>,
    results: impl IntoIterator<Item = T>,
) -> String {
    let list = |types: &mut dyn Iterator<Item = T>| types.map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(&mut params.into_iter()), list(&mut results.into_iter()))
}

/// What a name of the contract must be exported as.
struct Required {
    name: &'static str,
    params: &'static [ValType],
    results: &'static [ValType],
}

const CONTRACT: &[Required] = &[
    Required { name: ALLOC_BUFFER, params: &[ValType::I32], results: &[ValType::I32] },
    Required { name: FREE_BUFFER, params: &[ValType::I64], results: &[] },
    Required { name: INITIALIZE, params: &[], results: &[] },
    Required { name: DESCRIBE, params: &[ValType::I64], results: &[ValType::I64] },
    Required { name: RUN, params: &[ValType::I64], results: &[ValType::I64] },
    Required { name: SAVE, params: &[ValType::I64], results: &[ValType::I64] },
    Required { name: RESTORE, params: &[ValType::I64], results: &[ValType::I64] },
];

struct Exports<'a> {
    /// Those of [`CONTRACT`] that are there, with their types; `None` if they are not functions.
    contract: BTreeMap<&'a str, Option<&'a FuncType>>,
    /// The exported memory's first size, in bytes. `None` inside if `memory` is something else.
    memory: Option<Option<u64>>,
    /// The others that can be called.
    callable: Vec<String>,
}

impl<'a> Exports<'a> {
    fn read(types: TypesRef<'a>) -> Self {
        let mut exports = Self { contract: BTreeMap::new(), memory: None, callable: Vec::new() };
        for (name, entity) in types.core_exports().into_iter().flatten() {
            let ty = function_type(types, entity);
            if name == MEMORY {
                exports.memory = Some(match entity {
                    EntityType::Memory(memory) => Some(memory.initial.saturating_mul(PAGE)),
                    _ => None,
                });
            } else if CONTRACT.iter().any(|required| required.name == name) {
                exports.contract.insert(name, ty);
            } else if let Some(bare) = name.strip_prefix("__")
                && !is_reserved(bare)
                && text::is_clean(bare)
                && ty.is_some_and(crosses)
            {
                exports.callable.push(bare.to_owned());
            }
        }
        exports.callable.sort_unstable();
        exports
    }

    fn check(&self, imports_functions: bool, limits: &Limits) -> Result<(), LoadError> {
        let mut problems = Vec::new();
        let limit = u64::try_from(limits.memory_bytes).unwrap_or(u64::MAX);
        match self.memory {
            None => problems.push(format!("it exports no memory (as `{MEMORY}`)")),
            Some(None) => problems.push(format!("`{MEMORY}` is not a memory")),
            Some(Some(bytes)) if bytes > limit => {
                problems.push(format!("its memory starts with {bytes} bytes, more than the limit of {limit}"));
            }
            Some(Some(_)) => {}
        }
        let crosses = imports_functions
            || !self.callable.is_empty()
            || [DESCRIBE, RUN, SAVE, RESTORE].iter().any(|name| self.contract.contains_key(name));
        for Required { name, params, results } in CONTRACT {
            let expected = || signature(*params, *results);
            match self.contract.get(name) {
                None if crosses && matches!(*name, ALLOC_BUFFER | FREE_BUFFER) => {
                    problems.push(format!("`{name}` of type {} is missing", expected()));
                }
                None => {}
                Some(None) => problems.push(format!("`{name}` should be a function of type {}", expected())),
                Some(Some(ty)) if ty.params() != *params || ty.results() != *results => {
                    let found = text::clean(&signature(ty.params(), ty.results()));
                    problems.push(format!("`{name}` has the type {found}, but should have {}", expected()));
                }
                Some(Some(_)) => {}
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(LoadError::Exports { problems }) }
    }
}
