//! What shows only when a mod runs: commands, on-demand requests, and what a save brings back.

use bevy::{
    ecs::{entity::EntityHashMap, message::Messages, system::ResMut},
    prelude::On,
};
use bevy_wasm_mods::{DescribeGame, ModAccess, OfferedType, prelude::SaveMods};
use mod_abi::{
    Schema, codec,
    describe::{TypeDesc, WorldRequest, WorldTarget},
};

use super::*;
use crate::support::new_entity;

/// How often the game was hit by a squall.
#[derive(Resource, Default)]
struct Squalls(usize);

/// A mod with a system that leaves commands in its first run after the start-up: first one that is granted and then those.
/// Types are stated in the middle of the call where `late`.
fn leaving(types: &[(&str, &str)], late: bool, commands: impl FnOnce(&[u32]) -> Vec<Command<'static>>) -> Mod {
    let mut greedy = Mod::new("greedy").import("type_index");
    let score = greedy.ty("Score", "{points:u64}");
    let mut indices = Vec::new();
    let mut states = String::new();
    for (n, (path, schema)) in types.iter().enumerate() {
        if late {
            let schema = Schema::parse(schema).expect("a schema");
            let desc = TypeDesc { path: (*path).to_owned(), schema, role: TypeRole::Mirror };
            let bytes = codec::encode(&desc).expect("a type");
            let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            let at = 16384 + n as u64 * 1024;
            greedy = greedy.fields(&format!("(data (i32.const {at}) \"{escaped}\")"));
            states.push_str(&format!("(drop (call $type_index (i64.const {})))", (at << 32) | bytes.len() as u64));
            indices.push(score + 1 + u32::try_from(n).expect("few"));
        } else {
            indices.push(greedy.ty(path, schema));
        }
    }
    let mut all = vec![Command::InsertResource(value(score, &[7, 0, 0, 0, 0, 0, 0, 0]))];
    all.extend(commands(&indices));
    greedy.system("want", "Update", vec![ParamDesc::Commands]).run(&states).leaves(0, &all)
}

const COMMANDS: (Access, &str) = (WRITE, "all::fixtures::Score");
const NINE: [u8; 8] = [9, 0, 0, 0, 0, 0, 0, 0];

fn game_of(greedy: &Mod, permissions: Permissions) -> (Game, Entity) {
    let (mut game, entity) = game_with(greedy, settings(permissions));
    game.app.init_resource::<Squalls>().add_observer(|_: On<Squall>, mut squalls: ResMut<Squalls>| squalls.0 += 1);
    game.app.insert_resource(Purse { coins: 1 });
    game.app.world_mut().entity_mut(entity).insert((Health { value: 4.0 }, DespawnableByMods));
    (game, entity)
}

/// What mods can change in these games.
#[derive(Debug, PartialEq)]
struct Seen {
    entities: usize,
    score: u64,
    purse: Option<Purse>,
    health: Option<Health>,
    windfalls: usize,
    squalls: usize,
}

fn seen(game: &Game, entity: Entity) -> Seen {
    let world = game.app.world();
    Seen {
        entities: entities(world),
        score: world.resource::<Score>().points,
        purse: world.get_resource::<Purse>().cloned(),
        health: world.get::<Health>(entity).cloned(),
        windfalls: world.resource::<Messages<Windfall>>().len(),
        squalls: world.resource::<Squalls>().0,
    }
}

/// A game that allows everything but what the commands need stops the mod before it carries out one of them; one that
/// allows nothing else carries them all out.
#[track_caller]
fn check_commands(
    name: &str,
    needs: (Access, &str),
    types: &[(&str, &str)],
    commands: fn(Entity, &[u32]) -> Vec<Command<'static>>,
) {
    // The entity is the same in every game, because all of them are made in the same way.
    let entity = game_of(&Mod::new("greedy"), Permissions::all()).1;
    for late in [false, true] {
        let greedy = leaving(types, late, |types| commands(entity, types));
        let denied = Permissions::all().deny(needs.0, needs.1);
        let (mut game, same) = game_of(&greedy, denied);
        assert_eq!(same, entity);
        let before = seen(&game, entity);
        let fault = game.first_fault();
        let expected = sentence("it", needs.0, needs.1);
        let line =
            fault.strip_prefix("greedy 1.2.3 (mods/greedy.wasm) in frame ").and_then(|rest| rest.split_once(": "));
        assert_eq!(line.map(|(_, why)| why), Some(format!("`want` failed: {expected}").as_str()), "{name}: {fault}");
        game.frames(2);
        assert_eq!(seen(&game, entity), before, "{name}: not one command was carried out");

        let granted = Permissions::none().allow(needs.0, needs.1).allow(COMMANDS.0, COMMANDS.1);
        let (mut game, _) = game_of(&greedy, granted);
        let before = seen(&game, entity);
        game.until("the commands", |game| seen(game, entity) != before || !game.faults().is_empty());
        game.frame();
        let after = seen(&game, entity);
        assert!(game.faults().is_empty(), "{name}: {:?}", game.faults());
        assert_eq!(after.score, 7, "{name}");
        assert_ne!(Seen { score: 0, ..after }, before, "{name}");
    }
}

