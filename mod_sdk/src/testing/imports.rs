//! Functions of the game, and of other mods, that a test plays itself.

use std::{any::Any, any::TypeId, any::type_name, cell::RefCell, collections::HashMap, marker::PhantomData};

type Played = HashMap<TypeId, Box<dyn Any>>;

thread_local! {
    /// What is played at the moment, by the type that each function has for itself.
    static PLAYED: RefCell<Played> = RefCell::default();
}

/// A function of up to 16 arguments, whose types are `Args`.
///
/// Functions declared with `#[import]` are such, and closures that take and return the same.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function of the arguments `{Args}`",
    note = "a closure in place of an `#[import]` takes and returns what that is declared with: `|text: String| 3_u64`"
)]
pub trait Importable<Args>: 'static {
    /// What it returns.
    type Answer: 'static;

    /// Calls it.
    fn answer(&mut self, args: Args) -> Self::Answer;
}

macro_rules! importable {
    ($(($($arg:ident)*))*) => {$(
        impl<Function, Answer: 'static, $($arg),*> Importable<($($arg,)*)> for Function
        where
            Function: FnMut($($arg),*) -> Answer + 'static,
        {
            type Answer = Answer;

            #[expect(clippy::allow_attributes, reason = "not every one of these functions has arguments")]
            #[allow(non_snake_case, clippy::unused_unit, reason = "the names are those of the types")]
            fn answer(&mut self, ($($arg,)*): ($($arg,)*)) -> Answer {
                self($($arg),*)
            }
        }
    )*};
}

importable! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I)
    (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L) (A B C D E F G H I J K L M)
    (A B C D E F G H I J K L M N) (A B C D E F G H I J K L M N O) (A B C D E F G H I J K L M N O P)
}

/// Has a closure of the test answer a function that the mod declares with `#[import]`, for this thread and as long as the
/// guard lives that comes back.
///
/// ```
/// # mod the_mod {
/// use std::{cell::RefCell, rc::Rc};
///
/// use mod_sdk::{
///     prelude::*,
///     testing::{self, SystemTest},
/// };
///
/// #[import]
/// fn announce(text: String) -> u64;
///
/// fn report() {
///     if announce("the first blossom is out".to_owned()) == 1 {
///         announce("and nobody has said so before".to_owned());
///     }
/// }
///
/// # pub fn main() {
/// let news = Rc::new(RefCell::new(Vec::new()));
/// let heard = Rc::clone(&news);
/// let _announce = testing::replace(announce, move |text: String| {
///     heard.borrow_mut().push(text);
///     heard.borrow().len() as u64
/// });
///
/// SystemTest::new(report).run();
/// assert_eq!(*news.borrow(), ["the first blossom is out", "and nobody has said so before"]);
/// # }
/// # }
/// # fn main() { the_mod::main() }
/// ```
///
/// A function of another mod, `#[import(mod = "bees")]`, is answered with a `Result`. Values do not become bytes here: what
/// cannot cross does not compile in the first place.
///
/// # Panics
/// When `import` is a closure or a pointer, and not the function itself.
#[must_use = "the closure answers as long as the guard lives: `let _announce = replace(..)`"]
pub fn replace<Args, Import, Closure>(import: Import, closure: Closure) -> Replaced
where
    Args: 'static,
    Import: Importable<Args>,
    Closure: Importable<Args, Answer = Import::Answer>,
{
    let _ = import;
    assert_eq!(
        size_of::<Import>(),
        0,
        "`testing::replace` should get the function that is declared with `#[import]`, not a {}",
        type_name::<Import>()
    );
    let function = TypeId::of::<Import>();
    let answers: Answers<Args, Import::Answer> = Box::new(closure);
    let before = PLAYED.with_borrow_mut(|played| played.insert(function, Box::new(answers)));
    Replaced { function, before, _stays_on_its_thread: PhantomData }
}

type Answers<Args, Answer> = Box<dyn Importable<Args, Answer = Answer>>;

/// As long as this lives, a closure answers in the place of a function. Afterwards, what did before.
#[derive(Debug)]
pub struct Replaced {
    function: TypeId,
    before: Option<Box<dyn Any>>,
    _stays_on_its_thread: PhantomData<*const ()>,
}

impl Drop for Replaced {
    fn drop(&mut self) {
        let before = self.before.take();
        // A thread that ends may have forgotten all of them.
        let _ = PLAYED.try_with(|played| match before {
            Some(before) => played.borrow_mut().insert(self.function, before),
            None => played.borrow_mut().remove(&self.function),
        });
    }
}

/// The answer of the test, or the arguments back if it plays no such function.
pub(crate) fn answer<Args, Import>(args: Args) -> Result<Import::Answer, Args>
where
    Args: 'static,
    Import: Importable<Args>,
{
    // Taken out for as long as it answers: it may call other functions of the game.
    let function = TypeId::of::<Import>();
    let Some(mut played) = PLAYED.with_borrow_mut(|played| played.remove(&function)) else { return Err(args) };
    let answer = match played.downcast_mut::<Answers<Args, Import::Answer>>() {
        Some(closure) => Ok(closure.answer(args)),
        None => Err(args),
    };
    PLAYED.with_borrow_mut(|others| {
        others.entry(function).or_insert(played);
    });
    answer
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::{answer, replace};

    fn double(_: u32) -> u32 {
        0
    }

    fn triple(_: u32) -> u32 {
        0
    }

    fn called<F: super::Importable<(u32,)>>(_: F, value: u32) -> Result<F::Answer, (u32,)> {
        answer::<(u32,), F>((value,))
    }

    #[test]
    fn a_closure_answers_as_long_as_its_guard_lives() {
        assert_eq!(called(double, 4), Err((4,)));
        let calls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&calls);
        let outer = replace(double, move |value: u32| {
            counted.set(counted.get() + 1);
            value * 2
        });
        assert_eq!((called(double, 4), called(triple, 4)), (Ok(8), Err((4,))), "the other is another function");
        let inner = replace(double, |value: u32| value + 100);
        assert_eq!(called(double, 4), Ok(104));
        drop(inner);
        assert_eq!((called(double, 5), calls.get()), (Ok(10), 2));
        drop(outer);
        assert_eq!(called(double, 4), Err((4,)));
    }

    #[test]
    fn a_closure_may_call_other_functions_of_the_game() {
        let _double = replace(double, |value: u32| value * 2);
        let _triple = replace(triple, |value: u32| called(double, value).unwrap_or_default() + value);
        assert_eq!(called(triple, 5), Ok(15));
        assert_eq!(called(triple, 6), Ok(18));
    }
}
