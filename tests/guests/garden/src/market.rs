//! What other mods may call.

use mod_sdk::prelude::*;

#[derive(Reflect, Serialize, Deserialize)]
#[serde(crate = "mod_sdk::serde")]
struct Offer {
    fruit: String,
    kilos: u32,
    ripe: Option<bool>,
}

/// Half of everything, or nothing.
#[export]
fn trade(offers: Vec<Offer>, generous: bool) -> Vec<Offer> {
    let halve = |offer: Offer| Offer { kilos: offer.kilos / 2, ripe: Some(generous), ..offer };
    offers.into_iter().filter(|_| generous).map(halve).collect()
}

#[export]
fn close() {}

#[export]
fn rot(kilos: u32) -> u32 {
    panic!("{kilos} kilos have gone bad")
}
