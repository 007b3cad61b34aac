//! How the value of a setting crosses to its mod: as a field of the resource that holds all of them.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{SettingDesc, SettingKind, SettingValue};
use crate::{Leaf, Schema, Variant, VariantFields};

impl SettingDesc {
    /// The setting that a field of a mod's settings means: that of its name, where a `-` in the name of a setting may be a
    /// `_` in the name of the field, and `r#` is no part of it.
    ///
    /// ```
    /// use mod_abi::SettingDesc;
    ///
    /// let settings: [SettingDesc; 2] = ["max-speed int 3 -".parse()?, "type text \"\" -".parse()?];
    /// assert_eq!(SettingDesc::of_field("max_speed", &settings), Some(&settings[0]));
    /// assert_eq!(SettingDesc::of_field("r#type", &settings), Some(&settings[1]));
    /// # Ok::<_, mod_abi::IdentityError>(())
    /// ```
    #[must_use]
    pub fn of_field<'s>(field: &str, settings: &'s [Self]) -> Option<&'s Self> {
        let field = field.strip_prefix("r#").unwrap_or(field);
        let exact = settings.iter().find(|setting| setting.name == field);
        exact.or_else(|| settings.iter().find(|setting| setting.name.replace('-', "_") == field))
    }

    /// Whether a field of that shape can hold every value of the setting.
    ///
    /// | setting | field |
    /// |---|---|
    /// | [`Bool`](SettingKind::Bool) | `bool` |
    /// | [`Int`](SettingKind::Int) | an integer that has all numbers of the range |
    /// | [`Float`](SettingKind::Float) | `f32`, `f64` |
    /// | [`Text`](SettingKind::Text) | `str` |
    /// | [`Choice`](SettingKind::Choice) | `str`, or an enum with a variant without fields for each choice: of the same letters and digits, whether large or small |
    ///
    /// # Errors
    /// What the field should be.
    pub fn check_field(&self, schema: &Schema) -> Result<(), String> {
        let fits = match (&self.kind, schema) {
            (SettingKind::Bool { .. }, Schema::Leaf(leaf)) => *leaf == Leaf::Bool,
            (SettingKind::Int { min, max, .. }, Schema::Leaf(leaf)) => {
                let (min, max) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
                match integers(*leaf) {
                    Some((least, most)) if i128::from(min) < least || i128::from(max) > most => {
                        return Err(format!(
                            "an integer for all numbers from {min} to {max}, or the setting should state a `min` of at \
                             least {least} and a `max` of at most {most}"
                        ));
                    }
                    other => other.is_some(),
                }
            }
            (SettingKind::Float { .. }, Schema::Leaf(leaf)) => matches!(leaf, Leaf::F32 | Leaf::F64),
            (SettingKind::Text { .. } | SettingKind::Choice { .. }, Schema::Leaf(leaf)) => *leaf == Leaf::Str,
            (SettingKind::Choice { choices, .. }, Schema::Enum(variants)) => {
                choices.iter().all(|choice| variant(choice, variants).is_some())
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(match &self.kind {
            SettingKind::Bool { .. } => "a `bool`".to_owned(),
            SettingKind::Int { .. } => "an integer such as an `i64`".to_owned(),
            SettingKind::Float { .. } => "an `f32` or an `f64`".to_owned(),
            SettingKind::Text { .. } => "a text".to_owned(),
            SettingKind::Choice { choices, .. } => {
                format!("a text, or an enum with the variants `{}`, without fields", choices.join("`, `"))
            }
        })
    }

    /// Appends a value as a field of that shape. Numbers beyond those of an `f32` become the last that it has.
    ///
    /// # Errors
    /// When the setting does not take the value, or the field does not fit the setting. What is wrong.
    pub fn encode_field(&self, value: &SettingValue, schema: &Schema, out: &mut Vec<u8>) -> Result<(), String> {
        self.check(value).map_err(|refusal| refusal.to_string())?;
        let unfit = || format!("the field of the setting `{}` does not fit it", self.name);
        match (value, schema) {
            (SettingValue::Bool(value), Schema::Leaf(Leaf::Bool)) => out.push(u8::from(*value)),
            (_, Schema::Leaf(Leaf::F64)) => out.extend(value.as_f64().ok_or_else(unfit)?.to_le_bytes()),
            (_, Schema::Leaf(Leaf::F32)) => {
                let value = value.as_f64().ok_or_else(unfit)?.clamp(f32::MIN.into(), f32::MAX.into());
                #[allow(clippy::cast_possible_truncation, reason = "the nearest number is what is wanted")]
                out.extend((value as f32).to_le_bytes());
            }
            (SettingValue::Int(value), Schema::Leaf(leaf)) => {
                let value = i128::from(*value);
                let is_within = |(least, most)| (least..=most).contains(&value);
                let size = leaf.size().filter(|_| integers(*leaf).is_some_and(is_within)).ok_or_else(unfit)?;
                // A small integer is the front of a large one.
                out.extend(value.to_le_bytes().iter().take(size));
            }
            (SettingValue::Text(text), Schema::Leaf(Leaf::Str)) => {
                out.extend(u64::try_from(text.len()).map_err(|error| error.to_string())?.to_le_bytes());
                out.extend(text.as_bytes());
            }
            (SettingValue::Text(choice), Schema::Enum(variants)) => {
                out.extend(variant(choice, variants).ok_or_else(unfit)?.to_le_bytes());
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }
}

/// The least and the most of the integers of that kind.
fn integers(leaf: Leaf) -> Option<(i128, i128)> {
    Some(match leaf {
        Leaf::U8 => (0, u8::MAX.into()),
        Leaf::U16 => (0, u16::MAX.into()),
        Leaf::U32 => (0, u32::MAX.into()),
        Leaf::U64 => (0, u64::MAX.into()),
        Leaf::U128 => (0, i128::MAX),
        Leaf::I8 => (i8::MIN.into(), i8::MAX.into()),
        Leaf::I16 => (i16::MIN.into(), i16::MAX.into()),
        Leaf::I32 => (i32::MIN.into(), i32::MAX.into()),
        Leaf::I64 => (i64::MIN.into(), i64::MAX.into()),
        Leaf::I128 => (i128::MIN, i128::MAX),
        _ => return None,
    })
}

/// The index of the variant that means a choice.
fn variant(choice: &str, variants: &[Variant]) -> Option<u32> {
    let means = |variant: &Variant| variant.fields == VariantFields::Unit && letters(&variant.name).eq(letters(choice));
    variants.iter().position(means).and_then(|index| u32::try_from(index).ok())
}

/// What counts of the name of a variant or a choice: `very-fast` and `VeryFast` are the same.
fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase())
}
