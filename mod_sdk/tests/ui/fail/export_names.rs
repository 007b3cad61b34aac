#![allow(unused_variables, dead_code)]

use mod_sdk::prelude::*;

#[export]
fn main_void() {}

#[export]
fn r#alloc_buffer() {}

#[export]
fn __hidden() {}

#[import]
fn log();

fn main() {}
