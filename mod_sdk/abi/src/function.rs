//! The functions of a mod, as it states them: lines in a custom section, readable without running the mod.
//!
//! bincode does not describe itself, so a host that believes `u32` where the mod means `f32` would get garbage. A mod says
//! what its functions take and return, and the host compares it with what it expects before the first call. Stating them
//! is optional, for each function and for each type.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{Schema, SchemaDifference, SchemaError, codec::Codec, identity::is_id, names::is_reserved};

/// The most bytes that the sections of a mod may have together.
pub const MAX_FUNCTIONS_BYTES: usize = 256 << 10;
/// The most functions that a mod may state.
pub const MAX_FUNCTIONS: usize = 4096;

/// A function that crosses. As text it is a line of [`FUNCTIONS_SECTION`](crate::names::FUNCTIONS_SECTION): direction,
/// codec, name, signature. The name of a function of another mod has that mod's id and `::` in front.
///
/// ```
/// use mod_abi::{Direction, FunctionDesc};
///
/// let section = "export bincode double ([f64])->[f64]\n\
///     import bincode play_sound (str,f32)->bool\n\
///     import bincode bees::honey (u32)->u32\n";
/// let functions = FunctionDesc::parse_section(section.as_bytes())?;
/// assert_eq!((functions[0].direction, functions[0].name.as_str()), (Direction::Export, "double"));
/// assert_eq!(functions[1].signature.args.len(), 2);
/// assert_eq!(functions[1].to_string(), "import bincode play_sound (str,f32)->bool");
/// assert_eq!((functions[2].mod_id.as_deref(), functions[2].name.as_str()), (Some("bees"), "honey"));
/// # Ok::<_, mod_abi::FunctionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDesc {
    /// Who provides it.
    pub direction: Direction,
    /// How its values become bytes: the same word as in the mod's identity.
    pub codec: String,
    /// The id of the other mod that provides it. None: the host, or for an export the mod itself.
    pub mod_id: Option<String>,
    /// Its name, without leading underscores.
    pub name: String,
    /// What it takes and returns.
    pub signature: Signature,
}

/// Who provides a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The mod.
    Export,
    /// The host, or another mod.
    Import,
}

impl Direction {
    /// The word for it in a line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Import => "import",
        }
    }
}

/// What a function takes and returns. `None` is a type that is not stated, `_` in text.
///
/// ```
/// use mod_abi::{Schema, Signature};
///
/// let signature = Signature::parse("([f64],_)->str")?;
/// assert_eq!(signature.args, [Some(Schema::parse("[f64]")?), None]);
/// assert_eq!(signature.to_string(), "([f64],_)->str");
/// # Ok::<_, mod_abi::SchemaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// The arguments.
    pub args: Vec<Option<Schema>>,
    /// The result. Nothing is the empty tuple.
    pub result: Option<Schema>,
}

impl Signature {
    /// The first difference between what the mod states (`self`) and what the host expects, as the rest of a sentence that
    /// begins with the mod, or `None` when they agree as far as both are stated.
    ///
    /// A single argument that is a tuple is the same as its items. JSON describes itself, so that only what can never fit is
    /// a difference there.
    #[must_use]
    pub fn difference(&self, host: &Self, codec: Codec) -> Option<String> {
        let (mut ours, mut theirs) = (items(&self.args), items(&host.args));
        if ours.len() != theirs.len() {
            (ours, theirs) = (spread(ours), spread(theirs));
        }
        // A single argument that is not known may be a tuple.
        if ours.as_slice() == [None] || theirs.as_slice() == [None] {
            (ours, theirs) = (Vec::new(), Vec::new());
        }
        if ours.len() != theirs.len() {
            return Some(format!("takes {}, but the host passes {}", count(ours.len()), count(theirs.len())));
        }
        let differs = |a: &Option<&Schema>, b: &Option<&Schema>| match codec {
            Codec::Bincode => a.as_ref()?.disagreement(b.as_ref()?),
            Codec::Json | Codec::NanoserdeJson => a.as_ref()?.json_disagreement(b.as_ref()?),
        };
        let arg = ours.iter().zip(&theirs).zip(1_usize..).find_map(|((a, b), number)| {
            let SchemaDifference { in_mod, in_game } = differs(a, b)?;
            let which = if ours.len() > 1 { format!(" as argument {number}") } else { String::new() };
            Some(format!("takes `{in_mod}`{which}, but the host passes `{in_game}`"))
        });
        arg.or_else(|| {
            let SchemaDifference { in_mod, in_game } = differs(&self.result.as_ref(), &host.result.as_ref())?;
            Some(format!("returns `{in_mod}`, but the host expects `{in_game}`"))
        })
    }
}

