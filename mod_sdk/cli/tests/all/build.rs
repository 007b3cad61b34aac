//! `build` and `watch`.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    sync::mpsc,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{has_target, program, ran, run, text};

/// A mod beside a game, in a folder that goes with them.
fn mod_and_game(name: &str) -> (TempDir, PathBuf, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let mods = root.path().join("game/assets/mods");
    fs::create_dir_all(&mods).expect("a folder");
    run(root.path(), &["new", name]).ok();
    let folder = root.path().join(name);
    (root, folder, mods)
}

#[test]
fn what_stands_in_the_way_is_told_with_a_way_out() {
    let (root, folder, _) = mod_and_game("bees");
    run(root.path(), &["build"]).fails(&["there is no Cargo.toml", "cargo wasm-mod new"]);
    let missing = run(&folder, &["build", "--target", "wasm32v1-none"]);
    missing.fails(&["the target `wasm32v1-none` is not installed", "    rustup target add wasm32v1-none\n"]);
    run(&folder, &["build", "--target", "wasm33"]).fails(&["rustc cannot build for `wasm33`"]);
    run(&folder, &["build", "--game", "nowhere"]).fails(&["there is no folder nowhere"]);
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("it is there");
    fs::write(folder.join("Cargo.toml"), manifest.replace("\"cdylib\"", "\"rlib\"")).expect("it is written");
    run(&folder, &["build"]).fails(&["bees is not built as a mod", "crate-type = [\"cdylib\"]"]);
}

#[test]
fn a_mod_is_put_where_the_game_finds_it() {
    if !has_target() {
        return;
    }
    let (_root, folder, mods) = mod_and_game("bees");
    let nowhere = run(&folder, &["build"]).ok();
    assert!(nowhere.contains("it was copied into no game"), "{nowhere}");
    let built = run(&folder, &["build", "--game", text(&mods)]).ok();
    assert!(built.contains("bees 0.1.0: ") && built.contains("KiB)"), "{built}");
    assert!(mods.join("bees.wasm").is_file());

    fs::create_dir(folder.join("assets")).expect("a folder");
    fs::write(folder.join("assets/leaf.png"), "png").expect("a file");
    let built = run(&folder, &["build", "--game", text(&mods)]).ok();
    assert!(built.contains("1 asset of its own") && built.contains("removed"), "{built}");
    assert!(mods.join("bees/mod.wasm").is_file() && mods.join("bees/leaf.png").is_file());
    assert!(!mods.join("bees.wasm").exists(), "the id would be there twice");

    fs::write(folder.join("src/lib.rs"), "fn broken( {}").expect("a file");
    let err = run(&folder, &["build", "--game", text(&mods)]).fails(&["error: bees was not built"]);
    assert!(err.contains("src/lib.rs:1") && mods.join("bees/mod.wasm").is_file(), "{err}");
}

/// A program that is called as wasm-opt, and what becomes of the mod.
#[cfg(unix)]
#[test]
fn wasm_opt_is_used_only_if_the_mod_stays_what_it_is() {
    use std::os::unix::fs::PermissionsExt;

    if !has_target() {
        return;
    }
    let (root, folder, mods) = mod_and_game("bees");
    let tools = root.path().join("tools");
    fs::create_dir(&tools).expect("a folder");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a path"));
    let build = |script: &str| {
        let tool = tools.join("wasm-opt");
        fs::write(&tool, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let ran = ran(program(&folder).args(["build", "--game", text(&mods)]).env("PATH", &path));
        let bytes = fs::read(mods.join("bees.wasm")).expect("it is there");
        assert!(bytes.len() > 1000, "{ran:?}");
        ran
    };
    let copies = build("cp \"$5\" \"$4\"");
    assert!(
        copies.out.contains("before wasm-opt") && copies.err.lines().all(|line| !line.starts_with("warning: the mod")),
        "{copies:?}"
    );
    let loses = build("printf '\\000asm\\001\\000\\000\\000' > \"$4\"");
    assert!(loses.err.contains("the mod stays as cargo built it: no game would load"), "{loses:?}");
    let fails = build("echo 'no such pass' >&2; exit 1");
    assert!(fails.err.contains("wasm-opt failed: no such pass") && fails.code == Some(0), "{fails:?}");
}

#[test]
fn flags_that_hide_those_of_the_mod_are_told() {
    if !has_target() {
        return;
    }
    let root = tempfile::tempdir().expect("a folder");
    for (name, template, warned) in [("dicer", "dice", true), ("bees", "system", false)] {
        run(root.path(), &["new", name, "--template", template]).ok();
        let folder = root.path().join(name);
        // What does not compile ends soon, and the warning comes before.
        fs::write(folder.join("src/lib.rs"), "fn broken( {}").expect("a file");
        let ran = ran(program(&folder).arg("build").env("RUSTFLAGS", "--cfg=nothing"));
        assert_eq!(ran.err.contains("RUSTFLAGS is set, and cargo takes it"), warned, "{ran:?}");
    }
}

/// Lines of a program that runs, until one has `part`.
fn until(lines: &mpsc::Receiver<String>, part: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let line = lines.recv_timeout(Duration::from_secs(300));
        let line = line.unwrap_or_else(|_| panic!("no line with {part:?} after {seen:?}"));
        let is_it = line.contains(part);
        seen.push(line);
        if is_it {
            return seen;
        }
    }
}

#[test]
fn watching_builds_again_when_something_is_saved() {
    if !has_target() {
        return;
    }
    let (_root, folder, mods) = mod_and_game("bees");
    let mut command = program(&folder);
    let mut running = command.args(["watch", "--game", text(&mods)]).stdout(Stdio::piped()).spawn().expect("it runs");
    let out = running.stdout.take().expect("its lines");
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    until(&lines, "built in");
    until(&lines, "watching for changes");
    let read = |path: &Path| fs::read(path).expect("it is there");
    let first = read(&mods.join("bees.wasm"));
    let code = fs::read_to_string(folder.join("src/lib.rs")).expect("it is there");
    fs::write(folder.join("src/lib.rs"), code.replace("0.5", "7.25")).expect("it is written");
    until(&lines, "built in");
    assert_ne!(read(&mods.join("bees.wasm")), first);
    // Nothing changes any more, so nothing is built.
    assert!(lines.recv_timeout(Duration::from_secs(2)).is_err());
    running.kill().expect("it runs until it is stopped");
    running.wait().expect("it ends");
}
