//! The game's functions as `#[import]`s. Their types are serde's, so they are mirrored where both sides write the same.

use std::collections::BTreeSet;

use mod_abi::{Leaf, Schema, names::is_reserved};
use mod_host::{GameApi, OfferedFunction};

use super::{
    names::ident,
    parts::{Reason, Spelled, Traits, of_math, tuple},
    plan::Plan,
    rust_type::RustType,
};

/// The most arguments that an `#[import]` can have.
const MAX_ARGUMENTS: usize = 12;

/// A function.
#[derive(Debug)]
pub(super) struct FunctionItem<'a> {
    pub(super) offered: &'a OfferedFunction,
    /// `fn name(arg: u8) -> u8`, or why there is none.
    pub(super) signature: Result<String, Reason>,
    /// The paths of types that it needs serde for.
    pub(super) serde: BTreeSet<String>,
}

/// All functions of a game.
pub(super) fn plan<'a>(api: &'a GameApi, plan: &Plan<'a>) -> Vec<FunctionItem<'a>> {
    let function = |offered: &'a OfferedFunction| {
        let mut spelling = Spelling { api, plan, serde: BTreeSet::new() };
        let signature = spelling.signature(offered);
        let serde = if signature.is_ok() { spelling.serde } else { BTreeSet::new() };
        FunctionItem { offered, signature, serde }
    };
    api.functions.iter().map(function).collect()
}

struct Spelling<'a, 'p> {
    api: &'a GameApi,
    plan: &'p Plan<'a>,
    serde: BTreeSet<String>,
}

/// A type of a function, and what its bytes are, where that is known.
struct Of {
    spelled: Spelled,
    schema: Option<Schema>,
}

impl Spelling<'_, '_> {
    fn signature(&mut self, offered: &OfferedFunction) -> Result<String, Reason> {
        let name = ident(&offered.name).filter(|_| !is_reserved(&offered.name) && !offered.name.starts_with("__"));
        let name = name.ok_or("its name is none of Rust")?;
        let unknown = || "the file does not say what it takes".to_owned();
        let takes = offered.takes.as_deref().ok_or_else(unknown)?;
        let parsed = RustType::parse(takes).ok_or_else(|| format!("`{takes}` is nothing that a mod can write down"))?;
        let is_single = offered.args.as_ref().is_some_and(|args| args.len() == 1);
        let args = match parsed {
            RustType::Tuple(items) if !is_single => items,
            single => vec![single],
        };
        if args.len() > MAX_ARGUMENTS {
            return Err(format!("an `#[import]` can have {MAX_ARGUMENTS} arguments at most"));
        }
        let mut texts = Vec::new();
        for (index, arg) in args.iter().enumerate() {
            let of = self.spell(arg)?;
            let stated = offered.args.as_ref().filter(|stated| stated.len() == args.len());
            let stated = stated.and_then(|stated| stated.get(index));
            if let (Some(stated), Some(own)) = (stated, &of.schema)
                && let Some(found) = own.disagreement(stated)
            {
                return Err(format!("serde writes `{}` where reflection sees `{}`", found.in_game, found.in_mod));
            }
            texts.push(format!("arg{}: {}", index + 1, of.spelled.text));
        }
        let returns = offered.returns.as_deref().ok_or("the file does not say what it returns")?;
        let result =
            RustType::parse(returns).ok_or_else(|| format!("`{returns}` is nothing that a mod can write down"))?;
        let result = self.spell(&result)?.spelled.text;
        let result = match (offered.ticket, result.as_str()) {
            (true, result) => format!(" -> Ticket<{result}>"),
            (false, "()") => String::new(),
            (false, result) => format!(" -> {result}"),
        };
        Ok(format!("fn {name}({}){result}", texts.join(", ")))
    }

    fn spell(&mut self, ty: &RustType) -> Result<Of, Reason> {
        match ty {
            RustType::Tuple(items) => {
                let items = items.iter().map(|item| self.spell(item)).collect::<Result<Vec<_>, _>>()?;
                let schema = items.iter().map(|item| item.schema.clone()).collect::<Option<_>>().map(Schema::Tuple);
                let items: Vec<_> = items.into_iter().map(|item| item.spelled).collect();
                Ok(Of { spelled: tuple(&items), schema })
            }
            RustType::Array(item, len) => {
                let item = self.spell(item)?;
                let text = format!("[{}; {len}]", item.spelled.text);
                // As far as serde goes.
                if *len > 32 {
                    return Err("serde knows no arrays of more than 32".to_owned());
                }
                Ok(Of {
                    spelled: Spelled { text, ..item.spelled },
                    schema: item.schema.map(|item| Schema::Array(item.into(), *len)),
                })
            }
            RustType::Path(path, parameters) => self.path(path, parameters),
        }
    }

