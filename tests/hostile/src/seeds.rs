//! What the decoders are for, in small pieces: where damage and the fuzzers begin. `cargo xtask hostile --seeds` writes them to
//! `fuzz/seeds`.

use std::{fs, io, time::Duration};

use mod_abi::{
    Leaf, ModCallStatus, Schema,
    batch::ColumnHeader,
    codec::encode,
    command::{Command, Value},
    describe::{
        ConditionDesc, ConditionTest, Definition, DefinitionKind, EventDesc, FilterDesc, InitialResource,
        ModDescription, ObserverDesc, OrderDesc, OrderTarget, ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc,
        TypeDesc, TypeRole, WorldRequest, WorldTarget,
    },
    state::SavedState,
};
use serde::Serialize;

use crate::decoders::DECODERS;

const SCHEMAS: &[&str] = &[
    "f32",
    "{value:f32}",
    "([u8])",
    "{text:str,tags:[str]}",
    "{entity:entity,since:duration}",
    "({{x:i32,y:i32}=>u32})",
    "{a:?u8,b:[f64;3],c:(bool,char)}",
    "<Point|Circle(f32)|Group{name:str,parts:[?u8]}>",
];

fn bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    encode(value).expect("seeds can be encoded")
}

fn schema(text: &str) -> Schema {
    Schema::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The seeds of a decoder.
///
/// # Panics
/// When there is no such decoder.
#[must_use]
pub fn of(decoder: &str) -> Vec<Vec<u8>> {
    match decoder {
        "batch" => {
            let header = ColumnHeader { data: 64, data_len: 8, stride: 4, dirty: 80, out: 32, out_len: 9, ..Default::default() };
            let buffers = [0x10_0000_0010_u64, 0x2_0000, u64::MAX, 0x1_0000];
            vec![header.to_bytes().to_vec(), buffers.iter().flat_map(|word| word.to_le_bytes()).collect()]
        }
        "codec" => vec![
            bytes(&(7_u8, true, 'ä', 1.5_f64, Some(3_u8), [1_u16, 2, 3])),
            bytes("a text"),
            bytes(&[(-3_i128, Duration::from_millis(1500))][..]),
            // A group of a circle and nothing, as a variant, a text, options and variants.
            [&2_u32.to_le_bytes()[..], &bytes("it"), &bytes(&[Some(1_u8), None][..]), &bytes(&(1_u64, 1_u32, 2.5_f32))].concat(),
            bytes(&[Some(0_u32), None][..]),
            u64::MAX.to_le_bytes().to_vec(),
            [ModCallStatus::Failed as u32 as u8, 0, 0, 0, b'n', b'o'].to_vec(),
        ],
        "commands" => commands(),
        "describe" => {
            let request = WorldRequest {
                types: vec![ty("Health", "{value:f32}", TypeRole::Mirror)],
                target: WorldTarget::Query(QueryDesc { terms: vec![TermDesc::Read(0)], filters: vec![FilterDesc::With(0)] }),
            };
            let resource = WorldRequest { target: WorldTarget::Resource(0), ..request.clone() };
            vec![bytes(&description()), bytes(&ModDescription::<Schema>::default()), bytes(&request), bytes(&resource)]
        }
        "functions" => vec![
            b"export bincode double ([f64])->[f64]\nimport json play_sound (str,f32)->bool\n".to_vec(),
            b"export nanoserde-json f ()->()\nimport bincode bees::count (_)->{a:u8,b:?[str]}\n".to_vec(),
        ],
        "identity" => vec![
            b"abi: 3\nid: minimal\nversion: 0.1.0\n".to_vec(),
            b"abi: 3\nid: orchard_pests\nversion: 0.2.0\ncodec: json\nname: Pests\ndescription: Beetles.\nhomepage: \
              https://example.org\nauthor: Ada\ngame: orchard ^0.3\ndependency: bees ^1\noptional: weather >=0.2, <0.4\n\
              incompatible: frost *\nafter: trees\nbefore: hud\nsetting: pace choice slow slow|fast\n"
                .to_vec(),
            b"abi: 99\nwhatever: comes\n".to_vec(),
        ],
        "json" => [
            "",
            "null",
            "\"Point\"",
            "{\"Circle\":2.5}",
            "{\"Group\":{\"name\":\"\\u00e4\",\"parts\":[1,null],\"inner\":[\"Point\"]}}",
            "[[1,null],[]]",
            "[1,true,-2.5e3]",
            "[[[[[[[[]]]]]]]]",
            "{\"Group\":{name:\"x\",parts:[],inner:[],}}",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
        "schema" => SCHEMAS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "settings" => vec![
            b"appetite float 1.5 0.0..10.0 How fast they eat\npace choice slow slow|fast\n".to_vec(),
            b"loud bool true - How\ncount int 3 -5.. How many\nname text \"Ada, you\" - The name\n".to_vec(),
        ],
        "state" => {
            let kept = |name: &str, text: &str, bytes: &[u8]| SavedState { name: name.to_owned(), schema: schema(text), bytes: bytes.to_vec() };
            let old = [kept("count", "{n:u32,more:str}", &bytes(&(7_u32, "x"))), kept("gone", "u8", &[1])];
            let new = [kept("count", "{n:u64,fresh:bool}", &bytes(&(0_u64, true))), kept("list", "[u8]", &[0; 8])];
            vec![[bytes(&old[..]), bytes(&new[..])].concat(), [bytes(&old[..]), bytes(&old[..])].concat(), vec![0; 16]]
        }
        "value" => {
            let circle = (1_u32, 2.5_f32);
            let values: [(&str, Vec<u8>); 6] = [
                ("{value:f32}", bytes(&1.5_f32)),
                ("([u8])", bytes(&[1_u8, 2, 3][..])),
                ("{text:str,tags:[str]}", bytes(&("häy", vec!["a", ""]))),
                ("{entity:entity,since:duration}", bytes(&(0x1_0000_0007_u64, Duration::from_millis(5)))),
                ("{a:?u8,b:[f64;3],c:(bool,char)}", bytes(&(Some(1_u8), [1.0, 2.0, 3.0], (true, 'x')))),
                ("<Point|Circle(f32)|Group{name:str,parts:[?u8]}>", bytes(&circle)),
            ];
            values.iter().map(|(text, value)| [text.as_bytes(), b"\n", value].concat()).collect()
        }
        "module" => {
            let text = r#"(module (@custom "bevy_mod" "abi: 3\nid: it\nversion: 1.0.0\n")
                (@custom "bevy_mod_functions" "export bincode f (u8)->u8\n")
                (import "env" "__double" (func (param i64) (result i64))) (memory (export "memory") 1)
                (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 16))
                (func (export "__free_buffer") (param i64))
                (func (export "__f") (param i64) (result i64) (local.get 0)))"#;
            vec![wat::parse_str(text).expect("the text is right"), wat::parse_str("(module)").expect("the text is right")]
        }
        _ => panic!("there is no decoder `{decoder}`"),
    }
}

