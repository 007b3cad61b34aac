//! From many times to one figure. What was timed is not known here.

/// The figure in the middle, or NaN where there is none.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Has contenders take turns, so that all of them see the same noise, and returns the median of each one's figures.
pub fn interleaved<T>(contenders: &mut [T], rounds: usize, mut measure: impl FnMut(&mut T) -> f64) -> Vec<f64> {
    let mut figures = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for (contender, figures) in contenders.iter_mut().zip(&mut figures) {
            figures.push(measure(contender));
        }
    }
    figures.into_iter().map(median).collect()
}

/// By which power of the amount figures grow: the slope of the line through them where both axes are logarithmic. `None` for
/// fewer than two places.
///
/// ```
/// let square = [(1.0, 3.0), (10.0, 300.0), (100.0, 30_000.0)];
/// assert!((bench_report::exponent(&square).unwrap() - 2.0).abs() < 1e-9);
/// ```
#[must_use]
pub fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let points: Vec<_> = points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = points.len() as f64;
    let (x_mean, y_mean) =
        (points.iter().map(|(x, _)| x).sum::<f64>() / count, points.iter().map(|(_, y)| y).sum::<f64>() / count);
    let spread: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    let together: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    (points.len() > 1 && spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::{exponent, interleaved, median};

    #[test]
    fn the_figure_in_the_middle() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn contenders_take_turns() {
        let mut turns = Vec::new();
        let medians = interleaved(&mut [1.0, 2.0], 3, |contender| {
            turns.push(*contender);
            *contender * 10.0
        });
        assert_eq!((medians, turns), (vec![10.0, 20.0], vec![1.0, 2.0, 1.0, 2.0, 1.0, 2.0]));
    }

    #[test]
    fn a_line_needs_two_places() {
        assert_eq!(exponent(&[]), None);
        assert_eq!(exponent(&[(2.0, 1.0)]), None);
        assert_eq!(exponent(&[(2.0, 1.0), (2.0, 3.0)]), None);
        assert_eq!(exponent(&[(1.0, 5.0), (1e6, 5.0)]), Some(0.0));
    }
}
