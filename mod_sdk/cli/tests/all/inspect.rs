//! `inspect`: the committed mods, and files that nobody should trust.

use std::fs;

use mod_abi::describe::{
    ConditionDesc, ConditionTest, FilterDesc, OrderDesc, OrderTarget, ParamDesc, QueryDesc, TermDesc, TypeRole,
};
use serde_json::Value;

use crate::support::{Mod, repository, run, text};

#[test]
fn the_committed_mods_show_what_they_are() {
    let root = tempfile::tempdir().expect("a folder");
    let shown = |name: &str| {
        let file = repository("assets/mods").join(name);
        run(root.path(), &["inspect", text(&file)]).ok()
    };
    let wind = shown("orchard_wind.wasm");
    for part in [
        "orchard_wind 0.1.0\n",
        "by The orchard's keepers\n",
        "for orchard ^0.1\n",
        "ABI 3, codec bincode\n",
        "  strength (float, 1 by default, at least 0, at most 5): How hard the wind blows\n",
        "  double([f64])->[f64]\n",
        "  blow in Update\n    Query<(&mut bevy_transform::components::transform::Transform, &hello_mods::Velocity)> where With<hello_mods::Bee>\n",
        "reads bevy_time::time::Time<()>, hello_mods::Velocity",
        "KiB  code\n",
    ] {
        assert!(wind.contains(part), "no {part:?} in {wind}");
    }
    assert!(shown("orchard_market.wasm").contains("codec json"));
    assert!(shown("orchard_dance.wasm").contains("after orchard_wind::blow"));
    let file = repository("assets/mods/orchard_news.wasm");
    let json: Value = serde_json::from_str(&run(root.path(), &["inspect", text(&file), "--json"]).ok()).expect("JSON");
    assert_eq!(
        (&json["imports"][0]["name"], &json["imports"][0]["signature"]),
        (&"announce".into(), &"(str)->u32".into())
    );
    assert_eq!(
        (&json["load_after"][0], &json["systems"][0]["access"]["world"]),
        (&"orchard_wind".into(), &true.into())
    );
}

#[test]
fn all_that_a_mod_describes_is_shown() {
    let root = tempfile::tempdir().expect("a folder");
    let mut one = Mod::new("odd").states("dependency: bees ^1");
    let tree = one.ty("a::Tree", "{height:f32}", TypeRole::Mirror);
    let query = QueryDesc {
        terms: vec![TermDesc::Entity, TermDesc::WriteOptional(tree)],
        filters: vec![FilterDesc::Or(2), FilterDesc::Added(tree), FilterDesc::Without(9)],
    };
    let one = one.system("grow", vec![ParamDesc::Query(query), ParamDesc::Commands], |system| {
        system.order = vec![OrderDesc::Before(OrderTarget::Set("growth".to_owned()))];
        system.conditions = vec![ConditionDesc { not: true, test: ConditionTest::InState("a::Hour::Dusk".to_owned()) }];
    });
    let shown = run(root.path(), &["inspect", text(&one.write(root.path()))]).ok();
    for part in [
        "bees ^1 (required)",
        "Query<(Entity, Option<&mut a::Tree>)> where any of the next 2: Added<a::Tree> Without<type number 9, which it does not state>",
        "writes a::Tree; leaves commands",
        "if not(in_state(a::Hour::Dusk))",
        "before the set growth",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
}

#[test]
fn no_byte_of_a_mod_reaches_the_terminal_unseen() {
    let root = tempfile::tempdir().expect("a folder");
    let mut one = Mod::new("odd").states("description: \\1b[2Jred\\e2\\80\\ae");
    one.ty("a::\u{1b}]0;title\u{7}", "{height:f32}", TypeRole::Mirror);
    let one = one.system("\u{1b}[31mred\r", Vec::new(), |system| system.schedule = "Up\u{9b}date".to_owned());
    let file = one.write(root.path());
    for args in [vec!["inspect", text(&file)], vec!["inspect", "--json", text(&file)]] {
        let shown = run(root.path(), &args).ok();
        let unseen = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(unseen), "{shown:?}");
    }
}

#[test]
fn what_is_no_mod_says_so() {
    let root = tempfile::tempdir().expect("a folder");
    let check = |bytes: &[u8], part: &str| {
        let file = root.path().join("a.wasm");
        fs::write(&file, bytes).expect("a file");
        run(root.path(), &["inspect", "a.wasm"]).fails(&["error: ", part]);
    };
    check(b"honey", "this is not a WebAssembly file");
    check(b"", "this is not a WebAssembly file");
    check(b"\0asm\x0d\0\x01\0", "this is a WebAssembly component");
    check(&Mod::new("odd").build()[..60], "was it written completely");
    check(&wat::parse_str("(module)").expect("a module"), "it exports no memory");
    run(root.path(), &["inspect", "nowhere.wasm"]).fails(&["nowhere.wasm cannot be read"]);
    run(root.path(), &["inspect", "."]).fails(&["it is a folder"]);
}

#[test]
fn a_mod_that_does_not_come_back_is_stopped_and_shown_as_far_as_it_is_known() {
    let root = tempfile::tempdir().expect("a folder");
    let module = r#"(module (@custom "bevy_mod" "abi: 3\nid: loop\nversion: 0.1.0\ncodec: bincode\n")
        (memory (export "memory") 1)
        (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 0))
        (func (export "__free_buffer") (param i64))
        (func (export "__mod_describe") (param i64) (result i64) (loop (br 0)) (i64.const 0)))"#;
    fs::write(root.path().join("loop.wasm"), wat::parse_str(module).expect("a module")).expect("a file");
    let ran = run(root.path(), &["inspect", "loop.wasm"]);
    assert!(ran.out.contains("loop 0.1.0") && ran.out.contains("its systems are not known"), "{ran:?}");
    ran.fails(&["the mod cannot be asked what it wants", "longer than"]);
}
