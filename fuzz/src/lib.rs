//! Every decoder of bytes that a mod writes, each as a function of bytes alone: what the fuzzers feed, and what
//! `tests/hostile` feeds without them. Neither of the two is known here.
//!
//! A decoder must not panic, whatever the bytes are. What it takes has to survive being written and read once more, which is
//! asserted: a value that does not would be another one after a reload or a save.

use std::{collections::BTreeMap, fmt, time::Duration};

use mod_abi::{
    Buffer, FunctionDesc, Identity, ModCallStatus, Schema, SettingDesc, batch, check_value,
    codec::{self, decode, encode},
    command::Command,
    describe::{ModDescription, TypeDesc, WorldRequest},
    map_entities,
    state::{SavedState, carry_over, migrate},
    take_value,
};
use nanoserde::{DeJson, SerJson};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A decoder.
#[derive(Clone, Copy)]
pub struct Decoder {
    /// Its name, which is that of the fuzz target and of the folder with its seeds.
    pub name: &'static str,
    /// Feeds it. Panics when the decoder is wrong.
    pub feed: fn(&[u8]),
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them.
pub const DECODERS: &[Decoder] = &[
    Decoder { name: "batch", feed: batch },
    Decoder { name: "codec", feed: codec },
    Decoder { name: "commands", feed: commands },
    Decoder { name: "describe", feed: describe },
    Decoder { name: "functions", feed: functions },
    Decoder { name: "identity", feed: identity },
    Decoder { name: "json", feed: json },
    Decoder { name: "schema", feed: schema },
    Decoder { name: "settings", feed: settings },
    Decoder { name: "state", feed: state },
    Decoder { name: "value", feed: value },
];

/// Reads bytes of the contract as a `T`, which has to survive being written and read. It need not be written as these bytes: a
/// duration of two thousand million nanoseconds is one of two seconds.
fn round<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<T> {
    let value: T = match decode(bytes) {
        Ok(value) => value,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    let written = encode(&value).expect("what was read can be written");
    assert_eq!(written.len(), bytes.len());
    let again: T = decode(&written).expect("what was written can be read");
    // Not the values, because a NaN is not itself.
    assert_eq!(encode(&again).expect("what was read can be written"), written);
    Some(value)
}

/// A value of everything that a function may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, SerJson, DeJson)]
enum Shape {
    Point,
    Circle(f32),
    Group { name: String, parts: Vec<Option<u8>>, inner: Vec<Shape> },
}

/// The codec of the contract, with all kinds of types.
pub fn codec(bytes: &[u8]) {
    round::<()>(bytes);
    round::<(u8, bool, char, f64, Option<u8>, [u16; 3])>(bytes);
    round::<String>(bytes);
    round::<Vec<(i128, Duration)>>(bytes);
    round::<Shape>(bytes);
    round::<Vec<Option<Shape>>>(bytes);
    // The order of a map is lost, and twice the same key is once.
    let _ = decode::<BTreeMap<String, Vec<i64>>>(bytes);
    // Items that take no bytes.
    let _ = decode::<Vec<()>>(bytes);
    let mut rest = bytes;
    let _ = codec::decode_front::<(u32, &str)>(&mut rest);
    assert!(rest.len() <= bytes.len());
    let (status, rest) = ModCallStatus::split(bytes);
    let mut answer = Vec::new();
    status.write(rest, &mut answer);
    assert_eq!(ModCallStatus::split(&answer), (status, rest));
}

/// JSON, in both dialects.
pub fn json(bytes: &[u8]) {
    fn both<T: DeserializeOwned + Serialize + DeJson + SerJson>(bytes: &[u8]) {
        if let Ok(value) = codec::json::decode::<T>(bytes) {
            let written = codec::json::encode(&value).expect("what was read can be written");
            codec::json::decode::<T>(&written).expect("what was written can be read");
        }
        if let Ok(value) = codec::nano::decode::<T>(bytes) {
            let _ = codec::nano::encode(&value);
        }
    }
    both::<Shape>(bytes);
    both::<Vec<Option<Shape>>>(bytes);
    both::<String>(bytes);
    both::<(u64, bool, f64)>(bytes);
    let _ = codec::json::decode::<BTreeMap<String, i64>>(bytes);
}

/// The identity section.
pub fn identity(bytes: &[u8]) {
    let abi = Identity::parse_abi(bytes);
    match Identity::parse(bytes) {
        Ok(identity) => {
            assert_eq!(abi.as_ref(), Ok(&identity.abi));
            let text = identity.to_string();
            assert_eq!(Identity::parse(text.as_bytes()).as_ref(), Ok(&identity), "{text}");
            for setting in &identity.settings {
                setting.check(&setting.default_value()).expect("a setting takes its own default");
            }
        }
        Err(error) => one_line(&error.to_string()),
    }
    if let Ok(stem) = std::str::from_utf8(bytes) {
        let _ = Identity::from_file_name(stem);
    }
}

/// A setting, as an identity states it: one a line.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for line in text.lines() {
        match line.parse::<SettingDesc>() {
            Ok(setting) => {
                assert_eq!(setting.fault(), None, "what is parsed has everything");
                let text = setting.to_string();
                assert_eq!(text.parse::<SettingDesc>().as_ref(), Ok(&setting), "{text}");
                setting.check(&setting.default_value()).expect("a setting takes its own default");
            }
            Err(error) => one_line(&error.to_string()),
        }
    }
}

