//! A system that does nothing.

use wasvy::ecs::app::{Schedule, System};

wit_bindgen::generate!({
    path: ["../../target/wit/bevy-ecs.wit", "../../target/wit/wasvy-ecs.wit", "wit"],
    world: "peers:guests/idle",
    generate_all,
});

struct Mod;

impl Guest for Mod {
    fn setup(app: App) {
        app.add_systems(&Schedule::Update, &[&System::new("idle")]);
    }

    fn idle() {}
}

export!(Mod);
