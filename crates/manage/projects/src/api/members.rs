//! Members of projects and groups.

use std::collections::HashMap;

use accounts::User;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query, present};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entity::{self, UserBasic};
use super::number;
use crate::access::{GroupAccess, ProjectAccess};
use crate::member::Member;
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::roster::{Entry, Roster, Wanted};

pub(crate) fn api() -> Api {
    Api::new("Members")
        .get("/projects/{id}/members", "Lists the direct members of a project", of_project)
        .takes::<Filters>()
        .gives::<Vec<MemberEntity>>()
        .get("/projects/{id}/members/all", "Lists the members of a project, inherited ones too", all_of_project)
        .takes::<Filters>()
        .gives::<Vec<MemberEntity>>()
        .get("/projects/{id}/members/{user_id}", "Shows a direct member of a project", show_of_project)
        .gives::<MemberEntity>()
        .get(
            "/projects/{id}/members/all/{user_id}",
            "Shows a member of a project, inherited or not",
            show_all_of_project,
        )
        .gives::<MemberEntity>()
        .post("/projects/{id}/members", "Adds members to a project", add_to_project)
        .takes::<NewMember>()
        .gives::<MemberEntity>()
        .put("/projects/{id}/members/{user_id}", "Changes a member of a project", change_of_project)
        .takes::<Change>()
        .gives::<MemberEntity>()
        .delete("/projects/{id}/members/{user_id}", "Removes a member from a project", remove_from_project)
        .takes::<Removal>()
        .get("/groups/{id}/members", "Lists the direct members of a group", of_group)
        .takes::<Filters>()
        .gives::<Vec<MemberEntity>>()
        .get("/groups/{id}/members/all", "Lists the members of a group, inherited ones too", all_of_group)
        .takes::<Filters>()
        .gives::<Vec<MemberEntity>>()
        .get("/groups/{id}/members/{user_id}", "Shows a direct member of a group", show_of_group)
        .gives::<MemberEntity>()
        .get("/groups/{id}/members/all/{user_id}", "Shows a member of a group, inherited or not", show_all_of_group)
        .gives::<MemberEntity>()
        .post("/groups/{id}/members", "Adds members to a group", add_to_group)
        .takes::<NewMember>()
        .gives::<MemberEntity>()
        .put("/groups/{id}/members/{user_id}", "Changes a member of a group", change_of_group)
        .takes::<Change>()
        .gives::<MemberEntity>()
        .delete("/groups/{id}/members/{user_id}", "Removes a member from a group and all below", remove_from_group)
        .takes::<Removal>()
}

/// A member.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct MemberEntity {
    #[serde(flatten)]
    user: UserBasic,
    access_level: i64,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<UserBasic>,
    expires_at: Option<String>,
    membership_state: &'static str,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    query: Option<String>,
    #[serde(default)]
    user_ids: Vec<i64>,
    #[serde(default)]
    skip_users: Vec<i64>,
}

fn entities(app: &App, entries: &[Entry], people: &HashMap<i64, User>) -> Vec<MemberEntity> {
    let made = entries.iter().filter_map(|e| {
        Some(MemberEntity {
            user: UserBasic::of(app, people.get(&e.user_id)?),
            access_level: e.access_level,
            created_at: e.created_at,
            created_by: e.created_by.and_then(|id| people.get(&id)).map(|u| UserBasic::of(app, u)),
            expires_at: e.expires_at.map(Time::date),
            membership_state: "active",
        })
    });
    made.collect()
}

/// Everybody whom the entries name.
async fn people(app: &App, entries: &[Entry]) -> Result<HashMap<i64, User>> {
    let mut ids: Vec<i64> = entries.iter().map(|e| e.user_id).collect();
    ids.extend(entries.iter().filter_map(|e| e.created_by));
    entity::users(app, ids).await
}

async fn list(app: &App, roster: &Roster<'_>, filters: &Filters, inherited: bool, paging: &Paging) -> Result<Response> {
    let wanted = Wanted {
        query: filters.query.as_deref(),
        user_ids: &filters.user_ids,
        skip_users: &filters.skip_users,
        inherited,
    };
    let (entries, total) = roster.list(app, &wanted, paging.limit(), paging.offset()).await?;
    let people = people(app, &entries).await?;
    Ok(paging.list(&entities(app, &entries, &people), total))
}

