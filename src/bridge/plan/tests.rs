//! Plans, against reflection and the codec.
#![expect(unsafe_code, reason = "runs plans over values of its own")]

use std::{ptr::NonNull, time::Duration};

use bevy_ecs::{entity::Entity, ptr::Ptr};
use bevy_reflect::{FromReflect, GetTypeRegistration, Reflect, ReflectFromReflect, TypeRegistry, Typed};
use mod_abi::codec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use serde::Serialize;

use super::CopyPlan;
use crate::bridge::{
    schema::schema_of,
    shape::Shape,
    value::{self, Input, Reflection, ValueError},
};

/// Every leaf, with gaps in memory and neighbours out of order.
#[derive(Reflect, Debug, Clone, PartialEq)]
struct Everything {
    flag: bool,
    wide: u64,
    small: (u8, i16),
    place: [f32; 3],
    owner: Entity,
    since: Duration,
    huge: i128,
    level: Level,
}

#[derive(Reflect, Debug, Clone, PartialEq)]
struct Level(u8, usize);

#[derive(Reflect)]
struct Varying(Vec<u8>);

fn reflection(types: &TypeRegistry) -> Reflection<'_> {
    Reflection { types, assets: None }
}

fn plan_of(sample: &dyn Reflect) -> Option<CopyPlan> {
    CopyPlan::of(sample, &Shape::Whole, reflection(&TypeRegistry::empty()))
}

fn everything() -> impl Strategy<Value = Everything> {
    let numbers = (any::<bool>(), any::<u64>(), any::<(u8, i16)>(), any::<[f32; 3]>());
    let others = (1..u64::MAX, 0..1_000_000_000_u32, any::<i128>(), any::<(u8, usize)>());
    (numbers, others).prop_map(|((flag, wide, small, place), (bits, nanos, huge, (level, deep)))| Everything {
        flag,
        wide,
        small,
        place,
        owner: Entity::try_from_bits(bits | 1).expect("its low half is not zero"),
        since: Duration::new(wide, nanos),
        huge,
        level: Level(level, deep),
    })
}

fn bytes_of(plan: &CopyPlan, value: &Everything) -> Vec<u8> {
    let mut bytes = vec![0xaa; plan.stride()];
    // SAFETY: the plan was made for this type.
    unsafe { plan.write_row(Ptr::from(value), &mut bytes) };
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, ..Default::default() })]

    #[test]
    fn plan_and_reflection_and_codec_agree(value in everything(), other in everything()) {
        let plan = plan_of(&other).expect("all of it is of a fixed size");
        let bytes = bytes_of(&plan, &value);
        let types = TypeRegistry::empty();
        let mut by_reflection = Vec::new();
        value::write(&value, &Shape::Whole, reflection(&types), &mut by_reflection).expect("it has an encoding");
        assert_eq!(bytes, by_reflection);
        let Everything { flag, wide, small, place, owner, since, huge, level } = &value;
        let by_codec = (flag, wide, small, place, owner.to_bits(), since, huge, (level.0, level.1 as u64));
        assert_eq!(bytes, codec::encode(&by_codec).expect("it has an encoding"));
        assert_eq!(schema_of(Everything::type_info(), &types).expect("a schema").fixed_size(), Some(bytes.len()));

        let mut target = other;
        plan.check_row(&bytes).expect("these bytes are valid");
        // SAFETY: the plan was made for this type, and nobody else sees the target.
        unsafe { plan.read_row((&raw mut target).cast(), &bytes) };
        assert_eq!(bytes_of(&plan, &target), bytes);
    }

    #[test]
    fn whatever_a_mod_writes_leaves_a_valid_value(
        value in everything(),
        noise in proptest::collection::vec(any::<u8>(), 128),
    ) {
        let plan = plan_of(&value).expect("all of it is of a fixed size");
        let row = &noise[..plan.stride()];
        let mut target = value;
        let valid = plan.check_row(row).is_ok();
        // SAFETY: as above. Bytes that are not valid are left out.
        unsafe { plan.read_row((&raw mut target).cast(), row) };
        assert_eq!(bytes_of(&plan, &target) == row, valid);
    }
}

#[test]
fn many_rows_are_the_same_as_one_after_the_other() {
    let rows: Vec<_> = (0..if cfg!(miri) { 300 } else { 1000_u16 }).map(|n| (n, f64::from(n), [n as u8; 3])).collect();
    let plan = plan_of(&rows[0]).expect("all of it is of a fixed size");
    let mut bytes = vec![0; plan.stride() * rows.len()];
    // SAFETY: the slice holds as many values as are asked for.
    unsafe { plan.write_rows(Ptr::new(NonNull::from(&rows[..]).cast()), rows.len(), &mut bytes) };
    let expected: Vec<_> = rows.iter().flat_map(|row| codec::encode(row).expect("it has an encoding")).collect();
    assert_eq!(bytes, expected);
}

