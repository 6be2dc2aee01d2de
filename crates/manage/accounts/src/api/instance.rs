//! What the instance says about itself, and pictures by address.

use axum::Json;
use axum::extract::State;
use kernel::api::Api;
use kernel::http::Query;
use kernel::{App, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::person;
use crate::{Actor, User};

/// The version of the API that is spoken, which clients read, and ours behind it.
const VERSION: &str = concat!("18.5.0-tidemill.", env!("CARGO_PKG_VERSION"));
/// Clients want a revision; a build that doesn't know its own says so.
const REVISION: &str = match option_env!("TIDEMILL_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

pub(super) fn api() -> Api {
    Api::new("Instance")
        .get("/version", "Shows the version", version)
        .gives::<Version>()
        .get("/metadata", "Shows the version and what is switched on", metadata)
        .gives::<Metadata>()
        .get("/avatar", "Finds the picture of the user with an address", avatar)
        .takes::<Asked>()
}

#[derive(Serialize, JsonSchema)]
struct Version {
    version: &'static str,
    revision: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Metadata {
    version: &'static str,
    revision: &'static str,
    kas: Kas,
    enterprise: bool,
}

/// The server of Kubernetes agents, which isn't there.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Kas {
    enabled: bool,
    external_url: Option<String>,
    external_k8s_proxy_url: Option<String>,
    version: Option<String>,
}

async fn version(actor: Actor) -> Result<Json<Version>> {
    person(&actor)?;
    Ok(Json(Version { version: VERSION, revision: REVISION }))
}

async fn metadata(actor: Actor) -> Result<Json<Metadata>> {
    person(&actor)?;
    let kas = Kas { enabled: false, external_url: None, external_k8s_proxy_url: None, version: None };
    Ok(Json(Metadata { version: VERSION, revision: REVISION, kas, enterprise: false }))
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// The public address of a user.
    email: String,
}

/// Only public addresses lead to somebody, so that others can't be guessed.
async fn avatar(State(app): State<App>, actor: Actor, Query(asked): Query<Asked>) -> Result<Json<Value>> {
    let found = crate::email::users_by_email(app.db().conn(), std::slice::from_ref(&asked.email)).await?;
    let known =
        |u: &&User| actor.is_admin() || actor.id() == Some(u.id) || u.public_email.eq_ignore_ascii_case(&asked.email);
    let path = found.values().find(known).and_then(User::avatar_path);
    Ok(Json(json!({ "avatar_url": path.map(|p| app.config().link(&p)) })))
}
