//! Attributes of functions on what is none.

use mod_sdk::prelude::*;

#[export]
struct Bee;

#[import]
static HONEY: u32;

#[mod_main]
mod inner {}

#[export]
const fn honey() -> u32 {
    3
}

#[export]
const LIMIT: u32 = 3;

#[import]
unsafe extern "C" fn many(first: u32, _: ...);

fn main() {}
