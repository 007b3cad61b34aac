//! The main function of a mod, and the mod's identity.

use std::env;

use mod_abi::{ABI_VERSION, Identity, codec::Codec, names};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::{manifest, parse::Function};

/// `#[mod_main]`: the function, the exports that use it, and the identity section.
pub(crate) fn expand(function: &Function, codec: Codec) -> TokenStream {
    let ident = &function.signature.ident;
    let section = names::IDENTITY_SECTION;
    let text = identity(codec).to_string();
    let len = text.len();
    let text = Literal::byte_string(text.as_bytes());
    let (describe, run, save, restore) = (names::DESCRIBE, names::RUN, names::SAVE, names::RESTORE);
    let tracked = manifest::tracked();
    quote! {
        #function

        const _: fn(&mut ::mod_sdk::App) = #ident;

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "exports are symbols, and the identity is a section of the module")]
        const _: () = {
            #[unsafe(export_name = #describe)]
            extern "C" fn __mod_describe(args: u64) -> u64 {
                ::mod_sdk::__private::describe(#ident, args)
            }

            #[unsafe(export_name = #run)]
            extern "C" fn __mod_run(batch: u64) -> u64 {
                ::mod_sdk::__private::run(#ident, batch)
            }

            #[unsafe(export_name = #save)]
            extern "C" fn __mod_save(args: u64) -> u64 {
                ::mod_sdk::__private::save(#ident, args)
            }

            #[unsafe(export_name = #restore)]
            extern "C" fn __mod_restore(args: u64) -> u64 {
                ::mod_sdk::__private::restore(#ident, args)
            }

            #[used]
            #[unsafe(link_section = #section)]
            static __MOD_IDENTITY: [u8; #len] = *#text;
        };
        #tracked
    }
}

/// The identity of the crate that is being compiled, as cargo states it.
pub(crate) fn identity(codec: Codec) -> Identity {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let authors = variable("CARGO_PKG_AUTHORS");
    Identity {
        abi: ABI_VERSION,
        id: id(),
        version: variable("CARGO_PKG_VERSION"),
        authors: authors.split(':').filter(|author| !author.is_empty()).map(str::to_owned).collect(),
        dependencies: Vec::new(),
        codec: codec.name().to_owned(),
    }
}

/// The id of the mod, which is the name of its crate.
pub(crate) fn id() -> String {
    env::var("CARGO_PKG_NAME").unwrap_or_default()
}
