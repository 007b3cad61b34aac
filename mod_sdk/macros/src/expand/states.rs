//! States of the game.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::parse::{Mirror, Shape};

/// The implementation of `States`: the names of the variants.
pub(crate) fn expand(states: &Mirror<'_>) -> TokenStream {
    let (name, path) = (states.name, states.path());
    let variants: Vec<&Ident> = match &states.shape {
        Shape::Enum(variants) => variants.iter().map(|(variant, _)| *variant).collect(),
        Shape::Struct(_) => Vec::new(),
    };
    // As in Bevy's reflection, a raw identifier keeps its `r#`.
    let names = variants.iter().map(|variant| variant.to_string());
    quote! {
        impl ::mod_sdk::States for #name {
            const PATH: &'static str = #path;

            fn variant(&self) -> &'static str {
                match self {
                    #(Self::#variants => #names,)*
                }
            }
        }
    }
}
