//! One contender in a process of its own: how it is started and asked. What is asked of it is not decided here.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    Outcome,
    build::{self, Mods},
};

/// A way to run mods.
pub(crate) struct Contender {
    /// For people.
    pub(crate) name: &'static str,
    binary: &'static str,
    /// What its mods are called, if they are files, up to the row.
    mods: Option<&'static str>,
    /// Whether one mod serves all rows.
    one_mod: bool,
}

/// All of them, in the order of the tables.
pub(crate) const CONTENDERS: [Contender; 5] = [
    Contender { name: NATIVE, binary: "peer_native", mods: None, one_mod: false },
    Contender { name: OURS, binary: "peer_ours", mods: Some("ours"), one_mod: false },
    Contender { name: NAIVE, binary: "peer_naive", mods: Some("ours"), one_mod: true },
    Contender { name: WASVY, binary: "peer_wasvy", mods: Some("wasvy"), one_mod: false },
    Contender { name: LUA, binary: "peer_lua", mods: Some("lua"), one_mod: false },
];

pub(crate) const NATIVE: &str = "native Bevy";
pub(crate) const OURS: &str = "bevy_wasm_mods";
pub(crate) const NAIVE: &str = "naive serde";
pub(crate) const WASVY: &str = "wasvy 0.0.9";
pub(crate) const LUA: &str = "bevy_mod_scripting 0.21, Lua 5.4";

impl Contender {
    /// A folder with what a game of this contender finds: its mods, and a folder without any.
    pub(crate) fn folder(&self, mods: &Mods, row: &str, count: usize) -> Outcome<TempDir> {
        let folder = TempDir::new()?;
        let name = self.mods.map(|prefix| format!("{prefix}_{}", if self.one_mod { "naive" } else { row }));
        // A row that a contender cannot do has no mod of it, and the contender says so when it is asked.
        let count = if name.as_ref().is_some_and(|name| mods.has(name)) { count } else { 0 };
        mods.write(name.as_deref().unwrap_or_default(), count, &folder.path().join("with/mods"))?;
        mods.write("", 0, &folder.path().join("without/mods"))?;
        Ok(folder)
    }

    fn command(&self, folder: &TempDir) -> Command {
        let mut command = Command::new(build::binary(self.binary));
        command.arg(folder.path()).env("BEVY_ASSET_ROOT", folder.path()).stdout(Stdio::piped());
        command
    }

    /// How long it takes from the start of the process to the end of the first frame in which the mod ran.
    pub(crate) fn time_to_first_frame(&self, folder: &TempDir) -> Outcome<Duration> {
        let start = Instant::now();
        let mut child = self.command(folder).arg("start").stdin(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("it has an output")?).read_line(&mut line)?;
        let time = start.elapsed();
        child.wait()?;
        if line.trim() == "ran" { Ok(time) } else { Err(format!("{}: {line}", self.name).into()) }
    }

    /// Starts the process.
    pub(crate) fn start(&self, folder: TempDir) -> Outcome<Peer> {
        let mut child = self.command(&folder).stdin(Stdio::piped()).spawn()?;
        let input = child.stdin.take().ok_or("it has an input")?;
        let output = BufReader::new(child.stdout.take().ok_or("it has an output")?);
        Ok(Peer { name: self.name, child, input: Some(input), output, _folder: folder })
    }
}

/// A contender that waits for questions.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Peer {
    /// Asks one line, and returns the answer.
    pub(crate) fn ask(&mut self, question: &str) -> Outcome<String> {
        let input = self.input.as_mut().ok_or("it has hung up")?;
        writeln!(input, "{question}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let line = line.trim();
        match line.strip_prefix("error ") {
            None if !line.is_empty() => Ok(line.to_owned()),
            error => Err(format!("{}, asked `{question}`: {}", self.name, error.unwrap_or("it ended")).into()),
        }
    }

    /// What frames took, in microseconds.
    pub(crate) fn frames(&mut self, kind: &str, count: usize) -> Outcome<Vec<f64>> {
        let answer = self.ask(&format!("{kind} {count}"))?;
        let times: Result<Vec<f64>, _> = answer.split(' ').map(str::parse).collect();
        Ok(times?.into_iter().map(|nanos| nanos / 1e3).collect())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends when nobody asks any more.
        self.input = None;
        let _ = self.child.wait();
    }
}
