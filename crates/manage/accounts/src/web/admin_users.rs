//! The users of the instance, for administrators.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::http::{Paging, Params, Query, page_links};
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::parts::{self, Button};
use ui::{Item, Markup, Tone, form, format, html};

use super::admin_user_form::{self as user_form, Fields};
use super::{Wrong, admin_at_browser, private};
use crate::directory::{Filter, Sorting};
use crate::hooks::delete_user;
use crate::shell::{admin_page, redirect_with};
use crate::states::{self, Step};
use crate::{Actor, SshKey, User, avatar, create_user};

const HERE: &str = "/admin/users";
/// Word in the address, title, state.
const TABS: &[(&str, &str, Option<&str>)] = &[
    ("", "All", None),
    ("active", "Active", Some("active")),
    ("admins", "Administrators", None),
    ("pending", "Pending approval", Some("blocked_pending_approval")),
    ("blocked", "Blocked", Some("blocked")),
    ("banned", "Banned", Some("banned")),
    ("deactivated", "Deactivated", Some("deactivated")),
];

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    filter: String,
    #[serde(default)]
    search: String,
}

pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    paging: Paging,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    admin_at_browser(&actor)?;
    let tab = TABS.iter().find(|(word, ..)| *word == asked.filter).unwrap_or(&TABS[0]);
    let filter = Filter {
        search: Some(asked.search.clone()),
        search_emails: true,
        state: tab.2.map(str::to_owned),
        admin: (tab.0 == "admins").then_some(true),
        ..Filter::default()
    };
    let conn = app.db().conn();
    let total = filter.count(conn).await?;
    let users = filter.list(conn, Sorting::default(), paging.limit(), paging.offset()).await?;
    let mut page = admin_page(&app, &actor, "Users", "users");
    let rows: Vec<Markup> = users.iter().map(row).collect();
    let tabs: Vec<Item> = TABS
        .iter()
        .map(|(word, title, _)| Item::new(*title, format!("{HERE}?filter={word}")).current(*word == tab.0))
        .collect();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("filter", &asked.filter)
        .append_pair("search", &asked.search)
        .finish();
    let last = u64::try_from(total).unwrap_or(0).div_ceil(paging.per_page);
    page.body = html! {
        (parts::head(&html! { "Users" }, &parts::primary_link("/admin/users/new", "plus", "New user"), &html! {}))
        (parts::tabs("Users by state", &tabs))
        (form::search(HERE, "search", &asked.search, "Search by name, username or email", &[("filter", &asked.filter)]))
        @if users.is_empty() {
            (parts::Empty { icon: "people", title: "No users here", text: "Nobody matches. Try another tab or search.",
                ..parts::Empty::default() }.render())
        } @else {
            (parts::panel_rows("users", &format::plural(total, "user"), &parts::rows(&rows)))
        }
        (parts::pages(paging.page, last, |n| page_links(HERE, &query, &[("page", &n.to_string())])))
    };
    Ok(private(StatusCode::OK, page.render()))
}

fn row(user: &User) -> Markup {
    let link = address(user);
    let meta = html! {
        "@" (user.username) " · " (user.email) " · made " (format::time(user.created_at.0))
        @if let Some(seen) = user.last_activity_at { " · active " (format::time(seen.0)) } @else { " · never signed in" }
    };
    let title = html! { a href=(link) { (user.name) } " " (tags(user)) };
    let edit = format!("{link}/edit");
    parts::row(
        &parts::avatar(&user.name, user.avatar_path().as_deref()),
        &title,
        &meta,
        &parts::link_button(&edit, "pencil", "Edit"),
    )
}

fn tags(user: &User) -> Markup {
    html! {
        @if user.admin { (parts::tag("Administrator")) " " }
        @if user.external { (parts::tag("External")) " " }
        @if user.bot { (parts::tag("Bot")) " " }
        @if user.is_locked() { (parts::tag_icon("lock", "Locked")) " " }
        @match user.state.as_str() {
            "active" => {}
            "blocked_pending_approval" => (parts::tag_icon("wait", "Pending approval")),
            "deactivated" => (parts::tag("Deactivated")),
            "banned" => (parts::tag_icon("bad", "Banned")),
            _ => (parts::tag_icon("bad", "Blocked")),
        }
    }
}

fn address(user: &User) -> String {
    format!("{HERE}/{}", user.username)
}

async fn named(app: &App, actor: &Actor, username: &str) -> Result<User> {
    admin_at_browser(actor)?;
    User::by_username(app.db().conn(), username).await?.ok_or_else(|| Error::not_found("User"))
}

pub(super) async fn show(State(app): State<App>, actor: Actor, Path(username): Path<String>) -> Result<Response> {
    let user = named(&app, &actor, &username).await?;
    let keys = SshKey::of_user(app.db().conn(), user.id).await?;
    let counts = crate::hooks::associations(&app, user.id).await?;
    let mut page = admin_page(&app, &actor, &user.name, "users");
    let edit = parts::link_button(&format!("{}/edit", address(&user)), "pencil", "Edit");
    let mine = actor.id() == Some(user.id);
    page.body = html! {
        (parts::head(&html! { (user.name) " " (tags(&user)) }, &edit, &html! { "@" (user.username) " · " (user.email) }))
        (parts::panel("facts", "Account", &facts(&user, keys.len(), &counts)))
        @if !mine { (parts::panel("do", "Access", &steps(&user))) }
    };
    Ok(private(StatusCode::OK, page.render()))
}

