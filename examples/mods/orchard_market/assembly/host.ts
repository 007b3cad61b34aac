// What every mod has to have, and what every game offers: see `docs/abi.md`.
//
// The runtime is `incremental`: it collects garbage by itself, a little at each allocation, and knows what lies on the
// stack, so that a call of the game in the middle of one of the mod's does no harm. Buffers are no objects: they come
// from the heap under the collector, whose blocks begin at multiples of 16, and are freed by whoever owns them.

@external("env", "__log")
declare function logBytes(level: u32, text: usize, len: usize): void;
@external("env", "__panic")
declare function panicBytes(text: usize, len: usize): void;
@external("env", "__getrandom")
declare function randomBytes(bytes: usize, len: usize): u32;

export function __alloc_buffer(len: u32): usize {
  return heap.alloc(len);
}

export function __free_buffer(buffer: u64): void {
  // The address of an empty buffer means nothing.
  if (<u32>buffer) heap.free(<usize>(buffer >> 32));
}

/** The text of a buffer, which is freed: whoever receives one owns it. */
export function take(buffer: u64): string {
  const text = String.UTF8.decodeUnsafe(<usize>(buffer >> 32), <u32>buffer);
  __free_buffer(buffer);
  return text;
}

/** A buffer with this text, for the game to free. */
export function give(text: string): u64 {
  const len = <u32>String.UTF8.byteLength(text);
  if (!len) return 0;
  const start = heap.alloc(len);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, start, false, String.UTF8.ErrorMode.REPLACE);
  return ((<u64>start) << 32) | len;
}

export const enum Level {
  Error = 1,
  Warn,
  Info,
  Debug,
  Trace,
}

/** A line for the game's log. */
export function log(level: Level, line: string): void {
  const bytes = String.UTF8.encode(line, false, String.UTF8.ErrorMode.REPLACE);
  logBytes(level, changetype<usize>(bytes), bytes.byteLength);
}

const randomness = memory.data(4);

/** A number from 0 up to, but not including, 1. It comes from the game. */
export function random(): f64 {
  const code = randomBytes(randomness, 4);
  if (code) throw new Error(`the game has no random numbers: ${code}`);
  return <f64>load<u32>(randomness) / 4294967296.0;
}

const LONGEST_REASON = 100;
const reason = memory.data(3 * LONGEST_REASON);

/** What the compiler calls where a mod throws. Allocates nothing: memory may be what has run out. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  if (message !== null) {
    const start = changetype<usize>(message);
    const units = min(message.length, LONGEST_REASON);
    const len = String.UTF8.encodeUnsafe(start, units, reason, false, String.UTF8.ErrorMode.REPLACE);
    panicBytes(reason, len);
  }
  unreachable();
}
