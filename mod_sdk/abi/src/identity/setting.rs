//! What a player can set about a mod, as the mod declares it. Who asks the player and keeps the answer is not known here.

mod field;

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{IdentityError, clean, is_clean, is_id, on_a_line};

/// The most settings that a mod may declare.
pub(super) const MAX_SETTINGS: usize = 256;
/// The most choices that a setting may have.
const MAX_CHOICES: usize = 64;

const KEY: &str = "setting";

/// Something about a mod that a player can set.
///
/// As text: name, kind, default, range and description, with spaces between. A default text stands in double quotes and
/// has none inside; the range is `min..max` with both ends included (one may be missing), the choices with `|` between, or
/// `-`; the description goes to the end of the line and need not be there.
///
/// ```
/// use mod_abi::{SettingDesc, SettingValue};
///
/// let appetite: SettingDesc = "appetite float 1.5 0..10 How fast the beetles eat".parse()?;
/// assert_eq!(appetite.default_value(), SettingValue::Float(1.5));
/// assert!(appetite.check(&SettingValue::Float(10.0)).is_ok());
/// let refused = appetite.check(&SettingValue::Float(12.0)).unwrap_err();
/// assert_eq!(refused.to_string(), "the setting `appetite` should be a number from 0 to 10, not 12");
/// # Ok::<_, mod_abi::IdentityError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SettingDesc {
    /// A name that no other setting of the mod has, made of the same characters as an id.
    pub name: String,
    /// Which values it takes.
    pub kind: SettingKind,
    /// What it does, for the player. May be empty.
    pub description: String,
}

/// Which values a setting takes, and which one it has until somebody sets it.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingKind {
    /// On or off.
    Bool {
        /// Until somebody sets it.
        default: bool,
    },
    /// A whole number.
    Int {
        /// Until somebody sets it.
        default: i64,
        /// The smallest, if there is one.
        min: Option<i64>,
        /// The largest, if there is one.
        max: Option<i64>,
    },
    /// A finite number.
    Float {
        /// Until somebody sets it.
        default: f64,
        /// The smallest, if there is one.
        min: Option<f64>,
        /// The largest, if there is one.
        max: Option<f64>,
    },
    /// A line of at most 256 characters.
    Text {
        /// Until somebody sets it. Without double quotes.
        default: String,
    },
    /// One of some words.
    Choice {
        /// Until somebody sets it.
        default: String,
        /// At most 64, each made of the same characters as an id.
        choices: Vec<String>,
    },
}

/// The value of a setting. Serialises as the bare value, so a format has to describe itself, as TOML and JSON do.
///
/// ```
/// use mod_abi::SettingValue;
///
/// assert_eq!(SettingValue::from(2.5).to_string(), "2.5");
/// assert_eq!(SettingValue::Int(3).as_f64(), Some(3.0));
/// assert_eq!(SettingValue::from("slow"), SettingValue::Text("slow".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// Of a [`SettingKind::Bool`].
    Bool(bool),
    /// Of a [`SettingKind::Int`]. Will do for a [`SettingKind::Float`].
    Int(i64),
    /// Of a [`SettingKind::Float`].
    Float(f64),
    /// Of a [`SettingKind::Text`] or a [`SettingKind::Choice`].
    Text(String),
}

/// Why a setting does not take a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRefusal {
    /// The setting.
    pub name: String,
    /// The value, shortened.
    pub value: String,
    /// What would be right.
    pub expected: String,
}

impl SettingDesc {
    /// The value until somebody sets another.
    #[must_use]
    pub fn default_value(&self) -> SettingValue {
        match &self.kind {
            SettingKind::Bool { default } => SettingValue::Bool(*default),
            SettingKind::Int { default, .. } => SettingValue::Int(*default),
            SettingKind::Float { default, .. } => SettingValue::Float(*default),
            SettingKind::Text { default } | SettingKind::Choice { default, .. } => SettingValue::Text(default.clone()),
        }
    }

