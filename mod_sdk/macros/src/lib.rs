//! The macros of `bevy_mod_sdk`, which exports all of them; see there.
//!
//! Each goes the same way: `parse` takes the input apart, `check` refuses what cannot cross, with all errors at once and
//! each at its place, and `expand` writes code that calls into `mod_sdk::__private`, where everything of substance is.

mod check;
mod errors;
mod expand;
mod parse;

use errors::Errors;
use parse::{Function, Mirror, MirrorKind};
use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

/// Marks the function that puts the mod together, as Bevy's `main` does with its `App`.
///
/// It also writes the mod's identity: the name, version and authors of the crate.
///
/// ```
/// # mod the_mod {
/// # use mod_sdk::prelude::*;
/// #[mod_main]
/// fn main(app: &mut App) {
///     app.add_systems(Update, || info!("another frame"));
/// }
/// # }
/// # fn main() {}
/// ```
#[proc_macro_attribute]
pub fn mod_main(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute("mod_main", args, item, check::main, expand::main::expand)
}

/// Lets the game call a function by its name.
///
/// The arguments and the result are owned values of any `serde` types; there can be up to twelve arguments. The function
/// stays what it is for the rest of the mod.
///
/// ```
/// # use mod_sdk::prelude::*;
/// #[export]
/// pub fn double(x: Vec<f64>) -> Vec<f64> {
///     x.into_iter().map(|x| x * 2.0).collect()
/// }
/// # assert_eq!(double(vec![1.0]), [2.0]);
/// ```
#[proc_macro_attribute]
pub fn export(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute("export", args, item, check::export, expand::function::export)
}

/// Names a function that the game provides.
///
/// The arguments and the result are owned values of any `serde` types; there can be up to twelve arguments. In a native
/// build a call panics.
///
/// ```
/// # use mod_sdk::prelude::*;
/// #[import]
/// fn play_sound(name: String, volume: f32) -> bool;
/// ```
#[proc_macro_attribute]
pub fn import(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute("import", args, item, check::import, expand::function::import)
}

/// Mirrors a component of the game. Includes `#[derive(Reflect)]`.
#[proc_macro_derive(Component, attributes(component))]
pub fn derive_component(item: TokenStream) -> TokenStream {
    derive(MirrorKind::Component, item)
}

/// Mirrors a resource of the game. Includes `#[derive(Reflect)]`.
#[proc_macro_derive(Resource, attributes(resource))]
pub fn derive_resource(item: TokenStream) -> TokenStream {
    derive(MirrorKind::Resource, item)
}

/// Mirrors a type of the game that stands inside of components or resources.
#[proc_macro_derive(Reflect)]
pub fn derive_reflect(item: TokenStream) -> TokenStream {
    derive(MirrorKind::Reflect, item)
}

fn attribute(
    name: &'static str,
    args: TokenStream,
    item: TokenStream,
    check: fn(&Function, &mut Errors),
    expand: fn(&Function) -> proc_macro2::TokenStream,
) -> TokenStream {
    let mut errors = Errors::default();
    let args = proc_macro2::TokenStream::from(args);
    if !args.is_empty() {
        errors.push(&args, format!("`#[{name}]` takes no arguments"));
    }
    let function = parse_macro_input!(item as Function);
    check(&function, &mut errors);
    match errors.into_error() {
        None => expand(&function).into(),
        // The function stays, so that its callers are not errors, too.
        Some(error) => {
            let function = function.body.is_some().then_some(function);
            let error = error.into_compile_error();
            quote!(#function #error).into()
        }
    }
}

fn derive(kind: MirrorKind, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = parse_macro_input!(item as DeriveInput);
    let mirror = Mirror::parse(kind, &input, &mut errors);
    check::mirror(&input, &mut errors);
    match errors.into_error() {
        None => expand::mirror::expand(&mirror).into(),
        Some(error) => error.into_compile_error().into(),
    }
}
