//! The identity section.

use mod_abi::{Dependency, DependencyKind, GameRequirement, Identity, SettingDesc, SettingKind};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest},
};

#[test]
fn an_identity() {
    let identity = Identity {
        abi: 3,
        id: "minimal_c".to_owned(),
        version: "0.1.0".to_owned(),
        authors: vec!["Ada".to_owned(), "Grace".to_owned()],
        dependencies: vec![Dependency::new(DependencyKind::Required, "core", Some("^1"))],
        codec: "bincode".to_owned(),
        ..Identity::default()
    };
    let text =
        "abi: 3\nid: minimal_c\nversion: 0.1.0\ncodec: bincode\nauthor: Ada\nauthor: Grace\ndependency: core ^1\n";
    assert_eq!(identity.to_string(), text);
    assert_eq!(Identity::parse(text.as_bytes()), Ok(identity));
}

#[test]
fn an_identity_with_everything() {
    let text = "abi: 3\nid: orchard_pests\nversion: 0.2.0\ncodec: bincode\nname: Pests\n\
        description: Beetles that eat the apples.\nhomepage: https://example.org/pests\nauthor: Ada\n\
        game: orchard ^0.3\ndependency: bees ^1\noptional: weather >=0.2, <0.4\nincompatible: frost *\n\
        after: trees\nbefore: hud\nsetting: appetite float 1.5 0.0..10.0 How fast they eat\n\
        setting: pace choice slow slow|fast\n";
    let owned = str::to_owned;
    let identity = Identity {
        abi: 3,
        id: owned("orchard_pests"),
        version: owned("0.2.0"),
        name: Some(owned("Pests")),
        description: Some(owned("Beetles that eat the apples.")),
        homepage: Some(owned("https://example.org/pests")),
        authors: vec![owned("Ada")],
        game: Some(GameRequirement { id: owned("orchard"), api: Some(owned("^0.3")) }),
        dependencies: vec![
            Dependency::new(DependencyKind::Required, "bees", Some("^1")),
            Dependency::new(DependencyKind::Optional, "weather", Some(">=0.2, <0.4")),
            Dependency::new(DependencyKind::Incompatible, "frost", Some("*")),
        ],
        load_after: vec![owned("trees")],
        load_before: vec![owned("hud")],
        settings: vec![
            SettingDesc {
                name: owned("appetite"),
                kind: SettingKind::Float { default: 1.5, min: Some(0.0), max: Some(10.0) },
                description: owned("How fast they eat"),
            },
            SettingDesc {
                name: owned("pace"),
                kind: SettingKind::Choice { default: owned("slow"), choices: vec![owned("slow"), owned("fast")] },
                description: String::new(),
            },
        ],
        codec: owned("bincode"),
    };
    assert_eq!(identity.to_string(), text);
    assert_eq!(Identity::parse(text.as_bytes()), Ok(identity));
}

fn setting() -> impl Strategy<Value = SettingDesc> {
    let bounds = |value: f64, below: Option<f64>, above: Option<f64>| {
        let bound =
            |offset: Option<f64>, sign: f64| offset.map(|offset| value + sign * offset.abs()).filter(|b| b.is_finite());
        SettingKind::Float { default: value, min: bound(below, -1.0), max: bound(above, 1.0) }
    };
    let finite = || any::<f64>().prop_filter("finite", |value| value.is_finite());
    let word = "[a-zA-Z0-9_-]{1,8}";
    let kind = prop_oneof![
        any::<bool>().prop_map(|default| SettingKind::Bool { default }),
        (any::<i64>(), option::of(any::<u32>()), option::of(any::<u32>())).prop_map(|(default, below, above)| {
            let min = below.and_then(|below| default.checked_sub(below.into()));
            SettingKind::Int { default, min, max: above.and_then(|above| default.checked_add(above.into())) }
        }),
        (finite(), option::of(finite()), option::of(finite()))
            .prop_map(move |(value, below, above)| bounds(value, below, above)),
        "[ a-zA-Z0-9äß🦀|:.'-]{0,40}".prop_map(|default| SettingKind::Text { default }),
        proptest::collection::btree_set(word, 1..9).prop_flat_map(|choices| {
            let choices: Vec<_> = choices.into_iter().collect();
            (proptest::sample::select(choices.clone()), Just(choices))
                .prop_map(|(default, choices)| SettingKind::Choice { default, choices })
        }),
    ];
    let description = "([a-z\"|-][ a-z\"|.-]{0,30}[a-z.])?";
    (word, kind, description).prop_map(|(name, kind, description)| SettingDesc { name, kind, description })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_that_are_no_identity_are_an_error_and_no_panic(
        section in vec(any::<u8>(), 0..256),
        text in any::<String>(),
    ) {
        let _ = Identity::parse(&section);
        let _ = Identity::parse(text.as_bytes());
        let _ = Identity::parse(format!("abi: 1\nid: x\nversion: {text}").as_bytes());
        let _ = Identity::from_file_name(&text);
        let _ = text.parse::<SettingDesc>();
    }

    #[test]
    fn settings_that_nearly_are_some_are_an_error_and_no_panic(
        line in "[a-z.]{0,3} ?(bool|int|float|text|choice|x) [\"a-z0-9.+e-]{0,9}\"? [0-9a-z.|e-]{0,9}( .{0,9})?",
    ) {
        if let Ok(setting) = line.parse::<SettingDesc>() {
            prop_assert_eq!(setting.check(&setting.default_value()), Ok(()));
            prop_assert_eq!(setting.to_string().parse(), Ok(setting));
        }
    }

    #[test]
    fn settings_are_read_as_they_are_written(setting in setting()) {
        prop_assert_eq!(setting.to_string().parse(), Ok(setting));
    }
}
