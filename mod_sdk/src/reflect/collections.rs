//! Values made of others: tuples, arrays, lists, maps, options.

use std::{
    array,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{BuildHasher, Hash},
    mem::offset_of,
};

use super::{InPlace, ReadError, Reflect, SchemaText, sum_of_strides};

impl<T: Reflect> Reflect for Option<T> {
    const STRIDE: Option<usize> = None;
    const SCHEMA: SchemaText = SchemaText::Parts(&[SchemaText::Text("?"), T::SCHEMA]);

    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        match u8::read(input)? {
            0 => Ok(None),
            1 => T::read(input).map(Some),
            _ => Err(ReadError::new("an option is neither there nor not there")),
        }
    }
}

impl<T: Reflect> Reflect for Box<T> {
    const STRIDE: Option<usize> = T::STRIDE;
    const SCHEMA: SchemaText = T::SCHEMA;

    fn write(&self, out: &mut Vec<u8>) {
        T::write(self, out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        T::read(input).map(Self::new)
    }
}

impl<T: Reflect, const N: usize> Reflect for [T; N] {
    const STRIDE: Option<usize> = match T::STRIDE {
        Some(stride) => Some(stride * N),
        None => None,
    };
    const SCHEMA: SchemaText = SchemaText::Parts(&[
        SchemaText::Text("["),
        T::SCHEMA,
        SchemaText::Text(";"),
        SchemaText::Number(if N > u32::MAX as usize { u32::MAX } else { N as u32 }),
        SchemaText::Text("]"),
    ]);
    // An array's memory is that of its items, one after the other.
    const IN_PLACE: InPlace = InPlace::leaf(T::IN_PLACE.is_yes());

    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.write(out));
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        let mut items = array::from_fn(|_| None);
        for item in &mut items {
            *item = Some(T::read(input)?);
        }
        // Every place was filled above, or the error has been returned.
        Ok(items.map(|item| item.expect("an item that was read")))
    }
}

/// Collections that are written as a length and their items.
macro_rules! lists {
    ($($list:ident<T $(, $hasher:ident)?> where [$($bound:tt)*])*) => {$(
        impl<T: Reflect + $($bound)* $(, $hasher: BuildHasher + Default + 'static)?> Reflect for $list<T $(, $hasher)?> {
            const STRIDE: Option<usize> = None;
            const SCHEMA: SchemaText =
                SchemaText::Parts(&[SchemaText::Text("["), T::SCHEMA, SchemaText::Text("]")]);

            fn write(&self, out: &mut Vec<u8>) {
                self.len().write(out);
                self.iter().for_each(|item| item.write(out));
            }

            fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
                (0..usize::read(input)?).map(|_| T::read(input)).collect()
            }
        }
    )*};
}

lists! {
    Vec<T> where [Sized]
    BTreeSet<T> where [Ord]
    HashSet<T, S> where [Eq + Hash]
}

/// Collections that are written as a length and pairs.
macro_rules! maps {
    ($($map:ident<K, V $(, $hasher:ident)?> where [$($bound:tt)*])*) => {$(
        impl<K: Reflect + $($bound)*, V: Reflect $(, $hasher: BuildHasher + Default + 'static)?> Reflect
            for $map<K, V $(, $hasher)?>
        {
            const STRIDE: Option<usize> = None;
            const SCHEMA: SchemaText = SchemaText::Parts(&[
                SchemaText::Text("{"),
                K::SCHEMA,
                SchemaText::Text("=>"),
                V::SCHEMA,
                SchemaText::Text("}"),
            ]);

            fn write(&self, out: &mut Vec<u8>) {
                self.len().write(out);
                for (key, value) in self {
                    key.write(out);
                    value.write(out);
                }
            }

            fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
                (0..usize::read(input)?).map(|_| Ok((K::read(input)?, V::read(input)?))).collect()
            }
        }
    )*};
}

maps! {
    BTreeMap<K, V> where [Ord]
    HashMap<K, V, S> where [Eq + Hash]
}

impl Reflect for () {
    const STRIDE: Option<usize> = Some(0);
    const SCHEMA: SchemaText = SchemaText::Text("()");

    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Result<Self, ReadError> {
        Ok(())
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Reflect),*> Reflect for ($($name,)*) {
            const STRIDE: Option<usize> = sum_of_strides(&[$($name::STRIDE),*]);
            const SCHEMA: SchemaText = SchemaText::Tuple(&[$($name::SCHEMA),*]);
            const IN_PLACE: InPlace = InPlace::parts(
                size_of::<Self>(),
                &[$((offset_of!(Self, $index), size_of::<$name>(), $name::IN_PLACE)),*],
            );

            fn write(&self, out: &mut Vec<u8>) {
                $(self.$index.write(out);)*
            }

            fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
                Ok(($($name::read(input)?,)*))
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}
