use mod_sdk::prelude::*;

#[import]
fn with_a_body() -> u32 {
    3
}

#[import]
const fn constant() -> u32;

#[import]
async unsafe fn waits();

#[import]
fn pattern((a, b): (u32, u32), ref c: u32);

#[import]
fn borrowed(text: &str) -> &'static str;

#[import]
fn generic<const N: usize>() -> [u8; N];

#[import(from = "game")]
fn renamed();

fn main() {}
