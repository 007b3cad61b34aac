//! The three villains, and how this game treats its mods: what each may use, and what becomes of those that fail.
//!
//! Knows no window and no renderer, as [`arena`](super::arena).

use std::{collections::BTreeMap, time::Duration};

use bevy::prelude::{App, Local, Update, default, warn};
use bevy_wasm_mods::{
    GameIdentity, Version,
    prelude::{FaultPolicy, ModLimits, ModOverrides, ModSettings, ModState, Mods},
};

/// Their ids, in the order of their keys.
pub(crate) const VILLAINS: [&str; 3] = ["villain_panics", "villain_loops", "villain_eats"];

/// How this game treats its mods. Villains get little, so that nobody notices them.
pub(crate) fn mod_settings(seed: Option<u64>) -> ModSettings {
    // By the clock on the wall, so it has to be long enough for a machine that draws without a graphics card and compiles beside.
    let (call_time, frame_time) = (Duration::from_millis(250), Duration::from_millis(250));
    let limits = ModLimits { call_time, frame_time, ..ModLimits::default() };
    let little = ModLimits { call_time: Duration::from_millis(4), memory_bytes: 16 << 20, ..ModLimits::default() };
    let overrides = VILLAINS.map(|id| {
        // The first one gets its chances as everybody does, so that this can be seen, too.
        let fault_policy = (id != VILLAINS[0]).then_some(FaultPolicy::Disable);
        (id.to_owned(), ModOverrides { limits: Some(little.clone()), fault_policy, ..default() })
    });
    ModSettings {
        game: Some(GameIdentity { id: "swarm".to_owned(), api: Version::new(0, 1, 0) }),
        limits,
        // Three chances for everybody.
        fault_policy: FaultPolicy::Strikes { faults: 3, frames: 600 },
        overrides: BTreeMap::from(overrides),
        seed,
        ..default()
    }
}

/// Has the villains wait until the player wants them.
pub(crate) fn plugin(app: &mut App) {
    app.add_systems(Update, switch_off_at_first);
}

/// As soon as a villain is known, which is before its file has been read, it is switched off. What the player wants later
/// holds.
fn switch_off_at_first(mut mods: Mods, mut seen: Local<[bool; VILLAINS.len()]>) {
    for (id, seen) in VILLAINS.into_iter().zip(&mut *seen) {
        if !*seen && mods.state(id).is_some() {
            *seen = true;
            tell(mods.disable(id));
        }
    }
}

/// Switches a mod on if it is off or has failed, else off.
pub(crate) fn switch(mods: &mut Mods, id: &str) {
    let result = match mods.state(id) {
        Some(ModState::Disabled) => mods.enable(id),
        Some(state) if state.fault().is_some() => mods.reload(id),
        Some(_) => mods.disable(id),
        None => return,
    };
    tell(result);
}

fn tell<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        warn!("{error}");
    }
}
