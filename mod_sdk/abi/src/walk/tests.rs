//! Which bytes are values, and which are not.

use alloc::{boxed::Box, format, vec, vec::Vec};
use core::time::Duration;

use proptest::{
    collection::vec as vec_of,
    prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest},
    sample::Index,
};
use serde::Serialize;

use super::{Malformed, check_value, map_entities};
use crate::{
    MAX_EMPTY_PARTS, Schema,
    tests::{encoded, hostile, hostile_bytes, paid_by, schema, steps, typed},
};

/// Asserts that a value's encoding is valid, and that it is neither cut nor with a byte more.
#[track_caller]
fn valid<T: Serialize>(text: &str, value: T) {
    let schema = schema(text);
    let mut bytes = encoded(value);
    assert_eq!(check_value(&schema, &bytes), Ok(()), "{text}: {bytes:02x?}");
    for len in 0..bytes.len() {
        let cut = bytes.get(..len).unwrap_or_default();
        assert_eq!(check_value(&schema, cut), Err(Malformed), "{text}: {cut:02x?}");
    }
    bytes.push(0);
    assert_eq!(check_value(&schema, &bytes), Err(Malformed), "{text}: {bytes:02x?}");
}

#[track_caller]
fn invalid(text: &str, bytes: &[u8]) {
    assert_eq!(check_value(&schema(text), bytes), Err(Malformed), "{text}: {bytes:02x?}");
}

#[test]
fn values_of_every_shape() {
    valid("bool", true);
    valid("u128", 1_u128);
    valid("i64", -1_i64);
    valid("f32", f32::NAN);
    valid("f64", f64::INFINITY);
    valid("char", 'ß');
    valid("char", '🎮');
    valid("str", "häy");
    valid("str", "");
    valid("entity", 0x0000_0003_ffff_fff0_u64);
    valid("duration", Duration::new(u64::MAX, 999_999_999));
    valid("{}", ());
    valid("{a:bool,b:u16}", (true, 2_u16));
    valid("(str,u8)", ("x", 1_u8));
    valid("[u16]", vec![1_u16, 2]);
    valid("[u16]", Vec::<u16>::new());
    valid("[u16;2]", [1_u16, 2]);
    valid("[{};63]", ());
    valid("[[str;0];63]", ());
    valid("?str", Some("x"));
    valid("?str", None::<&str>);
    valid("??u8", Some(None::<u8>));
    valid("{u8=>str}", vec![(1_u8, "a"), (2, "")]);
    valid("<A|B(u8,str)|C{x:f32}>", 0_u32);
    valid("<A|B(u8,str)|C{x:f32}>", (1_u32, 3_u8, "x"));
    valid("<A|B(u8,str)|C{x:f32}>", (2_u32, 1.5_f32));
}

#[test]
fn bools_and_option_tags_are_0_or_1() {
    invalid("bool", &[2]);
    invalid("bool", &[0xff]);
    invalid("?u8", &[2, 0]);
    invalid("?u8", &[0, 0]);
    invalid("?{}", &[0xff]);
}

#[test]
fn chars_and_texts_are_utf8() {
    // Alone in front, cut, too long for its value, half of a pair, past the last one.
    for bytes in [&[0x80_u8][..], &[0xc3], &[0xc3, 0x41], &[0xc0, 0x80], &[0xed, 0xa0, 0x80], &[0xf4, 0x90, 0x80, 0x80]]
    {
        invalid("char", bytes);
        invalid("str", &[&encoded(bytes.len() as u64), bytes].concat());
    }
    invalid("char", &[]);
    invalid("char", b"ab");
    invalid("str", &encoded((2_u64, b'a')));
    invalid("str", &encoded((u64::MAX, b'a')));
}

#[test]
fn an_entity_has_an_index() {
    invalid("entity", &encoded(0_u64));
    invalid("entity", &encoded(0xffff_ffff_0000_0000_u64));
    invalid("[entity]", &encoded(vec![1_u64, 0]));
}

#[test]
fn nanoseconds_are_below_a_second() {
    invalid("duration", &encoded((1_u64, 1_000_000_000_u32)));
    invalid("duration", &encoded((0_u64, u32::MAX)));
}

#[test]
fn variants_exist() {
    invalid("<A|B>", &encoded(2_u32));
    invalid("<A|B>", &encoded(u32::MAX));
    invalid("<>", &encoded(0_u32));
    invalid("<A|B(u8)>", &encoded(1_u32));
    invalid("<A|B(u8)>", &encoded((0_u32, 1_u8)));
}

#[test]
fn lengths_are_true() {
    for len in [2_u64, 9, 1 << 32, u64::MAX] {
        invalid("[u8]", &encoded((len, 1_u8)));
        invalid("{u8=>u8}", &encoded((len, 1_u8, 2_u8)));
        invalid("[[u8]]", &encoded((1_u64, len, 1_u8)));
    }
    invalid("[u8]", &encoded((0_u64, 1_u8)));
    invalid("[u8;2]", &[1]);
    invalid("[u8;67108864]", &[0; 64]);
    // Items of 4 bytes, of which 3 do not fit into the 8 that are left.
    invalid("[u32]", &encoded((3_u64, 1_u64)));
}

