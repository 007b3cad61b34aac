//! What a game offers to mods, as `game-api.json`: what it says, that it is true, and that it is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use bevy::{
    asset::AssetApp,
    prelude::{Commands, Handle, In, Startup, SystemSet, default},
    state::app::{AppExtStates, StatesPlugin},
    tasks::{AsyncComputeTaskPool, Task},
};
use bevy_wasm_mods::{
    Access, DescribeGame, FieldApi, FromMod, GameApi, GameIdentity, ModAccess, OfferedType, Permissions, Refusal,
    TypeApi, TypeForm, Version,
    prelude::{ModAppExt, ModSettings},
};
use mod_abi::{
    command::Command,
    describe::{ConditionTest, EventDesc, FilterDesc, ParamDesc, TypeRole},
};

use self::orchard::{Grower, Hour, Pantry, Picture, Quince, Ripe, Rooted, Sealed, Uprooted};
use crate::support::{Errors, Game, Mod, filtered, new_entity, query, resource, value};

/// The game of these tests. Its types are for nothing else, because all types of this program are in one registry.
mod orchard {
    use std::collections::{BTreeMap, HashSet};

    use bevy::{
        asset::{Asset, AssetId},
        ecs::reflect::{ReflectComponent, ReflectEvent, ReflectMessage, ReflectResource},
        prelude::{Component, Entity, Event, Handle, Message, Reflect, Resource, States},
        reflect::std_traits::ReflectDefault,
    };

    #[derive(Asset, Reflect)]
    pub(super) struct Picture;

    /// A tree with apples that are none.
    ///
    ///     They are yellow.
    #[derive(Component, Reflect, Default)]
    #[reflect(Component, Default)]
    pub(super) struct Quince {
        /// In metres.
        pub(super) height: f32,
        pub(super) fruits: Vec<Fruit>,
        pub(super) picture: Handle<Picture>,
        pub(super) planted_by: Option<Entity>,
        pub(super) place: (i16, i16),
        #[reflect(ignore)]
        pub(super) _hidden: bool,
    }

    /// Hangs on a tree.
    #[derive(Reflect)]
    pub(super) enum Fruit {
        /// Not yet.
        Green,
        Yellow {
            /// In grams.
            weight: u16,
        },
        Eaten(String, [f64; 2]),
    }

    #[derive(Component, Reflect)]
    #[component(immutable)]
    pub(super) struct Rooted(pub(super) u8);

    /// Only some of it can cross.
    #[derive(Component, Reflect)]
    #[reflect(Component)]
    pub(super) struct Grower {
        pub(super) name: String,
        pub(super) picture: AssetId<Picture>,
    }

    #[derive(Component, Reflect)]
    #[reflect(Component)]
    pub(super) struct Sealed(pub(super) AssetId<Picture>);

    #[derive(Component, Reflect)]
    #[reflect(Component, from_reflect = false)]
    pub(super) struct Uprooted {
        pub(super) years: u8,
    }

    /// Never used in the game, and not marked either: it is not known.
    #[derive(Component, Reflect)]
    pub(super) struct Unseen;

    pub(super) mod twin {
        use bevy::prelude::{Component, Reflect, ReflectComponent};

        #[derive(Component, Reflect)]
        #[reflect(Component)]
        pub(crate) struct Rooted;
    }

    #[derive(Resource, Reflect, Default)]
    #[reflect(Resource)]
    pub(super) struct Pantry {
        pub(super) prices: BTreeMap<String, u32>,
        pub(super) owners: HashSet<u64>,
    }

    #[derive(Message, Reflect)]
    pub(super) struct Ripe(pub(super) Entity);

    #[derive(Message, Reflect)]
    #[reflect(Message)]
    pub(super) struct Blossomed {
        pub(super) count: u32,
    }

    #[derive(Event, Reflect)]
    #[reflect(Event)]
    pub(super) struct Gale {
        pub(super) force: f32,
    }

    #[derive(Event, Reflect)]
    #[reflect(Event)]
    pub(super) struct Hail(pub(super) AssetId<Picture>);

    /// How late it is.
    #[derive(States, Reflect, Default, Clone, PartialEq, Eq, Hash, Debug)]
    pub(super) enum Hour {
        #[default]
        Dawn,
        Dusk,
        At(u8),
    }
}

const ORCHARD: &str = "all::api::orchard::";

fn identity() -> GameIdentity {
    GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 3, 1) }
}

#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
struct Growth;

