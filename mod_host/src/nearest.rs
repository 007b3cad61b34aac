//! The known name that somebody probably meant. Only strings are known here.

/// Names longer than this are not compared: a mod chose them to be slow.
const MAX_CHARS: usize = 128;

/// The name in `known` that is closest to `wanted`, if one is close enough to be a slip of the pen. Names of more than 128
/// characters are not compared.
///
/// ```
/// assert_eq!(mod_host::nearest("apetite", ["appetite", "hunting"]).as_deref(), Some("appetite"));
/// assert_eq!(mod_host::nearest("colour", ["appetite", "hunting"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = chars(wanted)?;
    let allowed = wanted.len().div_euclid(3).clamp(1, 3);
    known
        .into_iter()
        .filter_map(|name| {
            let candidate = chars(name)?;
            let difference = candidate.len().abs_diff(wanted.len());
            if difference > allowed {
                return None;
            }
            Some((distance(&wanted, &candidate), name))
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name.to_owned())
}

/// `; did you mean ...?`, or nothing.
pub(crate) fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn chars(text: &str) -> Option<Vec<char>> {
    let chars: Vec<_> = text.chars().take(MAX_CHARS.saturating_add(1)).collect();
    (chars.len() <= MAX_CHARS).then_some(chars)
}

/// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, left) in a.iter().enumerate() {
        let mut diagonal = index;
        let mut before = index.saturating_add(1);
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = before;
        }
        for (cell, right) in cells.zip(b) {
            let replaced = diagonal.saturating_add(usize::from(left != right));
            diagonal = *cell;
            before = replaced.min(before.saturating_add(1)).min(cell.saturating_add(1));
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_other_names_are_not() {
        let known = ["double", "play_sound", "spawn"];
        for (wanted, expected) in [
            ("dubble", Some("double")),
            ("play_sund", Some("play_sound")),
            ("playsound", Some("play_sound")),
            ("spawn", Some("spawn")),
            ("explode", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, known).as_deref(), expected, "{wanted}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
        assert_eq!(nearest("x", []), None);
    }
}
