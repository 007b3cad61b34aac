//! Values that are carried over, and what is lost.

extern crate std;

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::time::Duration;
use std::time::Instant;

use proptest::{
    collection::vec as vec_of,
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest},
};

use super::{Migration, SavedState, carry_over, losses::MAX_LOSSES, migrate};
use crate::{
    Leaf, Malformed, Schema, check_value, codec,
    tests::{encoded, hostile, paid_by, schema, shape, steps, typed, value_of, written_along},
};

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

/// Migrates a value and compares it with what it should be.
#[track_caller]
fn migrated<A: serde::Serialize, C: serde::Serialize>(
    (old, value): (&str, A),
    (new, start): (&str, Option<Vec<u8>>),
    expected: &C,
    expected_losses: &[&str],
) {
    let (old, new) = (schema(old), schema(new));
    let mut losses = Vec::new();
    let out = migrate("Hive", (&old, &encoded(value)), (&new, start.as_deref()), &mut losses);
    assert_eq!(out, Ok(encoded(expected)), "{losses:?}");
    assert_eq!(check_value(&new, &out.unwrap_or_default()), Ok(()));
    assert_eq!(losses, expected_losses);
}

#[test]
fn added_fields_start_as_in_the_start_value() {
    let start = Some(encoded((9_u8, "new", 8_u8)));
    migrated(("{a:u8}", 1_u8), ("{a:u8,b:str,c:u8}", start), &(1_u8, "new", 8_u8), &[]);
    let inner = Some(encoded((0_u8, (0_u8, 7_u16))));
    migrated(("{a:u8,p:{x:u8}}", (1_u8, 2_u8)), ("{a:u8,p:{x:u8,y:u16}}", inner), &(1_u8, 2_u8, 7_u16), &[]);
    migrated(("(u8)", 1_u8), ("(u8,u8)", Some(encoded((5_u8, 6_u8)))), &(1_u8, 6_u8), &[]);
}

#[test]
fn added_fields_start_as_nothing_without_a_start_value() {
    let new = "{a:u8,n:i32,s:str,c:char,e:entity,o:?u8,l:[u8],m:{u8=>u8},f:<First(u16)|Second>,d:duration,t:[u8;2]}";
    let nothing = (0_i32, "", '\0', 1_u64, None::<u8>, Vec::<u8>::new(), Vec::<u8>::new(), (0_u32, 0_u16), [0_u8; 12]);
    migrated(("{a:u8}", 1_u8), (new, None), &(1_u8, nothing, [0_u8; 2]), &[]);
    // A start value does not say what an item that the old list holds already would start as.
    let start = Some(encoded(vec![(5_u8, 6_u8)]));
    migrated(("[{a:u8}]", vec![1_u8, 2]), ("[{a:u8,b:u8}]", start), &vec![(1_u8, 0_u8), (2, 0)], &[]);
}

#[test]
fn removed_and_renamed_fields_are_lost() {
    migrated(("{a:u8,b:str}", (1_u8, "x")), ("{a:u8}", None), &1_u8, &["Hive.b is no longer kept"]);
    let start = Some(encoded((0_u8, 7_u8)));
    migrated(("{a:u8,old:u8}", (1_u8, 2_u8)), ("{a:u8,new:u8}", start), &(1_u8, 7_u8), &["Hive.old is no longer kept"]);
    migrated(("(u8,u8)", (1_u8, 2_u8)), ("(u8)", None), &1_u8, &["Hive.1 is no longer kept"]);
}

#[test]
fn fields_may_change_places_and_widen() {
    let old = ("{a:u8,b:i8,c:f32,d:u32}", (200_u8, -1_i8, 0.5_f32, u32::MAX));
    let expected = (i128::from(u32::MAX), 0.5_f64, -1_i16, 200_u16);
    migrated(old, ("{d:i128,c:f64,b:i16,a:u16}", None), &expected, &[]);
}