/// As many bytes too many as there can be, and a field that does not cross.
#[derive(Reflect, Debug, Clone, PartialEq, Default)]
struct Gaps {
    a: [f32; 3],
    #[reflect(ignore)]
    secret: u32,
    b: (f32, f32, f32),
    c: u64,
    d: [u32; 5],
    #[reflect(ignore)]
    last: u64,
}

#[test]
fn only_what_crosses_is_written_back() {
    let types = TypeRegistry::empty();
    let reflection = reflection(&types);
    for rows in [1, 2, 3, 40, if cfg!(miri) { 50 } else { 1000 }] {
        let values: Vec<_> = (0..rows)
            .map(|n| {
                let x = n as f32;
                Gaps { a: [x, 1.0, 2.0], secret: n, b: (x, 4.0, 5.0), c: u64::from(n) << 40, d: [n; 5], last: !0 }
            })
            .collect();
        let plan = plan_of(&values[0]).expect("all of it is of a fixed size");
        let mut bytes = vec![0; plan.stride() * values.len()];
        // SAFETY: the slice holds as many values as are asked for.
        unsafe { plan.write_rows(Ptr::new(NonNull::from(&values[..]).cast()), values.len(), &mut bytes) };
        for (value, row) in values.iter().zip(bytes.chunks_exact(plan.stride())) {
            let mut expected = Vec::new();
            value::write(value, &Shape::Whole, reflection, &mut expected).expect("it has an encoding");
            assert_eq!(row, expected);
        }
        let before = Gaps { secret: 7, last: 8, ..Gaps::default() };
        let mut targets = vec![before; values.len()];
        // SAFETY: as above, and nobody else sees the targets.
        unsafe { plan.read_rows(targets.as_mut_ptr().cast(), targets.len(), &bytes) };
        let expected: Vec<_> = values.into_iter().map(|value| Gaps { secret: 7, last: 8, ..value }).collect();
        assert_eq!(targets, expected);
    }
}

/// Bytes to make values of.
struct Bytes<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| *self.0.next().expect("there is at least one"))
    }
}

trait Made: FromReflect + Typed + GetTypeRegistration + Serialize {
    fn made(from: &mut Bytes) -> Self;
}

macro_rules! made {
    (tuple $($member:ident)*) => {
        impl<$($member: Made),*> Made for ($($member,)*) {
            fn made(from: &mut Bytes) -> Self { ($($member::made(from),)*) }
        }
    };
    (numbers $($number:ty)*) => { $(impl Made for $number {
        fn made(from: &mut Bytes) -> Self { Self::from_le_bytes(from.take()) }
    })* };
    (struct $name:ident $($field:ident: $ty:ty),*) => {
        impl Made for $name {
            fn made(from: &mut Bytes) -> Self { Self { $($field: Made::made(from)),* } }
        }
    };
}

made! { numbers u8 u16 u32 u64 usize u128 i8 i16 i32 i64 f32 f64 }
made! { tuple A B }
made! { tuple A B C }
made! { tuple A B C D E }

impl Made for bool {
    fn made(from: &mut Bytes) -> Self {
        u8::made(from) & 1 == 1
    }
}

impl Made for Entity {
    fn made(from: &mut Bytes) -> Self {
        Self::try_from_bits(u64::made(from)).unwrap_or(Self::PLACEHOLDER)
    }
}

impl Made for Duration {
    fn made(from: &mut Bytes) -> Self {
        Self::new(u64::from(u32::made(from)), u32::made(from) % 1_000_000_000)
    }
}

/// Twelve bytes, then a gap that holds nothing, in every value.
#[derive(Reflect, Serialize)]
#[repr(C)]
struct GapInside {
    a: u32,
    b: u64,
    c: u8,
    d: (u32, u32, u32),
    e: u64,
}
made! { struct GapInside a: u32, b: u64, c: u8, d: (u32, u32, u32), e: u64 }

/// Its last bytes are nobody's.
#[derive(Reflect, Serialize)]
#[repr(C)]
struct GapAtTheEnd {
    a: u64,
    b: u32,
}
made! { struct GapAtTheEnd a: u64, b: u32 }

#[derive(Reflect, Serialize)]
#[repr(C, align(32))]
struct Spread {
    a: (f32, f32, f32),
    b: i16,
}
made! { struct Spread a: (f32, f32, f32), b: i16 }