fn facts(user: &User, keys: usize, counts: &[(&'static str, i64)]) -> Markup {
    let when = |t: Option<kernel::Time>| html! { @if let Some(t) = t { (format::exact_time(t.0)) } @else { "Never" } };
    let mut pairs = vec![
        ("Number", html! { (user.id) }),
        ("Made", when(Some(user.created_at))),
        ("Signed in", when(user.current_sign_in_at)),
        ("From", html! { @if user.current_sign_in_ip.is_empty() { "—" } @else { (user.current_sign_in_ip) } }),
        ("Sign-ins", html! { (user.sign_in_count) }),
        ("Last active", when(user.last_activity_at)),
        ("SSH keys", html! { (keys) }),
        ("Projects allowed", html! { (user.projects_limit) }),
        ("May create groups", html! { (if user.can_create_group { "Yes" } else { "No" }) }),
        ("Note", html! { @if user.note.is_empty() { "—" } @else { (user.note) } }),
    ];
    let names: Vec<(String, i64)> =
        counts.iter().map(|(n, c)| (n.trim_end_matches("_count").replace('_', " "), *c)).collect();
    pairs.extend(names.iter().map(|(name, count)| (name.as_str(), html! { (count) })));
    parts::facts(&pairs)
}

fn steps(user: &User) -> Markup {
    let offers: &[(&str, &str, &str)] = match user.state.as_str() {
        "active" => {
            &[("block", "Block", "Can't sign in, use tokens or keys."), ("ban", "Ban", "As blocked, for abuse.")]
        }
        "blocked" => &[("unblock", "Unblock", "Can sign in again.")],
        "banned" => &[("unban", "Unban", "Can sign in again.")],
        "deactivated" => &[("activate", "Activate", "Can sign in again, which signing in does too.")],
        _ => &[("approve", "Approve", "Can sign in from now on."), ("reject", "Reject", "The account is removed.")],
    };
    let here = address(user);
    let post = |word: &str, title: &str, class: &str| {
        parts::post_button(&format!("{here}/{word}"), &[], &Button { label: title, class, ..Button::default() })
    };
    html! {
        @for (word, title, about) in offers { div.line { (post(word, title, "")) span.faint { (about) } } }
        @if user.is_locked() {
            div.line { (post("unlock", "Unlock", "")) span.faint { "Locked after too many failed sign-ins." } }
        }
        details {
            summary { "Delete this user" }
            form.stack method="post" action={ (here) "/delete" } {
                p { "The user's own projects, keys, tokens and sessions go with it. This can't be undone." }
                (form::checkbox("hard_delete", "Also delete groups that nobody else owns", false, ""))
                button.btn.danger.primary type="submit" { "Delete user" }
            }
        }
    }
}

#[derive(Deserialize, Default)]
pub(super) struct Options {
    #[serde(default)]
    hard_delete: bool,
}

pub(super) async fn act(
    State(app): State<App>,
    actor: Actor,
    Path((username, action)): Path<(String, String)>,
    Params(options): Params<Options>,
) -> Result<Response> {
    let user = named(&app, &actor, &username).await?;
    let gone = match action.as_str() {
        "delete" => delete(&app, &actor, &user, options.hard_delete).await.map(|()| true),
        "reject" => states::reject(&app, &actor, &user).await.map(|()| true),
        word => {
            let step = Step::parse(word).ok_or_else(|| Error::not_found("Page"))?;
            states::take(&app, &actor, &user, step).await.map(|()| false)
        }
    };
    Ok(match gone {
        Ok(true) => redirect_with(HERE, Tone::Ok, &format!("{} is removed.", user.username)),
        Ok(false) => redirect_with(&address(&user), Tone::Ok, &format!("Done: {}.", action.replace('_', " "))),
        Err(Error::Forbidden(why) | Error::Conflict(why)) => redirect_with(&address(&user), Tone::Bad, &why),
        Err(e) => return Err(e),
    })
}

async fn delete(app: &App, actor: &Actor, user: &User, hard: bool) -> Result<()> {
    let tx = app.begin().await?;
    delete_user(&tx, actor, user, hard).await?;
    tx.commit().await?;
    avatar::forget(app, user.avatar.as_deref()).await
}

pub(super) async fn new(State(app): State<App>, actor: Actor) -> Result<Response> {
    admin_at_browser(&actor)?;
    let fields = Fields::for_new();
    Ok(user_form::page(&app, &actor, None, &fields, &Wrong::default()))
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    Params(form): Params<user_form::Form>,
) -> Result<Response> {
    admin_at_browser(&actor)?;
    let fields = form.user;
    let made = match fields.password.is_empty() {
        true => Err(Error::invalid("password", "can't be blank")),
        false => create_user(&app, &actor, fields.new_user()).await,
    };
    match made {
        Ok(user) => Ok(redirect_with(&address(&user), Tone::Ok, "The user is made.")),
        Err(e) => Ok(user_form::page(&app, &actor, None, &fields, &Wrong::of(e)?)),
    }
}

pub(super) async fn edit(State(app): State<App>, actor: Actor, Path(username): Path<String>) -> Result<Response> {
    let user = named(&app, &actor, &username).await?;
    Ok(user_form::page(&app, &actor, Some(&user), &Fields::of(&user), &Wrong::default()))
}

pub(super) async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(username): Path<String>,
    Params(form): Params<user_form::Form>,
) -> Result<Response> {
    let user = named(&app, &actor, &username).await?;
    let fields = form.user;
    match fields.edit().apply(&app, &actor, user.clone()).await {
        Ok(user) => Ok(redirect_with(&address(&user), Tone::Ok, "The user is saved.")),
        Err(e) => Ok(user_form::page(&app, &actor, Some(&user), &fields, &Wrong::of(e)?)),
    }
}