#[test]
fn what_does_not_fit_starts_anew() {
    let start = || Some(encoded(9_u8));
    migrated(("{a:u16}", 1_u16), ("{a:u8}", start()), &9_u8, &["Hive.a was u16 and is u8 now, so it starts anew"]);
    migrated(("{a:i8}", 1_i8), ("{a:u8}", start()), &9_u8, &["Hive.a was i8 and is u8 now, so it starts anew"]);
    migrated(("{a:str}", "x"), ("{a:u8}", None), &0_u8, &["Hive.a was str and is u8 now, so it starts anew"]);
    migrated(("u8", 1_u8), ("{}", None), &(), &["Hive was u8 and is {} now, so it starts anew"]);
    let lost = "Hive was Gone, which is no longer there, so it starts anew";
    migrated(("<Here|Gone(u8)>", (1_u32, 2_u8)), ("<There|Here>", Some(encoded(1_u32))), &1_u32, &[lost]);
}

#[test]
fn bytes_that_are_no_value_are_not_migrated() {
    let check = |old: &str, bytes: &[u8], new: &str, start: Option<&[u8]>| {
        let mut losses = vec!["earlier".to_owned()];
        let out = migrate("Hive", (&schema(old), bytes), (&schema(new), start), &mut losses);
        assert_eq!(out, Err(Malformed), "{old} {bytes:?} {new} {start:?}");
        assert_eq!(losses, ["earlier"]);
    };
    check("{a:bool}", &[2], "{a:bool,b:u8}", None);
    check("{a:u8,gone:bool}", &[1, 2], "{a:u8}", None);
    check("{a:u8}", &[], "{a:u8}", None);
    check("{a:u8}", &[1, 2], "{a:u8}", None);
    check("[u8]", &encoded((2_u64, 1_u8)), "[u16]", None);
    check("{a:u8}", &[1], "{a:u8,b:bool}", Some(&[1]));
    check("{a:u8}", &[1], "{a:u8,b:bool}", Some(&[1, 2]));
    check("{a:u8}", &[1], "{a:u8,b:bool}", Some(&[1, 1, 1]));
    // Of an enum without variants there is no value.
    check("{a:u8}", &[1], "{a:u8,b:<>}", None);
    // More than any value may have.
    check("{a:u8}", &[1], "{a:u8,b:[<A([u128;4000000])>;2]}", None);
}

#[test]
fn losses_are_told_up_to_a_number() {
    let old = vec![1_u8; 1_000];
    let mut losses = Vec::new();
    let out = migrate("Hive", (&schema("[u8]"), &encoded(&old)), (&schema("[bool]"), None), &mut losses);
    assert_eq!(out, Ok(encoded(vec![false; 1_000])));
    assert_eq!(losses.len(), MAX_LOSSES);
}

#[test]
fn what_is_told_of_losses_is_cut() {
    let long = "ä".repeat(10_000);
    let mut losses = Vec::new();
    let (old, new) = (schema(&format!("[{{{long}:<{long}>}}]")), schema(&format!("[{{{long}:<A>}}]")));
    let out = migrate(&long, (&old, &encoded(vec![0_u32; 10_000])), (&new, None), &mut losses);
    assert_eq!(out, Ok(encoded(vec![0_u32; 10_000])));
    assert_eq!(losses.len(), MAX_LOSSES);
    let cut = "ä".repeat(200);
    assert_eq!(losses.first(), Some(&format!("{cut}... was {cut}..., which is no longer there, so it starts anew")));
    let old = saved(&long, "u8", &1_u8);
    assert_eq!(carry_over(&[old], &[]).losses, [format!("{cut}... is no longer kept")]);
}

/// Such types are made in Rust code only: no text is read as one.
#[test]
fn names_that_occur_twice_lead_to_no_invalid_value() {
    let field = |name: &str, text: &str| (name.to_owned(), schema(text));
    let new = Schema::Struct(vec![field("a", "bool"), field("a", "u8"), field("b", "u8")]);
    let start = encoded((true, 7_u8, 8_u8));
    let check = |old: &str, bytes: &[u8], start: Option<&[u8]>| {
        let out = migrate("Hive", (&schema(old), bytes), (&new, start), &mut Vec::new());
        assert_eq!(out.and_then(|out| check_value(&new, &out)), Ok(()), "{old}");
    };
    check("{a:bool}", &[1], None);
    check("{a:u8}", &[7], Some(&start));
    check("{}", &[], Some(&start));
}

