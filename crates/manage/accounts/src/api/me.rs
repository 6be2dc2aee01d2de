//! What the user who asks keeps for themselves: status, preferences, picture.

use std::time::Duration;

use axum::Json;
use axum::extract::{Multipart, Path, State};
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{named, person};
use crate::{Actor, User, audit, avatar};

pub(super) fn api() -> Api {
    Api::new("Current user")
        .get("/user/status", "Shows the status of the user who asks", own_status)
        .gives::<Status>()
        .put("/user/status", "Sets the status of the user who asks", set_status)
        .takes::<NewStatus>()
        .gives::<Status>()
        .patch("/user/status", "Changes the status of the user who asks", change_status)
        .takes::<NewStatus>()
        .gives::<Status>()
        .get("/users/{user_id}/status", "Shows the status of a user", status_of)
        .gives::<Status>()
        .get("/user/preferences", "Shows the preferences of the user who asks", preferences)
        .gives::<Preferences>()
        .put("/user/preferences", "Changes the preferences of the user who asks", set_preferences)
        .takes::<NewPreferences>()
        .gives::<Preferences>()
        .put("/user/avatar", "Sets the picture of the user who asks", set_avatar)
}

/// What somebody says about their day.
#[derive(Serialize, JsonSchema)]
struct Status {
    emoji: Option<String>,
    availability: Option<String>,
    message: Option<String>,
    message_html: String,
    clear_status_at: Option<Time>,
}

#[derive(FromQueryResult)]
struct StatusRow {
    emoji: String,
    message: String,
    availability: String,
    clear_at: Option<Time>,
}

#[derive(Deserialize, JsonSchema)]
struct NewStatus {
    emoji: Option<String>,
    message: Option<String>,
    availability: Option<Availability>,
    clear_status_after: Option<ClearAfter>,
}

#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Availability {
    NotSet,
    Busy,
}

#[derive(Deserialize, JsonSchema, Clone, Copy)]
enum ClearAfter {
    #[serde(rename = "30_minutes")]
    HalfHour,
    #[serde(rename = "3_hours")]
    ThreeHours,
    #[serde(rename = "8_hours")]
    EightHours,
    #[serde(rename = "1_day")]
    Day,
    #[serde(rename = "3_days")]
    ThreeDays,
    #[serde(rename = "7_days")]
    Week,
    #[serde(rename = "30_days")]
    Month,
}

impl ClearAfter {
    fn time(self) -> Time {
        let minutes = match self {
            Self::HalfHour => 30,
            Self::ThreeHours => 180,
            Self::EightHours => 480,
            Self::Day => 1440,
            Self::ThreeDays => 3 * 1440,
            Self::Week => 7 * 1440,
            Self::Month => 30 * 1440,
        };
        Time::now() + Duration::from_secs(minutes * 60)
    }
}

async fn row(app: &App, user_id: i64) -> Result<Option<StatusRow>> {
    let sql = "SELECT emoji, message, availability, clear_at FROM user_statuses
               WHERE user_id = $1 AND (clear_at IS NULL OR clear_at > $2)";
    app.db().one(sql, [user_id.into(), Time::now().into()]).await
}

fn shape(row: Option<StatusRow>) -> Status {
    let Some(row) = row else {
        let (emoji, availability, message) = (None, None, None);
        return Status { emoji, availability, message, message_html: String::new(), clear_status_at: None };
    };
    let message = Some(row.message.clone()).filter(|m| !m.is_empty());
    Status {
        emoji: Some(row.emoji),
        availability: Some(row.availability),
        message,
        message_html: ui::html! { (row.message) }.into_string(),
        clear_status_at: row.clear_at,
    }
}

async fn own_status(State(app): State<App>, actor: Actor) -> Result<Json<Status>> {
    Ok(Json(shape(row(&app, person(&actor)?.id).await?)))
}

async fn status_of(State(app): State<App>, Path(wanted): Path<String>) -> Result<Json<Status>> {
    Ok(Json(shape(row(&app, named(&app, &wanted).await?.id).await?)))
}

/// Sets it anew: what is absent is cleared.
async fn set_status(State(app): State<App>, actor: Actor, Params(new): Params<NewStatus>) -> Result<Json<Status>> {
    let user = person(&actor)?;
    app.db().run("DELETE FROM user_statuses WHERE user_id = $1", [user.id.into()]).await?;
    if new.emoji.is_none() && new.message.is_none() && new.availability.is_none() {
        return Ok(Json(shape(None)));
    }
    write_status(&app, user, new, None).await
}

/// Changes what is present.
async fn change_status(State(app): State<App>, actor: Actor, Params(new): Params<NewStatus>) -> Result<Json<Status>> {
    let user = person(&actor)?;
    let old = row(&app, user.id).await?;
    write_status(&app, user, new, old).await
}

