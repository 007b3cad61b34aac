//! What differs between a mod's type and the game's: all of it, field by field. Whether anything does is `mod_abi`'s to say.

use mod_abi::{Schema, SchemaDifference};
use mod_host::{FieldApi, GameApi, TypeApi, TypeForm};

use crate::bindings::parts::primitive;

/// Every place where a mod's whole type and the game's differ.
pub(super) fn differences(in_mod: &Schema, in_game: &Schema) -> Vec<SchemaDifference> {
    let Some(first) = in_mod.difference(in_game) else { return Vec::new() };
    let mut all = Vec::new();
    walk("", in_mod, in_game, &mut all);
    if all.is_empty() { vec![first] } else { all }
}

fn walk(place: &str, in_mod: &Schema, in_game: &Schema, all: &mut Vec<SchemaDifference>) {
    if in_mod.difference(in_game).is_none() {
        return;
    }
    match (in_mod, in_game) {
        (Schema::Struct(ours), Schema::Struct(theirs)) => {
            let before = all.len();
            for (name, ours) in ours {
                let place = inside(place, name);
                match theirs.iter().find(|(other, _)| other == name) {
                    Some((_, theirs)) => walk(&place, ours, theirs, all),
                    None => all.push(difference(&place, &ours.to_string(), "no such field")),
                }
            }
            for (name, theirs) in theirs {
                if !ours.iter().any(|(other, _)| other == name) {
                    all.push(difference(&inside(place, name), "no such field", &theirs.to_string()));
                }
            }
            if all.len() == before {
                let names = |fields: &[(String, Schema)]| {
                    fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
                };
                all.push(difference(&inside(place, "the order of the fields"), &names(ours), &names(theirs)));
            }
        }
        (Schema::Tuple(ours), Schema::Tuple(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                walk(&inside(place, &index.to_string()), ours, theirs, all);
            }
        }
        _ => all.push(difference(place, &in_mod.to_string(), &in_game.to_string())),
    }
}

fn inside(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn difference(place: &str, in_mod: &str, in_game: &str) -> SchemaDifference {
    let at = |text: &str| match (place, text) {
        ("", _) | (_, "no such field") => text.to_owned(),
        _ => format!("{place}: {text}"),
    };
    SchemaDifference { in_mod: at(in_mod), in_game: at(in_game) }
}

/// Every field of a part of the game's type that the game has not, or has otherwise.
pub(super) fn differences_of_part(part: &Schema, ty: &TypeApi, api: &GameApi) -> Vec<SchemaDifference> {
    let mut all = Vec::new();
    part_of("", part, ty, api, &mut all);
    all
}

fn part_of(place: &str, part: &Schema, ty: &TypeApi, api: &GameApi, all: &mut Vec<SchemaDifference>) {
    if ty.schema.as_ref() == Some(part) {
        return;
    }
    // Schemas nest no deeper than `mod_abi` lets them.
    let mut field = |name: &str, schema: &Schema, field: Option<&FieldApi>| {
        let place = inside(place, name);
        let ty = field.map(|field| (api.ty(&field.ty), primitive(&field.ty)));
        match ty {
            Some((Some(ty), _)) => part_of(&place, schema, ty, api, all),
            Some((None, Some(leaf))) if leaf == *schema => {}
            Some((None, Some(leaf))) => all.push(difference(&place, &schema.to_string(), &leaf.to_string())),
            _ => all.push(difference(&place, &schema.to_string(), "no such field")),
        }
    };
    match (&ty.form, part) {
        (TypeForm::Struct { fields }, Schema::Struct(parts)) => {
            for (name, schema) in parts {
                field(name, schema, fields.iter().find(|field| field.name.as_deref() == Some(name)));
            }
        }
        (TypeForm::Tuple { fields }, Schema::Tuple(parts)) if parts.len() <= fields.len() => {
            for (index, (schema, of)) in parts.iter().zip(fields).enumerate() {
                field(&index.to_string(), schema, Some(of));
            }
        }
        _ => {
            let whole = ty.schema.as_ref().map(ToString::to_string);
            let whole = whole.or_else(|| ty.unsupported.clone()).unwrap_or_else(|| "something else".to_owned());
            all.push(difference(place, &part.to_string(), &whole));
        }
    }
}

#[cfg(test)]
mod tests {
    use mod_abi::Schema;

    use super::differences;

    fn check(in_mod: &str, in_game: &str, expected: &[(&str, &str)]) {
        let [ours, theirs] = [in_mod, in_game].map(|text| Schema::parse(text).expect("a schema"));
        let found = differences(&ours, &theirs);
        let found: Vec<_> = found.iter().map(|found| (found.in_mod.as_str(), found.in_game.as_str())).collect();
        assert_eq!(found, expected, "{in_mod} {in_game}");
    }

    #[test]
    fn all_that_differs_is_told() {
        check("{a:u8,b:f32}", "{a:u8,b:f32}", &[]);
        check(
            "{a:u8,b:f32,d:str}",
            "{a:u16,b:f32,c:bool}",
            &[("a: u8", "a: u16"), ("d: str", "no such field"), ("no such field", "c: bool")],
        );
        check("{at:{x:f64,y:f32}}", "{at:{x:f32,y:f64}}", &[("at.x: f64", "at.x: f32"), ("at.y: f32", "at.y: f64")]);
        check("{a:u8,b:u8}", "{b:u8,a:u8}", &[("the order of the fields: a, b", "the order of the fields: b, a")]);
        check("(u8,f32)", "(u8,f64)", &[("1: f32", "1: f64")]);
        check("{a:[u8]}", "{a:[u16]}", &[("a: [u8]", "a: [u16]")]);
        check("<A|B>", "<A|B|C>", &[("<A|B>", "<A|B|C>")]);
    }
}
