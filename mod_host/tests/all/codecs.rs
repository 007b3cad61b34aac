//! Codecs: which one a mod speaks, when it is refused, and what is particular to JSON.

use mod_host::{Codec, LoadError, PluginError};

use crate::harness::{assert_contains, codecs, plugin, speaking, stating};

fn refused(sections: &str) -> LoadError {
    match plugin("", sections).finish() {
        Err(PluginError::Load(error)) => error,
        other => unreachable!("{other:?}"),
    }
}

fn identity(codec: &str) -> String {
    format!(r#"(@custom "bevy_mod" "abi: 3\nid: tested\nversion: 1.0.0\n{codec}")"#)
}

#[test]
fn the_mod_chooses() {
    let codec = |sections: &str| plugin("", sections).finish().unwrap().manifest().codec;
    assert_eq!(codec(""), Codec::Bincode);
    assert_eq!(codec(&identity("")), Codec::Bincode);
    for known in codecs() {
        assert_eq!(codec(&speaking(known)), known);
        // Without an identity, it is what its functions speak.
        let line = format!("import {known} play (u8)->()");
        assert_eq!(codec(&stating(&[&line])), known);
        assert_eq!(codec(&(stating(&[&line]) + &speaking(known))), known);
    }
}

#[test]
fn a_codec_that_nobody_knows_is_refused() {
    for sections in [identity(r"codec: xml\n"), stating(&["export xml echo ()->()"])] {
        let error = refused(&sections);
        assert!(matches!(&error, LoadError::Codec { codec } if codec == "xml"));
        assert_contains(
            &error.to_string(),
            "the mod's values are encoded as `xml`, but this game knows only `bincode`",
        );
    }
}

#[test]
fn a_codec_that_is_not_enabled_is_refused() {
    for codec in Codec::ALL.into_iter().filter(|codec| !codec.is_enabled()) {
        for sections in [speaking(codec), stating(&[&format!("export {codec} echo ()->()")])] {
            let error = refused(&sections).to_string();
            assert_contains(&error, &format!("encoded as `{codec}`, but this game knows only `bincode`"));
        }
    }
}

#[test]
fn all_functions_speak_what_the_mod_speaks() {
    let other = stating(&["export bincode echo ()->()", "import json play ()->()"]);
    for sections in [other.clone(), other + &identity("")] {
        assert_eq!(
            refused(&sections).to_string(),
            "the mod's values are encoded as `bincode`, but its function `play` is built for `json`: state the same `codec` \
             in the Cargo.toml of every crate that the mod is made of"
        );
    }
}

#[test]
fn lines_that_cannot_be_read_are_refused() {
    for (line, expected) in [
        ("nonsense", "line 1 of the functions section: it should be a direction"),
        ("export bincode mod_run ()->()", "`mod_run` is reserved"),
        ("export bincode echo (?)->()", "not a schema"),
        (r"\ff", "not UTF-8"),
    ] {
        assert_contains(&refused(&stating(&[line])).to_string(), expected);
    }
    // Several sections count as one.
    let lines = ["echo", "add", "nothing"].map(|name| stating(&[&format!("export bincode {name} ()->()")]));
    let plugin = plugin("", &lines.concat()).finish().unwrap();
    assert_eq!(plugin.manifest().functions.len(), 3);
    let long = stating(&[&" ".repeat(100 << 10)]).repeat(3);
    assert_contains(&refused(&long).to_string(), "more than 262144");
}

#[cfg(feature = "json")]
mod json {
    use mod_host::{Codec, Decode, Encode};

    use crate::harness::{Raw, assert_contains, plugin, speaking, through};

    /// What comes of a text that a mod returns.
    fn read<T: Decode>(text: &[u8]) -> Result<T, String> {
        let mut plugin = plugin("", &speaking(Codec::Json)).finish().unwrap();
        let outcome = plugin.call_function_with_argument("echo", &Raw(text.to_vec()));
        assert!(!plugin.is_poisoned());
        outcome.map_err(|error| error.to_string())
    }

    fn written<T: Encode>(value: &T) -> Vec<u8> {
        let mut plugin = plugin("", &speaking(Codec::Json)).finish().unwrap();
        plugin.call_function_with_argument::<_, Raw>("echo", value).unwrap().0
    }

    #[test]
    fn an_empty_buffer_is_null_and_the_other_way_round() {
        assert_eq!(written(&()), b"");
        assert_eq!(written(&None::<u8>), b"");
        assert_eq!(written(&Vec::<u8>::new()), b"[]");
        assert_eq!(written(&""), br#""""#);
        for text in [&b""[..], b"null", b" null\n"] {
            assert_eq!(read::<()>(text), Ok(()));
            assert_eq!(read::<Option<u8>>(text), Ok(None));
        }
        assert_contains(&read::<String>(b"").unwrap_err(), "the result of `echo` is not a String: ");
    }

    #[test]
    fn numbers_at_their_ends() {
        assert_eq!(written(&u64::MAX), b"18446744073709551615");
        assert_eq!(read::<u64>(b"18446744073709551615"), Ok(u64::MAX));
        assert_eq!(read::<i64>(b"-9223372036854775808"), Ok(i64::MIN));
        assert!(read::<u64>(b"18446744073709551616").is_err());
        assert!(read::<i64>(b"18446744073709551615").is_err());
        assert!(read::<u8>(b"256").is_err() && read::<u8>(b"1.0").is_err());
        assert_eq!(read::<u128>(u128::MAX.to_string().as_bytes()), Ok(u128::MAX));
        // JSON has no such numbers.
        assert_eq!(written(&vec![f64::NAN, f64::INFINITY, 1.0]), b"[null,null,1.0]");
        assert_contains(&read::<f64>(b"null").unwrap_err(), "invalid type: null, expected f64");
        assert!(read::<f64>(b"NaN").is_err() && read::<f64>(b"1e999").is_err());
    }

    #[test]
    fn hostile_texts_are_errors() {
        fn depth(depth: usize) -> Vec<u8> {
            [vec![b'['; depth], vec![b']'; depth]].concat()
        }
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Nested(Vec<Nested>);
        assert!(read::<Nested>(&depth(100)).is_ok());
        for levels in [129, 100_000] {
            assert_contains(&read::<Nested>(&depth(levels)).unwrap_err(), "recursion limit exceeded");
        }
        for text in [&b"\xff"[..], b"{", b"[1", b"1 2", b"\"\\ud800\"", b"[1,]", b"tru"] {
            assert!(read::<Vec<u8>>(text).is_err() && read::<String>(text).is_err(), "{text:?}");
        }
        let too_long = vec![b' '; mod_abi::codec::MAX_VALUE_BYTES + 1];
        let error = u8::decode(&too_long, Codec::Json).unwrap_err().to_string();
        assert_eq!(error, "the value has 67108865 bytes, more than 67108864");
        let error = "x".repeat(mod_abi::codec::MAX_VALUE_BYTES).encode(Codec::Json).unwrap_err().to_string();
        assert_eq!(error, "the value has 67108866 bytes, more than 67108864");
    }

    #[test]
    fn maps_need_keys_that_json_has() {
        let map = std::collections::BTreeMap::from([((1_u8, 2_u8), 3_u8)]);
        let mut plugin = plugin("", &speaking(Codec::Json)).finish().unwrap();
        let error = plugin.call_function_with_argument::<_, ()>("echo", &map).unwrap_err().to_string();
        assert_contains(&error, "key must be a string");
    }

    #[test]
    fn a_single_argument_may_be_a_tuple_or_a_list() {
        let (imports, exports) = through(&["pair", "two"]);
        let mut plugin = plugin(&imports, &(exports + &speaking(Codec::Json)))
            .import_function("pair", |(a, b): (u8, String)| format!("{a}{b}"))
            .import_function("two", |a: u8, b: String| format!("{a}{b}"))
            .finish()
            .unwrap();
        for function in ["through_pair", "through_two"] {
            let text: String = plugin.call_function_with_argument(function, &(1_u8, "x")).unwrap();
            assert_eq!(text, "1x");
        }
        let error = plugin.call_function_with_argument::<_, String>("through_two", &Raw(b"[1]".to_vec())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`through_two` called `two`, which failed: its arguments do not fit: the text cannot be read as JSON: \
             invalid length 1, expected a tuple of size 2 at line 1 column 3"
        );
    }
}

#[cfg(feature = "nanoserde")]
mod nanoserde {
    use ::nanoserde::{DeJson, SerJson};
    use mod_host::{Codec, Nano};

    use crate::harness::{Raw, assert_contains, plugin, speaking, through};

    #[derive(Debug, Clone, PartialEq, SerJson, DeJson)]
    enum Weather {
        Calm,
        Wind(f32),
        Rain { drops: Vec<u8> },
    }

    #[test]
    fn its_own_types_cross_in_both_directions() {
        let (imports, exports) = through(&["one", "several"]);
        let mut plugin = plugin(&imports, &(exports + &speaking(Codec::NanoserdeJson)))
            .import_function("one", |Nano(weather): Nano<Weather>| Nano(vec![weather]))
            .import_function("several", |Nano((a, b)): Nano<(Weather, u8)>| Nano((b, a)))
            .finish()
            .unwrap();
        for (weather, text) in [
            (Weather::Calm, r#""Calm""#),
            (Weather::Wind(2.5), r#"{"Wind":[2.5]}"#),
            (Weather::Rain { drops: vec![1, 2] }, r#"{"Rain":{"drops":[1,2]}}"#),
        ] {
            let sent: Raw = plugin.call_function_with_argument("echo", &Nano(weather.clone())).unwrap();
            assert_eq!(String::from_utf8(sent.0).unwrap(), text);
            let listed: Raw = plugin.call_function_with_argument("through_one", &Nano(weather.clone())).unwrap();
            assert_eq!(String::from_utf8(listed.0).unwrap(), format!("[{text}]"));
            let Nano(swapped): Nano<(u8, Weather)> =
                plugin.call_function_with_argument("through_several", &Nano((weather.clone(), 7))).unwrap();
            assert_eq!(swapped, (7, weather));
        }
        assert_eq!(plugin.call_function_with_argument::<_, Raw>("echo", &Nano(None::<u8>)).unwrap().0, b"");
        assert_eq!(plugin.call_function::<Nano<Option<u8>>>("echo").unwrap(), Nano(None));
    }

    #[test]
    fn they_cross_only_there() {
        for codec in [Codec::Bincode, Codec::Json] {
            let mut plugin = plugin("", &speaking(codec)).finish().unwrap();
            let error = plugin.call_function_with_argument::<_, ()>("echo", &Nano(1_u8)).unwrap_err().to_string();
            assert_contains(
                &error,
                &format!("the mod speaks `{codec}`, and a `Nano` crosses only as `nanoserde-json`"),
            );
            let error = plugin.call_function::<Nano<u8>>("echo").unwrap_err().to_string();
            assert_contains(&error, "a `Nano` crosses only as `nanoserde-json`");
        }
    }

    #[test]
    fn hostile_texts_are_errors() {
        #[derive(Debug, PartialEq, DeJson)]
        struct Tree {
            children: Vec<Tree>,
        }
        let mut plugin = plugin("", &speaking(Codec::NanoserdeJson)).finish().unwrap();
        let mut read = |text: String| {
            let outcome = plugin.call_function_with_argument::<_, Nano<Tree>>("echo", &Raw(text.into_bytes()));
            outcome.map_err(|error| error.to_string())
        };
        assert!(read(r#"{"children":[{"children":[]}]}"#.to_owned()).is_ok());
        for text in [
            r#"{"children":[]"#,
            r#"{"other":[,"children":[]}"#,
            r#"{"other":]}"#,
            r#"{"other":["#,
            r#"/*"*/[[["#,
            r#"{"children":[]} more"#,
            "\0",
        ] {
            assert!(read(text.to_owned()).is_err(), "{text}");
        }
        assert!(read("//\n".repeat(30_000)).is_err());
        let deep = r#"{"children":["#.repeat(8_000);
        assert_contains(&read(deep).unwrap_err(), "it nests too deep");
    }
}
