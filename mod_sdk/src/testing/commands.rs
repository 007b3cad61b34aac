//! What a system gets besides rows, and the commands that it leaves.

use mod_abi::command::{Command, Value};

use super::{SystemTest, TestRows, decode, encode};
use crate::{
    app::App,
    component::{Component, Resource},
    describe::Types,
    entity::Entity,
    event::Event,
    message::Message,
    observer::ObserverFunction,
    reflect::Reflect,
    runtime::Runtime,
};

/// A command that a system left.
///
/// ```
/// use mod_sdk::{
///     prelude::*,
///     testing::{SystemTest, TestCommand, TestValue},
/// };
///
/// #[derive(Component)]
/// #[component(path = "orchard::Bee")]
/// struct Bee {
///     age: u32,
/// }
///
/// fn hatch(mut commands: Commands) {
///     commands.spawn(Bee { age: 0 });
/// }
///
/// let mut test = SystemTest::new(hatch).no_rows();
/// test.run();
/// let commands = test.commands();
/// let [TestCommand::Spawn { entity, components }] = commands.as_slice() else { panic!("{commands:?}") };
/// assert_eq!(components, &[TestValue::component(&Bee { age: 0 })]);
/// assert_eq!(entity.to_string(), "0v0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestCommand {
    /// Spawns an entity.
    Spawn {
        /// Its id.
        entity: Entity,
        /// Its components.
        components: Vec<TestValue>,
    },
    /// Inserts components.
    Insert {
        /// The entity.
        entity: Entity,
        /// The components.
        components: Vec<TestValue>,
    },
    /// Inserts components that the entity does not have.
    InsertIfNew {
        /// The entity.
        entity: Entity,
        /// The components.
        components: Vec<TestValue>,
    },
    /// Removes components.
    Remove {
        /// The entity.
        entity: Entity,
        /// The paths of the components.
        types: Vec<String>,
    },
    /// Despawns an entity.
    Despawn {
        /// The entity.
        entity: Entity,
    },
    /// Inserts a resource.
    InsertResource(TestValue),
    /// Removes the resource with that path.
    RemoveResource(String),
    /// Writes a message.
    WriteMessage(TestValue),
    /// Triggers an event.
    Trigger(TestValue),
}

/// A value of a command, with the name that the game knows its type by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestValue {
    /// The type's path.
    pub path: String,
    bytes: Vec<u8>,
}

impl TestValue {
    /// That component.
    #[must_use]
    pub fn component<T: Component>(component: &T) -> Self {
        Self::new(T::PATH, component)
    }

    /// That resource.
    #[must_use]
    pub fn resource<T: Resource>(resource: &T) -> Self {
        Self::new(T::PATH, resource)
    }

    /// That message.
    #[must_use]
    pub fn message<T: Message>(message: &T) -> Self {
        Self::new(T::PATH, message)
    }

    /// That event.
    #[must_use]
    pub fn event<T: Event>(event: &T) -> Self {
        Self::new(T::PATH, event)
    }

    /// The value.
    ///
    /// # Panics
    /// When it is none of that type.
    #[must_use]
    pub fn get<T: Reflect>(&self) -> T {
        decode(&mut self.bytes.as_slice())
    }

    fn new<T: Reflect>(path: &str, value: &T) -> Self {
        Self { path: path.to_owned(), bytes: encode(value) }
    }

    fn of(types: &Types, value: &Value<'_>) -> Self {
        Self { path: types.path(value.ty).to_owned(), bytes: value.bytes.to_owned() }
    }

    fn all(types: &Types, values: &[Value<'_>]) -> Vec<Self> {
        values.iter().map(|value| Self::of(types, value)).collect()
    }
}

impl SystemTest {
    /// The observer that calls `function`. Its first parameter is an [`event`](Self::event).
    #[must_use]
    pub fn observer<Marker: 'static>(function: impl ObserverFunction<Marker>) -> Self {
        let mut app = App::new();
        app.add_observer(function);
        Self { runtime: Runtime::of(app), params: Vec::new() }
    }

    /// Gives the next parameter, an [`On`](crate::On), its event: an [`Event`], or an [`Add`](crate::Add) and its like.
    #[must_use]
    pub fn event<E: Reflect>(self, event: E) -> Self {
        self.query(TestRows::default().column([event]))
    }

    /// Gives the next parameter, a [`MessageReader`](crate::MessageReader), its messages.
    #[must_use]
    pub fn messages<M: Message>(self, messages: impl IntoIterator<Item = M>) -> Self {
        self.query(TestRows::default().column(messages))
    }

    /// Passes over the next parameter, one that has no rows: [`Commands`](crate::Commands),
    /// [`MessageWriter`](crate::MessageWriter) or [`World`](crate::World).
    #[must_use]
    pub fn no_rows(self) -> Self {
        self.query(TestRows::default())
    }

    /// The bytes of the commands that the last run has left.
    #[must_use]
    pub fn outbox(&self) -> &[u8] {
        self.runtime.outbox().bytes()
    }

    /// The commands that the last run has left, in order.
    ///
    /// # Panics
    /// When they are not as the contract has them, which would be a mistake in the SDK.
    #[must_use]
    pub fn commands(&self) -> Vec<TestCommand> {
        let types = &self.runtime.outbox().types;
        let mut bytes = self.outbox();
        let mut commands = Vec::new();
        while !bytes.is_empty() {
            let command = Command::take(&mut bytes).unwrap_or_else(|error| panic!("a command is malformed: {error}"));
            commands.push(TestCommand::of(types, &command));
        }
        commands
    }
}

impl TestCommand {
    fn of(types: &Types, command: &Command<'_>) -> Self {
        let id = |entity: &u64| Entity::from_bits(*entity);
        let path = |ty: &u32| types.path(*ty).to_owned();
        match command {
            Command::Spawn { entity, components } => {
                Self::Spawn { entity: id(entity), components: TestValue::all(types, components) }
            }
            Command::Insert { entity, components } => {
                Self::Insert { entity: id(entity), components: TestValue::all(types, components) }
            }
            Command::InsertIfNew { entity, components } => {
                Self::InsertIfNew { entity: id(entity), components: TestValue::all(types, components) }
            }
            Command::Remove { entity, types } => {
                Self::Remove { entity: id(entity), types: types.iter().map(path).collect() }
            }
            Command::Despawn { entity } => Self::Despawn { entity: id(entity) },
            Command::InsertResource(value) => Self::InsertResource(TestValue::of(types, value)),
            Command::RemoveResource(ty) => Self::RemoveResource(path(ty)),
            Command::WriteMessage(value) => Self::WriteMessage(TestValue::of(types, value)),
            Command::Trigger(value) => Self::Trigger(TestValue::of(types, value)),
        }
    }
}
