//! Functions that cross.

use mod_abi::names;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{FnArg, Pat, Type};

use crate::parse::Function;

/// `#[export]`: the function, and beside it one that the game can call.
pub(crate) fn export(function: &Function) -> TokenStream {
    let ident = &function.signature.ident;
    let name = function.name();
    let symbol = names::symbol(&name);
    let types = argument_types(function);
    let values: Vec<_> = (0..types.len()).map(|index| format_ident!("__{index}")).collect();
    let pattern = match (types.as_slice(), values.as_slice()) {
        ([ty], [value]) => quote!(#value: #ty),
        _ => quote!((#(#values),*): (#(#types),*)),
    };
    quote! {
        #function

        #[cfg(target_family = "wasm")]
        const _: () = {
            #[allow(unsafe_code, reason = "an export is a symbol")]
            #[unsafe(export_name = #symbol)]
            extern "C" fn __mod_export(args: u64) -> u64 {
                ::mod_sdk::__private::export(#name, args, |#pattern| #ident(#(#values),*))
            }
        };

        // Only the game calls it: without one it should not count as unused.
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            let _ = #ident;
        };
    }
}

/// `#[import]`: a function with a body that calls the game.
pub(crate) fn import(function: &Function) -> TokenStream {
    let Function { attributes, visibility, signature, .. } = function;
    let name = function.name();
    let symbol = names::symbol(&name);
    let values: Vec<_> = signature.inputs.iter().filter_map(argument_name).collect();
    let args = match values.as_slice() {
        [value] => quote!(#value),
        values => quote!((#(#values),*)),
    };
    quote! {
        #(#attributes)*
        #visibility #signature {
            #[cfg(target_family = "wasm")]
            {
                #[allow(unsafe_code, reason = "an import is a foreign function")]
                #[link(wasm_import_module = "env")]
                unsafe extern "C" {
                    #[link_name = #symbol]
                    safe fn __mod_import(args: u64) -> u64;
                }
                ::mod_sdk::__private::import(#name, &#args, __mod_import)
            }
            #[cfg(not(target_family = "wasm"))]
            {
                let _ = #args;
                ::mod_sdk::__private::not_in_a_game(#name)
            }
        }
    }
}

fn argument_types<'a>(function: &'a Function) -> Vec<&'a Type> {
    let typed = |argument: &'a FnArg| match argument {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    };
    function.signature.inputs.iter().filter_map(typed).collect()
}

fn argument_name(argument: &FnArg) -> Option<&syn::Ident> {
    match argument {
        FnArg::Typed(argument) => match &*argument.pat {
            Pat::Ident(name) => Some(&name.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}
