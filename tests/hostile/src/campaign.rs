//! One case after the other, for a time, and what came of them.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{damaged, decoders::DECODERS, dice::Dice, game, host, leaks, mutate::mutate, seeds, smith, watch};

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Modules of wasm-smith.
    Smith,
    /// Damaged mods.
    Damaged,
    /// Decoders of bytes.
    Decoders,
    /// Games with mods whose descriptions, rows and commands lie.
    Games,
    /// Mods that are loaded and dropped.
    Leaks,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Smith, Self::Damaged, Self::Decoders, Self::Games, Self::Leaks];

    /// Its word on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smith => "smith",
            Self::Damaged => "damaged",
            Self::Decoders => "decoders",
            Self::Games => "games",
            Self::Leaks => "leaks",
        }
    }
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed of the first case. The next one has the next number.
    pub seed: u64,
    /// For how long.
    pub time: Duration,
    /// At most so many cases.
    pub cases: u64,
}

/// Something that should not be.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The case's kind.
    pub kind: Kind,
    /// Its seed.
    pub seed: u64,
    /// What it was.
    pub what: String,
    /// Where its input is kept.
    pub input: PathBuf,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, seed, what, input } = self;
        let (name, input) = (kind.name(), input.display());
        write!(f, "{what}\n  input: {input}\n  again: cargo xtask hostile --only {name} --seed {seed} --cases 1")
    }
}

/// What came of all cases.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How many there were.
    pub cases: u64,
    /// How many of them came how far.
    pub counts: BTreeMap<&'static str, u64>,
    /// What should not be.
    pub findings: Vec<Finding>,
    /// The longest that a step computed beyond its time.
    pub over: Duration,
}

impl Outcome {
    fn count(&mut self, what: &'static str, number: u64) {
        *self.counts.entry(what).or_default() += number;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cases", self.cases)?;
        self.counts.iter().try_for_each(|(what, number)| write!(f, ", {number} {what}"))?;
        if !self.over.is_zero() {
            write!(f, ", at most {:?} beyond the time of a step", self.over)?;
        }
        Ok(())
    }
}

/// Runs cases of a kind until there is no time or no case left. After 20 findings it stops.
#[must_use]
pub fn run(kind: Kind, plan: Plan) -> Outcome {
    /// Panics are noted for the whole process, so there is one campaign at a time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let (start, mut outcome) = (Instant::now(), Outcome::default());
    let case: Box<dyn Fn(u64, &mut Outcome) -> Case> = match kind {
        Kind::Smith => Box::new(smith_case),
        Kind::Damaged => {
            let originals = damaged::originals();
            Box::new(move |seed, outcome| {
                let mut dice = Dice::new(seed);
                let bytes = damaged::module(&originals, &mut dice);
                module_case(kind, seed, bytes, &mut dice, outcome)
            })
        }
        Kind::Decoders => {
            let seeds: Vec<_> = DECODERS.iter().map(|decoder| seeds::of(decoder.name)).collect();
            Box::new(move |seed, outcome| decoder_case(seed, &seeds, outcome))
        }
        Kind::Games => Box::new(game_case),
        Kind::Leaks => Box::new(|seed, outcome| {
            outcome.count("mods", 3 * leaks::MODS as u64);
            watched(kind, seed, Vec::new(), |_| leaks::look(leaks::MODS).err().into_iter().collect())
        }),
    };
    for number in 0..plan.cases {
        if start.elapsed() >= plan.time || outcome.findings.len() >= 20 {
            break;
        }
        let seed = plan.seed.wrapping_add(number);
        let Case { input, wrong } = case(seed, &mut outcome);
        outcome.cases += 1;
        for what in wrong {
            let input = watch::keep(&format!("{}-{seed}", kind.name()), &input);
            outcome.findings.push(Finding { kind, seed, what, input });
        }
    }
    outcome
}

/// What a case was.
struct Case {
    input: Vec<u8>,
    wrong: Vec<String>,
}

/// Runs a case with its input, and notes its panics.
fn watched(kind: Kind, seed: u64, input: Vec<u8>, work: impl FnOnce(&[u8]) -> Vec<String>) -> Case {
    watch::begin(format!("{}-{seed}", kind.name()), &input);
    let wrong = catch_unwind(AssertUnwindSafe(|| work(&input)));
    let panics = watch::end();
    Case { wrong: wrong.unwrap_or_default().into_iter().chain(panics).collect(), input }
}

fn smith_case(seed: u64, outcome: &mut Outcome) -> Case {
    let mut dice = Dice::new(seed);
    match smith::module(&mut dice) {
        Some(bytes) => module_case(Kind::Smith, seed, bytes, &mut dice, outcome),
        None => {
            outcome.count("not generated", 1);
            Case { input: Vec::new(), wrong: Vec::new() }
        }
    }
}

fn module_case(kind: Kind, seed: u64, bytes: Vec<u8>, dice: &mut Dice, outcome: &mut Outcome) -> Case {
    watched(kind, seed, bytes, |bytes| {
        let way = host::take(bytes, dice);
        outcome.count(["refused", "compiled", "started"][way.stage], 1);
        outcome.count("answers", way.answered as u64);
        outcome.over = outcome.over.max(way.over);
        way.wrong
    })
}

fn decoder_case(seed: u64, seeds: &[Vec<Vec<u8>>], outcome: &mut Outcome) -> Case {
    /// What a decoder may compute for some hundred bytes.
    const TIME: Duration = Duration::from_secs(2);
    let mut dice = Dice::new(seed);
    let which = dice.below(DECODERS.len());
    let decoder = DECODERS[which];
    let mut input = dice.pick(&seeds[which]).clone();
    let others: Vec<&[u8]> = seeds[which].iter().map(Vec::as_slice).collect();
    mutate(&mut input, &others, &mut dice);
    watched(Kind::Decoders, seed, input, |bytes| {
        watch::step(decoder.name);
        let before = watch::computed();
        (decoder.feed)(bytes);
        let took = watch::computed().saturating_sub(before);
        outcome.over = outcome.over.max(took.saturating_sub(TIME));
        if took > TIME { vec![format!("`{}` computed for {took:?}", decoder.name)] } else { Vec::new() }
    })
}

fn game_case(seed: u64, outcome: &mut Outcome) -> Case {
    let mods = game::mods(&mut Dice::new(seed));
    // One behind the other, and each is a module by itself.
    let input = mods.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    watched(Kind::Games, seed, input, |_| {
        let played = game::play(&mods);
        outcome.count("mods loaded", played.loaded as u64);
        outcome.count("mods failed", played.failed as u64);
        played.wrong
    })
}