#[test]
fn states_of_the_same_name_are_taken_once() {
    let old = [saved("Twice", "u8", &1_u8), saved("Twice", "u8", &2_u8)];
    let fresh = [saved("Twice", "u8", &8_u8), saved("Twice", "u8", &9_u8)];
    let carried = carry_over(&old, &fresh);
    assert_eq!(carried.states, [saved("Twice", "u8", &1_u8), saved("Twice", "u8", &9_u8)]);
    assert_eq!(carried.losses, ["Twice is no longer kept"]);
}

#[test]
fn all_states_together_have_room_in_a_value() {
    let large = "{a:u8,b:[u128;2500000]}";
    let names: Vec<_> = (0..5).map(|name| name.to_string()).collect();
    let old: Vec<_> = names.iter().map(|name| saved(name, "{a:u8}", &1_u8)).collect();
    let fresh: Vec<_> = names.iter().map(|name| saved(name, "{a:u8,c:u8}", &(0_u8, 5_u8))).collect();
    assert_eq!(carry_over(&old, &fresh).losses.len(), 0);
    // A list of one has an item without a start value, so that it grows.
    let old: Vec<_> = names.iter().map(|name| saved(name, "[{a:u8}]", &vec![1_u8])).collect();
    let fresh: Vec<_> = names.iter().map(|name| saved(name, &format!("[{large}]"), &0_u64)).collect();
    let carried = carry_over(&old, &fresh);
    let lens: Vec<_> = carried.states.iter().map(|state| state.bytes.len()).collect();
    assert_eq!(lens, [40_000_009, 8, 8, 8, 8]);
    assert_eq!(carried.losses.len(), 4, "{:?}", carried.losses);
}