#[derive(Reflect, Serialize)]
struct Mixed {
    alive: bool,
    owner: Entity,
    gap: GapAtTheEnd,
    since: Duration,
    small: (i8, u128, bool),
}
made! { struct Mixed alive: bool, owner: Entity, gap: GapAtTheEnd, since: Duration, small: (i8, u128, bool) }

/// Plan, packed plan, codec and reflection over some values of one type.
fn agree<T: Made>(bytes: &mut Bytes, rows: usize) {
    let mut types = TypeRegistry::empty();
    types.register::<T>();
    // Tuples lack it.
    types.register_type_data::<T, ReflectFromReflect>();
    let reflection = reflection(&types);
    let values: Vec<T> = (0..rows).map(|_| T::made(bytes)).collect();
    let plan = plan_of(&T::made(bytes)).expect("all of it is of a fixed size");
    let by_codec = |values: &[T]| -> Vec<u8> {
        values.iter().flat_map(|value| codec::encode(value).expect("it has an encoding")).collect()
    };
    let expected = by_codec(&values);
    let mut written = vec![0xaa; plan.stride() * rows];
    // SAFETY: the slice holds as many values as are asked for.
    unsafe { plan.write_rows(Ptr::new(NonNull::from(&values[..]).cast()), rows, &mut written) };
    assert_eq!(written, expected);

    for (value, row) in values.iter().zip(expected.chunks_exact(plan.stride())) {
        let mut by_reflection = Vec::new();
        value::write(value, &Shape::Whole, reflection, &mut by_reflection).expect("it has an encoding");
        assert_eq!(by_reflection, row);
        let built = value::build(&mut Input(row), T::type_info(), &Shape::Whole, reflection).expect("it is valid");
        assert_eq!(by_codec(&[*built.downcast::<T>().expect("it is one")]), row);
        plan.check_row(row).expect("these bytes are valid");
    }

    let mut targets: Vec<T> = (0..rows).map(|_| T::made(bytes)).collect();
    // SAFETY: as above, and nobody else sees the targets.
    unsafe { plan.read_rows(targets.as_mut_ptr().cast(), rows, &expected) };
    assert_eq!(by_codec(&targets), expected);

    let packed = CopyPlan::packed(&schema_of(T::type_info(), &types).expect("a schema")).expect("of a fixed size");
    let (mut memory, mut back) = (vec![0_u8; expected.len()], vec![0_u8; expected.len()]);
    // SAFETY: a packed value's memory is its encoding, and nobody else sees either.
    unsafe {
        packed.read_rows(memory.as_mut_ptr(), rows, &expected);
        packed.write_rows(Ptr::new(NonNull::from(&memory[..]).cast()), rows, &mut back);
    }
    assert_eq!((memory, back), (expected.clone(), expected));
}

const TYPES: [fn(&mut Bytes, usize); 14] = [
    agree::<u8>,
    agree::<(u8, u32)>,
    agree::<(bool, f64)>,
    agree::<(u32, u64, u32)>,
    agree::<(u16, (u8, u64), f32)>,
    agree::<((f32, f32, f32), u64)>,
    agree::<(u8, u128, u16, i64, i8)>,
    agree::<(Entity, bool, Entity)>,
    agree::<(Duration, u8)>,
    agree::<(u32, (f32, f32, f32), (u64, i16), (i32, usize), f64)>,
    agree::<GapInside>,
    agree::<GapAtTheEnd>,
    agree::<Spread>,
    agree::<(Mixed, u8, GapInside)>,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 256 }, ..Default::default() })]

    #[test]
    fn plan_and_codec_and_reflection_agree_for_any_type(
        bytes in proptest::collection::vec(any::<u8>(), 1..if cfg!(miri) { 40 } else { 200 }),
        rows in 0..if cfg!(miri) { 8_usize } else { 100 },
    ) {
        for agree in TYPES {
            agree(&mut Bytes(bytes.iter().cycle()), rows);
        }
    }
}

#[test]
fn types_of_varying_size_have_no_plan() {
    assert_eq!(plan_of(&Varying(vec![1])), None);
}

#[test]
fn invalid_bits_are_found() {
    let plan = plan_of(&(true, Duration::ZERO)).expect("all of it is of a fixed size");
    let row = |flag: u8, nanos: u32| [&[flag][..], &0_u64.to_le_bytes(), &nanos.to_le_bytes()].concat();
    assert_eq!(plan.check_row(&row(1, 999_999_999)), Ok(()));
    assert_eq!(plan.check_row(&row(2, 0)), Err(ValueError::Invalid { what: "bool", value: 2 }));
    assert!(plan.check_row(&row(0, 1_000_000_000)).is_err());
}
