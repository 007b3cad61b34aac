//! What a type of serde looks like, found out by letting it deserialize. Mods are not known here.

mod probe;

use std::panic::{AssertUnwindSafe, catch_unwind};

use mod_abi::{MAX_DEPTH, Schema, Variant, VariantFields};
use serde::de::DeserializeOwned;

use self::probe::{Data, Kind, Probe, Seen};

/// How often a type is looked at: each time shows one more variant of each enum inside of it.
const MAX_LOOKS: usize = 1024;
/// How many values one look may take.
const MAX_VALUES: usize = 4096;

/// The shape of `T`, or `None` where serde does not tell: for types that contain themselves, that refuse the values they
/// are tried with, or that follow the data.
pub(crate) fn of<T: DeserializeOwned>(human_readable: bool) -> Option<Schema> {
    let mut seen = Seen::default();
    for _ in 0..MAX_LOOKS {
        let (mut budget, known) = (MAX_VALUES, seen.known());
        let probe = Probe { seen: &mut seen, human_readable, depth: MAX_DEPTH, budget: &mut budget };
        // A type of the host's that panics at a value which it does not like does not tell, either.
        catch_unwind(AssertUnwindSafe(|| T::deserialize(probe))).ok()?.ok()?;
        if seen.is_complete() {
            return schema(&seen);
        }
        // Some fields are never asked for: an alias, for example.
        if seen.known() == known {
            return None;
        }
    }
    None
}

fn schema(seen: &Seen) -> Option<Schema> {
    Some(match seen.kind()? {
        Kind::Leaf(leaf) => Schema::Leaf(*leaf),
        Kind::Struct(fields) => Schema::Struct(named(fields)?),
        Kind::Tuple(items) => Schema::Tuple(unnamed(items)?),
        Kind::List(item) => Schema::List(Box::new(schema(item)?)),
        Kind::Option(item) => Schema::Option(Box::new(schema(item)?)),
        Kind::Map(pair) => Schema::Map(Box::new(schema(&pair.0)?), Box::new(schema(&pair.1)?)),
        Kind::Enum(variants) => Schema::Enum(variants.iter().map(variant).collect::<Option<_>>()?),
    })
}

fn variant((name, data): &(&'static str, Option<Data>)) -> Option<Variant> {
    let fields = match data.as_ref()? {
        Data::Unit => VariantFields::Unit,
        Data::Tuple(items) => VariantFields::Tuple(unnamed(items)?),
        Data::Struct(fields) => VariantFields::Struct(named(fields)?),
    };
    Some(Variant { name: (*name).to_owned(), fields })
}

fn unnamed(items: &[Seen]) -> Option<Vec<Schema>> {
    items.iter().map(schema).collect()
}

fn named(fields: &[(&'static str, Seen)]) -> Option<Vec<(String, Schema)>> {
    fields.iter().map(|(name, field)| Some(((*name).to_owned(), schema(field)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, HashSet},
        num::NonZeroU8,
        time::Duration,
    };

    use serde::{Deserialize, de::DeserializeOwned};

    use super::of;

    #[derive(Deserialize)]
    struct Point {
        _x: f32,
        _y: f32,
    }

    #[derive(Deserialize)]
    struct Meters(#[expect(dead_code, reason = "only its shape counts")] f64);

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    enum Mood {
        Calm,
        Angry(Point),
        Both(u8, Meters),
        Sad { why: Option<String> },
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    enum Gap {
        First,
        #[serde(skip)]
        Skipped,
        Last,
    }

    struct Grumpy;

    impl<'de> Deserialize<'de> for Grumpy {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            std::panic::resume_unwind(Box::new("do not read me"))
        }
    }

    #[derive(Deserialize)]
    struct Endless {
        _children: Vec<Endless>,
    }

    fn check<T: DeserializeOwned>(expected: Option<&str>) {
        assert_eq!(of::<T>(false).map(|schema| schema.to_string()).as_deref(), expected);
    }

    #[test]
    fn what_serde_tells() {
        check::<()>(Some("()"));
        check::<(u8, i128, char, bool)>(Some("(u8,i128,char,bool)"));
        check::<Vec<[u16; 3]>>(Some("[(u16,u16,u16)]"));
        check::<BTreeMap<String, Option<f32>>>(Some("{str=>?f32}"));
        check::<HashSet<usize>>(Some("[u64]"));
        check::<Point>(Some("{_x:f32,_y:f32}"));
        check::<Meters>(Some("(f64)"));
        check::<Mood>(Some("<Calm|Angry({_x:f32,_y:f32})|Both(u8,(f64))|Sad{why:?str}>"));
        check::<Duration>(Some("{secs:u64,nanos:u32}"));
        check::<Box<[String]>>(Some("[str]"));
        check::<Gap>(Some("<First|Last>"));
    }

    mod elsewhere {
        use serde::Deserialize;

        /// Of the same name as another.
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        pub(super) struct Point(u8, u16);
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    enum Chain {
        Link(Box<Chain>),
        End,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Flat {
        a: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its shape counts")]
    enum Either {
        Number(u8),
        Text(String),
    }

    #[test]
    fn enums_inside_of_types_are_seen_whole() {
        const MOOD: &str = "<Calm|Angry({_x:f32,_y:f32})|Both(u8,(f64))|Sad{why:?str}>";
        check::<(Mood, u8)>(Some(&format!("({MOOD},u8)")));
        check::<Vec<(Mood, Option<Mood>)>>(Some(&format!("[({MOOD},?{MOOD})]")));
        check::<Result<Mood, Mood>>(Some(&format!("<Ok({MOOD})|Err({MOOD})>")));
        check::<BTreeMap<String, Result<(), String>>>(Some("{str=><Ok(())|Err(str)>}"));
    }

    #[test]
    fn names_of_types_do_not_count() {
        check::<(Point, elsewhere::Point)>(Some("({_x:f32,_y:f32},(u8,u16))"));
        check::<NonZeroU8>(Some("u8"));
    }

    #[test]
    fn what_serde_does_not_tell() {
        check::<Endless>(None);
        check::<Grumpy>(None);
        check::<Chain>(None);
        check::<Flat>(None);
        check::<Either>(None);
        // It refuses the empty text that it is tried with.
        check::<mod_abi::Schema>(None);
    }

    #[test]
    fn types_that_are_very_large_are_not_looked_at_for_long() {
        type Two<T> = (T, T);
        type Sixteen<T> = Two<Two<Two<Two<T>>>>;
        check::<Sixteen<Sixteen<Sixteen<Sixteen<u8>>>>>(None);
        check::<[[[u8; 32]; 32]; 32]>(None);
    }
}
