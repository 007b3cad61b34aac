//! The input of a macro, taken apart as far as it is understood. Nothing is judged here.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, GenericArgument, Ident, LitStr, MetaNameValue, PathArguments,
    PathSegment, Result, ReturnType, Signature, Token, Type, Visibility,
    ext::IdentExt,
    meta,
    parse::{Parse, ParseStream, Parser},
    visit::Visit,
};

use crate::errors::Errors;

/// A function, with its body or a semicolon in its place.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The body, untouched.
    pub(crate) body: Option<Group>,
    /// The mod that provides it, in `#[import(mod = "..")]`.
    pub(crate) mod_id: Option<LitStr>,
}

impl Function {
    /// The name under which the function crosses, without the underscores in front.
    pub(crate) fn name(&self) -> String {
        self.signature.ident.unraw().to_string()
    }

    /// The type of the value that crosses as its result, if it has one. A function of another mod returns it in a `Result`.
    pub(crate) fn result(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) if self.mod_id.is_some() => result_of_mod(ty),
            ReturnType::Type(_, ty) => Some(ty),
        }
    }

    /// Reads the arguments of `#[import]`.
    pub(crate) fn set_origin(&mut self, args: TokenStream, errors: &mut Errors) {
        const KNOWN: &str = "the only setting is `#[import(mod = \"..\")]`, for a function of another mod";
        let mut is_told = false;
        let parser = meta::parser(|meta| {
            if !meta.path.is_ident("mod") {
                is_told = true;
                return Err(meta.error(KNOWN));
            }
            let id = meta.value()?.parse()?;
            is_told = self.mod_id.replace(id).is_some();
            if is_told { Err(meta.error("`mod` is stated twice")) } else { Ok(()) }
        });
        let parsed = parser.parse2(args);
        if let Err(error) = parsed {
            errors.add(if is_told { error } else { with_forms(&error, KNOWN) });
        }
    }
}

/// `R` in `Result<R, ModCallError>`, by any path.
fn result_of_mod(ty: &Type) -> Option<&Type> {
    fn last(ty: &Type) -> Option<&PathSegment> {
        match ty {
            Type::Path(path) => path.path.segments.last(),
            _ => None,
        }
    }
    let result = last(ty).filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &result.arguments else { return None };
    let mut types = arguments.args.iter();
    let (Some(GenericArgument::Type(value)), Some(GenericArgument::Type(error)), None) =
        (types.next(), types.next(), types.next())
    else {
        return None;
    };
    last(error).filter(|segment| segment.ident == "ModCallError").map(|_| value)
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = Attribute::parse_outer(input)?;
        let visibility = input.parse()?;
        if !begins_a_function(&input.fork()) {
            return Err(input.error("this is no function, and only functions can have the attribute above it"));
        }
        let signature = input.parse()?;
        let body = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            Some(input.parse()?)
        };
        Ok(Self { attributes, visibility, signature, body, mod_id: None })
    }
}

/// Whether a function follows, whatever stands before its `fn`.
fn begins_a_function(input: ParseStream<'_>) -> bool {
    loop {
        if input.parse::<LitStr>().is_ok() {
            continue; // the ABI after `extern`
        }
        match input.call(Ident::parse_any).map(|word| word.to_string()).as_deref() {
            Ok("fn") => return true,
            Ok("const" | "async" | "unsafe" | "extern") => {}
            _ => return false,
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, visibility, signature, body, .. } = self;
        let end = body.is_none().then(|| quote!(;));
        quote!(#(#attributes)* #visibility #signature #body #end).to_tokens(tokens);
    }
}

/// What a type is derived as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MirrorKind {
    Component,
    Resource,
    Message,
    Event,
    EntityEvent,
    Reflect,
}

impl MirrorKind {
    /// The attribute with its settings, if it has one.
    pub(crate) fn helper(self) -> Option<&'static str> {
        match self {
            Self::Component => Some("component"),
            Self::Resource => Some("resource"),
            Self::Message => Some("message"),
            Self::Event | Self::EntityEvent => Some("event"),
            Self::Reflect => None,
        }
    }
}

/// A type that crosses, as the mod writes it down.
pub(crate) struct Mirror<'a> {
    pub(crate) kind: MirrorKind,
    pub(crate) name: &'a Ident,
    pub(crate) settings: Settings,
    pub(crate) shape: Shape<'a>,
    /// Whether `serde` and its like have no attributes here that change how they write the type.
    pub(crate) is_for_serde: bool,
}

/// The data of a type.
pub(crate) enum Shape<'a> {
    Struct(&'a Fields),
    Enum(Vec<(&'a Ident, &'a Fields)>),
}

