//! The text of a type for the functions section, where types need not be `Reflect`.

use std::marker::PhantomData;

use super::{Reflect, SchemaText};

/// Asks what a functions section can say of a type.
///
/// A macro cannot know whether a type is [`Reflect`]. Its output names `Stated::<T>::SCHEMA`: for a type that is, the
/// compiler finds the constant below, and else the one of [`NotStated`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Stated<T>(PhantomData<T>);

impl<T: Reflect> Stated<T> {
    /// The type's text, as far as it can be stated.
    pub const SCHEMA: SchemaText = T::SCHEMA.stated();
}

/// Answers for all other types.
#[doc(hidden)]
pub trait NotStated {
    /// A type that is not stated.
    const SCHEMA: SchemaText = SchemaText::Text("_");
}

impl<T> NotStated for Stated<T> {}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, rc::Rc};

    use super::{NotStated as _, Stated};
    use crate::{Reflect, glam::Vec2};

    #[derive(Reflect, serde::Serialize)]
    struct Offer {
        price: u32,
        kind: Kind,
    }

    #[derive(Reflect, serde::Serialize)]
    #[serde(crate = "serde")]
    enum Kind {
        Honey,
        Wax(Option<u8>),
    }

    #[derive(Reflect, serde::Serialize)]
    struct Odd {
        #[serde(rename = "Price")]
        price: u32,
    }

    #[test]
    fn what_is_reflect_is_stated() {
        for (text, expected) in [
            (Stated::<()>::SCHEMA, "()"),
            (Stated::<Vec<f64>>::SCHEMA, "[f64]"),
            (Stated::<BTreeMap<String, (u8, Vec2)>>::SCHEMA, "{str=>(u8,{x:f32,y:f32})}"),
            (Stated::<[Offer; 2]>::SCHEMA, "[{price:u32,kind:<Honey|Wax(?u8)>};2]"),
            (Stated::<Rc<u8>>::SCHEMA, "_"),
            (Stated::<Vec<Rc<u8>>>::SCHEMA, "_"),
            (Stated::<Odd>::SCHEMA, "_"),
            (Stated::<Option<Odd>>::SCHEMA, "_"),
        ] {
            assert_eq!(text.to_string(), expected);
        }
    }
}
