//! Assets that are not the mod's own.

use mod_sdk::prelude::*;

fn main() {
    let name = "leaf.png";
    let _ = own_asset!();
    let _ = own_asset!(name);
    let _ = own_asset!("a", "b");
    let _ = own_asset!("");
    let _ = own_asset!("../other/leaf.png");
    let _ = own_asset!("http://leaf.png");
}
