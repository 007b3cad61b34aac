//! One small system, of a mod that is one of many.

use peers_guest_wasvy::{COUNTER, Number, read, written};
use wasvy::ecs::app::{QueryFor, Schedule, System};

wit_bindgen::generate!({
    path: ["../../target/wit/bevy-ecs.wit", "../../target/wit/wasvy-ecs.wit", "wit"],
    world: "peers:guests/rows",
    generate_all,
});

struct Mod;

impl Guest for Mod {
    fn setup(app: App) {
        let system = System::new("update");
        system.add_query(&[QueryFor::Mut(COUNTER.to_owned())]);
        app.add_systems(&Schedule::Update, &[&system]);
    }

    fn update(query: Query) {
        while let Some(row) = query.iter() {
            let component = row.component(0);
            let counter: Number = read(&component.get());
            component.set(&written(&Number { value: counter.value + 1 }));
        }
    }
}

export!(Mod);
