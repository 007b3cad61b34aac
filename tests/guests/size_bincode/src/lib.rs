//! As little as a mod can be: two functions. Built in each codec, to be weighed.

use mod_sdk::prelude::*;

#[export]
fn double(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|x| x * 2.0).collect()
}

#[export]
fn greet(name: String) -> String {
    format!("Hello, {name}!")
}
