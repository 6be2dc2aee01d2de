//! Users, for everybody.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kernel::api::Api;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Either, named, person};
use crate::directory::{Filter, Sorting};
use crate::entities::{UserAdmin, UserBasic, UserProfile, UserPublic};
use crate::user::is_email;
use crate::{Actor, User, hooks};

pub(super) fn api() -> Api {
    Api::new("Users")
        .get("/users", "Lists users", list)
        .takes::<Asked>()
        .gives::<Vec<UserBasic>>()
        .get("/users/{user_id}", "Shows a user", show)
        .gives::<UserProfile>()
        .get("/user", "Shows the user who asks", current)
        .gives::<UserPublic>()
        .get("/users/{user_id}/associations_count", "Counts what belongs to a user", associations)
}

#[derive(Deserialize, JsonSchema, Default)]
struct Asked {
    /// Exactly this username.
    username: Option<String>,
    /// Part of a name or username, or a whole address.
    search: Option<String>,
    /// Exactly this public address.
    public_email: Option<String>,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    blocked: bool,
    external: Option<bool>,
    exclude_external: Option<bool>,
    humans: Option<bool>,
    without_project_bots: Option<bool>,
    admins: Option<bool>,
    created_after: Option<Time>,
    created_before: Option<Time>,
    two_factor: Option<String>,
    extern_uid: Option<String>,
    provider: Option<String>,
    exclude_humans: Option<bool>,
    order_by: Option<String>,
    sort: Option<String>,
    #[serde(default)]
    skip_users: Vec<i64>,
}

impl Asked {
    fn filter(&self, actor: &Actor) -> Result<Filter> {
        let admin = actor.is_admin();
        let for_admins = [
            self.external == Some(true),
            self.admins == Some(true),
            self.two_factor.is_some(),
            self.extern_uid.is_some() || self.provider.is_some(),
        ];
        if !admin && for_admins.contains(&true) {
            actor.user()?;
            return Err(Error::Forbidden(String::new()));
        }
        let signed_in = actor.known().is_some();
        let people = self.humans == Some(true) || self.without_project_bots == Some(true);
        let external = match (self.external, self.exclude_external) {
            (Some(true), _) => Some(true),
            (_, Some(true)) => Some(false),
            _ => None,
        };
        let state = if self.active {
            Some("active")
        } else if self.blocked {
            Some("blocked")
        } else {
            None
        };
        Ok(Filter {
            search: self.search.clone().map(|s| s.chars().take(255).collect()),
            search_emails: admin && self.search.as_deref().is_some_and(|s| !is_email(s)),
            username: self.username.clone(),
            public_email: self.public_email.clone(),
            state: state.map(str::to_owned),
            admin: (self.admins == Some(true)).then_some(true),
            external,
            bot: match (people, self.exclude_humans) {
                (true, _) => Some(false),
                (_, Some(true)) => Some(true),
                _ => None,
            },
            created_after: self.created_after.filter(|_| signed_in),
            created_before: self.created_before.filter(|_| signed_in),
            skip: self.skip_users.clone(),
            after_id: None,
        })
    }

    /// Whether the filters leave nobody over: nothing here has a second factor or an account elsewhere yet.
    fn nobody(&self) -> bool {
        self.two_factor.as_deref() == Some("enabled") || self.extern_uid.is_some()
    }
}

async fn list(State(app): State<App>, actor: Actor, paging: Paging, Query(asked): Query<Asked>) -> Result<Response> {
    if actor.known().is_none() && asked.username.as_deref().unwrap_or_default().is_empty() {
        return Err(Error::forbidden("Not authorized to access /api/v4/users"));
    }
    let filter = asked.filter(&actor)?;
    let sorting = Sorting::parse(asked.order_by.as_deref(), asked.sort.as_deref())?;
    if asked.nobody() {
        return Ok(paging.list::<UserBasic>(&[], 0));
    }
    if paging.keyset {
        return keyset(&app, &actor, &paging, filter, &asked).await;
    }
    let conn = app.db().conn();
    let total = filter.count(conn).await?;
    let users = filter.list(conn, sorting, paging.limit(), paging.offset()).await?;
    Ok(paging.list(&shapes(&app, &actor, &users).await?, total))
}

async fn keyset(app: &App, actor: &Actor, paging: &Paging, mut filter: Filter, asked: &Asked) -> Result<Response> {
    if asked.order_by.as_deref().is_some_and(|o| o != "id") || asked.sort.as_deref() == Some("asc") {
        return Err(Error::Status(
            http::StatusCode::METHOD_NOT_ALLOWED,
            "Keyset pagination is not yet available for this type of request".into(),
        ));
    }
    let place = paging.cursor.as_deref().map(str::parse).transpose();
    filter.after_id = place.map_err(|_| Error::BadParameter("cursor is invalid".into()))?;
    let mut users = filter.list(app.db().conn(), Sorting::default(), paging.limit() + 1, 0).await?;
    let more = users.len() > usize::try_from(paging.per_page).unwrap_or(100);
    if more {
        users.pop();
    }
    let next = users.last().filter(|_| more).map(|u| u.id.to_string());
    Ok(paging.list_keyset(&shapes(app, actor, &users).await?, next.as_deref()))
}

async fn shapes(app: &App, actor: &Actor, users: &[User]) -> Result<Vec<Either<UserAdmin, UserBasic>>> {
    if actor.is_admin() {
        return Ok(UserAdmin::list(app, actor, users).await?.into_iter().map(Either::Admin).collect());
    }
    Ok(users.iter().map(|u| Either::Other(UserBasic::of(app, u))).collect())
}

async fn show(State(app): State<App>, actor: Actor, Path(wanted): Path<String>) -> Result<Response> {
    let user = named(&app, &wanted).await?;
    if actor.is_admin() {
        return Ok(Json(UserAdmin::detailed(&app, &actor, &user).await?).into_response());
    }
    if actor.known().is_none() && user.private_profile {
        return Err(Error::not_found("User"));
    }
    Ok(Json(UserProfile::of(&app, &actor, &user)).into_response())
}

async fn current(State(app): State<App>, actor: Actor) -> Result<Response> {
    let user = person(&actor)?;
    // An administrator's token that only reads is shown what everybody is shown of themselves, and their rights.
    if actor.is_admin() {
        return Ok(Json(UserAdmin::of(&app, &actor, user).await?).into_response());
    }
    Ok(Json(UserPublic::of(&app, &actor, user)).into_response())
}

async fn associations(State(app): State<App>, actor: Actor, Path(wanted): Path<String>) -> Result<Json<Value>> {
    let user = named(&app, &wanted).await?;
    if !actor.is_admin() && person(&actor)?.id != user.id {
        return Err(Error::not_found("User"));
    }
    let mut counts: Map<String, Value> = ["groups_count", "projects_count", "issues_count", "merge_requests_count"]
        .into_iter()
        .map(|name| (name.to_owned(), 0.into()))
        .collect();
    for (name, count) in hooks::associations(&app, user.id).await? {
        counts.insert(name.to_owned(), count.into());
    }
    Ok(Json(Value::Object(counts)))
}
