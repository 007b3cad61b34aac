//! The same functions in each codec: the crates `speaks_*` differ in what their Cargo.toml states.
#![cfg_attr(feature = "nano", expect(clippy::question_mark, reason = "the derive of nanoserde writes such code"))]

use std::cell::Cell;

use mod_sdk::prelude::*;

#[mod_main]
fn main(_: &mut App) {}

#[derive(Reflect, Debug, Clone, PartialEq)]
#[cfg_attr(feature = "nano", derive(SerJson, DeJson))]
#[cfg_attr(not(feature = "nano"), derive(Serialize, Deserialize), serde(crate = "mod_sdk::serde"))]
struct Order {
    item: String,
    price: f32,
    note: Option<String>,
    wrap: Wrap,
    after: Vec<Wrap>,
}

#[derive(Reflect, Debug, Clone, PartialEq)]
#[cfg_attr(feature = "nano", derive(SerJson, DeJson))]
#[cfg_attr(not(feature = "nano"), derive(Serialize, Deserialize), serde(crate = "mod_sdk::serde"))]
enum Wrap {
    Plain,
    Paper(String),
    Both(u8, u8),
    Box { lid: bool, ribbon: Option<u8> },
}

/// Something of the game's.
enum Door {}

#[export]
fn double(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|x| x * 2.0).collect()
}

#[export]
fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

#[export]
fn none() {}

#[export]
fn twelve(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8) -> u32 {
    [a, b, c, d, e, f, g, h, i, j, k, l].map(u32::from).into_iter().sum()
}

#[export]
fn echo_order(order: Order) -> Order {
    order
}

/// A mod that returns what it gets.
mod echo {
    use mod_sdk::prelude::*;

    #[import(mod = "echo")]
    pub fn order(order: super::Order) -> Result<super::Order, ModCallError>;

    #[import(mod = "echo")]
    pub fn both(text: String, number: u32) -> Result<(String, u32), ModCallError>;

    #[import(mod = "echo")]
    pub fn nothing() -> Result<(), ModCallError>;

    #[import(mod = "echo")]
    pub fn number(text: String) -> Result<u32, ModCallError>;
}

#[export]
fn relay(order: Order) -> Option<Order> {
    echo::order(order).ok()
}

#[export]
fn relay_others() -> String {
    format!("{:?} {:?} {:?}", echo::both("a".to_owned(), 7), echo::nothing(), echo::number("a".to_owned()))
}

#[export]
fn maybe(x: Option<u32>) -> Option<u32> {
    x.and_then(|x| x.checked_sub(1))
}

#[import]
fn shout(text: String) -> String;

#[export]
fn ask(text: String) -> String {
    shout(text)
}

#[import]
fn slow_square(x: u32) -> Ticket<u32>;

thread_local! {
    static SQUARE: Cell<Option<Ticket<u32>>> = const { Cell::new(None) };
}

#[export]
fn start(x: u32) {
    SQUARE.set(Some(slow_square(x)));
}

/// The square or what became of it, once it is there.
#[export]
fn poll() -> Option<String> {
    Some(match SQUARE.get()?.poll()? {
        Ok(square) => square.to_string(),
        Err(error) => error.to_string(),
    })
}

#[export]
fn cancel() {
    if let Some(square) = SQUARE.get() {
        square.cancel();
    }
}

#[import]
fn open_door(name: String) -> Opaque<Door>;

#[import]
fn door_name(door: Opaque<Door>) -> String;

#[export]
fn open(name: String) -> Opaque<Door> {
    open_door(name)
}

#[export]
fn knock(door: Opaque<Door>) -> String {
    door_name(door)
}
