//! What is behind the creatures: water that is bright by day and dark by night, dust in it, and rain. All as `Weather` says.

use bevy::{
    asset::{RenderAssetUsages, uuid_handle},
    mesh::PrimitiveTopology,
    prelude::{
        App, Assets, ColorMaterial, Commands, Component, Handle, Local, Mesh, Mesh2d, MeshMaterial2d, PostUpdate, Res,
        ResMut, Resource, Single, Startup, Time, Transform, Vec2, Vec3, With,
    },
};

use crate::{
    arena::{Arena, Weather},
    draw::{Shape, Strokes},
};

const WATER: Handle<Mesh> = uuid_handle!("9f5f7f2c-0f8e-4d3e-b8c9-6b2f6a90d1c4");

/// The water from top to bottom, linear: at noon, at night, and in a storm.
const NOON: [Vec3; 3] =
    [Vec3::new(0.010, 0.064, 0.105), Vec3::new(0.005, 0.027, 0.062), Vec3::new(0.003, 0.010, 0.032)];
const NIGHT: [Vec3; 3] =
    [Vec3::new(0.010, 0.014, 0.045), Vec3::new(0.005, 0.008, 0.026), Vec3::new(0.002, 0.004, 0.014)];
const STORM: [Vec3; 3] =
    [Vec3::new(0.028, 0.042, 0.055), Vec3::new(0.013, 0.022, 0.034), Vec3::new(0.006, 0.010, 0.018)];

/// How many grains of dust there are, and drops in the hardest rain.
const GRAINS: usize = 150;
const DROPS: usize = 260;

/// Adds the background.
pub(crate) fn plugin(app: &mut App) {
    app.init_resource::<Dust>().add_systems(Startup, add_water).add_systems(PostUpdate, (drift, tint_water));
}

#[derive(Component)]
struct Water;

/// What drifts in the water, and the rain. Moved by the wind.
#[derive(Resource, Debug)]
pub(crate) struct Dust {
    grains: Vec<Mote>,
    drops: Vec<Mote>,
    half: Vec2,
}

#[derive(Debug, Clone, Copy)]
struct Mote {
    at: Vec2,
    /// From 0, far away, to 1.
    depth: f32,
}

impl Default for Dust {
    fn default() -> Self {
        let half = Arena::default().half;
        let motes = |count, first: f32| {
            let mote = |number| {
                let part = |step: f32| (first + number as f32 * step).fract();
                Mote {
                    at: (Vec2::new(part(0.754_877_7), part(0.569_840_3)) * 2.0 - 1.0) * half,
                    depth: part(0.618_034),
                }
            };
            (0..count).map(mote).collect()
        };
        Self { grains: motes(GRAINS, 0.1), drops: motes(DROPS, 0.6), half }
    }
}

fn add_water(mut meshes: ResMut<Assets<Mesh>>, mut materials: ResMut<Assets<ColorMaterial>>, mut commands: Commands) {
    // Three rows of two corners, one pixel wide.
    let corners: Vec<[f32; 3]> = [1.0, 0.0, -1.0].into_iter().flat_map(|y| [[-1.0, y, 0.0], [1.0, y, 0.0]]).collect();
    let mesh = Mesh::new(PrimitiveTopology::TriangleStrip, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, corners)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, vec![[0.0, 0.0, 0.0, 1.0]; 6]);
    if meshes.insert(&WATER, mesh).is_ok() {
        let material = materials.add(ColorMaterial::default());
        commands.spawn((Water, Mesh2d(WATER), MeshMaterial2d(material), Transform::from_xyz(0.0, 0.0, -10.0)));
    }
}

/// Slow, as water is, so that a mod that is switched off leaves no flash.
fn tint_water(
    mut water: Single<&mut Transform, With<Water>>,
    mut colors: Local<[Vec3; 3]>,
    mut meshes: ResMut<Assets<Mesh>>,
    arena: Res<Arena>,
    weather: Res<Weather>,
    time: Res<Time>,
) {
    water.scale = arena.half.extend(1.0);
    let pace = if *colors == [Vec3::ZERO; 3] { 1.0 } else { (time.delta_secs() * 1.5).min(1.0) };
    for (row, color) in colors.iter_mut().enumerate() {
        let clear = NIGHT[row].lerp(NOON[row], weather.light.clamp(0.0, 1.0));
        *color = color.lerp(clear.lerp(STORM[row], weather.rain.clamp(0.0, 1.0) * 0.8), pace);
    }
    if let Some(mut mesh) = meshes.get_mut(&WATER) {
        let corner = |color: &Vec3| [[color.x, color.y, color.z, 1.0]; 2];
        mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colors.iter().flat_map(corner).collect::<Vec<_>>());
    }
}

/// Moves dust and drops on, and around at the edges.
pub(crate) fn drift(mut dust: ResMut<Dust>, arena: Res<Arena>, weather: Res<Weather>, time: Res<Time>) {
    let (dt, half) = (time.delta_secs().min(0.05), arena.half.max(Vec2::ONE) + 20.0);
    let grown = half / dust.half;
    dust.half = half;
    let Dust { grains, drops, .. } = &mut *dust;
    for grain in grains {
        grain.at = around(grain.at * grown + (weather.wind * 0.35 + Vec2::Y * 4.0) * (0.2 + grain.depth) * dt, half);
    }
    for drop in drops {
        drop.at = around(drop.at * grown + falling(drop, &weather) * dt, half);
    }
}

fn falling(drop: &Mote, weather: &Weather) -> Vec2 {
    Vec2::new(weather.wind.x * 2.5, -620.0) * (0.6 + 0.6 * drop.depth)
}

fn around(at: Vec2, half: Vec2) -> Vec2 {
    (at + half).rem_euclid(2.0 * half) - half
}

/// Adds dust, and as many drops as it rains.
pub(crate) fn draw(strokes: &mut Strokes, dust: &Dust, weather: &Weather) {
    for grain in &dust.grains {
        let reach = 1.2 + 2.6 * grain.depth;
        let color = Vec3::new(0.10, 0.16, 0.20) * (0.25 + 0.75 * grain.depth);
        strokes.add(Shape::Halo, grain.at, Vec2::X * reach, reach, color);
    }
    let raining = (weather.rain.clamp(0.0, 1.0) * dust.drops.len() as f32) as usize;
    for drop in dust.drops.iter().take(raining) {
        let color = Vec3::new(0.13, 0.20, 0.25) * (0.3 + 0.7 * drop.depth);
        strokes.add(Shape::Halo, drop.at, falling(drop, weather) * 0.024, 1.3, color);
    }
}

#[cfg(test)]
mod tests {
    use bevy::prelude::Vec2;

    use super::{Dust, around};
    use crate::arena::Arena;

    #[test]
    fn dust_is_everywhere_and_stays() {
        let dust = Dust::default();
        let half = Arena::default().half;
        for corner in [Vec2::ONE, -Vec2::ONE, Vec2::new(1.0, -1.0), Vec2::new(-1.0, 1.0)] {
            let near = dust.grains.iter().filter(|grain| (grain.at * corner).cmpgt(Vec2::ZERO).all()).count();
            assert!(near > 20, "{near} of {} at {corner}", dust.grains.len());
        }
        assert!(dust.grains.iter().chain(&dust.drops).all(|mote| around(mote.at, half).abs_diff_eq(mote.at, 0.01)));
        assert_eq!(around(Vec2::new(11.0, -6.0), Vec2::new(10.0, 5.0)), Vec2::new(-9.0, 4.0));
    }
}
