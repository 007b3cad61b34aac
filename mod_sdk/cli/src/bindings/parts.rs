//! How a type of the game is spelled in a mod, by what it is made of.

use mod_abi::{Leaf, Schema};
use mod_host::{GameApi, TypeApi, TypeForm};

/// The most items of a tuple that can cross.
const MAX_TUPLE: usize = 8;

/// The types of glam that the SDK knows.
const MATH: &[&str] = &[
    "DMat3", "DMat4", "DQuat", "DVec2", "DVec3", "DVec4", "IVec2", "IVec3", "IVec4", "Mat2", "Mat3", "Mat4", "Quat",
    "UVec2", "UVec3", "UVec4", "Vec2", "Vec3", "Vec4",
];

/// What every mod has of the SDK: the types of Bevy by their paths, and how they are written.
const SDK: &[(&str, &str)] = &[
    ("bevy_transform::components::transform::Transform", "Transform"),
    ("bevy_ecs::hierarchy::ChildOf", "ChildOf"),
    ("bevy_time::time::Time<()>", "Time"),
    ("bevy_time::time::Time<bevy_time::real::Real>", "Time<Real>"),
    ("bevy_time::time::Time<bevy_time::virt::Virtual>", "Time<Virtual>"),
    ("bevy_time::time::Time<bevy_time::fixed::Fixed>", "Time<Fixed>"),
    ("bevy_input::button_input::ButtonInput<bevy_input::keyboard::KeyCode>", "ButtonInput<KeyCode>"),
    ("bevy_input::button_input::ButtonInput<bevy_input::mouse::MouseButton>", "ButtonInput<MouseButton>"),
];

/// The type of the SDK that stands for one of the game's.
pub(super) fn of_sdk(path: &str) -> Option<&'static str> {
    SDK.iter().find(|(known, _)| *known == path).map(|(_, name)| *name)
}

/// The type of glam, if the SDK has it.
pub(super) fn of_math(path: &str) -> Option<&str> {
    let name = path.rsplit_once("::").filter(|(module, _)| module.starts_with("glam"))?.1;
    MATH.contains(&name).then_some(name)
}

/// What a value of a type can do besides crossing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    /// `Copy`.
    pub(super) copy: bool,
    /// `Eq` and `Hash`, so that it can be a key.
    pub(super) eq: bool,
    /// Whether serde writes it in a mod as in the game, as far as is known.
    pub(super) serde: bool,
}

impl Traits {
    pub(super) const ALL: Self = Self { copy: true, eq: true, serde: true };

    pub(super) fn and(self, other: Self) -> Self {
        Self { copy: self.copy && other.copy, eq: self.eq && other.eq, serde: self.serde && other.serde }
    }
}

/// A type as a mod writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelled {
    pub(super) text: String,
    pub(super) traits: Traits,
}

/// Why something has no mirror: the end of a sentence.
pub(super) type Reason = String;

/// Spells types. What is to be mirrored under a name of its own, `mirror` knows: its name, or why it has none.
pub(super) struct Speller<'a, F> {
    pub(super) api: &'a GameApi,
    pub(super) mirror: F,
}

