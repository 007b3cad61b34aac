//! Everything that a mod usually needs: `use mod_sdk::prelude::*`.

pub use bevy_mod_sdk_macros::{export, import, mod_main, own_asset};
pub use glam::{
    DMat3, DMat4, DQuat, DVec2, DVec3, DVec4, IVec2, IVec3, IVec4, Mat2, Mat3, Mat4, Quat, UVec2, UVec3, UVec4, Vec2,
    Vec3, Vec4,
};
// The derives of nanoserde name their crate, so it has to be in scope beside them.
#[cfg(feature = "nanoserde")]
pub use nanoserde::{self, DeJson, SerJson};
pub use serde::{Deserialize, Serialize};

pub use crate::{
    app::App,
    bundle::Bundle,
    change_detection::{Mut, Ref},
    commands::{ChildSpawnerCommands, Commands, EntityCommands},
    component::{Component, Resource},
    condition::{in_state, not, on_timer, resource_exists},
    config::{GameSet, IntoScheduleConfigs, SystemName},
    debug,
    entity::Entity,
    error,
    event::{EntityEvent, Event},
    hierarchy::ChildOf,
    info,
    input::{ButtonInput, KeyCode, MouseButton},
    local::Local,
    message::{Message, MessageReader, MessageWriter},
    mod_call::ModCallError,
    observer::{Add, Despawn, Discard, Insert, On, Remove},
    opaque::Opaque,
    persist::Persist,
    query::{Added, Changed, Has, Or, Populated, Query, QueryEntityError, QuerySingleError, Single, With, Without},
    reflect::Reflect,
    resource::{Res, ResMut},
    schedule::{
        First, FixedFirst, FixedLast, FixedPostUpdate, FixedPreUpdate, FixedUpdate, Last, OnEnter, OnExit, OnReload,
        OnUnload, PostStartup, PostUpdate, PreStartup, PreUpdate, ScheduleLabel, Startup, Update,
    },
    state::States,
    ticket::{JobError, Ticket},
    time::{Fixed, Real, Time, Virtual},
    trace,
    transform::Transform,
    warn,
    world::World,
};
pub use bevy_mod_sdk_macros::{Bundle, Component, EntityEvent, Event, Message, Reflect, Resource, States};
