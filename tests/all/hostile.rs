//! Ideas by which a mod could harm the game, and what comes of them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bevy::{
    ecs::hierarchy::Children,
    prelude::{Commands, Component, Entity, In, Reflect, Res},
    time::{Fixed, Time},
};
use bevy_wasm_mods::{
    ModLimits, ModSettings,
    prelude::{ModAppExt, ModCallError, ModRegistry, Mods},
};
use mod_abi::{
    codec,
    command::Command,
    describe::{ParamDesc, QueryDesc, TermDesc, TypeDesc, TypeRole, WorldRequest, WorldTarget},
};

use crate::{
    fixtures::{Health, Lettering, Score, Target},
    support::{Game, Mod, healer, new_entity, query, resource, value},
};

/// A place, as a key of a map.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Reflect, Debug)]
#[reflect(Hash, PartialEq)]
struct Place {
    x: i32,
    y: i32,
}

/// A key that reflection cannot hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Reflect, Debug)]
struct Unhashed {
    x: i32,
}

#[derive(Component, Reflect, Debug, Default, PartialEq)]
struct Grid(HashMap<Place, u32>);

#[derive(Component, Reflect, Debug, Default, PartialEq)]
struct BadGrid(HashMap<Unhashed, u32>);

#[derive(Component, Reflect, Debug, Default, PartialEq)]
struct Picture(Vec<u8>);