impl<F: FnMut(&TypeApi) -> Result<Spelled, Reason>> Speller<'_, F> {
    /// The type of that path.
    pub(super) fn spell(&mut self, path: &str) -> Result<Spelled, Reason> {
        let Some(ty) = self.api.ty(path) else {
            // What Rust itself has needs no entry.
            return match primitive(path) {
                Some(schema) => leaf(path, &schema),
                None => Err(format!("the file does not say what `{path}` is")),
            };
        };
        let Some(schema) = &ty.schema else {
            return Err(ty.unsupported.clone().unwrap_or_else(|| format!("`{path}` cannot cross")));
        };
        let no_copy =
            |spelled: Spelled, text: String| Spelled { text, traits: Traits { copy: false, ..spelled.traits } };
        // Collections of the standard library can be compared, but not be keys in all of their forms.
        let no_key = |traits: Traits| Traits { copy: false, eq: false, ..traits };
        if let Some(name) = of_math(path) {
            let eq = name.starts_with(['I', 'U']);
            return Ok(Spelled { text: name.to_owned(), traits: Traits { eq, ..Traits::ALL } });
        }
        Ok(match &ty.form {
            TypeForm::Leaf => leaf(path, schema)?,
            TypeForm::Handle { .. } => {
                Spelled { text: "String".to_owned(), traits: Traits { copy: false, eq: true, serde: false } }
            }
            TypeForm::Option { item } => {
                let item = self.spell(item)?;
                Spelled { text: format!("Option<{}>", item.text), traits: item.traits }
            }
            TypeForm::List { item } => {
                let item = self.spell(item)?;
                let text = format!("Vec<{}>", item.text);
                no_copy(item, text)
            }
            TypeForm::Array { item, len } => {
                let item = self.spell(item)?;
                Spelled { text: format!("[{}; {len}]", item.text), traits: item.traits }
            }
            TypeForm::Set { item } => {
                let item = self.spell(item)?;
                // It crosses as a list.
                let text =
                    if item.traits.eq { format!("HashSet<{}>", item.text) } else { format!("Vec<{}>", item.text) };
                Spelled { text, traits: no_key(item.traits) }
            }
            TypeForm::Map { key, value } => {
                let (name, key, value) = (key, self.spell(key)?, self.spell(value)?);
                if !key.traits.eq {
                    return Err(format!("its keys `{name}` cannot be compared in a mod"));
                }
                let is_ordered =
                    path.contains("BTreeMap") && self.api.ty(name).is_some_and(|ty| ty.form == TypeForm::Leaf);
                let map = if is_ordered { "BTreeMap" } else { "HashMap" };
                let text = format!("{map}<{}, {}>", key.text, value.text);
                Spelled { text, traits: no_key(key.traits.and(value.traits)) }
            }
            TypeForm::Tuple { fields } if path.starts_with('(') => {
                if fields.len() > MAX_TUPLE {
                    return Err(format!("a tuple of more than {MAX_TUPLE} cannot cross"));
                }
                let items = fields.iter().map(|field| self.spell(&field.ty)).collect::<Result<Vec<_>, _>>()?;
                tuple(&items)
            }
            TypeForm::Struct { .. } | TypeForm::Tuple { .. } | TypeForm::Enum { .. } => match of_sdk(path) {
                // Of the clocks and keys a mod has views, which stand in nothing else.
                Some(name) if !name.contains("Time") && !name.contains("Input") => {
                    let traits = Traits { copy: true, eq: false, serde: false };
                    Spelled { text: name.to_owned(), traits }
                }
                _ => (self.mirror)(ty)?,
            },
            _ => return Err(format!("`{path}` is nothing that a mod can write down")),
        })
    }
}

/// The number or the like that Rust calls so.
pub(crate) fn primitive(path: &str) -> Option<Schema> {
    match path {
        "usize" => return Some(Schema::Leaf(Leaf::U64)),
        "isize" => return Some(Schema::Leaf(Leaf::I64)),
        // These are words of schemas alone.
        "entity" | "duration" | "str" => return None,
        _ => {}
    }
    Schema::parse(path).ok().filter(|schema| matches!(schema, Schema::Leaf(_)))
}

/// Items in a tuple.
pub(super) fn tuple(items: &[Spelled]) -> Spelled {
    let traits = items.iter().fold(Traits::ALL, |all, item| all.and(item.traits));
    let texts: Vec<_> = items.iter().map(|item| item.text.as_str()).collect();
    let text = match texts.as_slice() {
        [only] => format!("({only},)"),
        all => format!("({})", all.join(", ")),
    };
    Spelled { text, traits }
}

fn leaf(path: &str, schema: &Schema) -> Result<Spelled, Reason> {
    let Schema::Leaf(leaf) = schema else { return Err(format!("`{path}` is nothing that a mod can write down")) };
    let text = match leaf {
        Leaf::Str => "String",
        Leaf::Entity => "Entity",
        Leaf::Duration => "Duration",
        // They cross as 64 bits, and are what they are on each side.
        Leaf::U64 if path == "usize" => "usize",
        Leaf::I64 if path == "isize" => "isize",
        other => other.name(),
    };
    let (copy, eq) = (*leaf != Leaf::Str, !matches!(leaf, Leaf::F32 | Leaf::F64));
    Ok(Spelled { text: text.to_owned(), traits: Traits { copy, eq, serde: true } })
}