    /// Whether the setting takes a value.
    ///
    /// # Errors
    /// When it is of another kind, outside of the range, not finite, no choice, or no line of clean text.
    pub fn check(&self, value: &SettingValue) -> Result<(), SettingRefusal> {
        let fits = match (&self.kind, value) {
            (SettingKind::Bool { .. }, SettingValue::Bool(_)) => true,
            (SettingKind::Int { min, max, .. }, SettingValue::Int(value)) => is_within(value, min, max),
            (SettingKind::Float { min, max, .. }, SettingValue::Int(_) | SettingValue::Float(_)) => {
                value.as_f64().is_some_and(|value| value.is_finite() && is_within(&value, min, max))
            }
            (SettingKind::Text { .. }, SettingValue::Text(text)) => is_clean(text),
            (SettingKind::Choice { choices, .. }, SettingValue::Text(word)) => choices.contains(word),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let value = clean(&value.to_string());
        Err(SettingRefusal { name: self.name.clone(), value, expected: self.kind.to_string() })
    }

    /// What the declaration itself should have and has not, if there is something. What is parsed has everything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if !is_id(&self.name) {
            return Some("a name of 1 to 64 ASCII letters, digits, `_` or `-`, and then kind, default and range");
        }
        match &self.kind {
            SettingKind::Int { min: Some(min), max: Some(max), .. } if min > max => return Some(TURNED),
            SettingKind::Float { min, max, .. } => {
                if min.iter().chain(max).any(|bound| !bound.is_finite()) {
                    return Some(RANGE);
                }
                if min.zip(*max).is_some_and(|(min, max)| min > max) {
                    return Some(TURNED);
                }
            }
            SettingKind::Text { default } if default.contains('"') => return Some(TEXT),
            SettingKind::Choice { choices, .. } => {
                let is_twice = |(index, word)| choices.iter().take(index).any(|earlier| earlier == word);
                if choices.is_empty() || choices.len() > MAX_CHOICES || !choices.iter().all(|word| is_id(word)) {
                    return Some(CHOICES);
                }
                if choices.iter().enumerate().any(is_twice) {
                    return Some("a list of choices that are all different");
                }
            }
            _ => {}
        }
        self.check(&self.default_value()).err().map(|_| match self.kind {
            SettingKind::Text { .. } => TEXT,
            SettingKind::Choice { .. } => "a default that is one of the choices",
            _ => "a default within the range",
        })
    }
}

const WORDS: &str = "name, kind, default and range, such as `appetite float 1.5 0..10`, with `-` for no range";
const KINDS: &str = "of the kind `bool`, `int`, `float`, `text` or `choice`";
const TRUTH: &str = "`true` or `false`, and `-` after it";
const WHOLE: &str = "a whole number of 64 bits as its default";
const NUMBER: &str = "a finite number as its default, such as `1.5`";
const RANGE: &str = "a range of finite numbers, such as `0..10`, `0..` or `..10`, or `-` for none";
const TURNED: &str = "a range that begins below its end";
const TEXT: &str = "a text of at most 256 characters in double quotes, with no quotes inside, and `-` after it";
const CHOICES: &str = "1 to 64 choices of ASCII letters, digits, `_` or `-`, such as `slow|fast`";

impl FromStr for SettingDesc {
    type Err = IdentityError;

    fn from_str(line: &str) -> Result<Self, IdentityError> {
        let invalid = |expected| IdentityError::Invalid { key: KEY, value: clean(line), expected };
        let setting = parse(line).map_err(invalid)?;
        setting.fault().map_or(Ok(setting), |expected| Err(invalid(expected)))
    }
}

fn parse(line: &str) -> Result<SettingDesc, &'static str> {
    let (name, rest) = word(line).ok_or(WORDS)?;
    let (kind, rest) = word(rest).ok_or(WORDS)?;
    let (default, rest) = match kind {
        "text" => rest.strip_prefix('"').and_then(|quoted| quoted.split_once("\" ")).ok_or(TEXT)?,
        _ => word(rest).ok_or(WORDS)?,
    };
    let (range, description) = word(rest.trim_start()).ok_or(WORDS)?;
    let kind = match kind {
        "bool" => {
            let default = default.parse().ok().filter(|_| range == "-").ok_or(TRUTH)?;
            SettingKind::Bool { default }
        }
        "int" => {
            let (min, max) = bounds(range, whole)?;
            SettingKind::Int { default: whole(default).ok_or(WHOLE)?, min, max }
        }
        "float" => {
            let (min, max) = bounds(range, number)?;
            SettingKind::Float { default: number(default).ok_or(NUMBER)?, min, max }
        }
        "text" if range == "-" => SettingKind::Text { default: default.to_owned() },
        "text" => return Err(TEXT),
        "choice" => {
            let choices = range.split('|').map(str::to_owned).collect();
            SettingKind::Choice { default: default.to_owned(), choices }
        }
        _ => return Err(KINDS),
    };
    Ok(SettingDesc { name: name.to_owned(), kind, description: clean(description.trim()) })
}

