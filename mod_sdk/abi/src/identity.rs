//! Who a mod is: a text in a custom section, readable without running the mod.

mod needs;
mod setting;
#[cfg(test)]
mod tests;

use alloc::{
    borrow::ToOwned,
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use self::setting::MAX_SETTINGS;
pub use self::{
    needs::{Dependency, DependencyKind, GameRequirement},
    setting::{SettingDesc, SettingKind, SettingRefusal, SettingValue},
};
use crate::ABI_VERSION;

/// The most bytes that an identity section may have.
const MAX_BYTES: usize = 64 << 10;
/// The most characters that an id may have.
const MAX_ID: usize = 64;
/// The most characters that a text may have.
const MAX_TEXT: usize = 256;
/// The most authors that are told.
const MAX_AUTHORS: usize = 64;

/// Name, version and origin of a mod, as its identity section states them.
///
/// The section is UTF-8 text, one `key: value` a line. Keys that a host does not know are skipped, so that later
/// versions can add some.
///
/// ```
/// use mod_abi::Identity;
///
/// let identity = Identity::parse(b"abi: 3\nid: orchard_pests\nversion: 0.2.0\nauthor: Ada\n")?;
/// assert_eq!(identity.id, "orchard_pests");
/// assert_eq!(identity.authors, ["Ada"]);
/// # Ok::<_, mod_abi::IdentityError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Identity {
    /// The version of the contract that the mod was built for.
    pub abi: u32,
    /// A name that no other mod of the game has: ASCII letters, digits, `_` and `-`.
    pub id: String,
    /// The mod's own version. It is not looked at here; hosts want a semantic version.
    pub version: String,
    /// The name for people, if it has another one than its id.
    pub name: Option<String>,
    /// What it does, in a sentence.
    pub description: Option<String>,
    /// Where there is more about it.
    pub homepage: Option<String>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// The game that it is for. None: any.
    pub game: Option<GameRequirement>,
    /// Other mods that it needs, likes, or cannot stand.
    pub dependencies: Vec<Dependency>,
    /// Ids of mods that are loaded before it, if they are there.
    pub load_after: Vec<String>,
    /// Ids of mods that are loaded after it, if they are there.
    pub load_before: Vec<String>,
    /// What players can set about it.
    pub settings: Vec<SettingDesc>,
    /// How the values of its functions become bytes: the name of a [`Codec`](crate::codec::Codec).
    pub codec: String,
}

/// An identity section that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityError {
    /// Longer than 64 KiB.
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not UTF-8.
    NotText,
    /// A line without a colon.
    NotAPair {
        /// Counted from one.
        line: usize,
    },
    /// A key that is needed and does not stand there.
    Missing(&'static str),
    /// A value that the key cannot have.
    Invalid {
        /// The key.
        key: &'static str,
        /// The value, shortened.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A key that can stand there only once.
    Twice(&'static str),
    /// The same mod twice among its dependencies, or in its order, or two settings of one name.
    Repeated {
        /// The key of the second.
        key: &'static str,
        /// The id or the name.
        name: String,
    },
    /// The mod names itself as another.
    Itself(&'static str),
    /// More than a list may have.
    TooMany {
        /// The key of the first that is too much.
        key: &'static str,
        /// What there may be.
        limit: usize,
    },
}

impl Identity {
    /// The identity of a mod that states none: its file's name, version 0.0.0, the current ABI.
    ///
    /// # Errors
    /// When the name cannot be an id.
    pub fn from_file_name(stem: &str) -> Result<Self, IdentityError> {
        Ok(Self {
            abi: ABI_VERSION,
            id: checked_id(stem)?,
            version: "0.0.0".to_owned(),
            codec: "bincode".to_owned(),
            ..Self::default()
        })
    }

    /// Reads the content of an identity section.
    ///
    /// # Errors
    /// When the text is malformed, `abi`, `id` or `version` is missing, a value is invalid, or something is stated twice.
    /// The version of the contract is read first, so that [`Identity::parse_abi`] works on sections of later versions too.
    pub fn parse(section: &[u8]) -> Result<Self, IdentityError> {
        let pairs = pairs(section)?;
        let abi = abi_of(&pairs)?;
        let all = |key: &'static str| pairs.iter().filter(move |(k, _)| *k == key).map(|(_, value)| *value);
        let once = |key: &'static str| {
            let mut values = all(key);
            let first = values.next();
            if values.next().is_some() { Err(IdentityError::Twice(key)) } else { Ok(first) }
        };
        let needed = |key: &'static str| once(key)?.ok_or(IdentityError::Missing(key));
        let text = |key: &'static str| Ok(once(key)?.map(clean).filter(|text| !text.is_empty()));
        needed("abi")?;
        let id = checked_id(needed("id")?)?;
        let (load_after, load_before) = needs::order(&pairs, &id)?;
        let settings = all("setting").map(str::parse);
        Ok(Self {
            abi,
            version: as_it_is("version", needed("version")?)?,
            name: text("name")?,
            description: text("description")?,
            homepage: text("homepage")?,
            authors: all("author").map(clean).filter(|author| !author.is_empty()).take(MAX_AUTHORS).collect(),
            game: once("game")?.map(GameRequirement::parse).transpose()?,
            dependencies: needs::dependencies(&pairs, &id)?,
            load_after,
            load_before,
            settings: listed(settings, MAX_SETTINGS, "", |setting: &SettingDesc| ("setting", &setting.name))?,
            codec: as_it_is("codec", once("codec")?.unwrap_or("bincode"))?,
            id,
        })
    }

    /// Reads only the version of the contract: the one key whose meaning never changes.
    ///
    /// # Errors
    /// When the section is not text or states no version.
    pub fn parse_abi(section: &[u8]) -> Result<u32, IdentityError> {
        abi_of(&pairs(section)?)
    }
}

fn pairs(section: &[u8]) -> Result<Vec<(&str, &str)>, IdentityError> {
    if section.len() > MAX_BYTES {
        return Err(IdentityError::TooLong { bytes: section.len() });
    }
    let text = core::str::from_utf8(section).map_err(|_| IdentityError::NotText)?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            let (key, value) = line.split_once(':').ok_or(IdentityError::NotAPair { line: index.saturating_add(1) })?;
            Ok((key.trim(), value.trim()))
        })
        .collect()
}

