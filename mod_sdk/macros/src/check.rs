//! What cannot cross is refused here, with all errors at once.

pub(crate) mod fields;

use mod_abi::names;
use proc_macro2::{Span, TokenStream};
use syn::{
    Data, DeriveInput, Error, Field, Fields, FnArg, Ident, LitStr, Member, Pat, ReturnType, Signature, Type,
    TypeImplTrait, TypePath, TypeReference, parse2,
    visit::{Visit, visit_derive_input, visit_type, visit_type_path},
};

use crate::{
    errors::Errors,
    manifest::wrong_path,
    parse::{Function, Settings, Shape},
};

/// The most arguments that a function can have.
const MAX_ARGUMENTS: usize = 12;

/// `#[export]`
pub(crate) fn export(function: &Function, errors: &mut Errors) {
    if function.body.is_none() {
        errors.push(&function.signature, "an exported function needs a body; `#[import]` is for functions of the game");
    }
    crossing(function, "an exported function", errors);
}

/// `#[import]`
pub(crate) fn import(function: &Function, errors: &mut Errors) {
    if let Some(body) = &function.body {
        errors.push(
            body.clone().stream(),
            "an imported function has no body, because the game or another mod provides it: write `;`",
        );
    }
    if let Some(token) = &function.signature.constness {
        errors.push(token, "an imported function cannot be `const`: only the running game knows its result");
    }
    for argument in &function.signature.inputs {
        if let FnArg::Typed(argument) = argument
            && !matches!(&*argument.pat, Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none())
        {
            errors.push(&argument.pat, "an argument of an imported function should be a plain name");
        }
    }
    if function.mod_id.is_some() && function.result().is_none() {
        let message = "a function of another mod may fail, because that mod may be missing or busy: it returns \
                       `Result<.., ModCallError>`, with `()` for nothing";
        match &function.signature.output {
            ReturnType::Default => errors.push(&function.signature.ident, message),
            ReturnType::Type(_, ty) => errors.push(ty, message),
        }
    }
    if let ReturnType::Type(_, ty) = &function.signature.output {
        owned(ty, "the result of an imported function", errors);
    }
    crossing(function, "an imported function", errors);
}

/// `own_asset!`
pub(crate) fn own_asset(path: TokenStream, errors: &mut Errors) -> Option<LitStr> {
    let literal = match parse2::<LitStr>(path.clone()) {
        Ok(literal) => literal,
        Err(_) if path.is_empty() => {
            errors.add(Error::new(
                Span::call_site(),
                "`own_asset!` needs the path of an asset: `own_asset!(\"leaf.png\")`",
            ));
            return None;
        }
        Err(_) => {
            errors.push(
                path,
                "`own_asset!` takes one literal; a path that is put together is `format!(own_asset!(\"leaf{}.png\"), number)`",
            );
            return None;
        }
    };
    if let Some(wrong) = wrong_path(&literal.value()) {
        errors.push(&literal, format!("this should be a path inside of the mod's own folder: {wrong}"));
    }
    Some(literal)
}

/// What holds for functions in both directions.
fn crossing(function: &Function, what: &str, errors: &mut Errors) {
    let signature = &function.signature;
    plain(signature, what, errors);
    let name = function.name();
    if name.starts_with("__") {
        errors.push(&signature.ident, format!("the name of {what} cannot start with two underscores"));
    } else if names::is_reserved(&name) {
        errors.push(
            &signature.ident,
            format!(
                "`{name}` is reserved: `{}` belongs to the tool chain or to the game's contract",
                names::symbol(&name)
            ),
        );
    }
    if let Some(surplus) = signature.inputs.iter().nth(MAX_ARGUMENTS) {
        errors.push(surplus, format!("{what} can have {MAX_ARGUMENTS} arguments at most"));
    }
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => errors.push(receiver, format!("{what} cannot be a method")),
            FnArg::Typed(argument) => owned(&argument.ty, &format!("an argument of {what}"), errors),
        }
    }
}

/// A signature without anything that calls by name cannot have.
fn plain(signature: &Signature, what: &str, errors: &mut Errors) {
    if let Some(token) = &signature.asyncness {
        errors.push(token, format!("{what} cannot be `async`: the caller waits for its result"));
    }
    if let Some(token) = &signature.unsafety {
        errors.push(token, format!("{what} cannot be `unsafe`: the caller does not know what it has to promise"));
    }
    if let Some(abi) = &signature.abi {
        errors.push(abi, format!("{what} should be an ordinary Rust function"));
    }
    if !signature.generics.params.is_empty() {
        errors.push(&signature.generics, format!("{what} cannot be generic: it is called by its name alone"));
    }
    if let Some(variadic) = &signature.variadic {
        errors.push(variadic, format!("{what} cannot have a varying number of arguments"));
    }
}

/// A type without borrowed or nameless parts.
fn owned(ty: &Type, what: &str, errors: &mut Errors) {
    struct Finder<'a> {
        what: &'a str,
        errors: &'a mut Errors,
    }

    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            self.errors.push(reference, format!("{} should be an owned value, not a reference", self.what));
        }

        fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
            self.errors.push(opaque, format!("{} should have a type with a name, not `impl Trait`", self.what));
        }
    }

    visit_type(&mut Finder { what, errors }, ty);
}

