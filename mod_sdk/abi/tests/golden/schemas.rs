//! Schemas as text.

use mod_abi::{
    Leaf, MAX_DEPTH, MAX_EMPTY_PARTS, MAX_SCHEMA_BYTES, Schema, Variant, VariantFields, codec::MAX_VALUE_BYTES,
};
use proptest::{
    collection::{btree_map, vec},
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::select,
};

use crate::named;

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
    check(Schema::Map(boxed(Leaf::Str), Box::new(named([]))), "{str=>{}}", None);
    check(Schema::Array(boxed(Leaf::Str), 0), "[str;0]", Some(0));
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

#[track_caller]
fn refused(text: &str, reason: &str) {
    let shown: String = text.chars().take(60).collect();
    assert_eq!(Schema::parse(text).map_err(|error| error.reason), Err(reason), "{shown}");
}

#[track_caller]
fn accepted(text: &str) {
    let parsed = Schema::parse(text);
    assert!(parsed.is_ok(), "{text:.60}: {parsed:?}");
}

#[test]
fn lists_and_maps_of_nothing_are_refused() {
    let reason = "the items of a list and the keys of a map have to take bytes";
    for nothing in ["{}", "()", "{a:(),b:{}}", "[u8;0]", "[str;0]", "[{};3]", "([{};3],[[u8];0])"] {
        refused(&format!("[{nothing}]"), reason);
        refused(&format!("{{{nothing}=>u8}}"), reason);
        refused(&format!("{{a:u8,b:?[[{nothing}]]}}"), reason);
        accepted(&format!("{{u8=>{nothing}}}"));
        accepted(&format!("[?{nothing}]"));
        accepted(&format!("[({nothing},u8)]"));
        accepted(&format!("[<A({nothing})>]"));
    }
}

#[test]
fn types_that_no_value_can_be_of_are_refused() {
    let reason = "a value of it would take more than 64 MiB";
    accepted(&format!("[u8;{MAX_VALUE_BYTES}]"));
    accepted(&format!("[[u16;{}];2]", MAX_VALUE_BYTES / 4));
    refused(&format!("[u8;{}]", MAX_VALUE_BYTES + 1), reason);
    refused(&format!("([u8;{MAX_VALUE_BYTES}],bool)"), reason);
    refused(&format!("[?u8;{}]", MAX_VALUE_BYTES + 1), reason);
    refused(&format!("[<A|B>;{}]", MAX_VALUE_BYTES / 4 + 1), reason);
    refused(&format!("[[u8];{}]", MAX_VALUE_BYTES / 8 + 1), reason);
    refused(&format!("[{{u8=>u8}};{}]", MAX_VALUE_BYTES / 8 + 1), reason);
    // Also where a value could do without them, and where a product would overflow.
    for outer in ["?X", "[X]", "[X;0]", "<A|B(X)>", "<A|B{x:X}>", "{u8=>X}"] {
        refused(&outer.replace('X', "[u8;4294967295]"), reason);
        refused(&outer.replace('X', "[[[[u8;4294967295];4294967295];4294967295];4294967295]"), reason);
    }
}

#[test]
fn many_parts_that_take_no_bytes_are_refused() {
    let reason = "more than 64 of its parts take no bytes";
    let units = |count: usize| format!("(u8{})", ",{}".repeat(count));
    accepted(&units(MAX_EMPTY_PARTS));
    refused(&units(MAX_EMPTY_PARTS + 1), reason);
    // An array is one, too, and each of its items.
    accepted(&format!("[{{}};{}]", MAX_EMPTY_PARTS - 1));
    refused(&format!("[{{}};{MAX_EMPTY_PARTS}]"), reason);
    refused("[{};4294967295]", reason);
    refused("[[{};16];4]", reason);
    // Nobody walks the items of an array without any.
    accepted("[[[{};16];16];0]");
    refused("<A|B([[u8;0];4294967295])>", reason);
    refused("[[[{};4294967295];4294967295];4294967295]", reason);
    accepted("[(u8,{});1000000]");
}

#[test]
fn names_differ_from_each_other() {
    let reason = "an earlier field has the same name";
    refused("{a:u8,b:u8,a:u16}", reason);
    refused("[{x:<A|B{a:u8,a:u8}>}]", reason);
    refused("<A|B(u8)|A>", "an earlier variant has the same name");
    accepted("{a:{a:u8},b:<a{a:u8}|b>}");
}

#[test]
fn long_texts_are_refused() {
    let name = |len: usize| format!("{{{}:u8}}", "x".repeat(len - "{:u8}".len()));
    accepted(&name(MAX_SCHEMA_BYTES));
    refused(&name(MAX_SCHEMA_BYTES + 1), "its text is longer than 64 KiB");
}

fn schema() -> impl Strategy<Value = Schema> {
    let leaves: Vec<Schema> = LEAVES.iter().map(|(leaf, ..)| Schema::Leaf(*leaf)).collect();
    select(leaves).prop_recursive(6, 48, 4, |inner| {
        let name = "[a-zA-Z_][a-zA-Z0-9_]{0,8}";
        let unnamed = vec(inner.clone(), 0..4);
        let named = btree_map(name, inner.clone(), 0..4).prop_map(|fields| fields.into_iter().collect::<Vec<_>>());
        let item = inner.clone().prop_filter("takes bytes", |item| item.min_size() > 0);
        let fields = prop_oneof![
            Just(VariantFields::Unit),
            unnamed.clone().prop_map(VariantFields::Tuple),
            named.clone().prop_map(VariantFields::Struct),
        ];
        let variants = btree_map(name, fields, 0..4)
            .prop_map(|variants| variants.into_iter().map(|(name, fields)| Variant { name, fields }).collect());
        prop_oneof![
            named.prop_map(Schema::Struct),
            unnamed.prop_map(Schema::Tuple),
            item.clone().prop_map(|item| Schema::List(Box::new(item))),
            (inner.clone(), 0..5_u32).prop_map(|(item, len)| Schema::Array(Box::new(item), len)),
            inner.clone().prop_map(|item| Schema::Option(Box::new(item))),
            variants.prop_map(Schema::Enum),
            (item, inner).prop_map(|(key, value)| Schema::Map(Box::new(key), Box::new(value))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_schema_is_read_as_it_was_written(schema in schema()) {
        match Schema::parse(&schema.to_string()) {
            Ok(parsed) => prop_assert_eq!(&parsed, &schema),
            Err(error) => prop_assert_eq!(error.reason, "more than 64 of its parts take no bytes"),
        }
        prop_assert_eq!(schema.difference(&schema), None);
        prop_assert!(schema.fixed_size().is_none_or(|size| size == schema.min_size()));
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
}
