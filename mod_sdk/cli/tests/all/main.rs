//! The command line as a modder has it: the program itself is run, on crates that it makes and on modules that it did not make.

mod bindings;
mod build;
mod check;
mod inspect;
mod support;
mod templates;