/// `#[mod_main]`
pub(crate) fn main(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    const WHAT: &str = "the main function of a mod";
    plain(signature, WHAT, errors);
    if function.body.is_none() {
        errors.push(signature, format!("{WHAT} needs a body"));
    }
    if signature.inputs.len() != 1 || matches!(signature.inputs.first(), Some(FnArg::Receiver(_))) {
        errors.push(&signature.ident, format!("{WHAT} should take the app: `fn {}(app: &mut App)`", signature.ident));
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        errors.push(ty, format!("{WHAT} has no result"));
    }
}

/// All derives of types whose values cross.
pub(crate) fn mirror(input: &DeriveInput, errors: &mut Errors) {
    if !input.generics.params.is_empty() {
        errors.push(
            &input.generics,
            "a type that crosses between the game and the mod cannot be generic: write a type for each that you need",
        );
    }
    match &input.data {
        Data::Struct(_) => {}
        Data::Enum(data) if data.variants.is_empty() => {
            errors.push(&input.ident, "an enum without variants has no values that could cross");
        }
        Data::Enum(_) => {}
        Data::Union(data) => errors.push(data.union_token, "a union cannot cross: its bytes do not tell what it is"),
    }
    visit_derive_input(&mut Itself { name: &input.ident, errors }, input);
}

/// Finds types that are the one that is derived. The compiler would see the circle too, in many more words.
struct Itself<'a> {
    name: &'a Ident,
    errors: &'a mut Errors,
}

impl<'ast> Visit<'ast> for Itself<'_> {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if path.path.is_ident(self.name) || path.path.is_ident("Self") {
            self.errors.push(path, "a type that contains itself cannot cross: a description of it would have no end");
        }
        visit_type_path(self, path);
    }
}

/// The settings of a type, against each other and against its shape.
pub(crate) fn settings(settings: &Settings, shape: &Shape<'_>, errors: &mut Errors) {
    let Settings { path, define, partial, settings: of_players, storage } = settings;
    if let Some(path) = path.as_ref().filter(|path| path.value().trim().is_empty()) {
        errors.push(path, "the path should be the type's name in the game");
    }
    if let Some(token) = of_players
        && (path.is_some() || define.is_some() || partial.is_some())
    {
        errors.push(token, "settings are a resource of the mod's own, all of which it knows: use `settings` alone");
    }
    match (define, path, partial) {
        (Some(_), Some(path), _) => {
            errors.push(path, "a type of the mod's own has no path in the game: use either `define` or `path`");
        }
        (Some(_), None, Some(partial)) => {
            errors.push(partial, "the mod knows all of a type of its own: use either `define` or `partial`");
        }
        _ => {}
    }
    if let Some(partial) = partial
        && matches!(shape, Shape::Enum(_) | Shape::Struct(Fields::Unnamed(_)))
    {
        errors
            .push(partial, "only a struct with named fields can be partial, because fields are matched by their names");
    }
    let Some(storage) = storage else { return };
    if define.is_none() {
        errors.push(storage, "only a type of the mod's own has a storage to choose: add `define`");
    }
    if !matches!(storage.value().as_str(), "Table" | "SparseSet") {
        errors.push(storage, "the storage should be \"Table\" or \"SparseSet\"");
    }
}

/// `#[derive(EntityEvent)]`: the field with the entity.
pub(crate) fn event_target<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<(&'a Field, Member)> {
    let Data::Struct(data) = &input.data else {
        errors.push(&input.ident, "an event about an entity should be a struct");
        return None;
    };
    let marked = |field: &Field| field.attrs.iter().any(|attribute| attribute.path().is_ident("event_target"));
    let named = |field: &Field| field.ident.as_ref().is_some_and(|name| name == "entity");
    let fields = || data.fields.iter().zip(data.fields.members());
    let marks = data.fields.iter().flat_map(|field| &field.attrs).filter(|mark| mark.path().is_ident("event_target"));
    for mark in marks.skip(1) {
        errors.push(mark, "an event is about one entity: mark only one field with `#[event_target]`");
    }
    let alone = fields().next().filter(|(field, _)| data.fields.len() == 1 && field.ident.is_none());
    let marked = fields().find(|(field, _)| marked(field));
    let target = marked.or_else(|| fields().find(|(field, _)| named(field))).or(alone);
    if target.is_none() {
        errors
            .push(&input.ident, "which entity is it about? Name the field `entity`, or mark it with `#[event_target]`");
    }
    target
}

/// `#[derive(States)]`
pub(crate) fn states(input: &DeriveInput, errors: &mut Errors) {
    mirror(input, errors);
    match &input.data {
        Data::Enum(data) => {
            for variant in data.variants.iter().filter(|variant| !matches!(variant.fields, Fields::Unit)) {
                errors.push(variant, "the values of a state are told apart by their names alone: remove the fields");
            }
        }
        Data::Struct(_) => errors.push(&input.ident, "a state should be an enum, with a variant for each value"),
        Data::Union(_) => {}
    }
}

/// `#[derive(Bundle)]`
pub(crate) fn bundle(input: &DeriveInput, errors: &mut Errors) {
    if !matches!(input.data, Data::Struct(_)) {
        errors.push(&input.ident, "a bundle should be a struct of components and other bundles");
    }
}
