//! A group's home page and the making of groups.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::{Paging, Params, Query};
use kernel::{App, Result};
use serde::Deserialize;
use ui::form::{self, Field};
use ui::parts::Empty;
use ui::{Crumb, Markup, Tone, html, parts};

use accounts::Actor;
use accounts::shell::{page as home, redirect_with};

use super::feed;
use super::parts::{
    Wrong, group_counts, group_row, paging as page_links, project_row, rows, visibility_field, visibility_tag,
};
use crate::access::GroupAccess;
use crate::avatar;
use crate::create::{may_create_group, may_create_project};
use crate::group_edit::{self, GroupChange};
use crate::group_list::GroupFilters;
use crate::list::{Conditions, ProjectFilters, ProjectOrder};
use crate::namespace::Namespace;
use crate::shell::group_page;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    parent_id: Option<i64>,
}

pub(super) async fn new(State(app): State<App>, actor: Actor, Query(asked): Query<Asked>) -> Result<Response> {
    let wanted = GroupChange { parent_id: asked.parent_id, ..GroupChange::default() };
    render_new(&app, &actor, &wanted, &Wrong::default()).await
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    Params(wanted): Params<GroupChange>,
) -> Result<Response> {
    actor.user()?;
    let given = |t: &Option<String>| t.clone().filter(|t| !t.trim().is_empty());
    let path = given(&wanted.path).or_else(|| given(&wanted.name).map(|n| crate::edit::slug(&n)));
    let wanted = GroupChange { path, ..wanted };
    match group_edit::create_group(&app, &actor, &wanted).await {
        Ok(made) => {
            Ok(redirect_with(&format!("/{}", made.full_path), Tone::Ok, &format!("The group {} is there.", made.name)))
        }
        Err(e) => render_new(&app, &actor, &wanted, &Wrong::of(e)?).await,
    }
}

async fn render_new(app: &App, actor: &Actor, wanted: &GroupChange, wrong: &Wrong) -> Result<Response> {
    actor.user()?;
    let parent = match wanted.parent_id {
        Some(id) => match Namespace::find(app.db().conn(), id).await?.filter(Namespace::is_group) {
            Some(group) => Some(GroupAccess::of(app, actor.clone(), group).await?),
            None => None,
        },
        None => None,
    };
    may_create_group(actor, parent.as_ref())?;
    let title = if parent.is_some() { "New subgroup" } else { "New group" };
    let mut page = match &parent {
        Some(access) => group_page(app, access, title, ""),
        None => home(app, actor, title),
    };
    if parent.is_none() {
        page.crumbs = vec![Crumb::new("Groups", "/dashboard/groups"), Crumb::new(title, "/groups/new")];
    }
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let (name, path, description) = (text(&wanted.name), text(&wanted.path), text(&wanted.description));
    let visibility = wanted.visibility.or(parent.as_ref().map(|p| p.group.visibility())).unwrap_or_default();
    let back = parent.as_ref().map_or("/dashboard/groups".to_owned(), |p| format!("/{}", p.group.full_path));
    page.body = html! {
        (parts::head(&html! { (title) }, &html! {}, &html! { "A group holds projects and the people who work on them together." }))
        (wrong.beside(&["name", "path", "description", "visibility_level"]))
        (parts::panel("group", "The group", &html! {
            form.stack method="post" action="/groups" {
                @if let Some(parent) = &parent {
                    (form::hidden("parent_id", &parent.group.id.to_string()))
                    p.soft { "Inside " b { (parent.group.full_path) } ", whose members have access to it too." }
                }
                (Field { name: "name", label: "Name", value: &name, required: true, maxlength: Some(255), error: wrong.with("name").as_deref(), ..Field::default() }.input())
                (Field { name: "path", label: "Path", value: &path, mono: true, maxlength: Some(255), hint: "The last part of its address. Empty takes it from the name.",
                    error: wrong.with("path").as_deref(), ..Field::default() }.input())
                (Field { name: "description", label: "Description", value: &description, rows: 2, maxlength: Some(500), error: wrong.with("description").as_deref(), ..Field::default() }.textarea())
                (visibility_field(visibility, "group", wrong))
                (form::actions("Make group", Some((&back, "Back"))))
            }
        }))
    };
    Ok((wrong.status(), page.render()).into_response())
}

pub(super) async fn show(State(app): State<App>, access: GroupAccess, paging: Paging) -> Result<Response> {
    let group = &access.group;
    let below = GroupFilters::default();
    let mut c = below.conditions(&access.actor)?;
    c.with("n.parent_id = {}", group.id);
    let mut first = paging.clone();
    (first.page, first.per_page) = (1, 100);
    let (subgroups, _) = below.page(&app, c, &first).await?;
    let counts = group_counts(&app, &access.actor, &subgroups).await?;
    let filters = ProjectFilters { order_by: Some(ProjectOrder::LastActivityAt), ..ProjectFilters::default() };
    let mut c = filters.conditions(&access.actor)?;
    c.with("p.namespace_id = {}", group.id);
    let (projects, total) = filters.page(&app, c, &paging).await?;
    let mut shown: Vec<Markup> = match paging.page {
        1 => subgroups.iter().zip(counts).map(|(g, c)| group_row(g, c)).collect(),
        _ => vec![],
    };
    shown.extend(projects.iter().map(project_row));
    let mut c = Conditions::default();
    c.with("p.namespace_id IN (SELECT a.namespace_id FROM namespace_ancestors a WHERE a.ancestor_id = {})", group.id);
    let (activity, _) = feed::feed(&app, &access.actor, c, 8, 0).await?;
    let mut page = group_page(&app, &access, &group.name, "home");
    page.body = html! {
        (head(&app, &access).await?)
        div.with-aside {
            div.stack {
                @if shown.is_empty() { (empty(&app, &access).await?) } @else { (form::filter("inside", "Filter by name")) (rows("inside", &shown)) }
                (page_links(&paging, total, &format!("/{}", group.full_path), &[]))
            }
            aside.stack { (feed::panel("Activity", &activity)) }
        }
    };
    Ok(page.render().into_response())
}

async fn head(app: &App, access: &GroupAccess) -> Result<Markup> {
    let group = &access.group;
    let signed_in = access.actor.known().is_some();
    let may_project = signed_in && may_create_project(app, access).await.is_ok();
    let may_group = signed_in && may_create_group(&access.actor, Some(access)).is_ok();
    let title = html! { (parts::avatar_square(&group.name, avatar::group_path(group).as_deref())) " " (group.name) " " (visibility_tag(group.visibility())) };
    let actions = html! {
        @if may_group { (parts::link_button(&format!("/groups/new?parent_id={}", group.id), "people", "New subgroup")) }
        @if may_project { (parts::primary_link(&format!("/projects/new?namespace_id={}", group.id), "plus", "New project")) }
    };
    let below = html! { @if !group.description.is_empty() { (group.description) } };
    Ok(parts::head(&title, &actions, &below))
}

async fn empty(app: &App, access: &GroupAccess) -> Result<Markup> {
    let signed_in = access.actor.known().is_some();
    let may = signed_in && may_create_project(app, access).await.is_ok();
    let command = format!("git push {} main", app.config().link(&format!("/{}/hello.git", access.group.full_path)));
    let new = format!("/projects/new?namespace_id={}", access.group.id);
    let text = if may {
        "Push a repository to a path in this group, and the project is there."
    } else {
        "What you may see here will be listed here."
    };
    Ok(Empty {
        icon: "folder",
        title: "Nothing in this group yet",
        text,
        command: may.then_some(command.as_str()),
        action: may.then_some((new.as_str(), "New project")),
    }
    .render())
}
