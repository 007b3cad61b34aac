//! Lines for the game's log, under the words that Bevy uses.

use std::fmt::Arguments;

use mod_abi::names::LogLevel;

use crate::imports;

/// Hands a line to the game, or to standard error in a native build.
#[doc(hidden)]
pub fn log(level: LogLevel, line: Arguments<'_>) {
    match line.as_str() {
        Some(line) => imports::log(level, line),
        None => imports::log(level, &line.to_string()),
    }
}

/// Logs that the mod cannot do what it should. Takes what `format!` takes.
#[macro_export]
macro_rules! error {
    ($($arg:tt)+) => {
        $crate::__private::log($crate::__private::LogLevel::Error, ::core::format_args!($($arg)+))
    };
}

/// Logs something that the player or the modder should look at. Takes what `format!` takes.
#[macro_export]
macro_rules! warn {
    ($($arg:tt)+) => {
        $crate::__private::log($crate::__private::LogLevel::Warn, ::core::format_args!($($arg)+))
    };
}

/// Logs what happens in normal play. Takes what `format!` takes.
#[macro_export]
macro_rules! info {
    ($($arg:tt)+) => {
        $crate::__private::log($crate::__private::LogLevel::Info, ::core::format_args!($($arg)+))
    };
}

/// Logs something for the modder. Takes what `format!` takes.
#[macro_export]
macro_rules! debug {
    ($($arg:tt)+) => {
        $crate::__private::log($crate::__private::LogLevel::Debug, ::core::format_args!($($arg)+))
    };
}

/// Logs something for the modder, every frame. Takes what `format!` takes.
#[macro_export]
macro_rules! trace {
    ($($arg:tt)+) => {
        $crate::__private::log($crate::__private::LogLevel::Trace, ::core::format_args!($($arg)+))
    };
}
