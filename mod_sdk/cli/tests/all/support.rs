//! Runs the program, and makes modules that no compiler would.

use std::{
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mod_abi::{
    Buffer, codec,
    describe::{ModDescription, ParamDesc, SystemDesc, TypeDesc, TypeIndex, TypeRole},
};

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Fails the test if the program failed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }

    /// Fails the test if the program did not fail, with an error that has all of `parts`.
    #[track_caller]
    pub(crate) fn fails(self, parts: &[&str]) -> String {
        assert_eq!(self.code, Some(1), "{}\n{}", self.out, self.err);
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in {}", self.err);
        }
        self.err
    }
}

/// The program, in a folder. What cargo does below it needs no network, and shares what it builds.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-wasm-mod"));
    shared(command.current_dir(folder).stdin(Stdio::null()));
    command
}

/// Has cargo build into one folder for all crates of these tests.
pub(crate) fn shared(command: &mut Command) {
    command
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("mods"))
        .env("CARGO_NET_OFFLINE", "true");
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
}

/// Runs the program in a folder.
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Path, args: &[S]) -> Ran {
    ran(program(folder).args(args))
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("it is text")
}

/// Whether mods can be built here. Tests that need it say so where they go without.
pub(crate) fn has_target() -> bool {
    let answer =
        Command::new("rustc").args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]).output();
    let is_there = answer.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir());
    if !is_there {
        // Past the capture of the test harness, so that everyone sees it.
        let said =
            writeln!(std::io::stderr(), "mods are not built here: the target wasm32-unknown-unknown is not installed");
        said.expect("standard error is open");
    }
    is_there
}

/// A mod in WAT that describes itself as it is told.
pub(crate) struct Mod {
    identity: String,
    description: ModDescription,
    imports: String,
    sections: String,
}

impl Mod {
    pub(crate) fn new(id: &str) -> Self {
        let identity = format!("abi: 3\\nid: {id}\\nversion: 1.2.3\\ncodec: bincode\\n");
        Self { identity, description: ModDescription::default(), imports: String::new(), sections: String::new() }
    }

    /// Adds a line to its identity.
    pub(crate) fn states(mut self, line: &str) -> Self {
        self.identity.push_str(&format!("{line}\\n"));
        self
    }

    /// Imports a host function, and states its types.
    pub(crate) fn imports(mut self, name: &str, signature: &str) -> Self {
        self.imports.push_str(&format!("(import \"env\" \"__{name}\" (func (param i64) (result i64)))\n"));
        let line = format!("import bincode {name} {signature}\\n");
        self.sections.push_str(&format!("(@custom \"bevy_mod_functions\" \"{line}\")\n"));
        self
    }

    /// Imports anything.
    pub(crate) fn imports_raw(mut self, import: &str) -> Self {
        self.imports.push_str(import);
        self
    }

    /// Adds a type.
    pub(crate) fn ty(&mut self, path: &str, schema: &str, role: TypeRole) -> TypeIndex {
        let schema = schema.parse_schema();
        self.description.types.push(TypeDesc { path: path.to_owned(), schema, role });
        u32::try_from(self.description.types.len() - 1).expect("few types")
    }

    /// Adds a system in `Update`, which may be changed.
    pub(crate) fn system(mut self, name: &str, params: Vec<ParamDesc>, change: impl FnOnce(&mut SystemDesc)) -> Self {
        let mut system =
            SystemDesc { name: name.to_owned(), schedule: "Update".to_owned(), params, ..SystemDesc::default() };
        change(&mut system);
        self.description.systems.push(system);
        self
    }

    /// Changes the description.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut ModDescription)) -> Self {
        change(&mut self.description);
        self
    }

    /// The module.
    pub(crate) fn build(&self) -> Vec<u8> {
        let bytes = codec::encode(&self.description).expect("a description");
        let data: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let answer = Buffer::new(1024, u32::try_from(bytes.len()).expect("a short description")).to_raw();
        let Self { identity, imports, sections, .. } = self;
        let module = format!(
            "(module {imports} (@custom \"bevy_mod\" \"{identity}\") {sections}
                (memory (export \"memory\") 2)
                (data (i32.const 1024) \"{data}\")
                (func (export \"__alloc_buffer\") (param i32) (result i32) (i32.const 65536))
                (func (export \"__free_buffer\") (param i64))
                (func (export \"__mod_describe\") (param i64) (result i64) (i64.const {answer}))
                (func (export \"__mod_run\") (param i64) (result i64) (i64.const 0)))"
        );
        wat::parse_str(&module).unwrap_or_else(|error| panic!("{error}\n{module}"))
    }

    /// The module as a file.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("mod_under_test.wasm");
        fs::write(&path, self.build()).expect("it is written");
        path
    }
}

trait ParseSchema {
    fn parse_schema(&self) -> mod_abi::Schema;
}

impl ParseSchema for str {
    fn parse_schema(&self) -> mod_abi::Schema {
        mod_abi::Schema::parse(self).expect("a schema")
    }
}
