//! Reads `Velocity` and updates `Transform`.

use peers_guest_wasvy::{DT, TRANSFORM, Transform, VELOCITY, Velocity, read, written};
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
        system.add_query(&[QueryFor::Mut(TRANSFORM.to_owned()), QueryFor::Ref(VELOCITY.to_owned())]);
        app.add_systems(&Schedule::Update, &[&system]);
    }

    fn update(query: Query) {
        while let Some(row) = query.iter() {
            let component = row.component(0);
            let mut transform: Transform = read(&component.get());
            let velocity: Velocity = read(&row.component(1).get());
            transform.translation[0] += velocity.x * DT;
            transform.translation[1] += velocity.y * DT;
            transform.translation[2] += velocity.z * DT;
            component.set(&written(&transform));
        }
    }
}

export!(Mod);
