//! A plugin of an editor, built before this contract had a name, in a game: nothing of it has to change. What it has is
//! described in `mod_host/tests/all/old_plugin.wat`.

use bevy::prelude::{In, ResMut, Resource};
use bevy_wasm_mods::prelude::{CallMod, ModAppExt, ModCallError, ModLimits, ModSettings, Mods};

use crate::{
    fixtures::Health,
    support::{Game, healer},
};

#[derive(Resource, Default)]
struct Commands(Vec<String>);

fn run(In(command): In<String>, mut commands: ResMut<Commands>) -> Vec<u8> {
    commands.0.push(command);
    b"total 0".to_vec()
}

/// The plugin and a good mod.
fn game(settings: ModSettings) -> Game {
    let plugin = wat::parse_str(include_str!("../../mod_host/tests/all/old_plugin.wat")).expect("a module");
    let mut game =
        Game::with_settings(&[("doubler.wasm", &plugin), ("healer.wasm", &healer("healer").build())], settings);
    game.app.init_resource::<Commands>().add_mod_import("run", run);
    game.until_told("loaded doubler");
    game
}

#[test]
fn it_is_known_by_its_files_name_and_called_by_name() {
    let mut game = game(ModSettings::default());
    let world = game.app.world_mut();
    let doubled = world.call_mod::<_, Vec<f64>>("doubler", "double", &vec![1.5, -2.0]);
    assert_eq!(doubled.expect("it doubles"), [3.0, -4.0]);
    let repeated = world.call_mod::<_, String>("doubler", "repeat", &("ab", 2_u32));
    assert_eq!(repeated.expect("it repeats"), "abab");
    world.call_mod::<_, ()>("doubler", "nothing", &()).expect("nothing happens");
    let output = world.call_mod::<_, Vec<u8>>("doubler", "shell", "ls");
    assert_eq!(output.expect("it asks the game"), b"total 0");
    assert_eq!(world.resource::<Commands>().0, ["ls"]);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

#[test]
fn it_may_run_out_of_memory_without_harm() {
    let limits = ModLimits { memory_bytes: 2 << 20, ..Default::default() };
    let mut game = game(ModSettings { limits, ..Default::default() });
    let patient = game.app.world_mut().spawn(Health::default()).id();
    game.until_told("loaded healer");
    // It frees nothing, so that it grows with every call.
    let numbers = vec![0.5; 1 << 10];
    let error = loop {
        match game.app.world_mut().call_mod::<_, Vec<f64>>("doubler", "double", &numbers) {
            Ok(doubled) => assert_eq!(doubled.len(), numbers.len()),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, ModCallError::Call { .. }), "{error:?}");
    assert!(error.to_string().contains("ran out of memory: the mod may use 2097152 bytes"), "{error}");
    let fault = game.first_fault();
    assert!(fault.contains("doubler 0.0.0") && fault.contains("ran out of memory"), "{fault}");

    let health = |game: &Game| game.app.world().get::<Health>(patient).expect("it is there").value;
    let before = health(&game);
    game.frames(3);
    assert_eq!(health(&game), before + 3.0, "the game goes on");
    // A new instance starts with little.
    let mut reloading = bevy::ecs::system::SystemState::<Mods>::new(game.app.world_mut());
    reloading.get_mut(game.app.world_mut()).expect("the plugin is there").reload("doubler").expect("it is known");
    game.until("doubler runs again", |game| {
        game.app.world_mut().call_mod::<_, Vec<f64>>("doubler", "double", &vec![4.0]).is_ok_and(|eight| eight == [8.0])
    });
}
