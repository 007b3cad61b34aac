//! The description and on-demand requests.

use std::time::Duration;

use mod_abi::{
    Leaf, Schema,
    codec::{decode, encode},
    describe::{
        ConditionDesc, ConditionTest, Definition, DefinitionKind, EventDesc, FilterDesc, InitialResource,
        ModDescription, ObserverDesc, OrderDesc, OrderTarget, ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc,
        TypeDesc, TypeRole, WorldRequest, WorldTarget,
    },
};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any, proptest},
    sample::Index,
};

use crate::{check, named};

fn ty(path: &str, schema: Schema, role: TypeRole) -> TypeDesc {
    TypeDesc { path: path.to_owned(), schema, role }
}

fn health() -> TypeDesc {
    ty("Health", named([("value", Leaf::F32)]), TypeRole::Mirror)
}

/// A type of the mod's own, whose default is 5.
fn defined(name: &str, kind: DefinitionKind) -> TypeDesc {
    let default = Some(vec![5]);
    ty(&format!("pests::{name}"), Schema::Leaf(Leaf::U8), TypeRole::Definition(Definition { kind, default }))
}

/// A description with one of everything. Its bytes stand in `docs/abi.md`, too.
fn description() -> ModDescription {
    let none = TypeRole::Definition(Definition { kind: DefinitionKind::SparseComponent, default: None });
    let system = |name: &str, schedule: &str| SystemDesc {
        name: name.to_owned(),
        schedule: schedule.to_owned(),
        ..SystemDesc::default()
    };
    let event = |name: &str, event| ObserverDesc { name: name.to_owned(), event, params: vec![] };
    let condition = |not, test| ConditionDesc { not, test };
    ModDescription {
        types: vec![
            health(),
            ty("game::Body", named([("mass", Leaf::F32)]), TypeRole::Part),
            defined("C", DefinitionKind::Component),
            ty("pests::Mark", named([]), none),
            defined("R", DefinitionKind::Resource),
            defined("M", DefinitionKind::Message),
            defined("E", DefinitionKind::Event),
            defined("S", DefinitionKind::Settings),
        ],
        systems: vec![
            SystemDesc {
                params: vec![
                    ParamDesc::Query(QueryDesc {
                        terms: vec![
                            TermDesc::Entity,
                            TermDesc::Read(1),
                            TermDesc::Write(0),
                            TermDesc::ReadOptional(2),
                            TermDesc::WriteOptional(2),
                            TermDesc::Has(3),
                        ],
                        filters: vec![
                            FilterDesc::With(0),
                            FilterDesc::Or(2),
                            FilterDesc::Without(3),
                            FilterDesc::And(2),
                            FilterDesc::Added(0),
                            FilterDesc::Changed(1),
                        ],
                    }),
                    ParamDesc::Resource(ResourceDesc { ty: 4, write: true }),
                    ParamDesc::World,
                    ParamDesc::OptionalResource(ResourceDesc { ty: 4, write: false }),
                    ParamDesc::Commands,
                    ParamDesc::MessageReader(5),
                    ParamDesc::MessageWriter(5),
                ],
                ..system("heal", "Update")
            },
            SystemDesc {
                order: vec![
                    OrderDesc::After(OrderTarget::System(0)),
                    OrderDesc::Before(OrderTarget::Named("bees::fly".to_owned())),
                    OrderDesc::After(OrderTarget::Set("Physics".to_owned())),
                ],
                conditions: vec![
                    condition(false, ConditionTest::InState("game::Season::Winter".to_owned())),
                    condition(true, ConditionTest::ResourceExists(4)),
                    condition(false, ConditionTest::OnTimer(Duration::from_millis(1500))),
                ],
                ..system("b", "Update")
            },
            system("c", "OnEnter(game::Season::Winter)"),
        ],
        observers: vec![
            ObserverDesc { params: vec![ParamDesc::Event], ..event("on_e", EventDesc::Event(6)) },
            event("on_add", EventDesc::Add(0)),
            event("on_insert", EventDesc::Insert(0)),
            event("on_discard", EventDesc::Discard(0)),
            event("on_remove", EventDesc::Remove(0)),
            event("on_despawn", EventDesc::Despawn(0)),
        ],
        resources: vec![InitialResource { ty: 4, value: vec![9] }],
    }
}

