//! The endpoints of accounts.

mod emails;
mod instance;
mod keys;
mod me;
mod settings;
mod token_lists;
mod tokens;
mod users;
mod users_admin;

use kernel::api::Api;
use kernel::{App, Error, Result};
use serde::Serialize;

use crate::{Actor, User, Via};

/// All endpoints.
pub(crate) fn api() -> Vec<Api> {
    vec![
        users::api(),
        users_admin::api(),
        me::api(),
        emails::api(),
        keys::api(),
        tokens::api(),
        settings::api(),
        instance::api(),
    ]
}

/// The person who asks; a CI job isn't one.
fn person(actor: &Actor) -> Result<&User> {
    match actor.via() {
        Via::Job { .. } => Err(Error::Unauthenticated),
        _ => actor.user(),
    }
}

/// The user that a path names by number or name.
async fn named(app: &App, wanted: &str) -> Result<User> {
    let conn = app.db().conn();
    let found = match wanted.parse::<i64>() {
        Ok(id) => User::find(conn, id).await?,
        Err(_) => User::by_username(conn, wanted).await?,
    };
    found.ok_or_else(|| Error::not_found("User"))
}

/// The same for administrators alone.
async fn named_by_admin(app: &App, actor: &Actor, wanted: &str) -> Result<User> {
    actor.admin()?;
    named(app, wanted).await
}

/// One of two shapes of an answer, by who asks.
#[derive(Serialize)]
#[serde(untagged)]
enum Either<A, B> {
    Admin(A),
    Other(B),
}
