//! The next value of a setting when a player goes one step further.

use mod_abi::{SettingDesc, SettingKind, SettingValue};

/// So many steps lead from one end of a number's range to the other.
const STEPS: f64 = 20.0;

/// The value after one step, up or down. `None` where there is none: at the end of the range, and for texts.
pub(super) fn stepped(desc: &SettingDesc, value: &SettingValue, up: bool) -> Option<SettingValue> {
    let next = match (&desc.kind, value) {
        (SettingKind::Bool { .. }, SettingValue::Bool(value)) => SettingValue::Bool(!value),
        (SettingKind::Int { min, max, .. }, SettingValue::Int(value)) => int(*value, *min, *max, up),
        (SettingKind::Float { min, max, .. }, value) => float(value.as_f64()?, *min, *max, up),
        (SettingKind::Choice { choices, .. }, SettingValue::Text(word)) => choice(choices, word, up)?,
        _ => return None,
    };
    (next != *value && desc.check(&next).is_ok()).then_some(next)
}

fn int(value: i64, min: Option<i64>, max: Option<i64>, up: bool) -> SettingValue {
    let range = min.zip(max).map_or(0, |(min, max)| max.saturating_sub(min));
    // A range of up to 100 is gone through one by one.
    let step = if range <= 100 { 1 } else { range / 20 };
    let next = if up { value.saturating_add(step) } else { value.saturating_sub(step) };
    SettingValue::Int(next.max(min.unwrap_or(i64::MIN)).min(max.unwrap_or(i64::MAX)))
}

fn float(value: f64, min: Option<f64>, max: Option<f64>, up: bool) -> SettingValue {
    let step = match min.zip(max) {
        Some((min, max)) => (max - min) / STEPS,
        None => 0.1,
    };
    let next = if up { value + step } else { value - step };
    // Steps of a twentieth do not add up to round numbers; a player should not see 0.30000000000000004.
    let digits = 1e6 / 10_f64.powf(step.abs().max(1e-9).log10().floor().clamp(-6.0, 5.0));
    let rounded = (next * digits).round() / digits;
    let next = if rounded.is_finite() { rounded } else { next };
    SettingValue::Float(next.max(min.unwrap_or(f64::MIN)).min(max.unwrap_or(f64::MAX)))
}

/// The words go round.
fn choice(choices: &[String], word: &str, up: bool) -> Option<SettingValue> {
    let at = choices.iter().position(|choice| choice == word)?;
    let count = choices.len();
    let next = if up { at + 1 } else { at + count - 1 } % count;
    Some(SettingValue::Text(choices.get(next)?.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(desc: &str, value: impl Into<SettingValue>, down: Option<SettingValue>, up: Option<SettingValue>) {
        let desc: SettingDesc = desc.parse().expect("a setting");
        let value = value.into();
        assert_eq!(stepped(&desc, &value, false), down);
        assert_eq!(stepped(&desc, &value, true), up);
    }

    #[test]
    fn every_kind_has_its_steps() {
        check("a bool true -", true, Some(false.into()), Some(false.into()));
        check("a int 3 0..9", 0, None, Some(1.into()));
        check("a int 3 0..9", 9, Some(8.into()), None);
        check("a int 3 0..1000", 990, Some(940.into()), Some(1000.into()));
        check("a int 3 -", i64::MAX, Some((i64::MAX - 1).into()), None);
        check(
            "a int 3 -9223372036854775808..9223372036854775807",
            0,
            Some((-(i64::MAX / 20)).into()),
            Some((i64::MAX / 20).into()),
        );
        check("a float 1.0 0..4", 0.2, Some(0.0.into()), Some(0.4.into()));
        check("a float 1.0 0..4", 4.0, Some(3.8.into()), None);
        check("a float 1.0 -", 0.2, Some(0.1.into()), Some(0.3.into()));
        check("a choice b a|b|c", "a", Some("c".into()), Some("b".into()));
        check("a choice b a|b|c", "c", Some("b".into()), Some("a".into()));
        check("a text \"x\" -", "x", None, None);
    }

    #[test]
    fn any_range_has_steps_that_the_setting_takes() {
        for (min, max) in [(0.0, 1e-30), (-1e300, 1e300), (f64::MIN, f64::MAX), (0.0, 1e-9), (1.0, 1.0)] {
            let kind = SettingKind::Float { default: min, min: Some(min), max: Some(max) };
            let desc = SettingDesc { name: "a".to_owned(), kind, description: String::new() };
            for up in [true, false] {
                let mut value = SettingValue::Float(min);
                for _ in 0..50 {
                    let Some(next) = stepped(&desc, &value, up) else { break };
                    assert!(desc.check(&next).is_ok(), "{next}");
                    value = next;
                }
            }
        }
    }
}
