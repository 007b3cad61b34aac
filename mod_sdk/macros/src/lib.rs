//! The macros of `bevy_mod_sdk`, which exports all of them; see there.
//!
//! Each goes the same way: `parse` takes the input apart, `check` refuses what cannot cross, with all errors at once and
//! each at its place, and `expand` writes code that calls into `mod_sdk::__private`, where everything of substance is.
//! `manifest` reads what the mod's Cargo.toml states.

mod check;
mod errors;
mod expand;
mod manifest;
mod nearest;
mod parse;

use errors::Errors;
use manifest::Manifest;
use parse::{Function, Mirror, MirrorKind, Settings};
use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

/// Marks the function that puts the mod together, as Bevy's `main` does with its `App`.
///
/// It also writes the mod's identity, which hosts read without running the mod: the name, version, authors, description and
/// homepage of the crate, and what its Cargo.toml states in `[package.metadata.mod]`. All of that is optional, and mistakes are
/// errors of the compiler, with their line:
///
/// ```toml
/// [package.metadata.mod]
/// id = "orchard_pests"                       # instead of the crate's name; `#[component(define)]` uses it, too
/// name = "Orchard Pests"                     # for people
/// game = { id = "orchard", api = "^0.3" }    # or "orchard"; which game, and which versions of its API for mods
/// after = ["weather"]                        # is loaded after these mods, if they are there
/// before = ["hud"]                           # and before these
/// codec = "json"                             # "bincode", "json" or "nanoserde-json"
/// folder = "mods"                            # the game's folder of mods, for `own_asset!`: as `ModSettings::folder` has it
///
/// [package.metadata.mod.dependencies]        # other mods, with requirements as for crates
/// bees = "^1"
/// wasps = { version = ">=0.2, <0.4", optional = true }
///
/// [package.metadata.mod.incompatible]        # mods that it cannot be loaded with
/// frost = "*"
///
/// [package.metadata.mod.settings.appetite]   # what players can set
/// type = "float"
/// default = 1.5
/// min = 0
/// max = 10
/// description = "How fast the beetles eat"
/// ```
///
/// | `type` of a setting | `default` | beside it |
/// |---|---|---|
/// | `"bool"` | `true` or `false` | |
/// | `"int"` | a whole number | `min`, `max` |
/// | `"float"` | a finite number | `min`, `max` |
/// | `"text"` | at most 256 characters on one line, without double quotes | |
/// | `"choice"` | one of the choices | `choices = ["slow", "fast"]`, each 1 to 64 ASCII letters, digits, `_` or `-` |
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
/// The arguments and the result are owned values of any `serde` types, or in the codec `nanoserde-json` of types that
/// `nanoserde` knows; there can be up to twelve arguments. The function stays what it is for the rest of the mod.
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

/// Names a function that the game or another mod provides.
///
/// The types are those of an `#[export]`. For work that takes its time the game returns a `Ticket`. In a native build a call
/// panics.
///
/// ```
/// # use mod_sdk::prelude::*;
/// #[import]
/// fn play_sound(name: String, volume: f32) -> bool;
/// ```
///
/// A function of another mod returns a `Result` with a `ModCallError`, because that mod may be missing, busy, or fail. It has to
/// stand under `[package.metadata.mod.dependencies]` in the Cargo.toml, if need be as an optional one. In a native build
/// there are no other mods.
///
/// ```
/// # use mod_sdk::prelude::*;
/// #[import(mod = "bees")]
/// fn honey(amount: u32) -> Result<u32, ModCallError>;
/// # assert!(matches!(honey(1), Err(ModCallError::NotRunning { .. })));
/// ```
#[proc_macro_attribute]
pub fn import(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute("import", args, item, check::import, expand::function::import)
}

/// The path of an asset of the mod's own, by which the mod and the game name it: `own_asset!("leaf.png")` in the mod `pests` is
/// `"mods/pests/leaf.png"`.
///
/// A mod has its assets in the folder that is called as its id: beside its `mod.wasm`, if it is a folder as a whole, or else
/// beside its own file, such as `mods/pests.wasm`. Hosts refuse a `mod.wasm` in a folder of another name.
///
/// The macro is a literal and can stand where one can. The path stays inside of that folder, and may name a label (`#Scene0`).
/// For a game with another folder of mods than `mods`, the mod states that in its Cargo.toml: `[package.metadata.mod]`,
/// `folder = "addons"`.
///
/// ```
/// # use mod_sdk::prelude::*;
/// #[derive(Component)]
/// #[component(path = "bevy_sprite::sprite::Sprite", partial)]
/// struct Sprite {
///     image: String, // in the game a `Handle<Image>`
/// }
///
/// fn grow(mut commands: Commands) {
///     commands.spawn(Sprite { image: own_asset!("leaf.png").into() });
///     for number in 1..=3 {
///         commands.spawn(Sprite { image: format!(own_asset!("flowers/{}.png"), number) });
///     }
/// }
/// # assert!(own_asset!("leaf.png").ends_with("/leaf.png"));
/// # assert!(format!(own_asset!("flowers/{}.png"), 3).ends_with("/flowers/3.png"));
/// ```
#[proc_macro]
pub fn own_asset(path: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let path = check::own_asset(path.into(), &mut errors);
    match (path, errors.into_error()) {
        // What is wrong with the Cargo.toml is for `#[mod_main]` to say.
        (Some(path), None) => expand::asset::expand(&path, &Manifest::of_this_crate().0).into(),
        (_, error) => error.map(syn::Error::into_compile_error).unwrap_or_default().into(),
    }
}