/// Types that took as many steps for each item as they have parts. Some of these steps are comparisons of names, which
/// only a clock counts.
#[test]
fn long_schemas_do_not_make_every_item_slow() {
    let variants = |prefix: &str, data: &str| {
        let variants: Vec<_> = (0..8_000).map(|name| format!("{prefix}{name}")).collect();
        format!("<{}|Last{data}>", variants.join("|"))
    };
    let fields = |prefix: &str| {
        let fields: Vec<_> = (0..6_000).map(|name| format!("{prefix}{name}:u8")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let check = |old: &str, new: &str, bytes: &[u8]| {
        let (old, new) = (schema(old), schema(new));
        let started = Instant::now();
        let (out, steps) = steps(|| migrate("Hive", (&old, bytes), (&new, None), &mut Vec::new()));
        let took = started.elapsed();
        assert_eq!(out.clone().and_then(|out| check_value(&new, &out)), Ok(()));
        let most = paid_by(bytes.len()).saturating_add(paid_by(out.map_or(0, |out| out.len())));
        assert!(steps <= most, "{steps} > {most}");
        assert!(took < Duration::from_secs(5), "{old:.40}: {took:?}");
    };
    let last = encoded(vec![8_000_u32; 50_000]);
    check(&format!("[{}]", variants("V", "")), &format!("[{}]", variants("V", "(u8)")), &last);
    check(&format!("[{}]", variants("V", "")), &format!("[{}]", variants("W", "(u8)")), &last);
    check(&format!("[?{}]", variants("V", "")), "[?u8]", &encoded(vec![None::<u32>; 200_000]));
    check(&format!("[({},u8)]", variants("V", "")), "[(u8,u8)]", &encoded(vec![(1_u32, 2_u8); 50_000]));
    check(&format!("[{}]", fields("a")), &format!("[{}]", fields("b")), &encoded(0_u64));
    let items = [encoded(50_u64), vec![7; 300_000]].concat();
    check(&format!("[{}]", fields("a")), &format!("[{}]", fields("b")), &items);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_migrated_is_of_its_new_type(
        (old, value) in typed(),
        (new, start) in shape().prop_flat_map(|new| {
            let start = proptest::option::of(value_of(&new));
            (Just(new), start)
        }),
    ) {
        let (value, start) = (encoded(value), start.map(encoded));
        let mut losses = Vec::new();
        let out = migrate("Hive", (&old, &value), (&new, start.as_deref()), &mut losses);
        prop_assert_eq!(out.and_then(|out| check_value(&new, &out)), Ok(()), "{} -> {}", old, new);
        prop_assert_eq!(migrate("Hive", (&old, &value), (&old, None), &mut Vec::new()), Ok(value));
    }

    #[test]
    fn other_bytes_are_not_migrated(
        (old, _) in typed(),
        (new, start) in typed(),
        random in vec_of(any::<u8>(), 0..64),
    ) {
        let start = encoded(start);
        let out = migrate("Hive", (&old, &random), (&new, Some(&start)), &mut Vec::new());
        prop_assert_eq!(out.is_ok(), check_value(&old, &random).is_ok());
        let out = migrate("Hive", (&new, &start), (&old, Some(&random)), &mut Vec::new());
        prop_assert_eq!(out.is_ok(), check_value(&old, &random).is_ok());
    }

    #[test]
    fn hostile_types_are_migrated_in_bounded_steps(
        old in hostile(),
        new in hostile(),
        choices in vec_of(any::<u8>(), 1..64),
        same in any::<bool>(),
    ) {
        let mut bytes = Vec::new();
        if written_along(&old, &mut choices.iter().copied().cycle(), &mut bytes).is_some() {
            prop_assert_eq!(check_value(&old, &bytes), Ok(()), "{}", &old);
            // Lists of the two, so that every item has to be fitted.
            let list = |item: &Schema| Schema::List(Box::new(Schema::Tuple(vec![Schema::Leaf(Leaf::U8), item.clone()])));
            let item = [&[1], &*bytes].concat();
            let (was, is) = (list(&old), list(if same { &old } else { &new }));
            let bytes = [encoded(9_u64), item.repeat(9)].concat();
            let (out, steps) = steps(|| migrate("Hive", (&was, &bytes), (&is, None), &mut Vec::new()));
            if let Ok(out) = out {
                prop_assert_eq!(check_value(&is, &out), Ok(()));
                let most = paid_by(bytes.len()).saturating_add(paid_by(out.len()));
                prop_assert!(steps <= most, "{} -> {}: {} > {}", was, is, steps, most);
            }
        }
    }
}

#[test]
fn many_values_migrate_as_one_does_and_tell_the_same_loss_once() {
    let (old, new) = (schema("{n:u8,gone:u8}"), schema("{fresh:u16,n:u32}"));
    let start = encoded((7_u16, 0_u32));
    let mut migration = Migration::new("Bees", &old, (&new, Some(&start))).unwrap();
    let (mut room, mut losses) = (10_000, BTreeSet::new());
    for n in 0..100_u8 {
        let bytes = encoded((n, n));
        let migrated = migration.run(&bytes, &mut room, &mut losses).unwrap();
        let alone = migrate("Bees", (&old, &bytes), (&new, Some(&start)), &mut Vec::new());
        assert_eq!(Ok(migrated), alone);
    }
    assert_eq!(losses.into_iter().collect::<Vec<_>>(), ["Bees.gone is no longer kept"]);
    assert_eq!(room, 10_000 - 100 * 2 * start.len(), "each pays for what it is and for what it starts with");
}

#[test]
fn a_migration_ends_with_its_room_and_refuses_what_is_no_value() {
    let (old, new) = (schema("u8"), schema("{n:u64}"));
    let mut migration = Migration::new("Bees", &old, (&new, None)).unwrap();
    let (mut room, mut losses) = (20, BTreeSet::new());
    let mut run = |bytes: &[u8]| migration.run(bytes, &mut room, &mut losses);
    assert_eq!(run(&[1, 2]), Err(Malformed));
    assert_eq!(run(&[1]), Ok(vec![0; 8]));
    assert_eq!(run(&[1]), Ok(vec![0; 8]));
    assert_eq!(run(&[1]), Err(Malformed));
    assert!(Migration::new("Bees", &old, (&new, Some(&[1]))).is_err());
}