/// A mod that replaces the first row of a column of varying size by these bytes.
fn replacer(path: &str, schema: &str, bytes: &[u8]) -> Mod {
    let mut replacer = Mod::new("replacer");
    let ty = replacer.ty(path, schema);
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    replacer
        .system("replace", "Update", vec![query(&[], &[ty])])
        .fields(&format!(r#"(data (i32.const 16384) "{escaped}")"#))
        .run(&format!(
            "(i32.store offset=40 (local.get $block) (i32.const 16384))
             (i32.store offset=44 (local.get $block) (i32.const {}))
             (i64.store (local.get $dirty) (i64.const 1))",
            bytes.len()
        ))
}

#[test]
fn maps_with_keys_of_the_games_own_types() {
    // One entry: (2, 3) => 7.
    let bytes: Vec<u8> =
        [&1_u64.to_le_bytes()[..], &2_i32.to_le_bytes(), &3_i32.to_le_bytes(), &7_u32.to_le_bytes()].concat();
    let good = replacer("all::hostile::Grid", "({{x:i32,y:i32}=>u32})", &bytes);
    let mut game = Game::with_mods(&[("replacer.wasm", &good.build())]);
    let grid = game.app.world_mut().spawn(Grid::default()).id();
    game.until_told("loaded replacer");
    game.frame();
    let expected = Grid(HashMap::from([(Place { x: 2, y: 3 }, 7)]));
    assert_eq!(game.app.world().get::<Grid>(grid), Some(&expected), "{:?}", game.faults());

    let bad = replacer("all::hostile::BadGrid", "({{x:i32}=>u32})", &[&bytes[..12], &bytes[16..]].concat());
    let mut game = Game::with_mods(&[("replacer.wasm", &bad.build())]);
    game.app.world_mut().spawn(BadGrid::default());
    let fault = game.first_fault();
    assert!(fault.contains("cannot be the key of a map"), "{fault}");
}

#[test]
fn long_lists_of_numbers_cross_at_their_size() {
    let bytes: Vec<u8> = (0..1000_u16).map(|n| n as u8).collect();
    let picture = replacer("all::hostile::Picture", "([u8])", &[&1000_u64.to_le_bytes()[..], &bytes].concat());
    let mut game = Game::with_mods(&[("replacer.wasm", &picture.build())]);
    let entity = game.app.world_mut().spawn(Picture::default()).id();
    game.until_told("loaded replacer");
    game.frame();
    assert_eq!(game.app.world().get::<Picture>(entity), Some(&Picture(bytes)), "{:?}", game.faults());
}

#[test]
fn what_is_not_a_number_and_who_does_not_exist_are_values_like_others() {
    // A NaN is a `f32` and a made-up entity is an `Entity`: the game may look before it uses them, and the mod goes on.
    let mut odd = Mod::new("odd");
    let (health, target) = (
        odd.ty("all::fixtures::Health", "{value:f32}"),
        odd.ty("all::fixtures::Target", "{entity:entity,since:duration}"),
    );
    let odd = odd
        .system("blur", "Update", vec![query(&[], &[health])])
        .system("aim", "Update", vec![query(&[], &[target])])
        .run(
            "(i64.store (local.get $dirty) (i64.const 1))
             (if (i32.eqz (local.get $system))
                (then (i32.store (local.get $data) (i32.const 0x7fc00001)))
                (else (i64.store (local.get $data) (i64.const 0x0000000700000007))))",
        );
    let mut game = Game::with_mods(&[("odd.wasm", &odd.build())]);
    let since = Duration::from_secs(1);
    let target = Target { entity: Entity::PLACEHOLDER, since };
    let entity = game.app.world_mut().spawn((Health { value: 1.0 }, target)).id();
    game.until_told("loaded odd");
    game.frames(2);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    let world = game.app.world();
    assert_eq!(world.get::<Health>(entity).map(|health| health.value.to_bits()), Some(0x7fc0_0001));
    let aimed = world.get::<Target>(entity).expect("it is there").entity;
    assert_eq!(aimed.to_bits(), 0x0000_0007_0000_0007);
    assert!(world.get_entity(aimed).is_err());
}

#[test]
fn more_new_bytes_than_a_column_may_bring_back() {
    let mut bad = Mod::new("bad");
    let ty = bad.ty("all::hostile::Picture", "([u8])");
    let bad = bad.system("flood", "Update", vec![query(&[], &[ty])]).run(
        "(i32.store offset=44 (local.get $block) (i32.const 4194305)) (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = Game::with_mods(&[("bad.wasm", &bad.build())]);
    game.app.world_mut().spawn(Picture::default());
    let fault = game.first_fault();
    assert!(fault.contains("more than 4194304"), "{fault}");
}

#[test]
fn relationships_and_clocks_are_not_for_mods_to_write() {
    let check = |path: &str, schema: &str, is_resource: bool, expected: &str| {
        let mut bad = Mod::new("bad");
        let ty = bad.ty(path, schema);
        let param = if is_resource { resource(ty, true) } else { query(&[], &[ty]) };
        let bad = bad.system("write", "Update", vec![param]);
        let mut game = Game::with_mods(&[("bad.wasm", &bad.build())]);
        let child = game.app.world_mut().spawn_empty().id();
        let parent = game.app.world_mut().spawn_empty().add_child(child).id();
        let fault = game.first_fault();
        assert!(fault.contains("cannot be written by mods") && fault.contains(expected), "{fault}");
        assert!(game.app.world().get::<Children>(parent).is_some());
    };
    check("bevy_ecs::hierarchy::Children", "([entity])", false, "relationship");
    let fixed = "{context:{timestep:duration,overstep:duration},wrap_period:duration,delta:duration,delta_secs:f32,\
        delta_secs_f64:f64,elapsed:duration,elapsed_secs:f32,elapsed_secs_f64:f64,elapsed_wrapped:duration,\
        elapsed_secs_wrapped:f32,elapsed_secs_wrapped_f64:f64}";
    check("bevy_time::time::Time<bevy_time::fixed::Fixed>", fixed, true, "clocks");
    assert!(Time::<Fixed>::default().timestep() > Duration::ZERO);
}

#[test]
fn lists_of_what_runs_earlier_are_bounded() {
    let mut game = Game::with_mods(&[]);
    let bomb = Mod::new("bomb").system("a", "Update", vec![]).after(&vec![1; 15_000]).system("b", "Update", vec![]);
    game.write("bomb.wasm", &bomb.build());
    let start = Instant::now();
    let fault = game.first_fault();
    assert!(fault.contains("15000 places in its order"), "{fault}");
    assert!(start.elapsed() < Duration::from_secs(10), "no search over them: {:?}", start.elapsed());

    // A long way around is found too.
    let mut round = Mod::new("round");
    for n in 0..500_u32 {
        round = round.system(&format!("s{n}"), "Update", vec![]).after(&[(n + 1) % 500]);
    }
    let mut game = Game::with_mods(&[("round.wasm", &round.build())]);
    let fault = game.first_fault();
    assert!(fault.contains("should itself run after it"), "{fault}");
}

#[test]
fn a_text_of_the_mod_does_not_flood_the_log() {
    let mut long = Mod::new("long");
    let health = long.ty("Health", &format!("{{{}:f32}}", "x".repeat(20_000)));
    for n in 0..200 {
        long = long.system(&format!("s{n}"), "Update", vec![query(&[health], &[])]);
    }
    let mut game = Game::with_mods(&[("long.wasm", &long.build())]);
    game.app.world_mut().spawn(Health::default());
    let fault = game.first_fault();
    assert!(fault.len() < 64 * 600, "{} bytes", fault.len());
}

#[test]
fn rows_that_do_not_fit_into_the_mods_memory() {
    let mut greedy = Mod::new("greedy");
    let label = greedy.ty("Lettering", "{text:str,tags:[str]}");
    let greedy = greedy.system("read", "Update", (0..32).map(|_| query(&[label], &[])).collect());
    let mut game = Game::with_mods(&[("greedy.wasm", &greedy.build())]);
    game.app.world_mut().spawn(Lettering { text: "x".repeat(3 << 20), tags: Vec::new() });
    let fault = game.first_fault();
    assert!(fault.contains("`read` could not run") && fault.contains("than its memory may have"), "{fault}");
}

#[test]
fn a_removed_resource_only_makes_its_readers_wait() {
    let mut scorer = Mod::new("scorer");
    let score = scorer.ty("Score", "{points:u64}");
    let scorer = scorer.system("score", "Update", vec![resource(score, true)]).run(
        "(i64.store (local.get $data) (i64.add (i64.const 1) (i64.load (local.get $data))))
         (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = Game::with_mods(&[("scorer.wasm", &scorer.build())]);
    game.app.insert_resource(Score::default());
    game.until_told("loaded scorer");
    game.app.world_mut().remove_resource::<Score>();
    game.frames(3);
    game.app.insert_resource(Score { points: 5 });
    game.frames(2);
    assert_eq!(game.app.world().resource::<Score>().points, 7, "{:?}", game.faults());
}

/// A mod whose system calls a host function without arguments.
fn caller() -> Mod {
    Mod::new("caller").import("relay").system("call", "Update", vec![]).run("(drop (call $relay (i64.const 0)))")
}

#[test]
fn a_host_function_may_look_at_the_mods_and_not_call_its_caller() {
    let look = |mods: Res<ModRegistry>| mods.iter().count();
    let mut game = Game::with_mods(&[("caller.wasm", &caller().build())]);
    game.app.add_mod_import("relay", look);
    game.until_told("loaded caller");
    game.frames(3);
    assert!(game.faults().is_empty(), "{:?}", game.faults());

    let call_back = |mut mods: Mods| {
        let answer = mods.call::<_, ()>("caller", "anything", &());
        assert!(matches!(answer, Err(ModCallError::Busy { .. })), "{answer:?}");
        mods.iter().count()
    };
    let mut game = Game::with_mods(&[("caller.wasm", &caller().build())]);
    game.app.add_mod_import("relay", call_back);
    game.until_told("loaded caller");
    game.frames(3);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

#[test]
fn commands_of_a_host_function_that_cannot_be_applied_fail_the_mod() {
    let hurt = |mut commands: Commands| {
        let gone = Entity::from_raw_u32(4_000_000).expect("an index");
        commands.entity(gone).insert(Health { value: 0.0 });
    };
    let mut game = Game::with_mods(&[("caller.wasm", &caller().build())]);
    game.app.add_mod_import("relay", hurt);
    let fault = game.first_fault();
    assert!(fault.contains("`call` failed, because the game panicked"), "{fault}");
    game.frames(3);
    assert_eq!(game.faults().len(), 1);
}

#[test]
fn a_host_function_without_arguments_refuses_some() {
    let talker = Mod::new("talker")
        .import("relay")
        .system("talk", "Update", vec![])
        .run("(drop (call $relay (i64.const 0x10000000004)))");
    let mut game = Game::with_mods(&[("talker.wasm", &talker.build())]);
    game.app.add_mod_import("relay", |_: In<()>| ());
    let fault = game.first_fault();
    assert!(fault.contains("`relay`") && fault.contains("its arguments do not fit"), "{fault}");
}

/// Loads a mod beside a good one, and returns its fault. The good one has to play on.
#[track_caller]
fn beside_a_good_one(bad: &Mod) -> String {
    let limits = ModLimits {
        startup_time: Duration::from_secs(2),
        call_time: Duration::from_millis(300),
        ..ModLimits::default()
    };
    let settings = ModSettings { limits, ..ModSettings::default() };
    let mods: [(&str, &[u8]); 2] = [("bad.wasm", &bad.build()), ("good.wasm", &healer("good").build())];
    let mut game = Game::with_settings(&mods, settings);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    game.until_told("loaded good");
    let fault = game.first_fault();
    let health = |game: &Game| game.app.world().get::<Health>(patient).expect("it is there").value;
    let before = health(&game);
    game.frames(3);
    assert_eq!(health(&game), before + 3.0, "the good mod plays on");
    assert_eq!(game.faults().len(), 1, "{:?}", game.faults());
    fault
}

#[test]
fn a_start_function_without_an_end() {
    let fault = beside_a_good_one(&Mod::new("bad").fields("(func $s (loop $again (br $again))) (start $s)"));
    assert!(fault.contains("the start function") && fault.contains("longer than 2s"), "{fault}");
}

#[test]
fn the_mark_of_resources_is_not_for_mods_to_insert() {
    let mut bad = Mod::new("bad");
    let mark = bad.ty("bevy_ecs::resource::IsResource", "(u64)");
    let spawn = Command::Spawn { entity: new_entity(0), components: vec![value(mark, &[0; 8])] };
    let bad = bad.system("mark", "Startup", vec![ParamDesc::Commands]).leaves(0, &[spawn]);
    let fault = beside_a_good_one(&bad);
    assert!(fault.contains("`mark`") && fault.contains("IsResource"), "{fault}");
}

#[test]
fn five_thousand_queries_of_one_system() {
    let mut bad = Mod::new("bad");
    let health = bad.ty("Health", "{value:f32}");
    let bad = bad.system("look", "Update", vec![query(&[health], &[]); 5_000]);
    let fault = beside_a_good_one(&bad);
    assert!(fault.contains("`look`") && fault.contains("5000"), "{fault}");
}

#[test]
fn a_million_queries_in_one_call() {
    let mut bad = Mod::new("bad").import("world_prepare").import("world_count");
    let schema = mod_abi::Schema::parse("{value:f32}").expect("a schema");
    bad.ty("Health", "{value:f32}");
    let request = WorldRequest {
        types: vec![TypeDesc { path: "Health".to_owned(), schema, role: TypeRole::Mirror }],
        target: WorldTarget::Query(QueryDesc { terms: vec![TermDesc::Read(0)], filters: Vec::new() }),
    };
    let bytes = codec::encode(&request).expect("a request");
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    // What is allocated is forgotten at once, so that time is the only limit. The handle of the request is 0.
    let bad = bad
        .system("look", "Update", vec![ParamDesc::World])
        .fields(&format!(r#"(data (i32.const 8192) "{escaped}")"#))
        .run(&format!(
            "(drop (call $world_prepare (i64.const {})))
             (loop $again
                (global.set $top (i32.const 65536))
                (i32.store (i32.const 256) (i32.const 0))
                (drop (call $world_count (i64.const 0x0000010000000004)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000000))))",
            (8192_u64 << 32) | bytes.len() as u64
        ));
    let start = Instant::now();
    let fault = beside_a_good_one(&bad);
    assert!(fault.contains("`look` was stopped because it ran longer than 300ms"), "{fault}");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