impl<'a> Shape<'a> {
    fn parse(data: &'a Data) -> Self {
        match data {
            Data::Struct(data) => Self::Struct(&data.fields),
            Data::Enum(data) => {
                Self::Enum(data.variants.iter().map(|variant| (&variant.ident, &variant.fields)).collect())
            }
            Data::Union(_) => Self::Enum(Vec::new()),
        }
    }
}

impl<'a> Mirror<'a> {
    pub(crate) fn parse(kind: MirrorKind, input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let settings = match kind.helper() {
            Some(helper) => Settings::parse(helper, allowed(kind), &input.attrs, errors),
            None => Settings::default(),
        };
        Self { kind, name: &input.ident, settings, shape: Shape::parse(&input.data), is_for_serde: is_for_serde(input) }
    }

    /// The path that is stated, or the type's name.
    pub(crate) fn path(&self) -> String {
        self.settings.path_or(self.name)
    }
}

/// Whether `serde` and its like write all fields under their own names, as far as their attributes tell.
fn is_for_serde(input: &DeriveInput) -> bool {
    struct Finder(bool);

    impl<'ast> Visit<'ast> for Finder {
        fn visit_attribute(&mut self, attribute: &'ast Attribute) {
            let is_serde = ["serde", "nserde"].iter().any(|name| attribute.path().is_ident(name));
            // Where the crate is to be found is all that does not matter.
            let is_path = attribute.parse_args::<MetaNameValue>().is_ok_and(|pair| pair.path.is_ident("crate"));
            self.0 &= !is_serde || is_path;
        }
    }

    let mut finder = Finder(true);
    finder.visit_derive_input(input);
    finder.0
}

/// The settings that a derive takes.
fn allowed(kind: MirrorKind) -> &'static [&'static str] {
    match kind {
        MirrorKind::Component => &["path", "define", "partial", "storage"],
        MirrorKind::Resource => &["path", "define", "partial", "settings"],
        MirrorKind::Message | MirrorKind::Event | MirrorKind::EntityEvent => &["path", "define"],
        MirrorKind::Reflect => &[],
    }
}

/// The settings in `#[component(..)]` and its like.
#[derive(Default)]
pub(crate) struct Settings {
    /// The type's name in the game.
    pub(crate) path: Option<LitStr>,
    /// The type is the mod's own.
    pub(crate) define: Option<Ident>,
    /// The mod only knows some fields.
    pub(crate) partial: Option<Ident>,
    /// The type holds what players can set.
    pub(crate) settings: Option<Ident>,
    /// Where a component of the mod's own is stored.
    pub(crate) storage: Option<LitStr>,
}

impl Settings {
    pub(crate) fn path_or(&self, name: &Ident) -> String {
        self.path.as_ref().map_or_else(|| name.unraw().to_string(), LitStr::value)
    }

    /// Reads the attributes named `helper`, which have the `allowed` settings.
    pub(crate) fn parse(
        helper: &str,
        allowed: &'static [&'static str],
        attributes: &[Attribute],
        errors: &mut Errors,
    ) -> Self {
        let mut settings = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(helper)) {
            let mut is_told = false;
            let parsed = attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().filter(|name| allowed.iter().any(|allowed| name == allowed));
                is_told = name.is_none();
                let name = name.ok_or_else(|| meta.error(known(helper, allowed)))?;
                is_told = match name.to_string().as_str() {
                    "define" => settings.define.replace(name.clone()).is_some(),
                    "partial" => settings.partial.replace(name.clone()).is_some(),
                    "settings" => settings.settings.replace(name.clone()).is_some(),
                    "storage" => settings.storage.replace(meta.value()?.parse()?).is_some(),
                    _ => settings.path.replace(meta.value()?.parse()?).is_some(),
                };
                if is_told { Err(meta.error(format!("`{name}` is stated twice"))) } else { Ok(()) }
            });
            if let Err(error) = parsed {
                errors.add(if is_told { error } else { with_forms(&error, &known(helper, allowed)) });
            }
        }
        settings
    }
}

/// What the parser says of an attribute that is written otherwise than attributes are, with how it should be.
fn with_forms(error: &Error, forms: &str) -> Error {
    Error::new(error.span(), format!("{error}; {forms}"))
}

/// The message for a setting that there is not.
fn known(helper: &str, allowed: &[&str]) -> String {
    let forms: Vec<_> = allowed
        .iter()
        .map(|name| match *name {
            "path" | "storage" => format!("`#[{helper}({name} = \"..\")]`"),
            name => format!("`#[{helper}({name})]`"),
        })
        .collect();
    match forms.split_last() {
        Some((only, [])) => format!("the only setting is {only}"),
        Some((last, others)) => format!("the settings are {} and {last}", others.join(", ")),
        None => "there are no settings".to_owned(),
    }
}
