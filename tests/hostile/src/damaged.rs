//! The mods of the orchard, damaged. What is done with them is not known here.

use std::fs;

use crate::{dice::Dice, graft, mutate::mutate, seeds};

/// The committed mods.
///
/// # Panics
/// When they are not where they should be.
#[must_use]
pub fn originals() -> Vec<Vec<u8>> {
    let folder = crate::root().join("assets/mods");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("the folder can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    paths.sort();
    assert!(!paths.is_empty(), "there are mods in {}", folder.display());
    paths.iter().map(|path| fs::read(path).expect("the file can be read")).collect()
}

/// One of them, damaged.
#[must_use]
pub fn module(originals: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = dice.pick(originals).clone();
    match dice.below(4) {
        0 => {
            let others: Vec<&[u8]> = originals.iter().map(Vec::as_slice).collect();
            mutate(&mut bytes, &others, dice);
            return bytes;
        }
        1 => {
            // Few bytes, so that the module often stays one.
            for _ in 0..=dice.below(3) {
                let at = dice.below(bytes.len());
                bytes[at] ^= 1 << dice.below(8);
            }
            return bytes;
        }
        _ => {}
    }
    let Some(mut sections) = graft::sections(&bytes) else { return bytes };
    for _ in 0..=dice.below(3) {
        let (one, other) = (dice.below(sections.len()), dice.below(sections.len()));
        match dice.below(5) {
            0 => sections.swap(one, other),
            1 => drop(sections.remove(one)),
            2 => sections.insert(other, sections[one].clone()),
            3 => {
                let others: Vec<&[u8]> = Vec::new();
                mutate(&mut sections[one].1, &others, dice);
            }
            _ => {
                // What the mod says of itself.
                let customs: Vec<usize> = (0..sections.len()).filter(|at| sections[*at].0 == 0).collect();
                if let Some(at) = customs.get(dice.below(customs.len())) {
                    mutate(&mut sections[*at].1, &[], dice);
                }
                let name = *dice.pick(&["identity", "functions"]);
                let mut content = dice.pick(&seeds::of(name)).clone();
                mutate(&mut content, &[], dice);
                let mut added = graft::module(&[]);
                let title = if name == "identity" { "bevy_mod" } else { "bevy_mod_functions" };
                graft::custom(&mut added, title, &content);
                sections.extend(graft::sections(&added).unwrap_or_default());
            }
        }
        if sections.is_empty() {
            break;
        }
    }
    graft::module(&sections)
}
