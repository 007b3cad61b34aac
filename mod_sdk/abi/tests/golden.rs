//! The bytes of the contract, written out. A change here is a change of the ABI: it also changes `docs/abi.md` and
//! `ABI_VERSION`.

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write},
    time::Duration,
};

use mod_abi::{
    Buffer, Identity, Leaf, MAX_DEPTH, Schema, Variant, VariantFields,
    batch::{
        ALIGN, BATCH_HEADER, BLOCK_HEADER, COLUMN_HEADER, ColumnHeader, align_up, batch_header_bytes,
        block_header_bytes, dirty_map_bytes,
    },
    codec::{decode, encode},
    describe::{
        FilterDesc, FunctionDesc, ModDescription, ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc, TypeDesc,
        WorldRequest, WorldTarget,
    },
};
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    sample::{Index, select},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Asserts that `value` is encoded as the bytes that `golden` names, and decoded from them.
///
/// `golden` is a list of words: two hexadecimal digits are a byte, `'text'` is its UTF-8 bytes, `u32:7` and `u64:7`
/// are little-endian numbers.
#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, golden: &str) {
    let expected = bytes(golden);
    let encoded = encode(value).expect("golden values can be encoded");
    assert_eq!(hex(&encoded), hex(&expected), "{value:?}");
    assert_eq!(decode::<T>(&expected).expect("golden bytes can be decoded"), *value);
}

#[track_caller]
fn bytes(golden: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Every second part stands between quotes.
    for (index, part) in golden.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
        } else {
            part.split_whitespace().for_each(|word| bytes.extend_from_slice(&word_bytes(word)));
        }
    }
    bytes
}

#[track_caller]
fn word_bytes(word: &str) -> Vec<u8> {
    if let Some(number) = word.strip_prefix("u32:") {
        number.parse::<u32>().expect("a number").to_le_bytes().to_vec()
    } else if let Some(number) = word.strip_prefix("u64:") {
        number.parse::<u64>().expect("a number").to_le_bytes().to_vec()
    } else {
        assert_eq!(word.len(), 2, "{word}");
        vec![u8::from_str_radix(word, 16).expect("a byte")]
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x} ").expect("writing to a String succeeds");
        text
    })
}

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