fn ty(path: &str, text: &str, role: TypeRole) -> TypeDesc {
    TypeDesc { path: path.to_owned(), schema: schema(text), role }
}

/// One of every command.
fn commands() -> Vec<Vec<u8>> {
    let entity = 0x1_ffff_fff0;
    let health = Value { ty: 0, bytes: &[0, 0, 0x80, 0x3f] };
    let all = [
        Command::Spawn { entity, components: vec![health, Value { ty: 3, bytes: &[] }] },
        Command::Insert { entity, components: vec![health] },
        Command::Remove { entity, types: vec![0, 3] },
        Command::Despawn { entity },
        Command::InsertResource(Value { ty: 1, bytes: &[7] }),
        Command::RemoveResource(1),
        Command::WriteMessage(Value { ty: 2, bytes: &[1, 2] }),
        Command::Trigger(Value { ty: 4, bytes: &[] }),
        Command::InsertIfNew { entity, components: vec![health] },
    ];
    let mut seeds: Vec<Vec<u8>> = all.iter().map(bytes).collect();
    seeds.push(seeds.concat());
    seeds
}

/// A description with one of everything.
fn description() -> ModDescription {
    let defined = |kind| TypeRole::Definition(Definition { kind, default: Some(vec![5]) });
    let query = QueryDesc {
        terms: vec![
            TermDesc::Entity,
            TermDesc::Read(1),
            TermDesc::Write(0),
            TermDesc::ReadOptional(2),
            TermDesc::Has(2),
        ],
        filters: vec![FilterDesc::With(0), FilterDesc::Or(2), FilterDesc::Without(2), FilterDesc::Changed(1)],
    };
    let resource = ResourceDesc { ty: 3, write: true };
    let condition = |test| ConditionDesc { not: false, test };
    ModDescription {
        types: vec![
            ty("Health", "{value:f32}", TypeRole::Mirror),
            ty("game::Body", "{mass:f32}", TypeRole::Part),
            TypeDesc {
                path: "pests::C".to_owned(),
                schema: Schema::Leaf(Leaf::U8),
                role: defined(DefinitionKind::Component),
            },
            ty("pests::R", "u8", defined(DefinitionKind::Resource)),
            ty("pests::M", "u8", defined(DefinitionKind::Message)),
            ty("pests::E", "u8", defined(DefinitionKind::Event)),
        ],
        systems: vec![SystemDesc {
            name: "heal".to_owned(),
            schedule: "Update".to_owned(),
            params: vec![
                ParamDesc::Query(query),
                ParamDesc::Resource(resource),
                ParamDesc::World,
                ParamDesc::OptionalResource(resource),
                ParamDesc::Commands,
                ParamDesc::MessageReader(4),
                ParamDesc::MessageWriter(4),
            ],
            order: vec![
                OrderDesc::After(OrderTarget::System(0)),
                OrderDesc::Before(OrderTarget::Named("bees::fly".to_owned())),
            ],
            conditions: vec![
                condition(ConditionTest::InState("game::Season::Winter".to_owned())),
                condition(ConditionTest::ResourceExists(3)),
                condition(ConditionTest::OnTimer(Duration::from_millis(1500))),
            ],
        }],
        observers: vec![ObserverDesc {
            name: "on_e".to_owned(),
            event: EventDesc::Event(5),
            params: vec![ParamDesc::Event],
        }],
        resources: vec![InitialResource { ty: 3, value: vec![9] }],
    }
}

