use mod_sdk::prelude::*;

#[import(mod = "bees")]
fn undeclared(amount: u32) -> Result<u32, ModCallError>;

#[import(mod = "bees")]
fn plain(amount: u32) -> u32;

#[import(mod = "bees")]
fn nothing();

#[import(mod = "bees")]
fn other_error() -> Result<u32, String>;

#[import(mod = "bees", mod = "wasps")]
fn twice() -> Result<u32, ModCallError>;

#[import(mod = bees)]
fn no_text() -> Result<u32, ModCallError>;

#[import("bees")]
fn bare() -> Result<u32, ModCallError>;

fn main() {}
