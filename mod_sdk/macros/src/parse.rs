//! The input of a macro, taken apart as far as it is understood. Nothing is judged here.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Data, DeriveInput, Fields, Ident, LitStr, Result, Signature, Token, Visibility,
    ext::IdentExt,
    parse::{Parse, ParseStream},
};

use crate::errors::Errors;

/// A function, with its body or a semicolon in its place.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The body, untouched.
    pub(crate) body: Option<Group>,
}

impl Function {
    /// The name under which the function crosses, without the underscores in front.
    pub(crate) fn name(&self) -> String {
        self.signature.ident.unraw().to_string()
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = Attribute::parse_outer(input)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            Some(input.parse()?)
        };
        Ok(Self { attributes, visibility, signature, body })
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, visibility, signature, body } = self;
        let end = body.is_none().then(|| quote!(;));
        quote!(#(#attributes)* #visibility #signature #body #end).to_tokens(tokens);
    }
}

/// What a type is derived as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MirrorKind {
    Component,
    Resource,
    Reflect,
}

/// A type of the game, as the mod writes it down.
pub(crate) struct Mirror<'a> {
    pub(crate) kind: MirrorKind,
    pub(crate) name: &'a Ident,
    /// The type's name in the game.
    pub(crate) path: String,
    pub(crate) shape: Shape<'a>,
}

/// The data of a type.
pub(crate) enum Shape<'a> {
    Struct(&'a Fields),
    Enum(Vec<(&'a Ident, &'a Fields)>),
}

impl<'a> Mirror<'a> {
    pub(crate) fn parse(kind: MirrorKind, input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let shape = match &input.data {
            Data::Struct(data) => Shape::Struct(&data.fields),
            Data::Enum(data) => {
                Shape::Enum(data.variants.iter().map(|variant| (&variant.ident, &variant.fields)).collect())
            }
            Data::Union(_) => Shape::Enum(Vec::new()),
        };
        let path = stated_path(kind, &input.attrs, errors).unwrap_or_else(|| input.ident.unraw().to_string());
        Self { kind, name: &input.ident, path, shape }
    }
}

/// The path in `#[component(path = "..")]` or `#[resource(path = "..")]`.
fn stated_path(kind: MirrorKind, attributes: &[Attribute], errors: &mut Errors) -> Option<String> {
    let helper = match kind {
        MirrorKind::Component => "component",
        MirrorKind::Resource => "resource",
        MirrorKind::Reflect => return None,
    };
    let mut path: Option<LitStr> = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(helper)) {
        let parsed = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("path") {
                return Err(meta.error(format!("the only setting is `#[{helper}(path = \"..\")]`")));
            }
            let value: LitStr = meta.value()?.parse()?;
            if value.value().trim().is_empty() {
                return Err(syn::Error::new(value.span(), "the path should be the type's name in the game"));
            }
            if path.replace(value).is_some() {
                return Err(meta.error("the path is stated twice"));
            }
            Ok(())
        });
        if let Err(error) = parsed {
            errors.add(error);
        }
    }
    path.map(|path| path.value())
}