async fn show(app: &App, roster: &Roster<'_>, user_id: &str, inherited: bool) -> Result<Json<MemberEntity>> {
    let id = number(user_id, "user_id")?;
    let wanted = Wanted { user_ids: &[id], inherited, ..Wanted::default() };
    let (entries, _) = roster.list(app, &wanted, 1, 0).await?;
    let people = people(app, &entries).await?;
    let mut made = entities(app, &entries, &people);
    made.pop().map(Json).ok_or_else(|| Error::not_found("Member"))
}

/// The entity of a member who was just added or changed.
async fn one(app: &App, member: &Member) -> Result<MemberEntity> {
    let people = entity::users(app, [Some(member.user_id), member.created_by].into_iter().flatten()).await?;
    let entry = Entry {
        id: member.id,
        user_id: member.user_id,
        access_level: member.access_level,
        expires_at: member.expires_at,
        created_by: member.created_by,
        created_at: member.created_at,
        inherited_from: None,
    };
    entities(app, &[entry], &people).pop().ok_or_else(|| Error::not_found("Member"))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewMember {
    /// One or several ids.
    #[serde(default)]
    user_id: Vec<String>,
    /// One or several usernames.
    #[serde(default)]
    username: Vec<String>,
    access_level: i64,
    expires_at: Option<String>,
}

/// A date or time, where there is one.
pub(crate) fn expiry(text: Option<&str>) -> Result<Option<Time>> {
    match text.map(str::trim).filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => Time::parse(text).map(Some).ok_or_else(|| Error::BadParameter("expires_at is invalid".into())),
    }
}

async fn add(app: &App, roster: &Roster<'_>, wanted: &NewMember) -> Result<Response> {
    if !roster.manages() {
        // Says the same whoever was meant, so that nobody learns which users there are.
        let tx = app.begin().await?;
        return roster.change(&tx, 0, wanted.access_level, None).await.map(|_| StatusCode::CREATED.into_response());
    }
    let expires_at = expiry(wanted.expires_at.as_deref())?;
    let ids: Vec<&String> = wanted.user_id.iter().chain(&wanted.username).filter(|t| !t.is_empty()).collect();
    match ids.as_slice() {
        [] => Err(Error::BadParameter("user_id, username are missing, exactly one parameter must be provided".into())),
        [_] => {
            let user = find(app, wanted, 0).await?.ok_or_else(|| Error::not_found("User"))?;
            let tx = app.begin().await?;
            let member = roster.add(&tx, &user, wanted.access_level, expires_at).await?;
            tx.commit().await?;
            Ok((StatusCode::CREATED, Json(one(app, &member).await?)).into_response())
        }
        many if many.len() > 100 => Err(Error::bad_request("Too many users specified (limit is 100)")),
        many => add_many(app, roster, wanted, many, expires_at).await,
    }
}

/// The nth user that is meant, by id or by name.
async fn find(app: &App, wanted: &NewMember, n: usize) -> Result<Option<User>> {
    let ids: Vec<&String> = wanted.user_id.iter().filter(|t| !t.is_empty()).collect();
    match ids.get(n) {
        Some(id) => User::find(app.db().conn(), number(id, "user_id")?).await,
        None => {
            let name = wanted.username.iter().filter(|t| !t.is_empty()).nth(n - ids.len());
            User::by_username(app.db().conn(), name.map_or("", String::as_str)).await
        }
    }
}

