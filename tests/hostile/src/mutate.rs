//! Damage to bytes.

use crate::dice::Dice;

/// Damages bytes in a few places. `others` are what else there is of the kind, to take pieces from.
pub fn mutate(bytes: &mut Vec<u8>, others: &[&[u8]], dice: &mut Dice) {
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len());
        let rest = bytes.len() - at;
        match dice.below(9) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + dice.below(rest.min(64) + 1))),
            2 => {
                let len = dice.below(16);
                let new = dice.bytes(len);
                bytes.splice(at..at, new).for_each(drop);
            }
            3 if !others.is_empty() => {
                let other = *dice.pick(others);
                let from = dice.below(other.len());
                let piece = &other[from..from + dice.below((other.len() - from).min(256) + 1)];
                bytes.splice(at..at + dice.below(rest.min(64) + 1), piece.iter().copied()).for_each(drop);
            }
            4 => {
                let number = dice.number().to_le_bytes();
                let width = *dice.pick(&[1, 2, 4, 8]);
                for (place, byte) in bytes.iter_mut().skip(at).zip(&number[..width]) {
                    *place = *byte;
                }
            }
            5 => {
                let piece = bytes[at..at + dice.below(rest.min(64) + 1)].repeat(dice.below(8));
                bytes.splice(at..at, piece).for_each(drop);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= if dice.chance(50) { 1 << dice.below(8) } else { dice.byte() };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::mutate;
    use crate::dice::Dice;

    #[test]
    fn anything_can_be_damaged() {
        let mut changed = 0;
        for seed in 0..2_000 {
            let mut dice = Dice::new(seed);
            let len = dice.below(40);
            let bytes = dice.bytes(len);
            let mut damaged = bytes.clone();
            mutate(&mut damaged, &[b"others", b""], &mut dice);
            changed += usize::from(damaged != bytes);
        }
        assert!(changed > 1_500, "only {changed} of 2000");
    }
}
