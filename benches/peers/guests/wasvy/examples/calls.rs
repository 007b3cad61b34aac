//! Calls a function of the game ten thousand times.

use peers_guest_wasvy::{Number, TALLY, written};
use wasvy::ecs::app::{QueryFor, Schedule, System};

wit_bindgen::generate!({
    path: ["../../target/wit/bevy-ecs.wit", "../../target/wit/wasvy-ecs.wit", "wit"],
    world: "peers:guests/caller",
    generate_all,
});

struct Mod;

impl Guest for Mod {
    fn setup(app: App) {
        let system = System::new("call");
        system.add_query(&[QueryFor::Mut(TALLY.to_owned())]);
        app.add_systems(&Schedule::Update, &[&system]);
    }

    fn call(query: Query) {
        while let Some(row) = query.iter() {
            row.component(0).set(&written(&Number { value: (0..10_000).fold(0, add) }));
        }
    }
}

export!(Mod);
