//! Bytes against the codec, and which types are their own bytes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Debug,
    time::Duration,
};

use glam::{DVec3, IVec2, Mat3, Mat4, Quat, UVec4, Vec3};
use mod_abi::codec;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Entity, Reflect};

#[derive(Reflect, serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Everything {
    flag: bool,
    level: u8,
    weight: f64,
    name: String,
    tags: Vec<String>,
    pair: (u16, i8),
    four: [u32; 4],
    maybe: Option<Duration>,
    shape: Shape,
    spot: Vec3,
    letter: char,
    target: Entity,
    size: usize,
    nothing: Unit,
}

#[derive(Reflect, serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Unit;

#[derive(Reflect, serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Wrapper(Quat, i128);

#[derive(Reflect, serde::Serialize, serde::Deserialize, Debug, PartialEq)]
enum Shape {
    Point,
    Round(f32),
    Box { width: f32, height: f32 },
}

#[track_caller]
fn check<T: Reflect + Serialize + DeserializeOwned + Debug + PartialEq>(value: T, schema: &str) {
    let mut bytes = Vec::new();
    value.write(&mut bytes);
    assert_eq!(bytes, codec::encode(&value).unwrap(), "{value:?}");
    assert_eq!(codec::decode::<T>(&bytes).unwrap(), value);
    let mut input = bytes.as_slice();
    assert_eq!(T::read(&mut input), Ok(value));
    assert!(input.is_empty());
    assert_eq!(T::schema().to_string(), schema);
    assert_eq!(T::STRIDE, T::schema().fixed_size());
    if let Some(stride) = T::STRIDE {
        assert_eq!(bytes.len(), stride);
    }
    for len in 0..bytes.len() {
        assert!(T::read(&mut &bytes[..len]).is_err(), "{len} of {} bytes were a value", bytes.len());
    }
}

#[test]
fn bytes_are_those_of_the_codec() {
    check((), "()");
    check(true, "bool");
    check(-5_i64, "i64");
    check(u128::MAX - 1, "u128");
    check(1.5_f32, "f32");
    check(usize::MAX >> 1, "u64");
    check('\u{1f41d}', "char");
    check('a', "char");
    check("bees".to_owned(), "str");
    check(Some(3_u8), "?u8");
    check(None::<u8>, "?u8");
    check(vec![1_u16, 2, 3], "[u16]");
    check([1_u16, 2, 3], "[u16;3]");
    check((1_u8, 2_u16, "three".to_owned()), "(u8,u16,str)");
    check(Duration::new(3, 999_999_999), "duration");
    check(Entity::from_bits(0x0000_0007_ffff_fffe), "entity");
    check(BTreeMap::from([(1_u8, "one".to_owned()), (2, "two".to_owned())]), "{u8=>str}");
    check(HashMap::from([(1_u8, 2_u8)]), "{u8=>u8}");
    check(BTreeSet::from([3_u32, 1]), "[u32]");
    check(Box::new(7_u8), "u8");
    check(Vec3::new(1.0, 2.0, 3.0), "{x:f32,y:f32,z:f32}");
    check(IVec2::new(-1, 2), "{x:i32,y:i32}");
    check(UVec4::new(1, 2, 3, 4), "{x:u32,y:u32,z:u32,w:u32}");
    check(DVec3::new(1.0, 2.0, 3.0), "{x:f64,y:f64,z:f64}");
    check(Quat::from_xyzw(1.0, 2.0, 3.0, 4.0), "{x:f32,y:f32,z:f32,w:f32}");
    let axis = "{x:f32,y:f32,z:f32}";
    check(Mat3::from_diagonal(Vec3::new(1.0, 2.0, 3.0)), &format!("{{x_axis:{axis},y_axis:{axis},z_axis:{axis}}}"));
    let axis = "{x:f32,y:f32,z:f32,w:f32}";
    check(
        Mat4::from_scale(Vec3::new(1.0, 2.0, 3.0)),
        &format!("{{x_axis:{axis},y_axis:{axis},z_axis:{axis},w_axis:{axis}}}"),
    );
}

#[test]
fn derived_bytes_are_those_of_the_codec() {
    let shape = "<Point|Round(f32)|Box{width:f32,height:f32}>";
    check(Shape::Point, shape);
    check(Shape::Round(0.5), shape);
    check(Shape::Box { width: 1.0, height: 2.0 }, shape);
    check(Unit, "{}");
    check(Wrapper(Quat::IDENTITY, -1), "({x:f32,y:f32,z:f32,w:f32},i128)");
    let everything = Everything {
        flag: true,
        level: 3,
        weight: 0.25,
        name: "Maja".to_owned(),
        tags: vec!["small".to_owned(), String::new()],
        pair: (1, -1),
        four: [1, 2, 3, 4],
        maybe: Some(Duration::from_millis(1500)),
        shape: Shape::Round(2.0),
        spot: Vec3::ONE,
        letter: 'ß',
        target: Entity::from_bits(9),
        size: 12,
        nothing: Unit,
    };
    let schema = Everything::schema().to_string();
    assert!(schema.starts_with("{flag:bool,level:u8,weight:f64,name:str,tags:[str],pair:(u16,i8)"), "{schema}");
    check(everything, &schema);
}

#[test]
fn values_that_do_not_exist_are_errors() {
    assert!(bool::read(&mut [2].as_slice()).is_err());
    assert!(char::read(&mut [0xff].as_slice()).is_err());
    assert!(char::read(&mut [0xe2, 0x28, 0xa1].as_slice()).is_err());
    assert!(Option::<u8>::read(&mut [2, 0].as_slice()).is_err());
    assert!(Shape::read(&mut [3, 0, 0, 0].as_slice()).is_err());
    assert!(Vec::<u64>::read(&mut [0xff; 8].as_slice()).is_err());
    let mut text = 1_u64.to_le_bytes().to_vec();
    text.push(0xff);
    assert!(String::read(&mut text.as_slice()).is_err());
    let mut duration = [0; 12];
    duration[8..].copy_from_slice(&1_000_000_000_u32.to_le_bytes());
    assert!(Duration::read(&mut duration.as_slice()).is_err());
}

#[derive(Reflect)]
struct Padded {
    _a: u8,
    _b: u32,
}

#[derive(Reflect)]
#[repr(C)]
struct Packed {
    _a: Vec3,
    _b: f32,
    _c: [u16; 2],
    _d: Number,
}

#[derive(Reflect)]
struct Number(u32);

#[test]
fn only_types_without_gaps_are_used_in_place() {
    const {
        assert!(Packed::IN_PLACE.is_yes());
        assert!(!Padded::IN_PLACE.is_yes());
        assert!(!bool::IN_PLACE.is_yes());
        assert!(!Everything::IN_PLACE.is_yes());
        assert!(Entity::IN_PLACE.is_yes());
        assert!(!Unit::IN_PLACE.is_yes() || size_of::<Unit>() == 0);
    }
}
