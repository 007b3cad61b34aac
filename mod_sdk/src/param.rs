//! What a system can ask for: the parameters of its function.

use mod_abi::describe::ParamDesc;

use crate::{block::Blocks, describe::Types};

/// A type that can stand in the parameter list of a system.
///
/// These are [`Query`](crate::Query), [`Res`](crate::Res), [`ResMut`](crate::ResMut), [`Commands`](crate::Commands),
/// [`MessageReader`](crate::MessageReader), [`MessageWriter`](crate::MessageWriter), [`Local`](crate::Local),
/// [`Persist`](crate::Persist) and [`World`](crate::World). It is not meant to be implemented by mods.
pub trait SystemParam {
    /// What is kept between two runs of the system.
    #[doc(hidden)]
    type State: Default + 'static;

    /// The parameter as the function gets it.
    type Item<'w>: SystemParam<State = Self::State>;

    /// Adds what the parameter needs of the game, if anything.
    #[doc(hidden)]
    fn describe(types: &mut Types, params: &mut Vec<ParamDesc>);

    /// Makes the parameter from the block that belongs to its description.
    #[doc(hidden)]
    fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> Self::Item<'w>;

    /// Whether the parameter is what the function is promised. If not, the system does not run.
    #[doc(hidden)]
    fn is_ready(&self) -> bool {
        true
    }

    /// Writes back what has changed.
    #[doc(hidden)]
    fn finish(state: &mut Self::State, blocks: &mut Blocks<'_>);
}

/// The states of several parameters. The standard library's tuples are `Default` only up to twelve.
#[doc(hidden)]
#[derive(Debug)]
pub struct States<T>(T);

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Default),*> Default for States<($($name,)*)> {
            fn default() -> Self {
                Self(($($name::default(),)*))
            }
        }

        impl<$($name: SystemParam),*> SystemParam for ($($name,)*) {
            type State = States<($($name::State,)*)>;
            type Item<'w> = ($($name::Item<'w>,)*);

            fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
                $($name::describe(types, params);)*
            }

            fn is_ready(&self) -> bool {
                true $(&& self.$index.is_ready())*
            }

            fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> Self::Item<'w> {
                ($($name::fetch(&mut state.0.$index, blocks),)*)
            }

            fn finish(state: &mut Self::State, blocks: &mut Blocks<'_>) {
                $($name::finish(&mut state.0.$index, blocks);)*
            }
        }
    )*};
}

impl SystemParam for () {
    type State = ();
    type Item<'w> = ();

    fn describe(_: &mut Types, _: &mut Vec<ParamDesc>) {}

    fn fetch<'w>((): &'w mut (), _: &mut Blocks<'w>) {}

    fn finish((): &mut (), _: &mut Blocks<'_>) {}
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
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15)
}
