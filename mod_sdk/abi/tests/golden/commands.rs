//! Commands.

use mod_abi::{
    codec::encode,
    command::{Command, Value},
};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest},
    sample::Index,
};

use crate::{bytes, hex};

const ENTITY: u64 = 0x0000_0001_ffff_fff0;

/// One of every command, with its bytes.
fn all() -> Vec<(Command<'static>, &'static str)> {
    let entity = ENTITY;
    let health = Value { ty: 0, bytes: &[0, 0, 0x80, 0x3f] };
    let marker = Value { ty: 3, bytes: &[] };
    vec![
        (
            Command::Spawn { entity, components: vec![health, marker] },
            "u32:0 f0 ff ff ff 01 00 00 00 u64:2 u32:0 u64:4 00 00 80 3f u32:3 u64:0",
        ),
        (
            Command::Insert { entity, components: vec![health] },
            "u32:1 f0 ff ff ff 01 00 00 00 u64:1 u32:0 u64:4 00 00 80 3f",
        ),
        (Command::Remove { entity, types: vec![0, 3] }, "u32:2 f0 ff ff ff 01 00 00 00 u64:2 u32:0 u32:3"),
        (Command::Despawn { entity }, "u32:3 f0 ff ff ff 01 00 00 00"),
        (Command::InsertResource(Value { ty: 1, bytes: &[7] }), "u32:4 u32:1 u64:1 07"),
        (Command::RemoveResource(1), "u32:5 u32:1"),
        (Command::WriteMessage(Value { ty: 2, bytes: &[1, 2] }), "u32:6 u32:2 u64:2 01 02"),
        (Command::Trigger(Value { ty: 4, bytes: &[] }), "u32:7 u32:4 u64:0"),
        (Command::InsertIfNew { entity, components: vec![marker] }, "u32:8 f0 ff ff ff 01 00 00 00 u64:1 u32:3 u64:0"),
    ]
}

#[test]
fn every_command() {
    for (command, golden) in all() {
        let golden = bytes(golden);
        let encoded = encode(&command).expect("golden values can be encoded");
        assert_eq!(hex(&encoded), hex(&golden), "{command:?}");
        let mut rest = golden.as_slice();
        assert_eq!(Command::take(&mut rest).expect("golden bytes can be decoded"), command);
        assert!(rest.is_empty(), "{command:?}");
    }
}

#[test]
fn commands_stand_one_behind_the_other() {
    let (commands, goldens): (Vec<_>, Vec<_>) = all().into_iter().unzip();
    let run = bytes(&goldens.join(" "));
    let mut rest = run.as_slice();
    let mut taken = Vec::new();
    while !rest.is_empty() {
        taken.push(Command::take(&mut rest).expect("golden bytes can be decoded"));
    }
    assert_eq!(taken, commands);
}

#[test]
fn the_example_in_the_document() {
    let components = vec![Value { ty: 0, bytes: &[0, 0, 0x80, 0x3f] }, Value { ty: 3, bytes: &[] }];
    let commands = [Command::Spawn { entity: ENTITY, components }, Command::Despawn { entity: 0xffff_ffef }];
    let encoded = commands.map(|command| encode(&command).expect("golden values can be encoded")).concat();
    let golden = bytes(
        "00 00 00 00
            f0 ff ff ff 01 00 00 00
            02 00 00 00 00 00 00 00
            00 00 00 00
            04 00 00 00 00 00 00 00   00 00 80 3f
            03 00 00 00
            00 00 00 00 00 00 00 00
        03 00 00 00
            ef ff ff ff 00 00 00 00",
    );
    assert_eq!(hex(&encoded), hex(&golden));
    assert_eq!(golden.len(), 60);
}

#[test]
fn values_of_commands_are_not_copied() {
    let run = bytes("u32:4 u32:1 u64:2 aa bb");
    let Ok(Command::InsertResource(value)) = Command::take(&mut run.as_slice()) else { panic!("a resource") };
    assert_eq!(value.bytes.as_ptr(), run[16..].as_ptr());
}

#[test]
fn commands_that_lie_are_errors() {
    for golden in [
        "",
        "u32:9",
        "u32:3 f0 ff ff ff",
        "u32:4 u32:1 u64:2 07",
        "u32:4 u32:1 u64:18446744073709551615",
        "u32:0 f0 ff ff ff 01 00 00 00 u64:4294967296 u32:0 u64:0",
        "u32:2 f0 ff ff ff 01 00 00 00 u64:18446744073709551615",
    ] {
        assert!(Command::take(&mut bytes(golden).as_slice()).is_err(), "{golden}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_that_are_no_commands_are_an_error_and_no_panic(random in vec(any::<u8>(), 0..256), variant in 0..12_u32) {
        // Random bytes alone are hardly ever a known variant.
        let almost = [&variant.to_le_bytes(), random.as_slice()].concat();
        for bytes in [random.as_slice(), &almost] {
            let mut rest = bytes;
            while !rest.is_empty() {
                let before = rest.len();
                let Ok(command) = Command::take(&mut rest) else { break };
                // A reader of a list of commands ends, because each takes at least its number.
                prop_assert!(rest.len() + 4 <= before);
                let len = before - rest.len();
                let start = bytes.len() - before;
                prop_assert_eq!(encode(&command).expect("it was decoded"), &bytes[start..start + len]);
            }
        }
    }

    #[test]
    fn commands_with_one_wrong_byte_are_no_panic(at in any::<Index>(), with in any::<u8>()) {
        for (_, golden) in all() {
            let mut bytes = bytes(golden);
            let at = at.index(bytes.len());
            prop_assert!(Command::take(&mut &bytes[..at]).is_err());
            bytes[at] = with;
            let _ = Command::take(&mut bytes.as_slice());
        }
    }
}
