//! Rules about the source tree that no compiler checks: the layer table of `docs/architecture.md`, the size of files
//! and where `unsafe` may stand.
//!
//! Each rule is a function of a file's path and text, so that each has a test that it finds something. Comments,
//! strings and, where a rule says so, test code do not count.

use std::{collections::BTreeSet, fmt, fs, path::Path};

/// The files that may contain `unsafe`. Everything else is safe Rust.
const UNSAFE_FILES: &[&str] = &[
    "benches/bridge.rs",
    "mod_host/src/cache.rs",
    "mod_host/src/context.rs",
    "mod_sdk/macros/src/expand/function.rs",
    "mod_sdk/macros/src/expand/main.rs",
    "mod_sdk/macros/src/expand/mirror.rs",
    "mod_sdk/src/block.rs",
    "mod_sdk/src/buffer.rs",
    "mod_sdk/src/column.rs",
    "mod_sdk/src/exports.rs",
    "mod_sdk/src/imports.rs",
    "mod_sdk/src/imports/commands.rs",
    "mod_sdk/src/imports/jobs.rs",
    "mod_sdk/src/column/optional.rs",
    "mod_sdk/src/commands/tests.rs",
    "mod_sdk/src/query/combinations.rs",
    "mod_sdk/src/query/data.rs",
    "mod_sdk/src/query/entities.rs",
    "mod_sdk/src/query/iter.rs",
    "mod_sdk/src/random.rs",
    "mod_sdk/src/reflect.rs",
    "mod_sdk/src/testing.rs",
    "src/bridge/apply/family.rs",
    "src/bridge/condition.rs",
    "src/bridge/crossing.rs",
    "src/bridge/definitions.rs",
    "src/bridge/definitions/migrate.rs",
    "src/bridge/definitions/snapshot.rs",
    "src/bridge/filter.rs",
    "src/bridge/gather.rs",
    "src/bridge/gather/kept.rs",
    "src/bridge/gather/tests.rs",
    "src/bridge/gather/tests/kept.rs",
    "src/bridge/host.rs",
    "src/bridge/messages.rs",
    "src/bridge/neighbours.rs",
    "src/bridge/insert.rs",
    "src/bridge/plan.rs",
    "src/bridge/plan/moves.rs",
    "src/bridge/plan/moves/tests.rs",
    "src/bridge/plan/tests.rs",
    "src/bridge/rows.rs",
    "src/bridge/scatter.rs",
    "src/bridge/selection.rs",
    "src/bridge/system.rs",
    "src/bridge/system/gate.rs",
    "src/bridge/system/params.rs",
    "src/bridge/system/reach.rs",
    "src/bridge/ticks.rs",
    "tests/all/definitions.rs",
    "src/bridge/tokens.rs",
];

/// Files with more lines are two things.
const MAX_LINES: usize = 600;

/// A part of the tree, and what it must not name.
struct Layer {
    /// Files whose path begins so.
    folder: &'static str,
    /// Crates, or modules of this crate. A star at the end stands for any rest.
    never: &'static [&'static str],
    /// Exceptions from a star.
    except: &'static [&'static str],
    why: &'static str,
}

const LAYERS: &[Layer] = &[
    Layer {
        folder: "mod_sdk/abi/src/",
        never: &["std", "bevy*", "wasmtime"],
        except: &[],
        why: "the contract knows neither std nor Bevy nor wasmtime",
    },
    Layer { folder: "mod_host/src/", never: &["bevy*"], except: &[], why: "the host does not know that Bevy exists" },
    Layer { folder: "src/", never: &["wasmtime*"], except: &[], why: "the plugin does not know that wasmtime exists" },
    Layer {
        folder: "src/asset",
        never: &["crate::bridge", "crate::lifecycle", "crate::plugin"],
        except: &[],
        why: "lower rooms never name their neighbours or call upward",
    },
    Layer {
        folder: "src/bridge",
        never: &["crate::asset", "crate::lifecycle", "crate::plugin"],
        except: &[],
        why: "lower rooms never name their neighbours or call upward",
    },
    Layer {
        folder: "src/lifecycle",
        never: &["crate::plugin"],
        except: &[],
        why: "lower rooms never name their neighbours or call upward",
    },
    Layer {
        folder: "mod_sdk/src/",
        never: &["bevy*", "wasmtime", "mod_host"],
        except: &["bevy_mod_sdk", "bevy_mod_sdk_macros"],
        why: "a mod knows the contract and neither Bevy nor the host",
    },
    Layer {
        folder: "mod_sdk/macros/",
        never: &["bevy*", "wasmtime", "mod_host"],
        except: &["bevy_mod_sdk"],
        why: "a mod knows the contract and neither Bevy nor the host",
    },
    Layer {
        folder: "mod_sdk/cli/",
        never: &["bevy*", "wasmtime"],
        except: &[],
        why: "the command line knows a game by its game-api.json, and runs mods through the host",
    },
];

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