/// The first word and what comes after it.
fn word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (!word.is_empty()).then_some((word, rest.trim_start()))
}

fn bounds<T>(range: &str, number: fn(&str) -> Option<T>) -> Result<(Option<T>, Option<T>), &'static str> {
    if range == "-" {
        return Ok((None, None));
    }
    let (min, max) = range.split_once("..").filter(|ends| *ends != ("", "")).ok_or(RANGE)?;
    let bound = |text: &str| if text.is_empty() { Ok(None) } else { number(text).map(Some).ok_or(RANGE) };
    Ok((bound(min)?, bound(max)?))
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

/// A finite number, with digits on both sides of its point: `0...5` has no second meaning.
fn number(text: &str) -> Option<f64> {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let begins_well = digit(text.strip_prefix('-').unwrap_or(text).chars().next());
    let point_is_inside =
        text.split_once('.').is_none_or(|(left, right)| digit(left.chars().next_back()) && digit(right.chars().next()));
    text.parse().ok().filter(|number: &f64| number.is_finite() && begins_well && point_is_inside)
}

fn is_within<T: PartialOrd>(value: &T, min: &Option<T>, max: &Option<T>) -> bool {
    min.as_ref().is_none_or(|min| value >= min) && max.as_ref().is_none_or(|max| value <= max)
}

impl SettingValue {
    /// The number, also of an [`Int`](Self::Int).
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a number of more than 53 bits is rounded, as a literal would be")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

impl From<bool> for SettingValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for SettingValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for SettingValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<String> for SettingValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for SettingValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl fmt::Display for SettingDesc {
    /// Writes the value of a `setting` line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        match &self.kind {
            SettingKind::Bool { default } => write!(f, "bool {default} -")?,
            SettingKind::Int { default, min, max } => write!(f, "int {default} {}", range(min, max, i64::to_string))?,
            SettingKind::Float { default, min, max } => {
                // The longer way to write a float has an exponent where there would be hundreds of digits.
                let text = |value: &f64| format!("{value:?}");
                write!(f, "float {} {}", text(default), range(min, max, text))?;
            }
            SettingKind::Text { default } => write!(f, "text \"{}\" -", on_a_line(default))?,
            SettingKind::Choice { default, choices } => write!(f, "choice {default} {}", choices.join("|"))?,
        }
        let description = clean(&self.description);
        let description = description.trim();
        if description.is_empty() { Ok(()) } else { write!(f, " {description}") }
    }
}

fn range<T>(min: &Option<T>, max: &Option<T>, text: impl Fn(&T) -> String) -> String {
    if min.is_none() && max.is_none() {
        return "-".to_owned();
    }
    let bound = |bound: &Option<T>| bound.as_ref().map(&text).unwrap_or_default();
    format!("{}..{}", bound(min), bound(max))
}

impl fmt::Display for SettingKind {
    /// What the values are, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn numbers<T: fmt::Display>(what: &str, min: &Option<T>, max: &Option<T>) -> String {
            match (min, max) {
                (None, None) => what.to_owned(),
                (Some(min), None) => format!("{what} of at least {min}"),
                (None, Some(max)) => format!("{what} of at most {max}"),
                (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
            }
        }
        match self {
            Self::Bool { .. } => f.write_str("`true` or `false`"),
            Self::Int { min, max, .. } => f.write_str(&numbers("a whole number", min, max)),
            Self::Float { min, max, .. } => f.write_str(&numbers("a number", min, max)),
            Self::Text { .. } => f.write_str("a line of at most 256 characters"),
            Self::Choice { choices, .. } => write!(f, "one of `{}`", choices.join("`, `")),
        }
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "\"{value}\""),
        }
    }
}

impl fmt::Display for SettingRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the setting `{}` should be {}, not {}", self.name, self.expected, self.value)
    }
}

impl core::error::Error for SettingRefusal {}