/// The functions section.
pub fn functions(bytes: &[u8]) {
    match FunctionDesc::parse_section(bytes) {
        Ok(functions) => {
            let text: String = functions.iter().map(|function| format!("{function}\n")).collect();
            assert_eq!(FunctionDesc::parse_section(text.as_bytes()).as_ref(), Ok(&functions), "{text}");
            for function in &functions {
                for codec in codec::Codec::ALL {
                    assert_eq!(function.signature.difference(&function.signature, codec), None, "{function}");
                }
            }
        }
        Err(error) => one_line(&error.to_string()),
    }
}

/// A schema.
pub fn schema(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Schema::parse(text) {
        Ok(schema) => {
            let text = schema.to_string();
            assert_eq!(Schema::parse(&text).as_ref(), Ok(&schema), "{text}");
            assert_eq!(schema.difference(&schema), None, "{text}");
            assert_eq!(schema.disagreement(&schema), None, "{text}");
            let _ = schema.json_disagreement(&schema);
            let least = schema.min_size();
            if let Some(size) = schema.fixed_size() {
                assert!(size >= least, "{text}: {size} bytes, and {least} at least");
            }
        }
        Err(error) => one_line(&error.to_string()),
    }
}

/// Values along their schema: a line with the schema, and then the value.
pub fn value(bytes: &[u8]) {
    let Some((schema, bytes)) = schema_and_value(bytes) else { return };
    let taken = take_value(&schema, &mut &*bytes).map(<[u8]>::len);
    let checked = check_value(&schema, bytes);
    assert_eq!(checked.is_ok(), taken == Ok(bytes.len()), "{schema}");
    let mut mapped = bytes.to_vec();
    assert_eq!(map_entities(&schema, &mut mapped, |id| id).is_ok(), checked.is_ok(), "{schema}");
    assert_eq!(mapped, bytes);
    if let (Ok(()), Some(size)) = (checked, schema.fixed_size()) {
        assert_eq!(size, bytes.len(), "{schema}");
    }
}

fn schema_and_value(bytes: &[u8]) -> Option<(Schema, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (text, value) = bytes.split_at(end);
    Some((Schema::parse(std::str::from_utf8(text).ok()?).ok()?, value.get(1..)?))
}

/// What a mod says of itself, and what it asks of the World in the middle of a call.
pub fn describe(bytes: &[u8]) {
    if let Some(description) = round::<ModDescription>(bytes) {
        for ty in &description.types {
            self::schema(ty.schema.to_string().as_bytes());
        }
    }
    round::<WorldRequest>(bytes);
    round::<TypeDesc>(bytes);
}

/// The commands that a system leaves.
pub fn commands(bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = rest;
        let Ok(command) = Command::take(&mut rest) else { break };
        assert!(rest.len() < before.len(), "a command takes bytes");
        let written = encode(&command).expect("what was read can be written");
        assert_eq!(written, before[..before.len() - rest.len()], "{command:?}");
    }
}

/// The headers of columns, which the mod may have written over, and the buffers that it names.
pub fn batch(bytes: &[u8]) {
    let (headers, _) = bytes.as_chunks::<{ batch::COLUMN_HEADER }>();
    for header in headers {
        assert_eq!(batch::ColumnHeader::from_bytes(header).to_bytes(), *header);
    }
    let (words, _) = bytes.as_chunks::<8>();
    for [raw, size] in words.windows(2).filter_map(|pair| pair.first_chunk::<2>()) {
        let (buffer, size) = (Buffer::from_raw(u64::from_le_bytes(*raw)), u64::from_le_bytes(*size));
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        match buffer.range_in(size) {
            Ok(range) => assert!(range.start <= range.end && range.end <= size, "{buffer:?} in {size}: {range:?}"),
            Err(error) => one_line(&error.to_string()),
        }
        let _ = (batch::batch_header_bytes(size), batch::block_header_bytes(size), batch::dirty_map_bytes(size));
        if let Some(aligned) = batch::align_up(size) {
            assert!(aligned >= size && aligned.is_multiple_of(batch::ALIGN));
        }
    }
}

/// What a mod keeps: the old version's list, and what the new version starts with.
pub fn state(bytes: &[u8]) {
    let mut rest = bytes;
    let Ok(old) = codec::decode_front::<Vec<SavedState>>(&mut rest) else { return };
    let Some(fresh) = round::<Vec<SavedState>>(rest) else { return };
    let carried = carry_over(&old, &fresh);
    assert_eq!(carried.states.len(), fresh.len());
    for (state, fresh) in carried.states.iter().zip(&fresh) {
        assert_eq!((&state.name, &state.schema), (&fresh.name, &fresh.schema));
        // What starts as nonsense may stay so.
        if check_value(&fresh.schema, &fresh.bytes).is_ok() {
            check_value(&state.schema, &state.bytes).expect("what is carried over is a value of its type");
        }
    }
    for (old, new) in old.iter().zip(&fresh) {
        let mut losses = Vec::new();
        let old = (&old.schema, old.bytes.as_slice());
        if let Ok(migrated) = migrate("it", old, (&new.schema, None), &mut losses) {
            check_value(&new.schema, &migrated).expect("what has migrated is a value of its type");
        }
    }
}

/// Texts that people see are one line.
fn one_line(text: &str) {
    assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
}