    fn path(&mut self, path: &str, parameters: &[RustType]) -> Result<Of, Reason> {
        let name = path.rsplit("::").next().unwrap_or(path);
        let of_std = ["alloc::", "core::", "std::", "bevy_platform::", "hashbrown::"]
            .iter()
            .any(|start| path.starts_with(start));
        let leaf = |text: &str, leaf| {
            Ok(Of {
                spelled: Spelled {
                    text: text.to_owned(),
                    traits: Traits { eq: !matches!(leaf, Leaf::F32 | Leaf::F64), ..Traits::ALL },
                },
                schema: Some(Schema::Leaf(leaf)),
            })
        };
        match (name, parameters) {
            ("String", []) if of_std => return leaf("String", Leaf::Str),
            ("Duration", []) if of_std => return leaf("Duration", Leaf::Duration),
            ("Entity", []) if path.starts_with("bevy_ecs::") => return leaf("Entity", Leaf::Entity),
            ("usize", []) if name == path => return leaf("usize", Leaf::U64),
            ("isize", []) if name == path => return leaf("isize", Leaf::I64),
            (_, []) if name == path => {
                if let Ok(Schema::Leaf(known)) = Schema::parse(name)
                    && !matches!(known, Leaf::Str | Leaf::Entity | Leaf::Duration)
                {
                    return leaf(name, known);
                }
            }
            ("Option" | "Vec" | "VecDeque" | "Box" | "HashSet" | "BTreeSet", [item, ..]) if of_std => {
                let item = self.spell(item)?;
                let is_set = name.ends_with("Set") && item.spelled.traits.eq;
                let text = match name {
                    "Option" => format!("Option<{}>", item.spelled.text),
                    "Box" => item.spelled.text.clone(),
                    _ if is_set => format!("HashSet<{}>", item.spelled.text),
                    _ => format!("Vec<{}>", item.spelled.text),
                };
                let schema = item.schema.map(|schema| match name {
                    "Option" => Schema::Option(schema.into()),
                    "Box" => schema,
                    _ => Schema::List(schema.into()),
                });
                let eq = item.spelled.traits.eq && !is_set;
                return Ok(Of { spelled: Spelled { text, traits: Traits { eq, ..item.spelled.traits } }, schema });
            }
            ("HashMap" | "BTreeMap", [key, value, ..]) if of_std => {
                let (key, value) = (self.spell(key)?, self.spell(value)?);
                if !key.spelled.traits.eq {
                    return Err(format!("the keys of `{path}` cannot be compared in a mod"));
                }
                let text = format!("HashMap<{}, {}>", key.spelled.text, value.spelled.text);
                let schema = key.schema.zip(value.schema).map(|(key, value)| Schema::Map(key.into(), value.into()));
                return Ok(Of { spelled: Spelled { text, traits: Traits { eq: false, ..Traits::ALL } }, schema });
            }
            ("Result", [value, error]) if of_std => {
                let (value, error) = (self.spell(value)?.spelled.text, self.spell(error)?.spelled.text);
                let spelled =
                    Spelled { text: format!("Result<{value}, {error}>"), traits: Traits { eq: false, ..Traits::ALL } };
                return Ok(Of { spelled, schema: None });
            }
            _ => {}
        }
        if let Some(math) = of_math(path) {
            let schema =
                self.api.types.iter().find(|ty| of_math(&ty.path) == Some(math)).and_then(|ty| ty.schema.clone());
            return Ok(Of {
                spelled: Spelled { text: math.to_owned(), traits: Traits { eq: false, ..Traits::ALL } },
                schema,
            });
        }
        let ty = self.api.ty(path).filter(|_| parameters.is_empty());
        let ty = ty.ok_or_else(|| format!("the file does not say what `{path}` is made of"))?;
        let spelled = self.plan.spell(path)?;
        if !spelled.traits.serde {
            return Err(format!("`{path}` holds what serde writes otherwise in a game than in a mod"));
        }
        self.serde.insert(path.to_owned());
        Ok(Of { spelled, schema: ty.schema.clone() })
    }
}
