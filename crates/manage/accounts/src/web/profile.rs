//! One's profile: what others see, the picture, and how pages look.

use axum::extract::{Multipart, State};
use axum::response::Response;
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde::Deserialize;
use serde_json::json;
use ui::form::{Field, checkbox};
use ui::parts::{self, Button};
use ui::{Markup, Tone, html};

use super::{Wrong, at_browser, private};
use crate::profile::Profile;
use crate::shell::{redirect_with, settings_page};
use crate::{Actor, User, audit, avatar};

const HERE: &str = "/-/user_settings/profile";
const FIELDS: &[&str] = &[
    "name",
    "pronouns",
    "bio",
    "location",
    "job_title",
    "organization",
    "website_url",
    "linkedin",
    "twitter",
    "discord",
    "github",
    "public_email",
];

#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    user: Profile,
}

pub(super) async fn show(State(app): State<App>, actor: Actor) -> Result<Response> {
    let (user, _) = at_browser(&actor)?;
    Ok(page(&app, &actor, &Profile::of(user), &Wrong::default()))
}

pub(super) async fn update(State(app): State<App>, actor: Actor, Params(form): Params<Form>) -> Result<Response> {
    let (user, _) = at_browser(&actor)?;
    // A box that isn't ticked isn't sent.
    let mut wanted = form.user;
    wanted.private_profile = Some(wanted.private_profile.unwrap_or(false));
    match wanted.save(app.db().conn(), user.clone()).await {
        Ok(_) => Ok(redirect_with(HERE, Tone::Ok, "Your profile is saved.")),
        Err(e) => Ok(page(&app, &actor, &wanted, &Wrong::of(e)?)),
    }
}

pub(super) async fn set_avatar(State(app): State<App>, actor: Actor, form: Multipart) -> Result<Response> {
    let (user, _) = at_browser(&actor)?;
    let stored = match avatar::from_form(form).await {
        Ok(data) => avatar::store(&app, "users", user.id, data).await,
        Err(e) => Err(e),
    };
    match stored {
        Ok(key) => {
            user.set_avatar(&app, Some(&key)).await?;
            audit::record(app.db().conn(), &actor, "avatar.changed", ("User", user.id), json!({})).await?;
            Ok(redirect_with(HERE, Tone::Ok, "Your picture is changed."))
        }
        Err(e @ Error::TooLarge(_)) => {
            let wrong = Wrong(vec![("avatar".into(), e.to_string())]);
            Ok(page(&app, &actor, &Profile::of(user), &wrong))
        }
        Err(e) => Ok(page(&app, &actor, &Profile::of(user), &Wrong::of(e)?)),
    }
}

pub(super) async fn remove_avatar(State(app): State<App>, actor: Actor) -> Result<Response> {
    let (user, _) = at_browser(&actor)?;
    user.set_avatar(&app, None).await?;
    audit::record(app.db().conn(), &actor, "avatar.removed", ("User", user.id), json!({})).await?;
    Ok(redirect_with(HERE, Tone::Ok, "Your picture is removed."))
}

fn page(app: &App, actor: &Actor, profile: &Profile, wrong: &Wrong) -> Response {
    let Ok(user) = actor.user() else { return crate::shell::redirect("/users/sign_in") };
    let mut page = settings_page(app, actor, "Profile", "profile");
    let shown: Vec<&str> = FIELDS.iter().copied().chain(["avatar"]).collect();
    let see = parts::link_button(&user.path(), "eye", "View profile");
    page.body = html! {
        (parts::head(&html! { "Profile" }, &see, &html! { "What others see of you." }))
        (wrong.beside(&shown))
        (parts::panel("avatar", "Picture", &avatar_form(user, wrong)))
        (parts::panel("about", "About you", &html! {
            form.stack method="post" action=(HERE) { (fields(profile, wrong)) (parts::submit("Save profile")) }
        }))
    };
    private(wrong.status(), page.render())
}

fn avatar_form(user: &User, wrong: &Wrong) -> Markup {
    let error = wrong.with("avatar");
    html! {
        div.line {
            (parts::avatar_large(&user.name, user.avatar_path().as_deref()))
            form.line method="post" action="/-/user_settings/profile/avatar" enctype="multipart/form-data" {
                div.field {
                    label for="f-avatar" { "Picture file" }
                    input.in id="f-avatar" type="file" name="user[avatar]" accept="image/png,image/jpeg,image/gif,image/webp"
                        required aria-describedby="f-avatar-hint";
                    @if let Some(error) = error { p.error { (ui::icon("bad")) span { (error) } } }
                    p.hint id="f-avatar-hint" { "PNG, JPEG, GIF or WebP, at most 200 KiB." }
                }
                button.btn type="submit" { (ui::icon("upload")) "Upload" }
            }
            @if user.avatar.is_some() {
                (parts::post_button("/-/user_settings/profile/avatar/delete", &[],
                    &Button { label: "Remove picture", icon: "trash", class: "danger", ..Button::default() }))
            }
        }
    }
}

fn fields(profile: &Profile, wrong: &Wrong) -> Markup {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let input = |name: &str, label: &str, value: &Option<String>, hint: &str| {
        let sent = format!("user[{name}]");
        Field {
            name: &sent,
            label,
            value: &text(value),
            hint,
            error: wrong.with(name).as_deref(),
            maxlength: Some(255),
            ..Field::default()
        }
        .input()
    };
    html! {
        (input("name", "Name", &profile.name, "The name shown beside what you do."))
        (input("pronouns", "Pronouns", &profile.pronouns, ""))
        (Field { name: "user[bio]", label: "Bio", value: &text(&profile.bio), rows: 3, maxlength: Some(255),
            error: wrong.with("bio").as_deref(), ..Field::default() }.textarea())
        (input("location", "Location", &profile.location, ""))
        (input("job_title", "Job title", &profile.job_title, ""))
        (input("organization", "Organisation", &profile.organization, ""))
        (input("website_url", "Website", &profile.website_url, "An address that begins with https:// or http://."))
        (input("linkedin", "LinkedIn", &profile.linkedin, "The name in the address of your page there."))
        (input("twitter", "X", &profile.twitter, "Your name there."))
        (input("github", "GitHub", &profile.github, "Your name there."))
        (input("discord", "Discord", &profile.discord, "Your user number there."))
        (input("public_email", "Public email", &profile.public_email, "Empty shows none."))
        (checkbox("user[private_profile]", "Private profile", profile.private_profile.unwrap_or_default(),
            "Hides your activity, projects and groups from others."))
        (Field { name: "user[scheme]", label: "Appearance", value: profile.scheme.as_deref().unwrap_or("system"),
            ..Field::default() }.radios(&[("system", "As the device says", ""), ("light", "Light", ""), ("dark", "Dark", "")]))
    }
}
