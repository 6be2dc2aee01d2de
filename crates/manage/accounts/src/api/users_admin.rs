//! Users, for administrators.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result, auth};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::named_by_admin;
use crate::edit::Edit;
use crate::entities::UserAdmin;
use crate::hooks::delete_user;
use crate::profile::Profile;
use crate::states::{self, Step};
use crate::{Actor, NewUser, avatar, create_user};

macro_rules! steps {
    ($($handler:ident $step:ident;)*) => { $(
        async fn $handler(State(app): State<App>, actor: Actor, Path(wanted): Path<String>) -> Result<Response> {
            let user = named_by_admin(&app, &actor, &wanted).await?;
            states::take(&app, &actor, &user, Step::$step).await?;
            Ok((StatusCode::CREATED, Json(true)).into_response())
        }
    )* };
}

steps! {
    block Block;
    unblock Unblock;
    ban Ban;
    unban Unban;
    deactivate Deactivate;
    activate Activate;
}

pub(super) fn api() -> Api {
    Api::new("Users")
        .post("/users", "Makes a user", create)
        .takes::<New>()
        .gives::<UserAdmin>()
        .put("/users/{user_id}", "Changes a user", update)
        .takes::<Changes>()
        .gives::<UserAdmin>()
        .delete("/users/{user_id}", "Removes a user", delete)
        .takes::<Deletion>()
        .post("/users/{user_id}/block", "Shuts a user out", block)
        .post("/users/{user_id}/unblock", "Lets a blocked user in again", unblock)
        .post("/users/{user_id}/ban", "Shuts a user out for abuse", ban)
        .post("/users/{user_id}/unban", "Lets a banned user in again", unban)
        .post("/users/{user_id}/deactivate", "Puts the account of somebody who is away out of use", deactivate)
        .post("/users/{user_id}/activate", "Puts a deactivated account to use again", activate)
        .post("/users/{user_id}/approve", "Lets somebody in who registered", approve)
        .post("/users/{user_id}/reject", "Turns somebody down who registered", reject)
        .status(200)
}

#[derive(Deserialize, JsonSchema)]
struct New {
    email: String,
    username: String,
    name: String,
    password: Option<String>,
    /// Sets a password that nobody knows.
    #[serde(default)]
    force_random_password: bool,
    /// The same, as no mail is sent yet.
    #[serde(default)]
    reset_password: bool,
    #[serde(default)]
    admin: bool,
    can_create_group: Option<bool>,
    #[serde(default)]
    external: bool,
    projects_limit: Option<i64>,
    note: Option<String>,
    private_profile: Option<bool>,
    #[serde(flatten)]
    rest: Rest,
}

/// The texts of a profile.
#[derive(Deserialize, JsonSchema, Default)]
struct Rest {
    bio: Option<String>,
    location: Option<String>,
    website_url: Option<String>,
    linkedin: Option<String>,
    twitter: Option<String>,
    discord: Option<String>,
    github: Option<String>,
    job_title: Option<String>,
    pronouns: Option<String>,
    organization: Option<String>,
    public_email: Option<String>,
}

impl Rest {
    fn profile(self, name: Option<String>, private_profile: Option<bool>) -> Profile {
        Profile {
            name,
            bio: self.bio,
            location: self.location,
            website_url: self.website_url,
            linkedin: self.linkedin,
            twitter: self.twitter,
            discord: self.discord,
            github: self.github,
            job_title: self.job_title,
            pronouns: self.pronouns,
            organization: self.organization,
            public_email: self.public_email,
            private_profile,
            scheme: None,
        }
    }
}

async fn create(State(app): State<App>, actor: Actor, Params(new): Params<New>) -> Result<Response> {
    actor.admin()?;
    let random = new.force_random_password || new.reset_password;
    let password = match new.password {
        Some(password) if !password.is_empty() => password,
        _ if random => auth::random_token("", 32),
        _ => {
            let names = "password, reset_password, force_random_password";
            return Err(Error::BadParameter(format!("{names} are missing, at least one parameter must be provided")));
        }
    };
    let profile = new.rest.profile(None, None);
    let wanted = NewUser {
        username: new.username,
        name: new.name,
        email: new.email,
        password,
        admin: new.admin,
        external: new.external,
        private_profile: new.private_profile.unwrap_or(false),
        no_groups: new.can_create_group == Some(false),
        projects_limit: new.projects_limit,
        note: new.note.unwrap_or_default(),
        ..NewUser::default()
    };
    let user = create_user(&app, &actor, wanted).await.map_err(taken)?;
    let user = profile.save(app.db().conn(), user).await?;
    Ok((StatusCode::CREATED, Json(UserAdmin::of(&app, &actor, &user).await?)).into_response())
}

/// A name or address that somebody has is a conflict, in words of its own.
fn taken(error: Error) -> Error {
    let Error::Invalid(fields) = &error else { return error };
    let has = |field: &str| fields.iter().any(|(f, why)| f == field && why == "has already been taken");
    if has("email") {
        Error::Conflict("Email has already been taken".into())
    } else if has("username") {
        Error::Conflict("Username has already been taken".into())
    } else {
        error
    }
}

#[derive(Deserialize, JsonSchema)]
struct Changes {
    email: Option<String>,
    username: Option<String>,
    name: Option<String>,
    password: Option<String>,
    admin: Option<bool>,
    can_create_group: Option<bool>,
    external: Option<bool>,
    projects_limit: Option<i64>,
    note: Option<String>,
    private_profile: Option<bool>,
    #[serde(flatten)]
    rest: Rest,
}

async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Params(changes): Params<Changes>,
) -> Result<Json<UserAdmin>> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    let edit = Edit {
        username: changes.username,
        email: changes.email,
        password: changes.password,
        admin: changes.admin,
        external: changes.external,
        can_create_group: changes.can_create_group,
        projects_limit: changes.projects_limit,
        note: changes.note,
        profile: changes.rest.profile(changes.name, changes.private_profile),
    };
    let user = edit.apply(&app, &actor, user).await.map_err(taken)?;
    Ok(Json(UserAdmin::of(&app, &actor, &user).await?))
}

#[derive(Deserialize, JsonSchema)]
struct Deletion {
    /// Removes groups that nobody else owns and contributions too.
    #[serde(default)]
    hard_delete: bool,
}

async fn delete(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Query(asked): Query<Deletion>,
) -> Result<StatusCode> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    let tx = app.begin().await?;
    delete_user(&tx, &actor, &user, asked.hard_delete).await?;
    tx.commit().await?;
    avatar::forget(&app, user.avatar.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn approve(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
) -> Result<(StatusCode, Json<Value>)> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    states::take(&app, &actor, &user, Step::Approve).await?;
    Ok((StatusCode::CREATED, Json(json!({ "message": "Success" }))))
}

async fn reject(State(app): State<App>, actor: Actor, Path(wanted): Path<String>) -> Result<Json<Value>> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    states::reject(&app, &actor, &user).await?;
    Ok(Json(json!({ "message": "Success" })))
}
