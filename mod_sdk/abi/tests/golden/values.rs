//! Buffers and values.

use std::{collections::BTreeMap, time::Duration};

use mod_abi::{Buffer, OpaqueId, codec::decode};
use serde::{Deserialize, Serialize};

use crate::{bytes, check};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapper(f32);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f32,
    y: u8,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    Circle(f32),
    Rectangle { width: u8, height: u8 },
}

#[test]
fn a_buffer_is_pointer_high_length_low() {
    for (ptr, len, raw) in [
        (0, 0, 0),
        (0x10, 3, 0x0000_0010_0000_0003),
        (0x0011_0000, 0x28, 0x0011_0000_0000_0028),
        (u32::MAX, 1, 0xffff_ffff_0000_0001),
    ] {
        assert_eq!(Buffer::new(ptr, len).to_raw(), raw);
        assert_eq!(Buffer::from_raw(raw), Buffer::new(ptr, len));
    }
}

#[test]
fn an_opaque_handle() {
    check(&OpaqueId { table: 1, kind: 2, index: 3, generation: 4 }, "u32:1 u32:2 u32:3 u32:4");
}

#[test]
fn leaves() {
    check(&false, "00");
    check(&true, "01");
    check(&0xabu8, "ab");
    check(&0x1234u16, "34 12");
    check(&0x1234_5678u32, "78 56 34 12");
    check(&0x1234_5678_9abc_def0u64, "f0 de bc 9a 78 56 34 12");
    check(&1u128, "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    check(&7usize, "u64:7");
    check(&-1i8, "ff");
    check(&-2i16, "fe ff");
    check(&-2i32, "fe ff ff ff");
    check(&-2i64, "fe ff ff ff ff ff ff ff");
    check(&-2i128, "fe ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff");
    check(&-2isize, "fe ff ff ff ff ff ff ff");
    check(&1.5f32, "00 00 c0 3f");
    check(&1.5f64, "00 00 00 00 00 00 f8 3f");
    check(&'A', "41");
    check(&'ä', "c3 a4");
    check(&'€', "e2 82 ac");
    check(&'🎮', "f0 9f 8e ae");
    check(&"häy".to_owned(), "u64:4 68 c3 a4 79");
    check(&String::new(), "u64:0");
    check(&Duration::new(1, 500_000_000), "u64:1 u32:500000000");
    // An entity crosses as its 64 bits.
    check(&0x0000_0003_ffff_fff0u64, "f0 ff ff ff 03 00 00 00");
}

#[test]
fn containers() {
    check(&None::<u8>, "00");
    check(&Some(7u8), "01 07");
    check(&Some(None::<u8>), "01 00");
    check(&vec![1u16, 2], "u64:2 01 00 02 00");
    check(&Vec::<u16>::new(), "u64:0");
    check(&[1u8, 2, 3], "01 02 03");
    check(&(1u8, 2u16), "01 02 00");
    check(&Unit, "");
    check(&Wrapper(1.5), "00 00 c0 3f");
    check(&Point { x: 1.5, y: 2 }, "00 00 c0 3f 02");
    check(&Shape::Nothing, "u32:0");
    check(&Shape::Circle(1.5), "u32:1 00 00 c0 3f");
    check(&Shape::Rectangle { width: 3, height: 4 }, "u32:2 03 04");
    check(&BTreeMap::from([(1u8, "a".to_owned()), (2, String::new())]), "u64:2 01 u64:1 'a' 02 u64:0");
}

#[test]
fn arguments() {
    check(&(), "");
    check(&5u32, "u32:5");
    // A tuple of one is the same as the value alone.
    check(&(5u32,), "u32:5");
    check(&(5u32, "hi".to_owned(), true), "u32:5 u64:2 'hi' 01");
    // The arguments and the result of the worked example in the document: `double([1.5])`.
    check(&vec![1.5f64], "u64:1 00 00 00 00 00 00 f8 3f");
    check(&vec![3.0f64], "u64:1 00 00 00 00 00 00 08 40");
}

#[test]
fn refused_arguments() {
    assert_eq!(mod_abi::Buffer::REFUSED.to_raw(), 0xffff_ffff_ffff_ffff);
    assert!(mod_abi::Buffer::REFUSED.range_in(u32::MAX as usize + 1).is_err(), "no memory has them");
}

#[test]
fn left_over_and_missing_bytes_are_errors() {
    assert!(decode::<u32>(&[0; 5]).is_err());
    assert!(decode::<u32>(&[0; 3]).is_err());
    assert!(decode::<bool>(&[2]).is_err());
    assert!(decode::<char>(&[0xff]).is_err());
    assert!(decode::<char>(&[0xed, 0xa0, 0x80]).is_err());
    assert!(decode::<String>(&bytes("u64:1 ff")).is_err());
    assert!(decode::<Option<u8>>(&[2, 0]).is_err());
    assert!(decode::<Shape>(&bytes("u32:3")).is_err());
    assert!(decode::<Vec<u8>>(&bytes("u64:18446744073709551615")).is_err());
    assert!(decode::<Vec<String>>(&bytes("u64:4294967296 00")).is_err());
    assert!(decode::<Duration>(&bytes("u64:18446744073709551615 u32:4294967295")).is_err());
}
