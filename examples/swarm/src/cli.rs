//! What stands on the command line.

use std::path::PathBuf;

/// What `--help` shows.
pub(crate) const HELP: &str = "\
cargo run --release -p swarm -- [options]

--creatures <number>   how many creatures there are: 3000, and at most 100000
--seed <number>        chance takes this way: where creatures begin, and what mods roll
--villains             the three villains are switched on after 60 frames
--frames <number>      the game ends after so many frames, as fast as it can, and tells what they took
--screenshot <file>    a PNG of the last frame; with --frames";

/// What the player wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) creatures: u32,
    pub(crate) seed: Option<u64>,
    pub(crate) villains: bool,
    pub(crate) frames: Option<u32>,
    pub(crate) screenshot: Option<PathBuf>,
    pub(crate) help: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { creatures: 3000, seed: None, villains: false, frames: None, screenshot: None, help: false }
    }
}

/// A command line that makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CliError {
    /// There is no such option.
    #[error("there is no option `{0}`; `--help` shows those that there are")]
    Unknown(String),
    /// Its value is missing or is none.
    #[error("`{option}` needs {wanted} behind it{}", .found.as_ref().map(|text| format!(", not `{text}`")).unwrap_or_default())]
    Value {
        /// Which option.
        option: &'static str,
        /// What it needs.
        wanted: &'static str,
        /// What it has.
        found: Option<String>,
    },
    /// There would be no last frame.
    #[error("`--screenshot` shows the last frame, so it needs `--frames <number>` beside it")]
    NoLastFrame,
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, CliError> {
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => options.help = true,
            "--villains" => options.villains = true,
            "--creatures" => {
                options.creatures =
                    number("--creatures", "a number from 1 to 100000", arguments.next(), 1..=100_000)? as u32;
            }
            "--seed" => options.seed = Some(number("--seed", "a number", arguments.next(), 0..=u64::MAX)?),
            "--frames" => {
                let most = u64::from(u32::MAX);
                options.frames = Some(number("--frames", "a number from 1 on", arguments.next(), 1..=most)? as u32);
            }
            "--screenshot" => {
                let file = arguments.next().ok_or(CliError::Value {
                    option: "--screenshot",
                    wanted: "a file",
                    found: None,
                })?;
                options.screenshot = Some(file.into());
            }
            _ => return Err(CliError::Unknown(argument)),
        }
    }
    if options.screenshot.is_some() && options.frames.is_none() {
        return Err(CliError::NoLastFrame);
    }
    Ok(options)
}

fn number(
    option: &'static str,
    wanted: &'static str,
    text: Option<String>,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, CliError> {
    let number = text.as_ref().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
    number.ok_or(CliError::Value { option, wanted, found: text })
}

#[cfg(test)]
mod tests {
    use super::{CliError, Options, parse};

    fn read(line: &str) -> Result<Options, CliError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_in_any_order() {
        assert_eq!(read(""), Ok(Options::default()));
        let wanted = Options {
            creatures: 50,
            seed: Some(7),
            villains: true,
            frames: Some(600),
            screenshot: Some("a.png".into()),
            help: false,
        };
        assert_eq!(read("--screenshot a.png --villains --seed 7 --frames 600 --creatures 50"), Ok(wanted));
        assert!(read("-h").is_ok_and(|options| options.help));
    }

    #[test]
    fn mistakes_are_told() {
        let told = |line: &str| read(line).expect_err("it makes no sense").to_string();
        assert_eq!(told("--fast"), "there is no option `--fast`; `--help` shows those that there are");
        assert_eq!(told("--creatures many"), "`--creatures` needs a number from 1 to 100000 behind it, not `many`");
        assert_eq!(told("--creatures 0"), "`--creatures` needs a number from 1 to 100000 behind it, not `0`");
        assert_eq!(told("--frames"), "`--frames` needs a number from 1 on behind it");
        assert!(told("--screenshot a.png").contains("needs `--frames <number>`"));
    }
}
