//! Functions in both directions, and every way to misbehave.

use std::collections::HashMap;

use mod_sdk::prelude::*;

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(crate = "mod_sdk::serde")]
struct Offer {
    item: String,
    price: u32,
    tags: Vec<String>,
    discount: Option<f32>,
    kind: Kind,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(crate = "mod_sdk::serde")]
enum Kind {
    Honey,
    Wax { grams: u16 },
}

#[export]
fn none() -> u32 {
    42
}

#[export]
fn one(x: f64) -> f64 {
    x * 2.0
}

#[export]
fn two(text: String, times: u32) -> String {
    text.repeat(times as usize)
}

#[export]
fn twelve(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: bool, l: char) -> String {
    format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l}")
}

#[export]
fn nothing() {}

/// Half the price, and what was wax is honey.
#[export]
fn haggle(offer: Offer) -> Offer {
    let kind = match offer.kind {
        Kind::Honey => Kind::Wax { grams: 5 },
        Kind::Wax { .. } => Kind::Honey,
    };
    Offer { price: offer.price / 2, discount: Some(0.5), kind, ..offer }
}

#[export]
fn echo(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

/// How often each letter stands in the text, sorted.
#[export]
fn letters(text: String) -> Vec<(char, u32)> {
    let mut counts = HashMap::new();
    text.chars().for_each(|letter| *counts.entry(letter).or_insert(0) += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    counts
}

#[export]
fn panics() -> u32 {
    panic!("the kitchen is on fire")
}

#[export]
fn panics_with(text: String) {
    panic!("{text}");
}

#[export]
fn overflows_the_stack(depth: u64) -> u64 {
    let kept = std::hint::black_box([depth; 64]);
    let deeper = if kept[0] == u64::MAX { 0 } else { overflows_the_stack(depth + 1) };
    deeper + std::hint::black_box(&kept)[1]
}

#[export]
fn loops() {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

#[export]
fn allocates() -> usize {
    let mut all = Vec::new();
    loop {
        all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

#[export]
fn logs() {
    error!("an error");
    warn!("a warning");
    info!("an {}", "information");
    debug!("a detail");
    trace!("a trace");
}

#[export]
fn prints() {
    println!("to standard output");
    eprintln!("to standard error");
}

/// The nanoseconds between two looks at the clock. Only WASI has one.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#[export]
fn clock() -> u64 {
    let start = std::time::Instant::now();
    start.elapsed().as_nanos() as u64
}

#[import]
fn mix(name: String, amount: u32, fresh: bool) -> String;

#[import]
fn ping();

/// What the game makes of three arguments.
#[export]
fn asks_the_game(name: String, amount: u32) -> String {
    ping();
    mix(name, amount, true)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Offer, haggle, letters, twelve};

    #[test]
    fn exports_are_ordinary_functions() {
        let offer = Offer {
            item: "comb".to_owned(),
            price: 9,
            tags: vec!["sweet".to_owned()],
            discount: None,
            kind: Kind::Wax { grams: 3 },
        };
        let expected = Offer { price: 4, discount: Some(0.5), kind: Kind::Honey, ..offer.clone() };
        assert_eq!(haggle(offer), expected);
        assert_eq!(letters("honey, honey".to_owned())[3], ('h', 2));
        assert_eq!(twelve(1, 2, 3, 4, -1, -2, -3, -4, 0.5, 1.5, true, 'z'), "1 2 3 4 -1 -2 -3 -4 0.5 1.5 true z");
    }
}