/// The arguments one by one, where they may stand in a tuple.
fn items(args: &[Option<Schema>]) -> Vec<Option<&Schema>> {
    match args {
        [Some(Schema::Tuple(items))] if items.len() != 1 => items.iter().map(Some).collect(),
        args => args.iter().map(Option::as_ref).collect(),
    }
}

/// A single struct or array as its parts: the other side may mean a tuple.
fn spread(args: Vec<Option<&Schema>>) -> Vec<Option<&Schema>> {
    match args.as_slice() {
        [Some(Schema::Struct(fields))] => fields.iter().map(|(_, field)| Some(field)).collect(),
        [Some(Schema::Array(item, len))] if usize::try_from(*len).is_ok_and(|len| len <= MAX_FUNCTIONS) => {
            (0..*len).map(|_| Some(&**item)).collect()
        }
        _ => args,
    }
}

fn count(args: usize) -> String {
    match args {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

/// A line of the section that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FunctionError {
    /// More than [`MAX_FUNCTIONS_BYTES`].
    TooLong {
        /// The bytes of the section.
        bytes: usize,
    },
    /// More than [`MAX_FUNCTIONS`].
    TooMany,
    /// The same function with other types.
    Twice {
        /// Its name.
        name: String,
    },
    /// Not UTF-8.
    NotText,
    /// Not direction, codec, name and signature.
    Malformed {
        /// Counted from one.
        line: usize,
        /// What was wrong.
        reason: String,
    },
}

impl FunctionDesc {
    /// Reads the content of a functions section. Empty lines are skipped.
    ///
    /// # Errors
    /// When it is too long, not text, or when a line is malformed.
    pub fn parse_section(section: &[u8]) -> Result<Vec<Self>, FunctionError> {
        if section.len() > MAX_FUNCTIONS_BYTES {
            return Err(FunctionError::TooLong { bytes: section.len() });
        }
        let text = core::str::from_utf8(section).map_err(|_| FunctionError::NotText)?;
        let lines = text.lines().zip(1_usize..).filter(|(line, _)| !line.trim().is_empty());
        let mut functions = Vec::new();
        for (line, number) in lines {
            if functions.len() >= MAX_FUNCTIONS {
                return Err(FunctionError::TooMany);
            }
            let function = Self::parse(line).map_err(|reason| FunctionError::Malformed { line: number, reason })?;
            functions.push(function);
        }
        Ok(functions)
    }

    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.splitn(4, ' ');
        let (Some(direction), Some(codec), Some(name), Some(signature)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err("it should be a direction, a codec, a name and a signature".to_owned());
        };
        let direction = match direction {
            "export" => Direction::Export,
            "import" => Direction::Import,
            _ => return Err("it should begin with `export` or `import`".to_owned()),
        };
        let (mod_id, name) = match name.split_once("::") {
            Some((id, name)) if direction == Direction::Import => (Some(id), name),
            _ => (None, name),
        };
        if mod_id.is_some_and(|id| !is_id(id)) {
            return Err("before `::` there should be the id of a mod".to_owned());
        }
        let plain = |word: &str| !word.is_empty() && word.len() <= 256 && !word.chars().any(char::is_control);
        if !plain(codec) || !plain(name) {
            return Err("codec and name should be 1 to 256 characters".to_owned());
        }
        if is_reserved(name) {
            return Err(format!("`{name}` is reserved"));
        }
        let signature = Signature::parse(signature).map_err(|error| error.to_string())?;
        let mod_id = mod_id.map(str::to_owned);
        Ok(Self { direction, codec: codec.to_owned(), mod_id, name: name.to_owned(), signature })
    }
}

