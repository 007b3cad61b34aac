//! The text of the module.

use std::{collections::BTreeSet, fmt::Write};

use mod_host::{FieldApi, GameApi, OfferedType, TypeApi, TypeForm};

use super::{
    functions::FunctionItem,
    names::ident,
    parts::Traits,
    plan::{Body, Item, Plan, Role},
};
use crate::terminal::{verb, visible};

/// What the module may name, and where it is from. Only what is named is imported.
const IMPORTS: &[(&str, &[&str])] = &[
    ("std::collections", &["BTreeMap", "HashMap", "HashSet"]),
    ("std::time", &["Duration"]),
    (
        "mod_sdk::prelude",
        &[
            "ChildOf",
            "Component",
            "DMat3",
            "DMat4",
            "DQuat",
            "DVec2",
            "DVec3",
            "DVec4",
            "Deserialize",
            "Entity",
            "Event",
            "GameSet",
            "IVec2",
            "IVec3",
            "IVec4",
            "Mat2",
            "Mat3",
            "Mat4",
            "Message",
            "Quat",
            "Reflect",
            "Resource",
            "Serialize",
            "States",
            "Ticket",
            "Transform",
            "UVec2",
            "UVec3",
            "UVec4",
            "Vec2",
            "Vec3",
            "Vec4",
            "import",
        ],
    ),
];

/// The whole module.
pub(super) fn module(api: &GameApi, plan: &Plan<'_>, functions: &[FunctionItem<'_>]) -> String {
    let serde = with_parts(functions.iter().flat_map(|function| function.serde.iter().cloned()), api);
    let mut body = String::new();
    for item in &plan.items {
        body.push('\n');
        body.push_str(&of_item(item, plan, serde.contains(item.path)));
    }
    for function in functions {
        body.push('\n');
        body.push_str(&of_function(function));
    }
    for set in &api.sets {
        if let Some(name) = ident(&set.name.to_uppercase().replace(['-', ' ', ':'], "_")) {
            let _ = write!(
                body,
                "\n/// Systems of the game that systems of mods can be ordered by.\npub const {name}: GameSet = GameSet({:?});\n",
                set.name
            );
        }
    }
    let mut text = head(api);
    text.push_str(&imports(&body));
    text.push_str(&body);
    if !plan.of_sdk.is_empty() {
        text.push_str("\n// The SDK has these types of the game:\n");
        for (path, name) in &plan.of_sdk {
            let _ = writeln!(text, "// - {}: `{name}`", visible(path));
        }
    }
    let of_functions = functions
        .iter()
        .filter_map(|function| Some((function.offered.name.as_str(), function.signature.as_ref().err()?)));
    let types = plan.left_out.iter().map(|(path, reason)| (*path, reason));
    let left_out: Vec<_> = types.chain(of_functions).collect();
    if !left_out.is_empty() {
        text.push_str("\n// These cannot be mirrored:\n");
        for (name, reason) in left_out {
            let _ = writeln!(text, "// - {}: {}", visible(name), visible(reason));
        }
    }
    text
}

fn head(api: &GameApi) -> String {
    let game =
        api.game.as_ref().map_or_else(|| "a game".to_owned(), |game| format!("`{}` {}", visible(&game.id), game.api));
    format!(
        "//! What {game} offers to mods. Made by `cargo wasm-mod bindings` from its `game-api.json`: make it anew instead of\n\
         //! changing it.\n\
         #![allow(dead_code, missing_docs, clippy::all, reason = \"a mod uses what it needs of it\")]\n\n"
    )
}

fn imports(body: &str) -> String {
    let words: BTreeSet<&str> = body.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let mut text = String::new();
    for (module, names) in IMPORTS {
        let used: Vec<_> = names.iter().copied().filter(|name| words.contains(name)).collect();
        match used.as_slice() {
            [] => {}
            [only] => text.push_str(&format!("use {module}::{only};\n")),
            several => text.push_str(&format!("use {module}::{{{}}};\n", several.join(", "))),
        }
    }
    text
}

