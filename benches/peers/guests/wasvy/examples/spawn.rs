//! Despawns what is there of its kind, and spawns a thousand.

use peers_guest_wasvy::{Number, SPARK, written};
use wasvy::ecs::app::{QueryFor, Schedule, System};

wit_bindgen::generate!({
    path: ["../../target/wit/bevy-ecs.wit", "../../target/wit/wasvy-ecs.wit", "wit"],
    world: "peers:guests/spawner",
    generate_all,
});

struct Mod;

impl Guest for Mod {
    fn setup(app: App) {
        let system = System::new("spawn");
        system.add_commands();
        system.add_query(&[QueryFor::With(SPARK.to_owned())]);
        app.add_systems(&Schedule::Update, &[&system]);
    }

    fn spawn(commands: Commands, query: Query) {
        while let Some(row) = query.iter() {
            commands.entity(&row.entity()).despawn();
        }
        for value in 0..1_000 {
            commands.spawn(&[(SPARK.to_owned(), written(&Number { value }))]);
        }
    }
}

export!(Mod);
