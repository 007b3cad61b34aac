//! Where an entity stands: Bevy's own component.

use glam::{Mat3, Mat4, Quat, Vec3};

use crate::Component;

/// Position, rotation and scale of an entity, relative to its parent or, without one, to the World.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// let at = Transform::from_xyz(1.0, 2.0, 0.0).with_scale(Vec3::splat(2.0));
/// assert_eq!(at.transform_point(Vec3::X), Vec3::new(3.0, 2.0, 0.0));
/// ```
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "bevy_transform::components::transform::Transform")]
// In order and without gaps, so that mods can use columns of it where they stand.
#[repr(C)]
pub struct Transform {
    /// The position. In 2D, `z` orders what is in front.
    pub translation: Vec3,
    /// The rotation.
    pub rotation: Quat,
    /// The scale along each axis.
    pub scale: Vec3,
}

impl Transform {
    /// No translation, no rotation, a scale of one.
    pub const IDENTITY: Self = Self { translation: Vec3::ZERO, rotation: Quat::IDENTITY, scale: Vec3::ONE };

    /// At `x`, `y`, `z`.
    #[must_use]
    pub const fn from_xyz(x: f32, y: f32, z: f32) -> Self {
        Self::from_translation(Vec3::new(x, y, z))
    }

    /// At `translation`.
    #[must_use]
    pub const fn from_translation(translation: Vec3) -> Self {
        Self { translation, ..Self::IDENTITY }
    }

    /// Turned by `rotation`.
    #[must_use]
    pub const fn from_rotation(rotation: Quat) -> Self {
        Self { rotation, ..Self::IDENTITY }
    }

    /// Scaled by `scale`.
    #[must_use]
    pub const fn from_scale(scale: Vec3) -> Self {
        Self { scale, ..Self::IDENTITY }
    }

    /// This transform with another rotation.
    #[must_use]
    pub const fn with_rotation(mut self, rotation: Quat) -> Self {
        self.rotation = rotation;
        self
    }

    /// This transform with another scale.
    #[must_use]
    pub const fn with_scale(mut self, scale: Vec3) -> Self {
        self.scale = scale;
        self
    }

    /// This transform, turned so that its forward direction (-Z) points at `target`.
    #[must_use]
    pub fn looking_at(mut self, target: Vec3, up: Vec3) -> Self {
        self.look_at(target, up);
        self
    }

    /// Turns so that the forward direction (-Z) points at `target`.
    pub fn look_at(&mut self, target: Vec3, up: Vec3) {
        self.look_to(target - self.translation, up);
    }

    /// Turns so that the forward direction (-Z) is `direction`. A direction of zero stands for -Z, and an `up` that is
    /// zero or parallel to the direction for any that is not.
    pub fn look_to(&mut self, direction: Vec3, up: Vec3) {
        let back = -direction.try_normalize().unwrap_or(Vec3::NEG_Z);
        let up = up.try_normalize().unwrap_or(Vec3::Y);
        let right = up.cross(back).try_normalize().unwrap_or_else(|| up.any_orthonormal_vector());
        self.rotation = Quat::from_mat3(&Mat3::from_cols(right, back.cross(right), back));
    }

    /// The direction of -Z.
    #[must_use]
    pub fn forward(&self) -> Vec3 {
        self.rotation * Vec3::NEG_Z
    }

    /// The direction of X.
    #[must_use]
    pub fn right(&self) -> Vec3 {
        self.rotation * Vec3::X
    }

    /// The direction of Y.
    #[must_use]
    pub fn up(&self) -> Vec3 {
        self.rotation * Vec3::Y
    }

    /// Turns by `rotation`, in the parent's axes.
    pub fn rotate(&mut self, rotation: Quat) {
        self.rotation = rotation * self.rotation;
    }

    /// Turns about the Z axis by `angle` radians: the usual rotation in 2D.
    pub fn rotate_z(&mut self, angle: f32) {
        self.rotate(Quat::from_rotation_z(angle));
    }

    /// A point of this transform's space, in the parent's space.
    #[must_use]
    pub fn transform_point(&self, point: Vec3) -> Vec3 {
        self.rotation * (self.scale * point) + self.translation
    }

    /// The same as a matrix.
    #[must_use]
    pub fn to_matrix(&self) -> Mat4 {
        Mat4::from_scale_rotation_translation(self.scale, self.rotation, self.translation)
    }
}

impl Default for Transform {
    fn default() -> Self {
        Self::IDENTITY
    }
}

#[cfg(target_family = "wasm")]
const _: () = assert!(<Transform as crate::Reflect>::IN_PLACE.is_yes(), "transforms are used where they stand");

#[cfg(test)]
mod tests {
    use glam::{Quat, Vec3};

    use super::Transform;
    use crate::Reflect;

    #[test]
    fn the_shape_is_the_one_of_bevy() {
        let vec3 = "{x:f32,y:f32,z:f32}";
        let expected = format!("{{translation:{vec3},rotation:{{x:f32,y:f32,z:f32,w:f32}},scale:{vec3}}}");
        assert_eq!(Transform::schema().to_string(), expected);
        assert_eq!(Transform::STRIDE, Some(40));
    }

    #[test]
    fn looking_at_a_point_turns_forward_towards_it() {
        let looking = Transform::from_xyz(1.0, 2.0, 3.0).looking_at(Vec3::new(1.0, 2.0, 9.0), Vec3::Y);
        assert!(looking.forward().abs_diff_eq(Vec3::Z, 1e-6));
        assert!(looking.up().abs_diff_eq(Vec3::Y, 1e-6));
        let nowhere = Transform::IDENTITY.looking_at(Vec3::ZERO, Vec3::ZERO);
        assert!(nowhere.rotation.abs_diff_eq(Quat::IDENTITY, 1e-6));
        let parallel = Transform::IDENTITY.looking_at(Vec3::Y, Vec3::Y);
        assert!(parallel.forward().abs_diff_eq(Vec3::Y, 1e-6));
    }
}
