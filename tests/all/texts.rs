//! `docs/troubleshooting.md` against the sources: every text that a modder or a player can meet stands there, and nothing else does.
//!
//! Which texts these are is read from the sources: what `thiserror` shows, what is logged, the sentences of the macros and of the
//! contract, what the SDK panics with and has the compiler say. Where a value stands in a text, the page has `…`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const PAGE: &str = "docs/troubleshooting.md";

/// Which literals of a file are texts, by what stands before them, without spaces.
struct Source {
    folder: &'static str,
    /// Any of these ends right before the literal.
    after: &'static [&'static str],
    /// Any of these does, and it has [`SHOWN_WORDS`]: what is shorter is no sentence, but a value.
    shown: &'static [&'static str],
    /// All literals of at least so many words are texts, too.
    words: usize,
}

const SHOWN_WORDS: usize = 3;
const TOLD: &[&str] = &["#[error(", "error!(", "warn!(", "info!("];
const SHOWN: &[&str] = &["write!(f,", ".write_str("];

const SOURCES: &[Source] = &[
    Source { folder: "src", after: TOLD, shown: SHOWN, words: usize::MAX },
    Source { folder: "mod_host/src", after: TOLD, shown: SHOWN, words: usize::MAX },
    Source { folder: "mod_sdk/abi/src", after: TOLD, shown: SHOWN, words: usize::MAX },
    Source { folder: "mod_sdk/macros/src", after: &[], shown: &[], words: 4 },
    Source { folder: "mod_sdk/src", after: &["message=", "panic!("], shown: SHOWN, words: usize::MAX },
];

/// Texts that the page leaves out, by how they begin, and why.
const INTERNAL: &[(&str, &str)] = &[
    ("the game's batch is malformed", "the host writes batches, and its own tests read them"),
    ("the game sends … bytes for each", "as a malformed batch"),
    ("the game's answer to `…`", "as a malformed batch"),
    ("row … of … ", "as a malformed batch"),
    ("a `…` has no such variant", "as a malformed batch"),
    ("Function(", "only `{:?}` shows it"),
    ("(in …, at …)", "where a mod was, at the end of other texts"),
    ("…and … more", "the end of a list"),
    ("bool … -", PART_OF_IDENTITY),
    ("int …", PART_OF_IDENTITY),
    ("float …", PART_OF_IDENTITY),
    ("text \"…\" -", PART_OF_IDENTITY),
    ("choice …", PART_OF_IDENTITY),
    ("a line of at most 256 characters", PART_OF_TEXT),
    ("a default of at most 256", PART_OF_TEXT),
    ("\"bool\", \"int\"", PART_OF_TEXT),
    ("(it declares", PART_OF_TEXT),
    (", and no other", PART_OF_TEXT),
    ("declare one with", PART_OF_TEXT),
    ("; did you mean", PART_OF_TEXT),
    ("among `after` and `before`", PART_OF_TEXT),
    ("among the dependencies and", PART_OF_TEXT),
    ("an argument of …", PART_OF_TEXT),
    ("the main function of a mod", PART_OF_TEXT),
    ("the result of an imported function", PART_OF_TEXT),
];
const PART_OF_TEXT: &str = "it stands only in the middle of other texts";
const PART_OF_IDENTITY: &str = "it is a line of the identity section";

/// A text of the sources, as the page has it.
type Texts = BTreeMap<String, String>;

#[test]
fn every_text_stands_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Texts::new();
    for source in SOURCES {
        let before = texts.len();
        collect(root, source.folder, source, &mut texts);
        assert!(texts.len() > before, "no text was found in {}", source.folder);
    }
    let page = fs::read_to_string(root.join(PAGE)).expect("the page can be read");
    let findings = compare(&texts, &page);
    assert!(findings.is_empty(), "{PAGE}: {} findings:\n{}", findings.len(), findings.join("\n"));
    for (start, _) in INTERNAL {
        assert!(texts.keys().any(|text| text.starts_with(start)), "no text begins with {start:?} any more");
    }
}

