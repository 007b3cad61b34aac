//! The two kinds of JSON.
#![cfg(all(feature = "json", feature = "nanoserde"))]
#![expect(clippy::question_mark, reason = "the derive of nanoserde writes such code")]

use std::{collections::BTreeMap, fmt::Debug};

use mod_abi::{
    OpaqueId, SettingValue,
    codec::{DecodeError, EncodeError, json, nano},
};
use nanoserde::{DeJson, SerJson};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize, SerJson, DeJson)]
struct Order {
    item: String,
    note: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, SerJson, DeJson)]
struct Grams(u8);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize, SerJson, DeJson)]
enum Wrap {
    Plain,
    Paper(String),
    Both(u8, u8),
    Box { lid: bool, ribbon: Option<u8> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize, SerJson, DeJson)]
struct Nest {
    inner: Vec<Nest>,
}

type Encode<T> = fn(&T) -> Result<Vec<u8>, EncodeError>;
type Decode<T> = fn(&[u8]) -> Result<T, DecodeError>;

#[track_caller]
fn check<T: PartialEq + Debug>(value: &T, encode: Encode<T>, decode: Decode<T>, golden: &str) {
    assert_eq!(String::from_utf8(encode(value).unwrap()).unwrap(), golden);
    assert_eq!(&decode(golden.as_bytes()).unwrap(), value);
}

#[track_caller]
fn both<T>(value: &T, golden: &str)
where
    T: Serialize + for<'de> Deserialize<'de> + SerJson + DeJson + PartialEq + Debug,
{
    check(value, json::encode, json::decode, golden);
    check(value, nano::encode, nano::decode, golden);
}

#[track_caller]
fn serde<T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug>(value: &T, golden: &str) {
    check(value, json::encode, json::decode, golden);
}

#[track_caller]
fn nanoserde<T: SerJson + DeJson + PartialEq + Debug>(value: &T, golden: &str) {
    check(value, nano::encode, nano::decode, golden);
}

fn order(note: Option<&str>) -> Order {
    Order { item: "wax".to_owned(), note: note.map(str::to_owned) }
}

#[test]
fn what_both_write() {
    both(&(), "");
    both(&None::<u8>, "");
    both(&Some(7_u8), "7");
    both(&vec![1.5, -2.0], "[1.5,-2.0]");
    both(&("hi".to_owned(), 2_u32), r#"["hi",2]"#);
    both(&u64::MAX, "18446744073709551615");
    both(&order(Some("äpfel \"rot\"")), r#"{"item":"wax","note":"äpfel \"rot\""}"#);
    both(&Wrap::Plain, r#""Plain""#);
    both(&Wrap::Both(1, 2), r#"{"Both":[1,2]}"#);
    both(&Wrap::Box { lid: true, ribbon: Some(3) }, r#"{"Box":{"lid":true,"ribbon":3}}"#);
    both(&BTreeMap::from([("a".to_owned(), 1_u8)]), r#"{"a":1}"#);
    let door = OpaqueId { table: 1, kind: 2, index: 3, generation: 4 };
    both(&door, r#"{"table":1,"kind":2,"index":3,"generation":4}"#);
}

#[test]
fn what_they_write_in_different_ways() {
    serde(&Wrap::Paper("red".to_owned()), r#"{"Paper":"red"}"#);
    nanoserde(&Wrap::Paper("red".to_owned()), r#"{"Paper":["red"]}"#);
    serde(&Grams(4), "4");
    nanoserde(&Grams(4), "[4]");
    serde(&order(None), r#"{"item":"wax","note":null}"#);
    nanoserde(&order(None), r#"{"item":"wax"}"#);
    serde(&Wrap::Box { lid: true, ribbon: None }, r#"{"Box":{"lid":true,"ribbon":null}}"#);
    nanoserde(&Wrap::Box { lid: true, ribbon: None }, r#"{"Box":{"lid":true}}"#);
    serde(&Unit, "");
    serde(&'ä', "\"ä\"");
    serde(&u128::MAX, "340282366920938463463374607431768211455");
    serde(&BTreeMap::from([(1_u8, 2_u8)]), r#"{"1":2}"#);
}

#[test]
fn both_read_what_the_other_leaves_out() {
    for text in [r#"{"item":"wax"}"#, r#"{"note":null,"extra":[{}],"item":"wax"}"#] {
        assert_eq!(json::decode::<Order>(text.as_bytes()).unwrap(), order(None));
        assert_eq!(nano::decode::<Order>(text.as_bytes()).unwrap(), order(None));
    }
    json::decode::<()>(b"null").unwrap();
    nano::decode::<()>(b"null").unwrap();
}

#[test]
fn there_is_no_nan() {
    let text = json::encode(&[f64::NAN]).unwrap();
    assert_eq!(text, b"[null]");
    assert!(json::decode::<[f64; 1]>(&text).is_err());
    assert_eq!(nano::encode(&[f64::NAN, f64::INFINITY]).unwrap(), b"[NaN,inf]");
    assert!(nano::decode::<[f64; 1]>(b"[NaN]").is_err());
}

#[test]
fn nesting_ends() {
    let text = |depth: usize| [r#"{"inner":["#.repeat(depth), "]}".repeat(depth)].concat();
    for (depth, is_read) in [(60, true), (65, false), (100_000, false)] {
        assert_eq!(json::decode::<Nest>(text(depth).as_bytes()).is_ok(), is_read, "{depth}");
        assert_eq!(nano::decode::<Nest>(text(depth).as_bytes()).is_ok(), is_read, "{depth}");
    }
}

#[test]
fn values_of_settings_stand_there_bare() {
    for (value, text) in [
        (SettingValue::Bool(true), "true"),
        (SettingValue::Int(-3), "-3"),
        (SettingValue::Float(10.0), "10.0"),
        (SettingValue::Text("3".to_owned()), "\"3\""),
    ] {
        assert_eq!(String::from_utf8(json::encode(&value).unwrap()).unwrap(), text);
        assert_eq!(json::decode::<SettingValue>(text.as_bytes()).unwrap(), value);
    }
    for text in ["null", "[1]", "{\"a\":1}"] {
        assert!(json::decode::<SettingValue>(text.as_bytes()).is_err(), "{text}");
    }
}
