//! What the texts of this repository promise each other: every relative link leads to a file and every anchor to a heading,
//! and every snippet in Rust is compiled by a doctest.
//!
//! Each rule is a function of texts, so that each has a test that it finds something. Addresses of the Web are not asked.

use std::{collections::BTreeMap, fs, path::Path};

/// Texts whose snippets in Rust must be compiled: folders, and single files.
const TESTED: &[&str] = &[
    "docs/",
    "README.md",
    "mod_host/README.md",
    "mod_sdk/README.md",
    "mod_sdk/abi/README.md",
    "mod_sdk/macros/README.md",
];

/// Snippets that may be ignored, by a line of theirs.
const MAY_BE_IGNORED: &[(&str, &str)] = &[
    // `mod_host` knows no SDK.
    ("mod_host/README.md", "use mod_sdk::prelude::*;"),
];

#[test]
fn every_link_in_every_text_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = texts(root, "md");
    assert!(texts.len() > 10, "only {} texts were found", texts.len());
    let exists = |path: &str| root.join(path).exists();
    let findings: Vec<String> = texts.keys().flat_map(|path| broken_links(path, &texts, &exists)).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn every_snippet_in_rust_is_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (texts, sources) = (texts(root, "md"), texts(root, "rs"));
    let included: Vec<String> = sources.iter().flat_map(|(path, text)| included_texts(path, text)).collect();
    assert!(included.contains(&"README.md".to_owned()), "{included:?}");
    let tested = texts.iter().filter(|(path, _)| TESTED.iter().any(|tested| is_in(path, tested)));
    let findings: Vec<String> =
        tested.flat_map(|(path, text)| untested_snippets(path, text, included.contains(path))).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// All files below the root that end so, by path with `/` between its parts: those of the repository, and none that something
/// built or fetched.
pub(crate) fn texts(root: &Path, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("the folder can be read") {
            let entry = entry.expect("the folder can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().expect("the entry has a type");
            let of_others =
                ["target", "node_modules"].contains(&&*name) || (name.starts_with('.') && name != ".github");
            if kind.is_dir() && !of_others {
                folders.push(path);
            } else if kind.is_file() && name.rsplit_once('.').is_some_and(|(_, end)| end == ending) {
                found.insert(path, fs::read_to_string(entry.path()).expect("the file is text"));
            }
        }
    }
    found
}

fn is_in(path: &str, tested: &str) -> bool {
    path == tested || (tested.ends_with('/') && path.starts_with(tested))
}

// ---- links ----

fn broken_links(path: &str, texts: &BTreeMap<String, String>, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let text = texts.get(path).map_or("", String::as_str);
    let mut findings = Vec::new();
    for (line, target) in links(text) {
        let (file, anchor) = target.split_once('#').map_or((&*target, None), |(file, anchor)| (file, Some(anchor)));
        let leads_to = if file.is_empty() { Some(path.to_owned()) } else { joined(path, file) };
        let problem = match leads_to {
            None => Some("leads out of the repository"),
            Some(file) if !exists(&file) => Some("leads to no file"),
            Some(file) => {
                let headings = texts.get(&file).map(|text| anchors(text));
                match (anchor, headings) {
                    (Some(anchor), Some(headings)) => {
                        (!headings.iter().any(|heading| heading == anchor)).then_some("leads to no heading")
                    }
                    _ => None,
                }
            }
        };
        findings.extend(problem.map(|problem| format!("{path}:{line}: `{target}` {problem}")));
    }
    findings
}

/// The path of `file` as it stands in the text at `path`, from the root.
fn joined(path: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!file.starts_with('/')).then(|| parts.join("/"))
}

/// What a text links to, inline or by a definition at the start of a line (`[name]: target`), with the line. Addresses with a
/// scheme, and what stands in code, are left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // A link may be broken over two lines between its text and not inside of its target, so targets are looked for alone.
    for (line, prose) in prose(text) {
        let mut rest = &*prose;
        if let Some((_, target)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            found.push((line, target.trim().to_owned()));
        }
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, behind)) = after.split_once(')') else { break };
            // `(target "title")`
            found.extend(target.split_whitespace().next().map(|target| (line, target.to_owned())));
            rest = behind;
        }
    }
    found.retain(|(_, target)| !["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)));
    found
}

/// The anchors of a text's headings, as the pages of repositories make them: the second of a name gets a number.
fn anchors(text: &str) -> Vec<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let mut fence = false;
    for line in text.lines() {
        fence ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if fence || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let before = times.entry(anchor.clone()).or_default();
        found.push(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
        *before += 1;
    }
    found
}

/// The lines outside of code, with code in them left out.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fence = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fence = !fence;
        } else if !fence {
            // What stands between two backticks is code, and the text of a link may be.
            let outside: Vec<&str> = line.split('`').step_by(2).collect();
            found.push((index + 1, outside.join("")));
        }
    }
    found
}

