//! The types of glam, as Bevy reflects them: structs with named fields.

use glam::{
    DMat3, DMat4, DQuat, DVec2, DVec3, DVec4, IVec2, IVec3, IVec4, Mat2, Mat3, Mat4, Quat, UVec2, UVec3, UVec4, Vec2,
    Vec3, Vec4,
};

use super::{InPlace, ReadError, Reflect, SchemaText, sum_of_strides};

macro_rules! math {
    ($($math:ty: $field_type:ty, $new:ident($($field:ident),*);)*) => {$(
        impl Reflect for $math {
            const STRIDE: Option<usize> = sum_of_strides(&[$(field_stride::<$field_type>(stringify!($field))),*]);
            const SCHEMA: SchemaText = SchemaText::Struct(&[$((stringify!($field), <$field_type>::SCHEMA)),*]);
            // glam's types are their numbers in this order, of which every pattern of bits is one, and the
            // sizes show that there is nothing between them.
            const IN_PLACE: InPlace = InPlace::leaf(match Self::STRIDE {
                Some(stride) => stride == size_of::<Self>(),
                None => false,
            });

            fn write(&self, out: &mut Vec<u8>) {
                $(self.$field.write(out);)*
            }

            fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
                $(let $field = <$field_type>::read(input)?;)*
                Ok(Self::$new($($field),*))
            }
        }
    )*};
}

/// One field's stride; the name makes the macro repeat it.
const fn field_stride<T: Reflect>(_name: &str) -> Option<usize> {
    T::STRIDE
}

math! {
    Vec2: f32, new(x, y);
    Vec3: f32, new(x, y, z);
    Vec4: f32, new(x, y, z, w);
    DVec2: f64, new(x, y);
    DVec3: f64, new(x, y, z);
    DVec4: f64, new(x, y, z, w);
    IVec2: i32, new(x, y);
    IVec3: i32, new(x, y, z);
    IVec4: i32, new(x, y, z, w);
    UVec2: u32, new(x, y);
    UVec3: u32, new(x, y, z);
    UVec4: u32, new(x, y, z, w);
    Quat: f32, from_xyzw(x, y, z, w);
    DQuat: f64, from_xyzw(x, y, z, w);
    Mat2: Vec2, from_cols(x_axis, y_axis);
    Mat3: Vec3, from_cols(x_axis, y_axis, z_axis);
    Mat4: Vec4, from_cols(x_axis, y_axis, z_axis, w_axis);
    DMat3: DVec3, from_cols(x_axis, y_axis, z_axis);
    DMat4: DVec4, from_cols(x_axis, y_axis, z_axis, w_axis);
}
