//! What several pages show: rows of projects and groups, visibilities, refused forms.

use http::StatusCode;
use kernel::http::{Paging, page_links};
use kernel::{App, Error, Result};
use ui::form::Field;
use ui::{Markup, Tone, format, html, parts};

use accounts::Actor;

use crate::access::member_groups_at;
use crate::api::entity::numbers;
use crate::avatar;
use crate::level;
use crate::namespace::Namespace;
use crate::project::Project;
use crate::visibility::Visibility;

/// What is wrong with the fields of a form.
#[derive(Default)]
pub(super) struct Wrong(Vec<(String, String)>);

impl Wrong {
    /// Nothing.
    pub(super) const fn none() -> Self {
        Self(vec![])
    }

    /// The complaints of a refused form; errors that no change of the form mends are passed on.
    pub(super) fn of(error: Error) -> Result<Self> {
        match error {
            Error::Invalid(fields) => Ok(Self(fields)),
            Error::Conflict(why) | Error::BadRequest(why) | Error::BadParameter(why) => {
                Ok(Self(vec![(String::new(), why)]))
            }
            other => Err(other),
        }
    }

    /// The complaint about a field, as a sentence.
    pub(super) fn with(&self, field: &str) -> Option<String> {
        let (_, why) = self.0.iter().find(|(f, _)| f == field)?;
        let name = field.trim_end_matches("_level").replace('_', " ");
        let mut letters = name.chars();
        let name: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        Some(format!("{name} {}.", why.trim_end_matches('.')))
    }

