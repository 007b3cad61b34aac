//! The first creatures: four families in four colours. From then on they are the mods'.
//!
//! Knows no window and no renderer, as [`arena`](super::arena).

use bevy::prelude::{Add, App, Commands, On, Res, Startup, Transform, Vec2, Vec3};
use bevy_wasm_mods::prelude::DespawnableByMods;

use super::arena::{Arena, Creature, Tint, Velocity};

/// The colours of the families, linear: aqua, violet, rose and gold.
const FAMILIES: [Vec3; 4] =
    [Vec3::new(0.05, 0.62, 0.72), Vec3::new(0.26, 0.20, 0.95), Vec3::new(0.95, 0.16, 0.36), Vec3::new(1.0, 0.52, 0.13)];

/// Spawns the creatures, others for another seed.
pub(crate) fn plugin(seed: u64) -> impl Fn(&mut App) {
    move |app| {
        app.add_observer(may_be_eaten).add_systems(Startup, move |arena: Res<Arena>, mut commands: Commands| {
            commands.spawn_batch((0..arena.creatures).map(|number| creature(number, seed, &arena)).collect::<Vec<_>>());
        });
    }
}

/// Mods may despawn whatever is a creature, whoever has spawned it.
fn may_be_eaten(creature: On<Add, Creature>, mut commands: Commands) {
    commands.entity(creature.entity).insert(DespawnableByMods);
}

fn creature(number: u32, seed: u64, arena: &Arena) -> (Creature, Velocity, Tint, Transform) {
    let chance = |which: u64| chance(seed, u64::from(number) * 8 + which);
    let family = number % 4;
    let color = FAMILIES[family as usize] * (0.75 + 0.5 * chance(0)) + Vec3::splat(0.06 * chance(1));
    // Each family begins in its own part of the arena.
    let home = Vec2::from_angle(f32::from(family as u8) * 1.6 + 0.7) * arena.half * 0.5;
    let place = home + Vec2::from_angle(chance(2) * 6.3) * chance(3).sqrt() * arena.half.y * 0.5;
    let velocity = Vec2::from_angle(chance(4) * 6.3) * 80.0;
    let creature = Creature { family, size: 0.75 + 0.55 * chance(5) * chance(6) };
    (creature, Velocity(velocity), Tint { color, glow: 1.0 }, Transform::from_translation(place.extend(0.0)))
}

/// A number from 0 to 1, always the same for the same seed and place: the mixing function of SplitMix64.
fn chance(seed: u64, place: u64) -> f32 {
    let mut bits = (seed ^ 0x5a17).wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::{Arena, chance, creature};

    #[test]
    fn chance_is_fair_and_repeats_itself() {
        let numbers: Vec<f32> = (0..1000).map(|place| chance(7, place)).collect();
        let middle = numbers.iter().sum::<f32>() / 1000.0;
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)) && (0.45..0.55).contains(&middle), "{middle}");
        assert!(chance(7, 3) == numbers[3] && chance(8, 3) != numbers[3]);
    }

    #[test]
    fn creatures_begin_in_the_arena() {
        let arena = Arena::default();
        for number in 0..500 {
            let (_, _, tint, place) = creature(number, 1, &arena);
            assert!(place.translation.truncate().abs().cmple(arena.half).all(), "{place:?}");
            assert!(tint.color.min_element() >= 0.0, "{tint:?}");
        }
    }
}
