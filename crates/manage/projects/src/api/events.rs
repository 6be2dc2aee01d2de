//! What people did, as the events API tells it.

use accounts::Actor;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::api::Api;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entity::{self, UserBasic};
use super::project_lists::open_user;
use crate::access::ProjectAccess;
use crate::activity::{Activity, visible_activities};
use crate::list::{Conditions, Sort};

pub(crate) fn api() -> Api {
    Api::new("Events")
        .get("/events", "Lists what one did oneself", own)
        .takes::<Filters>()
        .gives::<Vec<EventEntity>>()
        .get("/users/{id}/events", "Lists what a user did", of_user)
        .takes::<Filters>()
        .gives::<Vec<EventEntity>>()
        .get("/projects/{id}/events", "Lists what was done in a project", of_project)
        .takes::<Filters>()
        .gives::<Vec<EventEntity>>()
}

/// Something that somebody did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct EventEntity {
    id: i64,
    project_id: Option<i64>,
    action_name: String,
    target_id: Option<i64>,
    target_iid: Option<i64>,
    target_type: Option<String>,
    author_id: i64,
    target_title: Option<String>,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<UserBasic>,
    imported: bool,
    imported_from: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Value>,
    author_username: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    Approved,
    Closed,
    Commented,
    Created,
    Destroyed,
    Expired,
    Joined,
    Left,
    Merged,
    Pushed,
    Reopened,
    Updated,
}

impl Action {
    /// The words that are stored.
    fn stored(self) -> &'static str {
        match self {
            Self::Approved => "'approved'",
            Self::Closed => "'closed'",
            Self::Commented => "'commented on'",
            Self::Created => "'created', 'opened'",
            Self::Destroyed => "'destroyed'",
            Self::Expired => "'removed due to membership expiration from'",
            Self::Joined => "'joined'",
            Self::Left => "'left'",
            Self::Merged => "'accepted'",
            Self::Pushed => "'pushed to', 'pushed new', 'deleted'",
            Self::Reopened => "'reopened'",
            Self::Updated => "'updated'",
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TargetType {
    Design,
    Epic,
    Issue,
    MergeRequest,
    Milestone,
    Note,
    Project,
    Snippet,
    User,
    Wiki,
}

impl TargetType {
    fn stored(self) -> &'static str {
        match self {
            Self::Design => "'DesignManagement::Design'",
            Self::Epic => "'Epic'",
            Self::Issue => "'Issue', 'WorkItem'",
            Self::MergeRequest => "'MergeRequest'",
            Self::Milestone => "'Milestone'",
            Self::Note => "'Note', 'DiffNote', 'DiscussionNote'",
            Self::Project => "'Project'",
            Self::Snippet => "'Snippet'",
            Self::User => "'User'",
            Self::Wiki => "'WikiPage::Meta'",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    action: Option<Action>,
    target_type: Option<TargetType>,
    before: Option<Time>,
    after: Option<Time>,
    scope: Option<String>,
    sort: Option<Sort>,
}

const DAY: i64 = 86_400_000_000;

impl Filters {
    fn conditions(&self, actor: &Actor) -> Conditions {
        let mut c = Conditions::default();
        c.and(visible_activities(actor));
        if let Some(action) = self.action {
            c.and(format!("v.action IN ({})", action.stored()));
        }
        match self.target_type {
            Some(TargetType::Project) => c.and("v.target_type IS NULL"),
            Some(kind) => c.and(format!("v.target_type IN ({})", kind.stored())),
            None => &mut c,
        };
        // Both days are left out: before means before that day, after means after it.
        c.maybe("v.created_at < {}", self.before)
            .maybe("v.created_at >= {}", self.after.map(|t| Time(t.0.saturating_add(DAY))));
        c
    }
}

async fn answer(app: &App, filters: &Filters, c: Conditions, paging: &Paging) -> Result<Response> {
    let from = format!("FROM activities v LEFT JOIN projects p ON p.id = v.project_id WHERE {}", c.sql());
    let total = entity::count(app, &format!("SELECT COUNT(*) {from}"), c.values.clone()).await?;
    let sort = filters.sort.unwrap_or(Sort::Desc).sql();
    let sql = format!("SELECT v.* {from} ORDER BY v.id {sort} LIMIT {} OFFSET {}", paging.limit(), paging.offset());
    let rows: Vec<Activity> = app.db().all(&sql, c.values).await?;
    let people = entity::users(app, rows.iter().map(|r| r.author_id)).await?;
    let made = rows.into_iter().map(|r| {
        let author = people.get(&r.author_id);
        let data: Value = serde_json::from_str(&r.data).unwrap_or_default();
        EventEntity {
            id: r.id,
            project_id: r.project_id,
            action_name: r.action,
            target_id: r.target_id,
            target_iid: r.target_iid,
            target_type: r.target_type,
            author_id: r.author_id,
            target_title: r.target_title,
            created_at: r.created_at,
            author: author.map(|u| UserBasic::of(app, u)),
            imported: false,
            imported_from: "none",
            push_data: data.get("push_data").cloned(),
            note: data.get("note").cloned(),
            author_username: author.map(|u| u.username.clone()),
        }
    });
    Ok(paging.list(&made.collect::<Vec<_>>(), total))
}

async fn own(State(app): State<App>, actor: Actor, Query(filters): Query<Filters>, paging: Paging) -> Result<Response> {
    let user = actor.user()?.id;
    let mut c = filters.conditions(&actor);
    match filters.scope.as_deref() {
        Some("all") => c.and(format!("(v.author_id = {user} OR {})", crate::access::member_projects(user))),
        None => c.with("v.author_id = {}", user),
        Some(_) => return Err(Error::BadParameter("scope does not have a valid value".into())),
    };
    answer(&app, &filters, c, &paging).await
}

async fn of_user(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Query(filters): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    let user = open_user(&app, &actor, &wanted).await?;
    let mut c = filters.conditions(&actor);
    c.with("v.author_id = {}", user.id);
    answer(&app, &filters, c, &paging).await
}

async fn of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Query(filters): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    let mut c = filters.conditions(&access.actor);
    c.with("v.project_id = {}", access.project.id);
    answer(&app, &filters, c, &paging).await
}
