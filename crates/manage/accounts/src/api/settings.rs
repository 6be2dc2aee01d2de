//! The instance settings, for administrators.

use axum::Json;
use axum::extract::State;
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde_json::{Map, Value, json};

use crate::user::MIN_PASSWORD;
use crate::{Actor, audit, token};

pub(super) fn api() -> Api {
    Api::new("Application settings").get("/application/settings", "Shows the instance settings", show).put(
        "/application/settings",
        "Changes instance settings",
        update,
    )
}

/// What a setting can be.
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    Texts,
}

const LEVELS: &[&str] = &["private", "internal", "public"];

/// The settings that can be changed, with their defaults.
fn changeable() -> Vec<(&'static str, Kind, Value)> {
    vec![
        ("default_project_visibility", Kind::Word(LEVELS), json!("private")),
        ("default_branch_protection", Kind::Number(0, 4), json!(2)),
        // In MiB, and 0 for no limit.
        ("receive_max_input_size", Kind::Number(0, 1 << 30), json!(0)),
        ("max_attachment_size", Kind::Number(1, 1 << 20), json!(100)),
        ("signup_enabled", Kind::Bool, json!(true)),
        ("require_admin_approval_after_user_signup", Kind::Bool, json!(false)),
        ("domain_allowlist", Kind::Texts, json!([])),
        ("throttle_authenticated_api_requests_per_minute", Kind::Number(1, 1_000_000), json!(2000)),
        ("throttle_unauthenticated_requests_per_minute", Kind::Number(1, 1_000_000), json!(500)),
        ("throttle_sign_in_requests_per_minute", Kind::Number(1, 1_000_000), json!(20)),
    ]
}

/// The settings that are as they are, since the program does only this.
fn fixed() -> Vec<(&'static str, Value)> {
    vec![
        ("id", json!(1)),
        ("default_branch_name", json!("main")),
        ("default_group_visibility", json!("private")),
        ("default_projects_limit", json!(100_000)),
        ("default_ci_config_path", Value::Null),
        ("default_snippet_visibility", json!("private")),
        ("default_project_creation", json!(2)),
        ("default_artifacts_expire_in", json!("30 days")),
        ("restricted_visibility_levels", json!([])),
        ("email_confirmation_setting", json!("off")),
        ("password_authentication_enabled_for_web", json!(true)),
        ("password_authentication_enabled_for_git", json!(true)),
        ("minimum_password_length", json!(MIN_PASSWORD)),
        ("session_expire_delay", json!(1440)),
        ("gravatar_enabled", json!(false)),
        ("after_sign_out_path", Value::Null),
        ("import_sources", json!(["git"])),
        ("shared_runners_enabled", json!(true)),
        ("auto_devops_enabled", json!(false)),
        ("domain_denylist", json!([])),
        ("domain_denylist_enabled", json!(false)),
        ("enabled_git_access_protocol", Value::Null),
        ("require_two_factor_authentication", json!(false)),
        ("two_factor_grace_period", json!(48)),
        ("admin_mode", json!(false)),
        ("can_create_group", json!(true)),
        ("user_default_external", json!(false)),
        ("user_defaults_to_private_profile", json!(false)),
        ("personal_access_token_prefix", json!("tmpat-")),
        ("require_personal_access_token_expiry", json!(true)),
        ("max_personal_access_token_lifetime", json!(token::MAX_LIFE)),
        ("throttle_authenticated_api_enabled", json!(true)),
        ("throttle_unauthenticated_api_enabled", json!(true)),
        ("terms", Value::Null),
        ("enforce_terms", json!(false)),
    ]
}

async fn show(State(app): State<App>, actor: Actor) -> Result<Json<Value>> {
    actor.admin()?;
    let mut all: Map<String, Value> = fixed().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, _, default) in changeable() {
        all.insert(name.to_owned(), app.settings().get(name, default));
    }
    Ok(Json(Value::Object(all)))
}

/// Changes what it knows; settings that aren't there are passed over, as clients send whole lists.
async fn update(State(app): State<App>, actor: Actor, Params(asked): Params<Asked>) -> Result<Json<Value>> {
    actor.admin()?;
    let mut changes = vec![];
    for (name, kind, default) in changeable() {
        if let Some(value) = asked.0.get(name) {
            changes.push((name, read(name, kind, value)?.unwrap_or(default)));
        }
    }
    for (name, value) in &changes {
        app.settings().set(app.db(), name, value).await?;
    }
    let names: Vec<_> = changes.iter().map(|(name, _)| name).collect();
    audit::record(app.db().conn(), &actor, "settings.changed", ("Instance", 0), json!(names)).await?;
    show(State(app), actor).await
}

/// Every parameter, as it came.
struct Asked(Map<String, Value>);

impl<'de> serde::Deserialize<'de> for Asked {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Value::deserialize(d).and_then(|v| match v {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(serde::de::Error::custom("is invalid")),
        })
    }
}

/// A value as the setting wants it; `None` for null, which brings the default back.
fn read(name: &str, kind: Kind, value: &Value) -> Result<Option<Value>> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(s) => s.trim().to_owned(),
        Value::Array(_) => String::new(),
        other => other.to_string(),
    };
    let read = match kind {
        Kind::Bool => match text.as_str() {
            "true" | "1" | "yes" | "on" => Some(json!(true)),
            "false" | "0" | "no" | "off" => Some(json!(false)),
            _ => None,
        },
        Kind::Number(least, most) => text.parse::<i64>().ok().filter(|n| (least..=most).contains(n)).map(|n| json!(n)),
        Kind::Word(words) => words.contains(&text.as_str()).then(|| json!(text)),
        Kind::Texts => texts(value),
    };
    read.map(Some).ok_or_else(|| Error::BadParameter(format!("{name} does not have a valid value")))
}

fn texts(value: &Value) -> Option<Value> {
    let list: Vec<String> = match value {
        Value::Array(list) => list.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        Value::String(text) => text.split([',', '\n', ' ', '\r']).map(str::to_owned).collect(),
        _ => return None,
    };
    let list: Vec<String> =
        list.iter().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty() && t.len() <= 255).collect();
    (list.len() <= 1000).then(|| json!(list))
}
