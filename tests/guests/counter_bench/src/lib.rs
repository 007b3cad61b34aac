//! Five small systems, for the part of `benches/bridge.rs` that loads a hundred mods.

use mod_sdk::prelude::*;

#[derive(Component)]
struct Counter(u32);

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Last, (count_a, count_b, count_c, count_d, count_e));
}

fn count(mut query: Query<&mut Counter>) {
    for mut counter in &mut query {
        counter.0 += 1;
    }
}

fn count_a(query: Query<&mut Counter>) {
    count(query);
}

fn count_b(query: Query<&mut Counter>) {
    count(query);
}

fn count_c(query: Query<&mut Counter>) {
    count(query);
}

fn count_d(query: Query<&mut Counter>) {
    count(query);
}

fn count_e(query: Query<&mut Counter>) {
    count(query);
}