    /// What belongs to none of the fields shown.
    pub(super) fn beside(&self, shown: &[&str]) -> Markup {
        let rest: Vec<_> = self.0.iter().filter(|(f, _)| !shown.contains(&f.as_str())).collect();
        html! {
            @for (field, why) in rest {
                (parts::alert(Tone::Bad, &html! {
                    @if field.is_empty() { (why.trim_end_matches('.')) "." } @else { (self.with(field).unwrap_or_default()) }
                }))
            }
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        if self.0.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }
}

/// The icon and word of a visibility.
pub(super) fn visibility_tag(visibility: Visibility) -> Markup {
    let (icon, word) = match visibility {
        Visibility::Private => ("lock", "Private"),
        Visibility::Internal => ("secure", "Internal"),
        Visibility::Public => ("globe", "Public"),
    };
    parts::tag_icon(icon, word)
}

/// The choice of a visibility.
pub(super) fn visibility_field(chosen: Visibility, what: &str, wrong: &Wrong) -> Markup {
    let (private, internal, public) = (
        format!("Only members see the {what}."),
        format!("Everybody who is signed in sees the {what}."),
        format!("Everybody sees the {what}, signed in or not."),
    );
    let error = wrong.with("visibility_level").or_else(|| wrong.with("visibility"));
    Field {
        name: "visibility",
        label: "Visibility",
        value: &chosen.to_string(),
        error: error.as_deref(),
        ..Field::default()
    }
    .radios(&[
        ("private", "Private", &private),
        ("internal", "Internal", &internal),
        ("public", "Public", &public),
    ])
}

/// One line of a list of projects.
pub(super) fn project_row(project: &Project) -> Markup {
    let href = format!("/{}", project.full_path);
    let title = html! { span.line.tight {
        a.plain href=(href) { @if !project.namespace_path().is_empty() { span.soft { (project.namespace_path()) " / " } } b { (project.name) } }
        " " (visibility_tag(project.visibility()))
        @if project.archived { " " (parts::tag("Archived")) }
        @for topic in project.topics().iter().take(4) { " " (parts::tag(topic)) }
    } };
    let meta = html! {
        @if !project.description.is_empty() { span.cut { (first_line(&project.description)) } }
    };
    let end = html! {
        @if project.star_count > 0 {
            span.faint.num.line.tight.wide-only title=(format::plural(project.star_count, "star")) { (ui::icon("star")) " " (project.star_count) }
        }
        span.faint { (format::time(project.last_activity_at.0)) }
    };
    parts::row(&parts::avatar_square(&project.name, avatar::project_path(project).as_deref()), &title, &meta, &end)
}

/// One line of a list of groups; `counts` is the projects and groups right below.
pub(super) fn group_row(group: &Namespace, counts: (i64, i64)) -> Markup {
    let above = group.full_path.rsplit_once('/').map(|(above, _)| above);
    let title = html! { span.line.tight {
        a.plain href={ "/" (group.full_path) } { @if let Some(above) = above { span.soft { (above) " / " } } b { (group.name) } }
        " " (visibility_tag(group.visibility()))
    } };
    let meta = html! { @if !group.description.is_empty() { span.cut { (first_line(&group.description)) } } };
    let (projects, subgroups) = counts;
    let end = html! {
        span.faint.num.wide-only { (format::plural(subgroups, "subgroup")) }
        span.faint.num { (format::plural(projects, "project")) }
    };
    parts::row(&parts::avatar_square(&group.name, avatar::group_path(group).as_deref()), &title, &meta, &end)
}

/// How many projects and groups an actor sees right below each group.
pub(super) async fn group_counts(app: &App, actor: &Actor, groups: &[Namespace]) -> Result<Vec<(i64, i64)>> {
    let ids = crate::delete::id_list(&groups.iter().map(|g| g.id).collect::<Vec<_>>());
    let visible = crate::access::visible_projects(actor);
    let sql = format!(
        "SELECT p.namespace_id AS id, COUNT(*) AS n FROM projects p WHERE p.namespace_id IN ({ids}) AND {visible} GROUP BY p.namespace_id"
    );
    let projects = numbers(app, &sql).await?;
    let visible = crate::access::visible_groups(actor);
    let sql = format!(
        "SELECT n.parent_id AS id, COUNT(*) AS n FROM namespaces n WHERE n.parent_id IN ({ids}) AND {visible} GROUP BY n.parent_id"
    );
    let subgroups = numbers(app, &sql).await?;
    let of = |id: &i64| (projects.get(id).copied().unwrap_or(0), subgroups.get(id).copied().unwrap_or(0));
    Ok(groups.iter().map(|g| of(&g.id)).collect())
}

/// A list whose rows are filtered while one types in the field above it.
pub(super) fn rows(id: &str, rows: &[Markup]) -> Markup {
    html! { ul.rows id=(id) { @for row in rows { li { (row) } } } }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}

/// The field that filters what is shown while one types and searches everything on Enter, with the choice of an order.
pub(super) fn filter_form(
    action: &str,
    list: &str,
    text: &str,
    orders: &[(&str, &str)],
    order: &str,
    kept: &[(&str, &str)],
) -> Markup {
    html! {
        form.line action=(action) role="search" {
            @for (name, value) in kept { (ui::form::hidden(name, value)) }
            label.filter {
                (ui::icon("filter")) span.vh { "Filter by name" }
                input.in type="search" name="name" value=(text) placeholder="Filter by name" autocomplete="off" data-filter=(list) data-slash;
                kbd.wide-only { "/" }
            }
            select.in name="sort" aria-label="Order" data-submit {
                @for (value, word) in orders { option value=(value) selected[*value == order] { (word) } }
            }
            noscript { button.btn type="submit" { "Show" } }
        }
    }
}

/// The links to the other pages of a list.
pub(super) fn paging(paging: &Paging, total: i64, path: &str, query: &[(&str, &str)]) -> Markup {
    let last = u64::try_from(total).unwrap_or(0).div_ceil(paging.per_page);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    parts::pages(paging.page, last, |n| page_links(path, &query, &[("page", &n.to_string())]))
}

/// The namespaces in which an actor may make projects, their own first.
pub(super) async fn creatable_namespaces(app: &App, actor: &Actor) -> Result<Vec<Namespace>> {
    let user = actor.user()?.id;
    let groups = match actor.is_admin() {
        true => "TRUE".to_owned(),
        false => member_groups_at(user, level::DEVELOPER),
    };
    let sql = format!(
        "SELECT n.* FROM namespaces n WHERE n.owner_id = {user} OR (n.kind = 'group' AND {groups})
         ORDER BY CASE WHEN n.owner_id = {user} THEN 0 ELSE 1 END, n.full_path_key LIMIT 500"
    );
    app.db().all(&sql, []).await
}

/// The choice of a namespace.
pub(super) fn namespace_field(
    name: &str,
    label: &str,
    namespaces: &[Namespace],
    chosen: Option<i64>,
    error: Option<&str>,
) -> Markup {
    let ids: Vec<String> = namespaces.iter().map(|n| n.id.to_string()).collect();
    let choices: Vec<(&str, &str)> =
        ids.iter().zip(namespaces).map(|(id, n)| (id.as_str(), n.full_path.as_str())).collect();
    let value = chosen.map(|c| c.to_string()).unwrap_or_default();
    Field { name, label, value: &value, error, ..Field::default() }.select(&choices)
}
