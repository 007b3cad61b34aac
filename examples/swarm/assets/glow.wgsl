// What glows is added to what is behind it: see `draw.rs`, which sets the blending.
#import bevy_sprite::mesh2d_vertex_output::VertexOutput

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var picture: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var picture_sampler: sampler;

@fragment
fn fragment(mesh: VertexOutput) -> @location(0) vec4<f32> {
    let light = textureSample(picture, picture_sampler, mesh.uv).r;
    return vec4(mesh.color.rgb * light, 1.0);
}
