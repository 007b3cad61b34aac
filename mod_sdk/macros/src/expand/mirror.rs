//! Types that cross.

use std::iter;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Field, Fields, Ident, Index, Member, Type, ext::IdentExt, spanned::Spanned};

use crate::{
    expand::main::id,
    parse::{Mirror, MirrorKind, Shape},
};

/// The implementation of `Reflect` and, where asked for, of the trait that says what the type is in the World.
pub(crate) fn expand(mirror: &Mirror<'_>) -> TokenStream {
    let name = mirror.name;
    let reflect = match &mirror.shape {
        Shape::Struct(fields) => of_struct(fields, mirror.is_for_serde),
        Shape::Enum(variants) => of_enum(name, variants, mirror.is_for_serde),
    };
    let component = match mirror.kind {
        MirrorKind::Component => Some(quote!(Component)),
        MirrorKind::Resource => Some(quote!(Resource)),
        MirrorKind::Message => Some(quote!(Message)),
        MirrorKind::Event | MirrorKind::EntityEvent => Some(quote!(Event)),
        MirrorKind::Reflect => None,
    };
    let component = component.map(|kind| {
        let (path, role) = (path(mirror), role(mirror));
        quote! {
            impl ::mod_sdk::#kind for #name {
                const PATH: &'static str = #path;

                #role
            }
        }
    });
    quote! {
        impl ::mod_sdk::Reflect for #name {
            #reflect
        }
        #component
    }
}

/// The implementation of `EntityEvent` for an event whose entity is in that field.
pub(crate) fn event_target(name: &Ident, (field, member): &(&Field, Member)) -> TokenStream {
    // A field of another type is an error at its place, and not at the derive.
    let span = field.ty.span();
    let member = match member {
        Member::Named(name) => {
            let mut name = name.clone();
            name.set_span(span);
            Member::Named(name)
        }
        Member::Unnamed(index) => Member::Unnamed(Index { index: index.index, span }),
    };
    let entity = quote_spanned!(span=> self.#member);
    quote! {
        impl ::mod_sdk::EntityEvent for #name {
            fn event_target(&self) -> ::mod_sdk::Entity {
                #entity
            }
        }
    }
}

/// The type's name in the game, where its own types go by the mod's id.
fn path(mirror: &Mirror<'_>) -> String {
    if mirror.settings.define.is_some() || mirror.settings.settings.is_some() {
        format!("{}::{}", id(), mirror.name.unraw())
    } else {
        mirror.path()
    }
}

/// The method that says whose type it is, if it is not all the game's.
fn role(mirror: &Mirror<'_>) -> Option<TokenStream> {
    let role = if mirror.settings.define.is_some() {
        let sparse = mirror.settings.storage.as_ref().is_some_and(|storage| storage.value() == "SparseSet");
        let kind = match mirror.kind {
            MirrorKind::Component if sparse => quote!(SparseComponent),
            MirrorKind::Component => quote!(Component),
            MirrorKind::Resource => quote!(Resource),
            MirrorKind::Message => quote!(Message),
            MirrorKind::Event | MirrorKind::EntityEvent | MirrorKind::Reflect => quote!(Event),
        };
        quote! {
            // Of the two methods with that name the compiler takes the one for types that are `Default`, if it can.
            #[allow(unused_imports, reason = "only one of them applies to this type")]
            use ::mod_sdk::__private::{DefaultOf as _, NoDefaultOf as _};
            ::mod_sdk::__private::definition(
                ::mod_sdk::__private::DefinitionKind::#kind,
                (&::mod_sdk::__private::Probe::<Self>::NEW).default_bytes(),
            )
        }
    } else if mirror.settings.settings.is_some() {
        // The defaults are declared: the game has them.
        quote! {
            ::mod_sdk::__private::definition(
                ::mod_sdk::__private::DefinitionKind::Settings,
                ::core::option::Option::None,
            )
        }
    } else if mirror.settings.partial.is_some() {
        quote!(::mod_sdk::__private::TypeRole::Part)
    } else {
        return None;
    };
    Some(quote! {
        fn role() -> ::mod_sdk::__private::TypeRole {
            #role
        }
    })
}

fn of_struct(fields: &Fields, is_for_serde: bool) -> TokenStream {
    let types = types(fields);
    let members: Vec<_> = members(fields).collect();
    // Bevy reflects a unit struct as a struct without fields.
    let schema = stated(fields_text(fields), is_for_serde);
    quote! {
        const STRIDE: ::core::option::Option<usize> =
            ::mod_sdk::__private::sum_of_strides(&[#(<#types as ::mod_sdk::Reflect>::STRIDE),*]);
        const SCHEMA: ::mod_sdk::SchemaText = #schema;

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

        fn write(&self, __out: &mut ::std::vec::Vec<u8>) {
            #(<#types as ::mod_sdk::Reflect>::write(&self.#members, __out);)*
        }

        fn read(__input: &mut &[u8]) -> ::core::result::Result<Self, ::mod_sdk::ReadError> {
            ::core::result::Result::Ok(Self { #(#members: <#types as ::mod_sdk::Reflect>::read(__input)?,)* })
        }
    }
}

fn of_enum(name: &Ident, variants: &[(&Ident, &Fields)], is_for_serde: bool) -> TokenStream {
    let text = |text: String| quote!(::mod_sdk::SchemaText::Text(#text));
    let schemas = variants.iter().enumerate().flat_map(|(index, (variant, fields))| {
        let start = if index == 0 { '<' } else { '|' };
        let fields = (!matches!(fields, Fields::Unit)).then(|| fields_text(fields));
        iter::once(text(format!("{start}{variant}"))).chain(fields)
    });
    let schemas = schemas.chain([text(">".to_owned())]);
    let schema = stated(quote!(::mod_sdk::SchemaText::Parts(&[#(#schemas),*])), is_for_serde);
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
        const SCHEMA: ::mod_sdk::SchemaText = #schema;

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

/// The schema's text of a struct or a variant with these fields.
fn fields_text(fields: &Fields) -> TokenStream {
    let types = types(fields);
    // A raw identifier keeps its `r#`, as it does in Bevy's reflection.
    let names: Vec<_> = fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect();
    match fields {
        Fields::Named(_) | Fields::Unit => {
            quote!(::mod_sdk::SchemaText::Struct(&[#((#names, <#types as ::mod_sdk::Reflect>::SCHEMA)),*]))
        }
        Fields::Unnamed(_) => quote!(::mod_sdk::SchemaText::Tuple(&[#(<#types as ::mod_sdk::Reflect>::SCHEMA),*])),
    }
}

/// The text, marked where attributes change what `serde` makes of the type.
fn stated(text: TokenStream, is_for_serde: bool) -> TokenStream {
    if is_for_serde { text } else { quote!(::mod_sdk::SchemaText::NotForSerde(&#text)) }
}
