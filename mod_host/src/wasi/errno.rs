//! Error numbers of preview 1.

use wasmtime_wasi::p2::{FsError, bindings::filesystem::types::ErrorCode};

/// What a function answers: nothing, or one of these numbers.
pub(super) type Answer<T> = Result<T, i32>;

pub(super) const ACCES: i32 = 2;
pub(super) const BADF: i32 = 8;
pub(super) const BUSY: i32 = 10;
pub(super) const DQUOT: i32 = 19;
pub(super) const FAULT: i32 = 21;
pub(super) const FBIG: i32 = 22;
pub(super) const ILSEQ: i32 = 25;
pub(super) const INVAL: i32 = 28;
pub(super) const IO: i32 = 29;
pub(super) const ISDIR: i32 = 31;
pub(super) const LOOP: i32 = 32;
pub(super) const MFILE: i32 = 33;
pub(super) const NAMETOOLONG: i32 = 37;
pub(super) const NOENT: i32 = 44;
pub(super) const NOTDIR: i32 = 54;
pub(super) const NOTSUP: i32 = 58;
pub(super) const PERM: i32 = 63;
pub(super) const XDEV: i32 = 75;

/// The number of an error. What is no error of a file system is a fault of ours, and "input/output" to the mod.
pub(super) fn number(error: FsError) -> i32 {
    error.downcast().map_or(IO, of_code)
}

fn of_code(code: ErrorCode) -> i32 {
    match code {
        ErrorCode::Access => ACCES,
        ErrorCode::WouldBlock => 6,
        ErrorCode::Already => 7,
        ErrorCode::BadDescriptor => BADF,
        ErrorCode::Busy => BUSY,
        ErrorCode::Deadlock => 16,
        ErrorCode::Quota => DQUOT,
        ErrorCode::Exist => 20,
        ErrorCode::FileTooLarge => FBIG,
        ErrorCode::IllegalByteSequence => ILSEQ,
        ErrorCode::InProgress => 26,
        ErrorCode::Interrupted => 27,
        ErrorCode::Invalid => INVAL,
        ErrorCode::Io => IO,
        ErrorCode::IsDirectory => ISDIR,
        ErrorCode::Loop => LOOP,
        ErrorCode::TooManyLinks => 34,
        ErrorCode::MessageSize => 35,
        ErrorCode::NameTooLong => NAMETOOLONG,
        ErrorCode::NoDevice => 43,
        ErrorCode::NoEntry => NOENT,
        ErrorCode::NoLock => 46,
        ErrorCode::InsufficientMemory => 48,
        ErrorCode::InsufficientSpace => 51,
        ErrorCode::NotDirectory => NOTDIR,
        ErrorCode::NotEmpty => 55,
        ErrorCode::NotRecoverable => 56,
        ErrorCode::Unsupported => NOTSUP,
        ErrorCode::NoTty => 59,
        ErrorCode::NoSuchDevice => 60,
        ErrorCode::Overflow => 61,
        ErrorCode::NotPermitted => PERM,
        ErrorCode::Pipe => 64,
        ErrorCode::ReadOnly => 69,
        ErrorCode::InvalidSeek => 70,
        ErrorCode::TextFileBusy => 74,
        ErrorCode::CrossDevice => XDEV,
    }
}
