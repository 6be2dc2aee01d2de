//! The members of projects and groups.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result, Time};
use serde::Deserialize;
use ui::form::Field;
use ui::menu::{Confirm, menu_with};
use ui::parts::Button;
use ui::{Markup, Page, Tone, html, parts};

use accounts::shell::redirect_with;
use accounts::{Actor, User};

use super::parts::{Wrong, paging as page_links};
use crate::access::{GroupAccess, ProjectAccess};
use crate::api::entity;
use crate::api::members::{expiry, project_roster};
use crate::level;
use crate::roster::{Entry, Roster, Wanted};
use crate::shell::{group_page, project_page};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct NewMember {
    #[serde(default)]
    username: String,
    #[serde(default)]
    access_level: i64,
    #[serde(default)]
    expires_at: String,
}

/// One page of members: where it is and what surrounds it.
struct Place<'a> {
    roster: Roster<'a>,
    actor: &'a Actor,
    here: String,
    page: Page,
    what: &'static str,
}

impl<'a> Place<'a> {
    async fn project(app: &App, access: &'a ProjectAccess) -> Result<Self> {
        Ok(Self {
            roster: project_roster(app, access).await?,
            actor: &access.actor,
            here: format!("/{}/-/project_members", access.project.full_path),
            page: project_page(app, access, "Members", "members"),
            what: "project",
        })
    }

    fn group(app: &App, access: &'a GroupAccess) -> Result<Self> {
        if !access.group.is_group() {
            return Err(Error::not_found("Group"));
        }
        Ok(Self {
            roster: Roster::of_group(access),
            actor: &access.actor,
            here: format!("/groups/{}/-/group_members", access.group.full_path),
            page: group_page(app, access, "Members", "members"),
            what: "group",
        })
    }

    async fn render(
        mut self,
        app: &App,
        asked: &Asked,
        paging: &Paging,
        typed: &NewMember,
        wrong: &Wrong,
    ) -> Result<Response> {
        let wanted = Wanted { query: Some(&asked.name), inherited: true, ..Wanted::default() };
        let (entries, total) = self.roster.list(app, &wanted, paging.limit(), paging.offset()).await?;
        let people = entity::users(app, entries.iter().map(|e| e.user_id).collect::<Vec<_>>()).await?;
        let rows: Vec<Markup> = entries.iter().filter_map(|e| Some(self.row(e, people.get(&e.user_id)?))).collect();
        let add = if self.roster.manages() {
            self.add_form(typed, wrong)
        } else {
            html! {}
        };
        self.page.body = html! {
            (parts::head(&html! { "Members" }, &html! {}, &html! { (ui::format::count(total)) " " (if total == 1 { "person has" } else { "people have" }) " access to this " (self.what) "." }))
            (wrong.beside(&["username", "access_level", "expires_at"]))
            div.stack.wide {
                (add)
                (ui::form::search(&self.here, "name", &asked.name, "Find by name or username", &[]))
                @if rows.is_empty() { p.soft { "Nobody matches." } } @else { (super::parts::rows("members", &rows)) }
                (page_links(paging, total, &self.here, &[("name", &asked.name)]))
            }
        };
        Ok((wrong.status(), self.page.render()).into_response())
    }

    fn add_form(&self, typed: &NewMember, wrong: &Wrong) -> Markup {
        let level = if typed.access_level == 0 { level::DEVELOPER } else { typed.access_level };
        parts::panel(
            "add",
            "Add a member",
            &html! {
                form.stack method="post" action=(self.here) {
                    (Field { name: "username", label: "Username", value: &typed.username, required: true, autocomplete: "off",
                        error: wrong.with("username").as_deref(), ..Field::default() }.input())
                    (self.level_field("access_level", level, wrong.with("access_level").as_deref()))
                    (Field { name: "expires_at", label: "Until", kind: "date", value: &typed.expires_at, hint: "Empty for no end.",
                        error: wrong.with("expires_at").as_deref(), ..Field::default() }.input())
                    (ui::form::actions("Add member", None))
                }
            },
        )
    }

    fn level_field(&self, name: &str, chosen: i64, error: Option<&str>) -> Markup {
        let numbers: Vec<(String, &str)> = self.roster.levels().into_iter().map(|(l, n)| (l.to_string(), n)).collect();
        let choices: Vec<(&str, &str)> = numbers.iter().map(|(l, n)| (l.as_str(), *n)).collect();
        Field { name, label: "Role", value: &chosen.to_string(), error, ..Field::default() }.select(&choices)
    }

    fn row(&self, entry: &Entry, user: &User) -> Markup {
        let title = html! {
            a.plain href=(user.path()) { b { (user.name) } } " " span.soft { "@" (user.username) }
            @if self.actor.id() == Some(user.id) { " " (parts::tag("You")) }
            @if !user.is_active() { " " (parts::tag("Blocked")) }
        };
        let meta = html! { span {
            @match &entry.inherited_from {
                Some(group) => { "From " a href={ "/" (group) } { (group) } }
                None => { "Direct" }
            }
            " · since " (ui::format::date(entry.created_at.0))
            @if let Some(end) = entry.expires_at { " · until " (ui::format::date(end.0)) }
        } };
        let direct = entry.inherited_from.is_none();
        let itself = self.actor.id() == Some(user.id);
        let manages =
            direct && self.roster.manages() && self.roster.levels().iter().any(|(l, _)| *l == entry.access_level);
        let end = html! {
            @if manages { (self.change_form(entry, user)) } @else { (parts::tag(level::name(entry.access_level))) }
            @if direct && (manages || itself) { (self.removal(entry, user, itself)) }
        };
        parts::row(&parts::avatar(&user.name, user.avatar_path().as_deref()), &title, &meta, &end)
    }