/// What is missing on the page, and what it has too much of.
fn compare(texts: &Texts, page: &str) -> Vec<String> {
    let entries: BTreeSet<&str> = page.lines().filter_map(entry).collect();
    let is_internal = |text: &str| INTERNAL.iter().any(|(start, _)| text.starts_with(start));
    let missing = texts.iter().filter(|(text, _)| !entries.contains(text.as_str()) && !is_internal(text));
    let mut findings: Vec<_> = missing.map(|(text, place)| format!("missing ({place}): - **{text}**")).collect();
    let surplus = entries.iter().filter(|entry| !texts.contains_key(**entry));
    findings.extend(surplus.map(|entry| format!("no text of the sources: - **{entry}**")));
    // Each text, or the last of a group of them, is followed by what it means.
    let lines: Vec<&str> = page.lines().collect();
    for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
        if let Some(text) = entry(line).filter(|_| entry(next).is_none() && !next.starts_with("  ")) {
            findings.push(format!("nothing is said about it: - **{text}**"));
        }
    }
    findings
}

/// The text that a line of the page is about.
fn entry(line: &str) -> Option<&str> {
    line.strip_prefix("- **")?.strip_suffix("**")
}

/// The texts of all files below `folder` but tests.
fn collect(root: &Path, folder: &str, source: &Source, texts: &mut Texts) {
    for entry in fs::read_dir(root.join(folder)).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if name != "tests" {
                collect(root, &path, source, texts);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(entry.path()).expect("the file is text");
            for (line, text) in texts_of(&text, source) {
                texts.entry(text).or_insert_with(|| format!("{path}:{line}"));
            }
        }
    }
}

/// The texts of one file, with their lines.
fn texts_of(code: &str, source: &Source) -> Vec<(usize, String)> {
    let is_text = |literal: &Literal| {
        let words = literal.text.split_whitespace().count();
        let follows = |before: &[&str]| before.iter().any(|before| literal.before.ends_with(before));
        let is_reason = follows(&["reason="]);
        follows(source.after)
            || (words >= SHOWN_WORDS && follows(source.shown))
            || (words >= source.words && !is_reason)
    };
    let texts = literals(code).into_iter().filter(is_text).map(|literal| (literal.line, template(&literal.text)));
    texts.filter(|(_, text)| says_something(text)).collect()
}

/// Whether there is more in it than values.
fn says_something(text: &str) -> bool {
    text.contains(char::is_alphabetic)
}

/// A text with `…` where values stand, and without line ends.
fn template(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' if chars.peek() == Some(&c) => {
                out.push(c);
                chars.next();
            }
            '{' => {
                for inside in chars.by_ref() {
                    if inside == '}' {
                        break;
                    }
                }
                // Values that follow each other are one.
                if !out.trim_end().ends_with('…') {
                    out.push('…');
                } else {
                    out.truncate(out.trim_end().len());
                }
            }
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    let out = out.trim();
    // What is only there sometimes, such as a hint.
    match out.strip_suffix('…') {
        Some(rest) if !rest.ends_with([' ', '`', '"']) || rest.ends_with("…`") => rest.to_owned(),
        _ => out.to_owned(),
    }
}

struct Literal {
    line: usize,
    text: String,
    /// The code before it, without spaces, comments and what stands in other literals.
    before: String,
}

/// The texts between quotes up to the tests of a file.
fn literals(code: &str) -> Vec<Literal> {
    let chars: Vec<char> = code.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let (mut found, mut before, mut index) = (Vec::new(), String::new(), 0);
    while index < chars.len() {
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < chars.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            // Characters, which may be quotes. A lifetime has no quote at its end.
            '\'' if at(index + 1) == '\\' => index += 4,
            '\'' if at(index + 2) == '\'' => index += 3,
            '"' => {
                let line = 1 + chars.iter().take(index).filter(|c| **c == '\n').count();
                let hashes = before.chars().rev().take_while(|c| *c == '#').count();
                let is_raw = before.trim_end_matches('#').ends_with('r') && is_raw_start(&before, hashes);
                let (text, end) = literal(&chars, index + 1, is_raw.then_some(hashes));
                found.push(Literal { line, text, before: before.clone() });
                before.push_str("\"\"");
                index = end;
            }
            c => {
                if !c.is_whitespace() {
                    before.push(c);
                }
                index += 1;
            }
        }
        // Tests stand at the end of a file.
        if before.ends_with("#[cfg(test)]modtests{") {
            break;
        }
        // Only the end of it is looked at.
        if before.len() > 400 && before.is_char_boundary(before.len() - 200) {
            before.drain(..before.len() - 200);
        }
    }
    found
}

