//! Who a game is, in JSON: `{"id": "orchard", "api": "0.3.1"}`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::resolve::GameIdentity;

#[derive(Serialize, Deserialize)]
struct Text {
    id: String,
    api: String,
}

pub(super) fn serialize<S: Serializer>(game: &Option<GameIdentity>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = |GameIdentity { id, api }: &GameIdentity| Text { id: id.clone(), api: api.to_string() };
    game.as_ref().map(text).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<GameIdentity>, D::Error> {
    let Some(Text { id, api }) = Option::deserialize(deserializer)? else { return Ok(None) };
    let api =
        api.parse().map_err(|error| D::Error::custom(format!("the version {api:?} of the game's API: {error}")))?;
    Ok(Some(GameIdentity { id, api }))
}
