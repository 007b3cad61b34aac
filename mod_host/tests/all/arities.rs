//! Functions of 0 to 12 arguments, in both directions, in every kind of closure and in every codec. What crosses is
//! compared with bytes written by hand, so that arguments that change places or get lost are noticed.

use mod_host::{Caller, Codec};

use crate::harness::{Raw, codecs, plugin, speaking, through};

/// One value for each place: its bytes in bincode, and its text in JSON.
const ROWS: [(&[u8], &str); 12] = [
    (&[1], "1"),
    (&[2, 2], "514"),
    (&[3, 0, 0, 0], "3"),
    (&[4, 0, 0, 0, 0, 0, 0, 0], "4"),
    (&[0xfb], "-5"),
    (&[0xfa, 0xff], "-6"),
    (&[0xf9, 0xff, 0xff, 0xff], "-7"),
    (&[0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "-8"),
    (&[0, 0, 0x18, 0x41], "9.5"),
    (&[0, 0, 0, 0, 0, 0x80, 0x24, 0xc0], "-10.25"),
    (&[1], "true"),
    (&[6, 0, 0, 0, 0, 0, 0, 0, b'z', b'w', 0xc3, 0xb6, b'l', b'f'], r#""zwölf""#),
];

/// The first `count` of them: none is no bytes, one stands bare.
fn expected(codec: Codec, count: usize) -> Raw {
    let rows = ROWS.iter().take(count);
    if codec == Codec::Bincode {
        return Raw(rows.flat_map(|(bytes, _)| bytes.iter().copied()).collect());
    }
    let texts: Vec<&str> = rows.map(|(_, text)| *text).collect();
    Raw(match texts.as_slice() {
        [] => Vec::new(),
        [only] => only.as_bytes().to_vec(),
        more => format!("[{}]", more.join(",")).into_bytes(),
    })
}

/// Several are a tuple, a single one stands bare.
macro_rules! bare {
    ($only:expr) => { $only };
    ($($more:expr),*) => { ($($more),*) };
}

macro_rules! bare_type {
    ($only:ty) => { $only };
    ($($more:ty),*) => { ($($more),*) };
}

macro_rules! check {
    ($(($arg:ident $ty:ty, $value:expr))*) => {{
        let names: &[&str] = &[$(stringify!($arg)),*];
        let count = names.len();
        for codec in codecs() {
            let (imports, exports) = through(&["plain", "context", "caller"]);
            let mut plugin = plugin(&imports, &(exports + &speaking(codec)))
                .with_context(0_u32)
                .import_function("plain", |$($arg: $ty),*| {
                    $(assert_eq!($arg, $value);)*
                    bare!($($arg),*)
                })
                .import_function_with_context("context", |calls: &mut u32, $($arg: $ty),*| {
                    *calls += 1;
                    $(assert_eq!($arg, $value);)*
                    bare!($($arg),*)
                })
                .import_function_with_caller("caller", |caller: &mut Caller<'_, u32>, $($arg: $ty),*| {
                    assert_eq!(caller.identity().id, "tested");
                    *caller.context() += 10;
                    $(assert_eq!($arg, $value);)*
                    bare!($($arg),*)
                })
                .finish()
                .unwrap();
            let bytes = expected(codec, count);

            let values: bare_type!($($ty),*) = bare!($($value),*);
            let sent: Raw = plugin.call_function_with_argument("echo", &values).unwrap();
            assert_eq!(sent, bytes, "{codec}: arguments of an export");
            let got: bare_type!($($ty),*) = plugin.call_function_with_argument("echo", &bytes).unwrap();
            assert_eq!(got, values, "{codec}: result of an export");
            let handle = plugin.function::<bare_type!($($ty),*), Raw>("echo").unwrap();
            assert_eq!(plugin.call(&handle, &values).unwrap(), bytes, "{codec}: by handle");

            for function in ["through_plain", "through_context", "through_caller"] {
                let answer: Raw = plugin.call_function_with_argument(function, &bytes).unwrap();
                assert_eq!(answer, bytes, "{codec}: {function} with {count} arguments");
            }
            assert_eq!(*plugin.context(), 11);
        }
    }};
}

/// Checks no argument, one, two, and so on.
macro_rules! check_each {
    ([$($done:tt)*]) => { check!($($done)*); };
    ([$($done:tt)*] $next:tt $($rest:tt)*) => {
        check!($($done)*);
        check_each!([$($done)* $next] $($rest)*);
    };
}

#[test]
fn up_to_twelve_arguments_cross_in_order() {
    check_each!(
        []
        (a u8, 1)
        (b u16, 514)
        (c u32, 3)
        (d u64, 4)
        (e i8, -5)
        (f i16, -6)
        (g i32, -7)
        (h i64, -8)
        (i f32, 9.5)
        (j f64, -10.25)
        (k bool, true)
        (l String, "zwölf".to_owned())
    );
}
