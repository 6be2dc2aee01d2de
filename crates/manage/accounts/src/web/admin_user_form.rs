//! The form by which administrators make and change users.

use axum::response::Response;
use kernel::App;
use serde::Deserialize;
use ui::form::{Field, actions, checkbox};
use ui::{html, parts};

use super::{Wrong, private};
use crate::edit::Edit;
use crate::profile::Profile;
use crate::shell::admin_page;
use crate::{Actor, NewUser, User};

#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    pub(super) user: Fields,
}

#[derive(Deserialize, Default)]
pub(super) struct Fields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    pub(super) password: String,
    #[serde(default)]
    note: String,
    projects_limit: Option<i64>,
    // A box that isn't ticked isn't sent.
    admin: Option<bool>,
    external: Option<bool>,
    can_create_group: Option<bool>,
    private_profile: Option<bool>,
}

impl Fields {
    pub(super) fn for_new() -> Self {
        Self { can_create_group: Some(true), ..Self::default() }
    }

    pub(super) fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            username: user.username.clone(),
            email: user.email.clone(),
            password: String::new(),
            note: user.note.clone(),
            projects_limit: Some(user.projects_limit),
            admin: Some(user.admin),
            external: Some(user.external),
            can_create_group: Some(user.can_create_group),
            private_profile: Some(user.private_profile),
        }
    }

    pub(super) fn new_user(&self) -> NewUser {
        NewUser {
            username: self.username.trim().to_owned(),
            name: self.name.clone(),
            email: self.email.clone(),
            password: self.password.clone(),
            admin: self.admin.unwrap_or(false),
            external: self.external.unwrap_or(false),
            private_profile: self.private_profile.unwrap_or(false),
            no_groups: !self.can_create_group.unwrap_or(false),
            projects_limit: self.projects_limit,
            note: self.note.clone(),
            ..NewUser::default()
        }
    }

    pub(super) fn edit(&self) -> Edit {
        Edit {
            username: Some(self.username.clone()),
            email: Some(self.email.clone()),
            password: Some(self.password.clone()),
            admin: Some(self.admin.unwrap_or(false)),
            external: Some(self.external.unwrap_or(false)),
            can_create_group: Some(self.can_create_group.unwrap_or(false)),
            projects_limit: self.projects_limit,
            note: Some(self.note.clone()),
            profile: Profile {
                name: Some(self.name.clone()),
                private_profile: Some(self.private_profile.unwrap_or(false)),
                ..Profile::default()
            },
        }
    }
}

const SHOWN: &[&str] = &["name", "username", "email", "password", "projects_limit", "admin"];

pub(super) fn page(app: &App, actor: &Actor, user: Option<&User>, fields: &Fields, wrong: &Wrong) -> Response {
    let title = if user.is_some() { "Edit user" } else { "New user" };
    let (send, action) = match user {
        Some(user) => ("Save user", format!("/admin/users/{}", user.username)),
        None => ("Create user", "/admin/users".to_owned()),
    };
    let password_hint = if user.is_some() {
        "Empty keeps the password. A new one ends all sessions."
    } else {
        "At least 8 characters."
    };
    let limit = fields.projects_limit.unwrap_or(100_000).to_string();
    let error = |field| wrong.with(field);
    let mut page = admin_page(app, actor, title, "users");
    let form = html! {
        form.stack method="post" action=(action) {
            (Field { name: "user[name]", label: "Name", value: &fields.name, required: true, maxlength: Some(255),
                error: error("name").as_deref(), ..Field::default() }.input())
            (Field { name: "user[username]", label: "Username", value: &fields.username, required: true, maxlength: Some(255),
                error: error("username").as_deref(), ..Field::default() }.input())
            (Field { name: "user[email]", label: "Email", kind: "email", value: &fields.email, required: true,
                error: error("email").as_deref(), ..Field::default() }.input())
            (Field { name: "user[password]", label: "Password", kind: "password", autocomplete: "new-password",
                required: user.is_none(), hint: password_hint, error: error("password").as_deref(), ..Field::default() }.input())
            (Field { name: "user[projects_limit]", label: "Projects allowed", kind: "number", value: &limit,
                error: error("projects_limit").as_deref(), ..Field::default() }.input())
            (checkbox("user[admin]", "Administrator", fields.admin.unwrap_or(false), "May do everything on this instance."))
            @if let Some(error) = error("admin") { p.error { (ui::icon("bad")) span { (error) } } }
            (checkbox("user[external]", "External", fields.external.unwrap_or(false), "Sees internal projects only where a member."))
            (checkbox("user[can_create_group]", "May create groups", fields.can_create_group.unwrap_or(false), ""))
            (checkbox("user[private_profile]", "Private profile", fields.private_profile.unwrap_or(false), ""))
            (Field { name: "user[note]", label: "Note", value: &fields.note, rows: 3, hint: "Seen by administrators alone.",
                ..Field::default() }.textarea())
            (actions(send, Some(("/admin/users", "Cancel"))))
        }
    };
    page.body = html! {
        (parts::head(&html! { (title) }, &html! {}, &html! {}))
        (wrong.beside(SHOWN))
        (parts::panel("user", "User", &form))
    };
    private(wrong.status(), page.render())
}
