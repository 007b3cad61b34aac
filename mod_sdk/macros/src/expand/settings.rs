//! The settings of a mod: what their fields should be, and their defaults.

use mod_abi::{SettingDesc, SettingKind};
use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Field, Ident, spanned::Spanned};

/// Constants that the compiler cannot make of a field that does not fit its setting, and the defaults that are declared.
pub(crate) fn expand(name: &Ident, fields: &[(&Field, &SettingDesc)]) -> TokenStream {
    let checks = fields.iter().map(|(field, setting)| check(field, setting));
    let defaults = fields.iter().map(|(field, setting)| {
        let (ident, ty) = (&field.ident, &field.ty);
        let value = match &setting.kind {
            SettingKind::Bool { default } => quote!(#default),
            SettingKind::Int { default, .. } => {
                let default = Literal::i64_unsuffixed(*default);
                quote!(#default)
            }
            SettingKind::Float { default, .. } => {
                let default = Literal::f64_suffixed(*default);
                quote!((#default as #ty))
            }
            SettingKind::Text { default } | SettingKind::Choice { default, .. } => {
                quote!(::mod_sdk::__private::worded::<#ty>(#default))
            }
        };
        quote!(#ident: #value)
    });
    quote! {
        #(#checks)*

        /// What Cargo.toml declares as the defaults.
        impl ::core::default::Default for #name {
            fn default() -> Self {
                Self { #(#defaults,)* }
            }
        }
    }
}

fn check(field: &Field, setting: &SettingDesc) -> TokenStream {
    let (ty, name) = (&field.ty, &setting.name);
    let span = ty.span();
    let question = match &setting.kind {
        SettingKind::Bool { .. } => {
            let message = format!("the setting `{name}` is of the type \"bool\": the field should be a `bool`");
            quote_spanned!(span=> ::core::assert!(::mod_sdk::__private::is_bool(&BYTES), #message))
        }
        SettingKind::Int { min, max, .. } => {
            let (min, max) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
            let kind = format!("the setting `{name}` is of the type \"int\": the field should be an integer");
            let range = format!(
                "the setting `{name}` may be any number from {min} to {max}: the field should be an integer that has all of \
                 them, or Cargo.toml should state `min` and `max`"
            );
            quote_spanned! {span=>
                ::core::assert!(::mod_sdk::__private::is_int(&BYTES), #kind);
                ::core::assert!(::mod_sdk::__private::has_all(&BYTES, #min, #max), #range)
            }
        }
        SettingKind::Float { .. } => {
            let message =
                format!("the setting `{name}` is of the type \"float\": the field should be an `f32` or an `f64`");
            quote_spanned!(span=> ::core::assert!(::mod_sdk::__private::is_float(&BYTES), #message))
        }
        SettingKind::Text { .. } => {
            let message = format!("the setting `{name}` is of the type \"text\": the field should be a `String`");
            quote_spanned!(span=> ::core::assert!(::mod_sdk::__private::is_text(&BYTES), #message))
        }
        SettingKind::Choice { choices, .. } => {
            let message = format!(
                "the setting `{name}` is of the type \"choice\": the field should be a `String`, or an enum with a variant \
                 without fields for each of `{}`",
                choices.join("`, `")
            );
            quote_spanned!(span=> ::core::assert!(::mod_sdk::__private::has_choices(&BYTES, &[#(#choices),*]), #message))
        }
    };
    quote_spanned! {span=>
        const _: () = {
            const TEXT: ::mod_sdk::SchemaText = <#ty as ::mod_sdk::Reflect>::SCHEMA;
            const BYTES: [u8; TEXT.len()] = TEXT.bytes();
            #question;
        };
    }
}
