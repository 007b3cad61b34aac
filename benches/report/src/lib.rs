//! What a benchmark says: tables of figures, and the ratios that bars are held against. Each benchmark writes one
//! report to `target/bench/<name>.json`; `cargo xtask bench` makes the documentation of them. What is measured, and how, is not
//! known here.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

mod figures;

pub use figures::{exponent, interleaved, median};

/// What one benchmark has to say.
///
/// ```
/// use bench_report::{Point, Report, Table};
///
/// let mut table = Table::new("entities", "Time of a frame", "entities", "us");
/// table.put("native", Point::measured(1_000.0, 0.8));
/// table.put("a slow one", Point::missing(1_000.0, "more than 2 s"));
/// let mut report = Report::new("example");
/// report.tables.push(table);
/// report.ratio("one_to_other", 1.5);
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The benchmark's name, and the name of its file.
    pub bench: String,
    /// In the order in which they are shown.
    #[serde(default)]
    pub tables: Vec<Table>,
    /// Figures that do not depend on how fast the machine is, or that a bar is about, by key.
    #[serde(default)]
    pub ratios: BTreeMap<String, f64>,
}

/// Figures of one kind: a row for each place on the axis, a column for each series.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Table {
    /// Short, for files and keys.
    pub name: String,
    /// For people.
    pub title: String,
    /// What the places are, as in "entities".
    pub axis: String,
    /// What the figures are in, as in "us".
    pub unit: String,
    /// How it was measured, and what the bars are. A paragraph or two of Markdown.
    #[serde(default)]
    pub method: String,
    /// Whether the exponent of each series is worth a line: the axis is an amount, and the figures grow with it.
    #[serde(default)]
    pub grows: bool,
    /// In the order in which they are shown.
    pub series: Vec<Series>,
}

/// The figures of one contender, or of one way of doing something.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Series {
    /// For people.
    pub name: String,
    /// In the order of the axis.
    pub points: Vec<Point>,
}

/// One figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Point {
    /// Where on the axis.
    pub at: At,
    /// The figure, if there is one.
    pub value: Option<f64>,
    /// Why there is none, or what has to be said of it.
    #[serde(default)]
    pub note: Option<String>,
}

/// A place on an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum At {
    /// An amount.
    Amount(f64),
    /// A case.
    Case(String),
}

impl From<f64> for At {
    fn from(amount: f64) -> Self {
        Self::Amount(amount)
    }
}

impl From<&str> for At {
    fn from(case: &str) -> Self {
        Self::Case(case.to_owned())
    }
}

impl Point {
    /// A figure.
    #[must_use]
    pub fn measured(at: impl Into<At>, value: f64) -> Self {
        Self { at: at.into(), value: Some(value), note: None }
    }

    /// A place at which there is no figure, and the reason.
    #[must_use]
    pub fn missing(at: impl Into<At>, why: &str) -> Self {
        Self { at: at.into(), value: None, note: Some(why.to_owned()) }
    }
}

impl Table {
    /// A table without figures.
    #[must_use]
    pub fn new(name: &str, title: &str, axis: &str, unit: &str) -> Self {
        let [name, title, axis, unit] = [name, title, axis, unit].map(str::to_owned);
        Self { name, title, axis, unit, ..Self::default() }
    }

    /// Adds a figure to a series, which begins with its first one.
    pub fn put(&mut self, series: &str, point: Point) {
        match self.series.iter_mut().find(|other| other.name == series) {
            Some(series) => series.points.push(point),
            None => self.series.push(Series { name: series.to_owned(), points: vec![point] }),
        }
    }

    /// The figure of a series at a place.
    #[must_use]
    pub fn get(&self, series: &str, at: &At) -> Option<f64> {
        let series = self.series.iter().find(|other| other.name == series)?;
        series.points.iter().find(|point| point.at == *at)?.value
    }
}

impl Report {
    /// A report without figures.
    #[must_use]
    pub fn new(bench: &str) -> Self {
        Self { bench: bench.to_owned(), ..Self::default() }
    }

    /// Adds a figure that is compared, unless it is none: a part that was not measured has nothing to say.
    pub fn ratio(&mut self, key: &str, value: f64) {
        if value.is_finite() {
            self.ratios.insert(key.to_owned(), value);
        }
    }

    /// Writes the report to its place and returns that.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(&self) -> io::Result<PathBuf> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let path = folder.join(&self.bench).with_extension("json");
        fs::write(&path, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(path)
    }

    /// Reads a report.
    ///
    /// # Errors
    /// Those of the file system, and [`io::ErrorKind::InvalidData`] for a file that is no report.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
    }
}

/// Where reports are: `target/bench` of the repository, from whichever workspace.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench")
}
