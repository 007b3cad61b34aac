//! What a mod states of its functions, and the codec that they speak. The engine is not known here.

use std::collections::{BTreeMap, btree_map::Entry};

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
    once(functions).map_err(error)
}

/// Modules of a program may each state the same import. More lines than functions would only cost time.
fn once(functions: Vec<FunctionDesc>) -> Result<Vec<FunctionDesc>, FunctionError> {
    let (mut seen, mut distinct) = (BTreeMap::new(), Vec::new());
    for function in functions {
        match seen.entry((function.direction.name(), function.mod_id.clone(), function.name.clone())) {
            Entry::Vacant(place) => {
                place.insert(function.signature.clone());
                distinct.push(function);
            }
            Entry::Occupied(place) if *place.get() == function.signature => {}
            Entry::Occupied(_) => return Err(FunctionError::Twice { name: text::clean(&function.name) }),
        }
    }
    Ok(distinct)
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
