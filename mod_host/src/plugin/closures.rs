//! Host functions as closures: any number of arguments from 0 to 12, with or without something in front of them.

use std::{
    collections::HashMap,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use mod_abi::Signature;

use crate::{
    caller::{Caller, HostOutput},
    codec::{Codec, Decode},
    host_function::HostFunctionDesc,
    text,
};

/// A closure that a plugin can call: see
/// [`import_function`](crate::WasmPluginBuilder::import_function). `M` tells closures of different parameters apart, and is
/// always inferred.
pub trait HostFunction<C, M>: Send + 'static {
    /// Calls it with encoded arguments, and returns its encoded result.
    ///
    /// # Errors
    /// When the arguments do not fit, or when it refuses, as a sentence for people.
    fn call(&mut self, caller: Caller<'_, C>, args: &[u8]) -> Result<Vec<u8>, String>;

    /// What it takes.
    fn signature(codec: Codec) -> Signature;
}

/// A closure of the arguments alone.
#[derive(Debug)]
pub struct WithoutContext<M>(PhantomData<M>);

/// A closure of `&mut C` and the arguments.
#[derive(Debug)]
pub struct WithContext<M>(PhantomData<M>);

/// A closure of `&mut Caller<C>` and the arguments.
#[derive(Debug)]
pub struct WithCaller<M>(PhantomData<M>);

/// Several arguments are a tuple, a single one stands bare, and none is the empty tuple.
macro_rules! bare_or_tuple {
    ($only:ident) => { $only };
    ($($more:ident)*) => { ($($more,)*) };
}

macro_rules! host_functions {
    ($($arg:ident)*) => {
        #[allow(non_snake_case, reason = "an argument is called as its type")]
        impl<C, F, R, O, $($arg),*> HostFunction<C, WithoutContext<(R, O, $($arg,)*)>> for F
        where
            F: FnMut($($arg),*) -> R + Send + 'static,
            R: HostOutput<O>,
            bare_or_tuple!($($arg)*): Decode,
        {
            fn call(&mut self, mut caller: Caller<'_, C>, args: &[u8]) -> Result<Vec<u8>, String> {
                let bare_or_tuple!($($arg)*) = caller.arguments(args)?;
                caller.answer(self($($arg),*))
            }

            fn signature(codec: Codec) -> Signature {
                takes::<bare_or_tuple!($($arg)*)>(codec)
            }
        }

        #[allow(non_snake_case, reason = "an argument is called as its type")]
        impl<C, F, R, O, $($arg),*> HostFunction<C, WithContext<(R, O, $($arg,)*)>> for F
        where
            F: FnMut(&mut C, $($arg),*) -> R + Send + 'static,
            R: HostOutput<O>,
            bare_or_tuple!($($arg)*): Decode,
        {
            fn call(&mut self, mut caller: Caller<'_, C>, args: &[u8]) -> Result<Vec<u8>, String> {
                let bare_or_tuple!($($arg)*) = caller.arguments(args)?;
                let output = self(caller.context(), $($arg),*);
                caller.answer(output)
            }

            fn signature(codec: Codec) -> Signature {
                takes::<bare_or_tuple!($($arg)*)>(codec)
            }
        }

        #[allow(non_snake_case, reason = "an argument is called as its type")]
        impl<C, F, R, O, $($arg),*> HostFunction<C, WithCaller<(R, O, $($arg,)*)>> for F
        where
            F: FnMut(&mut Caller<'_, C>, $($arg),*) -> R + Send + 'static,
            R: HostOutput<O>,
            bare_or_tuple!($($arg)*): Decode,
        {
            fn call(&mut self, mut caller: Caller<'_, C>, args: &[u8]) -> Result<Vec<u8>, String> {
                let bare_or_tuple!($($arg)*) = caller.arguments(args)?;
                let output = self(&mut caller, $($arg),*);
                caller.answer(output)
            }

            fn signature(codec: Codec) -> Signature {
                takes::<bare_or_tuple!($($arg)*)>(codec)
            }
        }
    };
}

host_functions!();
host_functions!(A);
host_functions!(A B);
host_functions!(A B D);
host_functions!(A B D E);
host_functions!(A B D E G);
host_functions!(A B D E G H);
host_functions!(A B D E G H I);
host_functions!(A B D E G H I J);
host_functions!(A B D E G H I J K);
host_functions!(A B D E G H I J K L);
host_functions!(A B D E G H I J K L N);
host_functions!(A B D E G H I J K L N P);

/// What it returns is known by a value only.
fn takes<A: Decode>(codec: Codec) -> Signature {
    Signature { args: vec![A::schema(codec)], result: None }
}

/// A closure of any parameters. In a mutex only so that a plugin can be shared: it is never locked.
type Erased<C> = Mutex<Box<dyn FnMut(Caller<'_, C>, &[u8]) -> Result<Vec<u8>, String> + Send>>;

/// The functions that a host offers, in the order in which instances name them.
pub(super) struct Closures<C> {
    descs: Vec<HostFunctionDesc>,
    functions: Vec<Erased<C>>,
    by_name: HashMap<String, usize>,
}

impl<C> Default for Closures<C> {
    fn default() -> Self {
        Self { descs: Vec::new(), functions: Vec::new(), by_name: HashMap::new() }
    }
}

impl<C: 'static> Closures<C> {
    /// Adds a function, or replaces the one of that name.
    pub(super) fn add<M, F: HostFunction<C, M>>(&mut self, name: &str, mut function: F) {
        let desc = HostFunctionDesc { name: name.to_owned(), signature: Some(F::signature) };
        let function: Erased<C> = Mutex::new(Box::new(move |caller, args| function.call(caller, args)));
        let known = self.by_name.get(name).copied();
        match known.and_then(|index| Some((self.descs.get_mut(index)?, self.functions.get_mut(index)?))) {
            Some(place) => (*place.0, *place.1) = (desc, function),
            None => {
                self.by_name.insert(name.to_owned(), self.descs.len());
                self.descs.push(desc);
                self.functions.push(function);
            }
        }
    }

    pub(super) fn descs(&self) -> Arc<[HostFunctionDesc]> {
        self.descs.iter().cloned().collect()
    }

    /// Calls a function by its place. A panic of the host's own code is the call's error.
    pub(super) fn call(&mut self, index: usize, caller: Caller<'_, C>, args: &[u8]) -> Result<Vec<u8>, String> {
        let function = self.functions.get_mut(index).ok_or("there is no such host function")?;
        let function = function.get_mut().unwrap_or_else(PoisonError::into_inner);
        catch_unwind(AssertUnwindSafe(|| function(caller, args)))
            .unwrap_or_else(|panic| Err(format!("it panicked: {}", text::of_panic(&*panic))))
    }
}

impl Closures<()> {
    /// The same functions beside a context that they do not know.
    pub(super) fn with_context<C: 'static>(self) -> Closures<C> {
        let Self { descs, functions, by_name } = self;
        let functions = functions.into_iter().map(|function| {
            let mut function = function.into_inner().unwrap_or_else(PoisonError::into_inner);
            let erased: Erased<C> = Mutex::new(Box::new(move |mut caller: Caller<'_, C>, args: &[u8]| {
                function(caller.with_context(&mut ()), args)
            }));
            erased
        });
        Closures { functions: functions.collect(), descs, by_name }
    }
}