#[test]
fn the_source_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(root, "", &mut files);
    assert!(files.len() > 10, "only {} files were found", files.len());

    let mut findings: Vec<Finding> = files.iter().flat_map(|(path, text)| all_rules(path, text)).collect();
    for path in UNSAFE_FILES {
        let text = files.iter().find(|(file, _)| file == path).map_or("", |(_, text)| text);
        findings.extend(unused_permission(path, text));
    }
    let text: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), text.join("\n"));
}

/// Every Rust file below `folder`, with its path from the root, `/` between its parts.
fn collect(root: &Path, folder: &str, files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(root.join(folder)).expect("the folder can be read");
    for entry in entries {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().expect("the entry has a type");
        if kind.is_dir() && name != "target" && !name.starts_with('.') {
            collect(root, &path, files);
        } else if kind.is_file() && name.ends_with(".rs") {
            files.push((path, fs::read_to_string(entry.path()).expect("the file is text")));
        }
    }
}

fn all_rules(path: &str, text: &str) -> Vec<Finding> {
    let code = without_comments_and_strings(text);
    let code = tokens(&code);
    let no_tests = without_test_items(&code);
    let mut findings = layers(path, &no_tests);
    findings.extend(size(path, text));
    findings.extend(opening(path, text));
    findings.extend(unfinished(path, &code));
    findings.extend(globs(path, &no_tests));
    findings.extend(unsafe_code(path, &code));
    findings
}

// ---- the rules ----

fn layers(path: &str, code: &[Token<'_>]) -> Vec<Finding> {
    let home = module_of(path);
    let mut findings = Vec::new();
    for layer in LAYERS.iter().filter(|layer| path.starts_with(layer.folder) && !is_test_file(path)) {
        for (line, named) in paths(code) {
            let named = absolute(&named, &home);
            if let Some(never) = layer.never.iter().find(|never| matches(&named, never, layer.except)) {
                let rule = format!("`{}` names {never}: {}", named.join("::"), layer.why);
                findings.push(Finding { path: path.to_owned(), line, rule });
            }
        }
    }
    findings
}

fn size(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > MAX_LINES && !is_test_file(path)).then(|| Finding {
        path: path.to_owned(),
        line: lines,
        rule: format!("a file should have at most {MAX_LINES} lines, this one has {lines}"),
    })
}

fn opening(path: &str, text: &str) -> Option<Finding> {
    (!text.starts_with("//!") && !text.starts_with("#![doc = include_str!") && !is_test_file(path)).then(|| Finding {
        path: path.to_owned(),
        line: 1,
        rule: "a file should begin with `//!` and what it is for".to_owned(),
    })
}

