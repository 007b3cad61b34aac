//! Draws all creatures, whoever has spawned them, as one mesh whose light is added to what is behind it.

use bevy::{
    asset::{RenderAssetUsages, uuid_handle},
    camera::visibility::NoFrustumCulling,
    mesh::{Indices, MeshVertexBufferLayoutRef, PrimitiveTopology},
    prelude::{
        App, Asset, AssetServer, Assets, Commands, Handle, Image, IntoScheduleConfigs, Mesh, Mesh2d, PostUpdate, Query,
        Res, ResMut, Startup, Transform, TypePath, Vec2, Vec3,
    },
    render::render_resource::{
        AsBindGroup, BlendComponent, BlendFactor, BlendOperation, BlendState, RenderPipelineDescriptor,
        SpecializedMeshPipelineError,
    },
    shader::ShaderRef,
    sprite_render::{AlphaMode2d, Material2d, Material2dKey, Material2dPlugin, MeshMaterial2d},
};

use crate::{
    arena::{Creature, Pointer, Tint, Velocity, Weather},
    sky::{self, Dust},
};

/// The mesh that is filled anew in each frame.
const STROKES: Handle<Mesh> = uuid_handle!("5b0a3c1e-67a1-4f0e-8f57-2f1c55b6d0a1");
/// How large a creature of size 1 is, in pixels: half of its length and of its width.
const HALF_LENGTH: f32 = 9.5;
const HALF_WIDTH: f32 = 4.6;

/// Adds the drawing of creatures.
pub(crate) fn plugin(app: &mut App) {
    app.add_plugins(Material2dPlugin::<GlowMaterial>::default())
        .add_systems(Startup, add_mesh)
        .add_systems(PostUpdate, fill_mesh.after(sky::drift));
}

/// Light from a picture, in the colours of the mesh.
#[derive(Asset, AsBindGroup, TypePath, Debug, Clone)]
struct GlowMaterial {
    #[texture(0)]
    #[sampler(1)]
    picture: Handle<Image>,
}

impl Material2d for GlowMaterial {
    fn fragment_shader() -> ShaderRef {
        "glow.wgsl".into()
    }

    fn alpha_mode(&self) -> AlphaMode2d {
        AlphaMode2d::Blend
    }

    fn specialize(
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        _: Material2dKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        let add = |src_factor, dst_factor| BlendComponent { src_factor, dst_factor, operation: BlendOperation::Add };
        let targets = descriptor.fragment.iter_mut().flat_map(|fragment| fragment.targets.iter_mut().flatten());
        for target in targets {
            target.blend = Some(BlendState {
                color: add(BlendFactor::One, BlendFactor::One),
                alpha: add(BlendFactor::Zero, BlendFactor::One),
            });
        }
        Ok(())
    }
}

/// Which half of the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A drop with its head to the right.
    Body,
    /// A soft round light.
    Halo,
}

/// The corners of everything that glows in this frame.
#[derive(Debug, Default)]
pub(crate) struct Strokes {
    places: Vec<[f32; 3]>,
    colors: Vec<[f32; 4]>,
    uvs: Vec<[f32; 2]>,
    indices: Vec<u32>,
}

impl Strokes {
    /// Adds a picture. `along` is half of its length in its direction, `width` half of its width.
    pub(crate) fn add(&mut self, shape: Shape, at: Vec2, along: Vec2, width: f32, color: Vec3) {
        let across = along.perp().normalize_or_zero() * width;
        let first = self.places.len() as u32;
        let (left, right) = match shape {
            Shape::Body => (0.0, 0.5),
            Shape::Halo => (0.5, 1.0),
        };
        for (corner, uv) in [
            (at - along - across, [left, 1.0]),
            (at + along - across, [right, 1.0]),
            (at + along + across, [right, 0.0]),
            (at - along + across, [left, 0.0]),
        ] {
            self.places.push([corner.x, corner.y, 0.0]);
            self.colors.push([color.x, color.y, color.z, 1.0]);
            self.uvs.push(uv);
        }
        self.indices.extend([0, 1, 2, 0, 2, 3].map(|corner| first + corner));
    }

    fn into_mesh(self, mesh: &mut Mesh) {
        mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, self.places);
        mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, self.colors);
        mesh.insert_attribute(Mesh::ATTRIBUTE_UV_0, self.uvs);
        mesh.insert_indices(Indices::U32(self.indices));
    }
}

fn add_mesh(
    assets: Res<AssetServer>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<GlowMaterial>>,
    mut commands: Commands,
) {
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default());
    Strokes::default().into_mesh(&mut mesh);
    if meshes.insert(&STROKES, mesh).is_err() {
        return;
    }
    let material = materials.add(GlowMaterial { picture: assets.load("creature.png") });
    // Where its corners are is known only to the mesh.
    commands.spawn((Mesh2d(STROKES), MeshMaterial2d(material), Transform::from_xyz(0.0, 0.0, 1.0), NoFrustumCulling));
}

fn fill_mesh(
    creatures: Query<(&Creature, &Transform, &Velocity, &Tint)>,
    dust: Res<Dust>,
    weather: Res<Weather>,
    pointer: Res<Pointer>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    let Some(mut mesh) = meshes.get_mut(&STROKES) else { return };
    let mut strokes = Strokes::default();
    sky::draw(&mut strokes, &dust, &weather);
    if pointer.is_there {
        let reach = if pointer.is_down { 150.0 } else { 110.0 };
        strokes.add(Shape::Halo, pointer.at, Vec2::X * reach, reach, Vec3::new(0.05, 0.10, 0.13));
    }
    // The lights come first, because all of it is one picture and the order makes no difference but for caches.
    for (creature, place, _, tint) in &creatures {
        let over = (tint.glow - 1.0).clamp(0.0, 3.0);
        let reach = creature.size * (13.0 + 6.0 * over);
        let color = tint.color * (0.05 + 0.2 * over);
        strokes.add(Shape::Halo, place.translation.truncate(), Vec2::X * reach, reach, color);
    }
    for (creature, place, velocity, tint) in &creatures {
        let (at, speed) = (place.translation.truncate(), velocity.0.length());
        let along = velocity.0.normalize_or(Vec2::X) * HALF_LENGTH * creature.size * (0.7 + speed * 0.004);
        let color = tint.color * (0.55 + 0.45 * tint.glow.clamp(0.0, 4.0));
        strokes.add(Shape::Body, at, along, HALF_WIDTH * creature.size, color);
    }
    strokes.into_mesh(&mut mesh);
}