/// A component of the game or of the mod's own. Includes `#[derive(Reflect)]`.
///
/// | | |
/// |---|---|
/// | `#[component(path = "orchard::Bee")]` | the game's component of that type path, with all of its fields |
/// | `#[component(partial)]`, also beside a path | only the fields that are named; the game keeps the others |
/// | `#[component(define)]` | the mod's own, `<id of the mod>::<name of the type>` |
/// | `#[component(define, storage = "SparseSet")]` | the same, for components that come and go |
///
/// A type of the mod's own that is `Default` starts with the default values in fields that a new version of the mod adds.
#[proc_macro_derive(Component, attributes(component))]
pub fn derive_component(item: TokenStream) -> TokenStream {
    derive(MirrorKind::Component, item)
}

/// A resource of the game or, with `#[resource(define)]`, of the mod's own. Includes `#[derive(Reflect)]`.
///
/// The settings are `path`, `partial` and `define`, as for a component, and
///
/// | | |
/// |---|---|
/// | `#[resource(settings)]` | what players set: each field is a setting that `[package.metadata.mod.settings]` declares |
///
/// | `type` of the setting | field |
/// |---|---|
/// | `"bool"` | `bool` |
/// | `"int"` | an integer that has all numbers of the range |
/// | `"float"` | `f32`, `f64` |
/// | `"text"` | `String` |
/// | `"choice"` | `String`, or an enum with a variant without fields for each choice (`VeryFast` for `very-fast`) |
///
/// A field has the name of its setting, with `_` for `-`. Not every setting needs one. The struct is [`Default`]: it has what
/// Cargo.toml declares as the defaults.
#[proc_macro_derive(Resource, attributes(resource))]
pub fn derive_resource(item: TokenStream) -> TokenStream {
    derive(MirrorKind::Resource, item)
}

/// A message of the game or, with `#[message(define)]`, of the mod's own. Includes `#[derive(Reflect)]`.
///
/// The settings are `path` and `define`, as for a component.
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(item: TokenStream) -> TokenStream {
    derive(MirrorKind::Message, item)
}

/// An event of the game or, with `#[event(define)]`, of the mod's own. Includes `#[derive(Reflect)]`.
///
/// The settings are `path` and `define`, as for a component.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(item: TokenStream) -> TokenStream {
    derive(MirrorKind::Event, item)
}

/// An event that is about an entity: that in the field `entity`, or in the one marked with `#[event_target]`. Includes
/// `#[derive(Event)]`, with its settings.
#[proc_macro_derive(EntityEvent, attributes(event, event_target))]
pub fn derive_entity_event(item: TokenStream) -> TokenStream {
    derive(MirrorKind::EntityEvent, item)
}

/// A state of the game: an enum whose variants have no fields. `#[states(path = "..")]` states its type path.
#[proc_macro_derive(States, attributes(states))]
pub fn derive_states(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = parse_macro_input!(item as DeriveInput);
    let mirror = Mirror::parse(MirrorKind::Reflect, &input, &mut errors);
    let settings = Settings::parse("states", &["path"], &input.attrs, &mut errors);
    check::states(&input, &mut errors);
    check::settings(&settings, &mirror.shape, &mut errors);
    finish(errors, || expand::states::expand(&Mirror { settings, ..mirror }))
}

/// A struct of components and other bundles, which are inserted together.
#[proc_macro_derive(Bundle)]
pub fn derive_bundle(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = parse_macro_input!(item as DeriveInput);
    check::bundle(&input, &mut errors);
    finish(errors, || expand::bundle::expand(&input))
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
    expand: fn(&Function, &Manifest) -> proc_macro2::TokenStream,
) -> TokenStream {
    let mut errors = Errors::default();
    let args = proc_macro2::TokenStream::from(args);
    let mut function = parse_macro_input!(item as Function);
    if name == "import" {
        function.set_origin(args, &mut errors);
    } else if !args.is_empty() {
        errors.push(&args, format!("`#[{name}]` takes no arguments"));
    }
    check(&function, &mut errors);
    let (manifest, problems) = Manifest::of_this_crate();
    // Once is enough for what does not concern functions.
    for problem in problems.iter().filter(|problem| problem.is_of_functions || name == "mod_main") {
        errors.push(&function.signature.ident, &problem.text);
    }
    // Where the table cannot be read, it is not known what it wants to say.
    if let Some(id) = function.mod_id.as_ref().filter(|_| problems.is_empty())
        && let Some(problem) = manifest.why_not_callable(&id.value())
    {
        errors.push(id, problem);
    }
    match errors.into_error() {
        None => expand(&function, &manifest).into(),
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
    check::settings(&mirror.settings, &mirror.shape, &mut errors);
    let (manifest, problems) = match mirror.settings.settings {
        Some(_) => Manifest::of_this_crate(),
        None => Default::default(),
    };
    // What is wrong with the file, `#[mod_main]` says.
    let fields = match mirror.settings.settings {
        Some(_) if problems.is_empty() => {
            Some(check::fields::settings(&mirror, &manifest.identity.settings, &mut errors))
        }
        _ => None,
    };
    let target = (kind == MirrorKind::EntityEvent).then(|| check::event_target(&input, &mut errors)).flatten();
    finish(errors, || {
        let target = target.map(|target| expand::mirror::event_target(&input.ident, &target));
        let mirror = expand::mirror::expand(&mirror);
        let settings = fields.map(|fields| expand::settings::expand(&input.ident, &fields));
        quote!(#mirror #target #settings)
    })
}

fn finish(errors: Errors, expand: impl FnOnce() -> proc_macro2::TokenStream) -> TokenStream {
    match errors.into_error() {
        None => expand().into(),
        Some(error) => error.into_compile_error().into(),
    }
}
