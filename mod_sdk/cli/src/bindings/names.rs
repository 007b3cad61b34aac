//! Names of Rust for what a game calls otherwise: identifiers that are some, and each only once.

use std::collections::{BTreeMap, BTreeSet};

/// Words of Rust that stand for themselves only as `r#word`.
const WORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that are never names.
const NEVER: &[&str] = &["_", "Self", "crate", "self", "super"];

/// What the module itself names, so that no type of a game may be called so.
pub(super) const TAKEN: &[&str] = &[
    "BTreeMap",
    "Box",
    "Clone",
    "Component",
    "Copy",
    "DMat3",
    "DMat4",
    "DQuat",
    "DVec2",
    "DVec3",
    "DVec4",
    "Debug",
    "Deserialize",
    "Duration",
    "Entity",
    "Eq",
    "Event",
    "GameSet",
    "Hash",
    "HashMap",
    "HashSet",
    "IVec2",
    "IVec3",
    "IVec4",
    "Mat2",
    "Mat3",
    "Mat4",
    "Message",
    "Ok",
    "Err",
    "None",
    "Option",
    "PartialEq",
    "Quat",
    "Reflect",
    "Resource",
    "Result",
    "Serialize",
    "Some",
    "States",
    "String",
    "Ticket",
    "Transform",
    "ChildOf",
    "UVec2",
    "UVec3",
    "UVec4",
    "Vec",
    "Vec2",
    "Vec3",
    "Vec4",
];

/// Whether a text can stand as an identifier. A raw one is one, too.
pub(super) fn is_ident(text: &str) -> bool {
    let bare = text.strip_prefix("r#").unwrap_or(text);
    let is_raw = bare.len() < text.len();
    let mut chars = bare.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
        && !NEVER.contains(&bare)
        && (is_raw || !WORDS.contains(&bare))
}

/// A name as an identifier, if it can be one.
pub(super) fn ident(name: &str) -> Option<String> {
    let raw = || format!("r#{name}");
    if is_ident(name) {
        Some(name.to_owned())
    } else {
        Some(raw()).filter(|raw| WORDS.contains(&name) && is_ident(raw))
    }
}

/// A path's name without its modules, with those of its parameters: `Cell<a::Gold>` is `CellGold`.
fn base(path: &str) -> String {
    let words = path.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    words.filter_map(|word| word.rsplit("::").next()).map(capital).collect()
}

/// The modules of a path, the innermost first.
fn modules(path: &str) -> Vec<String> {
    let head = path.split('<').next().unwrap_or(path);
    let mut modules: Vec<_> = head.split("::").map(|module| module.split('_').map(capital).collect()).collect();
    modules.pop();
    modules.reverse();
    modules
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A name for each path and word of what it is: the path's last part, with as many of its modules in front as tell it from the
/// others.
pub(super) fn unique(wanted: &[(&str, &'static str)]) -> Vec<String> {
    let mut names: Vec<String> = wanted.iter().map(|(path, _)| base(path)).collect();
    for depth in 0..8 {
        let twice = twice(&names);
        for (name, (path, _)) in names.iter_mut().zip(wanted) {
            if twice.contains(name.as_str())
                && let Some(module) = modules(path).get(depth)
            {
                *name = format!("{module}{name}");
            }
        }
    }
    let also = twice(&names);
    for (name, (_, what)) in names.iter_mut().zip(wanted) {
        if also.contains(name.as_str()) {
            name.push_str(what);
        }
    }
    let mut seen = BTreeMap::new();
    for name in &mut names {
        let number = seen.entry(name.clone()).or_insert(0_u32);
        *number += 1;
        if *number > 1 {
            name.push_str(&number.to_string());
        }
    }
    names
}

/// The names that more than one has, or that are taken.
fn twice(names: &[String]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let again = names.iter().filter(|name| TAKEN.contains(&name.as_str()) || !seen.insert(*name));
    again.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{ident, is_ident, unique};

    #[test]
    fn identifiers_are_some() {
        for (name, expected) in [
            ("height", Some("height")),
            ("type", Some("r#type")),
            ("r#type", Some("r#type")),
            ("größe", Some("größe")),
            ("self", None),
            ("two words", None),
            ("a;b", None),
            ("1st", None),
            ("", None),
        ] {
            assert_eq!(ident(name).as_deref(), expected, "{name}");
        }
        assert!(!is_ident("r#self") && !is_ident("fn"));
    }

    #[test]
    fn names_are_told_apart() {
        let names = unique(&[
            ("game::Tree", ""),
            ("game::field::Rooted", ""),
            ("game::twin::Rooted", ""),
            ("game::Option", ""),
            ("game::Cell<game::Gold>", ""),
            ("game::hour::Hour", "State"),
            ("game::hour::Hour", "Value"),
        ]);
        let expected =
            ["Tree", "FieldRooted", "TwinRooted", "GameOption", "CellGold", "GameHourHourState", "GameHourHourValue"];
        assert_eq!(names, expected);
    }
}
