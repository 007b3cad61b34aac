//! What a mod hands over to its next version.

use mod_abi::{Schema, codec, state::SavedState};

use crate::harness::{assert_contains, load};

/// A mod that saves what stands at address 1024, and keeps there what it is given.
fn keeper(saved: &[SavedState]) -> String {
    let bytes = codec::encode(saved).unwrap();
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!(
        r#"(data (i32.const 1024) "{escaped}")
        (global $kept (mut i32) (i32.const {len}))
        (func (export "__mod_save") (param i64) (result i64) (local $at i32)
            (local.set $at (call $alloc (global.get $kept)))
            (memory.copy (local.get $at) (i32.const 1024) (global.get $kept))
            (call $buf (local.get $at) (global.get $kept)))
        (func (export "__mod_restore") (param $b i64) (result i64)
            (memory.copy (i32.const 1024) (call $ptr (local.get $b)) (call $len (local.get $b)))
            (global.set $kept (call $len (local.get $b)))
            (call $free (local.get $b))
            (i64.const 0))"#,
        len = bytes.len()
    )
}

fn count(value: u32) -> SavedState {
    SavedState { name: "Count".to_owned(), schema: Schema::parse("u32").unwrap(), bytes: value.to_le_bytes().to_vec() }
}

#[test]
fn values_go_out_and_in() {
    let mut old = load("", &keeper(&[count(7)]));
    assert_eq!(old.save().unwrap(), [count(7)]);
    let mut new = load("", &keeper(&[count(0)]));
    new.restore(&[count(9)]).unwrap();
    assert_eq!(new.save().unwrap(), [count(9)]);
}

#[test]
fn a_mod_that_keeps_nothing_says_so() {
    let mut plain = load("", "");
    assert_eq!(plain.save().unwrap(), []);
    plain.restore(&[count(1)]).unwrap();
}

#[test]
fn faults_on_the_way_are_errors() {
    let save =
        |body: &str| load("", &format!(r#"(func (export "__mod_save") (param i64) (result i64) {body})"#)).save();
    assert_contains(&save("unreachable").unwrap_err().to_string(), "`__mod_save`");
    assert_contains(&save("(loop $a (br $a)) unreachable").unwrap_err().to_string(), "longer than 1s");
    assert_contains(&save("(i64.const 0x100000000003)").unwrap_err().to_string(), "decoded");
    let many: Vec<_> = (0..1025).map(count).collect();
    let mut many = load("", &keeper(&many));
    assert_contains(&many.save().unwrap_err().to_string(), "more than 1024");
    let mut bad = load("", r#"(func (export "__mod_restore") (param i64) (result i64) unreachable)"#);
    assert_contains(&bad.restore(&[]).unwrap_err().to_string(), "`__mod_restore`");
    assert!(bad.is_poisoned());
}