const HEALTH: &str = "all::fixtures::Health";

#[test]
fn commands_change_what_is_granted_and_nothing_else() {
    let health = [("Health", "{value:f32}")];
    check_commands("insert", (WRITE, HEALTH), &health, |entity, types| {
        vec![Command::Insert { entity: entity.to_bits(), components: vec![value(types[0], &[0; 4])] }]
    });
    check_commands("remove", (WRITE, HEALTH), &health, |entity, types| {
        vec![Command::Remove { entity: entity.to_bits(), types: vec![types[0]] }]
    });
    let purse = [(PURSE, COINS)];
    check_commands("insert a resource", (WRITE, PURSE), &purse, |_, types| {
        vec![Command::InsertResource(value(types[0], &NINE))]
    });
    check_commands("remove a resource", (WRITE, PURSE), &purse, |_, types| vec![Command::RemoveResource(types[0])]);
    check_commands("write a message", (Access::Send, WINDFALL), &[("Windfall", COINS)], |_, types| {
        vec![Command::WriteMessage(value(types[0], &NINE))]
    });
    check_commands("trigger an event", (Access::Send, SQUALL), &[(SQUALL, "{force:u64}")], |_, types| {
        vec![Command::Trigger(value(types[0], &NINE))]
    });
}

#[test]
fn what_is_inserted_only_where_it_is_new_has_to_be_granted_too() {
    let greedy = leaving(&[(HEALTH, "{value:f32}")], false, |types| {
        vec![
            Command::Spawn { entity: new_entity(0), components: vec![] },
            Command::InsertIfNew { entity: new_entity(0), components: vec![value(types[0], &[0; 4])] },
        ]
    });
    let (mut game, entity) = game_of(&greedy, Permissions::all().deny(WRITE, HEALTH));
    let before = seen(&game, entity);
    assert!(game.first_fault().ends_with(&sentence("it", WRITE, HEALTH)));
    assert_eq!(seen(&game, entity), before);
}

#[test]
fn entities_are_spawned_and_despawned_by_those_who_may() {
    let spawns = leaving(&[], false, |_| vec![Command::Spawn { entity: new_entity(0), components: vec![] }]);
    let (mut game, entity) = game_of(&spawns, Permissions::all().spawn(false));
    let before = seen(&game, entity);
    let fault = game.first_fault();
    assert!(fault.ends_with("`want` failed: it spawns an entity, which this game does not let it do"), "{fault}");
    assert_eq!(seen(&game, entity), before);
    let (mut game, entity) = game_of(&spawns, Permissions::none().spawn(true).allow(COMMANDS.0, COMMANDS.1));
    let before = seen(&game, entity);
    game.until_told("loaded greedy");
    game.frame();
    assert!(seen(&game, entity).entities > before.entities, "{:?}", game.faults());

    // What it spawned it may despawn; what others did only with a permission.
    let despawns = leaving(&[], false, |_| {
        let own = new_entity(0);
        vec![
            Command::Spawn { entity: own, components: vec![] },
            Command::Despawn { entity: own },
            Command::Despawn { entity: entity.to_bits() },
        ]
    });
    let (mut game, same) = game_of(&despawns, Permissions::all().despawn(false));
    assert_eq!(same, entity);
    let before = seen(&game, entity);
    let fault = game.first_fault();
    let expected =
        format!("it despawns the entity {entity}, which it did not spawn, and this game does not let it do that");
    assert!(fault.ends_with(&expected), "{fault}");
    assert_eq!(seen(&game, entity), before, "its own was not spawned either");
    let granted = Permissions::none().spawn(true).despawn(true).allow(COMMANDS.0, COMMANDS.1);
    let (mut game, _) = game_of(&despawns, granted);
    game.until("it is gone", |game| game.app.world().get_entity(entity).is_err());
}

