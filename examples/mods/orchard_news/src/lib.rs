//! Every second, the news of the orchard. What they are about is read from the game when it is needed.

use mod_sdk::prelude::*;

#[derive(Component)]
#[component(path = "hello_mods::Nectar")]
struct Nectar {
    drops: u32,
}

#[derive(Resource)]
#[resource(path = "hello_mods::Orchard")]
struct Orchard {
    day: u32,
    blossoms: u32,
}

#[import] // The game shows it, and tells how often it did so far.
fn announce(text: String) -> u32;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, report);
}

fn report(world: World, mut last: Local<u64>) {
    let second = world.resource::<Time>().elapsed().as_secs();
    if *last == second {
        return;
    }
    *last = second;

    let bees = world.query::<(Entity, &Nectar)>();
    let Some((busiest, nectar)) = bees.iter().max_by_key(|(_, nectar)| nectar.drops) else { return };
    let place = world.get::<Transform>(busiest).unwrap_or_default().translation;
    let count = announce(headline(&world.resource(), bees.len(), nectar, place));
    debug!("{count} announcements so far");
}

fn headline(orchard: &Orchard, bees: usize, most: &Nectar, place: Vec3) -> String {
    let Orchard { day, blossoms } = orchard;
    let (drops, x, y) = (most.drops, place.x, place.y);
    format!("Day {day}: {bees} bees in {blossoms} blossoms. The busiest has {drops} drops, at ({x:.0}, {y:.0}).")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_says_it_all() {
        let orchard = Orchard { day: 3, blossoms: 40 };
        let headline = headline(&orchard, 12, &Nectar { drops: 9 }, Vec3::new(1.2, -7.9, 0.0));
        assert_eq!(headline, "Day 3: 12 bees in 40 blossoms. The busiest has 9 drops, at (1, -8).");
    }
}
