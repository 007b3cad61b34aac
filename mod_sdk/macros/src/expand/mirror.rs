//! Types of the game.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Fields, Ident, Index, Member, Type};

use crate::parse::{Mirror, MirrorKind, Shape};

/// The implementation of `Reflect` and, where asked for, of `Component` or `Resource`.
pub(crate) fn expand(mirror: &Mirror<'_>) -> TokenStream {
    let Mirror { kind, name, path, shape } = mirror;
    let reflect = match shape {
        Shape::Struct(fields) => of_struct(fields),
        Shape::Enum(variants) => of_enum(name, variants),
    };
    let role = match kind {
        MirrorKind::Component => Some(quote!(Component)),
        MirrorKind::Resource => Some(quote!(Resource)),
        MirrorKind::Reflect => None,
    };
    let role = role.map(|role| {
        quote! {
            impl ::mod_sdk::#role for #name {
                const PATH: &'static str = #path;
            }
        }
    });
    quote! {
        impl ::mod_sdk::Reflect for #name {
            #reflect
        }
        #role
    }
}

fn of_struct(fields: &Fields) -> TokenStream {
    let types = types(fields);
    let members: Vec<_> = members(fields).collect();
    let schema = match fields {
        // Bevy reflects a unit struct as a struct without fields.
        Fields::Named(_) | Fields::Unit => {
            let fields = named(fields);
            quote!(Struct(#fields))
        }
        Fields::Unnamed(_) => {
            let fields = unnamed(fields);
            quote!(Tuple(#fields))
        }
    };
    quote! {
        const STRIDE: ::core::option::Option<usize> =
            ::mod_sdk::__private::sum_of_strides(&[#(<#types as ::mod_sdk::Reflect>::STRIDE),*]);

        #[allow(unsafe_code, reason = "these are the size and all fields of the type, in order")]
        const IN_PLACE: ::mod_sdk::__private::InPlace = unsafe {
            ::mod_sdk::__private::InPlace::fields(
                ::core::mem::size_of::<Self>(),
                &[#((
                    ::core::mem::offset_of!(Self, #members),
                    ::core::mem::size_of::<#types>(),
                    <#types as ::mod_sdk::Reflect>::IN_PLACE,
                )),*],
            )
        };

        fn schema() -> ::mod_sdk::__private::Schema {
            ::mod_sdk::__private::Schema::#schema
        }

        fn write(&self, __out: &mut ::std::vec::Vec<u8>) {
            #(<#types as ::mod_sdk::Reflect>::write(&self.#members, __out);)*
        }

        fn read(__input: &mut &[u8]) -> ::core::result::Result<Self, ::mod_sdk::ReadError> {
            ::core::result::Result::Ok(Self { #(#members: <#types as ::mod_sdk::Reflect>::read(__input)?,)* })
        }
    }
}

fn of_enum(name: &Ident, variants: &[(&Ident, &Fields)]) -> TokenStream {
    let schemas = variants.iter().map(|(variant, fields)| {
        let name = variant.to_string();
        let fields = match fields {
            Fields::Unit => quote!(Unit),
            Fields::Named(_) => {
                let fields = named(fields);
                quote!(Struct(#fields))
            }
            Fields::Unnamed(_) => {
                let fields = unnamed(fields);
                quote!(Tuple(#fields))
            }
        };
        quote! {
            ::mod_sdk::__private::Variant {
                name: ::std::string::String::from(#name),
                fields: ::mod_sdk::__private::VariantFields::#fields,
            }
        }
    });
    let writes = variants.iter().zip(0_u32..).map(|((variant, fields), index)| {
        let members: Vec<_> = members(fields).collect();
        let values: Vec<_> = (0..members.len()).map(|index| format_ident!("__{index}")).collect();
        let types = types(fields);
        quote! {
            Self::#variant { #(#members: #values),* } => {
                <u32 as ::mod_sdk::Reflect>::write(&#index, __out);
                #(<#types as ::mod_sdk::Reflect>::write(#values, __out);)*
            }
        }
    });
    let reads = variants.iter().zip(0_u32..).map(|((variant, fields), index)| {
        let (members, types) = (members(fields), types(fields));
        quote!(#index => Self::#variant { #(#members: <#types as ::mod_sdk::Reflect>::read(__input)?,)* },)
    });
    let unknown = format!("a `{name}` has no such variant");
    quote! {
        const STRIDE: ::core::option::Option<usize> = ::core::option::Option::None;

        fn schema() -> ::mod_sdk::__private::Schema {
            ::mod_sdk::__private::Schema::Enum(::std::vec![#(#schemas),*])
        }

        fn write(&self, __out: &mut ::std::vec::Vec<u8>) {
            match self {
                #(#writes)*
            }
        }

        fn read(__input: &mut &[u8]) -> ::core::result::Result<Self, ::mod_sdk::ReadError> {
            ::core::result::Result::Ok(match <u32 as ::mod_sdk::Reflect>::read(__input)? {
                #(#reads)*
                _ => return ::core::result::Result::Err(::mod_sdk::ReadError::new(#unknown)),
            })
        }
    }
}

fn types(fields: &Fields) -> Vec<&Type> {
    fields.iter().map(|field| &field.ty).collect()
}

fn members(fields: &Fields) -> impl Iterator<Item = Member> {
    fields.iter().zip(0..).map(|(field, index)| match &field.ident {
        Some(name) => Member::Named(name.clone()),
        None => Member::Unnamed(Index::from(index)),
    })
}

/// The fields' names and schemas.
fn named(fields: &Fields) -> TokenStream {
    let types = types(fields);
    // A raw identifier keeps its `r#`, as it does in Bevy's reflection.
    let names = fields.iter().filter_map(|field| field.ident.as_ref()).map(Ident::to_string);
    quote!(::std::vec![#((::std::string::String::from(#names), <#types as ::mod_sdk::Reflect>::schema())),*])
}

/// The fields' schemas.
fn unnamed(fields: &Fields) -> TokenStream {
    let types = types(fields);
    quote!(::std::vec![#(<#types as ::mod_sdk::Reflect>::schema()),*])
}
