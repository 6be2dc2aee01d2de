//! One's SSH keys.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::http::Params;
use kernel::{App, Error, Result, Time};
use serde::Deserialize;
use serde_json::json;
use ui::form::Field;
use ui::parts::{self, Button};
use ui::{Markup, Tone, format, html};

use super::{Wrong, at_browser, private};
use crate::shell::{redirect_with, settings_page};
use crate::{Actor, SshKey, audit};

const HERE: &str = "/-/user_settings/ssh_keys";

#[derive(Deserialize, Default)]
pub(super) struct Form {
    #[serde(default)]
    key: Fields,
}

#[derive(Deserialize, Default)]
struct Fields {
    #[serde(default)]
    key: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    usage_type: String,
    #[serde(default)]
    expires_at: String,
}

pub(super) async fn list(State(app): State<App>, actor: Actor) -> Result<Response> {
    at_browser(&actor)?;
    page(&app, &actor, &Fields::default(), &Wrong::default()).await
}

pub(super) async fn create(State(app): State<App>, actor: Actor, Params(form): Params<Form>) -> Result<Response> {
    match add(&app, &actor, &form.key).await {
        Ok(key) => Ok(redirect_with(HERE, Tone::Ok, &format!("The key {} is added.", key.title))),
        Err(e) => page(&app, &actor, &form.key, &Wrong::of(e)?).await,
    }
}

async fn add(app: &App, actor: &Actor, fields: &Fields) -> Result<SshKey> {
    let (user, _) = at_browser(actor)?;
    let expires = match fields.expires_at.trim() {
        "" => None,
        date => Some(Time::parse(date).ok_or_else(|| Error::invalid("expires_at", "is not a date"))?),
    };
    let usage = if fields.usage_type.is_empty() { "auth_and_signing" } else { &fields.usage_type };
    let tx = app.begin().await?;
    let key = SshKey::create(&*tx, user.id, &fields.title, &fields.key, usage, expires).await?;
    let details = json!({ "title": key.title, "fingerprint": key.fingerprint });
    audit::record(&*tx, actor, "key.created", ("Key", key.id), details).await?;
    tx.commit().await?;
    Ok(key)
}

pub(super) async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Response> {
    let (user, _) = at_browser(&actor)?;
    let key = SshKey::find(app.db().conn(), id).await?.filter(|k| k.user_id == user.id);
    let key = key.ok_or_else(|| Error::not_found("Key"))?;
    let tx = app.begin().await?;
    key.delete(&*tx).await?;
    audit::record(&*tx, &actor, "key.deleted", ("Key", key.id), json!({ "fingerprint": key.fingerprint })).await?;
    tx.commit().await?;
    Ok(redirect_with(HERE, Tone::Ok, &format!("The key {} is removed.", key.title)))
}

async fn page(app: &App, actor: &Actor, fields: &Fields, wrong: &Wrong) -> Result<Response> {
    let (user, _) = at_browser(actor)?;
    let keys = SshKey::of_user(app.db().conn(), user.id).await?;
    let mut page = settings_page(app, actor, "SSH keys", "keys");
    let taken = wrong
        .with("fingerprint_sha256")
        .map(|_| "This key has been added already, by you or by somebody else.".to_owned());
    let rows: Vec<Markup> = keys.iter().map(row).collect();
    page.body = html! {
        (parts::head(&html! { "SSH keys" }, &html! {}, &html! { "With a key, git over SSH knows who you are." }))
        (wrong.beside(&["key", "title", "expires_at", "fingerprint_sha256"]))
        @if keys.is_empty() {
            (parts::Empty { icon: "key", title: "No keys yet",
                text: "Make a key on your machine, then paste the public part, from the file that ends in .pub, below.",
                command: Some("ssh-keygen -t ed25519"), action: None }.render())
        } @else {
            (parts::panel_rows("keys", "Your keys", &parts::rows(&rows)))
        }
        (parts::panel("new-key", "Add a key", &html! {
            form.stack method="post" action=(HERE) {
                (Field { name: "key[key]", label: "Public key", value: &fields.key, rows: 4, mono: true, required: true,
                    placeholder: "ssh-ed25519 AAAA… you@machine", hint: "ED25519, ECDSA, a security key, or RSA of 2048 bits or more.",
                    error: wrong.with("key").or(taken).as_deref(), ..Field::default() }.textarea())
                (Field { name: "key[title]", label: "Title", value: &fields.title, hint: "Empty takes the comment of the key.",
                    maxlength: Some(255), error: wrong.with("title").as_deref(), ..Field::default() }.input())
                (Field { name: "key[usage_type]", label: "Use for", value: &fields.usage_type, ..Field::default() }.select(&[
                    ("auth_and_signing", "Signing in and signing commits"), ("auth", "Signing in"), ("signing", "Signing commits")]))
                (Field { name: "key[expires_at]", label: "Expires on", kind: "date", value: &fields.expires_at,
                    hint: "Empty for never.", error: wrong.with("expires_at").as_deref(), ..Field::default() }.input())
                (parts::submit("Add key"))
            }
        }))
    };
    Ok(private(wrong.status(), page.render()))
}

fn row(key: &SshKey) -> Markup {
    let meta = html! {
        code { (key.fingerprint) } " · " code { (key.fingerprint_md5) } " · added " (format::time(key.created_at.0))
        @if let Some(used) = key.last_used_at { " · used " (format::time(used.0)) } @else { " · never used" }
        @match key.expires_at {
            Some(end) if end <= Time::now() => { " · expired " (end.date()) }
            Some(end) => { " · expires " (end.date()) }
            None => {}
        }
    };
    let remove = format!("{HERE}/{}/delete", key.id);
    let button = Button { label: "Remove", icon: "trash", class: "small danger", ..Button::default() };
    parts::row(&ui::icon("key"), &html! { b { (key.title) } }, &meta, &parts::post_button(&remove, &[], &button))
}
