//! What a host offers to mods, by name. How it is called is not known here.

use std::fmt;

use mod_abi::{Signature, codec::Codec};

/// A function that the host offers. Its place in
/// [`InstanceConfig::host_functions`](crate::InstanceConfig::host_functions) is how
/// [`HostCalls`](crate::HostCalls) is told which one a mod called.
///
/// ```
/// use mod_abi::Signature;
/// use mod_host::{Decode, HostFunctionDesc};
///
/// let named = HostFunctionDesc::from("play_sound");
/// let compared = HostFunctionDesc {
///     signature: Some(|codec| Signature { args: vec![String::schema(codec), f32::schema(codec)], result: None }),
///     ..named
/// };
/// ```
#[derive(Clone)]
pub struct HostFunctionDesc {
    /// The name, without leading underscores.
    pub name: String,
    /// What it takes and returns in a codec, if that is known. It is compared with what a mod states when the mod is linked.
    pub signature: Option<fn(Codec) -> Signature>,
}

impl From<&str> for HostFunctionDesc {
    /// A function of which only the name is known.
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), signature: None }
    }
}

impl fmt::Debug for HostFunctionDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFunctionDesc").field("name", &self.name).finish_non_exhaustive()
    }
}