/// Paths of types and all that they are made of.
fn with_parts(paths: impl Iterator<Item = String>, api: &GameApi) -> BTreeSet<String> {
    let (mut all, mut open) = (BTreeSet::new(), paths.collect::<Vec<_>>());
    while let Some(path) = open.pop() {
        let Some(ty) = api.ty(&path) else { continue };
        if !all.insert(path) {
            continue;
        }
        let of_fields = |fields: &[FieldApi]| fields.iter().map(|field| field.ty.clone()).collect::<Vec<_>>();
        match &ty.form {
            TypeForm::Struct { fields } | TypeForm::Tuple { fields } => open.extend(of_fields(fields)),
            TypeForm::Enum { variants } => open.extend(variants.iter().flat_map(|variant| of_fields(&variant.fields))),
            TypeForm::Option { item }
            | TypeForm::List { item }
            | TypeForm::Set { item }
            | TypeForm::Array { item, .. } => {
                open.push(item.clone());
            }
            TypeForm::Map { key, value } => open.extend([key.clone(), value.clone()]),
            _ => {}
        }
    }
    all
}

/// Documentation, with the game's words first.
fn docs(indent: &str, words: Option<&str>, more: &[String]) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        // Blocks of code are the game's, and no tests of the mod.
        let line = visible(line);
        let line = if line.trim() == "```" || line.trim() == "```rust" { "```text" } else { line.trim_end() };
        let _ = writeln!(text, "{indent}///{}{line}", if line.is_empty() { "" } else { " " });
    };
    let mut in_code = false;
    for words in words.into_iter().flat_map(str::lines) {
        if words.trim_start().starts_with("```") {
            line(if in_code { "``` " } else { "```text" });
            in_code = !in_code;
        } else {
            line(words);
        }
    }
    if words.is_some() && !more.is_empty() {
        line("");
    }
    more.iter().for_each(|more| line(more));
    text
}

fn of_item(item: &Item<'_>, plan: &Plan<'_>, is_for_serde: bool) -> String {
    let Item { role, name, path, ty, offer, body } = item;
    let mut more = vec![format!("The game's `{}`.", visible(path).replace('`', "'"))];
    more.extend(offer.iter().flat_map(|offer| refusals(offer)));
    match body {
        Body::Part(_) => more.push("Only the fields that can cross are here.".to_owned()),
        Body::Filter => more.push("It is for filters: nothing of it is here.".to_owned()),
        Body::Whole | Body::Values(_) => {}
    }
    let mut text = docs("", ty.and_then(|ty| ty.docs.as_deref()), &more);
    let traits = match body {
        Body::Whole => plan.traits(path).unwrap_or(Traits { copy: false, eq: false, serde: false }),
        Body::Part(_) => Traits { copy: false, eq: false, serde: false },
        Body::Filter | Body::Values(_) => Traits::ALL,
    };
    let mut derives = vec![role.name(), "Debug", "Clone"];
    derives.extend(traits.copy.then_some("Copy"));
    derives.push("PartialEq");
    derives.extend(traits.eq.then_some(["Eq", "Hash"]).into_iter().flatten());
    derives
        .extend((is_for_serde && *body == Body::Whole).then_some(["Serialize", "Deserialize"]).into_iter().flatten());
    let _ = writeln!(text, "#[derive({})]", derives.join(", "));
    if let Some(attribute) = role.attribute() {
        let part = if matches!(body, Body::Part(_) | Body::Filter) { ", partial" } else { "" };
        let _ = writeln!(text, "#[{attribute}(path = {path:?}{part})]");
    }
    if is_for_serde && *body == Body::Whole {
        text.push_str("#[serde(crate = \"mod_sdk::serde\")]\n");
    }
    match body {
        Body::Filter => text.push_str(&format!("pub struct {name} {{}}\n")),
        Body::Part(fields) => text.push_str(&structure(name, fields.iter().copied(), plan)),
        Body::Values(values) => {
            let of_type = ty.map(|ty| &ty.form);
            let _ = writeln!(text, "pub enum {name} {{");
            for value in *values {
                let found = match of_type {
                    Some(TypeForm::Enum { variants }) => variants.iter().find(|variant| variant.name == *value),
                    _ => None,
                };
                text.push_str(&docs("    ", found.and_then(|found| found.docs.as_deref()), &[]));
                let _ = writeln!(text, "    {},", ident(value).unwrap_or_default());
            }
            text.push_str("}\n");
        }
        Body::Whole => text.push_str(&ty.map(|ty| whole(name, ty, plan)).unwrap_or_default()),
    }
    debug_assert!(*role != Role::States || matches!(body, Body::Values(_)));
    text
}