/// Whether an `r` and hashes are the start of a raw string, and not the end of a word.
fn is_raw_start(before: &str, hashes: usize) -> bool {
    let start = before.len().saturating_sub(hashes + 1);
    !before.get(..start).unwrap_or_default().ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The content of a literal, and where the code goes on.
fn literal(chars: &[char], start: usize, raw: Option<usize>) -> (String, usize) {
    let at = |index: usize| chars.get(index).copied().unwrap_or('"');
    let (mut text, mut index) = (String::new(), start);
    while index < chars.len() {
        match (at(index), raw) {
            ('"', None) => return (text, index + 1),
            ('"', Some(hashes)) if (1..=hashes).all(|more| at(index + more) == '#') => {
                return (text, index + 1 + hashes);
            }
            ('\\', None) if at(index + 1) == '\n' => {
                index += 2;
                while at(index).is_whitespace() {
                    index += 1;
                }
            }
            ('\\', None) => {
                text.push(match at(index + 1) {
                    'n' | 't' | 'r' => ' ',
                    other => other,
                });
                index += 2;
            }
            (c, _) => {
                text.push(c);
                index += 1;
            }
        }
    }
    (text, index)
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, Source, TOLD, Texts, compare, texts_of};

    const ALL: Source = Source { folder: "", after: TOLD, shown: SHOWN, words: 4 };

    fn found(code: &str) -> Vec<String> {
        texts_of(code, &ALL).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn texts_are_found_where_they_stand() {
        let code = r##"
            // "a comment with some words"
            #[expect(lint, reason = "a reason with some words")]
            const QUOTE: char = '"';
            const ESCAPED: [char; 2] = ['\'', '"'];
            #[error(
                "the mod `{id}` has {bytes} bytes, \
                 of {} at most{}", hint("a hint with some words")
            )]
            fn f<'a>() { warn!("{id}: it is gone"); debug!("some words"); write!(f, "{}, {}"); write!(f, "it is {}") }
            const RAW: &str = r#"with "quotes" {in} it"#;
            #[cfg(test)]
            mod tests { const X: &str = "not this one as well"; }
        "##;
        let expected = [
            "the mod `…` has … bytes, of … at most",
            "a hint with some words",
            "…: it is gone",
            "it is …",
            "with \"quotes\" … it",
        ];
        assert_eq!(found(code), expected);
        assert_eq!(texts_of(code, &ALL).first().map(|(line, _)| *line), Some(7));
    }

    #[test]
    fn values_become_dots() {
        for (text, expected) in [
            ("`{function}` failed: {cause}{}", "`…` failed: …"),
            ("there is no mod `{id}`{}", "there is no mod `…`"),
            ("{id} {version}: it is gone", "…: it is gone"),
            ("write `{{ a = 1 }}` or \\\"b\\\" here", "write `{ a = 1 }` or \"b\" here"),
        ] {
            assert_eq!(found(&format!("#[error(\"{text}\")]")), [expected]);
        }
        assert!(found("#[error(\"{0}\")] #[error(\"{a} {b}\")] #[error(transparent)]").is_empty());
    }

    #[test]
    fn a_page_that_fell_behind_is_found() {
        let texts: Texts = [("it is … gone".to_owned(), "a.rs:1".to_owned())].into();
        assert!(compare(&texts, "- **it is … gone**\n  It went.\n").is_empty());
        assert_eq!(compare(&texts, "it is gone\n"), ["missing (a.rs:1): - **it is … gone**"]);
        assert_eq!(
            compare(&texts, "- **it is … gone**\n- **it was here**\n  Once.\n"),
            ["no text of the sources: - **it was here**"]
        );
        assert_eq!(
            compare(&texts, "- **it is … gone**\n\nIt went.\n"),
            ["nothing is said about it: - **it is … gone**"]
        );
    }
}
