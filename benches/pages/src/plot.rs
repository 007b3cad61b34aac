//! Draws tables whose figures grow with an amount: both axes logarithmic, a line for each series. Where the figures come
//! from is not known here.

use std::error::Error;

use bench_report::{At, Report, Table};
use plotters::{
    chart::{ChartBuilder, SeriesLabelPosition},
    element::{Circle, PathElement},
    prelude::{IntoDrawingArea as _, IntoLogRange as _, SVGBackend},
    series::LineSeries,
    style::{Color, RGBColor, ShapeStyle, WHITE},
};

use crate::table::{amounts, figure};

const SIZE: (u32, u32) = (760, 440);

/// Colours that people who see few colours can tell apart, after Okabe and Ito.
const COLOURS: &[RGBColor] = &[
    RGBColor(0, 0, 0),
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// Whether there is something to draw: amounts on the axis, and more than one of them.
pub(crate) fn is_drawn(table: &Table) -> bool {
    let is_amount = |at: &At| matches!(at, At::Amount(amount) if *amount > 0.0);
    table.grows
        && table.series.iter().flat_map(|series| &series.points).all(|point| is_amount(&point.at))
        && table.series.iter().any(|series| amounts(series).len() > 1)
}

/// The name of a plot's file, without its ending.
pub(crate) fn name(report: &Report, table: &Table) -> String {
    format!("{}_{}", report.bench, table.name)
}

/// The plots of a report: names, and SVG.
pub(crate) fn of(report: &Report) -> Vec<(String, String)> {
    let drawn = report.tables.iter().filter(|table| is_drawn(table));
    // What cannot be drawn is left out; the table says it all.
    drawn.filter_map(|table| Some((name(report, table), draw(table).ok()?))).collect()
}

fn draw(table: &Table) -> Result<String, Box<dyn Error>> {
    let lines: Vec<_> = table.series.iter().map(|series| (&series.name, positive(amounts(series)))).collect();
    let (x, y) = (
        range(lines.iter().flat_map(|(_, line)| line).map(|(x, _)| *x)),
        range(lines.iter().flat_map(|(_, line)| line).map(|(_, y)| *y)),
    );
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&table.title, ("sans-serif", 20))
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d((x.0..x.1).log_scale(), (y.0..y.1).log_scale())?;
        chart
            .configure_mesh()
            .x_desc(&table.axis)
            .y_desc(&table.unit)
            .x_label_formatter(&|value| figure(*value))
            .y_label_formatter(&|value| figure(*value))
            .label_style(("sans-serif", 13))
            .axis_desc_style(("sans-serif", 14))
            .bold_line_style(RGBColor(205, 205, 205))
            .light_line_style(RGBColor(240, 240, 240))
            .draw()?;
        for ((name, line), colour) in lines.into_iter().zip(COLOURS.iter().cycle()) {
            let style = ShapeStyle { color: colour.to_rgba(), filled: true, stroke_width: 2 };
            let key = move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], style);
            chart.draw_series(LineSeries::new(line.iter().copied(), style))?.label(name).legend(key);
            chart.draw_series(line.into_iter().map(|point| Circle::new(point, 4, style)))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 13))
            .background_style(WHITE.mix(0.85))
            .border_style(RGBColor(205, 205, 205))
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}

/// A logarithm needs more than nothing.
fn positive(line: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    line.into_iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).collect()
}

/// From the smallest to the largest, with some air.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    (low * 0.7, high * 1.5)
}

#[cfg(test)]
mod tests {
    use bench_report::{Point, Report, Table};

    use super::{is_drawn, of};

    fn growing() -> Table {
        let mut table = Table::new("rows", "Rows that match", "rows", "us");
        table.grows = true;
        for amount in [10.0, 100.0, 1_000.0] {
            table.put("native", Point::measured(amount, amount * 0.8));
            table.put("ours", Point::measured(amount, amount * 4.5));
        }
        table.put("ours", Point::missing(10_000.0, "more than 2 s"));
        table
    }

    #[test]
    fn what_grows_is_drawn() {
        let mut report = Report::new("scale");
        report.tables.push(growing());
        let plots = of(&report);
        let [(name, svg)] = plots.as_slice() else { unreachable!("one plot") };
        assert_eq!(name, "scale_rows");
        for expected in ["<svg", "Rows that match", "native", "ours", "</svg>"] {
            assert!(svg.contains(expected), "{expected}\n{svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 6);
    }

    #[test]
    fn what_does_not_grow_is_not() {
        assert!(!is_drawn(&Table { grows: false, ..growing() }));
        let mut cases = Table::new("rows", "Rows", "what", "us");
        cases.grows = true;
        cases.put("native", Point::measured("one", 1.0));
        cases.put("native", Point::measured("other", 2.0));
        assert!(!is_drawn(&cases));
        let mut single = Table::new("rows", "Rows", "rows", "us");
        single.grows = true;
        single.put("native", Point::measured(1.0, 1.0));
        assert!(!is_drawn(&single));
    }
}