// ---- snippets ----

/// The texts that a source includes as documentation.
fn included_texts(path: &str, source: &str) -> Vec<String> {
    let includes = source.lines().filter_map(|line| line.trim().split_once("[doc = include_str!(\""));
    let files = includes.filter_map(|(_, rest)| rest.split_once('"')).map(|(file, _)| file);
    files.filter_map(|file| joined(path, file)).collect()
}

fn untested_snippets(path: &str, text: &str, is_included: bool) -> Vec<String> {
    let mut findings = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let code: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        let words: Vec<&str> = language.split(',').map(str::trim).collect();
        if words[0] != "rust" {
            continue;
        }
        let may = MAY_BE_IGNORED.iter().any(|(file, line)| *file == path && code.contains(line));
        let problem = match words.contains(&"ignore") {
            true => (!may).then_some("is ignored and not compiled"),
            false => (!is_included).then_some("stands in a text that no source includes as documentation"),
        };
        findings.extend(problem.map(|problem| format!("{path}:{}: this snippet {problem}", index + 1)));
    }
    findings
}

// ---- that the rules find something ----

fn check_links(text: &str, expected: &[&str]) {
    let other = "# Other\n\n## A `b`, and c: d\n\n```\n# no heading\n```\n\n## Twice\n\n## Twice\n".to_owned();
    let texts = [("docs/a.md".to_owned(), text.to_owned()), ("docs/other.md".to_owned(), other)].into();
    let exists = |path: &str| ["docs/a.md", "docs/other.md", "docs/b.svg", "src", "x.rs"].contains(&path);
    let findings = broken_links("docs/a.md", &texts, &exists);
    assert_eq!(findings.len(), expected.len(), "{text:?}: {findings:#?}");
    for (finding, expected) in findings.iter().zip(expected) {
        assert!(finding.contains(expected), "{finding:?} should contain {expected:?}");
    }
}

#[test]
fn broken_links_are_found() {
    check_links(
        "[a](other.md), [a](./other.md)\n![a](b.svg \"title\"), [`x`](../x.rs), [a](../src), [a](../src/)",
        &[],
    );
    check_links(
        "[a](gone.md)\n\n![b](gone.svg)",
        &["docs/a.md:1: `gone.md` leads to no file", "docs/a.md:3: `gone.svg`"],
    );
    check_links("[a](Other.md)", &["no file"]);
    check_links("[a](../../b.md), [a](/docs/other.md)", &["out of the repository", "out of the repository"]);
    check_links("a link over\ntwo [lines and\nwords](gone.md)", &["a.md:3"]);
    check_links("[named]: gone.md\n[named]: other.md", &["a.md:1"]);
    check_links("[a](https://bevy.org/x), [a](http://x), [a](mailto:x)", &[]);
    check_links("`[a](gone.md)`\n```text\n[a](gone.md)\n```\n[a](gone.md)", &["a.md:5"]);
}

#[test]
fn broken_anchors_are_found() {
    check_links("# Here\n[a](#here), [a](other.md#a-b-and-c-d), [a](other.md#twice-1), [a](../x.rs#L3)", &[]);
    check_links("[a](#here)\n[a](other.md#no-heading)", &["a.md:1: `#here` leads to no heading", "a.md:2"]);
    check_links("[a](other.md#A-b-and-c-d)\n[a](other.md#twice-2)", &["no heading", "no heading"]);
}

#[test]
fn snippets_that_nobody_compiles_are_found() {
    let text = "```rust,no_run\nfn a() {}\n```\n```toml\n```\n```rust,ignore\nuse mod_sdk::prelude::*;\n```\n";
    assert_eq!(untested_snippets("docs/a.md", text, true), ["docs/a.md:6: this snippet is ignored and not compiled"]);
    assert_eq!(untested_snippets("docs/a.md", text, false).len(), 2);
    assert_eq!(untested_snippets("mod_host/README.md", text, true), [""; 0]);
    let source = "#![doc = include_str!(\"../README.md\")]\n#[doc = include_str!(\"../../docs/a.md\")]\nstruct A;";
    assert_eq!(included_texts("mod_sdk/src/lib.rs", source), ["mod_sdk/README.md", "docs/a.md"]);
    assert_eq!(included_texts("src/a.rs", "let text = include_str!(\"a.md\");"), [""; 0]);
}