/// Such schemas are made in Rust code only: no text is read as one.
#[test]
fn a_list_of_nothing_is_empty() {
    let list = |item| Schema::List(Box::new(item));
    let nothing = Schema::Tuple(Vec::new());
    assert_eq!(check_value(&list(nothing.clone()), &encoded(0_u64)), Ok(()));
    assert_eq!(check_value(&list(nothing.clone()), &encoded(1_u64)), Err(Malformed));
    let items = encoded(vec![10_000_u64; 10_000]);
    let (checked, steps) = steps(|| check_value(&list(list(nothing)), &items));
    assert_eq!(checked, Err(Malformed));
    assert!(steps < 100, "{steps}");
}

#[test]
fn steps_are_bounded_by_bytes() {
    let wide = format!("<{}>", (0..10_000).map(|name| format!("V{name}")).collect::<Vec<_>>().join("|"));
    let fields = format!("({})", vec!["u8"; 20_000].join(","));
    let check = |text: &str, bytes: &[u8]| {
        let (schema, most) = (schema(text), paid_by(bytes.len()));
        let (_, steps) = steps(|| check_value(&schema, bytes));
        assert!(steps <= most, "{text:.40}: {steps} > {most}");
    };
    check(&format!("[{wide}]"), &encoded(vec![9_999_u32; 10_000]));
    check(&format!("[[{wide}]]"), &encoded(vec![0_u64; 10_000]));
    check(&format!("[[{fields}]]"), &encoded(vec![0_u64; 10_000]));
    check(&format!("[[{fields};0];63]"), &[]);
    check(&format!("[?[{fields};1]]"), &encoded(vec![0_u8; 10_000]));
    check(&format!("[(u8{})]", ",{}".repeat(MAX_EMPTY_PARTS)), &encoded(vec![0_u8; 10_000]));
    check(&format!("[{}u8{}]", "[".repeat(30), ";1]".repeat(30)), &encoded(vec![0_u8; 10_000]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_codec_writes_is_valid((schema, value) in typed()) {
        let mut bytes = encoded(value);
        prop_assert_eq!(check_value(&schema, &bytes), Ok(()));
        if let Some(size) = schema.fixed_size() {
            prop_assert_eq!(bytes.len(), size);
        }
        bytes.push(0);
        prop_assert_eq!(check_value(&schema, &bytes), Err(Malformed));
        bytes.pop();
        let cut = bytes.pop().is_some();
        prop_assert!(!cut || check_value(&schema, &bytes).is_err());
    }

    #[test]
    fn other_bytes_are_no_panic(
        (schema, value) in typed(),
        random in vec_of(any::<u8>(), 0..64),
        at in any::<Index>(),
        with in any::<u8>(),
    ) {
        let _ = check_value(&schema, &random);
        let mut bytes = encoded(value);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes.splice(at..=at, [with]);
            let _ = check_value(&schema, &bytes);
        }
    }

    #[test]
    fn hostile_schemas_are_walked_in_bounded_steps(
        schema in hostile(),
        bytes in hostile_bytes(),
    ) {
        let (_, steps) = steps(|| check_value(&schema, &bytes));
        prop_assert!(steps <= paid_by(bytes.len()), "{}: {} steps for {} bytes", schema, steps, bytes.len());
    }
}

#[test]
fn entities_are_replaced_wherever_they_are() {
    #[track_caller]
    fn check<T: Serialize>(text: &str, value: impl Fn(u64) -> T) {
        let mut bytes = encoded(value(7));
        assert_eq!(map_entities(&schema(text), &mut bytes, |id| id.saturating_add(93)), Ok(()), "{text}");
        assert_eq!(bytes, encoded(value(100)), "{text}");
    }
    check("entity", |id| id);
    check("{n:u8,e:entity,s:str}", |id| (7_u8, id, "7"));
    check("[entity]", |id| vec![id, id]);
    check("[(u64,entity);2]", |id| [(7_u64, id), (7, id)]);
    check("?entity", Some);
    check("{entity=>[entity]}", |id| vec![(id, vec![id])]);
    check("<A|B(entity,u8)|C{e:entity}>", |id| (1_u32, id, 7_u8));
    check("<A|B(entity,u8)|C{e:entity}>", |id| (2_u32, id));
    check("{n:u64}", |_| 7_u64);
}

#[test]
fn what_is_no_value_or_no_id_is_refused() {
    let (pair, id) = (schema("(entity,bool)"), encoded(7_u64));
    let mut bytes = [&id[..], &[2]].concat();
    let before = bytes.clone();
    assert_eq!(map_entities(&pair, &mut bytes, |_| 9), Err(Malformed));
    assert_eq!(bytes, before, "nothing was replaced");
    assert_eq!(map_entities(&schema("entity"), &mut id.clone(), |_| 3 << 32), Err(Malformed));
}
