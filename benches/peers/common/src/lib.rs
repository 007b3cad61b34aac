//! What all contenders share, so that they do the same work in the same game: the components and the World ([`work`]), the
//! games that are timed ([`game`]), what a contender has to bring ([`contender`]), and the lines in which the runner asks
//! ([`serve`]). Nothing here knows how any contender runs a mod.

mod contender;
mod game;
mod serve;
mod work;

pub use contender::{Case, Contender, Row};
pub use game::Game;
pub use serve::{memory, serve};
pub use work::{CALLS, COUNTERS, Counter, DT, Hit, MESSAGES, SPARKS, Spark, Tally, Velocity, add};
