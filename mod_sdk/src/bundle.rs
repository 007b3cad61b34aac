//! Components that are inserted or removed together.

use mod_abi::describe::TypeIndex;

use crate::{component::Component, describe::Types, outbox::Values};

/// Components that go into an entity together: a component, a tuple of up to twelve bundles, or a struct of them.
///
/// It is what [`Commands`](crate::Commands) spawn, insert and remove. A bundle that names a component twice is a panic when
/// it is inserted, as in Bevy.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Component)]
/// #[component(path = "orchard::Velocity")]
/// struct Velocity(Vec3);
///
/// #[derive(Component, Default)]
/// #[component(define)]
/// struct Nectar(f32);
///
/// #[derive(Bundle)]
/// struct Bee {
///     transform: Transform,
///     velocity: Velocity,
/// }
///
/// fn swarm(mut commands: Commands) {
///     let bee = Bee { transform: Transform::IDENTITY, velocity: Velocity(Vec3::Y) };
///     commands.spawn((bee, Nectar::default()));
/// }
/// # mod_sdk::testing::SystemTest::new(swarm).no_rows().run();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Bundle`",
    label = "neither a component nor a bundle of some",
    note = "derive `Component` for a type that an entity has, or `Bundle` for a struct of such types"
)]
pub trait Bundle: 'static {
    /// Adds the types of the components.
    #[doc(hidden)]
    fn types(types: &mut Types, out: &mut Vec<TypeIndex>);

    /// Adds the components to a command.
    #[doc(hidden)]
    fn write(&self, values: &mut Values<'_>);
}

impl<C: Component> Bundle for C {
    fn types(types: &mut Types, out: &mut Vec<TypeIndex>) {
        out.push(types.component::<C>());
    }

    fn write(&self, values: &mut Values<'_>) {
        values.component(self);
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Bundle),*> Bundle for ($($name,)*) {
            fn types(types: &mut Types, out: &mut Vec<TypeIndex>) {
                $($name::types(types, out);)*
            }

            fn write(&self, values: &mut Values<'_>) {
                $(self.$index.write(values);)*
            }
        }
    )*};
}

impl Bundle for () {
    fn types(_: &mut Types, _: &mut Vec<TypeIndex>) {}

    fn write(&self, _: &mut Values<'_>) {}
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
}
