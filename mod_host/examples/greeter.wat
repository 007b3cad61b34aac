;; A plugin by hand, for examples and documentation: what a compiler would make of
;;
;;     fn announce(text: String) -> u32;                                  // the host's
;;     pub fn greet(name: String) -> String { announce(hello(name)); hello(name) }
;;     pub fn double(numbers: Vec<f64>) -> Vec<f64> { numbers.into_iter().map(|n| n * 2.0).collect() }
;;
;; `greeter.wasm` is this file, assembled; a test compares them. docs/abi.md explains every name.
(module
    (import "env" "__announce" (func $announce (param i64) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 16) "Hello, ")
    (@custom "bevy_mod" "abi: 3\nid: greeter\nversion: 1.0.0\ncodec: bincode\n")
    (@custom "bevy_mod_functions"
        "export bincode greet (str)->str\nexport bincode double ([f64])->[f64]\nimport bincode announce (str)->u32\n")

    (func $address (param $buffer i64) (result i32)
        (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
    (func $length (param $buffer i64) (result i32) (i32.wrap_i64 (local.get $buffer)))
    (func $buffer (param $address i32) (param $length i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get $address)) (i64.const 32))
                (i64.extend_i32_u (local.get $length))))
    ;; Where the next buffer ends, in multiples of 16.
    (func $end (param $address i32) (param $length i32) (result i32)
        (i32.add (local.get $address) (i32.and (i32.add (local.get $length) (i32.const 15)) (i32.const -16))))

    ;; Buffers lie one behind the other. There are never more than three of them, and the last one goes first.
    (global $top (mut i32) (i32.const 1024))
    (func $alloc (export "__alloc_buffer") (param $length i32) (result i32) (local $at i32) (local $end i32)
        (local.set $at (global.get $top))
        (local.set $end (call $end (local.get $at) (local.get $length)))
        (if (i32.or (i32.lt_u (local.get $end) (local.get $at)) (i32.gt_u (local.get $length) (i32.const 0x1000000)))
            (then (return (i32.const 0))))
        (block $fits
            (loop $grow
                (br_if $fits (i64.le_u (i64.extend_i32_u (local.get $end))
                                       (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16))))
                (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
            (return (i32.const 0)))
        (global.set $top (local.get $end))
        (local.get $at))
    (func $free (export "__free_buffer") (param $buffer i64) (local $at i32)
        (local.set $at (call $address (local.get $buffer)))
        (if (i32.eq (call $end (local.get $at) (call $length (local.get $buffer))) (global.get $top))
            (then (global.set $top (local.get $at)))))

    ;; "Hello, " and the name and "!": a length of 64 bits, and the text.
    (func $hello (param $name i64) (result i64) (local $from i32) (local $len i32) (local $at i32)
        (local.set $from (call $address (local.get $name)))
        (local.set $len (i32.sub (call $length (local.get $name)) (i32.const 8)))
        (local.set $at (call $alloc (i32.add (local.get $len) (i32.const 16))))
        (if (i32.eqz (local.get $at)) (then unreachable))
        (i64.store (local.get $at) (i64.extend_i32_u (i32.add (local.get $len) (i32.const 8))))
        (memory.copy (i32.add (local.get $at) (i32.const 8)) (i32.const 16) (i32.const 7))
        (memory.copy (i32.add (local.get $at) (i32.const 15))
                     (i32.add (local.get $from) (i32.const 8)) (local.get $len))
        (i32.store8 (i32.add (i32.add (local.get $at) (i32.const 15)) (local.get $len)) (i32.const 33))
        (call $buffer (local.get $at) (i32.add (local.get $len) (i32.const 16))))

    (func (export "__greet") (param $name i64) (result i64) (local $text i64) (local $at i32)
        ;; The host takes the text and gives a number, which is the plugin's own.
        (call $free (call $announce (call $hello (local.get $name))))
        (local.set $text (call $hello (local.get $name)))
        ;; The result goes where the argument was, so that nothing stays behind.
        (local.set $at (call $address (local.get $name)))
        (memory.copy (local.get $at) (call $address (local.get $text)) (call $length (local.get $text)))
        (global.set $top (call $end (local.get $at) (call $length (local.get $text))))
        (call $buffer (local.get $at) (call $length (local.get $text))))

    ;; In place.
    (func (export "__double") (param $numbers i64) (result i64) (local $at i32) (local $end i32)
        (local.set $at (i32.add (call $address (local.get $numbers)) (i32.const 8)))
        (local.set $end (i32.add (call $address (local.get $numbers)) (call $length (local.get $numbers))))
        (block $done
            (loop $next
                (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
                (f64.store (local.get $at) (f64.mul (f64.load (local.get $at)) (f64.const 2)))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br $next)))
        (local.get $numbers)))
