//! Names, lists, circles and versions as players read them.

use semver::{Op, VersionReq};

use crate::text::clean;

/// The most names in one sentence.
const MAX_NAMES: usize = 8;

/// A name of a mod or game.
pub(super) fn name(id: &str) -> String {
    format!("`{}`", clean(id))
}

/// Each of them, or the first few and how many more.
pub(super) fn list(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(MAX_NAMES);
    let mut shown: Vec<_> = names.take(MAX_NAMES).collect();
    let last = if more == 0 { shown.pop().unwrap_or_default() } else { format!("{more} more") };
    if shown.is_empty() { last } else { format!("{} and {last}", shown.join(", ")) }
}

/// A list of ids.
pub(super) fn names(ids: &[String]) -> String {
    list(ids.iter().map(|id| name(id)))
}

/// `a -> b -> a`.
pub(super) fn circle(ids: &[String]) -> String {
    let more = ids.len().saturating_sub(MAX_NAMES);
    let mut parts: Vec<_> = ids.iter().take(MAX_NAMES).map(|id| name(id)).collect();
    if more > 0 {
        parts.push(format!("({more} more)"));
    }
    parts.extend(ids.first().map(|id| name(id)));
    parts.join(" -> ")
}

/// A requirement in plain words where there are some: `1.x from 1.2` for `^1.2`.
pub(super) fn versions(requirement: &str) -> String {
    let as_it_is = || clean(requirement);
    let Ok(parsed) = VersionReq::parse(requirement) else { return as_it_is() };
    let one = match parsed.comparators.as_slice() {
        [] => return "in any version".to_owned(),
        [one] if one.pre.is_empty() => one,
        _ => return as_it_is(),
    };
    let major = one.major;
    match (one.op, one.minor, one.patch) {
        (Op::Caret | Op::Tilde | Op::Exact | Op::Wildcard, None, _) => format!("{major}.x"),
        (Op::Tilde | Op::Exact | Op::Wildcard, Some(minor), None) => format!("{major}.{minor}.x"),
        (Op::Caret, Some(minor), None) if major == 0 => format!("0.{minor}.x"),
        (Op::Caret, Some(0), None | Some(0)) if major > 0 => format!("{major}.x"),
        (Op::Caret, Some(minor), None) => format!("{major}.x from {major}.{minor}"),
        (Op::Exact, Some(minor), Some(patch)) => format!("{major}.{minor}.{patch}"),
        (Op::Caret, Some(0), Some(patch)) if major == 0 => format!("0.0.{patch}"),
        (Op::Caret, Some(minor), Some(0)) if major == 0 => format!("0.{minor}.x"),
        (Op::Tilde, Some(minor), Some(0)) => format!("{major}.{minor}.x"),
        (Op::Caret, Some(minor), Some(patch)) if major == 0 => format!("0.{minor}.x from 0.{minor}.{patch}"),
        (Op::Tilde, Some(minor), Some(patch)) => format!("{major}.{minor}.x from {major}.{minor}.{patch}"),
        (Op::Caret, Some(minor), Some(patch)) => format!("{major}.x from {major}.{minor}.{patch}"),
        _ => as_it_is(),
    }
}

#[cfg(test)]
mod tests {
    use super::{circle, list, versions};

    #[test]
    fn requirements_in_words() {
        for (requirement, expected) in [
            ("*", "in any version"),
            ("^1", "1.x"),
            ("1", "1.x"),
            ("1.*", "1.x"),
            ("^1.0.0", "1.x"),
            ("^1.2", "1.x from 1.2"),
            ("^1.2.3", "1.x from 1.2.3"),
            ("^0", "0.x"),
            ("^0.3", "0.3.x"),
            ("^0.3.0", "0.3.x"),
            ("^0.3.1", "0.3.x from 0.3.1"),
            ("^0.0", "0.0.x"),
            ("^0.0.3", "0.0.3"),
            ("^0.0.0", "0.0.0"),
            ("~1", "1.x"),
            ("~1.2", "1.2.x"),
            ("~1.2.3", "1.2.x from 1.2.3"),
            ("=1.2.3", "1.2.3"),
            ("=1.2", "1.2.x"),
            (">=1, <3", ">=1, <3"),
            (">2", ">2"),
            ("^1.0.0-rc.1", "^1.0.0-rc.1"),
            ("one\n", "one "),
        ] {
            assert_eq!(versions(requirement), expected, "{requirement}");
        }
    }

    #[test]
    fn long_lists_and_circles_are_cut() {
        let ids: Vec<_> = (0..1000).map(|n| format!("m{n}")).collect();
        for (count, expected_list, expected_circle) in [
            (0, "", ""),
            (1, "m0", "`m0` -> `m0`"),
            (2, "m0 and m1", "`m0` -> `m1` -> `m0`"),
            (3, "m0, m1 and m2", "`m0` -> `m1` -> `m2` -> `m0`"),
            (
                1000,
                "m0, m1, m2, m3, m4, m5, m6, m7 and 992 more",
                "`m0` -> `m1` -> `m2` -> `m3` -> `m4` -> `m5` -> `m6` -> `m7` -> (992 more) -> `m0`",
            ),
        ] {
            assert_eq!(list(ids[..count].iter().cloned()), expected_list);
            assert_eq!(circle(&ids[..count]), expected_circle);
        }
    }
}
