//! The mods of this benchmark. They are written in the text format, so that there can be five hundred of them, each with the systems
//! and queries that a place on an axis asks for.

use mod_abi::{
    codec,
    command::Command,
    describe::{ConditionTest, FilterDesc, ParamDesc},
};

use crate::{
    game::Module,
    support::{HEAL, Mod, filtered, query, value},
};

const VALUE: (&str, &str) = ("scale::game::Value", "{value:f32}");

fn value_of(guest: &mut Mod) -> u32 {
    guest.ty(VALUE.0, VALUE.1)
}

/// A mod with one system, which adds one to every `Value` that there is.
pub(crate) fn active(id: &str) -> Module {
    let mut guest = Mod::new(id);
    let value = value_of(&mut guest);
    let guest = guest.system("work", "Update", vec![query(&[], &[value])]).run(HEAL);
    (id.to_owned(), guest.build())
}

/// A mod that has nothing to do in a frame.
pub(crate) fn idle(id: &str) -> Module {
    (id.to_owned(), Mod::new(id).build())
}

/// A mod with a system whose condition never holds.
pub(crate) fn waiting(id: &str) -> Module {
    let mut guest = Mod::new(id);
    let value = value_of(&mut guest);
    let never = guest.ty("scale::game::Never", "{value:f32}");
    let guest = guest
        .system("wait", "Update", vec![query(&[], &[value])])
        .condition(ConditionTest::ResourceExists(never))
        .run(HEAL);
    (id.to_owned(), guest.build())
}

/// A mod that adds one to each `Value` beside which there is a component at that path.
pub(crate) fn with(id: &str, marker: &str) -> Module {
    let mut guest = Mod::new(id);
    let value = value_of(&mut guest);
    let marker = guest.ty(marker, "{}");
    let params = vec![filtered(&[], &[value], &[FilterDesc::With(marker)])];
    (id.to_owned(), guest.system("work", "Update", params).run(HEAL).build())
}

/// A mod that adds one to all values of a component of one number.
pub(crate) fn worker(id: &str, path: &str, shared: Option<&str>) -> Module {
    let mut guest = Mod::new(id);
    let own = guest.ty(path, VALUE.1);
    let mut params = vec![query(&[], &[own])];
    if let Some(shared) = shared {
        let shared = guest.ty(shared, VALUE.1);
        params.push(query(&[], &[shared]));
    }
    (id.to_owned(), guest.system("work", "Update", params).run(HEAL).build())
}

/// A mod with so many systems of so many queries each. Every query reads all values.
pub(crate) fn queries(id: &str, systems: usize, queries: usize) -> Module {
    let mut guest = Mod::new(id);
    let value = value_of(&mut guest);
    for number in 0..systems {
        guest = guest.system(&format!("read_{number:03}"), "Update", vec![query(&[value], &[]); queries]);
    }
    (id.to_owned(), guest.build())
}

/// A mod that spawns so many entities with a `Value` each.
pub(crate) fn spawner(id: &str, count: usize) -> Module {
    const OUTBOX: usize = 0x30000;
    let mut guest = Mod::new(id);
    let ty = value_of(&mut guest);
    let zero = 0.0_f32.to_le_bytes();
    let spawn = Command::Spawn { entity: u64::MAX, components: vec![value(ty, &zero)] };
    let bytes = codec::encode(&spawn).expect("a command");
    let place = bytes.windows(8).position(|window| window == u64::MAX.to_le_bytes()).expect("it has an id");
    let escaped: String = bytes.repeat(count).iter().map(|byte| format!("\\{byte:02x}")).collect();
    let pages = (OUTBOX + escaped.len() / 3).div_ceil(1 << 16);
    let guest = guest.system("spawn", "Update", vec![ParamDesc::Commands]).run(&format!(
        "(block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (i32.const {count})))
            (i64.store align=1
                (i32.add (i32.const {start}) (i32.mul (local.get $i) (i32.const {len})))
                (call $reserve))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))
        (return (i64.const {buffer}))",
        start = OUTBOX + place,
        len = bytes.len(),
        buffer = ((OUTBOX as u64) << 32) | (bytes.len() * count) as u64,
    ));
    // The bytes stand above the pages that every guest has, and what it allocates comes behind them.
    let grow = format!(
        "(func $begin (drop (memory.grow (i32.const {pages})))
            (global.set $top (i32.const {top}))
            (memory.init $commands (i32.const {OUTBOX}) (i32.const 0) (i32.const {len})))
        (start $begin)
        (data $commands \"{escaped}\")",
        top = (OUTBOX + bytes.len() * count).next_multiple_of(16),
        len = bytes.len() * count,
    );
    (id.to_owned(), guest.fields(&grow).build())
}
