//! The search page.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::parts::Empty;
use ui::{Crumb, Item, Markup, html, parts};

use accounts::Actor;
use accounts::shell::home_page;

use crate::access::{GroupAccess, ProjectAccess};
use crate::api::search::find;
use crate::hooks::{Hit, SearchScopes, Wanted, Within};
use crate::namespace::Namespace;
use crate::project::Project;
use crate::shell::{group_page, project_page};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// What the palette's form sends.
    #[serde(default)]
    q: String,
    #[serde(default)]
    search: String,
    #[serde(default)]
    scope: String,
    project_id: Option<i64>,
    group_id: Option<i64>,
}

/// Where is searched, loaded.
enum Place {
    Everywhere(Actor),
    Group(Box<GroupAccess>),
    Project(Box<ProjectAccess>),
}

impl Place {
    async fn load(app: &App, actor: Actor, asked: &Asked) -> Result<Self> {
        let conn = app.db().conn();
        if let Some(id) = asked.project_id {
            let project = Project::find(conn, id).await?.ok_or_else(|| Error::not_found("Project"))?;
            return Ok(Self::Project(Box::new(ProjectAccess::of(app, actor, project).await?)));
        }
        if let Some(id) = asked.group_id {
            let group = Namespace::find(conn, id).await?.ok_or_else(|| Error::not_found("Group"))?;
            return Ok(Self::Group(Box::new(GroupAccess::of(app, actor, group).await?)));
        }
        Ok(Self::Everywhere(actor))
    }

    fn within(&self) -> Within<'_> {
        match self {
            Self::Everywhere(actor) => Within::Everywhere(actor),
            Self::Group(access) => Within::Group(access),
            Self::Project(access) => Within::Project(access),
        }
    }

    fn page(&self, app: &App) -> ui::Page {
        match self {
            Self::Everywhere(actor) => {
                let mut page = home_page(app, actor, "Search", "");
                page.crumbs = vec![Crumb::new("Search", "/search")];
                page
            }
            Self::Group(access) => group_page(app, access, "Search", ""),
            Self::Project(access) => project_page(app, access, "Search", ""),
        }
    }

    /// The parameter that keeps to this place.
    fn kept(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Everywhere(_) => None,
            Self::Group(access) => Some(("group_id", access.group.id.to_string())),
            Self::Project(access) => Some(("project_id", access.project.id.to_string())),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Everywhere(_) => "everything that you may see".into(),
            Self::Group(access) => access.group.full_path.clone(),
            Self::Project(access) => access.project.full_path.clone(),
        }
    }
}

/// The scopes that can be searched there: word in the address, word on the page.
fn scopes(app: &App, within: Within<'_>) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![];
    if !matches!(within, Within::Project(_)) {
        all.push(("projects", "Projects"));
    }
    let registered = app.get::<SearchScopes>();
    all.extend(registered.iter().flat_map(|s| &s.0).filter(|s| s.fits(within)).map(|s| (s.name(), s.title())));
    all.push(("users", "People"));
    all
}

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    let signed_in = actor.known().is_some();
    let place = Place::load(&app, actor, &asked).await?;
    let text = if asked.search.is_empty() { &asked.q } else { &asked.search };
    let text: String = text.trim().chars().take(1000).collect();
    let mut scopes = scopes(&app, place.within());
    scopes.retain(|(name, _)| signed_in || *name == "projects" || *name == "blobs");
    let scope =
        scopes.iter().find(|(name, _)| *name == asked.scope).or(scopes.first()).map_or("projects", |(name, _)| *name);
    let wanted = Wanted { text: &text, reference: None, offset: paging.offset(), limit: paging.limit() + 1 };
    let mut hits = find(&app, place.within(), scope, wanted).await?.unwrap_or_default();
    let size = usize::try_from(paging.limit()).unwrap_or(20);
    let more = hits.len() > size;
    hits.truncate(size);
    let mut page = place.page(&app);
    let link = |scope: &str, n: u64| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("search", &text).append_pair("scope", scope);
        if let Some((name, value)) = place.kept() {
            query.append_pair(name, &value);
        }
        if n > 1 {
            query.append_pair("page", &n.to_string());
        }
        format!("/search?{}", query.finish())
    };
    let tabs: Vec<Item> =
        scopes.iter().map(|(name, title)| Item::new(*title, link(name, 1)).current(*name == scope)).collect();
    let kept = place.kept();
    let mut hidden = vec![("scope", scope)];
    hidden.extend(kept.as_ref().map(|(name, value)| (*name, value.as_str())));
    let newer = (paging.page > 1).then(|| link(scope, paging.page - 1));
    let older = more.then(|| link(scope, paging.page + 1));
    page.body = html! {
        (parts::head(&html! { "Search" }, &html! {}, &html! { "In " (place.name()) }))
        div.stack {
            (ui::form::search("/search", "search", &text, "Search", &hidden))
            (parts::tabs("What to search for", &tabs))
            (results(&text, &hits))
            (parts::pages_keyset(newer.as_deref(), older.as_deref()))
        }
    };
    Ok(page.render().into_response())
}

fn results(text: &str, hits: &[Hit]) -> Markup {
    if text.is_empty() {
        return html! { p.soft { "Type what you look for." } };
    }
    if hits.is_empty() {
        return Empty {
            icon: "search",
            title: "Nothing found",
            text: "Try other or fewer words, or look among other things.",
            ..Empty::default()
        }
        .render();
    }
    let rows: Vec<Markup> = hits
        .iter()
        .map(|hit| {
            let title = html! { a.plain href=(hit.href) { b { (hit.title) } } };
            let meta = html! { span.cut { (hit.note) } };
            html! {
                div.grow {
                    span { (title) }
                    @if !hit.note.is_empty() { span.meta { (meta) } }
                    @if let Some(excerpt) = &hit.excerpt { pre.code tabindex="0" { code { (excerpt) } } }
                }
            }
        })
        .collect();
    parts::rows(&rows)
}
