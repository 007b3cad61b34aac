//! Everything that a mod usually needs: `use mod_sdk::prelude::*`.

pub use bevy_mod_sdk_macros::{export, import, mod_main};
pub use glam::{
    DMat3, DMat4, DQuat, DVec2, DVec3, DVec4, IVec2, IVec3, IVec4, Mat2, Mat3, Mat4, Quat, UVec2, UVec3, UVec4, Vec2,
    Vec3, Vec4,
};
pub use serde::{Deserialize, Serialize};

pub use crate::{
    app::App,
    column::Mut,
    component::{Component, Resource},
    config::IntoScheduleConfigs,
    debug,
    entity::Entity,
    error, info,
    local::Local,
    persist::Persist,
    query::{Query, QuerySingleError, With, Without},
    reflect::Reflect,
    resource::{Res, ResMut},
    schedule::{
        First, FixedFirst, FixedLast, FixedPostUpdate, FixedPreUpdate, FixedUpdate, Last, OnReload, OnUnload,
        PostStartup, PostUpdate, PreStartup, PreUpdate, ScheduleLabel, Startup, Update,
    },
    time::Time,
    trace,
    transform::Transform,
    warn,
    world::World,
};
pub use bevy_mod_sdk_macros::{Component, Reflect, Resource};