impl fmt::Display for FunctionDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, codec, mod_id, name, signature } = self;
        write!(f, "{} {codec} ", direction.name())?;
        mod_id.iter().try_for_each(|id| write!(f, "{id}::"))?;
        write!(f, "{name} {signature}")
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stated = |f: &mut fmt::Formatter<'_>, schema: &Option<Schema>| match schema {
            Some(schema) => write!(f, "{schema}"),
            None => f.write_str("_"),
        };
        f.write_str("(")?;
        for (index, arg) in self.args.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            stated(f, arg)?;
        }
        f.write_str(")->")?;
        stated(f, &self.result)
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "the functions section has {bytes} bytes, more than {MAX_FUNCTIONS_BYTES}")
            }
            Self::TooMany => write!(f, "the functions section states more than {MAX_FUNCTIONS} functions"),
            Self::Twice { name } => write!(f, "the functions section states `{name}` twice, with other types"),
            Self::NotText => write!(f, "the functions section is not UTF-8 text"),
            Self::Malformed { line, reason } => write!(f, "line {line} of the functions section: {reason}"),
        }
    }
}

impl core::error::Error for FunctionError {}

impl Signature {
    /// Reads a signature's text, such as `([f64],_)->str`.
    ///
    /// # Errors
    /// As [`Schema::parse`].
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        crate::schema::parse_signature(text).map(|(args, result)| Self { args, result })
    }
}

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, string::ToString};

    use super::{FunctionDesc, Signature};
    use crate::codec::Codec;

    fn signature(text: &str) -> Signature {
        Signature::parse(text).unwrap_or_else(|error| unreachable!("{text}: {error}"))
    }

    #[test]
    fn written_and_read_again() {
        for text in ["()->()", "(u32)->_", "(_,[f64],{a:(u8,?str)})->{str=>u8}", "((f32,f32))->[u8;4]", "(_)->_"] {
            assert_eq!(signature(text).to_string(), text);
        }
        for line in
            ["import json play_sound (str,f32)->bool", "import json bees::honey (u8)->_", "export json a::b ()->()"]
        {
            let [function] = FunctionDesc::parse_section(line.as_bytes()).unwrap().try_into().unwrap();
            assert_eq!(function.to_string(), line);
        }
    }

    #[test]
    fn differences() {
        for (ours, theirs, expected) in [
            ("([f64])->[f64]", "([f64])->[f64]", None),
            ("(_)->_", "(u8)->str", None),
            ("(_)->_", "(u8,u8)->str", None),
            ("(u8,u8)->_", "(_)->str", None),
            ("(_,u8)->_", "(u8,u8)->str", None),
            ("(_)->u8", "(u8,u8)->str", Some("returns `u8`, but the host expects `str`")),
            ("(f32,f32)->()", "((f32,f32))->()", None),
            ("((f32,f32))->()", "(f32,f32)->()", None),
            ("()->()", "(())->()", None),
            ("(entity,duration)->(u8)", "(u64,{secs:u64,nanos:u32})->u8", None),
            ("({x:f32,y:f32})->[u8;2]", "((f32,f32))->(u8,u8)", None),
            ("(<A|B((u8,u8))>)->?u8", "(<A|B((u8,u8))>)->?u8", None),
            ("(f32)->()", "(u32)->()", Some("takes `f32`, but the host passes `u32`")),
            ("(u8,f32)->()", "(u8,u32)->()", Some("takes `f32` as argument 2, but the host passes `u32`")),
            ("(u8)->f32", "(u8)->?f32", Some("returns `f32`, but the host expects `?f32`")),
            ("(u8,u8)->()", "(u8)->()", Some("takes 2 arguments, but the host passes 1 argument")),
            ("()->()", "(u8)->()", Some("takes no arguments, but the host passes 1 argument")),
            ("({a:u8,b:u8})->()", "({b:u8,a:u8})->()", Some("takes `a: u8`, but the host passes `b: u8`")),
            ("(<A|B>)->()", "(<B|A>)->()", Some("takes `A`, but the host passes `B`")),
            ("([u8;2])->()", "([u8])->()", Some("takes `[u8;2]`, but the host passes `[u8]`")),
        ] {
            let difference = signature(ours).difference(&signature(theirs), Codec::Bincode);
            assert_eq!(difference, expected.map(str::to_owned), "{ours} {theirs}");
        }
    }

    #[test]
    fn differences_in_json() {
        for (ours, theirs, expected) in [
            ("({a:u8,b:?str})->f32", "({b:str,a:i64})->u8", None),
            ("({a:u8,only:u8})->()", "({a:u8})->()", None),
            ("({x:f32,y:f32})->[u8;2]", "((f32,f32))->[f64]", None),
            ("((f64))->char", "(f64)->str", None),
            ("(<A|B(u8)|C>)->{u8=>str}", "(<B(i8)|D>)->{str=>str}", None),
            ("(duration)->()", "({secs:u64,nanos:u32})->()", None),
            ("(f32)->()", "(str)->()", Some("takes `f32`, but the host passes `str`")),
            ("({a:[u8]})->()", "({a:bool})->()", Some("takes `a: [u8]`, but the host passes `a: bool`")),
            ("(<A(u8)>)->()", "(<A(str)>)->()", Some("takes `A: u8`, but the host passes `A: str`")),
            ("(u8)->?<A>", "(u8)->[u8]", Some("returns `<A>`, but the host expects `[u8]`")),
            ("(u8,u8)->()", "(u8)->()", Some("takes 2 arguments, but the host passes 1 argument")),
        ] {
            for codec in [Codec::Json, Codec::NanoserdeJson] {
                let difference = signature(ours).difference(&signature(theirs), codec);
                assert_eq!(difference, expected.map(str::to_owned), "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn hostile_sections_are_errors() {
        for (section, expected) in [
            (&b"\xff"[..], "not UTF-8"),
            (b"nonsense", "line 1 of the functions section: it should be"),
            (b"export bincode double", "line 1"),
            (b"\n\ngive bincode x ()->()", "line 3 of the functions section: it should begin"),
            (b"export bincode x ()->", "not a schema, at byte 4"),
            (b"export bincode x ()->() ", "not a schema, at byte 6"),
            (b"export bincode mod_run ()->()", "`mod_run` is reserved"),
            (b"export bincode a\x07b ()->()", "characters"),
            (b"export bincode x ([()])->()", "not a schema"),
            (b"import bincode ::x ()->()", "the id of a mod"),
            (b"import bincode b\xc3\xa4::x ()->()", "the id of a mod"),
            (b"import bincode bees:: ()->()", "characters"),
            (b"import bincode bees::mod_run ()->()", "`mod_run` is reserved"),
        ] {
            let error = FunctionDesc::parse_section(section).unwrap_err().to_string();
            assert!(error.contains(expected), "{section:?}: {error}");
        }
        let deep = ["export bincode x (", &"?".repeat(100), "u8)->()"].concat();
        assert!(FunctionDesc::parse_section(deep.as_bytes()).is_err());
        assert!(FunctionDesc::parse_section("export bincode x ()->()\n".repeat(5_000).as_bytes()).is_err());
        assert!(FunctionDesc::parse_section(&[b'\n'; 300_000]).is_err());
    }
}