async fn write_status(app: &App, user: &User, new: NewStatus, old: Option<StatusRow>) -> Result<Json<Status>> {
    let old = old.unwrap_or(StatusRow {
        emoji: "speech_balloon".into(),
        message: String::new(),
        availability: "not_set".into(),
        clear_at: None,
    });
    let message = new.message.unwrap_or(old.message);
    if message.chars().count() > 100 {
        return Err(Error::invalid("message", "is too long (maximum is 100 characters)"));
    }
    let emoji = new.emoji.filter(|e| !e.is_empty()).unwrap_or(old.emoji);
    if emoji.len() > 50 || !emoji.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c)) {
        return Err(Error::invalid("emoji", "is not a valid emoji name"));
    }
    let availability = match new.availability {
        Some(Availability::Busy) => "busy".to_owned(),
        Some(Availability::NotSet) => "not_set".to_owned(),
        None => old.availability,
    };
    let clear_at = new.clear_status_after.map(ClearAfter::time).or(old.clear_at);
    let sql = "INSERT INTO user_statuses (user_id, emoji, message, availability, clear_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (user_id) DO UPDATE SET emoji = excluded.emoji, message = excluded.message,
               availability = excluded.availability, clear_at = excluded.clear_at";
    app.db().run(sql, [user.id.into(), emoji.into(), message.into(), availability.into(), clear_at.into()]).await?;
    Ok(Json(shape(row(app, user.id).await?)))
}

/// How somebody wants to see things.
#[derive(Serialize, JsonSchema)]
struct Preferences {
    id: i64,
    user_id: i64,
    view_diffs_file_by_file: bool,
    show_whitespace_in_diffs: bool,
    pass_user_identities_to_ci_jwt: bool,
}

#[derive(FromQueryResult)]
struct PreferencesRow {
    view_diffs_file_by_file: bool,
    show_whitespace_in_diffs: bool,
    pass_user_identities_to_ci_jwt: bool,
}

#[derive(Deserialize, JsonSchema)]
struct NewPreferences {
    view_diffs_file_by_file: Option<bool>,
    show_whitespace_in_diffs: Option<bool>,
    pass_user_identities_to_ci_jwt: Option<bool>,
}

async fn preferences(State(app): State<App>, actor: Actor) -> Result<Json<Preferences>> {
    let user_id = person(&actor)?.id;
    let sql = "SELECT view_diffs_file_by_file, show_whitespace_in_diffs, pass_user_identities_to_ci_jwt
               FROM user_preferences WHERE user_id = $1";
    let found: Option<PreferencesRow> = app.db().one(sql, [user_id.into()]).await?;
    Ok(Json(Preferences {
        id: user_id,
        user_id,
        view_diffs_file_by_file: found.as_ref().is_some_and(|r| r.view_diffs_file_by_file),
        show_whitespace_in_diffs: found.as_ref().is_none_or(|r| r.show_whitespace_in_diffs),
        pass_user_identities_to_ci_jwt: found.as_ref().is_some_and(|r| r.pass_user_identities_to_ci_jwt),
    }))
}

async fn set_preferences(
    State(app): State<App>,
    actor: Actor,
    Params(new): Params<NewPreferences>,
) -> Result<Json<Preferences>> {
    let Json(old) = preferences(State(app.clone()), actor.clone()).await?;
    let sql = "INSERT INTO user_preferences
                 (user_id, view_diffs_file_by_file, show_whitespace_in_diffs, pass_user_identities_to_ci_jwt)
               VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET
                 view_diffs_file_by_file = excluded.view_diffs_file_by_file,
                 show_whitespace_in_diffs = excluded.show_whitespace_in_diffs,
                 pass_user_identities_to_ci_jwt = excluded.pass_user_identities_to_ci_jwt";
    let values = [
        old.user_id.into(),
        new.view_diffs_file_by_file.unwrap_or(old.view_diffs_file_by_file).into(),
        new.show_whitespace_in_diffs.unwrap_or(old.show_whitespace_in_diffs).into(),
        new.pass_user_identities_to_ci_jwt.unwrap_or(old.pass_user_identities_to_ci_jwt).into(),
    ];
    app.db().run(sql, values).await?;
    preferences(State(app), actor).await
}

async fn set_avatar(State(app): State<App>, actor: Actor, form: Multipart) -> Result<Json<Value>> {
    let user = person(&actor)?;
    let key = avatar::store(&app, "users", user.id, avatar::from_form(form).await?).await?;
    user.set_avatar(&app, Some(&key)).await?;
    audit::record(app.db().conn(), &actor, "avatar.changed", ("User", user.id), json!({})).await?;
    let user = User::find(app.db().conn(), user.id).await?;
    let url = user.and_then(|u| u.avatar_path()).map(|p| app.config().link(&p));
    Ok(Json(json!({ "avatar_url": url })))
}
