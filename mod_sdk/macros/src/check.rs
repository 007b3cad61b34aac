//! What cannot cross is refused here, with all errors at once.

use mod_abi::{ABI_VERSION, Identity, names};
use syn::{
    Data, DeriveInput, FnArg, Pat, ReturnType, Signature, Type, TypeImplTrait, TypeReference,
    visit::{Visit, visit_type},
};

use crate::{errors::Errors, expand::main::identity, parse::Function};

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
        errors.push(body.clone().stream(), "an imported function has no body, because the game provides it: write `;`");
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
    if let ReturnType::Type(_, ty) = &function.signature.output {
        owned(ty, "the result of an imported function", errors);
    }
    crossing(function, "an imported function", errors);
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
    if let Err(error) = Identity::parse(identity().to_string().as_bytes()) {
        errors.push(&signature.ident, format!("this crate cannot be a mod of ABI {ABI_VERSION}: {error}"));
    }
}

/// `#[derive(Component)]`, `#[derive(Resource)]`, `#[derive(Reflect)]`
pub(crate) fn mirror(input: &DeriveInput, errors: &mut Errors) {
    if !input.generics.params.is_empty() {
        errors.push(
            &input.generics,
            "a type that mirrors one of the game cannot be generic: write a type for each that you need",
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
}