#[test]
fn a_description_with_one_of_everything() {
    check(
        &description(),
        "u64:8
            u64:6 'Health' u64:11 '{value:f32}' u32:0
            u64:10 'game::Body' u64:10 '{mass:f32}' u32:1
            u64:8 'pests::C' u64:2 'u8' u32:2 u32:0 01 u64:1 05
            u64:11 'pests::Mark' u64:2 '{}' u32:2 u32:1 00
            u64:8 'pests::R' u64:2 'u8' u32:2 u32:2 01 u64:1 05
            u64:8 'pests::M' u64:2 'u8' u32:2 u32:3 01 u64:1 05
            u64:8 'pests::E' u64:2 'u8' u32:2 u32:4 01 u64:1 05
            u64:8 'pests::S' u64:2 'u8' u32:2 u32:5 01 u64:1 05
        u64:3
            u64:4 'heal' u64:6 'Update'
                u64:7
                    u32:0
                        u64:6  u32:0  u32:1 u32:1  u32:2 u32:0  u32:3 u32:2  u32:4 u32:2  u32:5 u32:3
                        u64:6  u32:0 u32:0  u32:4 u32:2  u32:1 u32:3  u32:5 u32:2  u32:2 u32:0  u32:3 u32:1
                    u32:1  u32:4 01
                    u32:2
                    u32:3  u32:4 00
                    u32:4
                    u32:5  u32:5
                    u32:6  u32:5
                u64:0
                u64:0
            u64:1 'b' u64:6 'Update'
                u64:0
                u64:3
                    u32:0  u32:0 u32:0
                    u32:1  u32:1 u64:9 'bees::fly'
                    u32:0  u32:2 u64:7 'Physics'
                u64:3
                    00  u32:0 u64:20 'game::Season::Winter'
                    01  u32:1 u32:4
                    00  u32:2 u64:1 u32:500000000
            u64:1 'c' u64:29 'OnEnter(game::Season::Winter)' u64:0 u64:0 u64:0
        u64:6
            u64:4 'on_e'        u32:0 u32:6  u64:1 u32:7
            u64:6 'on_add'      u32:1 u32:0  u64:0
            u64:9 'on_insert'   u32:2 u32:0  u64:0
            u64:10 'on_discard' u32:3 u32:0  u64:0
            u64:9 'on_remove'   u32:4 u32:0  u64:0
            u64:10 'on_despawn' u32:5 u32:0  u64:0
        u64:1 u32:4 u64:1 09",
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
        ..SystemDesc::default()
    };
    let description = ModDescription { types: vec![health()], systems: vec![system], ..ModDescription::default() };
    check(
        &description,
        "u64:1
            u64:6 'Health' u64:11 '{value:f32}' u32:0
        u64:1
            u64:4 'heal' u64:6 'Update'
                u64:1
                    u32:0
                        u64:1  u32:2 u32:0
                        u64:0
                u64:0
                u64:0
        u64:0
        u64:0",
    );
}

#[test]
fn types_that_are_asked_for_during_a_call() {
    // The argument of `type_index`, whose result is a bare `u32`.
    check(&health(), "u64:6 'Health' u64:11 '{value:f32}' u32:0");
    check(&3_u32, "u32:3");
}

#[test]
fn world_requests() {
    let types = vec![health()];
    let query = QueryDesc { terms: vec![TermDesc::Entity, TermDesc::Read(0)], filters: vec![FilterDesc::With(0)] };
    check(
        &WorldRequest { types: types.clone(), target: WorldTarget::Query(query) },
        "u64:1 u64:6 'Health' u64:11 '{value:f32}' u32:0  u32:0  u64:2 u32:0 u32:1 u32:0  u64:1 u32:0 u32:0",
    );
    check(
        &WorldRequest { types, target: WorldTarget::Resource(0) },
        "u64:1 u64:6 'Health' u64:11 '{value:f32}' u32:0  u32:1 u32:0",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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
}