fn unfinished(path: &str, code: &[Token<'_>]) -> Vec<Finding> {
    let is = |index: usize, text: &str| code.get(index).is_some_and(|token| token.text == text);
    let mut findings = Vec::new();
    for (index, token) in code.iter().enumerate() {
        let macro_call = ["todo", "unimplemented"].contains(&token.text) && is(index + 1, "!");
        let skipped_test = token.text == "ignore" && index >= 2 && is(index - 1, "[") && is(index - 2, "#");
        if macro_call || skipped_test {
            let rule = format!("`{}` should not stand in a finished tree", token.text);
            findings.push(Finding { path: path.to_owned(), line: token.line, rule });
        }
    }
    findings
}

fn globs(path: &str, code: &[Token<'_>]) -> Vec<Finding> {
    if is_test_file(path) || path.ends_with("/prelude.rs") {
        return Vec::new();
    }
    let code = without_items(code, |code, index| {
        code[index].text == "mod" && code.get(index + 1).is_some_and(|token| token.text == "prelude")
    });
    let is_glob = |named: &[&str]| named.last() == Some(&"*") && named.iter().rev().nth(1) != Some(&"prelude");
    let found = paths(&code).into_iter().filter(|(_, named)| is_glob(named));
    let rule =
        |named: &[&str]| format!("`{}` should name what it takes; only preludes are for globs", named.join("::"));
    found.map(|(line, named)| Finding { path: path.to_owned(), line, rule: rule(&named) }).collect()
}

/// Only the first place of each file, because a file that may have one may have many. Cases that must not compile may
/// hold anything.
fn unsafe_code(path: &str, code: &[Token<'_>]) -> Option<Finding> {
    if path.contains("/ui/fail/") {
        return None;
    }
    let places: Vec<usize> = code.iter().filter(|token| token.text == "unsafe").map(|token| token.line).collect();
    let first = places.first().filter(|_| !UNSAFE_FILES.contains(&path))?;
    let rule = format!(
        "`unsafe` (here, and in {} more places) should stand only in the files that tests/all/tidy.rs lists",
        places.len() - 1
    );
    Some(Finding { path: path.to_owned(), line: *first, rule })
}

fn unused_permission(path: &str, text: &str) -> Option<Finding> {
    let code = without_comments_and_strings(text);
    (!tokens(&code).iter().any(|token| token.text == "unsafe")).then(|| Finding {
        path: path.to_owned(),
        line: 1,
        rule: "this file has no `unsafe`; tests/all/tidy.rs should not list it".to_owned(),
    })
}

// ---- what the rules ask about paths ----

/// Files of which every line is test code.
fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| ["tests", "benches", "tests.rs"].contains(&part)) || path.ends_with("_tests.rs")
}

/// The module that a file of a crate is: `src/bridge/gather.rs` is `crate::bridge::gather`.
fn module_of(path: &str) -> Vec<&str> {
    let inside = path.rsplit_once("src/").map_or(path, |(_, inside)| inside);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let parts = inside.split('/').filter(|part| !["lib", "main", "mod"].contains(part));
    std::iter::once("crate").chain(parts).collect()
}

/// A path without `self` and `super` in front.
fn absolute<'a>(named: &[&'a str], home: &[&'a str]) -> Vec<&'a str> {
    let relative = named.iter().take_while(|part| ["self", "super"].contains(*part)).count();
    if relative == 0 {
        return named.to_vec();
    }
    let up = named[..relative].iter().filter(|part| **part == "super").count();
    let base = &home[..home.len().saturating_sub(up).max(1)];
    base.iter().chain(&named[relative..]).copied().collect()
}

fn matches(named: &[&str], never: &str, except: &[&str]) -> bool {
    let never: Vec<&str> = never.split("::").collect();
    named.len() >= never.len()
        && !except.contains(&named[0])
        && named.iter().zip(&never).all(|(part, never)| match never.strip_suffix('*') {
            Some(start) => part.starts_with(start),
            None => part == never,
        })
}

// ---- just enough of Rust's grammar ----

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// Replaces comments and the content of strings and characters by spaces. Lines stay where they are.
fn without_comments_and_strings(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    while index < chars.len() {
        let start_of_word = index == 0 || !is_word(at(index - 1));
        let end = match at(index) {
            '/' if at(index + 1) == '/' => index + chars[index..].iter().take_while(|c| **c != '\n').count(),
            '/' if at(index + 1) == '*' => end_of_block_comment(&chars, index),
            '"' => end_of_string(&chars, index),
            'r' if start_of_word || "bc".contains(at(index - 1)) => end_of_raw_string(&chars, index),
            '\'' if at(index + 1) == '\\' => {
                index + 3 + chars[index + 3..].iter().take_while(|c| **c != '\'').count() + 1
            }
            '\'' if at(index + 2) == '\'' => index + 3,
            _ => index,
        };
        if end == index {
            out.push(at(index));
            index += 1;
        } else {
            let end = end.min(chars.len());
            // A space keeps words apart that a comment stood between.
            out.push(' ');
            out.extend(chars[index..end].iter().filter(|c| **c == '\n'));
            index = end;
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut index = start;
    while index < chars.len() {
        match (chars[index], chars.get(index + 1)) {
            ('/', Some('*')) => (depth, index) = (depth + 1, index + 2),
            ('*', Some('/')) => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    index
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

/// `start` itself, if no raw string begins there.
fn end_of_raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let closes = |index: usize| chars[index + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    let close = (open + 1..chars.len()).find(|index| chars[*index] == '"' && closes(*index));
    close.map_or(chars.len(), |close| close + 1 + hashes)
}

/// Words, `::`, and every other character that is no space.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let len = if word > 0 {
            word
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        let (text, after) = rest.split_at(len);
        line += usize::from(c == '\n');
        if !c.is_whitespace() {
            tokens.push(Token { line, text });
        }
        rest = after;
    }
    tokens
}

/// Every path, with groups of `use` lines taken apart: a line and its parts, of which the last can be a star. A crate
/// that is named alone counts only in a `use` line, where it cannot be a variable.
fn paths<'a>(code: &[Token<'a>]) -> Vec<(usize, Vec<&'a str>)> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < code.len() {
        let after_use = index > 0 && ["use", "crate"].contains(&code[index - 1].text);
        index = path(code, index, &[], after_use, &mut found).max(index + 1);
    }
    found
}

/// Reads one path that begins at `index` and returns where it ends.
fn path<'a>(
    code: &[Token<'a>],
    start: usize,
    before: &[&'a str],
    in_use: bool,
    found: &mut Vec<(usize, Vec<&'a str>)>,
) -> usize {
    let text = |index: usize| code.get(index).map_or("", |token| token.text);
    let mut parts = before.to_vec();
    let mut index = start + usize::from(text(start) == "::");
    loop {
        if text(index) == "{" && (in_use || parts.len() > before.len()) {
            index += 1;
            while index < code.len() && text(index) != "}" {
                index = path(code, index, &parts, true, found).max(index + 1);
            }
            return index + 1;
        }
        if !(text(index).starts_with(is_word) || text(index) == "*" && in_path(code, index)) {
            return index;
        }
        parts.push(text(index));
        let more =
            text(index + 1) == "::" && (text(index + 2).starts_with(is_word) || ["{", "*"].contains(&text(index + 2)));
        if !more {
            if parts.len() > 1 || in_use {
                found.push((code[index].line, parts));
            }
            return index + 1;
        }
        index += 2;
    }
}

fn in_path(code: &[Token<'_>], index: usize) -> bool {
    index > 0 && ["::", "{", ","].contains(&code[index - 1].text)
}

/// Leaves out items under `#[cfg(test)]`, and what else is compiled only for tests.
fn without_test_items<'a>(code: &[Token<'a>]) -> Vec<Token<'a>> {
    without_items(code, |code, index| {
        let texts: Vec<&str> = code[index..].iter().take(5).map(|token| token.text).collect();
        matches!(texts.as_slice(), ["#", "[", "cfg", "(", "test"] | ["#", "[", "test", "]", ..])
    })
}

/// Leaves out the items, with their braces or up to their semicolon, that begin where `begins` says so.
fn without_items<'a>(code: &[Token<'a>], begins: impl Fn(&[Token<'a>], usize) -> bool) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut index = 0;
    while index < code.len() {
        if !begins(code, index) {
            kept.push(code[index]);
            index += 1;
            continue;
        }
        let (mut braces, mut others) = (0, 0);
        while index < code.len() {
            match code[index].text {
                "{" => braces += 1,
                "}" => braces -= 1,
                "(" | "[" => others += 1,
                ")" | "]" => others -= 1,
                _ => {}
            }
            let ends = ["}", ";"].contains(&code[index].text) && braces == 0 && others == 0;
            index += 1;
            if ends {
                break;
            }
        }
    }
    kept
}

// ---- each rule finds something ----

/// Asserts which lines of a file break which rule: pairs of a line and a part of the rule's sentence.
#[track_caller]
fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
    let text = format!("//! A file.\n{text}");
    let found = all_rules(path, &text);
    let shown: Vec<String> = found.iter().map(Finding::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{path}: {text}\n{shown:?}");
    for (line, part) in expected {
        assert!(found.iter().any(|f| f.line == *line && f.rule.contains(part)), "{line} {part}: {shown:?}");
    }
}

#[test]
fn layers_are_checked_in_use_lines_and_in_paths() {
    check("mod_sdk/abi/src/a.rs", "use core::fmt;\nuse std::fmt;", &[(3, "`std::fmt`")]);
    check("mod_sdk/abi/src/a.rs", "fn f() { ::std::process::exit(1) }", &[(2, "`std::process::exit`")]);
    check("mod_sdk/abi/src/a.rs", "extern crate std;", &[(2, "`std`")]);
    check("mod_sdk/abi/src/a.rs", "#[cfg(test)]\nmod tests {\n    use std::fmt;\n}\nuse std::io;", &[(6, "`std::io`")]);
    check("mod_sdk/abi/tests/a.rs", "use std::fmt;", &[]);
    check("mod_sdk/abi/src/a.rs", "use bevy_ecs::world::World;", &[(2, "bevy*")]);
    check("mod_sdk/abi/src/a.rs", "use wasmtime::Engine;", &[(2, "wasmtime")]);
    check("mod_host/src/a.rs", "use {\n    std::fmt,\n    bevy::app::App,\n};", &[(4, "`bevy::app::App`")]);
    check("mod_host/src/a.rs", "use wasmtime::Engine;\nfn f(bevy: u8) -> u8 { bevy }", &[]);
    check("src/lib.rs", "pub use wasmtime;", &[(2, "wasmtime")]);
    check("src/lib.rs", "use mod_host::Host;\nuse crate::{asset::A, bridge::B, lifecycle::C, plugin::D};", &[]);
    check("mod_sdk/src/a.rs", "use bevy_mod_sdk_macros::export;\nuse bevy_math::Vec3;", &[(3, "bevy_math")]);
    check("mod_sdk/src/a.rs", "use mod_host::Host;", &[(2, "mod_host")]);
    check("mod_sdk/macros/src/a.rs", "use bevy_reflect::Reflect;", &[(2, "bevy_reflect")]);
    check("xtask/src/a.rs", "use std::fmt;\nuse wasmtime::Engine;", &[]);
}

#[test]
fn neighbours_are_found_however_they_are_named() {
    check("src/asset/a.rs", "use crate::bridge::X;", &[(2, "`crate::bridge::X` names crate::bridge")]);
    check(
        "src/asset/a.rs",
        "use crate::{\n    fault::F,\n    bridge::{X, Y},\n};",
        &[(4, "bridge::X"), (4, "bridge::Y")],
    );
    check("src/asset.rs", "use super::lifecycle::X;", &[(2, "`crate::lifecycle::X`")]);
    check("src/bridge/a.rs", "use super::super::asset::X;\nuse super::asset::Y;", &[(2, "`crate::asset::X`")]);
    check("src/bridge/a.rs", "type X = crate::lifecycle::X;", &[(2, "crate::lifecycle")]);
    check("src/bridge/a.rs", "use crate::plugin::X;", &[(2, "crate::plugin")]);
    check("src/bridge/a.rs", "use crate::{asset};", &[(2, "`crate::asset`")]);
    check("src/lifecycle/a.rs", "use crate::{asset::X, bridge::Y};\nuse crate::plugin::Z;", &[(3, "crate::plugin")]);
}

#[test]
fn comments_strings_and_names_that_only_look_alike_do_not_count() {
    check(
        "mod_sdk/abi/src/a.rs",
        "// std::fmt\n/* std::fmt /* wasmtime::X */ unsafe */\n/// [`std::fmt`]\nfn f() {}",
        &[],
    );
    check(
        "mod_sdk/abi/src/a.rs",
        "const A: &str = \"std::fmt \\\" unsafe\";\nconst B: &str = r#\"std::a \" b\"#;",
        &[],
    );
    check(
        "mod_sdk/abi/src/a.rs",
        "const A: [char; 3] = ['\"', '\\'', '\\u{7f}'];\nfn f<'a>(x: &'a str) {}\nuse std::x;",
        &[(4, "std::x")],
    );
    check(
        "mod_sdk/abi/src/a.rs",
        "const A: &[u8] = b\"std::x\";\nconst B: &[u8] = br\"std::x\";\nuse std::x;",
        &[(4, "std::x")],
    );
    check("mod_sdk/abi/src/a.rs", "use my_std::x;\nuse my::std::x;", &[]);
    check("src/bridge/a.rs", "use bevy_asset::X;\nuse crate::assets::Y;\nfn f(r: u8) -> u8 { r }", &[]);
}

#[test]
fn long_files_and_files_without_an_opening_are_found() {
    let long = "\n".repeat(MAX_LINES);
    check("src/a.rs", &long, &[(MAX_LINES + 1, "at most 600 lines")]);
    check("tests/all/a.rs", &long, &[]);
    check("benches/a.rs", &long, &[]);
    check("src/a.rs", &long[1..], &[]);
    assert!(opening("src/a.rs", "use core::fmt;\n").is_some());
    assert!(opening("examples/a.rs", "").is_some());
    assert!(opening("tests/all/a.rs", "use core::fmt;\n").is_none());
    assert!(opening("src/a_tests.rs", "use core::fmt;\n").is_none());
}

#[test]
fn unfinished_code_is_found_everywhere() {
    for path in ["src/a.rs", "tests/all/a.rs", "examples/mods/a/src/lib.rs"] {
        // In two parts, so that no search for such code finds these cases.
        check(path, concat!("fn f() { todo", "!() }"), &[(2, "`todo`")]);
        check(path, concat!("fn f() {\n    unimplemented", "!(\"later\")\n}"), &[(3, "`unimplemented`")]);
        check(path, concat!("#[test]\n#[", "ignore = \"slow\"]\nfn f() {}"), &[(3, "`ignore`")]);
    }
    check("src/a.rs", "fn todo(ignore: [u8; 1]) -> u8 { ignore[0] }", &[]);
}

#[test]
fn globs_outside_preludes_and_tests_are_found() {
    check("src/a.rs", "use crate::x::*;", &[(2, "`crate::x::*`")]);
    check("src/a.rs", "use crate::{a, x::{b, y::*}};", &[(2, "`crate::x::y::*`")]);
    check("examples/a.rs", "use bevy::prelude::*;", &[]);
    check("src/prelude.rs", "pub use crate::x::*;", &[]);
    check(
        "src/lib.rs",
        "pub mod prelude {\n    pub use crate::x::*;\n}\npub use crate::y::*;",
        &[(5, "`crate::y::*`")],
    );
    check("src/a.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}\nfn f(a: u8) -> u8 { a * a }", &[]);
    check("tests/all/a.rs", "use super::*;", &[]);
}

#[test]
fn unsafe_outside_the_list_is_found() {
    check("src/a.rs", "fn f() {\n    unsafe { g() }\n    unsafe { g() }\n}", &[(3, "1 more")]);
    check("src/a.rs", "#[unsafe(no_mangle)]\nfn f() {}", &[(2, "`unsafe`")]);
    check("tests/all/a.rs", "unsafe impl Send for X {}", &[(2, "`unsafe`")]);
    check("src/a.rs", "#![deny(unsafe_code)]", &[]);
    check(UNSAFE_FILES[0], "fn f() { unsafe { g() } }", &[]);
    assert_eq!(unused_permission("src/a.rs", "unsafe { g() }"), None);
    assert!(unused_permission("src/a.rs", "// unsafe").is_some());
}

#[test]
fn every_layer_names_a_folder_once() {
    let folders: BTreeSet<&str> = LAYERS.iter().map(|layer| layer.folder).collect();
    assert_eq!(folders.len(), LAYERS.len());
}
