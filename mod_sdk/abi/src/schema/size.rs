//! How many bytes values take. It must not know values, only their types.

use super::{Schema, VariantFields};

/// The bytes of an enum's index.
const INDEX: usize = 4;

/// The bytes of the length in front of a list or a map.
const LENGTH: usize = 8;

impl Schema {
    /// The bytes that every value of this type takes, or `None` where that depends on the value.
    #[must_use]
    pub fn fixed_size(&self) -> Option<usize> {
        match self {
            Self::Leaf(leaf) => leaf.size(),
            Self::Struct(fields) => sum(fields.iter().map(|(_, field)| field.fixed_size())),
            Self::Tuple(fields) => sum(fields.iter().map(Self::fixed_size)),
            Self::Array(_, 0) => Some(0),
            Self::Array(item, len) => item.fixed_size()?.checked_mul(usize::try_from(*len).ok()?),
            Self::List(_) | Self::Option(_) | Self::Enum(_) | Self::Map(..) => None,
        }
    }

    /// The fewest bytes that a value of this type takes, or `usize::MAX` if they are more. Of an enum only the index
    /// counts, so that the answer costs no more than reading a value does.
    ///
    /// It is 0 only for types of which every value takes none.
    #[must_use]
    pub fn min_size(&self) -> usize {
        #[cfg(test)]
        crate::tests::step();
        let all = |sizes: &mut dyn Iterator<Item = usize>| sizes.fold(0, usize::saturating_add);
        match self {
            Self::Leaf(leaf) => leaf.min_size(),
            Self::Struct(fields) => all(&mut fields.iter().map(|(_, field)| field.min_size())),
            Self::Tuple(fields) => all(&mut fields.iter().map(Self::min_size)),
            Self::Array(_, 0) => 0,
            Self::Array(item, len) => item.min_size().saturating_mul(usize::try_from(*len).unwrap_or(usize::MAX)),
            Self::List(_) | Self::Map(..) => LENGTH,
            Self::Option(_) => 1,
            Self::Enum(_) => INDEX,
        }
    }

    /// How many parts take no bytes. An array of them counts as one, and each of its items, too.
    pub(super) fn empty_parts(&self) -> usize {
        let all = |counts: &mut dyn Iterator<Item = usize>| counts.fold(0, usize::saturating_add);
        let inner = match self {
            Self::Leaf(_) => 0,
            Self::Struct(fields) => all(&mut fields.iter().map(|(_, field)| field.empty_parts())),
            Self::Tuple(fields) => all(&mut fields.iter().map(Self::empty_parts)),
            Self::Array(item, len) if item.min_size() == 0 => {
                item.empty_parts().saturating_mul(usize::try_from(*len).unwrap_or(usize::MAX))
            }
            Self::Array(item, _) | Self::List(item) | Self::Option(item) => item.empty_parts(),
            Self::Map(key, value) => key.empty_parts().saturating_add(value.empty_parts()),
            Self::Enum(variants) => all(&mut variants.iter().map(|variant| match &variant.fields {
                VariantFields::Unit => 0,
                VariantFields::Tuple(fields) => all(&mut fields.iter().map(Self::empty_parts)),
                VariantFields::Struct(fields) => all(&mut fields.iter().map(|(_, field)| field.empty_parts())),
            })),
        };
        inner.saturating_add(usize::from(self.min_size() == 0))
    }
}

fn sum(mut sizes: impl Iterator<Item = Option<usize>>) -> Option<usize> {
    sizes.try_fold(0_usize, |sum, size| sum.checked_add(size?))
}