/// What mods cannot do, in whole sentences.
fn refusals(offer: &OfferedType) -> Vec<String> {
    let mut by_reason: Vec<(String, Vec<&str>)> = Vec::new();
    for (access, reason) in &offer.cannot {
        let reason = visible(reason);
        match by_reason.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, words)) => words.push(verb(*access)),
            None => by_reason.push((reason, vec![verb(*access)])),
        }
    }
    by_reason.into_iter().map(|(reason, words)| format!("Mods cannot {} it: {reason}.", words.join(", "))).collect()
}

fn whole(name: &str, ty: &TypeApi, plan: &Plan<'_>) -> String {
    match &ty.form {
        TypeForm::Struct { fields } if fields.is_empty() => format!("pub struct {name};\n"),
        TypeForm::Struct { fields } => {
            format!("pub struct {name} {{\n{}}}\n", named(fields.iter(), "pub ", "    ", plan))
        }
        TypeForm::Tuple { fields } => format!("pub struct {name}({});\n", unnamed(fields, "pub ", plan)),
        TypeForm::Enum { variants } => {
            let mut text = format!("pub enum {name} {{\n");
            for variant in variants {
                text.push_str(&docs("    ", variant.docs.as_deref(), &[]));
                let name = ident(&variant.name).unwrap_or_default();
                let _ = match variant.fields.first() {
                    None => writeln!(text, "    {name},"),
                    Some(FieldApi { name: None, .. }) => {
                        writeln!(text, "    {name}({}),", unnamed(&variant.fields, "", plan))
                    }
                    Some(_) => {
                        writeln!(text, "    {name} {{\n{}    }},", named(variant.fields.iter(), "", "        ", plan))
                    }
                };
            }
            text + "}\n"
        }
        _ => String::new(),
    }
}

fn structure<'a>(name: &str, fields: impl Iterator<Item = &'a FieldApi>, plan: &Plan<'_>) -> String {
    format!("pub struct {name} {{\n{}}}\n", named(fields, "pub ", "    ", plan))
}

fn named<'a>(fields: impl Iterator<Item = &'a FieldApi>, visibility: &str, indent: &str, plan: &Plan<'_>) -> String {
    let mut text = String::new();
    for field in fields {
        text.push_str(&docs(indent, field.docs.as_deref(), &[]));
        let name = field.name.as_deref().and_then(ident).unwrap_or_default();
        let _ = writeln!(text, "{indent}{visibility}{name}: {},", spelled(field, plan));
    }
    text
}

fn unnamed(fields: &[FieldApi], visibility: &str, plan: &Plan<'_>) -> String {
    fields.iter().map(|field| format!("{visibility}{}", spelled(field, plan))).collect::<Vec<_>>().join(", ")
}

/// The plan has looked at every field that is written.
fn spelled(field: &FieldApi, plan: &Plan<'_>) -> String {
    plan.spell(&field.ty)
        .map(|spelled| spelled.text)
        .unwrap_or_else(|reason| format!("() /* {} */", visible(&reason).replace("*/", "")))
}

fn of_function(function: &FunctionItem<'_>) -> String {
    let offered = function.offered;
    let of_game =
        |text: &Option<String>| text.as_deref().map(|text| visible(text).replace('`', "'")).unwrap_or_default();
    let more =
        format!("In the game it takes `{}` and returns `{}`.", of_game(&offered.takes), of_game(&offered.returns));
    function
        .signature
        .as_ref()
        .map(|signature| format!("{}#[import]\npub {signature};\n", docs("", None, &[more])))
        .unwrap_or_default()
}