fn game(mods: &[(&str, &[u8])], settings: ModSettings) -> Game {
    let mut game = Game::with_settings(mods, settings);
    game.app.add_plugins(StatesPlugin).init_state::<Hour>().add_mod_state::<Hour>();
    game.app.init_asset::<Picture>().register_asset_reflect::<Picture>();
    game.app.init_resource::<Pantry>().add_mod_message::<Ripe>().add_mod_set("growth", Growth);
    game.app.add_systems(Startup, |mut commands: Commands| {
        let picture = Handle::<Picture>::default();
        let quince = Quince { picture: picture.clone(), ..default() };
        let name = "Maja".to_owned();
        let grower = Grower { name, picture: picture.id() };
        commands.spawn((quince, Rooted(1), grower, Sealed(picture.id()), Uprooted { years: 0 }));
    });
    game.app
        .add_mod_import("prune", |_: In<(String, f32)>| true)
        .add_mod_import("count", |FromMod { args: (), .. }: FromMod| 7_u32)
        .add_mod_import("graft", |_: In<Option<char>>| -> Result<Task<Vec<u64>>, Refusal> {
            Ok(AsyncComputeTaskPool::get().spawn(async { vec![1] }))
        })
        .add_mod_import("name", || "quince".to_owned());
    game
}

fn api_of(game: &mut Game) -> GameApi {
    game.frames(2);
    game.app.world_mut().game_api()
}

/// What of the API is about the test's game.
fn orchard(mut api: GameApi) -> GameApi {
    let is_own = |path: &str| path.starts_with(ORCHARD);
    for list in [&mut api.components, &mut api.resources, &mut api.messages, &mut api.events] {
        list.retain(|ty| is_own(&ty.path));
    }
    api.states.retain(|state| is_own(&state.path));
    let own: BTreeSet<String> = api.types.iter().filter(|ty| is_own(&ty.path)).flat_map(named_by).collect();
    api.types.retain(|ty| is_own(&ty.path) || own.contains(&ty.path));
    // The words of others change with their versions.
    api.types.iter_mut().filter(|ty| !is_own(&ty.path)).for_each(undocument);
    api
}

/// The types that a type names.
fn named_by(ty: &TypeApi) -> Vec<String> {
    let of_fields = |fields: &[FieldApi]| fields.iter().map(|field| field.ty.clone()).collect::<Vec<_>>();
    match &ty.form {
        TypeForm::Struct { fields } | TypeForm::Tuple { fields } => of_fields(fields),
        TypeForm::Enum { variants } => variants.iter().flat_map(|variant| of_fields(&variant.fields)).collect(),
        TypeForm::Option { item } | TypeForm::List { item } | TypeForm::Set { item } | TypeForm::Array { item, .. } => {
            vec![item.clone()]
        }
        TypeForm::Map { key, value } => vec![key.clone(), value.clone()],
        _ => Vec::new(),
    }
}

fn offered<'a>(list: &'a [OfferedType], name: &str) -> &'a OfferedType {
    list.iter().find(|ty| ty.path == format!("{ORCHARD}{name}")).unwrap_or_else(|| panic!("no {name} in {list:?}"))
}

/// `UPDATE=1 cargo test -p bevy_wasm_mods --features reflect_documentation --test all api::` writes the file anew.
#[test]
fn the_file_is_as_it_was() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/game-api.json");
    let settings = ModSettings { game: Some(identity()), ..default() };
    let api = orchard(api_of(&mut game(&[], settings)));
    // Other builds have no documentation to write.
    if cfg!(feature = "reflect_documentation") && std::env::var_os("UPDATE").is_some() {
        api.save(&path).expect("it is written");
    }
    let text = fs::read_to_string(&path).expect("the file is there");
    let golden = GameApi::from_json(&text).expect("it is read");
    if cfg!(feature = "reflect_documentation") {
        assert_eq!(api.to_json().expect("it is written"), text, "see how to write it anew above");
    } else {
        let mut golden = golden;
        golden.types.iter_mut().for_each(undocument);
        assert_eq!(api, golden);
    }
}

fn undocument(ty: &mut TypeApi) {
    ty.docs = None;
    match &mut ty.form {
        TypeForm::Struct { fields } | TypeForm::Tuple { fields } => fields.iter_mut().for_each(|it| it.docs = None),
        TypeForm::Enum { variants } => {
            for variant in variants {
                variant.docs = None;
                variant.fields.iter_mut().for_each(|field| field.docs = None);
            }
        }
        _ => {}
    }
}

