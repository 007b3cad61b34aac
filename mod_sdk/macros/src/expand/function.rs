//! Functions that cross.

use mod_abi::{Direction, codec::Codec, names};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{FnArg, LitStr, Pat, Signature, Type, spanned::Spanned};

use crate::{
    manifest::{self, Manifest},
    parse::Function,
};

/// `#[export]`: the function, and beside it one that the game can call.
pub(crate) fn export(function: &Function, manifest: &Manifest) -> TokenStream {
    let codec = manifest.codec;
    let ident = &function.signature.ident;
    let name = function.name();
    let symbol = names::symbol(&name);
    let module = module(codec);
    let types = argument_types(function);
    let values: Vec<_> = (0..types.len()).map(|index| format_ident!("__{index}")).collect();
    let pattern = match (types.as_slice(), values.as_slice()) {
        ([ty], [value]) => quote!(#value: #ty),
        ([], []) => quote!((): ()),
        _ => quote!(::mod_sdk::__private::Args((#(#values),*)): ::mod_sdk::__private::Args<(#(#types),*)>),
    };
    let line = line(function, Direction::Export, codec);
    let checks = checks(&module, &types, "reads", function, "writes");
    let tracked = manifest::tracked();
    quote! {
        #function

        #[cfg(target_family = "wasm")]
        const _: () = {
            #[allow(unsafe_code, reason = "an export is a symbol")]
            #[unsafe(export_name = #symbol)]
            extern "C" fn __mod_export(args: u64) -> u64 {
                #module::export(#name, args, |#pattern| #ident(#(#values),*))
            }

            #line
        };

        // Only the game calls it: without one it should not count as unused.
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            let _ = #ident;
        };
        #checks
        #tracked
    }
}

/// `#[import]`: a function with a body that calls the game or another mod.
pub(crate) fn import(function: &Function, manifest: &Manifest) -> TokenStream {
    let codec = manifest.codec;
    let Function { attributes, visibility, .. } = function;
    let signature = with_arguments_of_other_names(&function.signature);
    let name = function.name();
    let symbol = names::symbol(&name);
    let module = module(codec);
    let ident = &signature.ident;
    let values: Vec<_> = signature.inputs.iter().filter_map(argument_name).collect();
    let args = match values.as_slice() {
        [value] => quote!(#value),
        [] => quote!(()),
        values => quote!(::mod_sdk::__private::Args((#(#values),*))),
    };
    let line = line(function, Direction::Import, codec);
    let checks = checks(&module, &argument_types(function), "writes", function, "reads");
    let origin = function.mod_id.as_ref().map(LitStr::value);
    let (from, call, native) = match &origin {
        None => ("env".to_owned(), quote!(import), quote!(not_in_a_game(#ident, #name, (#(#values,)*)))),
        Some(id) => (
            format!("{}{id}", names::MOD_IMPORT_PREFIX),
            quote!(import_mod),
            quote!(no_other_mods(#ident, #id, (#(#values,)*))),
        ),
    };
    let tracked = manifest::tracked();
    quote! {
        #(#attributes)*
        #visibility #signature {
            #[cfg(target_family = "wasm")]
            {
                #[allow(unsafe_code, reason = "an import is a foreign function")]
                #[link(wasm_import_module = #from)]
                unsafe extern "C" {
                    #[link_name = #symbol]
                    safe fn __mod_import(args: u64) -> u64;
                }
                #module::#call(#name, &#args, __mod_import)
            }
            #[cfg(not(target_family = "wasm"))]
            {
                ::mod_sdk::__private::#native
            }
        }

        #[cfg(target_family = "wasm")]
        const _: () = {
            #line
        };
        #checks
        #tracked
    }
}

/// The signature, in which no argument is called as the function is: in a native build, the body names the function itself.
fn with_arguments_of_other_names(signature: &Signature) -> Signature {
    let mut signature = signature.clone();
    for argument in &mut signature.inputs {
        if let FnArg::Typed(argument) = argument
            && let Pat::Ident(name) = &mut *argument.pat
            && name.ident == signature.ident
        {
            name.ident = format_ident!("{}_", name.ident);
        }
    }
    signature
}

/// Where the SDK speaks that codec.
fn module(codec: Codec) -> TokenStream {
    let name = match codec {
        Codec::Bincode => "bincode",
        Codec::Json => "json",
        Codec::NanoserdeJson => "nano",
    };
    let name = format_ident!("{name}");
    quote!(::mod_sdk::__private::#name)
}

/// Asks whether the codec knows the types, each at its place, and in native builds, too.
fn checks(module: &TokenStream, args: &[&Type], arg: &str, function: &Function, result: &str) -> TokenStream {
    let check = |ty: &Type, way: &str| {
        let way = format_ident!("{way}");
        quote_spanned!(ty.span()=> #module::#way::<#ty>();)
    };
    let args = args.iter().map(|ty| check(ty, arg));
    let result = function.result().map(|ty| check(ty, result));
    quote! {
        const _: () = {
            #(#args)*
            #result
        };
    }
}

/// The function's line in the section that states all of them.
///
/// The linker joins the parts of all functions. A macro does not know which types are `Reflect`, so the compiler picks: of
/// two constants with that name it takes the one that needs no trait in scope, if its bounds are met.
fn line(function: &Function, direction: Direction, codec: Codec) -> TokenStream {
    let section = names::FUNCTIONS_SECTION;
    let origin = function.mod_id.as_ref().map(|id| format!("{}::", id.value())).unwrap_or_default();
    let start = format!("{} {codec} {origin}{} ", direction.name(), function.name());
    let types = argument_types(function);
    let result = function.result().map_or_else(|| quote!(()), |ty| quote!(#ty));
    let stated = |ty: TokenStream| quote!(::mod_sdk::__private::Stated::<#ty>::SCHEMA);
    let args = types.iter().map(|ty| stated(quote!(#ty)));
    let result = stated(result);
    quote! {
        #[allow(unused_imports, reason = "only for types that are not `Reflect`")]
        use ::mod_sdk::__private::NotStated as _;
        const __MOD_LINE: ::mod_sdk::SchemaText = ::mod_sdk::SchemaText::Parts(&[
            ::mod_sdk::SchemaText::Text(#start),
            ::mod_sdk::SchemaText::Tuple(&[#(#args),*]),
            ::mod_sdk::SchemaText::Text("->"),
            #result,
            ::mod_sdk::SchemaText::Text("\n"),
        ]);
        #[used]
        #[allow(unsafe_code, reason = "the line is a part of a section of the module")]
        #[unsafe(link_section = #section)]
        static __MOD_FUNCTION: [u8; __MOD_LINE.len()] = __MOD_LINE.bytes();
    }
}

fn argument_types<'a>(function: &'a Function) -> Vec<&'a Type> {
    let typed = |argument: &'a FnArg| match argument {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    };
    function.signature.inputs.iter().filter_map(typed).collect()
}

fn argument_name(argument: &FnArg) -> Option<&Ident> {
    match argument {
        FnArg::Typed(argument) => match &*argument.pat {
            Pat::Ident(name) => Some(&name.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}