fn named(fields: impl IntoIterator<Item = (&'static str, Leaf)>) -> Schema {
    Schema::named(fields.into_iter().map(|(name, leaf)| (name, Schema::Leaf(leaf))))
}

fn description() -> ModDescription {
    ModDescription {
        types: vec![
            TypeDesc { path: "Health".to_owned(), schema: named([("value", Leaf::F32)]) },
            TypeDesc { path: "game::Score".to_owned(), schema: Schema::Leaf(Leaf::U32) },
        ],
        systems: vec![
            SystemDesc {
                name: "heal".to_owned(),
                schedule: "Update".to_owned(),
                params: vec![
                    ParamDesc::Query(QueryDesc {
                        terms: vec![TermDesc::Entity, TermDesc::Read(1), TermDesc::Write(0)],
                        filters: vec![FilterDesc::With(1), FilterDesc::Without(0)],
                    }),
                    ParamDesc::Resource(ResourceDesc { ty: 1, write: true }),
                    ParamDesc::World,
                ],
                after: vec![],
            },
            SystemDesc { name: "b".to_owned(), schedule: "Update".to_owned(), params: vec![], after: vec![0] },
        ],
        exports: vec![FunctionDesc { name: "add".to_owned(), signature: "fn(u32,u32)->u32".to_owned() }],
        imports: vec![FunctionDesc { name: "beep".to_owned(), signature: String::new() }],
    }
}

#[test]
fn a_description_with_one_of_everything() {
    check(
        &description(),
        "u64:2
            u64:6 'Health' u64:11 '{value:f32}'
            u64:11 'game::Score' u64:3 'u32'
        u64:2
            u64:4 'heal' u64:6 'Update'
                u64:3
                    u32:0
                        u64:3  u32:0  u32:1 u32:1  u32:2 u32:0
                        u64:2  u32:0 u32:1  u32:1 u32:0
                    u32:1  u32:1 01
                    u32:2
                u64:0
            u64:1 'b' u64:6 'Update' u64:0 u64:1 u32:0
        u64:1 u64:3 'add' u64:16 'fn(u32,u32)->u32'
        u64:1 u64:4 'beep' u64:0",
    );
    check(&ModDescription::default(), "u64:0 u64:0 u64:0 u64:0");
}

#[test]
fn the_description_of_the_example_in_c() {
    // What `docs/abi_example.c` writes, put by put.
    let system = SystemDesc {
        name: "heal".to_owned(),
        schedule: "Update".to_owned(),
        params: vec![ParamDesc::Query(QueryDesc { terms: vec![TermDesc::Write(0)], filters: vec![] })],
        after: vec![],
    };
    let description = ModDescription {
        types: vec![TypeDesc { path: "Health".to_owned(), schema: named([("value", Leaf::F32)]) }],
        systems: vec![system],
        exports: vec![FunctionDesc { name: "add".to_owned(), signature: "fn(u32, u32) -> u32".to_owned() }],
        imports: vec![],
    };
    check(
        &description,
        "u64:1
            u64:6 'Health' u64:11 '{value:f32}'
        u64:1
            u64:4 'heal' u64:6 'Update'
                u64:1
                    u32:0
                        u64:1  u32:2 u32:0
                        u64:0
                u64:0
        u64:1 u64:3 'add' u64:19 'fn(u32, u32) -> u32'
        u64:0",
    );
}

#[test]
fn world_requests() {
    let types = vec![TypeDesc { path: "Health".to_owned(), schema: named([("value", Leaf::F32)]) }];
    let query = QueryDesc { terms: vec![TermDesc::Entity, TermDesc::Read(0)], filters: vec![FilterDesc::With(0)] };
    check(
        &WorldRequest { types: types.clone(), target: WorldTarget::Query(query) },
        "u64:1 u64:6 'Health' u64:11 '{value:f32}'  u32:0  u64:2 u32:0 u32:1 u32:0  u64:1 u32:0 u32:0",
    );
    check(
        &WorldRequest { types, target: WorldTarget::Resource(0) },
        "u64:1 u64:6 'Health' u64:11 '{value:f32}'  u32:1 u32:0",
    );
}

#[test]
fn a_column_header() {
    let header = ColumnHeader {
        data: 1,
        data_len: 2,
        stride: 3,
        offsets: 4,
        dirty: 5,
        present: 6,
        changed: 7,
        added: 8,
        out: 9,
        out_len: 10,
    };
    let golden = bytes("u32:1 u32:2 u32:3 u32:4 u32:5 u32:6 u32:7 u32:8 u32:9 u32:10 00 00 00 00 00 00 00 00");
    assert_eq!(hex(&header.to_bytes()), hex(&golden));
    assert_eq!(ColumnHeader::from_bytes(&header.to_bytes()), header);
    assert_eq!(header.to_bytes()[ColumnHeader::OUT], 9);
}

#[test]
fn a_batch_of_one_column_and_three_rows() {
    // The worked example in the document: `&mut Health` with 1.0, 2.5 and -3.0, before the call.
    let golden = bytes(
        "u32:0 u32:1 u32:128 u32:0
         u32:32 u32:0 u32:0 u32:0
         u32:3 u32:1 u32:96 u32:0
         u32:64 u32:12 u32:4 u32:0  u32:80 u32:0 u32:0 u32:0  u32:0 u32:0 u32:0 u32:0
         00 00 80 3f 00 00 20 40 00 00 40 c0 u32:0
         u64:0 u64:0",
    );

    let header = batch_header_bytes(1).expect("small");
    let data = block_header_bytes(1).expect("small");
    let dirty = align_up(data + 3 * 4).expect("small");
    let block = align_up(dirty + dirty_map_bytes(3)).expect("small");
    assert_eq!((header, data, dirty, block), (32, 64, 80, 96));
    let mut batch = vec![0u8; header + block];
    let mut put = |at: usize, bytes: &[u8]| batch[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &bytes("u32:0 u32:1 u32:128 u32:0"));
    put(BATCH_HEADER, &bytes("u32:32"));
    put(header, &bytes("u32:3 u32:1 u32:96 u32:0"));
    let column = ColumnHeader { data: 64, data_len: 12, stride: 4, dirty: 80, ..ColumnHeader::default() };
    put(header + BLOCK_HEADER, &column.to_bytes());
    put(header + data, &bytes("00 00 80 3f 00 00 20 40 00 00 40 c0"));
    assert_eq!(hex(&batch), hex(&golden));
}

#[test]
fn sizes_in_a_batch() {
    assert_eq!((ALIGN, BATCH_HEADER, BLOCK_HEADER, COLUMN_HEADER, ColumnHeader::OUT), (16, 16, 16, 48, 32));
    assert_eq!([0, 1, 4, 5].map(batch_header_bytes), [Some(16), Some(32), Some(32), Some(48)]);
    assert_eq!([0, 1, 2].map(block_header_bytes), [Some(16), Some(64), Some(112)]);
    assert_eq!([0, 1, 64, 65].map(dirty_map_bytes), [0, 8, 8, 16]);
}

#[test]
fn an_identity() {
    let identity = Identity {
        abi: 1,
        id: "minimal_c".to_owned(),
        version: "0.1.0".to_owned(),
        authors: vec!["Ada".to_owned(), "Grace".to_owned()],
        dependencies: vec!["core ^1".to_owned()],
        codec: "bincode".to_owned(),
    };
    let text =
        "abi: 1\nid: minimal_c\nversion: 0.1.0\ncodec: bincode\nauthor: Ada\nauthor: Grace\ndependency: core ^1\n";
    assert_eq!(identity.to_string(), text);
    assert_eq!(Identity::parse(text.as_bytes()), Ok(identity));
}

const LEAVES: &[(Leaf, &str, Option<usize>)] = &[
    (Leaf::Bool, "bool", Some(1)),
    (Leaf::U8, "u8", Some(1)),
    (Leaf::U16, "u16", Some(2)),
    (Leaf::U32, "u32", Some(4)),
    (Leaf::U64, "u64", Some(8)),
    (Leaf::U128, "u128", Some(16)),
    (Leaf::I8, "i8", Some(1)),
    (Leaf::I16, "i16", Some(2)),
    (Leaf::I32, "i32", Some(4)),
    (Leaf::I64, "i64", Some(8)),
    (Leaf::I128, "i128", Some(16)),
    (Leaf::F32, "f32", Some(4)),
    (Leaf::F64, "f64", Some(8)),
    (Leaf::Char, "char", None),
    (Leaf::Str, "str", None),
    (Leaf::Entity, "entity", Some(8)),
    (Leaf::Duration, "duration", Some(12)),
];

#[test]
fn schemas_as_text() {
    let leaf = Schema::Leaf;
    let boxed = |name| Box::new(leaf(name));
    let check = |schema: Schema, text: &str, size: Option<usize>| {
        assert_eq!(schema.to_string(), text);
        assert_eq!(Schema::parse(text), Ok(schema.clone()));
        assert_eq!(schema.fixed_size(), size, "{text}");
    };
    for &(kind, text, size) in LEAVES {
        check(leaf(kind), text, size);
    }
    check(named([("x", Leaf::F32), ("r#type", Leaf::U8)]), "{x:f32,r#type:u8}", Some(5));
    check(Schema::Struct(vec![]), "{}", Some(0));
    check(Schema::Tuple(vec![leaf(Leaf::F32), leaf(Leaf::U8)]), "(f32,u8)", Some(5));
    check(Schema::Tuple(vec![]), "()", Some(0));
    check(Schema::List(boxed(Leaf::U8)), "[u8]", None);
    check(Schema::Array(boxed(Leaf::U8), 4), "[u8;4]", Some(4));
    check(Schema::Option(boxed(Leaf::U8)), "?u8", None);
    check(Schema::Map(boxed(Leaf::U8), boxed(Leaf::Str)), "{u8=>str}", None);
    check(Schema::Map(Box::new(named([])), boxed(Leaf::Str)), "{{}=>str}", None);
    let variant = |name: &str, fields| Variant { name: name.to_owned(), fields };
    check(
        Schema::Enum(vec![
            variant("A", VariantFields::Unit),
            variant("B", VariantFields::Tuple(vec![leaf(Leaf::U8)])),
            variant("C", VariantFields::Struct(vec![("x".to_owned(), leaf(Leaf::F32))])),
        ]),
        "<A|B(u8)|C{x:f32}>",
        None,
    );
}

#[test]
fn schemas_that_nest_too_deep_are_refused() {
    for open in ["?", "(", "[", "{a:", "{", "<A(", "<A{a:"] {
        assert!(Schema::parse(&open.repeat(100_000)).is_err(), "{open}");
    }
    assert!(Schema::parse(&("?".repeat(MAX_DEPTH - 1) + "u8")).is_ok());
    assert!(Schema::parse(&("?".repeat(MAX_DEPTH) + "u8")).is_err());
}

fn schema() -> impl Strategy<Value = Schema> {
    let leaves: Vec<Schema> = LEAVES.iter().map(|(leaf, ..)| Schema::Leaf(*leaf)).collect();
    select(leaves).prop_recursive(6, 48, 4, |inner| {
        let name = "[a-zA-Z_][a-zA-Z0-9_]{0,8}";
        let unnamed = vec(inner.clone(), 0..4);
        let named = vec((name, inner.clone()), 0..4);
        let fields = prop_oneof![
            Just(VariantFields::Unit),
            unnamed.clone().prop_map(VariantFields::Tuple),
            named.clone().prop_map(VariantFields::Struct),
        ];
        let variant = (name, fields).prop_map(|(name, fields)| Variant { name, fields });
        prop_oneof![
            named.prop_map(Schema::Struct),
            unnamed.prop_map(Schema::Tuple),
            inner.clone().prop_map(|item| Schema::List(Box::new(item))),
            (inner.clone(), any::<u32>()).prop_map(|(item, len)| Schema::Array(Box::new(item), len)),
            inner.clone().prop_map(|item| Schema::Option(Box::new(item))),
            vec(variant, 0..4).prop_map(Schema::Enum),
            (inner.clone(), inner).prop_map(|(key, value)| Schema::Map(Box::new(key), Box::new(value))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_schema_is_read_as_it_was_written(schema in schema()) {
        prop_assert_eq!(Schema::parse(&schema.to_string()), Ok(schema.clone()));
        prop_assert_eq!(schema.difference(&schema), None);
        // Sizes may be absurd (arrays of arrays), but asking for them must not panic.
        let _ = schema.fixed_size();
    }

    #[test]
    fn text_that_is_no_schema_is_an_error_and_no_panic(
        text in any::<String>(),
        almost in "[?()\\[\\]<>{}:;,|=a-z0-9ä ]{0,64}",
    ) {
        for text in [text, almost] {
            if let Ok(schema) = Schema::parse(&text) {
                prop_assert_eq!(Schema::parse(&schema.to_string()), Ok(schema));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_identity_are_an_error_and_no_panic(
        section in vec(any::<u8>(), 0..256),
        text in any::<String>(),
    ) {
        let _ = Identity::parse(&section);
        let _ = Identity::parse(text.as_bytes());
        let _ = Identity::parse(format!("abi: 1\nid: x\nversion: {text}").as_bytes());
        let _ = Identity::from_file_name(&text);
    }

    #[test]
    fn bytes_that_are_no_description_are_an_error_and_no_panic(
        random in vec(any::<u8>(), 0..256),
        at in any::<Index>(),
        with in any::<u8>(),
    ) {
        let _ = decode::<ModDescription>(&random);
        let _ = decode::<WorldRequest>(&random);
        // One wrong byte in an otherwise good description gets further.
        let mut bytes = encode(&description()).expect("it can be encoded");
        let at = at.index(bytes.len());
        bytes[at] = with;
        let _ = decode::<ModDescription>(&bytes);
        let _ = decode::<ModDescription>(&bytes[..at]);
    }

    #[test]
    fn every_column_header_is_read_as_it_was_written(words in any::<[u32; 12]>()) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let bytes: [u8; COLUMN_HEADER] = bytes.try_into().expect("12 words are 48 bytes");
        prop_assert_eq!(&ColumnHeader::from_bytes(&bytes).to_bytes()[..40], &bytes[..40]);
    }
}
