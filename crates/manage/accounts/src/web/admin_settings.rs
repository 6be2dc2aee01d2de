//! The instance settings of accounts, for administrators.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::http::Params;
use kernel::{App, Result};
use serde::Deserialize;
use serde_json::json;
use ui::form::{Field, checkbox};
use ui::{Tone, html, parts};

use super::{admin_at_browser, private};
use crate::shell::{admin_page, redirect_with};
use crate::{Actor, audit, settings};

const HERE: &str = "/admin/settings";

#[derive(Deserialize)]
pub(super) struct Form {
    // A box that isn't ticked isn't sent.
    #[serde(default)]
    signup_enabled: bool,
    #[serde(default)]
    require_admin_approval_after_user_signup: bool,
    #[serde(default)]
    domain_allowlist: String,
    throttle_authenticated_api_requests_per_minute: u32,
    throttle_unauthenticated_requests_per_minute: u32,
    throttle_sign_in_requests_per_minute: u32,
}

pub(super) async fn show(State(app): State<App>, actor: Actor) -> Result<Response> {
    admin_at_browser(&actor)?;
    let mut page = admin_page(&app, &actor, "Settings", "settings");
    let domains = settings::domain_allowlist(&app).join("\n");
    let number = |name: &str, label: &str, hint: &str, value: u64| {
        let value = value.to_string();
        Field { name, label, hint, value: &value, kind: "number", required: true, ..Field::default() }.input()
    };
    page.body = html! {
        (parts::head(&html! { "Settings" }, &html! {}, &html! { "They hold for the whole instance, from now on." }))
        form.stack method="post" action=(HERE) {
            (parts::panel("sign-up", "Registering", &html! {
                (checkbox("signup_enabled", "People may register", settings::signup_enabled(&app),
                    "Switched off, only administrators make accounts."))
                (checkbox("require_admin_approval_after_user_signup", "An administrator approves who registered",
                    settings::require_admin_approval(&app), "Until then they can't sign in."))
                (Field { name: "domain_allowlist", label: "Mail domains that may register", value: &domains, rows: 3, mono: true,
                    hint: "One a line, such as example.com or *.example.com. Empty for all.", ..Field::default() }.textarea())
            }))
            (parts::panel("limits", "Limits", &html! {
                (number("throttle_authenticated_api_requests_per_minute", "API requests a minute, per user", "",
                    settings::api_limit(&app)))
                (number("throttle_unauthenticated_requests_per_minute", "API requests a minute, per address without a user",
                    "Wrong tokens count here too.", settings::anonymous_limit(&app)))
                (number("throttle_sign_in_requests_per_minute", "Failed sign-ins a minute, per address",
                    "Ten failures lock an account for ten minutes besides.", settings::sign_in_limit(&app)))
            }))
            (parts::submit("Save settings"))
        }
    };
    Ok(private(StatusCode::OK, page.render()))
}

pub(super) async fn update(State(app): State<App>, actor: Actor, Params(form): Params<Form>) -> Result<Response> {
    admin_at_browser(&actor)?;
    // Nobody may shut themselves out by a zero.
    let limit = |n: u32| json!(n.max(1));
    let domains: Vec<&str> = form.domain_allowlist.split([',', '\n', ' ', '\r']).filter(|d| !d.is_empty()).collect();
    let changes = [
        ("signup_enabled", json!(form.signup_enabled)),
        ("require_admin_approval_after_user_signup", json!(form.require_admin_approval_after_user_signup)),
        ("domain_allowlist", json!(domains)),
        ("throttle_authenticated_api_requests_per_minute", limit(form.throttle_authenticated_api_requests_per_minute)),
        ("throttle_unauthenticated_requests_per_minute", limit(form.throttle_unauthenticated_requests_per_minute)),
        ("throttle_sign_in_requests_per_minute", limit(form.throttle_sign_in_requests_per_minute)),
    ];
    for (key, value) in &changes {
        app.settings().set(app.db(), key, value).await?;
    }
    audit::record(app.db().conn(), &actor, "settings.changed", ("Instance", 0), json!(changes.map(|(key, _)| key)))
        .await?;
    Ok(redirect_with(HERE, Tone::Ok, "The settings are saved."))
}
