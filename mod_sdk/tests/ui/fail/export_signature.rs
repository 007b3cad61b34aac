#![allow(unused_variables, dead_code)]

use mod_sdk::prelude::*;

#[export]
async fn waits() {}

#[export]
unsafe fn trusts(x: u32) -> u32 {
    x
}

#[export]
extern "C" fn foreign() {}

#[export]
fn generic<'a, T: Clone>(x: T) -> T {
    x
}

#[export(name = "other")]
fn renamed() {}

#[export]
fn without_a_body();

#[export]
fn thirteen(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8) {}

fn main() {}