/// A mod that asks for something in the middle of its call.
fn asking(path: &str, schema: &str, target: WorldTarget) -> Mod {
    let schema = Schema::parse(schema).expect("a schema");
    let types = vec![TypeDesc { path: path.to_owned(), schema, role: TypeRole::Part }];
    let bytes = codec::encode(&WorldRequest { types, target }).expect("a request");
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    Mod::new("greedy")
        .import("world_prepare")
        .system("want", "Update", vec![ParamDesc::World])
        .run(&format!("(drop (call $world_prepare (i64.const {})))", (8192_u64 << 32) | bytes.len() as u64))
        .fields(&format!(r#"(data (i32.const 8192) "{escaped}")"#))
}

#[test]
fn requests_on_demand_are_checked_when_they_are_prepared() {
    let query = |terms: Vec<TermDesc>, filters: Vec<FilterDesc>| WorldTarget::Query(QueryDesc { terms, filters });
    for (path, schema, target) in [
        (GOLD, COINS, query(vec![TermDesc::Read(0)], vec![])),
        (GOLD, COINS, query(vec![TermDesc::Has(0)], vec![])),
        (GOLD, COINS, query(vec![TermDesc::Entity], vec![FilterDesc::Without(0)])),
        (PURSE, COINS, WorldTarget::Resource(0)),
        ("all::fixtures::Unmet", "{value:f32}", query(vec![TermDesc::Read(0)], vec![])),
    ] {
        let greedy = asking(path, schema, target.clone());
        let (mut game, _) = game_of(&greedy, Permissions::all().deny(READ, path));
        let fault = game.first_fault();
        assert!(fault.contains("`want`") && fault.contains(&sentence("it", READ, path)), "{target:?}: {fault}");
        let (mut game, _) = game_of(&greedy, Permissions::none().allow(READ, path));
        game.until_told("loaded greedy");
        game.frames(3);
        assert!(game.faults().is_empty(), "{target:?}: {:?}", game.faults());
    }
}

#[test]
fn a_save_spawns_nothing_for_a_mod_that_may_not() {
    let mut spawns = Mod::new("greedy");
    let mark = spawns.defines("Mark", "{n:u32}", DefinitionKind::Component, None);
    let spawns = spawns
        .system("want", "Startup", vec![ParamDesc::Commands])
        .leaves(0, &[Command::Spawn { entity: new_entity(0), components: vec![value(mark, &[1, 0, 0, 0])] }]);
    let (mut game, _) = game_of(&spawns, Permissions::all());
    game.until_told("loaded greedy");
    let save = game.app.world_mut().save_mods();
    // A version that spawns nothing itself.
    let mut quiet = Mod::new("greedy");
    quiet.defines("Mark", "{n:u32}", DefinitionKind::Component, None);
    for (may, expected) in [(true, 1), (false, 0)] {
        let (mut game, _) = game_of(&quiet, Permissions::all().spawn(may));
        game.until_told("loaded greedy");
        let report = game.app.world_mut().restore_mods(&save, &mut EntityHashMap::default()).to_string();
        let world = game.app.world_mut();
        assert_eq!(world.query::<&SpawnedBy>().iter(world).count(), expected, "{report}");
        assert_eq!(is_there(world, "greedy::Mark"), may, "{report}");
        assert_eq!(report.contains("it spawns an entity, which this game does not let it do"), !may, "{report}");
    }
}

#[test]
fn the_game_api_says_what_is_granted_to_all() {
    let economy = PermissionGroup::new("economy", [GOLD, PURSE]);
    let permissions = Permissions::all()
        .deny(WRITE, &economy)
        .deny(READ, GOLD)
        .deny(Access::Send, WINDFALL)
        .deny(READ, SQUALL)
        .deny(READ, TIDE)
        .deny(Access::Call, "note");
    let mut narrow = settings(permissions.clone());
    let api_of = |settings: ModSettings| {
        let (mut game, _) = game_with(&Mod::new("greedy"), settings);
        game.app.world_mut().game_api()
    };
    let find = |list: &[OfferedType], path: &str| {
        let found = list.iter().find(|ty| ty.path == path).unwrap_or_else(|| panic!("no {path}")).clone();
        let why = found.cannot.values().filter(|why| why.starts_with("this game does not let all mods")).count();
        (found.can, why)
    };
    let (wide, api) = (api_of(settings(Permissions::all())), api_of(narrow.clone()));
    assert_eq!(find(&wide.components, GOLD).1, 0);
    assert_eq!(find(&api.components, GOLD), (vec![], 5));
    assert_eq!(find(&api.resources, PURSE), (vec![ModAccess::Filter, ModAccess::Read], 3));
    assert_eq!(find(&api.messages, WINDFALL), (vec![ModAccess::Read], 1));
    assert_eq!(find(&api.events, SQUALL), (vec![ModAccess::Trigger], 1));
    assert!(wide.functions.iter().any(|function| function.name == "note") && api.functions.is_empty());
    assert!(wide.states.iter().any(|state| state.path == TIDE) && api.states.is_empty());

    // One mod may do so, and a file for all has to tell it what it is.
    let own = Some(permissions.allow(Access::Call, "note"));
    narrow.overrides.insert("trusted".to_owned(), ModOverrides { permissions: own, ..default() });
    let api = api_of(narrow);
    assert!(api.functions.iter().any(|function| function.name == "note") && api.states.is_empty());
}
