//! Values that stay in the host: handles that a mod passes back, and handles that it makes up.

use mod_abi::OpaqueId;
use mod_host::{Caller, MAX_OPAQUE, Opaque, OpaqueError, Refusal, WasmPlugin};
use proptest::prelude::*;

use crate::harness::{assert_contains, codecs, plugin, speaking, through};

#[derive(Debug, PartialEq)]
struct Door(String);

struct Key;

/// A plugin that opens doors. `passed` is the section that states its codec.
fn house(sections: &str) -> WasmPlugin<Vec<String>> {
    let (imports, exports) = through(&["open", "name", "close", "key"]);
    plugin(&imports, &[&exports, sections].concat())
        .with_context(Vec::new())
        .import_function_with_caller("open", |caller: &mut Caller<'_, Vec<String>>, name: String| {
            let (opened, values) = caller.parts();
            opened.push(name.clone());
            Ok::<_, Refusal>(values.insert(Door(name))?)
        })
        .import_function_with_caller("name", |caller: &mut Caller<'_, Vec<String>>, door: Opaque<Door>| {
            Ok::<_, Refusal>(caller.opaque().get(door)?.0.clone())
        })
        .import_function_with_caller("close", |caller: &mut Caller<'_, Vec<String>>, door: Opaque<Door>| {
            Ok::<_, Refusal>(caller.opaque().remove(door)?.0)
        })
        .import_function_with_caller("key", |caller: &mut Caller<'_, Vec<String>>| caller.opaque().insert(Key).unwrap())
        .finish()
        .unwrap()
}

fn refusal<R: mod_host::Decode + std::fmt::Debug>(
    house: &mut WasmPlugin<Vec<String>>,
    function: &str,
    handle: OpaqueId,
) -> String {
    let error = house.call_function_with_argument::<_, R>(function, &handle).unwrap_err().to_string();
    house.restart().unwrap();
    error
}

#[test]
fn handles_go_out_and_come_back_in_every_codec() {
    for codec in codecs() {
        let mut house = house(&speaking(codec));
        let oak: OpaqueId = house.call_function_with_argument("through_open", "oak").unwrap();
        let ash: Opaque<Door> = house.call_function_with_argument("through_open", "ash").unwrap();
        let name: String = house.call_function_with_argument("through_name", &oak).unwrap();
        assert_eq!(name, "oak");
        // The program itself uses them too.
        house.opaque().get_mut(ash).unwrap().0.push_str(" tree");
        let name: String = house.call_function_with_argument("through_close", &ash).unwrap();
        assert_eq!(name, "ash tree");
        assert_eq!((house.opaque().len(), house.context().len()), (1, 2));
    }
}

#[test]
fn handles_that_cannot_be_used_are_refused() {
    let mut house = house("");
    let open =
        |house: &mut WasmPlugin<_>| -> OpaqueId { house.call_function_with_argument("through_open", "oak").unwrap() };
    let old = open(&mut house);
    let _: String = house.call_function_with_argument("through_close", &old).unwrap();
    assert_eq!(
        refusal::<String>(&mut house, "through_name", old),
        "`through_name` called `name`, which failed: the Door that the handle names is gone"
    );
    // Of before the restart, and of another plugin.
    let foreign =
        "`through_close` called `close`, which failed: the handle was not given to this mod since it was loaded";
    assert_eq!(refusal::<String>(&mut house, "through_close", old), foreign);
    let other = open(&mut self::house(""));
    assert_eq!(refusal::<String>(&mut house, "through_close", other), foreign);
    // Of another type.
    let key: OpaqueId = house.call_function("through_key").unwrap();
    assert_contains(&refusal::<String>(&mut house, "through_name", key), "the handle is not that of a Door");
}

#[test]
fn values_go_with_the_instance() {
    struct Counted(std::sync::Arc<()>);
    let counter = std::sync::Arc::new(());
    let mut house = house("");
    for _ in 0..3 {
        house.opaque().insert(Counted(counter.clone())).unwrap();
    }
    assert_eq!(std::sync::Arc::strong_count(&counter), 4);
    house.restart().unwrap();
    assert_eq!(std::sync::Arc::strong_count(&counter), 1);
    let counted = house.opaque().insert(Counted(counter.clone())).unwrap();
    assert_eq!(std::sync::Arc::strong_count(&house.opaque().get(counted).unwrap().0), 2);
}

#[test]
fn a_mod_holds_a_limited_number_of_values() {
    let mut house = house("");
    for _ in 0..MAX_OPAQUE {
        house.opaque().insert(Key).unwrap();
    }
    assert_eq!(house.opaque().insert(Key), Err(OpaqueError::Full));
    let error = house.call_function_with_argument::<_, OpaqueId>("through_open", "oak").unwrap_err().to_string();
    assert_contains(&error, "the mod holds 65536 values of the host, which is the most that it may");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn forged_handles_are_refused(numbers: [u32; 4], real in 0_u8..16) {
        let mut house = house("");
        let door: OpaqueId = house.call_function_with_argument("through_open", "oak").unwrap();
        let real = |place: u8, from: u32, forged: u32| if real & (1 << place) == 0 { forged } else { from };
        let [table, kind, index, generation] = numbers;
        let forged = OpaqueId {
            table: real(0, door.table, table),
            kind: real(1, door.kind, kind),
            index: real(2, door.index, index),
            generation: real(3, door.generation, generation),
        };
        let outcome = house.call_function_with_argument::<_, String>("through_name", &forged);
        prop_assert_eq!(outcome.is_ok(), forged == door);
    }
}