/// Adds several people; those that can't be added are named in the answer.
async fn add_many(
    app: &App,
    roster: &Roster<'_>,
    wanted: &NewMember,
    names: &[&String],
    expires_at: Option<Time>,
) -> Result<Response> {
    let mut refused = Map::new();
    for (n, name) in names.iter().enumerate() {
        let tx = app.begin().await?;
        let added = match find(app, wanted, n).await? {
            Some(user) => roster.add(&tx, &user, wanted.access_level, expires_at).await.map(|_| ()),
            None => Err(Error::not_found("User")),
        };
        match added {
            Ok(()) => tx.commit().await?,
            Err(e @ Error::Internal(_)) => return Err(e),
            Err(e) => {
                refused.insert((*name).clone(), json!(e.to_string()));
            }
        }
    }
    let body = match refused.is_empty() {
        true => json!({ "status": "success" }),
        false => json!({ "status": "error", "message": Value::Object(refused) }),
    };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Change {
    access_level: i64,
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<String>>,
}

async fn change(app: &App, roster: &Roster<'_>, user_id: &str, wanted: &Change) -> Result<Json<MemberEntity>> {
    let expires_at = wanted.expires_at.as_ref().map(|text| expiry(text.as_deref())).transpose()?;
    let tx = app.begin().await?;
    let member = roster.change(&tx, number(user_id, "user_id")?, wanted.access_level, expires_at).await?;
    tx.commit().await?;
    Ok(Json(one(app, &member).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Removal {
    skip_subresources: Option<bool>,
}

async fn remove(app: &App, roster: &Roster<'_>, user_id: &str, removal: &Removal) -> Result<StatusCode> {
    let tx = app.begin().await?;
    roster.remove(&tx, number(user_id, "user_id")?, removal.skip_subresources == Some(true)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The members of a project; the permission to see them is checked.
pub(crate) async fn project_roster<'a>(app: &App, access: &'a ProjectAccess) -> Result<Roster<'a>> {
    access.may(Permission::ReadMembers)?;
    let namespace = Namespace::find(app.db().conn(), access.project.namespace_id).await?;
    Ok(Roster::of_project(access, namespace.is_some_and(|n| n.owner_id.is_some())))
}

fn group_roster(access: &GroupAccess) -> Result<Roster<'_>> {
    if access.group.is_group() { Ok(Roster::of_group(access)) } else { Err(Error::not_found("Group")) }
}

async fn of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Query(f): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    list(&app, &project_roster(&app, &access).await?, &f, false, &paging).await
}
async fn all_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Query(f): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    list(&app, &project_roster(&app, &access).await?, &f, true, &paging).await
}
async fn of_group(
    State(app): State<App>,
    access: GroupAccess,
    Query(f): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    list(&app, &group_roster(&access)?, &f, false, &paging).await
}
async fn all_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Query(f): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    list(&app, &group_roster(&access)?, &f, true, &paging).await
}

type Ids = Path<(String, String)>;

async fn show_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, user)): Ids,
) -> Result<Json<MemberEntity>> {
    show(&app, &project_roster(&app, &access).await?, &user, false).await
}
async fn show_all_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, user)): Ids,
) -> Result<Json<MemberEntity>> {
    show(&app, &project_roster(&app, &access).await?, &user, true).await
}
async fn show_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, user)): Ids,
) -> Result<Json<MemberEntity>> {
    show(&app, &group_roster(&access)?, &user, false).await
}
async fn show_all_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, user)): Ids,
) -> Result<Json<MemberEntity>> {
    show(&app, &group_roster(&access)?, &user, true).await
}

async fn add_to_project(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<NewMember>,
) -> Result<Response> {
    add(&app, &project_roster(&app, &access).await?, &wanted).await
}
async fn add_to_group(
    State(app): State<App>,
    access: GroupAccess,
    Params(wanted): Params<NewMember>,
) -> Result<Response> {
    add(&app, &group_roster(&access)?, &wanted).await
}

async fn change_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, user)): Ids,
    Params(wanted): Params<Change>,
) -> Result<Json<MemberEntity>> {
    change(&app, &project_roster(&app, &access).await?, &user, &wanted).await
}
async fn change_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, user)): Ids,
    Params(wanted): Params<Change>,
) -> Result<Json<MemberEntity>> {
    change(&app, &group_roster(&access)?, &user, &wanted).await
}

async fn remove_from_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, user)): Ids,
    Query(removal): Query<Removal>,
) -> Result<StatusCode> {
    remove(&app, &project_roster(&app, &access).await?, &user, &removal).await
}
async fn remove_from_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, user)): Ids,
    Query(removal): Query<Removal>,
) -> Result<StatusCode> {
    remove(&app, &group_roster(&access)?, &user, &removal).await
}
