//! Calls of the mod `garden`.

use mod_sdk::prelude::*;

use crate::Report;

#[derive(Reflect, Serialize, Deserialize)]
#[serde(crate = "mod_sdk::serde")]
struct Offer {
    fruit: String,
    kilos: u32,
    ripe: Option<bool>,
}

#[import(mod = "garden")]
fn trade(offers: Vec<Offer>, generous: bool) -> Result<Vec<Offer>, ModCallError>;

#[import(mod = "garden")]
fn close() -> Result<(), ModCallError>;

#[import(mod = "garden")]
fn rot(kilos: u32) -> Result<u32, ModCallError>;

/// A mod that is not there.
mod orchid {
    use mod_sdk::prelude::*;

    // The same name as a function of `garden`.
    #[import(mod = "orchid")]
    pub fn close() -> Result<(), ModCallError>;
}

pub fn add(app: &mut App) {
    app.add_systems(Update, barter);
}

fn offers(kilos: u32) -> Vec<Offer> {
    ["apples", "pears"].map(|fruit| Offer { fruit: fruit.to_owned(), kilos, ripe: None }).into()
}

/// In a system.
fn barter(mut report: ResMut<Report>) {
    let line = match trade(offers(9), true) {
        Ok(offers) => {
            let offers = offers.iter().map(|offer| format!("{} {} {:?}", offer.kilos, offer.fruit, offer.ripe));
            offers.collect::<Vec<_>>().join(", ")
        }
        Err(error) => error.to_string(),
    };
    report.lines.push(format!("trade: {line}"));
    report.lines.push(format!("closed: {:?} {:?}", close(), orchid::close().is_err()));
}

/// When the game asks for it.
#[export]
fn haggle(kilos: u32) -> usize {
    trade(offers(kilos), false).map_or(usize::MAX, |offers| offers.len())
}

/// The mod that is called fails, and this one goes on.
#[export]
fn ruin() -> Vec<String> {
    let failed = [rot(3), rot(4)].map(|result| match result {
        Ok(kilos) => kilos.to_string(),
        Err(ModCallError::Failed { reason }) => format!("failed: {reason}"),
        Err(ModCallError::NotRunning { reason }) => format!("gone: {reason}"),
        Err(other) => format!("{other:?}"),
    });
    failed.into()
}