#[test]
fn the_example_of_the_documentation_is_one() {
    let text = include_str!("../../docs/game-api.md");
    let (_, example) = text.split_once("```json\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let api = GameApi::from_json(example).expect("it is read");
    assert_eq!(api.to_json().expect("it is written"), example);
}

#[test]
fn two_runs_say_the_same_and_name_nothing_that_is_missing() {
    let [one, two] = [(), ()].map(|()| api_of(&mut game(&[], ModSettings::default())));
    let text = one.to_json().expect("it is written");
    assert_eq!(text, two.to_json().expect("it is written"));
    assert_eq!(GameApi::from_json(&text).expect("it is read"), one);
    assert!(text.len() > 10_000, "Bevy's own types are there, too");
    let types: BTreeMap<&str, &TypeApi> = one.types.iter().map(|ty| (ty.path.as_str(), ty)).collect();
    assert_eq!(types.len(), one.types.len());
    let offers = [&one.components, &one.resources, &one.messages, &one.events].into_iter().flatten();
    let named = offers.map(|ty| ty.path.clone()).chain(one.states.iter().map(|state| state.path.clone()));
    let named = named.chain(one.types.iter().flat_map(named_by));
    for path in named {
        assert!(types.contains_key(path.as_str()), "{path}");
    }
    for ty in &one.types {
        assert_eq!(ty.schema.is_none(), ty.unsupported.is_some(), "{ty:?}");
    }
    assert!(one.types.is_sorted_by(|a, b| a.path < b.path));
    assert!(!one.components.iter().any(|ty| ty.path.ends_with("::Unseen")), "the World has not met it");
}

#[test]
#[cfg(feature = "reflect_documentation")]
fn documentation_arrives() {
    let api = api_of(&mut game(&[], ModSettings::default()));
    let quince = api.ty(&format!("{ORCHARD}Quince")).expect("it is there");
    let docs = quince.docs.as_deref();
    assert_eq!(docs, Some("A tree with apples that are none.\n\n    They are yellow."));
    let TypeForm::Struct { fields } = &quince.form else { panic!("{quince:?}") };
    assert_eq!(fields[0].docs.as_deref(), Some("In metres."));
    assert_eq!(fields[1].docs, None);
    let fruit = api.ty(&format!("{ORCHARD}Fruit")).expect("it is there");
    let TypeForm::Enum { variants } = &fruit.form else { panic!("{fruit:?}") };
    assert_eq!((variants[0].docs.as_deref(), variants[1].docs.as_deref()), (Some("Not yet."), None));
    assert_eq!(variants[1].fields[0].docs.as_deref(), Some("In grams."));
}

/// A mod that does that with a type.
fn doing(access: ModAccess, list: &str, ty: &TypeApi, value_of: &[u8]) -> Mod {
    let mut one = Mod::new("doer");
    // Filters need no schema. What cannot cross as a whole is named in part.
    let (schema, role) = match (&ty.schema, &ty.form) {
        (Some(schema), _) => (schema.to_string(), TypeRole::Mirror),
        (None, TypeForm::Struct { .. }) => ("{name:str}".to_owned(), TypeRole::Part),
        _ => ("(u8)".to_owned(), TypeRole::Mirror),
    };
    let index = one.typed(&ty.path, &schema, role);
    let leaves =
        |one: Mod, commands: &[Command]| one.system("run", "Update", vec![ParamDesc::Commands]).leaves(0, commands);
    let runs = |one: Mod, param| one.system("run", "Update", vec![param]);
    let spawn = |components| Command::Spawn { entity: new_entity(0), components };
    let given = value(index, value_of);
    match (list, access) {
        ("components", ModAccess::Filter) => runs(one, filtered(&[], &[], &[FilterDesc::With(index)])),
        ("components", ModAccess::Read) => runs(one, query(&[index], &[])),
        ("components", ModAccess::Write) => runs(one, query(&[], &[index])),
        ("components", ModAccess::Insert) => leaves(one, &[spawn(vec![given])]),
        ("components", ModAccess::Remove) => {
            leaves(one, &[spawn(Vec::new()), Command::Remove { entity: new_entity(0), types: vec![index] }])
        }
        ("resources", ModAccess::Filter) => {
            one.system("run", "Update", Vec::new()).condition(ConditionTest::ResourceExists(index))
        }
        ("resources", ModAccess::Read) => runs(one, resource(index, false)),
        ("resources", ModAccess::Write) => runs(one, resource(index, true)),
        ("resources", ModAccess::Insert) => leaves(one, &[Command::InsertResource(given)]),
        ("resources", ModAccess::Remove) => leaves(one, &[Command::RemoveResource(index)]),
        ("messages", ModAccess::Read) => runs(one, ParamDesc::MessageReader(index)),
        ("messages", ModAccess::Write) => leaves(one, &[Command::WriteMessage(given)]),
        ("events", ModAccess::Observe) => one.observer("run", EventDesc::Event(index), Vec::new()),
        ("events", ModAccess::Trigger) => leaves(one, &[Command::Trigger(given)]),
        other => panic!("nobody does {other:?}"),
    }
}

#[test]
fn what_it_says_is_what_mods_can_do() {
    check_what_it_says(&ModSettings::default());
}

#[test]
fn what_it_says_of_permissions_is_what_mods_can_do() {
    let of = |name: &str| format!("{ORCHARD}{name}");
    let permissions = Permissions::all()
        .deny(Access::Read, of("Quince"))
        .deny(Access::Write, of("Rooted"))
        .deny([Access::Read, Access::Write], of("Pantry"))
        .deny(Access::Send, of("Blossomed"))
        .deny([Access::Read, Access::Send], of("Gale"));
    check_what_it_says(&ModSettings { permissions, ..default() });
}

fn check_what_it_says(settings: &ModSettings) {
    let api = api_of(&mut game(&[], settings.clone()));
    let quince: Vec<u8> = [&[0; 4][..], &[0; 8], &[0; 8], &[0], &[0; 4]].concat();
    let (entity, text) = (1_u64.to_le_bytes().to_vec(), [&2_u64.to_le_bytes()[..], b"Bo"].concat());
    let values: [(&str, &[OfferedType], &str, Vec<u8>); 10] = [
        ("components", &api.components, "Quince", quince),
        ("components", &api.components, "Rooted", vec![3]),
        ("components", &api.components, "Grower", text),
        ("components", &api.components, "Sealed", vec![1]),
        ("components", &api.components, "Uprooted", vec![1]),
        ("resources", &api.resources, "Pantry", vec![0; 16]),
        ("messages", &api.messages, "Ripe", entity),
        ("messages", &api.messages, "Blossomed", vec![0; 4]),
        ("events", &api.events, "Gale", vec![0; 4]),
        ("events", &api.events, "Hail", vec![0]),
    ];
    let mut done = 0;
    for (list, offers, name, bytes) in values {
        let offer = offered(offers, name);
        let ty = api.ty(&offer.path).expect("it is there");
        let cannot = offer.cannot.keys();
        for access in offer.can.iter().chain(cannot) {
            let doer = doing(*access, list, ty, &bytes);
            let mut game = game(&[("doer.wasm", &doer.build())], settings.clone());
            game.until("an outcome", |game| !game.story().is_empty());
            game.frames(3);
            let faults: Vec<_> = game.faults().iter().map(ToString::to_string).collect();
            assert_eq!(offer.can(*access), faults.is_empty(), "{name} {access:?}: {offer:?} {faults:?}");
            done += 1;
        }
    }
    assert_eq!(done, 5 * 5 + 5 + 2 * 2 + 2 * 2, "nothing was left out");
}

#[test]
fn the_plugin_writes_the_file_once() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("docs/game-api.json");
    let settings = ModSettings { api_export: Some(path.clone()), game: Some(identity()), ..default() };
    let mut game = game(&[], settings);
    game.frame();
    assert!(!path.exists(), "some components are not known yet");
    game.frame();
    let text = fs::read_to_string(&path).expect("it is written");
    assert_eq!(text, game.app.world_mut().game_api().to_json().expect("it is written"));
    let api = GameApi::from_json(&text).expect("it is read");
    assert_eq!(api.game, Some(identity()));
    assert!(offered(&api.components, "Rooted").can(ModAccess::Filter), "it was met in the first frame");
    assert!(!Path::new("game-api.json").exists());
    let left: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("it is read").collect();
    assert_eq!(left.len(), 1, "nothing is left beside it: {left:?}");
    fs::remove_file(&path).expect("it is there");
    game.frames(3);
    assert!(!path.exists(), "once is enough");
}

#[test]
fn a_file_that_cannot_be_written_is_one_line() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let blocked = folder.path().join("file");
    fs::write(&blocked, "not a folder").expect("it is written");
    for path in [folder.path().to_owned(), blocked.join("game-api.json")] {
        let errors = Errors::default();
        tracing::subscriber::with_default(errors.clone(), || {
            let mut game = game(&[], ModSettings { api_export: Some(path.clone()), ..default() });
            game.frames(5);
            assert!(game.app.world().contains_resource::<Pantry>(), "the game goes on");
        });
        let lines = errors.lines();
        let own: Vec<_> = lines.iter().filter(|line| line.contains("the game's API cannot be written to")).collect();
        assert_eq!(own.len(), 1, "{lines:?}");
        assert!(own[0].contains(&path.display().to_string()) && !own[0].contains('\n'), "{own:?}");
    }
}