fn abi_of(pairs: &[(&str, &str)]) -> Result<u32, IdentityError> {
    let (_, value) = pairs.iter().find(|(key, _)| *key == "abi").ok_or(IdentityError::Missing("abi"))?;
    value.parse().map_err(|_| IdentityError::Invalid { key: "abi", value: clean(value), expected: "a number" })
}

/// A list of at most `limit` items of different names, none of which is the mod's `own` id.
fn listed<T>(
    items: impl Iterator<Item = Result<T, IdentityError>>,
    limit: usize,
    own: &str,
    named: impl Fn(&T) -> (&'static str, &String),
) -> Result<Vec<T>, IdentityError> {
    let mut names = BTreeSet::new();
    let mut list = Vec::new();
    for item in items {
        let item = item?;
        let (key, name) = named(&item);
        if name == own {
            return Err(IdentityError::Itself(key));
        }
        if !names.insert(name.clone()) {
            return Err(IdentityError::Repeated { key, name: name.clone() });
        }
        if list.len() >= limit {
            return Err(IdentityError::TooMany { key, limit });
        }
        list.push(item);
    }
    Ok(list)
}

/// Characters that are not for the eye, and endless values, are for logs and terminals to suffer from: they end here.
fn clean(value: &str) -> String {
    on_a_line(value).trim().to_owned()
}

/// [`clean`], with the spaces around it.
fn on_a_line(value: &str) -> String {
    value.chars().filter_map(visible).take(MAX_TEXT).collect()
}

/// Whether [`on_a_line`] would leave a text as it is.
fn is_clean(text: &str) -> bool {
    text.chars().all(|c| visible(c) == Some(c)) && text.chars().count() <= MAX_TEXT
}

fn visible(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        // Marks that reorder or hide what stands beside them.
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// A word that is compared is not cleaned: it would be another one.
fn as_it_is(key: &'static str, value: &str) -> Result<String, IdentityError> {
    if is_clean(value) {
        return Ok(value.to_owned());
    }
    let expected = "at most 256 characters, without control characters";
    Err(IdentityError::Invalid { key, value: clean(value), expected })
}

fn checked_id(id: &str) -> Result<String, IdentityError> {
    checked("id", id)
}

/// Whether that can be the id of a mod or of a game.
pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// An id as the value of some key.
fn checked(key: &'static str, id: &str) -> Result<String, IdentityError> {
    if is_id(id) {
        Ok(id.to_string())
    } else {
        Err(IdentityError::Invalid { key, value: clean(id), expected: "1 to 64 ASCII letters, digits, `_` or `-`" })
    }
}

impl fmt::Display for Identity {
    /// Writes the section's text. Texts lose what they would lose when they are read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "abi: {}\nid: {}\nversion: {}\ncodec: {}", self.abi, self.id, self.version, self.codec)?;
        let texts = [("name", &self.name), ("description", &self.description), ("homepage", &self.homepage)];
        for (key, text) in texts {
            text.iter().try_for_each(|text| writeln!(f, "{key}: {}", clean(text)))?;
        }
        self.authors.iter().try_for_each(|author| writeln!(f, "author: {}", clean(author)))?;
        self.game.iter().try_for_each(|game| writeln!(f, "game: {game}"))?;
        self.dependencies.iter().try_for_each(|dependency| writeln!(f, "{dependency}"))?;
        self.load_after.iter().try_for_each(|id| writeln!(f, "after: {id}"))?;
        self.load_before.iter().try_for_each(|id| writeln!(f, "before: {id}"))?;
        self.settings.iter().try_for_each(|setting| writeln!(f, "setting: {setting}"))
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => write!(f, "the identity section has {bytes} bytes, more than {MAX_BYTES}"),
            Self::NotText => write!(f, "the identity section is not UTF-8 text"),
            Self::NotAPair { line } => write!(f, "line {line} of the identity section is not `key: value`"),
            Self::Missing(key) => write!(f, "the identity section does not state `{key}`"),
            Self::Invalid { key, value, expected } => {
                write!(f, "the identity section states `{key}: {value}`, but it should be {expected}")
            }
            Self::Twice(key) => write!(f, "the identity section states `{key}` twice"),
            Self::Repeated { key: "setting", name } => write!(f, "two settings have the name `{name}`"),
            Self::Repeated { key: "after" | "before", name } => {
                write!(f, "the identity section has `{name}` twice among the mods to load after or before")
            }
            Self::Repeated { name, .. } => {
                write!(f, "the identity section has `{name}` twice among the dependencies and incompatible mods")
            }
            Self::Itself(key) => write!(f, "the mod names itself as another mod, with `{key}`"),
            Self::TooMany { key, limit } => {
                let what = match *key {
                    "setting" => "settings",
                    "after" | "before" => "mods to load after or before",
                    _ => "dependencies and incompatible mods",
                };
                write!(f, "the identity section has more than {limit} {what}")
            }
        }
    }
}

impl core::error::Error for IdentityError {}
