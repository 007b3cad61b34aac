//! Run conditions. The game tests them: a mod only says which.

use std::time::Duration;

use mod_abi::describe::{ConditionDesc, ConditionTest, TypeIndex};

use crate::{component::Resource, describe::Types, state::States};

/// What has to hold for a system to run: the argument of [`run_if`](crate::IntoScheduleConfigs::run_if).
#[derive(Debug, Clone)]
pub struct Condition {
    not: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    InState(String),
    ResourceExists(fn(&mut Types) -> TypeIndex),
    OnTimer(Duration),
}

impl Condition {
    fn new(test: Test) -> Self {
        Self { not: false, test }
    }

    pub(crate) fn describe(&self, types: &mut Types) -> ConditionDesc {
        let test = match &self.test {
            Test::InState(value) => ConditionTest::InState(value.clone()),
            Test::ResourceExists(index) => ConditionTest::ResourceExists(index(types)),
            Test::OnTimer(duration) => ConditionTest::OnTimer(*duration),
        };
        ConditionDesc { not: self.not, test }
    }
}

/// The conditions, which are written as Bevy's are: [`in_state`], [`on_timer`], [`resource_exists`] and [`not`].
///
/// `Marker` only tells the implementations apart. It is not meant to be implemented by mods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a run condition",
    label = "not a run condition",
    note = "the game tests the conditions of mods: `in_state(..)`, `on_timer(..)`, `resource_exists::<..>` and `not(..)`; \
            test anything else at the start of the system"
)]
pub trait SystemCondition<Marker> {
    /// The condition.
    fn into_condition(self) -> Condition;
}

impl SystemCondition<()> for Condition {
    fn into_condition(self) -> Condition {
        self
    }
}

/// [`resource_exists`] is not called where it is a condition, as in Bevy.
impl<F: FnOnce() -> Condition> SystemCondition<fn()> for F {
    fn into_condition(self) -> Condition {
        self()
    }
}

/// Holds while the game is in that value of a state.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(States)]
/// #[states(path = "orchard::Season")]
/// enum Season {
///     Summer,
///     Winter,
/// }
///
/// fn freeze() {}
/// fn grow() {}
///
/// # fn plugin(app: &mut App) {
/// app.add_systems(Update, (freeze.run_if(in_state(Season::Winter)), grow.run_if(not(in_state(Season::Winter)))));
/// # let _ = Season::Summer;
/// # }
/// # assert!(mod_sdk::testing::describe(plugin).systems[1].conditions[0].not);
/// ```
pub fn in_state<S: States>(state: S) -> Condition {
    Condition::new(Test::InState(format!("{}::{}", S::PATH, state.variant())))
}

/// Holds while there is that resource. It is passed on without a call: `.run_if(resource_exists::<Score>)`.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Resource)]
/// #[resource(path = "orchard::Score")]
/// struct Score {
///     points: u64,
/// }
///
/// fn count() {}
///
/// # fn plugin(app: &mut App) {
/// app.add_systems(Update, count.run_if(resource_exists::<Score>));
/// # }
/// # mod_sdk::testing::describe(plugin);
/// ```
#[must_use]
pub fn resource_exists<R: Resource>() -> Condition {
    Condition::new(Test::ResourceExists(Types::resource::<R>))
}

/// Holds once every `duration` of the game's time; in the fixed schedules, of the fixed clock's.
///
/// ```
/// use std::time::Duration;
///
/// use mod_sdk::prelude::*;
///
/// fn look_around() {}
///
/// # fn plugin(app: &mut App) {
/// app.add_systems(Update, look_around.run_if(on_timer(Duration::from_secs(1))));
/// # }
/// # mod_sdk::testing::describe(plugin);
/// ```
#[must_use]
pub fn on_timer(duration: Duration) -> Condition {
    Condition::new(Test::OnTimer(duration))
}

/// Holds while the other condition does not.
pub fn not<Marker>(condition: impl SystemCondition<Marker>) -> Condition {
    let condition = condition.into_condition();
    Condition { not: !condition.not, ..condition }
}
