;; What the SDK of an editor built for wasm32-wasi before this contract had a name, with everything that such a module
;; carries: no identity, no description, imports of WASI, globals of the linker, and a `__free_buffer` that makes a copy
;; and frees the copy. Buffers begin wherever they happen to, and empty ones have an address.
;;
;; `double: Vec<f64> -> Vec<f64>`, `repeat: (String, u32) -> String`, `nothing: () -> ()`, and `shell: String -> Vec<u8>`,
;; which asks the import `run: String -> Vec<u8>`.
(module
    (import "env" "__run" (func $run (param i64) (result i64)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 17)
    (global (export "__data_end") i32 (i32.const 1048608))
    (global (export "__heap_base") i32 (i32.const 1048608))
    (global $top (mut i32) (i32.const 1048609))
    (data (i32.const 1048576) "memory allocation failed\0a")

    (func $ptr (param $buffer i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
    (func $len (param $buffer i64) (result i32) (i32.wrap_i64 (local.get $buffer)))
    (func $pack (param $ptr i32) (param $len i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32)) (i64.extend_i32_u (local.get $len))))

    ;; A language's own library says why it ends and executes `unreachable`.
    (func $out_of_memory
        (i32.store (i32.const 16) (i32.const 1048576))
        (i32.store (i32.const 20) (i32.const 25))
        (drop (call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 24)))
        unreachable)

    (func $alloc (export "__alloc_buffer") (param $len i32) (result i32)
        (local $at i32)
        (local.set $at (global.get $top))
        (global.set $top (i32.add (local.get $at) (local.get $len)))
        (block $fits
            (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
            (br_if $fits (i32.ne (i32.const -1)
                (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $len) (i32.const 16))))))
            (call $out_of_memory))
        (local.get $at))

    (func (export "__free_buffer") (param $buffer i64)
        (memory.copy (global.get $top) (call $ptr (local.get $buffer)) (i32.const 0)))

    (func (export "__double") (param $numbers i64) (result i64)
        (local $from i32) (local $to i32) (local $at i32)
        (local.set $from (call $ptr (local.get $numbers)))
        (local.set $to (call $alloc (call $len (local.get $numbers))))
        (i64.store (local.get $to) (i64.load (local.get $from)))
        (local.set $at (i32.const 8))
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $at) (call $len (local.get $numbers))))
            (f64.store (i32.add (local.get $to) (local.get $at))
                (f64.mul (f64.const 2) (f64.load (i32.add (local.get $from) (local.get $at)))))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br $next)))
        (call $pack (local.get $to) (call $len (local.get $numbers))))

    ;; The text's length, the text and the number behind it: a tuple.
    (func (export "__repeat") (param $args i64) (result i64)
        (local $from i32) (local $len i32) (local $times i32) (local $to i32) (local $at i32)
        (local.set $from (call $ptr (local.get $args)))
        (local.set $len (i32.wrap_i64 (i64.load (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (local.set $times (i32.load (i32.add (local.get $from) (local.get $len))))
        (local.set $to (call $alloc (i32.add (i32.const 8) (i32.mul (local.get $len) (local.get $times)))))
        (i64.store (local.get $to) (i64.extend_i32_u (i32.mul (local.get $len) (local.get $times))))
        (local.set $at (i32.add (local.get $to) (i32.const 8)))
        (block $done (loop $next
            (br_if $done (i32.eqz (local.get $times)))
            (memory.copy (local.get $at) (local.get $from) (local.get $len))
            (local.set $at (i32.add (local.get $at) (local.get $len)))
            (local.set $times (i32.sub (local.get $times) (i32.const 1)))
            (br $next)))
        (call $pack (local.get $to) (i32.sub (local.get $at) (local.get $to))))

    ;; An empty vector has an address, too.
    (func (export "__nothing") (param i64) (result i64) (i64.const 0x100000000))

    (func (export "__shell") (param $command i64) (result i64)
        (local $copy i32)
        (local.set $copy (call $alloc (call $len (local.get $command))))
        (memory.copy (local.get $copy) (call $ptr (local.get $command)) (call $len (local.get $command)))
        (call $run (call $pack (local.get $copy) (call $len (local.get $command))))))
