//! The main function of a mod, and the mod's identity.

use mod_abi::names;
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{FnArg, Type, spanned::Spanned};

use crate::{
    manifest::{self, Manifest},
    parse::Function,
};

/// `#[mod_main]`: the function, the exports that use it, and the identity section.
pub(crate) fn expand(function: &Function, manifest: &Manifest) -> TokenStream {
    let ident = &function.signature.ident;
    // What is no function of the app is an error at the argument.
    let mut checked = ident.clone();
    if let Some(FnArg::Typed(argument)) = function.signature.inputs.first() {
        checked.set_span(match &*argument.ty {
            Type::Reference(reference) => reference.elem.span(),
            other => other.span(),
        });
    }
    let section = names::IDENTITY_SECTION;
    let text = manifest.identity.to_string();
    let len = text.len();
    let text = Literal::byte_string(text.as_bytes());
    let (describe, run, save, restore) = (names::DESCRIBE, names::RUN, names::SAVE, names::RESTORE);
    let tracked = manifest::tracked();
    quote! {
        #function

        const _: fn(&mut ::mod_sdk::App) = #checked;

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

/// The id of the mod.
pub(crate) fn id() -> String {
    Manifest::of_this_crate().0.identity.id
}
