//! The known word that somebody probably meant.

/// The word in `known` that is closest to `wanted`, if one is close enough to be a slip of the pen.
pub(crate) fn nearest<'a>(wanted: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = (wanted.len() / 3).clamp(1, 3);
    let near = known.iter().map(|word| (distance(wanted, word), *word)).filter(|(distance, _)| *distance <= allowed);
    near.min().map(|(_, word)| word)
}

/// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (index, left) in a.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, right) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["dependencies", "after", "codec"];
        for (wanted, expected) in [
            ("dependancies", Some("dependencies")),
            ("codecs", Some("codec")),
            ("aftr", Some("after")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, &known), expected, "{wanted}");
        }
    }
}
