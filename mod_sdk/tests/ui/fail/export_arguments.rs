#![allow(unused_variables, dead_code)]

use mod_sdk::prelude::*;

#[export]
fn borrowed(text: &str, list: Vec<&u8>) {}

#[export]
fn opaque(numbers: impl Iterator<Item = u32>) {}

#[export]
async fn all_at_once<T>(text: &str, more: impl Clone) {}


struct Bee;

impl Bee {
    #[export]
    fn method(&self) {}
}

fn main() {}