    fn change_form(&self, entry: &Entry, user: &User) -> Markup {
        let (id, until) = (format!("change-{}", entry.id), entry.expires_at.map(Time::date).unwrap_or_default());
        let form = html! {
            form.stack method="post" action={ (self.here) "/" (entry.user_id) } aria-label={ "Change " (user.name) } {
                label.field { span.label { "Role" }
                    select.in name="access_level" {
                        @for (number, name) in self.roster.levels() { option value=(number) selected[number == entry.access_level] { (name) } }
                    }
                }
                label.field { span.label { "Until" } input.in type="date" name="expires_at" value=(until); }
                div.line { button.btn.primary type="submit" { "Save" } }
            }
        };
        menu_with(&id, &Button { label: level::name(entry.access_level), class: "small", ..Button::default() }, &form)
    }

    fn removal(&self, entry: &Entry, user: &User, itself: bool) -> Markup {
        let id = format!("remove-{}", entry.id);
        let (word, title) = match itself {
            true => ("Leave", format!("Leave this {}?", self.what)),
            false => ("Remove", format!("Remove {}?", user.name)),
        };
        let confirm = Confirm {
            id: &id,
            title: &title,
            text: "Access ends at once. An owner can add the person again.",
            action: &format!("{}/{}/delete", self.here, entry.user_id),
            keep: "Keep",
            act: word,
            ..Confirm::default()
        };
        html! {
            (Button { label: word, icon: if itself { "out" } else { "x" }, class: "quiet small", dialog: Some(&id), ..Button::default() }.render())
            (confirm.render())
        }
    }
}

async fn add(app: &App, place: &Place<'_>, form: &NewMember) -> Result<User> {
    let user = User::by_username(app.db().conn(), form.username.trim().trim_start_matches('@')).await?;
    let user = user.ok_or_else(|| Error::invalid("username", "belongs to nobody here"))?;
    let tx = app.begin().await?;
    place.roster.add(&tx, &user, form.access_level, expiry(Some(&form.expires_at))?).await?;
    tx.commit().await?;
    Ok(user)
}

async fn add_to(app: &App, place: Place<'_>, form: NewMember, paging: Paging) -> Result<Response> {
    if !place.roster.manages() {
        return Err(Error::Forbidden(String::new()));
    }
    match add(app, &place, &form).await {
        Ok(user) => Ok(redirect_with(&place.here, Tone::Ok, &format!("{} is a member now.", user.name))),
        Err(e) => {
            let wrong = Wrong::of(e)?;
            place.render(app, &Asked::default(), &paging, &form, &wrong).await
        }
    }
}

/// Goes back with a message of what was done or why it could not be.
fn answer(here: &str, done: Result<&str>) -> Result<Response> {
    match done {
        Ok(message) => Ok(redirect_with(here, Tone::Ok, message)),
        Err(e @ (Error::Invalid(_) | Error::Conflict(_) | Error::BadRequest(_) | Error::BadParameter(_))) => {
            Ok(redirect_with(here, Tone::Bad, &format!("Nothing was changed: {e}.")))
        }
        Err(Error::Forbidden(why)) if !why.is_empty() => {
            Ok(redirect_with(here, Tone::Bad, &format!("Nothing was changed: {why}.")))
        }
        Err(e) => Err(e),
    }
}

async fn change(app: &App, place: Place<'_>, user_id: i64, form: &NewMember) -> Result<Response> {
    let done = async {
        let tx = app.begin().await?;
        place.roster.change(&tx, user_id, form.access_level, Some(expiry(Some(&form.expires_at))?)).await?;
        tx.commit().await?;
        Ok("The member is changed.")
    };
    answer(&place.here, done.await)
}

async fn remove(app: &App, place: Place<'_>, user_id: i64) -> Result<Response> {
    let done = async {
        let tx = app.begin().await?;
        place.roster.remove(&tx, user_id, false).await?;
        tx.commit().await?;
        Ok("Access has ended.")
    };
    let itself = place.actor.id() == Some(user_id);
    match done.await {
        Ok(message) if itself => Ok(redirect_with("/dashboard/projects", Tone::Ok, message)),
        done => answer(&place.here, done),
    }
}

pub(super) async fn of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    Place::project(&app, &access).await?.render(&app, &asked, &paging, &NewMember::default(), &Wrong::default()).await
}

pub(super) async fn of_group(
    State(app): State<App>,
    access: GroupAccess,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    Place::group(&app, &access)?.render(&app, &asked, &paging, &NewMember::default(), &Wrong::default()).await
}

pub(super) async fn add_to_project(
    State(app): State<App>,
    access: ProjectAccess,
    paging: Paging,
    Params(form): Params<NewMember>,
) -> Result<Response> {
    add_to(&app, Place::project(&app, &access).await?, form, paging).await
}

pub(super) async fn add_to_group(
    State(app): State<App>,
    access: GroupAccess,
    paging: Paging,
    Params(form): Params<NewMember>,
) -> Result<Response> {
    add_to(&app, Place::group(&app, &access)?, form, paging).await
}

type Ids = Path<(String, i64)>;

pub(super) async fn change_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Params(form): Params<NewMember>,
) -> Result<Response> {
    change(&app, Place::project(&app, &access).await?, id, &form).await
}

pub(super) async fn change_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, id)): Ids,
    Params(form): Params<NewMember>,
) -> Result<Response> {
    change(&app, Place::group(&app, &access)?, id, &form).await
}

pub(super) async fn remove_from_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
) -> Result<Response> {
    remove(&app, Place::project(&app, &access).await?, id).await
}

pub(super) async fn remove_from_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, id)): Ids,
) -> Result<Response> {
    remove(&app, Place::group(&app, &access)?, id).await
}
