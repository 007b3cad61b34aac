//! Calls between mods: what is stated of them, and what comes back.

use mod_abi::{Direction, FunctionDesc, ModCallStatus, Signature, names::MOD_IMPORT_PREFIX};

use crate::{bytes, hex};

#[test]
fn a_function_of_another_mod() {
    let function = FunctionDesc {
        direction: Direction::Import,
        codec: "bincode".to_owned(),
        mod_id: Some("bees".to_owned()),
        name: "honey".to_owned(),
        signature: Signature::parse("(u32)->u32").expect("a signature"),
    };
    let line = "import bincode bees::honey (u32)->u32";
    assert_eq!(function.to_string(), line);
    assert_eq!(FunctionDesc::parse_section(line.as_bytes()), Ok(vec![function]));
    assert_eq!(MOD_IMPORT_PREFIX, "mod:");
}

#[test]
fn answers() {
    use ModCallStatus::{Answered, Busy, Failed, NoSuchFunction, NotRunning, Refused};

    for (status, rest, golden) in [
        (Answered, &[7, 0, 0, 0][..], "u32:0 u32:7"),
        (Answered, b"", "u32:0"),
        (NotRunning, b"gone", "u32:1 'gone'"),
        (NoSuchFunction, b"none", "u32:2 'none'"),
        (Busy, b"busy", "u32:3 'busy'"),
        (Failed, b"oh", "u32:4 'oh'"),
        (Refused, b"no", "u32:5 'no'"),
    ] {
        let mut answer = Vec::new();
        status.write(rest, &mut answer);
        assert_eq!(hex(&answer), hex(&bytes(golden)));
        assert_eq!(ModCallStatus::split(&answer), (status, rest));
    }
    for nothing in ["", "00 00 00", "u32:6 'later'", "ff ff ff ff"] {
        assert_eq!(ModCallStatus::split(&bytes(nothing)).0, Refused, "{nothing}");
    }
}
