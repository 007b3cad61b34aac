//! A game in a terminal with five mods: `cargo run --example hello_mods`.
//!
//! The game has bees with a place and a speed, and does nothing with them. Everything that happens is done by the mods
//! in `assets/mods`: three in Rust, `orchard_dance` in C and `orchard_market` in AssemblyScript. It ends by itself after
//! a few seconds; `-- --forever` keeps it running, to try hot reload, and `-- --diagnostics` shows what each mod takes.

use std::time::Duration;

use bevy::{
    app::ScheduleRunnerPlugin,
    diagnostic::LogDiagnosticsPlugin,
    log::LogPlugin,
    prelude::{
        App, AppExit, Commands, Component, In, IntoScheduleConfigs, Local, MessageReader, MessageWriter,
        MinimalPlugins, Name, PluginGroup, Query, Reflect, Res, ResMut, Resource, Startup, Time, Transform, Update,
        Vec3, World, default, info,
    },
    reflect::std_traits::ReflectDefault,
};
use bevy_wasm_mods::{
    GameIdentity, Version,
    prelude::{
        CallMod, ModAppExt, ModDiagnosticsPlugin, ModEvent, ModSetting, ModSettings, ModSystems, Mods, WasmModsPlugin,
    },
};
use serde::{Deserialize, Serialize};

/// How fast something flies, in metres per second.
#[derive(Component, Reflect, Default)]
#[reflect(Default)]
struct Velocity(Vec3);

/// Marks a bee.
#[derive(Component, Reflect, Default)]
#[reflect(Default)]
struct Bee;

/// What a bee carries.
#[derive(Component, Reflect, Default)]
#[reflect(Default)]
struct Nectar {
    drops: u32,
}

/// The place where all this happens.
#[derive(Resource, Reflect, Default)]
struct Orchard {
    day: u32,
    blossoms: u32,
}

/// How many announcements were made so far.
#[derive(Resource, Default)]
struct Announcements(u32);

/// What somebody buys in the market, and what the market says: a mod's JSON as types of the game.
#[derive(Serialize)]
struct Basket {
    jars: u32,
    buyer: String,
}

#[derive(Deserialize)]
struct Sale {
    coins: f64,
    receipt: String,
}

/// How long the game runs without `--forever`.
const SHOW: Duration = Duration::from_secs(5);

fn main() -> AppExit {
    let frame = Duration::from_secs_f64(1.0 / 60.0);
    let mut app = App::new();
    app.add_plugins((MinimalPlugins.set(ScheduleRunnerPlugin::run_loop(frame)), LogPlugin::default()))
        .insert_resource(ModSettings { game: Some(this_game()), ..default() })
        .add_plugins(WasmModsPlugin)
        .insert_resource(Orchard { day: 1, blossoms: 120 })
        .init_resource::<Announcements>()
        .add_mod_import("announce", announce)
        .add_systems(Startup, plant)
        .add_systems(Update, (tell_mods, ask_a_mod, turn_the_wind_up, show_bees.after(ModSystems), end));
    if std::env::args().any(|argument| argument == "--diagnostics") {
        app.add_plugins((ModDiagnosticsPlugin::default(), LogDiagnosticsPlugin::default()));
    }
    app.run()
}

/// What mods say in `[package.metadata.mod] game = ..` that they are for.
fn this_game() -> GameIdentity {
    GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 1, 0) }
}

fn plant(mut commands: Commands) {
    for (name, speed) in [("Ada", 1.0), ("Bea", 2.0), ("Cleo", 3.0)] {
        let velocity = Velocity(Vec3::new(speed, 0.0, 0.0));
        commands.spawn((Name::new(name), Bee, velocity, Nectar::default(), Transform::default()));
    }
    info!("three bees are in the orchard; the mods in assets/mods do the rest");
    info!("to see hot reload, start again with `-- --forever`, change WIND in examples/mods/orchard_wind/src/lib.rs");
    info!("and run `cargo xtask mods` beside the game");
}

/// A host function: mods call it with `#[import] fn announce(text: String) -> u32`.
fn announce(In(text): In<String>, mut announcements: ResMut<Announcements>) -> u32 {
    announcements.0 += 1;
    info!("announcement {}: {text}", announcements.0);
    announcements.0
}

/// Says what happens to mods.
fn tell_mods(mut events: MessageReader<ModEvent>, mut commands: Commands) {
    for event in events.read() {
        match event {
            ModEvent::Loaded { id } => {
                info!("the game has a new mod: {id}");
                if &**id == "orchard_market" {
                    commands.queue(buy_honey);
                }
            }
            ModEvent::Reloaded { id, .. } => info!("the game has a new version of {id}"),
            ModEvent::Failed { id, .. } => info!("the game goes on without {id}"),
            ModEvent::SettingChanged { id, name, value } => info!("the player set {name} of {id} to {value}"),
            _ => {}
        }
    }
}

/// Calls an export of a mod, once.
fn ask_a_mod(mut mods: Mods, mut asked: Local<bool>) {
    if !*asked && mods.is_running("orchard_wind") {
        *asked = true;
        match mods.call::<_, Vec<f64>>("orchard_wind", "double", &vec![1.0, 20.5]) {
            Ok(doubled) => info!("the game asked orchard_wind to double 1 and 20.5: {doubled:?}"),
            Err(error) => info!("{error}"),
        }
    }
}

/// What a menu with the settings of mods would do.
fn turn_the_wind_up(mut mods: Mods, time: Res<Time>, mut done: Local<bool>) {
    if *done || time.elapsed() < SHOW / 2 {
        return;
    }
    *done = true;
    for ModSetting { desc, value, .. } in mods.settings("orchard_wind").unwrap_or_default() {
        info!("orchard_wind can be set: {} ({}), which is {value}", desc.name, desc.description);
    }
    if let Err(error) = mods.set_setting("orchard_wind", "strength", 2.5) {
        info!("{error}");
    }
}

/// Calls an export of a mod with the `World` at hand, so that the mod can call the game: it announces large sales.
fn buy_honey(world: &mut World) {
    let basket = Basket { jars: 12, buyer: "Dora".to_owned() };
    match world.call_mod::<_, Sale>("orchard_market", "sell", &basket) {
        Ok(Sale { coins, receipt }) => info!("orchard_market takes {coins} coins: {receipt}"),
        Err(error) => info!("{error}"),
    }
}

/// Shows the bees every second.
fn show_bees(bees: Query<(&Name, &Transform, &Nectar)>, time: Res<Time>, mut shown: Local<u64>) {
    let second = time.elapsed().as_secs();
    if second > *shown {
        *shown = second;
        for (name, transform, nectar) in &bees {
            info!("{name} is at {:.1} with {} drops of nectar", transform.translation, nectar.drops);
        }
    }
}

/// Ends the game after a while.
fn end(time: Res<Time>, mut exit: MessageWriter<AppExit>) {
    let forever = std::env::args().any(|argument| argument == "--forever");
    if !forever && time.elapsed() > SHOW {
        info!("that was it; `cargo run --example hello_mods -- --forever` goes on until you stop it");
        exit.write(default());
    }
}
