//! A table of figures as Markdown. Where the figures come from is not known here.

use bench_report::{At, Point, Series, Table, exponent};

/// The table, with a line of exponents where figures grow with the axis, and the reasons for what is missing below it.
pub(crate) fn of(table: &Table) -> String {
    let mut places: Vec<&At> = Vec::new();
    for point in table.series.iter().flat_map(|series| &series.points) {
        if !places.contains(&&point.at) {
            places.push(&point.at);
        }
    }
    let mut notes = Vec::new();
    let mut lines = vec![
        row([table.axis.clone()].into_iter().chain(table.series.iter().map(|series| heading(series, &table.unit)))),
        row((0..=table.series.len()).map(|_| "---".to_owned())),
    ];
    for at in places {
        let cells: Vec<_> = table.series.iter().map(|series| cell(series, at, &mut notes)).collect();
        lines.push(row([place(at)].into_iter().chain(cells)));
    }
    if table.grows {
        let exponents = table.series.iter().map(|series| exponent(&amounts(series)).map(|power| format!("{power:.2}")));
        lines.push(row(["*exponent*".to_owned()].into_iter().chain(exponents.map(Option::unwrap_or_default))));
    }
    let notes = notes.iter().enumerate().map(|(index, note)| format!("{}. {note}", index + 1));
    let notes: Vec<_> = notes.collect();
    lines.join("\n") + "\n" + &if notes.is_empty() { String::new() } else { format!("\n{}\n", notes.join("\n")) }
}

/// The measured figures of a series on an axis of amounts.
pub(crate) fn amounts(series: &Series) -> Vec<(f64, f64)> {
    let amount = |point: &Point| match point.at {
        At::Amount(amount) => Some((amount, point.value?)),
        At::Case(_) => None,
    };
    series.points.iter().filter_map(amount).collect()
}

fn heading(series: &Series, unit: &str) -> String {
    if unit.is_empty() { series.name.clone() } else { format!("{} ({unit})", series.name) }
}

fn row(cells: impl Iterator<Item = String>) -> String {
    // A bar would end the cell.
    let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |", cells.join(" | "))
}

fn place(at: &At) -> String {
    match at {
        At::Amount(amount) => figure(*amount),
        At::Case(case) => case.clone(),
    }
}

/// What stands in the table for a figure. What has to be said of it goes to the notes and is referred to.
fn cell(series: &Series, at: &At, notes: &mut Vec<String>) -> String {
    let Some(point) = series.points.iter().find(|point| point.at == *at) else { return String::new() };
    let shown = point.value.map_or_else(|| "none".to_owned(), figure);
    let Some(note) = &point.note else { return shown };
    let known = notes.iter().position(|known| known == note).unwrap_or_else(|| {
        notes.push(note.clone());
        notes.len() - 1
    });
    format!("{shown} [{}]", known + 1)
}

/// A figure with as many places as mean something, and its thousands apart.
pub(crate) fn figure(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 8.0) as usize;
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let (whole, rest) = text.split_once('.').map_or((text, String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let parts: Vec<_> = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{sign}{}{rest}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use bench_report::{Point, Table};

    use super::{figure, of};

    #[test]
    fn figures_have_three_places_that_count() {
        let shown = [0.0, 0.123_456, 0.000_012_34, 1.0, 1.239, 45.67, 456.7, 1_234_567.0, -1_234.5].map(figure);
        assert_eq!(shown, ["0", "0.123", "0.0000123", "1", "1.24", "45.7", "457", "1,234,567", "-1,234"]);
    }

    #[test]
    fn a_table_shows_what_is_missing_and_why() {
        let mut table = Table::new("frame", "A frame", "entities", "us");
        table.grows = true;
        for amount in [10.0, 100.0] {
            table.put("native", Point::measured(amount, amount * 2.0));
        }
        table.put("slow", Point::measured(10.0, 9.0));
        table.put("slow", Point::missing(100.0, "more than 2 s"));
        let lines = [
            "| entities | native (us) | slow (us) |",
            "| --- | --- | --- |",
            "| 10 | 20 | 9 |",
            "| 100 | 200 | none [1] |",
            "| *exponent* | 1.00 |  |",
            "",
            "1. more than 2 s",
            "",
        ];
        assert_eq!(of(&table), lines.join("\n"));
    }
}
