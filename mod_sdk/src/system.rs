//! Ordinary functions as systems.

use std::{
    any::{TypeId, type_name},
    fmt,
};

use mod_abi::describe::ParamDesc;

use crate::{
    block::{Batch, Blocks},
    describe::Types,
    param::SystemParam,
};

/// A function that can be a system: up to sixteen parameters that are all [`SystemParam`]s, and no result.
///
/// `Marker` only tells the implementations apart. It is not meant to be implemented by mods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a system",
    label = "not a system",
    note = "a system is a function without a result and with up to 16 parameters, such as `Query`, `Res`, `ResMut`, \
            `Commands`, `MessageReader`, `MessageWriter`, `Local` and `World`"
)]
pub trait SystemParamFunction<Marker>: 'static {
    /// All parameters.
    type Param: SystemParam;

    /// Calls the function.
    fn run(&mut self, params: <Self::Param as SystemParam>::Item<'_>);
}

macro_rules! functions {
    ($(($($name:ident $value:ident),*))*) => {$(
        impl<Function, $($name: SystemParam),*> SystemParamFunction<fn($($name),*)> for Function
        where
            Function: 'static,
            for<'a> &'a mut Function: FnMut($($name),*) + FnMut($($name::Item<'_>),*),
        {
            type Param = ($($name,)*);

            fn run(&mut self, params: <Self::Param as SystemParam>::Item<'_>) {
                // The two bounds above make the type of a call ambiguous; this function has only one of them.
                fn call<$($name),*>(mut function: impl FnMut($($name),*), ($($value,)*): ($($name,)*)) {
                    function($($value),*);
                }
                call(self, params);
            }
        }
    )*};
}

functions! {
    ()
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, F f)
    (A a, B b, C c, D d, E e, F f, G g)
    (A a, B b, C c, D d, E e, F f, G g, H h)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o, P p)
}

/// A system of any type, with what it keeps between two runs.
pub(crate) struct BoxedSystem {
    /// The function's type, by which other systems name it in `after` and `before`.
    pub(crate) id: TypeId,
    /// The function's path.
    pub(crate) path: &'static str,
    pub(crate) describe: fn(&mut Types, &mut Vec<ParamDesc>),
    pub(crate) run: Box<dyn FnMut(Batch<'_>)>,
}

impl BoxedSystem {
    /// The system that calls `function`.
    pub(crate) fn new<Marker: 'static, F: SystemParamFunction<Marker>>(mut function: F) -> Self {
        let mut state = <F::Param as SystemParam>::State::default();
        Self {
            id: TypeId::of::<F>(),
            path: type_name::<F>(),
            describe: F::Param::describe,
            run: Box::new(move |batch| {
                {
                    let params = F::Param::fetch(&mut state, &mut Blocks::new(batch));
                    if params.is_ready() {
                        function.run(params);
                    }
                }
                F::Param::finish(&mut state, &mut Blocks::new(batch));
            }),
        }
    }

    /// What the system needs of the game.
    pub(crate) fn params(&self, types: &mut Types) -> Vec<ParamDesc> {
        let mut params = Vec::new();
        (self.describe)(types, &mut params);
        params
    }

    /// Runs the system once.
    pub(crate) fn run(&mut self, batch: Batch<'_>) {
        (self.run)(batch);
    }

    /// The function's name, without the modules in front.
    pub(crate) fn name(&self) -> String {
        let path = self.path.split('<').next().unwrap_or(self.path);
        let mut segments = path.rsplit("::");
        match segments.next().unwrap_or(path) {
            "{{closure}}" => format!("{}_closure", segments.next().unwrap_or("a")),
            name => name.to_owned(),
        }
    }
}

impl fmt::Debug for BoxedSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedSystem").field("path", &self.path).finish_non_exhaustive()
    }
}
