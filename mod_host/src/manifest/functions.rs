//! What a mod states of its functions, and the codec that they speak. The engine is not known here.

use mod_abi::{FunctionDesc, FunctionError, Identity, MAX_FUNCTIONS, MAX_FUNCTIONS_BYTES, codec::Codec};

use crate::{error::LoadError, text};

/// Linkers join sections of one name; a tool that does not leaves several.
pub(super) fn read(sections: &[&[u8]]) -> Result<Vec<FunctionDesc>, LoadError> {
    let error = |source| LoadError::Functions { source };
    let bytes = sections.iter().fold(0_usize, |sum, section| sum.saturating_add(section.len()));
    if bytes > MAX_FUNCTIONS_BYTES {
        return Err(error(FunctionError::TooLong { bytes }));
    }
    let mut functions = Vec::new();
    for section in sections {
        functions.append(&mut FunctionDesc::parse_section(section).map_err(error)?);
        if functions.len() > MAX_FUNCTIONS {
            return Err(error(FunctionError::TooMany));
        }
    }
    Ok(functions)
}

/// A mod that states no identity speaks what its functions speak.
pub(super) fn codec(identity: &Identity, stated: bool, functions: &[FunctionDesc]) -> Result<Codec, LoadError> {
    let name = match functions.first() {
        Some(function) if !stated => &function.codec,
        _ => &identity.codec,
    };
    let known = Codec::from_name(name).filter(|codec| codec.is_enabled());
    let codec = known.ok_or_else(|| LoadError::Codec { codec: text::clean(name) })?;
    match functions.iter().find(|function| function.codec != codec.name()) {
        None => Ok(codec),
        Some(other) => Err(LoadError::FunctionCodec {
            codec,
            function: text::clean(&other.name),
            stated: text::clean(&other.codec),
        }),
    }
}
