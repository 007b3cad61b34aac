//! The functions of a mod in each codec. The macros know the mod's codec and name the room for it.
//!
//! Only the traits of the values differ, which is why no code can be written for all of them at once.

use serde::{Deserialize, Serialize};

/// Several arguments. A single one crosses bare, and none as `()`.
#[doc(hidden)]
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Args<T>(pub T);

macro_rules! codecs {
    ($($(#[$attribute:meta])* $name:ident: $encode:path, $decode:path, $read:path [$($told:tt)+], $write:path;)*) => {$(
        $(#[$attribute])*
        pub mod $name {
            #[cfg(target_family = "wasm")]
            use crate::{ModCallError, exports, imports, mod_call};

            /// Compiles for types that the mod can read. The bound is the one of which the compiler tells what to derive.
            pub const fn reads<T: $($told)+>() {}

            /// Compiles for types that the mod can write.
            pub const fn writes<T: $write>() {}

            /// Calls a function that the mod exports.
            #[cfg(target_family = "wasm")]
            pub fn export<Args: $read, R: $write>(name: &str, args: u64, function: impl FnOnce(Args) -> R) -> u64 {
                exports::export(name, args, $decode, $encode, function)
            }

            /// Calls a function of the game.
            #[cfg(target_family = "wasm")]
            pub fn import<Args: $write, R: $read>(name: &str, args: &Args, function: extern "C" fn(u64) -> u64) -> R {
                let answer = imports::call_encoded(name, $encode(args), function);
                $decode(answer.bytes())
                    .unwrap_or_else(|error| panic!("the result of `{name}` is not what the mod expects: {error}"))
            }

            /// Calls a function of another mod.
            ///
            /// # Errors
            /// When it brought no result.
            #[cfg(target_family = "wasm")]
            pub fn import_mod<Args: $write, R: $read>(
                name: &str,
                args: &Args,
                function: extern "C" fn(u64) -> u64,
            ) -> Result<R, ModCallError> {
                let answer = imports::call_encoded(name, $encode(args), function);
                Ok($decode(mod_call::result_of(answer.bytes())?)?)
            }
        }
    )*};
}

codecs! {
    /// The codec `bincode`.
    bincode: mod_abi::codec::encode, mod_abi::codec::decode,
        serde::de::DeserializeOwned [for<'de> serde::Deserialize<'de>], serde::Serialize;
    /// The codec `json`.
    #[cfg(feature = "json")]
    json: mod_abi::codec::json::encode, mod_abi::codec::json::decode,
        serde::de::DeserializeOwned [for<'de> serde::Deserialize<'de>], serde::Serialize;
    /// The codec `nanoserde-json`.
    #[cfg(feature = "nanoserde")]
    nano: mod_abi::codec::nano::encode, mod_abi::codec::nano::decode, nanoserde::DeJson [nanoserde::DeJson], nanoserde::SerJson;
}

/// nanoserde knows tuples of two to four values; arguments are a JSON array of as many as there are.
#[cfg(feature = "nanoserde")]
mod args {
    use std::str::Chars;

    use nanoserde::{DeJson, DeJsonErr, DeJsonState, SerJson, SerJsonState};

    use super::Args;

    macro_rules! args {
        ($(($first:ident 0 $(, $more:ident $index:tt)*))*) => {$(
            impl<$first: SerJson $(, $more: SerJson)*> SerJson for Args<($first, $($more),*)> {
                fn ser_json(&self, depth: usize, state: &mut SerJsonState) {
                    state.out.push('[');
                    self.0.0.ser_json(depth, state);
                    $(
                        state.out.push(',');
                        self.0.$index.ser_json(depth, state);
                    )*
                    state.out.push(']');
                }
            }

            impl<$first: DeJson $(, $more: DeJson)*> DeJson for Args<($first, $($more),*)> {
                fn de_json(state: &mut DeJsonState, input: &mut Chars<'_>) -> Result<Self, DeJsonErr> {
                    state.block_open(input)?;
                    let args = ($first::de_json(state, input)?, $({
                        state.eat_comma_block(input)?;
                        $more::de_json(state, input)?
                    }),*);
                    state.block_close(input)?;
                    Ok(Self(args))
                }
            }
        )*};
    }

    args! {
        (A 0, B 1)
        (A 0, B 1, C 2)
        (A 0, B 1, C 2, D 3)
        (A 0, B 1, C 2, D 3, E 4)
        (A 0, B 1, C 2, D 3, E 4, F 5)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
        (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use mod_abi::codec;
    use serde::{Serialize, de::DeserializeOwned};

    use super::Args;

    type Twelve = (u8, u16, u32, i8, i16, i32, f32, f64, bool, String, Vec<u8>, Option<u8>);

    fn twelve() -> Args<Twelve> {
        Args((1, 2, 3, -1, -2, -3, 0.5, 1.5, true, "zwölf".to_owned(), vec![1, 2], None))
    }

    #[cfg(any(feature = "json", feature = "nanoserde"))]
    const TWELVE: &str = r#"[1,2,3,-1,-2,-3,0.5,1.5,true,"zwölf",[1,2],null]"#;

    #[test]
    fn several_arguments_are_a_tuple() {
        let Args(values) = twelve();
        assert_eq!(codec::encode(&twelve()).unwrap(), codec::encode(&values).unwrap());
        check(&Args((5_u32, "hi".to_owned())), codec::encode, codec::decode, b"\x05\0\0\0\x02\0\0\0\0\0\0\0hi");
    }

    #[cfg(feature = "json")]
    #[test]
    fn in_json_they_are_an_array() {
        use codec::json;

        check(&(), json::encode, json::decode, b"");
        check(&5_u32, json::encode, json::decode, b"5");
        check(&twelve(), json::encode, json::decode, TWELVE.as_bytes());
        assert!(json::decode::<Args<(u8, u8)>>(b"[1]").is_err());
        assert!(json::decode::<Args<(u8, u8)>>(b"[1,2,3]").is_err());
    }

    #[cfg(feature = "nanoserde")]
    #[test]
    fn in_nanoserde_they_are_the_same_array() {
        use codec::nano;

        assert_eq!(nano::encode(&()).unwrap(), b"");
        nano::decode::<()>(b"").unwrap();
        assert_eq!(nano::encode(&twelve()).unwrap(), TWELVE.as_bytes());
        assert_eq!(nano::decode::<Args<Twelve>>(TWELVE.as_bytes()).unwrap(), twelve());
        for wrong in ["[1]", "[1,2,3]", "[1 2]", "[]", "", "1"] {
            assert!(nano::decode::<Args<(u8, u8)>>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[track_caller]
    fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(
        value: &T,
        encode: fn(&T) -> Result<Vec<u8>, codec::EncodeError>,
        decode: fn(&[u8]) -> Result<T, codec::DecodeError>,
        bytes: &[u8],
    ) {
        assert_eq!(encode(value).unwrap(), bytes);
        assert_eq!(&decode(bytes).unwrap(), value);
    }
}
