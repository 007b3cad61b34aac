//! bevy_mod_scripting 0.21 with Lua 5.4: scripts that reach the World through reflection.

use std::{path::Path, process::ExitCode};

use bevy::{
    asset::{AssetServer, Handle},
    ecs::schedule::SystemSet,
    prelude::{App, IntoScheduleConfigs, MessageReader, MessageWriter, Resource, Update},
};
use bevy_mod_scripting::{
    core::script::ScriptContexts,
    prelude::{
        AttachScript, BMSPlugin, GlobalNamespace, LuaScriptingPlugin, NamespaceBuilder, ScriptAsset, ScriptAttachment,
        ScriptCallbackEvent, ScriptValue, callback_labels, event_handler,
    },
};
use common::{Case, Contender, Hit, Row, add, serve};

callback_labels!(
    OnUpdate => "on_update",
    OnHit => "on_hit",
);

fn main() -> ExitCode {
    serve(&Lua)
}

struct Lua;

/// Keeps the scripts, which are held weakly.
#[derive(Resource)]
struct Scripts {
    _handles: Vec<Handle<ScriptAsset>>,
}

/// What a frame asks of all scripts.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
struct Updated;

impl Contender for Lua {
    fn add_plugins(&self, app: &mut App, _: &Path) {
        app.add_plugins(BMSPlugin);
        NamespaceBuilder::<GlobalNamespace>::new_unregistered(app.world_mut()).register("add", add);
        let updated = (send_update, event_handler::<OnUpdate, LuaScriptingPlugin>).chain().in_set(Updated);
        app.add_systems(Update, updated);
    }

    fn add_mods(&self, app: &mut App, case: Case, files: &[String]) {
        let assets = app.world().resource::<AssetServer>();
        let handles: Vec<Handle<ScriptAsset>> = files.iter().map(|file| assets.load(format!("mods/{file}"))).collect();
        for handle in &handles {
            let attachment = ScriptAttachment::StaticScript(handle.clone());
            app.world_mut().commands().queue(AttachScript::<LuaScriptingPlugin>::new(attachment));
        }
        app.world_mut().flush();
        app.insert_resource(Scripts { _handles: handles });
        if case.row == Row::Messages {
            let heard = (send_hits, event_handler::<OnHit, LuaScriptingPlugin>).chain().before(Updated);
            app.add_systems(Update, heard);
        }
    }

    fn are_ready(&self, app: &mut App, case: Case) -> bool {
        let contexts = app.world().get_resource::<ScriptContexts<LuaScriptingPlugin>>();
        contexts.is_some_and(|contexts| {
            let contexts = contexts.read();
            contexts.all_residents().filter(|(_, context)| context.as_loaded().is_some()).count() == case.mods()
        })
    }
}

fn send_update(mut events: MessageWriter<ScriptCallbackEvent>) {
    events.write(ScriptCallbackEvent::new_for_all_scripts(OnUpdate, Vec::new()));
}

/// Scripts hear of what happens in a game through callbacks.
fn send_hits(mut hits: MessageReader<Hit>, mut events: MessageWriter<ScriptCallbackEvent>) {
    events.write_batch(
        hits.read().map(|hit| {
            ScriptCallbackEvent::new_for_all_scripts(OnHit, vec![ScriptValue::Integer(i64::from(hit.amount))])
        }),
    );
}
