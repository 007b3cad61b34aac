//! Values that are carried over, and what is lost.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use super::{SavedState, carry_over};
use crate::{Schema, codec};

fn saved<T: serde::Serialize>(name: &str, schema: &str, value: &T) -> SavedState {
    let schema = Schema::parse(schema).unwrap_or(Schema::Tuple(Vec::new()));
    SavedState { name: name.to_owned(), schema, bytes: codec::encode(value).unwrap_or_default() }
}

/// Carries one value over and compares it with what it should be.
#[track_caller]
fn check<A: serde::Serialize, B: serde::Serialize, C: serde::Serialize>(
    old: (&str, A),
    fresh: (&str, B),
    expected: &C,
    losses: &[&str],
) {
    let old = saved("Bees", old.0, &old.1);
    let fresh = saved("Bees", fresh.0, &fresh.1);
    let carried = carry_over(&[old], core::slice::from_ref(&fresh));
    assert_eq!(carried.states, [saved("Bees", &fresh.schema.to_string(), expected)], "{:?}", carried.losses);
    assert_eq!(carried.losses, losses);
}

use alloc::string::ToString;

#[test]
fn the_same_type_is_taken_as_it_is() {
    let bees = (3_u32, "Maja", vec![1_u8, 2], Some('ß'));
    check(
        ("{n:u32,name:str,l:[u8],c:?char}", bees.clone()),
        ("{n:u32,name:str,l:[u8],c:?char}", (0_u32, "", Vec::<u8>::new(), None::<char>)),
        &bees,
        &[],
    );
}

#[test]
fn fields_are_matched_by_name() {
    check(
        ("{count:u32,gone:str,name:str}", (7_u32, "old", "Maja")),
        ("{name:str,fresh:f32,count:u32}", ("?", 1.5_f32, 0_u32)),
        &("Maja", 1.5_f32, 7_u32),
        &["Bees.gone is no longer kept"],
    );
}

#[test]
fn numbers_widen_and_other_changes_start_anew() {
    check(
        ("{a:u8,b:i16,c:f32}", (200_u8, -2_i16, 0.5_f32)),
        ("{a:i64,b:i32,c:f64}", (0_i64, 0_i32, 0_f64)),
        &(200_i64, -2_i32, 0.5_f64),
        &[],
    );
    check(("{a:u64}", 5_u64), ("{a:u32}", 9_u32), &9_u32, &["Bees.a was u64 and is u32 now, so it starts anew"]);
}

#[test]
fn lists_options_maps_and_enums_are_fitted_inside() {
    check(("[{x:u8}]", vec![1_u8, 2]), ("[{y:u16,x:u8}]", Vec::<(u16, u8)>::new()), &vec![(0_u16, 1_u8), (0, 2)], &[]);
    check(("?{x:u8}", Some(4_u8)), ("?{x:u8,s:str}", None::<(u8, String)>), &Some((4_u8, "")), &[]);
    check(("{u8=>{x:u8}}", vec![(1_u8, 2_u8)]), ("{u8=>{x:u16}}", Vec::<(u8, u16)>::new()), &vec![(1_u8, 2_u16)], &[]);
    check(("<A|B{x:u8}>", (1_u32, 6_u8)), ("<B{z:u8,x:u8}|C>", (1_u32,)), &(0_u32, 0_u8, 6_u8), &[]);
    check(("<A|B>", 0_u32), ("<B|C>", 1_u32), &1_u32, &["Bees was A, which is no longer there, so it starts anew"]);
    check(("(u8,u8,u8)", (1_u8, 2_u8, 3_u8)), ("(u8,u8)", (0_u8, 0_u8)), &(1_u8, 2_u8), &["Bees.2 is no longer kept"]);
}

#[test]
fn values_come_and_go_by_name() {
    let old = [saved("Gone", "u8", &1_u8), saved("Kept", "u8", &2_u8)];
    let fresh = [saved("New", "u8", &9_u8), saved("Kept", "u8", &0_u8)];
    let carried = carry_over(&old, &fresh);
    assert_eq!(carried.states, [saved("New", "u8", &9_u8), saved("Kept", "u8", &2_u8)]);
    assert_eq!(carried.losses, ["Gone is no longer kept"]);
}

#[test]
fn bytes_that_lie_start_anew() {
    let fresh = saved("Bees", "{l:[u8],m:u8}", &(Vec::<u8>::new(), 3_u8));
    let lies: &[&[u8]] = &[&[], &[0xff; 8], &[5, 0, 0, 0, 0, 0, 0, 0, 1], &[0; 20]];
    for bytes in lies {
        let old = SavedState { bytes: bytes.to_vec(), ..saved("Bees", "{l:[u8]}", &0_u8) };
        let carried = carry_over(&[old], core::slice::from_ref(&fresh));
        assert_eq!(carried.states, core::slice::from_ref(&fresh));
        assert_eq!(carried.losses, ["Bees could not be read and starts anew"], "{bytes:?}");
    }
}