/// Every seed with its path below `fuzz/seeds`.
fn all() -> Vec<(String, Vec<u8>)> {
    let names = DECODERS.iter().map(|decoder| decoder.name).chain(["module"]);
    names
        .flat_map(|name| of(name).into_iter().enumerate().map(move |(n, seed)| (format!("{name}/{n}"), seed)))
        .collect()
}

/// Writes them to `fuzz/seeds`, in the place of what is there.
///
/// # Errors
/// When a file cannot be written.
pub fn write() -> io::Result<()> {
    let folder = crate::root().join("fuzz/seeds");
    fs::remove_dir_all(&folder)
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    for (path, seed) in all() {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, seed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::all;

    #[test]
    fn the_seeds_of_the_fuzzers_are_these() {
        for (path, seed) in all() {
            let file = crate::root().join("fuzz/seeds").join(&path);
            assert_eq!(fs::read(file).ok(), Some(seed), "{path}: `cargo xtask hostile --seeds` writes them");
        }
    }

    #[test]
    fn most_seeds_are_what_they_should_be() {
        use mod_abi::{FunctionDesc, Identity, codec::decode, describe::ModDescription};
        assert!(super::of("functions").iter().all(|seed| FunctionDesc::parse_section(seed).is_ok()));
        assert!(super::of("identity")[..2].iter().all(|seed| Identity::parse(seed).is_ok()));
        assert!(decode::<ModDescription>(&super::of("describe")[0]).is_ok());
        for line in super::of("settings").iter().flat_map(|seed| seed.split(|byte| *byte == b'\n')) {
            let line = str::from_utf8(line).expect("a text");
            assert!(line.is_empty() || line.parse::<mod_abi::SettingDesc>().is_ok(), "{line}");
        }
    }
}
