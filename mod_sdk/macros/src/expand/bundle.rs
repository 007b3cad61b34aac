//! Structs of components.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

/// The implementation of `Bundle`: that of each field, one after the other.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let fields = match &input.data {
        Data::Struct(data) => data.fields.iter().zip(data.fields.members()).collect(),
        _ => Vec::new(),
    };
    let (types, members): (Vec<_>, Vec<_>) = fields.into_iter().map(|(field, member)| (&field.ty, member)).unzip();
    quote! {
        impl #generics ::mod_sdk::Bundle for #name #arguments #bounds {
            fn types(__types: &mut ::mod_sdk::__private::Types, __out: &mut ::std::vec::Vec<u32>) {
                #(<#types as ::mod_sdk::Bundle>::types(__types, __out);)*
            }

            fn write(&self, __values: &mut ::mod_sdk::__private::Values<'_>) {
                #(<#types as ::mod_sdk::Bundle>::write(&self.#members, __values);)*
            }
        }
    }
}
