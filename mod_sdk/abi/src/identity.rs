//! Who a mod is: a text in a custom section, readable without running the mod.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::ABI_VERSION;

/// The most bytes that an identity section may have.
const MAX_BYTES: usize = 64 << 10;
/// The most characters that an id may have.
const MAX_ID: usize = 64;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The version of the contract that the mod was built for.
    pub abi: u32,
    /// A name that no other mod of the game has: ASCII letters, digits, `_` and `-`.
    pub id: String,
    /// The mod's own version.
    pub version: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Ids of the mods that it needs, each with an optional version requirement after a space.
    pub dependencies: Vec<String>,
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
            authors: Vec::new(),
            dependencies: Vec::new(),
            codec: "bincode".to_owned(),
        })
    }

    /// Reads the content of an identity section.
    ///
    /// # Errors
    /// When the text is malformed, or `abi`, `id` or `version` is missing or invalid. The version of the contract
    /// is read first, so that [`Identity::parse_abi`] works on sections of later versions too.
    pub fn parse(section: &[u8]) -> Result<Self, IdentityError> {
        let pairs = pairs(section)?;
        let abi = abi_of(&pairs)?;
        let last = |key: &'static str| pairs.iter().rev().find(|(k, _)| *k == key).map(|(_, v)| *v);
        let all = |key: &str| pairs.iter().filter(|(k, _)| *k == key).map(|(_, v)| clean(v)).collect();
        Ok(Self {
            abi,
            id: checked_id(last("id").ok_or(IdentityError::Missing("id"))?)?,
            version: clean(last("version").ok_or(IdentityError::Missing("version"))?),
            authors: all("author"),
            dependencies: all("dependency"),
            codec: clean(last("codec").unwrap_or("bincode")),
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

/// Control characters and endless values are for logs and terminals to suffer from: they end here.
fn clean(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).take(256).collect()
}

fn checked_id(id: &str) -> Result<String, IdentityError> {
    let valid =
        !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if valid {
        Ok(id.to_string())
    } else {
        Err(IdentityError::Invalid {
            key: "id",
            value: clean(id),
            expected: "1 to 64 ASCII letters, digits, `_` or `-`",
        })
    }
}

impl fmt::Display for Identity {
    /// Writes the section's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "abi: {}\nid: {}\nversion: {}\ncodec: {}", self.abi, self.id, self.version, self.codec)?;
        self.authors.iter().try_for_each(|author| writeln!(f, "author: {author}"))?;
        self.dependencies.iter().try_for_each(|dependency| writeln!(f, "dependency: {dependency}"))
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
        }
    }
}

impl core::error::Error for IdentityError {}

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, string::ToString, vec};

    use super::{Identity, IdentityError};

    #[test]
    fn written_and_read_again() {
        let identity = Identity {
            abi: 1,
            id: "a-b_9".to_owned(),
            version: "1.2.3".to_owned(),
            authors: vec!["Ada: the first".to_owned(), "Grace".to_owned()],
            dependencies: vec!["core ^1".to_owned()],
            codec: "bincode".to_owned(),
        };
        assert_eq!(Identity::parse(identity.to_string().as_bytes()), Ok(identity));
    }

    #[test]
    fn unknown_keys_are_skipped_and_a_later_version_is_readable() {
        assert_eq!(Identity::parse_abi(b"colour: red\nabi: 7\n"), Ok(7));
    }

    #[test]
    fn hostile_sections_are_errors() {
        let check = |section: &[u8], expected: &str| {
            let error = Identity::parse(section).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{section:?}: {error}");
        };
        check(&[0xff, 0xfe], "not UTF-8");
        check(b"id: x", "`abi`");
        check(b"abi: one", "should be a number");
        check(b"abi: 1\nversion: 1", "`id`");
        check(b"abi: 1\nid: x", "`version`");
        check(b"abi: 1\nid: ../x\nversion: 1", "ASCII letters");
        check(b"abi: 1\nid: \x1b[31m\nversion: 1", "ASCII letters");
        check(b"nonsense", "line 1");
        check(&[b'a'; 70_000], "70000 bytes");
        assert!(Identity::from_file_name("").is_err());
        assert!(matches!(Identity::parse(&[b'\n'; 10]), Err(IdentityError::Missing("abi"))));
    }
}
